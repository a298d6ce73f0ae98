-- Purpose: marks every transfer that the registry no longer names.
-- Parameters: :registry_sha256.
-- Grain: one transfer.
-- Idempotency: marks once.
UPDATE gov.transfer SET withdrawn = true
WHERE registry_sha256 <> :registry_sha256 AND NOT withdrawn
