"""The roles of Airflow's FAB: exactly the matrix of docs/roles.md, as the auth manager itself decides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from privacy_ops.airflow_support import access

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    home = tmp_path_factory.mktemp("fab")
    done = subprocess.run(
        [sys.executable, "-m", "tests.dags.fab_roles"],
        cwd=PROJECT,
        env={
            **os.environ,
            "PYTHONPATH": str(PROJECT / "plugins"),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "AIRFLOW__CORE__AUTH_MANAGER": "privacy_ops.airflow_support.fab.PrivacyAuthManager",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__FAB__UPDATE_FAB_PERMS": "False",
            "AIRFLOW__API__SECRET_KEY": "made-up",
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(lines[-1].removeprefix("FOUND "))


def test_roles_hold_exactly_their_permissions_also_after_somebody_changed_them(found: Any) -> None:
    assert found["roles"] == {name: sorted(map(list, wanted)) for name, wanted in access.ROLES.items()}


@pytest.mark.parametrize("role", access.ROLES)
def test_the_auth_manager_decides_as_the_matrix_says(found: Any, role: str) -> None:
    assert found["allowed"][role] == {question: access.allows(role, question) for question in access.QUESTIONS}


def test_the_matrix_in_the_docs_is_this_one() -> None:
    assert access.matrix() in (PROJECT / "docs" / "roles.md").read_text(encoding="utf-8")


def test_who_starts_and_clears_runs_answers_no_question_and_the_other_way_round() -> None:
    decisions = [q for q in access.QUESTIONS if q.startswith(("decides", "releases", "approves", "signs"))]
    assert len(decisions) == 4
    assert not any(access.allows("Privacy engineer", q) or access.allows("Privacy viewer", q) for q in decisions)
    assert all(access.allows("Privacy lead", q) for q in decisions)
    assert not access.allows("Privacy reviewer", "starts a run or a backfill")
    for role in access.ROLES:
        assert not access.allows(role, "reads connections, Variables, users")
        assert not access.allows(role, "deletes runs"), "what was decided stays on record"


def test_every_dag_that_asks_has_people_who_may_answer() -> None:
    asking = {
        path.stem
        for path in (PROJECT / "dags").glob("*.py")
        if "AskPerson(" in (t := path.read_text()) or "AskReviewer(" in t
    }
    assert asking == set(access.LED)
