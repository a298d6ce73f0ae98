"""The Airflow plugin: pages below /privacy, their entry in the navigation, and the report buttons of tasks."""

from typing import Any

from airflow.plugins_manager import AirflowPlugin
from privacy_ops.airflow_support.links import GateReportLink, TransferReportLink


class LazyApp:
    """Builds the pages on the first request: every worker loads plugins, and only the API server serves them."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from privacy_ops.console.app import app

        await app(scope, receive, send)


class PrivacyConsole(AirflowPlugin):
    """Registers the console with Airflow."""

    name = "privacy_console"
    fastapi_apps = [{"app": LazyApp(), "url_prefix": "/privacy", "name": "Privacy operations"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Privacy",
            "href": "/privacy/",
            "destination": "nav",
            "url_route": "privacy",
            "category": "browse",
        },
        {
            "name": "Privacy releases",
            "href": "/privacy/releases",
            "destination": "nav",
            "url_route": "privacy-releases",
            "category": "browse",
        },
        {
            "name": "Privacy gates",
            "href": "/privacy/gates",
            "destination": "nav",
            "url_route": "privacy-gates",
            "category": "browse",
        },
        {
            "name": "Privacy",
            "href": "/privacy/dags/{DAG_ID}",
            "destination": "dag",
            "url_route": "privacy-dag",
        },
        {
            "name": "Privacy",
            "href": "/privacy/dags/{DAG_ID}/runs/{RUN_ID}",
            "destination": "dag_run",
            "url_route": "privacy-run",
        },
    ]
    global_operator_extra_links = [GateReportLink(), TransferReportLink()]  # noqa: RUF012
