"""The button on a gate's task that opens its report."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from airflow.sdk import BaseOperatorLink

XCOM_KEY = "gate_result_id"


def root_path() -> str:
    """Path below which Airflow is served: "" at the root of a host."""
    from airflow.configuration import conf

    return str(urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/"))


class GateReportLink(BaseOperatorLink):
    """Leads to the report of the verdict that the task pushed. Registered for all tasks: others show no button.

    It runs in the API server, so it reads the pushed id as Airflow's own stored links do.
    """

    name = "Gate report"
    xcom_key = XCOM_KEY

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        from airflow.serialization.definitions.operatorlink import XComOperatorLink

        pushed = XComOperatorLink(name=self.name, xcom_key=self.xcom_key).get_link(operator, ti_key=ti_key)
        if not str(pushed).isdecimal():
            return ""
        return f"{root_path()}/privacy/gates/{int(pushed)}"
