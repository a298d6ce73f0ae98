"""Tells operators through Airflow's notifiers: a failure, a gate that blocks, a question that waits.

``OperatorNotifier`` is the callback of every DAG (``jobs.DEFAULT_ARGS``). It notes a row and tells the channels that
are configured: mail by ``SmtpNotifier`` (connection ``privacy_ops_smtp`` and PRIVACY_OPS_ALERT_MAIL), chat by
``WebhookNotifier`` (connection ``privacy_ops_webhook``). It never fails a run and logs no text of an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import httpx
from airflow.sdk import BaseNotifier

from privacy_ops.airflow_support.settings import connection_or_none, settings_for
from privacy_ops.errors import ConfigError, GateBlocked, StoreRefused, StoreUnavailable
from privacy_ops.operations import alerts
from privacy_ops.operations.alerts import Alert, Channel, Kind
from privacy_ops.operations.messages import Addresses, Message
from privacy_ops.settings import Settings
from privacy_ops.workspace import Workspace

MAIL_CONNECTION = "privacy_ops_smtp"
WEBHOOK_CONNECTION = "privacy_ops_webhook"
_TIMEOUT_SECONDS = 20
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


class WebhookNotifier(BaseNotifier):
    """Posts ``{"text": …}`` to a connection of type http, as Slack, Mattermost, Rocket.Chat and Zulip's bridge take it.

    The connection: schema, host, port; extra ``path``, in which ``{password}`` is replaced for services whose address
    is the secret. A password that is not in the path goes along as a bearer token. Without TLS only on this machine.
    """

    template_fields = ("text",)

    def __init__(self, text: str, conn_id: str = WEBHOOK_CONNECTION, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.text, self.conn_id = text, conn_id

    def notify(self, context: Any) -> None:  # noqa: ARG002 - the text says everything
        """Post. Raises ConfigError, StoreRefused, StoreUnavailable, none of which quotes the address."""
        connection = connection_or_none(self.conn_id)
        if connection is None:
            raise ConfigError(f"there is no Airflow connection {self.conn_id}", do="docs/operations.md says how")
        try:
            address, headers = self._address(connection)
            answer = httpx.post(address, json={"text": self.text}, headers=headers, timeout=_TIMEOUT_SECONDS)
        except httpx.HTTPError as error:
            raise StoreUnavailable(f"the webhook cannot be reached ({type(error).__name__})") from None
        except (httpx.InvalidURL, ValueError):  # their words quote the address
            raise ConfigError("the webhook's address cannot be read", where=self.conn_id, do="correct it") from None
        if answer.is_client_error:
            raise StoreRefused(f"the webhook refused ({answer.status_code})", do="correct its address or token")
        if not answer.is_success:
            raise StoreUnavailable(f"the webhook answered {answer.status_code}")

    @staticmethod
    def _address(connection: Any) -> tuple[str, dict[str, str]]:
        host = connection.host or ""
        named = urlsplit(host if "://" in host else f"{connection.schema or 'https'}://{host}")
        if named.scheme != "https" and named.hostname not in _HERE:
            raise ConfigError("a message would leave this machine without TLS", do="use https in the connection")
        port = f":{connection.port}" if connection.port and not named.port else ""
        secret = connection.password or ""
        path = (connection.extra_dejson.get("path") or named.path or "/").lstrip("/")
        headers = {}
        if "{password}" in path:
            path = path.replace("{password}", quote(secret, safe="/"))
        elif secret:
            headers["Authorization"] = f"Bearer {secret}"
        return f"{named.scheme}://{named.netloc}{port}/{path}", headers


def channels(settings: Settings) -> dict[str, Channel]:
    """What is configured to take messages, by name; empty when nothing is."""
    found: dict[str, Channel] = {}
    if settings.alert_mail and connection_or_none(MAIL_CONNECTION) is not None:
        found["mail"] = partial(_mail, settings.alert_mail)
    if connection_or_none(WEBHOOK_CONNECTION) is not None:
        found["webhook"] = _webhook
    return found


def _mail(people: tuple[str, ...], message: Message) -> None:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    # Called past the template engine: a message is finished, whatever braces stand in a name.
    SmtpNotifier(
        to=list(people), subject=message.subject, html_content=message.as_html, smtp_conn_id=MAIL_CONNECTION
    ).notify({})


def _webhook(message: Message) -> None:
    WebhookNotifier(message.text).notify({})


def addresses(settings: Settings) -> Addresses:
    """Where a message's links lead."""
    from airflow.sdk.configuration import conf

    return Addresses(conf.get("api", "base_url", fallback="").rstrip("/"), settings.runbooks_url)


def tell(workspace: Workspace, *, now: datetime) -> Mapping[str, int]:
    """Send every configured channel what it has not been told. ``channels`` 0 says that there is none."""
    found = channels(workspace.settings)
    return {"channels": len(found)} | alerts.tell(workspace, found, addresses(workspace.settings), now=now)


class OperatorNotifier(BaseNotifier):
    """Notes what happened to a task and tells operators. ``kind``: "failure" (also finds out whether a gate blocked)
    or "approval_waiting"."""

    template_fields = ()

    def __init__(self, kind: Literal["failure", "approval_waiting"] = "failure", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def __call__(self, *args: Any) -> None:
        """Past the template engine, which has nothing to render here and whose errors would fail a question's task."""
        self.notify(args[0])

    def notify(self, context: Any) -> None:
        """Never raises: a message that cannot be sent must not change what became of the run."""
        try:
            now = datetime.now(UTC)
            workspace = Workspace.load(settings_for(alerts.DUTY))
            with workspace.database(alerts.DUTY).transaction() as connection:
                alerts.note(connection, self._alert(context), at=now, limits=workspace.thresholds.alerts)
            told = tell(workspace, now=now)
            self.log.info("Operators: %s message(s), %s channel(s).", told["messages"], told["channels"])
        except Exception as error:  # noqa: BLE001 - see above
            self.log.warning("Operators were not told (%s).", type(error).__name__)

    def _alert(self, context: Any) -> Alert:
        error = context.get("exception")
        task = context.get("task") or context.get("ti")
        dag_id = context["dag"].dag_id
        kind: Kind = "gate_blocked" if isinstance(error, GateBlocked) and self.kind == "failure" else self.kind
        return Alert(
            kind,
            dag_id,
            f"{dag_id}/{context['run_id']}",
            task=str(getattr(task, "task_id", "")),
            gate_result_id=getattr(error, "gate_result_id", None),
            # The class alone: a message could quote what was in the way.
            codes=(type(error).__name__,) if isinstance(error, BaseException) else (),
        )
