-- Purpose: eligible cases with their references under every key, inside one transaction.
-- Parameters: none. Grain: case. Idempotency: gone with the transaction.
CREATE TEMPORARY TABLE eligible (case_id uuid PRIMARY KEY, subject_refs text[] NOT NULL) ON COMMIT DROP
