-- Purpose: where the version of the orchestrator's schema stands: a word that a search must find.
-- Parameters: none. Grain: column. Idempotency: reads only.
SELECT
    n.nspname,
    c.relname,
    a.attname
FROM pg_catalog.pg_attribute AS a
INNER JOIN pg_catalog.pg_class AS c ON a.attrelid = c.oid
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
WHERE c.relname = 'alembic_version' AND a.attname = 'version_num'
ORDER BY n.nspname
LIMIT 1
