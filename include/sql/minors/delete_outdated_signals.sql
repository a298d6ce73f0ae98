-- Purpose: drop the recorded statements of every case that this run opened or judged anew.
-- Parameters: run_id. Grain: signal. Idempotency: the next statement writes them again.
DELETE FROM gov.minor_signal AS s USING gov.minor_case AS c
WHERE
    c.case_id = s.case_id AND c.judged_by_run = :run_id
    AND EXISTS (
        SELECT 1 FROM judged AS j
        WHERE j.subject_table = c.subject_table AND j.subject_key = c.subject_key
    )
