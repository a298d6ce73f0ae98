-- Purpose: one day of the window.
-- Parameters: day, starts_at, ends_at (aware).
-- Grain: one row.
-- Idempotency: none; usage_day is temporary.
INSERT INTO usage_day (day, starts_at, ends_at) VALUES (:day, :starts_at, :ends_at)
