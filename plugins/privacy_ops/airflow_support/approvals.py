"""A person in the loop: asks only when it must, parks without a worker slot, and records who decided.

The task is how the decision gets into ``gov.approval``; the lock is ``privacy_ops.approvals.require`` in the step
that acts. Nobody answering means Reject.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from typing import Any, Literal

from airflow.providers.standard.operators.hitl import ApprovalOperator

from privacy_ops import approvals
from privacy_ops.airflow_support import questions
from privacy_ops.airflow_support.jobs import ASKED_AGAIN, current_job, utc_now
from privacy_ops.airflow_support.links import below_root
from privacy_ops.airflow_support.notifiers import OperatorNotifier
from privacy_ops.approvals import ApprovalRequest
from privacy_ops.errors import GateBlocked, PrivacyOpsError

_ASKED = "asked_sha256"


class SamePersonAgain(PrivacyOpsError):
    """The second of two people must be another one; the task asks again."""


class AnotherSubject(PrivacyOpsError):
    """What was approved is not what stands there now; the task asks again, if there still is something to ask."""


class AskPerson(ApprovalOperator):
    """Raises a required action when ``request`` returns one.

    ``request``: ``"module:function"``, called with (workspace, run), returns ``ApprovalRequest`` or None when nobody
    needs to be asked. ``duty``: whose connection reads and records. ``person``: 1, or 2 for the second of two.
    ``on_reject``: "fail" ends the run red, "record" lets it go on.
    """

    template_fields: Sequence[str] = ()

    def __init__(
        self,
        *,
        request: str,
        duty: str,
        person: int = 1,
        on_reject: Literal["fail", "record"] = "fail",
        waits: timedelta = timedelta(hours=20),
        **kwargs: Any,
    ) -> None:
        self.request, self.duty, self.person, self.on_reject = request, duty, person, on_reject
        kwargs |= ASKED_AGAIN
        super().__init__(
            subject="Approval",
            defaults=self.REJECT,
            response_timeout=waits,
            ignore_downstream_trigger_rules=True,
            notifiers=[OperatorNotifier("approval_waiting")],
            **kwargs,
        )

    def _ask(self) -> tuple[Any, Any, ApprovalRequest | None]:
        module, _, function = self.request.partition(":")
        workspace, run = current_job(self.duty)
        return workspace, run, getattr(import_module(module), function)(workspace, run)

    def execute(self, context: Any) -> Any:
        workspace, run, request = self._ask()
        if request is None:
            self.log.info("No approval is needed.")
            return {"asked": False}
        with workspace.database(self.duty).transaction(read_only=True) as connection:
            found = approvals.approvers(connection, run.run_id, request.what, request.subject_sha256)
        if len(set(found)) >= self.person:
            self.log.info("Approved already.")
            return {"asked": False}
        self.subject, self.body = request.title, below_root(request.body)
        # What the person sees is about this and nothing else; Airflow keeps the note while the task is parked.
        context["ti"].xcom_push(key=_ASKED, value=request.subject_sha256)
        if not questions.put(self, context):
            refused = GateBlocked(
                "Airflow still shows what this task asked before, and would take an answer to it for one to this",
                where=run.run_id,
                do="start a new run, which asks about what stands there now; nothing was destroyed or released",
            )
            if self.on_reject == "fail":
                raise refused
            self.log.info("Nobody is asked: %s", refused)
            return {"asked": False, "approved": False}
        raise questions.parked(self, context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        workspace, run, request = self._ask()
        answer = super(ApprovalOperator, self).execute_complete(context, event)
        asked = context["ti"].xcom_pull(task_ids=self.task_id, key=_ASKED)
        person = answer["responded_by_user"]
        approved = answer["chosen_options"] == [self.APPROVE] and person is not None
        if request is None or request.subject_sha256 != asked:
            if approved:
                raise AnotherSubject(
                    "what was approved is gone or is another now, and the answer was not recorded. The task asks again"
                    " about what stands there now."
                )
            raise GateBlocked(
                "what was not approved is gone or is another now, and the answer was not recorded",
                where=run.run_id,
                do="start a new run, which asks again about what stands there now",
            )
        # People are told apart by their id: a name may be shared, changed or empty.
        who = str(person["id"]) if person else "nobody"
        with workspace.database(self.duty).transaction() as connection:
            if approved and who in approvals.approvers(connection, run.run_id, request.what, request.subject_sha256):
                raise SamePersonAgain("the same person approved twice; another one must approve. The task asks again.")
            approvals.record(
                connection,
                run.run_id,
                request,
                approver=who,
                approver_name=str(person["name"] or "") if person else "",
                decision="approve" if approved else "reject" if person else "timeout",
                at=utc_now(),
            )
        if not approved and self.on_reject == "fail":
            raise GateBlocked(
                "rejected" if person else "nobody approved in time",
                where=run.run_id,
                do="nothing was destroyed or released; the next run asks again",
            )
        return {"asked": True, "approved": approved}
