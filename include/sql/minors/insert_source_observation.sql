-- Purpose: record what one run saw in one source of evidence.
-- Parameters: one per column. Grain: run and source. Idempotency: a retry writes what it saw last.
INSERT INTO gov.source_observation (
    run_id, source, observed_at, dry_run, rows, nulls, parsed, placeholders, peak_default_rows, daily_median,
    over_represented, newest_row_at, verdict
) VALUES (
    :run_id, :source, :at, :dry_run, :rows, :nulls, :parsed, :placeholders, :peak, :daily_median,
    CAST(CAST(:over_represented AS text[]) AS date[]), :newest_row_at, :verdict
)
ON CONFLICT (run_id, source) DO UPDATE SET
    observed_at = excluded.observed_at,
    rows = excluded.rows,
    nulls = excluded.nulls,
    parsed = excluded.parsed,
    placeholders = excluded.placeholders,
    peak_default_rows = excluded.peak_default_rows,
    daily_median = excluded.daily_median,
    over_represented = excluded.over_represented,
    newest_row_at = excluded.newest_row_at,
    verdict = excluded.verdict
