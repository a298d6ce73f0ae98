-- Purpose: the server as the asking role sees it. Parameters: none. Grain: one row. Idempotency: reads only.
SELECT
    clock_timestamp() AS at,
    current_setting('server_version_num')::int AS version,
    current_setting('log_error_verbosity') AS log_error_verbosity,
    current_setting('log_min_error_statement') AS log_min_error_statement,
    current_setting('log_parameter_max_length_on_error') AS log_parameter_max_length_on_error,
    current_setting('server_encoding') AS encoding
