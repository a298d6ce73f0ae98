-- Purpose: make room for the entitlements of the registry file.
-- Parameters: none.
-- Grain: every entitlement.
-- Idempotency: the file is loaded again in the same transaction.
DELETE FROM gov.entitlement
