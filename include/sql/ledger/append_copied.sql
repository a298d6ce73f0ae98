-- Purpose: append copied entries to the ledger of a restored database as they were; the function chains the hashes.
-- Parameters: times, kinds, cases (uuid or null each), payloads, of equal length.
-- Grain: one row per entry. Idempotency: none; the caller begins after the last entry that is there.
SELECT
    appended.seq,
    appended.hash
FROM
    unnest(
        cast(:times AS TIMESTAMPTZ[]), cast(:kinds AS TEXT[]), cast(:cases AS UUID[]), cast(:payloads AS TEXT[])
    ) WITH ORDINALITY AS entry (made_at, kind, case_id, payload, place),
    gov.append_to_ledger(entry.made_at, entry.kind, entry.case_id, entry.payload) AS appended
ORDER BY entry.place
