"""The console's rights under FAB, Airflow's auth manager for production: its standard roles ask for every right.

python -m bench.fab        makes an Airflow with FAB in a temporary folder, and asks as four made-up people
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile

from sandbox.state import PROJECT

# Role in FAB, and whether the deployment names the person: as a reviewer, as a lead.
PEOPLE = {"vera": "Viewer", "emil": "Op", "rosa": "User", "lena": "Admin"}
LOOKS = {"look", "dag", "erasures", "releases", "transfers"}
TAKES = {"evidence", "certificate", "pack"}
EXPECTED = {"vera": LOOKS, "emil": LOOKS, "rosa": LOOKS | TAKES, "lena": LOOKS | TAKES | {"withdraw"}}
DAG = "minor_data_deletion"


def prove() -> dict[str, str]:
    """What differs, by person (empty: nothing). Raises RuntimeError when Airflow with FAB cannot be made."""
    with tempfile.TemporaryDirectory(prefix="privacy-ops-fab-", ignore_cleanup_errors=True) as home:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "PRIVACY_OPS"))}
        environ = inherited | {
            "AIRFLOW_HOME": home,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": f"{home}/dags",
            "AIRFLOW__CORE__AUTH_MANAGER": "privacy_ops.airflow_support.fab.PrivacyAuthManager",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__API_AUTH__JWT_SECRET": "made-up-" * 8,
            "PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'plugins'}",
        }
        airflow = [sys.executable, "-m", "airflow"]
        _run([*airflow, "db", "migrate"], environ)
        for name, role in PEOPLE.items():
            person = ["-u", name, "-r", role, "-p", "made-up", "-f", "A", "-l", "B", "-e", f"{name}@example.org"]
            _run([*airflow, "users", "create", *person], environ)
        asked = _run([sys.executable, "-m", "bench.fab", "--ask"], environ)
    found = json.loads(asked.splitlines()[-1])
    return {
        name: f"may {sorted(found[name])}, should {sorted(expected)}"
        for name, expected in EXPECTED.items()
        if set(found[name]) != expected
    }


def _run(command: list[str], environ: dict[str, str]) -> str:
    done = subprocess.run(command, env=environ, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:4])} ended with {done.returncode}: {done.stderr[-300:]}")
    return done.stdout


def ask() -> dict[str, list[str]]:
    """In the environment of ``prove``: which rights each person has, through a token as the API server reads it."""
    from airflow.api_fastapi.app import init_auth_manager
    from airflow.providers.fab.auth_manager.models import User
    from airflow.utils.session import create_session
    from fastapi import FastAPI
    from privacy_ops.console import access
    from sqlalchemy import select

    manager = init_auth_manager(FastAPI())
    with create_session() as session:
        people = {user.username: user for user in session.scalars(select(User))}
        ids = {name: str(user.get_id()) for name, user in people.items()}
        tokens = {name: manager.generate_jwt(user) for name, user in people.items()}
    os.environ |= {"PRIVACY_OPS_REVIEWERS": ids["rosa"], "PRIVACY_OPS_PRIVACY_LEADS": ids["lena"]}
    found = {}
    for name, token in tokens.items():
        user = asyncio.run(manager.get_user_from_token(token))
        found[name] = [right.value for right in access.Right if access.may(user, right, DAG)]
    return found


def main() -> int:
    if "--ask" in sys.argv:
        print(json.dumps(ask()))
        return 0
    wrong = prove()
    print(wrong or "FAB's standard roles have exactly the rights of docs/console.md")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
