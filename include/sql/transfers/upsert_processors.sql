-- Purpose: what the registry says of each processor.
-- Parameters: :rows (JSON array), :registry_sha256.
-- Grain: one processor.
-- Idempotency: the same registry changes nothing.
INSERT INTO gov.processor (
    processor_id, name, established, relationship, role, subject_to, dpf, registry_sha256, withdrawn
)
SELECT
    r.processor_id,
    r.name,
    r.established,
    r.relationship,
    r.role,
    r.subject_to,
    r.dpf,
    :registry_sha256,
    false AS withdrawn
FROM
    jsonb_to_recordset(cast(:rows AS jsonb))
        AS r (
            processor_id text,
            name text,
            established text,
            relationship text,
            role text,
            subject_to jsonb,
            dpf jsonb
        )
ON CONFLICT (processor_id) DO UPDATE SET
    name = excluded.name,
    established = excluded.established,
    relationship = excluded.relationship,
    role = excluded.role,
    subject_to = excluded.subject_to,
    dpf = excluded.dpf,
    registry_sha256 = excluded.registry_sha256,
    withdrawn = false
