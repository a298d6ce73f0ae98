#!/usr/bin/env bash
# Runs once, when the bundled PostgreSQL starts empty: one database for Airflow, one for the publisher.
# The roles of the duties come from `python -m privacy_ops roles apply`.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -v password="$AIRFLOW_DB_PASSWORD" --username postgres <<'SQL'
CREATE ROLE airflow LOGIN PASSWORD :'password';
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE publisher;
SQL
