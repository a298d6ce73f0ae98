"""Settings of a task: addresses and passwords from Airflow connections, the rest from the environment."""

from __future__ import annotations

from dataclasses import replace

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError
from sqlalchemy import URL

from privacy_ops import settings as base
from privacy_ops.errors import ConfigError
from privacy_ops.settings import MailSettings, ObjectSettings, Settings
from privacy_ops.workspace import Workspace


def _connection(conn_id: str) -> Connection:
    try:
        return Connection.get(conn_id)
    except (AirflowNotFoundException, AirflowRuntimeError):
        raise ConfigError(
            f"there is no Airflow connection {conn_id}",
            where="Admin → Connections, AIRFLOW_CONN_… or the secrets backend",
            do="create it; docs/operations.md lists what each one needs",
        ) from None


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
        base.from_environment(),
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
