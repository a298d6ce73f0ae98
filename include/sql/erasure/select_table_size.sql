-- Purpose: the planner's estimate of a table's rows, partitions included, and the pages it takes now.
-- Parameters: table_name (quoted). Grain: one row. Idempotency: reads only.
SELECT
    coalesce(sum(c.reltuples) FILTER (WHERE c.reltuples > 0), 0) AS estimate,
    coalesce(sum(pg_relation_size(c.oid) / 8192), 0) AS pages
FROM pg_catalog.pg_class AS c
WHERE
    c.oid = to_regclass(:table_name)
    OR c.oid IN (SELECT t.relid FROM pg_partition_tree(to_regclass(:table_name)) AS t)
