-- Purpose: what the registry says of each transfer mechanism.
-- Parameters: :rows (JSON array), :registry_sha256.
-- Grain: one transfer mechanism.
-- Idempotency: the same registry changes nothing.
INSERT INTO gov.transfer_mechanism (
    mechanism_id, code, parties, signed_on, ends_on, modules, beneath, assessment, registry_sha256, withdrawn
)
SELECT
    r.mechanism_id,
    r.code,
    r.parties,
    r.signed_on,
    r.ends_on,
    r.modules,
    r.beneath,
    r.assessment,
    :registry_sha256,
    false AS withdrawn
FROM
    jsonb_to_recordset(cast(:rows AS jsonb))
        AS r (
            mechanism_id text,
            code text,
            parties text[],
            signed_on date,
            ends_on date,
            modules int[],
            beneath text,
            assessment jsonb
        )
ON CONFLICT (mechanism_id) DO UPDATE SET
    code = excluded.code,
    parties = excluded.parties,
    signed_on = excluded.signed_on,
    ends_on = excluded.ends_on,
    modules = excluded.modules,
    beneath = excluded.beneath,
    assessment = excluded.assessment,
    registry_sha256 = excluded.registry_sha256,
    withdrawn = false
