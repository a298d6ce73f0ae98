-- Purpose: let nobody else decide about, erase or judge anew a case while an answer is recorded.
-- Parameters: case_id. Grain: one row. Idempotency: reads only.
SELECT case_id FROM gov.minor_case WHERE case_id = :case_id FOR UPDATE
