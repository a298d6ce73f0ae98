"""The report of an inventory inside Airflow: who reads it, and only what was published."""

from __future__ import annotations

from uuid import uuid4

import pytest
from fastapi import FastAPI
from privacy_ops.stores.database import Database
from sqlalchemy import text

from tests.dags.test_console import client, database, governed, server  # noqa: F401 - fixtures

REPORT = "<!doctype html><p>where personal data go</p>"


@pytest.fixture
def snapshot(database: Database) -> int:  # noqa: F811
    """A published inventory with its two pages, and one that no gate let through."""
    with database.transaction() as connection:
        made = []
        for number in (1, 2):
            made += connection.execute(
                text(
                    "INSERT INTO gov.inventory_snapshot (run_id, basis, taken_at, judged_on, known_on,"
                    " reference_version, reference_sha256, reference_reviewed_on, registry_sha256, map_sha256,"
                    " observers) VALUES (:run, 'observed', now(), now(), now(), '1', '', now(), '', '', '[]')"
                    " RETURNING snapshot_id"
                ),
                {"run": f"run-{number}-{uuid4()}"},
            ).scalars()
            for name in ("report.html", "art30.html", "inventory.csv"):
                connection.execute(
                    text(
                        "INSERT INTO gov.inventory_output (snapshot_id, name, media_type, sha256, body)"
                        " VALUES (:s, :name, 'text/html', '', :body)"
                    ),
                    {"s": made[-1], "name": name, "body": REPORT.encode()},
                )
        connection.execute(
            text("UPDATE gov.inventory_snapshot SET published_at = now() WHERE snapshot_id = :s"), {"s": made[0]}
        )
    return int(made[0])


@pytest.mark.parametrize("name", ["report.html", "art30.html"])
def test_a_viewer_reads_the_page_as_it_was_judged(server: FastAPI, snapshot: int, name: str) -> None:  # noqa: F811
    answer = client(server).get(f"/privacy/transfers/{snapshot}/{name}")

    assert (answer.status_code, answer.text) == (200, REPORT)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_nobody_reads_it_without_signing_in(server: FastAPI, snapshot: int) -> None:  # noqa: F811
    answer = client(server, None).get(f"/privacy/transfers/{snapshot}/report.html")

    assert answer.status_code == 401
    assert "personal data" not in answer.text


def test_nothing_is_served_that_was_not_published_or_is_no_page(server: FastAPI, snapshot: int) -> None:  # noqa: F811
    for path in (f"{snapshot + 1}/report.html", "999999/report.html", f"{snapshot}/inventory.csv", "x/report.html"):
        assert client(server).get(f"/privacy/transfers/{path}").status_code == 404
