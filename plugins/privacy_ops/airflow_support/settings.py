"""Settings of a task: addresses and passwords from Airflow connections, keys from the environment or from Variables.

Airflow asks its configured secrets backend for connections and Variables first, then the environment
(AIRFLOW_CONN_…, AIRFLOW_VAR_…), then its own database.
"""

from __future__ import annotations

import os
from dataclasses import replace

from airflow.sdk import Connection, Variable
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError
from airflow.sdk.log import mask_secret
from sqlalchemy import URL

from privacy_ops import settings as base
from privacy_ops.errors import ConfigError
from privacy_ops.settings import KeyRing, MailSettings, ObjectSettings, Settings, parse_keys
from privacy_ops.workspace import Workspace

# Variables by the setting that they stand in for. Their names hold a word by which Airflow hides their values.
HMAC_KEYS_VARIABLE = "privacy_ops_hmac_keys_secret"
SIGNING_KEY_VARIABLE = "privacy_ops_signing_private_key"
TRUSTED_KEYS_VARIABLE = "privacy_ops_trusted_keys"


def connection_or_none(conn_id: str) -> Connection | None:
    """The connection of this id from wherever Airflow keeps it, or None."""
    try:
        return Connection.get(conn_id)
    except (AirflowNotFoundException, AirflowRuntimeError):
        return None


def _connection(conn_id: str) -> Connection:
    found = connection_or_none(conn_id)
    if found is None:
        raise ConfigError(
            f"there is no Airflow connection {conn_id}",
            where="Admin → Connections, AIRFLOW_CONN_… or the secrets backend",
            do="create it; docs/operations.md lists what each one needs",
        )
    return found


def _variable(name: str) -> str | None:
    try:
        found: str | None = Variable.get(name, default=None)
    except AirflowRuntimeError:
        return None
    return found


def with_keys(settings: Settings) -> Settings:
    """The same settings with the keys that the environment does not name taken from Airflow Variables.

    Whatever their source, the values are hidden in task logs from here on. Raises ConfigError for a Variable that
    cannot be read as keys.
    """
    ring = settings.keys
    hmac, current, pem, trusted = ring.hmac, ring.current, ring.signing_key_pem, ring.trusted_keys_pem
    if not hmac and (found := _variable(HMAC_KEYS_VARIABLE)):
        hmac, current = parse_keys(found, where=f"Variable {HMAC_KEYS_VARIABLE}")
    if pem is None and (found := _variable(SIGNING_KEY_VARIABLE)):
        pem = found.encode()
        trusted = trusted or (_variable(TRUSTED_KEYS_VARIABLE) or "").encode()
    for keys in hmac.values():
        for value in keys.values():
            mask_secret(value.hex())
    for line in (pem or b"").decode(errors="ignore").splitlines():
        if not line.startswith("-----"):
            mask_secret(line)
    return replace(settings, keys=KeyRing(hmac, current, pem, trusted))


def command_environment() -> dict[str, str]:
    """PRIVACY_OPS_* of the command line, from Airflow's connections and Variables; the environment's own come first.

    Holds secrets: for the environment of this process alone.
    """
    found: dict[str, str] = {}
    for duty in base.DUTIES:
        if connection_or_none(f"privacy_ops_{duty}") is not None:
            found[f"PRIVACY_OPS_DSN_{duty.upper()}"] = database_url(f"privacy_ops_{duty}")
    if connection_or_none("privacy_ops_objects") is not None:
        store = object_settings("privacy_ops_objects")
        named = {
            "ENDPOINT": store.endpoint_url, "ACCESS_KEY": store.access_key, "SECRET_KEY": store.secret_key,
            "REGION": store.region, "LINK_URL": store.link_url,
        }  # fmt: skip
        found |= {f"PRIVACY_OPS_S3_{name}": value for name, value in named.items() if value}
    if keys := _variable(HMAC_KEYS_VARIABLE):
        found["PRIVACY_OPS_HMAC_KEYS"] = keys
    if pem := _variable(SIGNING_KEY_VARIABLE):
        found["PRIVACY_OPS_SIGNING_KEY"] = pem
    return found | {name: value for name, value in os.environ.items() if name.startswith("PRIVACY_OPS_")}


def database_url(conn_id: str) -> str:
    """SQLAlchemy URL of a connection (host, port, login, password, schema = database). Holds a secret."""
    found = _connection(conn_id)
    url = URL.create(
        "postgresql+psycopg", found.login, found.password, found.host, found.port or 5432, found.schema or ""
    )
    return url.render_as_string(hide_password=False)


def object_settings(conn_id: str) -> ObjectSettings:
    """Object store of a connection: login and password are the keys; endpoint_url, region_name, link_url in extra."""
    found = _connection(conn_id)
    extra = found.extra_dejson
    return ObjectSettings(
        endpoint_url=extra.get("endpoint_url") or None,
        access_key=found.login,
        secret_key=found.password,
        region=extra.get("region_name") or "eu-west-2",
        link_url=extra.get("link_url") or None,
    )


def mail_settings(conn_id: str = "privacy_ops_smtp") -> MailSettings:
    """Mail server of a connection of type smtp: its ``from_email`` and ``disable_tls`` stand in the extra field."""
    found = _connection(conn_id)
    extra = found.extra_dejson
    return MailSettings(
        host=found.host or "localhost",
        port=found.port or 587,
        user=found.login or None,
        password=found.password or None,
        sender=extra.get("from_email") or "",
        tls=str(extra.get("disable_tls", False)).lower() not in {"true", "1"},
    )


def settings_for(*duties: str) -> Settings:
    """Settings that reach the databases of these duties only, and the object store."""
    return replace(
        with_keys(base.from_environment()),
        dsns={duty: database_url(f"privacy_ops_{duty}") for duty in duties},
        objects=object_settings("privacy_ops_objects"),
    )


def with_mail(workspace: Workspace) -> Workspace:
    """The same workspace with the mail server of its connection, or without one when there is no such connection.

    Without one webhooks still go out; a mail is recorded as undeliverable.
    """
    try:
        mail = mail_settings()
    except ConfigError:
        return workspace
    return replace(workspace, settings=replace(workspace.settings, mail=mail))
