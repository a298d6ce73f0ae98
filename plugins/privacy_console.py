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
            "name": "Privacy gates",
            "href": "/privacy/gates",
            "destination": "nav",
            "url_route": "privacy-gates",
            "category": "browse",
        }
    ]
    global_operator_extra_links = [GateReportLink(), TransferReportLink()]  # noqa: RUF012
