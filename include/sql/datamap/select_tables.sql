-- Purpose: relations that hold rows, with how many partitions stand behind each.
-- Parameters: excluded (schemas that are not the publisher's).
-- Grain: one row per table, partitioned table, materialised view or foreign table; a partition is its root's.
-- Idempotency: reads the system catalogue only.
SELECT
    n.nspname AS schema_name,
    c.relname AS table_name,
    CAST(c.relkind AS text) AS kind,
    (
        SELECT COUNT(*)
        FROM PG_PARTITION_TREE(c.oid) AS tree
        WHERE tree.isleaf AND c.relkind = 'p'
    ) AS partitions
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
WHERE
    c.relkind IN ('r', 'p', 'm', 'f')
    AND NOT c.relispartition
    AND c.relpersistence <> 't'
    AND n.nspname NOT LIKE 'pg\_%'
    AND n.nspname <> 'information_schema'
    AND NOT EXISTS (
        SELECT 1
        FROM pg_catalog.pg_depend AS d
        WHERE
            d.classid = CAST('pg_catalog.pg_class' AS regclass)
            AND d.objid = c.oid
            AND d.deptype = 'e'
    )
    AND n.nspname <> ALL(CAST(:excluded AS text[]))
ORDER BY n.nspname, c.relname
