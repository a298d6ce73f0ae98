-- Purpose: append entries of one moment and kind to the erasure ledger in the order given; the function chains hashes.
-- Parameters: at, kind, cases (uuid or null each), payloads (canonical JSON each), of equal length, at least one.
-- Grain: one row, the last entry: its sequence number and hash, which cover those before it.
-- Idempotency: none; the caller appends inside the transaction of what it records.
SELECT
    appended.seq,
    appended.hash
FROM
    gov.append_to_ledger(
        array_fill(cast(:at AS timestamptz), ARRAY[cardinality(cast(:payloads AS text[]))]),
        array_fill(cast(:kind AS text), ARRAY[cardinality(cast(:payloads AS text[]))]),
        cast(:cases AS uuid[]),
        cast(:payloads AS text[])
    ) AS appended
