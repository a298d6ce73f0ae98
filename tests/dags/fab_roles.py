"""Run as a program: FAB's tables in a file, the roles applied twice, and what the auth manager then lets each do.

Prints JSON: {"roles": {name: permissions}, "allowed": {role: {question: bool}}}.
"""

from __future__ import annotations

import json

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from privacy_ops.airflow_support import access
from privacy_ops.airflow_support.fab import PrivacyAuthManager

with get_application_builder() as builder:
    from airflow.providers.fab.auth_manager.models import Model
    from airflow.settings import engine

    Model.metadata.create_all(engine)

access.apply()
with get_application_builder() as builder:
    role = builder.sm.find_role("Privacy reviewer")  # somebody gives it more by hand, and takes something away
    builder.sm.add_permission_to_role(role, builder.sm.create_permission("can_read", "Connections"))
    builder.sm.remove_permission_from_role(role, builder.sm.get_permission("can_read", "DAGs"))
access.apply()

found: dict[str, dict[str, object]] = {"roles": {}, "allowed": {}}
with get_application_builder() as builder:
    manager = PrivacyAuthManager()
    manager.appbuilder = builder
    for name in access.ROLES:
        role = builder.sm.find_role(name)
        found["roles"][name] = sorted([p.action.name, p.resource.name] for p in role.permissions)
        user = builder.sm.add_user(name, name, "made-up", f"{name.replace(' ', '.')}@example.org", role, "made-up-word")

        def dag(method: str, dag_id: str, entity: DagAccessEntity | None = None, user: object = user) -> bool:
            return manager.is_authorized_dag(
                method=method, user=user, access_entity=entity, details=DagDetails(id=dag_id)
            )

        hitl = DagAccessEntity.HITL_DETAIL
        found["allowed"][name] = {
            "sees DAGs, runs and logs": dag("GET", "minor_data_deletion", DagAccessEntity.TASK_LOGS),
            "sees what waits for a person": dag("GET", "minor_case_review", hitl),
            "starts a run or a backfill": dag("POST", "minor_data_deletion", DagAccessEntity.RUN)
            and manager.is_authorized_backfill(method="POST", user=user),
            "clears or marks a task": dag("PUT", "minor_data_deletion", DagAccessEntity.TASK_INSTANCE),
            "pauses a DAG": any(
                dag("PUT", one) for one in ("erasure_propagation", "minor_case_review", "minor_data_deletion")
            ),
            "decides cases of minors": dag("PUT", "minor_case_review", hitl),
            "releases an erasure that the breaker stopped": dag("PUT", "minor_data_deletion", hitl),
            "approves a first release": dag("PUT", "course_usage_export", hitl),
            "signs off the transfer inventory": dag("PUT", "transfer_inventory_check", hitl),
            "reads Airflow's audit log": dag("GET", "minor_data_deletion", DagAccessEntity.AUDIT_LOG),
            "reads connections, Variables, users": manager.is_authorized_connection(method="GET", user=user),
            "deletes runs": dag("DELETE", "minor_data_deletion", DagAccessEntity.RUN),
        }
print("FOUND " + json.dumps(found))  # noqa: T201
