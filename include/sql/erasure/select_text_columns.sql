-- Purpose: every column of every table that can hold text, of whatever type: only numbers, times and booleans cannot.
-- Parameters: none. Grain: column. Idempotency: reads only.
SELECT
    n.nspname AS schema_name,
    c.relname AS table_name,
    a.attname AS column_name,
    CASE WHEN t.typname = 'bytea' THEN 'bytes' ELSE 'text' END AS kind
FROM pg_catalog.pg_attribute AS a
INNER JOIN pg_catalog.pg_class AS c ON a.attrelid = c.oid
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
INNER JOIN pg_catalog.pg_type AS t ON a.atttypid = t.oid
WHERE
    c.relkind IN ('r', 'm', 'f')
    AND a.attnum > 0
    AND NOT a.attisdropped
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname NOT LIKE 'pg\_toast%'
    AND n.nspname NOT LIKE 'pg\_temp%'
    AND t.typcategory NOT IN ('N', 'D', 'T', 'B')
ORDER BY n.nspname, c.relname, a.attnum
