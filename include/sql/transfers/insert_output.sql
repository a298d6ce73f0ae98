-- Purpose: keeps one output of a run.
-- Parameters: :snapshot_id, :name, :media_type, :sha256, :body.
-- Grain: one file.
-- Idempotency: after delete_outputs, the same rows.
INSERT INTO gov.inventory_output (snapshot_id, name, media_type, sha256, body)
VALUES (:snapshot_id, :name, :media_type, :sha256, :body)
