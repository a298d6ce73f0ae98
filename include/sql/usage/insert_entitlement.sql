-- Purpose: one entitlement of the registry file.
-- Parameters: recipient, course, modules (text array, empty: all), product, agreement, valid_from, valid_to.
-- Grain: one row.
-- Idempotency: delete_entitlements ran before in the same transaction.
INSERT INTO gov.entitlement
(recipient_id, course_id, module_scope, product, agreement_id, valid_from, valid_to)
VALUES (:recipient, :course, CAST(:modules AS text[]), :product, :agreement, :valid_from, :valid_to)
