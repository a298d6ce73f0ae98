-- Purpose: append entries to the erasure ledger in the order given; the function chains the hashes.
-- Parameters: at, kind, cases (uuid or null each), payloads (canonical JSON each), of equal length.
-- Grain: one row per entry: its sequence number and hash.
-- Idempotency: none; the caller appends inside the transaction of what it records.
SELECT
    appended.seq,
    appended.hash
FROM
    unnest(cast(:cases AS uuid[]), cast(:payloads AS text[])) WITH ORDINALITY AS entry (case_id, payload, place),
    gov.append_to_ledger(cast(:at AS timestamptz), cast(:kind AS text), entry.case_id, entry.payload) AS appended
ORDER BY entry.place
