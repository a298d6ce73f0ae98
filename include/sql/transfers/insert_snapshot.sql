-- Purpose: opens the snapshot of a run.
-- Parameters: :run_id, :basis, :taken_at, :judged_on, :known_on, :reference_version, :reference_sha256, :reviewed_on,
--   :registry_sha256, :map_sha256, :observers (JSON), :geoip (JSON or NULL),
--   :source (snapshot whose flows are judged again, or NULL), :declared_at (instant of the registry, NULL: today's).
-- Grain: one snapshot per run.
-- Idempotency: an observation repeated before publication replaces what it wrote; afterwards it returns no row.
INSERT INTO gov.inventory_snapshot (
    run_id, basis, taken_at, judged_on, known_on, reference_version, reference_sha256, reference_reviewed_on,
    registry_sha256, map_sha256, observers, geoip,
    source_snapshot_id, declared_at
)
VALUES (
    :run_id, :basis, :taken_at, :judged_on, :known_on, :reference_version, :reference_sha256, :reviewed_on,
    :registry_sha256, :map_sha256, CAST(:observers AS jsonb), CAST(:geoip AS jsonb),
    :source, :declared_at
)
ON CONFLICT (run_id) DO UPDATE
    SET
        basis = excluded.basis,
        judged_on = excluded.judged_on,
        known_on = excluded.known_on,
        reference_version = excluded.reference_version,
        reference_sha256 = excluded.reference_sha256,
        reference_reviewed_on = excluded.reference_reviewed_on,
        registry_sha256 = excluded.registry_sha256,
        map_sha256 = excluded.map_sha256,
        observers = excluded.observers,
        geoip = excluded.geoip,
        source_snapshot_id = excluded.source_snapshot_id,
        declared_at = excluded.declared_at,
        findings = NULL,
        inventory_sha256 = NULL,
        findings_sha256 = NULL,
        outputs_sha256 = NULL,
        compared_with = NULL,
        secrets_in_outputs = NULL,
        findings_published_at = NULL
    WHERE inventory_snapshot.published_at IS NULL
RETURNING snapshot_id
