-- Purpose: accesses and people by country, as a snapshot counted them.
-- Parameters: :snapshot_id, :rows (JSON array).
-- Grain: source, engagement, employer and country.
-- Idempotency: after delete_access_counts, the same rows.
INSERT INTO gov.access_by_country (snapshot_id, source, engagement, employer, country, n)
SELECT
    :snapshot_id,
    r.source,
    r.engagement,
    r.employer,
    r.country,
    r.n
FROM
    jsonb_to_recordset(cast(:rows AS jsonb))
        AS r (source text, engagement text, employer text, country text, n bigint)
