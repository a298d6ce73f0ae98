-- Purpose: what the asking role may do in some tables, column by column.
-- Parameters: tables (text[], schema.table). Grain: column. Idempotency: reads the catalogue only.
SELECT
    n.nspname || '.' || c.relname AS table_name,
    a.attname AS column_name,
    has_column_privilege(c.oid, a.attnum, 'SELECT') AS may_select,
    has_column_privilege(c.oid, a.attnum, 'UPDATE') AS may_update,
    has_table_privilege(c.oid, 'DELETE') AS may_delete,
    has_table_privilege(c.oid, 'INSERT') AS may_insert
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
INNER JOIN pg_catalog.pg_attribute AS a ON c.oid = a.attrelid
WHERE
    n.nspname || '.' || c.relname = any(cast(:tables AS text[]))
    AND a.attnum > 0 AND NOT a.attisdropped
