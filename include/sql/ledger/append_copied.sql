-- Purpose: append copied entries to the ledger of a restored database as they were; the function chains the hashes.
-- Parameters: times, kinds, cases (uuid or null each), payloads, of equal length, at least one.
-- Grain: one row, the last entry: its sequence number and hash, which cover those before it.
-- Idempotency: none; the caller begins after the last entry that is there.
SELECT
    appended.seq,
    appended.hash
FROM
    gov.append_to_ledger(
        cast(:times AS timestamptz[]), cast(:kinds AS text[]), cast(:cases AS uuid[]), cast(:payloads AS text[])
    ) AS appended
