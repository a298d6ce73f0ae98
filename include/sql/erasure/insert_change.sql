-- Purpose: what the erasing transaction changed in one table, beside what was planned.
-- Parameters: plan_id, table_name, inserted, updated, deleted, to_update, to_delete. Grain: plan and table.
-- Idempotency: written in the transaction that does it.
INSERT INTO gov.erasure_change (plan_id, table_name, inserted, updated, deleted, to_update, to_delete)
VALUES (:plan_id, :table_name, :inserted, :updated, :deleted, :to_update, :to_delete)
