#!/usr/bin/env bash
# Runs once, when the bundled PostgreSQL starts empty: one database for Airflow, one for the publisher.
# The roles of the duties come from `python -m privacy_ops roles apply`.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -v password="$AIRFLOW_DB_PASSWORD" -v reader="$AIRFLOW_READER_DB_PASSWORD" \
  --username postgres <<'SQL'
CREATE ROLE airflow LOGIN PASSWORD :'password';
CREATE ROLE airflow_reader LOGIN PASSWORD :'reader';
ALTER ROLE airflow_reader SET default_transaction_read_only = on;
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE publisher;
REVOKE ALL ON DATABASE airflow FROM PUBLIC;
GRANT CONNECT ON DATABASE airflow TO airflow_reader;
\connect airflow
-- Looks for people in what Airflow keeps of itself, also in the tables of a later version.
ALTER DEFAULT PRIVILEGES FOR ROLE airflow GRANT SELECT ON TABLES TO airflow_reader;
SQL
