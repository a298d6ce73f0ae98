"""The configured connections as plain records without secrets, for the transfer inventory.

A task can ask for a connection by its id and cannot list those in Airflow's database. So: the ones of the environment
by their names, and the database's through Airflow's REST API when the connection ``privacy_ops_airflow_api`` (type
http; host, port, login, password of a reader) exists.
"""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

from privacy_ops.transfers.observers import ConnectionFact
from privacy_ops.transfers.observers.hosts import hosts_in

API_CONNECTION = "privacy_ops_airflow_api"
ENVIRONMENT_ONLY = (
    "only connections of the environment were listed; those in Airflow's database need the connection " + API_CONNECTION
)
_PREFIX = "AIRFLOW_CONN_"
# Words of keys in extra fields whose values are addresses: endpoint_url, bootstrap.servers, proxyHost.
_HOST_WORDS = frozenset({
    "host", "hosts", "hostname", "server", "servers", "endpoint", "url", "uri", "proxy", "proxies", "address", "broker",
    "brokers", "http", "https", "conninfo", "dsn",
})  # fmt: skip
_NEVER = frozenset({"key", "password", "secret", "token", "schema", "scheme", "login", "user"})
_WORDS = re.compile(r"[^a-z]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_URL = re.compile(r"(jdbc:)?[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PAGE = 100


def fact(conn_id: str, conn_type: str, host: str | None, extra: Any) -> ConnectionFact:
    """Id, type and the names of all hosts, also those in the extra field. Login, password and the rest stay here."""
    named = [*_names(host or ""), *(name for text in addresses(extra) for name in _names(text))]
    return ConnectionFact(conn_id, conn_type, named[0] if named else None, tuple(named[1:]))


def _names(text: str) -> tuple[str, ...]:
    found = hosts_in(text)
    # What holds no readable host is handed on as what it is, not as what it says.
    return found.names + (("${unread}",) if found.unread else ())


def addresses(extra: Any, key: str = "") -> Iterator[str]:
    """Texts of an extra field that lead somewhere: values of keys that name hosts, and every URL."""
    if isinstance(extra, Mapping):
        for name, value in extra.items():
            yield from addresses(value, _CAMEL.sub("_", str(name)).lower())
    elif isinstance(extra, (list, tuple)):
        for value in extra:
            yield from addresses(value, key)
    elif isinstance(extra, str) and extra.strip():
        words = _WORDS.split(key.rsplit("__", 1)[-1])
        if _URL.match(extra.strip()) or (_HOST_WORDS.intersection(words) and not _NEVER.intersection(words)):
            yield extra


def _of_environment() -> dict[str, ConnectionFact]:
    ids = sorted(name.removeprefix(_PREFIX).lower() for name in os.environ if name.startswith(_PREFIX))
    found = {}
    for conn_id in ids:
        one = Connection.get(conn_id)
        found[conn_id] = fact(conn_id, str(one.conn_type), one.host, one.extra_dejson)
    return found


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
            found[name] = fact(name, str(entry["conn_type"]), entry.get("host"), _extra(entry.get("extra")))
        if len(found) >= page["total_entries"] or not page["connections"]:
            return found


def _extra(text: Any) -> Any:
    """The extra field as the API tells it: JSON, whose secrets it has masked. One that is no JSON is read as a text."""
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return {"url": text}


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
