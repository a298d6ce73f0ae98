-- Purpose: the seven London days of the window, so that no step needs a time-zone function.
-- Parameters: none; rows follow by insert_usage_day.
-- Grain: one row per day.
-- Idempotency: temporary, made anew in each transaction.
CREATE TEMPORARY TABLE usage_day (
    day date NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL
)
