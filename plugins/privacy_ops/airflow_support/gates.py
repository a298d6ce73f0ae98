"""How a gate's task ends: its report linked to the task, and red when the gate blocks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from privacy_ops.airflow_support.links import XCOM_KEY
from privacy_ops.errors import GateBlocked
from privacy_ops.gates.runner import Verdict, raise_if_blocked


def finish(verdict: Verdict, gate_result_id: int, context: Any) -> int:
    """Link the report to the task and raise GateBlocked when the verdict is block; returns the id.

    Only the id goes to XCom. Fail, never skip: a short-circuit would make a blocked run look normal.
    """
    context["ti"].xcom_push(key=XCOM_KEY, value=gate_result_id)
    raise_if_blocked(verdict, gate_result_id)
    return gate_result_id


@contextmanager
def linked(context: Any) -> Iterator[None]:
    """For a step that judges and raises by itself: link the report of the gate that blocks it, then let it fail."""
    try:
        yield
    except GateBlocked as error:
        if error.gate_result_id is not None:
            context["ti"].xcom_push(key=XCOM_KEY, value=error.gate_result_id)
        raise
