-- Purpose: the stored report page of one verdict.
-- Parameters: gate_result_id.
-- Grain: at most one row.
-- Idempotency: reads only.
SELECT report_html
FROM gov.gate_result
WHERE gate_result_id = :gate_result_id
