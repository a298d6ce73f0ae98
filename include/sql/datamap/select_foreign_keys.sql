-- Purpose: foreign keys with their columns, in the order in which they match.
-- Parameters: excluded (schemas that are not the publisher's).
-- Grain: one row per foreign key; copies on partitions are left out, a key that only a partition has counts
--        for its root.
-- Idempotency: reads the system catalogue only.
SELECT
    k.conname AS key_name,
    n.nspname AS schema_name,
    c.relname AS table_name,
    fn.nspname AS to_schema,
    f.relname AS to_table,
    ARRAY(
        SELECT CAST(a.attname AS text)
        FROM UNNEST(k.conkey) WITH ORDINALITY AS u (attnum, place)
        INNER JOIN pg_catalog.pg_attribute AS a ON u.attnum = a.attnum AND a.attrelid = k.conrelid
        ORDER BY u.place
    ) AS column_names,
    ARRAY(
        SELECT CAST(a.attname AS text)
        FROM UNNEST(k.confkey) WITH ORDINALITY AS u (attnum, place)
        INNER JOIN pg_catalog.pg_attribute AS a ON u.attnum = a.attnum AND a.attrelid = k.confrelid
        ORDER BY u.place
    ) AS reference_names,
    CAST(k.confdeltype AS text) AS on_delete,
    CAST(k.confupdtype AS text) AS on_update
FROM pg_catalog.pg_constraint AS k
INNER JOIN
    pg_catalog.pg_class AS c
    ON c.oid = COALESCE(CAST(PG_PARTITION_ROOT(k.conrelid) AS oid), k.conrelid)
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
INNER JOIN
    pg_catalog.pg_class AS f
    ON f.oid = COALESCE(CAST(PG_PARTITION_ROOT(k.confrelid) AS oid), k.confrelid)
INNER JOIN pg_catalog.pg_namespace AS fn ON f.relnamespace = fn.oid
WHERE
    k.contype = 'f'
    AND k.conparentid = 0
    AND n.nspname <> ALL(CAST(:excluded AS text[]))
ORDER BY n.nspname, c.relname, k.conname
