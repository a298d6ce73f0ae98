-- Purpose: one release as it is registered. Parameters: release_id. Grain: at most one row. Idempotency: reads only.
SELECT
    r.release_id,
    r.product,
    r.recipient_id,
    p.legal_name,
    p.country,
    r.iso_week,
    r.period_key,
    r.window_start,
    r.window_end,
    r.spec_version,
    r.released_at,
    r.run_id,
    r.object_prefix,
    r.files,
    r.pack_sha256,
    r.n_rows,
    r.n_withheld,
    r.utility,
    r.entitlement,
    r.gate_result_id,
    r.approvers,
    (
        SELECT min(w.at) FROM gov.release_event AS w WHERE w.release_id = r.release_id AND w.kind = 'withdrawn'
    ) AS withdrawn_at
FROM gov.release_register AS r
INNER JOIN gov.recipient AS p ON r.recipient_id = p.recipient_id
WHERE r.release_id = :release_id
