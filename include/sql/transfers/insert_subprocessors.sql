-- Purpose: one processor's list of sub-processors of one day.
-- Parameters: :rows (JSON array).
-- Grain: processor, day, sub-processor and country.
-- Idempotency: the same list again changes nothing.
INSERT INTO gov.subprocessor_listing (processor_id, listed_on, subprocessor, country, purpose, source)
SELECT
    r.processor_id,
    r.listed_on,
    r.subprocessor,
    r.country,
    r.purpose,
    r.source
FROM
    jsonb_to_recordset(cast(:rows AS jsonb)) AS r (
        processor_id text, listed_on date, subprocessor text, country text, purpose text, source text
    )
ON CONFLICT (processor_id, listed_on, subprocessor, country) DO NOTHING
