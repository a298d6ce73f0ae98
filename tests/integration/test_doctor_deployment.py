"""`doctor` on a real deployment: quiet where it is sound, and it sees what is broken for real."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from privacy_ops.operations import deployment, doctor
from privacy_ops.settings import Settings
from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.transfers import inventory
from privacy_ops.workspace import Workspace
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from sandbox.publisher import geoip

NOW = datetime.now(UTC)


def problems(settings: Settings) -> dict[tuple[str, str], str]:
    found = deployment.look(settings, now=datetime.now(UTC), with_airflow=False)
    return {(p.check, p.where): p.what for p in doctor.examine(found) if p.must}


@pytest.fixture
def sound(settings: Settings, tmp_path: Path) -> Settings:
    """An empty publisher with fresh reference data and GeoIP, watched a moment ago, and with somebody to tell."""
    made = Workspace.load(settings)
    with made.database("inventory").transaction() as connection:
        sha256 = inventory.load_reference(settings.include).sha256
        inventory.record_review(connection, reviewer="lena", reviewed_at=NOW, reference_sha256=sha256)
    with made.database("operate").transaction() as connection:
        connection.exec_driver_sql(
            "INSERT INTO gov.run (run_id, dag_id, as_of, run_type, dry_run, code_version, thresholds_sha256,"
            " map_sha256, tzdata_version)"
            " VALUES ('watchkeeper/1', 'watchkeeper', now(), 'scheduled', false, '1', '', '', '')"
        )
    store = ObjectStore(settings.objects)
    for bucket in store.buckets():
        store.client.put_bucket_encryption(
            Bucket=bucket,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
        )
    database = geoip.write(tmp_path / "geoip.mmdb", NOW - timedelta(days=29))
    return replace(settings, alert_mail=("operators@example.org",), geoip=database)


def test_a_deployment_set_up_as_the_docs_say_has_nothing_to_mend(sound: Settings) -> None:
    assert problems(sound) == {}


def test_what_is_broken_for_real_is_seen(sound: Settings, cluster: Any) -> None:
    url = make_url(sound.dsn("migrate"))
    admin = Database(cluster.dsn(url.database or ""))
    with admin.transaction() as connection:
        connection.exec_driver_sql("REVOKE SELECT (dob_raw) ON core.user_profile FROM privacy_detect")
        connection.exec_driver_sql("GRANT DELETE ON core.user_account TO privacy_export")
        connection.exec_driver_sql("UPDATE gov.schema_version SET version_num = '0013_periods'")
    store = ObjectStore(sound.objects)
    store.client.delete_bucket(Bucket=sound.staging_bucket)
    store.client.put_bucket_versioning(Bucket=sound.exports_bucket, VersioningConfiguration={"Status": "Suspended"})
    broken = replace(sound, dsns={**sound.dsns, "notify": "postgresql+psycopg://x:y@127.0.0.1:1/z"}, alert_mail=())

    found = problems(broken)

    assert set(found) == {
        ("databases", "duty notify"),
        ("rights", "role privacy_detect"),
        ("rights", "role privacy_export"),
        ("governance", "the publisher's database"),
        ("buckets", sound.staging_bucket),
        ("buckets", sound.exports_bucket),
        ("notifications", "Airflow connections"),
    }
    assert "SELECT core.user_profile.dob_raw" in found["rights", "role privacy_detect"]
    assert "DELETE core.user_account" in found["rights", "role privacy_export"]


@pytest.mark.parametrize(
    ("age", "said"), [(timedelta(days=31), "older than 30 days"), (None, "no GeoIP database is configured")]
)
def test_a_geoip_database_that_the_inventory_would_refuse_is_named_with_what_to_do(
    sound: Settings, tmp_path: Path, age: timedelta | None, said: str
) -> None:
    found = replace(sound, geoip=geoip.write(tmp_path / "old.mmdb", NOW - age) if age else None)
    (problem,) = [p for p in doctor.examine(deployment.look(found, now=NOW, with_airflow=False)) if p.must]
    assert problem.check == "geoip"
    assert said in problem.what
    assert "PRIVACY_OPS_GEOIP" in problem.do


def test_the_command_ends_with_1_and_says_it_as_json_too(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from privacy_ops import settings as configuration
    from privacy_ops.cli import app

    monkeypatch.setattr(configuration, "from_environment", lambda: sound)
    good = CliRunner().invoke(app, ["doctor", "--no-airflow"])
    assert good.exit_code == 0, good.output
    assert f"{len(doctor.CHECKS)} checks, 0 to mend" in good.output
    monkeypatch.setattr(configuration, "from_environment", lambda: replace(sound, alert_mail=()))
    bad = CliRunner().invoke(app, ["doctor", "--no-airflow", "--json"])
    assert bad.exit_code == 1
    (only,) = [p for p in json.loads(bad.output)["problems"] if p["must"]]
    assert only["check"] == "notifications"
