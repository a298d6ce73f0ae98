"""A reviewer in the loop: asks one person about one case. Nobody answering keeps the person restricted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param

from privacy_ops.airflow_support import questions
from privacy_ops.airflow_support.jobs import ASKED_AGAIN, current_job, utc_now
from privacy_ops.airflow_support.links import root_path
from privacy_ops.airflow_support.notifiers import OperatorNotifier
from privacy_ops.minors import review
from privacy_ops.minors.decisions import REASONS

_ASKED = "asked_evidence"


class AskReviewer(HITLOperator):
    """Raises a required action about the case ``case_id`` when ``review.question`` says that a person is needed.

    ``person``: 1, or 2 for the second of two. What the person sees is bound to the case's evidence; a time-out is
    no answer. Only the case's id, which says nothing about anybody, is kept with the task.
    """

    template_fields: Sequence[str] = ("case_id",)

    def __init__(self, *, case_id: Any, person: int, **kwargs: Any) -> None:
        self.case_id, self.person = case_id, person
        kwargs.pop("params", None)  # the DAG's own, which are no fields of the form
        kwargs |= ASKED_AGAIN
        super().__init__(
            subject="Review",
            options=list(review.OPTIONS),
            defaults=review.KEEP,
            params={
                "reason": Param(
                    REASONS[0],
                    enum=list(REASONS),
                    type="string",
                    source="task",
                    title="Reason",
                    description="A code; write nothing about the person.",
                )
            },
            notifiers=[OperatorNotifier("approval_waiting")],
            response_timeout=timedelta(hours=22),  # execute shortens it to what is left of the run's day
            **kwargs,
        )

    def execute(self, context: Any) -> Any:
        workspace, run = current_job("review")
        asked = review.question(workspace, run, str(self.case_id), person=self.person, now=utc_now(), base=root_path())
        if asked is None:
            self.log.info("Nobody needs to be asked.")
            return {"asked": False}
        self.subject, self.body, self.response_timeout = asked.title, asked.body, asked.waits
        self.assigned_users = [{"id": person, "name": person} for person in asked.people] or None
        context["ti"].xcom_push(key=_ASKED, value=asked.evidence_hash)
        if not questions.put(self, context):
            self.log.info("Airflow still shows what this task asked before; the next run asks about what is known now.")
            review.give_back(workspace, run, str(self.case_id))
            return {"asked": False}
        raise questions.parked(self, context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        answer = super().execute_complete(context, event)
        person = answer["responded_by_user"]
        if not person:
            self.log.info("Nobody answered in time; the person stays restricted.")
            return {"asked": True, "recorded": False}
        workspace, run = current_job("review")
        found = review.decide(
            workspace,
            run,
            str(self.case_id),
            evidence_hash=context["ti"].xcom_pull(
                task_ids=self.task_id, key=_ASKED, map_indexes=context["ti"].map_index
            ),
            answer=review.OPTIONS[answer["chosen_options"][0]],
            reason=(answer["params_input"] or {}).get("reason", REASONS[0]),
            person_id=str(person["id"]),
            person_name=str(person["name"] or ""),
            now=utc_now(),
        )
        return {"asked": True} | found
