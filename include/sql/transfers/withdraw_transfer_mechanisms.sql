-- Purpose: marks every transfer mechanism that the registry no longer names.
-- Parameters: :registry_sha256.
-- Grain: one transfer mechanism.
-- Idempotency: marks once.
UPDATE gov.transfer_mechanism SET withdrawn = true
WHERE registry_sha256 <> :registry_sha256 AND NOT withdrawn
