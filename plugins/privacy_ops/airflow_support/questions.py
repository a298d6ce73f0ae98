"""Puts a question to people, and knows whether what they see is what is asked.

Airflow 3.3.2 keeps a task's question as it was first put, through tries and clears: its words and whom it is put to
stay the old ones (https://github.com/apache/airflow/pull/73235, open in September 2026). An answer would then count for
what nobody was shown. Airflow hands back the question that it keeps: the two are compared before anybody is waited for.
"""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk.api.datamodels._generated import HITLUser
from airflow.sdk.exceptions import TaskAwaitingInput
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import CreateHITLDetailPayload


def put(asking: HITLOperator, context: Any) -> bool:
    """Write the required action; whether people see exactly this question, and exactly those whom it is put to."""
    people = [HITLUser(id=user["id"], name=user["name"]) for user in asking.assigned_users or ()]
    asked = CreateHITLDetailPayload(
        ti_id=context["ti"].id,
        options=asking.options,
        subject=asking.subject,
        body=asking.body,
        defaults=asking.defaults,
        multiple=asking.multiple,
        params=asking.serialized_params,
        assigned_users=people,
    )
    kept: Any = task_runner.SUPERVISOR_COMMS.send(asked)
    shown_to = {user.id for user in kept.assigned_users or ()}
    return (kept.subject, kept.body, shown_to) == (asking.subject, asking.body, {user.id for user in people})


def parked(asking: HITLOperator, context: Any) -> TaskAwaitingInput:
    """Tell operators; what is returned is to be raised, and parks the task until somebody answers or time is out."""
    for notifier in asking.notifiers:
        notifier(context)
    return TaskAwaitingInput(method_name="execute_complete", timeout=asking.response_timeout)
