-- Purpose: recipients to choose from. Parameters: none. Grain: recipient. Idempotency: reads only.
SELECT
    recipient_id,
    legal_name,
    kind,
    country,
    status
FROM gov.recipient
ORDER BY legal_name, recipient_id
