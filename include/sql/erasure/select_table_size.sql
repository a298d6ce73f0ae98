-- Purpose: the planner's estimate of a table's rows, partitions included.
-- Parameters: table_name (quoted). Grain: one row. Idempotency: reads only.
SELECT coalesce(sum(c.reltuples) FILTER (WHERE c.reltuples > 0), 0) AS estimate
FROM pg_catalog.pg_class AS c
WHERE
    c.oid = to_regclass(:table_name)
    OR c.oid IN (SELECT t.relid FROM pg_partition_tree(to_regclass(:table_name)) AS t)
