-- Purpose: rows inserted, updated and deleted by this transaction, as PostgreSQL counts them; partitions count for
-- their root. Cascades and triggers are in.
-- Parameters: excluded (schemas that are not the publisher's). Grain: table. Idempotency: reads only.
SELECT
    n.nspname AS schema_name,
    r.relname AS table_name,
    sum(pg_stat_get_xact_tuples_inserted(c.oid)) AS inserted,
    sum(pg_stat_get_xact_tuples_updated(c.oid)) AS updated,
    sum(pg_stat_get_xact_tuples_deleted(c.oid)) AS deleted
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_class AS r ON r.oid = coalesce(cast(pg_partition_root(c.oid) AS oid), c.oid)
INNER JOIN pg_catalog.pg_namespace AS n ON r.relnamespace = n.oid
WHERE
    c.relkind IN ('r', 'p')
    AND c.relpersistence <> 't'
    AND n.nspname NOT LIKE 'pg\_%'
    AND n.nspname <> 'information_schema'
    AND n.nspname <> all(cast(:excluded AS text[]))
    AND (
        pg_stat_get_xact_tuples_inserted(c.oid) > 0
        OR pg_stat_get_xact_tuples_updated(c.oid) > 0
        OR pg_stat_get_xact_tuples_deleted(c.oid) > 0
    )
GROUP BY n.nspname, r.relname
