-- Purpose: what the inventory gate judges: numbers only.
-- Parameters: :snapshot_id, :today (date of the run), :secrets (occurrences found in the rendered files).
-- Grain: one row.
-- Idempotency: read only.
SELECT
    flows.n AS flows,
    CASE WHEN s.basis = 'observed' THEN flows.observed ELSE flows.n END AS observed_flows,
    (
        SELECT count(*) FROM jsonb_array_elements(s.observers) AS o WHERE NOT cast(o ->> 'looked' AS boolean)
    ) AS observers_blind,
    flows.stores_without_place,
    cast(:today AS date) - s.reference_reviewed_on AS reference_age_days,
    flows.not_judged_twice,
    CASE WHEN flows.n > 0 THEN round(cast(flows.unresolved AS numeric) / flows.n, 6) END AS unresolved_share,
    flows.unresolved_special,
    flows.replication_undeclared,
    cast(:secrets AS integer) AS secrets_in_outputs
FROM gov.inventory_snapshot AS s
CROSS JOIN
    LATERAL (
        SELECT
            count(*) AS n,
            count(*) FILTER (WHERE NOT f.seen_by <@ ARRAY['data_map', 'registry']) AS observed,
            count(*) FILTER (
                WHERE f.country IS NULL AND f.personal AND f.nature = 'STORAGE'
            ) AS stores_without_place,
            count(*) FILTER (WHERE v.regimes <> 2) AS not_judged_twice,
            count(*) FILTER (WHERE v.unresolved) AS unresolved,
            count(*) FILTER (WHERE v.unresolved AND f.special_category) AS unresolved_special,
            count(*) FILTER (WHERE f.place LIKE 'replication:%' AND f.transfer_id IS NULL) AS replication_undeclared
        FROM gov.inventory_flow AS f
        CROSS JOIN
            LATERAL (
                SELECT
                    count(DISTINCT fv.regime) AS regimes,
                    coalesce(bool_or(fv.verdict = 'UNRESOLVED'), FALSE) AS unresolved
                FROM gov.flow_verdict AS fv
                WHERE fv.snapshot_id = f.snapshot_id AND fv.flow_key = f.flow_key
            ) AS v
        WHERE f.snapshot_id = s.snapshot_id
    ) AS flows
WHERE s.snapshot_id = :snapshot_id
