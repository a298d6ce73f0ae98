-- Purpose: which gate of which run one verdict is of. Parameters: gate_result_id. Grain: at most one row.
-- Idempotency: reads only.
SELECT
    gate,
    run_id,
    report_html
FROM gov.gate_result
WHERE gate_result_id = :gate_result_id
