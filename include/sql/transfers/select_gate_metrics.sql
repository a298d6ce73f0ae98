-- Purpose: what the inventory gate judges: numbers only.
-- Parameters: :snapshot_id, :as_of (instant of the run), :today (its date), :sign_off_since, :declared (observers that
--   only repeat what is declared).
-- Grain: one row.
-- Idempotency: read only.
SELECT
    flows.n AS flows,
    CASE WHEN s.basis = 'observed' THEN flows.observed ELSE flows.n END AS observed_flows,
    (
        SELECT count(*) FROM jsonb_array_elements(s.observers) AS o WHERE NOT cast(o ->> 'looked' AS boolean)
    ) AS observers_blind,
    flows.stores_without_place,
    flows.stores_undeclared,
    cast(:today AS date) - s.reference_reviewed_on AS reference_age_days,
    -- Without an edition no address was looked up: the observers that need one say so themselves.
    coalesce(cast(:today AS date) - cast(s.geoip ->> 'built_on' AS date), 0) AS geoip_age_days,
    flows.not_judged_twice,
    flows.uncovered,
    flows.out_of_scope,
    flows.assessments_overdue,
    flows.contractors_undeclared,
    flows.replication_undeclared,
    (
        SELECT count(*) FROM jsonb_array_elements(s.findings) AS f WHERE f ->> 'rule' LIKE 'subprocessor%'
    ) AS sub_processors_to_review,
    CASE WHEN flows.n > 0 THEN round(cast(flows.unresolved AS numeric) / flows.n, 6) END AS unresolved_share,
    flows.unresolved_special,
    s.secrets_in_outputs,
    (
        SELECT count(*) FROM gov.inventory_change AS c
        WHERE c.snapshot_id = s.snapshot_id AND c.explanation = 'unexplained'
    ) AS changes_unexplained,
    CASE
        WHEN s.basis = 'observed'
            THEN (
                SELECT count(*) FROM gov.inventory_sign_off AS o
                WHERE o.signed_at >= :sign_off_since AND o.signed_at <= :as_of
            )
        ELSE 1
    END AS sign_offs_in_date
FROM gov.inventory_snapshot AS s
CROSS JOIN
    LATERAL (
        SELECT
            count(*) AS n,
            count(*) FILTER (WHERE NOT f.seen_by <@ cast(:declared AS text[])) AS observed,
            count(*) FILTER (
                WHERE f.country IS NULL AND f.personal AND f.nature = 'STORAGE'
            ) AS stores_without_place,
            count(*) FILTER (
                WHERE f.transfer_id IS NULL AND f.personal AND f.nature = 'STORAGE' AND f.place NOT LIKE 'replication:%'
            ) AS stores_undeclared,
            count(*) FILTER (WHERE v.regimes <> 2) AS not_judged_twice,
            count(*) FILTER (WHERE v.uncovered) AS uncovered,
            count(*) FILTER (WHERE v.out_of_scope) AS out_of_scope,
            count(*) FILTER (WHERE v.overdue) AS assessments_overdue,
            count(*) FILTER (
                WHERE
                f.transfer_id IS NULL AND f.nature = 'REMOTE_ACCESS'
                AND f.facts -> 'importer' ->> 'relationship' NOT IN ('OWN_EMPLOYEE', 'OWN_BRANCH')
            ) AS contractors_undeclared,
            count(*) FILTER (WHERE v.unresolved) AS unresolved,
            count(*) FILTER (WHERE v.unresolved AND f.special_category) AS unresolved_special,
            count(*) FILTER (WHERE f.place LIKE 'replication:%' AND f.transfer_id IS NULL) AS replication_undeclared
        FROM gov.inventory_flow AS f
        CROSS JOIN
            LATERAL (
                SELECT
                    count(DISTINCT fv.regime) AS regimes,
                    coalesce(bool_or(fv.verdict = 'UNCOVERED'), FALSE) AS uncovered,
                    coalesce(bool_or(fv.verdict = 'SCOPE_MISMATCH'), FALSE) AS out_of_scope,
                    coalesce(
                        bool_or('assessment_overdue' = any(fv.flags) OR fv.code = 'ASSESSMENT_MISSING'), FALSE
                    ) AS overdue,
                    coalesce(bool_or(fv.verdict = 'UNRESOLVED'), FALSE) AS unresolved
                FROM gov.flow_verdict AS fv
                WHERE fv.snapshot_id = f.snapshot_id AND fv.flow_key = f.flow_key
            ) AS v
        WHERE f.snapshot_id = s.snapshot_id
    ) AS flows
WHERE s.snapshot_id = :snapshot_id
