-- Purpose: columns of the relations that hold rows.
-- Parameters: excluded (schemas that are not the publisher's).
-- Grain: one row per column, in the table's order; columns of partitions are those of their root.
-- Idempotency: reads the system catalogue only.
SELECT
    n.nspname AS schema_name,
    c.relname AS table_name,
    a.attname AS column_name,
    CAST(CAST(a.atttypid AS regtype) AS text) AS type_name,
    NOT a.attnotnull AND NOT t.typnotnull AS nullable,
    a.atthasdef OR a.attidentity <> '' AS has_default,
    a.attgenerated <> '' OR a.attidentity = 'a' AS computed
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
INNER JOIN pg_catalog.pg_attribute AS a ON c.oid = a.attrelid
INNER JOIN pg_catalog.pg_type AS t ON a.atttypid = t.oid
WHERE
    c.relkind IN ('r', 'p', 'm', 'f')
    AND NOT c.relispartition
    AND c.relpersistence <> 't'
    AND a.attnum > 0
    AND NOT a.attisdropped
    AND n.nspname NOT LIKE 'pg\_%'
    AND n.nspname <> 'information_schema'
    AND n.nspname <> ALL(CAST(:excluded AS text[]))
ORDER BY n.nspname, c.relname, a.attnum
