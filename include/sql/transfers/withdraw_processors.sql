-- Purpose: marks every processor that the registry no longer names.
-- Parameters: :registry_sha256.
-- Grain: one processor.
-- Idempotency: marks once.
UPDATE gov.processor SET withdrawn = true
WHERE registry_sha256 <> :registry_sha256 AND NOT withdrawn
