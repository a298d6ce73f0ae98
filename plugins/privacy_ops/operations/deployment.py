"""Gathers what ``doctor`` judges: databases duty by duty, object store, clocks, and Airflow in a process of its own.

Nothing is changed. What cannot be reached becomes a fact, never an exception.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import make_url

from privacy_ops import runs
from privacy_ops.datamap import grants
from privacy_ops.errors import ConfigError, PrivacyOpsError
from privacy_ops.operations.doctor import Bucket, Deployment
from privacy_ops.settings import DUTIES, Settings
from privacy_ops.stores import migrations
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.stores.sql import statement
from privacy_ops.transfers import inventory
from privacy_ops.transfers.geoip import GeoDatabase
from privacy_ops.workspace import Workspace

_AIRFLOW_PROGRAM = "privacy_ops.airflow_support.facts"
_AIRFLOW_SECONDS = 120


def look(settings: Settings, *, now: datetime, with_airflow: bool = True) -> Deployment:
    """Facts about the deployment that ``settings`` leads to. Raises ConfigError, DataMapError for its files."""
    workspace = Workspace.load(settings)
    facts: dict[str, Any] = {"now": now, "keys": settings.keys, "review_max_days":
                             workspace.thresholds.transfers.adequacy_reference_max_age_days}  # fmt: skip
    skew: dict[str, timedelta] = {}
    facts |= _databases(workspace, skew)
    facts |= _objects(workspace, skew)
    facts |= {"skew": skew, "tzdata": runs.tzdata_version(), "zone_known": _knows(workspace.thresholds.legal_timezone)}
    facts["geoip_fault"] = _geoip_fault(workspace, now)
    facts["dag_ids"] = (*workspace.thresholds.punctuality, "watchkeeper")
    if with_airflow:
        facts |= airflow_facts(settings)
    else:
        facts["airflow_fault"] = ""
        facts["channels"] = tuple(["mail"] if settings.alert_mail else [])
    return Deployment(**facts)


def _databases(workspace: Workspace, skew: dict[str, timedelta]) -> dict[str, Any]:
    unreachable: dict[str, str] = {}
    missing: dict[str, list[str]] = {}
    excess: dict[str, list[str]] = {}
    quiet: dict[str, Mapping[str, str]] = {}
    found: dict[str, Any] = {"gov_head": migrations.head()}
    passwords = {duty: make_url(dsn).password or "" for duty, dsn in workspace.settings.dsns.items()}
    for duty in DUTIES:
        try:
            with workspace.database(duty).transaction(read_only=True) as connection:
                server = connection.execute(statement("operations", "select_server")).one()
                lacking, extra = _rights(connection, workspace, duty)
        except PrivacyOpsError as error:
            unreachable[duty] = str(error)
            continue
        found |= {"server_version": server.version, "encoding": server.encoding}
        # One look is enough; the round trip is far below what is allowed.
        skew.setdefault("the database", server.at - datetime.now(UTC))
        quiet[duty] = {name: str(server._mapping[name]) for name in ("log_error_verbosity", "log_min_error_statement",
                                                                    "log_parameter_max_length_on_error")}  # fmt: skip
        if lacking:
            missing[duty] = lacking
        if extra:
            excess[duty] = extra
    found |= {
        "unreachable": unreachable, "missing_rights": missing, "excess_rights": excess, "server_settings": quiet,
        "passwords": passwords,
    }  # fmt: skip
    return found | _governance(workspace)


def _rights(connection: Any, workspace: Workspace, duty: str) -> tuple[list[str], list[str]]:
    """What the duty lacks of the map's rights, and what it has beyond them, as it says itself."""
    wanted = {_full(name): rights for name, rights in grants.rights(workspace.data_map, duty).items()}
    tables = [_full(name) for name in workspace.data_map.tables]
    lacking: set[str] = set()
    extra: set[str] = set()
    if duty == "migrate":  # owns gov; the publisher's owner may be the same
        return [], []
    for row in connection.execute(statement("operations", "select_rights"), {"tables": tables}):
        own = wanted.get(row.table_name, grants.Rights())
        column = f"{row.table_name}.{row.column_name}"
        for name, held, due in (
            (f"SELECT {column}", row.may_select, own.select is None or row.column_name in own.select),
            (f"UPDATE {column}", row.may_update, row.column_name in own.update),
            (f"DELETE {row.table_name}", row.may_delete, own.delete),
            (f"INSERT {row.table_name}", row.may_insert, own.insert),
        ):
            if due and not held:
                lacking.add(name)
            elif held and not due:
                extra.add(name)
    return sorted(lacking), sorted(extra)


def _full(name: str) -> str:
    return name if "." in name else f"public.{name}"


def _governance(workspace: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        found["gov_revision"] = migrations.current(workspace.settings.dsn("operate"))
    except PrivacyOpsError:
        return found
    try:
        with workspace.database("operate").transaction(read_only=True) as connection:
            rows = connection.execute(statement("operations", "select_last_runs")).all()
        found["last_runs"] = {row.dag_id: row.newest for row in rows}
        with workspace.database("inventory").transaction(read_only=True) as connection:
            sha256 = inventory.load_reference(workspace.settings.include).sha256
            found["reviewed_at"] = connection.execute(
                statement("transfers", "select_last_review"), {"sha256": sha256, "as_of": datetime.now(UTC)}
            ).scalar_one()
    except PrivacyOpsError:
        pass  # an older gov: said by its revision
    return found


def _geoip_fault(workspace: Workspace, now: datetime) -> tuple[str, str, str] | None:
    """What is wrong with the GeoIP database, judged as the inventory judges it when it opens it."""
    settings, limits = workspace.settings, workspace.thresholds.transfers
    try:
        reference = inventory.load_reference(settings.include)
        GeoDatabase.open(settings.geoip, reference, now=now, max_age_days=limits.geoip_max_age_days)
    except ConfigError as error:
        return error.what, error.where, error.do
    return None


def _objects(workspace: Workspace, skew: dict[str, timedelta]) -> dict[str, Any]:
    settings = workspace.settings
    store = ObjectStore(settings.objects)
    # Name: must it keep versions, must it lock.
    wanted = {
        settings.evidence_bucket: (True, True),
        settings.exports_bucket: (True, False),
        settings.staging_bucket: (False, False),
    }
    for entry in workspace.data_map.objects.values():
        wanted.setdefault(entry.bucket, (entry.versioned, entry.locked))
    try:
        there = set(store.buckets())
        skew["the object store"] = store.clock() - datetime.now(UTC)
    except PrivacyOpsError as error:
        return {"objects_fault": str(error)}
    found = []
    for name, (version, lock) in sorted(wanted.items()):
        if name not in there:
            found.append(Bucket(name, False, must_version=version, must_lock=lock))
            continue
        try:
            facts = store.facts(name)
            found.append(Bucket(name, True, facts.versioning, facts.object_lock, store.encrypts(name), version, lock))
        except PrivacyOpsError as error:
            return {"objects_fault": str(error)}
    return {"buckets": tuple(found)}


def _knows(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        return False
    return True


def airflow_facts(settings: Settings) -> dict[str, Any]:
    """Airflow's settings as it reads them itself; a process of its own, because this one knows no Airflow."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", _AIRFLOW_PROGRAM],
            capture_output=True,
            text=True,
            timeout=_AIRFLOW_SECONDS,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
        found = json.loads(last) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        found = None
    if not isinstance(found, dict):
        return {"airflow": None, "airflow_fault": "Airflow could not be asked for its settings"}
    channels = [name for name in ("mail", "webhook") if found.pop(f"channel_{name}", False)]
    if "mail" in channels and not settings.alert_mail:
        channels.remove("mail")
    return {"airflow": found, "channels": tuple(channels)}
