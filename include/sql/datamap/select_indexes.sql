-- Purpose: indexes, primary keys among them.
-- Parameters: excluded (schemas that are not the publisher's).
-- Grain: one row per index of a root table; `usable` is false for invalid or expression indexes.
-- Idempotency: reads the system catalogue only.
SELECT
    ic.relname AS index_name,
    n.nspname AS schema_name,
    c.relname AS table_name,
    am.amname AS method,
    i.indisunique AS is_unique,
    i.indisprimary AS is_primary,
    i.indisvalid AND i.indexprs IS NULL AS usable,
    COALESCE(PG_GET_EXPR(i.indpred, i.indrelid), '') AS predicate,
    ARRAY(
        SELECT CAST(a.attname AS text)
        FROM UNNEST(i.indkey) WITH ORDINALITY AS u (attnum, place)
        INNER JOIN pg_catalog.pg_attribute AS a ON u.attnum = a.attnum AND a.attrelid = i.indrelid
        WHERE u.place <= i.indnkeyatts
        ORDER BY u.place
    ) AS column_names
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS ic ON i.indexrelid = ic.oid
INNER JOIN pg_catalog.pg_am AS am ON ic.relam = am.oid
INNER JOIN pg_catalog.pg_class AS c ON i.indrelid = c.oid
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
WHERE
    NOT c.relispartition
    AND c.relkind IN ('r', 'p', 'm')
    AND n.nspname NOT LIKE 'pg\_%'
    AND n.nspname <> 'information_schema'
    AND n.nspname <> ALL(CAST(:excluded AS text[]))
ORDER BY n.nspname, c.relname, ic.relname
