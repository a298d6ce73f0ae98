-- Purpose: the figures that operators watch; made-up people are counted among canaries only.
-- Parameters: day (24 hours before), month (28 days before). Grain: one row. Idempotency: reads only.
WITH cases AS (
    SELECT
        c.case_id,
        c.state,
        c.restriction,
        c.subject_kind,
        exists(SELECT 1 FROM gov.canary AS k WHERE k.subject_ref = c.subject_ref) AS made_up
    FROM gov.minor_case AS c
),

newest_residual AS (
    SELECT DISTINCT ON (plan_id, asset)
        plan_id,
        asset,
        found
    FROM gov.erasure_residual
    WHERE looked_at > :month
    ORDER BY plan_id ASC, asset ASC, looked_at DESC
),

newest_verdict AS (
    SELECT DISTINCT ON (run_id, gate)
        run_id,
        gate,
        verdict
    FROM gov.gate_result
    WHERE judged_at > :day
    ORDER BY run_id ASC, gate ASC, gate_result_id DESC
)

SELECT
    (
        SELECT count(*) FROM cases
        WHERE NOT made_up AND subject_kind = 'person' AND restriction <> 'NONE' AND state NOT IN ('CLOSED', 'CLEARED')
    ) AS people_restricted,
    (SELECT count(*) FROM cases WHERE NOT made_up AND state NOT IN ('CLOSED', 'CLEARED')) AS cases_open,
    (
        SELECT count(*) FROM gov.certificate AS e
        INNER JOIN cases AS c ON e.case_id = c.case_id
        WHERE NOT c.made_up AND c.subject_kind = 'person'
    ) AS people_erased,
    (SELECT coalesce(sum(found), 0) FROM newest_residual) AS residual_found,
    (SELECT count(*) FROM newest_verdict WHERE verdict = 'block') AS gates_blocked,
    (SELECT count(*) FROM newest_verdict WHERE verdict = 'warn') AS gates_warned,
    (SELECT count(*) FROM newest_verdict WHERE verdict = 'pass') AS gates_passed,
    (SELECT count(*) FROM gov.release_register) AS releases_registered,
    (SELECT count(*) FROM gov.release_event WHERE kind = 'withdrawn') AS releases_withdrawn,
    (SELECT count(*) FROM gov.finding WHERE status = 'open' AND severity = 'CRITICAL') AS findings_critical,
    (SELECT count(*) FROM gov.finding WHERE status = 'open' AND severity = 'HIGH') AS findings_high,
    (SELECT count(*) FROM gov.finding WHERE status = 'open' AND severity = 'MEDIUM') AS findings_medium,
    (SELECT count(*) FROM gov.finding WHERE status = 'open' AND severity = 'LOW') AS findings_low,
    (SELECT count(*) FROM gov.finding WHERE status = 'open' AND severity = 'INFO') AS findings_info,
    (SELECT count(*) FROM gov.blocked_destination WHERE lifted_at IS NULL) AS destinations_blocked,
    (SELECT count(*) FROM gov.canary WHERE planted_at <= :day AND withdrawn_at IS NULL) AS canaries_planted,
    (
        SELECT count(*) FROM gov.canary AS k
        WHERE
            k.planted_at <= :day AND k.withdrawn_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM gov.minor_case AS c WHERE c.subject_ref = k.subject_ref)
    ) AS canaries_missed,
    (
        SELECT count(*) FROM gov.operator_alert AS a
        WHERE
            a.noted_at > :day
            AND NOT EXISTS (
                SELECT 1 FROM gov.alert_delivery AS d WHERE d.alert_id = a.alert_id AND d.sent_at IS NOT NULL
            )
    ) AS alerts_untold
