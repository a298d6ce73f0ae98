"""### Ask people about cases that no machine may decide

Policy section 10 wants data of under-18s deleted at once; deleting an adult's record on a doubt is harm too. So a
suspicion, an unclear statement, a confirmation with something against it, everything from a faulty source, a file with
a child in it and an adult whose data came as a child's go to people. On every working day at 08:00 UTC the job raises
one required action per waiting case in the Airflow UI.

**Inputs** `gov.minor_case`, `gov.minor_signal` (codes only), the calendar of England and Wales.

**Outputs** `gov.case_decision`; a case that two people confirmed is `DECIDED` and erased by the next run of
`minor_data_deletion`; one that was cleared gets back what stood in the restriction or quarantine column, unless it
changed since.

**Answers** *Confirm minor*, *Clear*, *Keep restricted*. Nobody answering keeps everything as it is; the case rises to
the privacy lead after 3 and 5 working days, and after 10 the lead decides. A suspicion takes two different people, so
does clearing somebody who stated a date of birth. An answer counts for exactly the evidence that was shown.

**Params** `most_questions`: ask about at most so many cases (default and ceiling: `review.questions_per_run`).

**Example** `airflow dags trigger minor_case_review --conf '{"most_questions": 5}'` asks about the five most urgent now.

**Runbook** `docs/runbooks/minor_case_review.md`
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Param, TriggerRule, dag, get_current_context, task, task_group
from privacy_ops.airflow_support.jobs import DEFAULT_ARGS, current_job, open_job, utc_now
from privacy_ops.airflow_support.reviews import AskReviewer


@dag(
    schedule=CronDataIntervalTimetable("0 8 * * 1-5", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    # Questions wait for most of a day; a run by hand, or one about a case found since, must not wait behind them.
    max_active_runs=8,
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["privacy", "minors", "review"],
    params={
        "most_questions": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Most questions",
            description="Ask about at most so many cases in this run; empty: the threshold.",
        )
    },
)
def minor_case_review() -> None:
    @task
    def open_run() -> str:
        """Record the run; its questions time out before the next working day's run."""
        _, run = open_job("review")
        return run.run_id

    @task
    def choose() -> list[str]:
        """Let waiting cases rise and choose those to ask about: ids of cases, which say nothing about anybody."""
        from privacy_ops.minors import review

        most = get_current_context()["params"].get("most_questions")
        counts = review.choose(*current_job("review"), now=utc_now(), most=most)
        found: list[str] = counts["cases"]
        return found

    @task_group
    def one_case(case_id: str) -> None:
        first, second = (
            AskReviewer(task_id=name, case_id=case_id, person=person)
            for person, name in ((1, "first_answer"), (2, "second_answer"))
        )
        first >> second

    @task(trigger_rule=TriggerRule.NONE_FAILED)
    def close_run() -> dict[str, Any]:
        """Count what was decided; close the run."""
        from privacy_ops.minors import review

        return review.close(*current_job("review"), now=utc_now())

    chosen = choose()
    open_run() >> chosen
    one_case.expand(case_id=chosen) >> close_run()


minor_case_review()
