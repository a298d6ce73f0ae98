-- Purpose: how many findings are open, by rule and severity, and how many are past their day.
-- Parameters: today. Grain: rule and severity. Idempotency: reads only.
SELECT
    rule,
    severity,
    count(*) AS open,
    count(*) FILTER (WHERE due_on < :today) AS overdue
FROM gov.finding
WHERE status = 'open'
GROUP BY rule, severity
ORDER BY rule, severity
