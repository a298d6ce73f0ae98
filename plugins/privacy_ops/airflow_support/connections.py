"""The configured connections as plain records without secrets, for the transfer inventory.

A task can ask for a connection by its id and cannot list those in Airflow's database. So: the ones of the environment
by their names, and the database's through Airflow's REST API when the connection ``privacy_ops_airflow_api`` (type
http; host, port, login, password of a reader) exists.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

from privacy_ops.transfers.observers import ConnectionFact

API_CONNECTION = "privacy_ops_airflow_api"
ENVIRONMENT_ONLY = (
    "only connections of the environment were listed; those in Airflow's database need the connection " + API_CONNECTION
)
_PREFIX = "AIRFLOW_CONN_"
_PAGE = 100


def _fact(connection: Any, conn_id: str) -> ConnectionFact:
    """Id, type and address. Object stores and the like keep their address in the extra field."""
    extra = connection.extra_dejson or {}
    host = connection.host or extra.get("endpoint_url") or extra.get("host")
    return ConnectionFact(conn_id, str(connection.conn_type), host)


def _of_environment() -> dict[str, ConnectionFact]:
    ids = sorted(name.removeprefix(_PREFIX).lower() for name in os.environ if name.startswith(_PREFIX))
    return {conn_id: _fact(Connection.get(conn_id), conn_id) for conn_id in ids}


def _of_database(api: Any) -> dict[str, ConnectionFact]:
    """Every connection that the REST API lists, page by page."""
    scheme = api.schema or "http"
    base = f"{scheme}://{api.host}:{api.port or 8080}"

    def call(path: str, *, token: str = "", body: dict[str, str] | None = None) -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(  # noqa: S310 - the address is an administrator's
            base + path, data=json.dumps(body).encode() if body else None, headers=headers
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    token = call("/auth/token", body={"username": api.login or "", "password": api.password or ""})["access_token"]
    found: dict[str, ConnectionFact] = {}
    while True:
        page = call(f"/api/v2/connections?limit={_PAGE}&offset={len(found)}", token=token)
        for entry in page["connections"]:
            name = entry["connection_id"]
            found[name] = ConnectionFact(name, str(entry["conn_type"]), entry.get("host"))
        if len(found) >= page["total_entries"] or not page["connections"]:
            return found


def configured_connections() -> tuple[list[ConnectionFact] | None, str]:
    """All that can be listed, and what cannot. (None, reason) when listing failed: never a short list in silence."""
    try:
        listed = _of_environment()
        try:
            api = Connection.get(API_CONNECTION)
        except (AirflowNotFoundException, AirflowRuntimeError):
            return list(listed.values()), ENVIRONMENT_ONLY
        return list((_of_database(api) | listed).values()), ""
    except (AirflowNotFoundException, AirflowRuntimeError, urllib.error.URLError, OSError, ValueError, KeyError):
        return None, ""
