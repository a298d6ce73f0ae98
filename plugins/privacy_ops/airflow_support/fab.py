"""Airflow's FAB auth manager, but that answering a DAG's questions does not take the right to pause it.

AIRFLOW__CORE__AUTH_MANAGER=privacy_ops.airflow_support.fab.PrivacyAuthManager

Whom FAB lets answer a DAG's required actions ("can edit on HITL Detail" and on the DAG), it also lets pause that DAG:
who decides about cases could stop the nightly deletion. Here changing a DAG itself (in Airflow 3.3.2: to
pause it, and to clear the asset events that wait for it) takes "can edit on DAGs", the right on all of them, which
reviewers and leads do not hold (``access.py``). Everything below a DAG is decided as FAB decides it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
from airflow.providers.fab.www.security.permissions import RESOURCE_DAG

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
    from airflow.providers.fab.auth_manager.models import User


class PrivacyAuthManager(FabAuthManager):
    """FAB with one right kept apart."""

    def is_authorized_dag(
        self,
        *,
        method: ResourceMethod,
        user: User,
        access_entity: DagAccessEntity | None = None,
        details: DagDetails | None = None,
    ) -> bool:
        """As FAB says; to change a DAG itself also the right to change all of them."""
        if access_entity is None and method != "GET":
            whole = self._is_authorized(method=method, resource_type=RESOURCE_DAG, user=user)
            if not whole:
                return False
        return bool(super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details))
