"""The buttons on tasks that open a report: of a gate, and of a transfer inventory."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from airflow.sdk import BaseOperatorLink

XCOM_KEY = "gate_result_id"
SNAPSHOT_KEY = "inventory_snapshot_id"


def root_path() -> str:
    """Path below which Airflow is served: "" at the root of a host."""
    from airflow.configuration import conf

    return str(urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/"))


def below_root(body: str) -> str:
    """A question's text with its links into Airflow (``](/…``) put below that path."""
    return body.replace("](/", f"]({root_path()}/")


def _pushed(name: str, key: str, operator: Any, ti_key: Any) -> str:
    """The number that a task pushed under ``key``, or "" when it pushed none.

    It runs in the API server, so it reads as Airflow's own stored links do.
    """
    from airflow.serialization.definitions.operatorlink import XComOperatorLink

    pushed = str(XComOperatorLink(name=name, xcom_key=key).get_link(operator, ti_key=ti_key))
    return str(int(pushed)) if pushed.isdecimal() else ""


class GateReportLink(BaseOperatorLink):
    """Leads to the report of the verdict that the task pushed. Registered for all tasks: others show no button."""

    name = "Gate report"
    xcom_key = XCOM_KEY

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        number = _pushed(self.name, self.xcom_key, operator, ti_key)
        return f"{root_path()}/privacy/gates/{number}" if number else ""


class TransferReportLink(BaseOperatorLink):
    """Leads to the report of the inventory that the task published."""

    name = "Transfer report"
    xcom_key = SNAPSHOT_KEY

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        number = _pushed(self.name, self.xcom_key, operator, ti_key)
        return f"{root_path()}/privacy/transfers/{number}/report.html" if number else ""
