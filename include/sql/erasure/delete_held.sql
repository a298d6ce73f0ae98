-- Purpose: delete what was kept for holds that ended; the function alone may.
-- Parameters: none. Grain: hold and case. Idempotency: gone is gone.
SELECT
    ended_hold,
    held_case,
    records
FROM gov.delete_held()
