"""Four roles in Airflow's FAB auth manager, with exactly the permissions below.

python -m privacy_ops.airflow_support.access apply    create or correct the roles; what is not listed is taken away
python -m privacy_ops.airflow_support.access show     print the matrix of docs/roles.md

A role lets a person ask; it is never what opens a lock. The two people of a decision are told apart by their Airflow
ids in ``gov.approval`` and ``gov.case_decision``, whatever their roles are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

# Whose questions which role answers. Answering one needs "edit" on its DAG, so it is given DAG by DAG.
REVIEWED = ("minor_case_review", "minor_data_deletion")
LED = (*REVIEWED, "course_usage_export", "transfer_inventory_check")

_READ = (
    "DAGs", "DAG Code", "DAG Dependencies", "DAG Runs", "DAG Versions", "DAG Warnings", "Task Instances", "Task Logs",
    "HITL Detail", "Backfills", "Pools", "Jobs", "Assets", "Cluster Activity", "ImportError", "Website",
    "My Profile", "My Password",
)  # fmt: skip
_MENUS = ("Browse", "DAGs", "DAG Runs", "DAG Dependencies", "Task Instances", "Jobs", "Docs", "Assets", "HITL Detail")

Permission = tuple[str, str]


def _all(action: str, resources: Iterable[str]) -> frozenset[Permission]:
    return frozenset((action, resource) for resource in resources)


_SEES = _all("can_read", _READ) | _all("menu_access", _MENUS) | _all("can_edit", ("My Profile", "My Password"))
_RUNS = (
    _all("can_create", ("DAG Runs", "Task Instances", "Backfills"))
    | _all("can_edit", ("DAGs", "DAG Runs", "Task Instances", "Backfills"))
    | _all("can_read", ("XComs", "Plugins", "Providers"))
    | _all("menu_access", ("XComs", "Pools", "Plugins", "Providers"))
)


def _answers(dag_ids: Iterable[str]) -> frozenset[Permission]:
    return _all("can_edit", ("HITL Detail", *(f"DAG:{dag_id}" for dag_id in dag_ids)))


# Nobody here reads or writes connections, Variables or users, deletes a run, or changes a pool: that is Admin's.
ROLES: Mapping[str, frozenset[Permission]] = {
    "Privacy viewer": _SEES,
    "Privacy engineer": _SEES | _RUNS,
    "Privacy reviewer": _SEES | _answers(REVIEWED),
    "Privacy lead": _SEES
    | _answers(LED)
    | _all("can_create", ("DAG Runs",))
    | _all("can_read", ("Audit Logs",))
    | _all("menu_access", ("Audit Logs",)),
}

# What people ask about a role, and the permissions that it takes: the rows of docs/roles.md.
QUESTIONS: Mapping[str, tuple[Permission, ...]] = {
    "sees DAGs, runs and logs": (("can_read", "DAGs"), ("can_read", "DAG Runs"), ("can_read", "Task Logs")),
    "sees what waits for a person": (("can_read", "HITL Detail"),),
    "starts a run or a backfill": (("can_create", "DAG Runs"), ("can_create", "Backfills")),
    "clears or marks a task": (("can_edit", "Task Instances"),),
    "pauses a DAG": (("can_edit", "DAGs"),),
    "decides cases of minors": (("can_edit", "HITL Detail"), ("can_edit", "DAG:minor_case_review")),
    "releases an erasure that the breaker stopped": (
        ("can_edit", "HITL Detail"),
        ("can_edit", "DAG:minor_data_deletion"),
    ),
    "approves a first release": (("can_edit", "HITL Detail"), ("can_edit", "DAG:course_usage_export")),
    "signs off the transfer inventory": (("can_edit", "HITL Detail"), ("can_edit", "DAG:transfer_inventory_check")),
    "reads Airflow's audit log": (("can_read", "Audit Logs"),),
    "reads connections, Variables, users": (("can_read", "Connections"), ("can_read", "Variables")),
    "deletes runs": (("can_delete", "DAG Runs"),),
}


def allows(role: str, question: str) -> bool:
    """Whether the role has all that the question takes."""
    return set(QUESTIONS[question]) <= ROLES[role]


def matrix() -> str:
    """The table of docs/roles.md."""
    lines = ["| | " + " | ".join(ROLES) + " |", "|---" * (len(ROLES) + 1) + "|"]
    lines += [
        f"| {question} | " + " | ".join("yes" if allows(role, question) else "–" for role in ROLES) + " |"
        for question in QUESTIONS
    ]
    return "\n".join(lines)


def apply() -> dict[str, int]:
    """Create or correct the roles in Airflow's database; returns permissions by role. Users keep their roles."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        for name, wanted in ROLES.items():
            role = manager.find_role(name) or manager.add_role(name)
            held = {(p.action.name, p.resource.name): p for p in role.permissions}
            for action, resource in sorted(wanted - held.keys()):
                manager.add_permission_to_role(role, manager.create_permission(action, resource))
            for extra in sorted(held.keys() - wanted):
                manager.remove_permission_from_role(role, held[extra])
    return {name: len(wanted) for name, wanted in ROLES.items()}


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0; 2 for another word than apply or show."""
    asked = sys.argv[1:] if arguments is None else arguments
    if asked == ["show"]:
        print(matrix())  # noqa: T201
    elif asked == ["apply"]:
        for name, count in apply().items():
            print(f"{name}: {count} permissions")  # noqa: T201
    else:
        print("usage: python -m privacy_ops.airflow_support.access apply | show", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
