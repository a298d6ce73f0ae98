"""What only Airflow knows: when its DAGs run next, which are paused, and which questions wait for people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow.models.dag import DagModel
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

MOST = 20


@dataclass(frozen=True)
class NextRun:
    """A DAG and the earliest moment of its next run (None: it is not scheduled)."""

    dag_id: str
    at: datetime | None
    paused: bool


@dataclass(frozen=True)
class Question:
    """A required action that nobody has answered."""

    dag_id: str
    run_id: str
    subject: str
    asked_at: datetime


@dataclass(frozen=True)
class AirflowState:
    """``known`` False: Airflow's database could not be read."""

    runs: Sequence[NextRun] = ()
    questions: Sequence[Question] = ()
    known: bool = True

    @property
    def paused(self) -> frozenset[str]:
        return frozenset(run.dag_id for run in self.runs if run.paused)


def read(dag_ids: Collection[str]) -> AirflowState:
    """The state of these DAGs. Its own short session; never raises."""
    try:
        with create_session() as session:
            return AirflowState(_runs(session, dag_ids), _questions(session, dag_ids))
    except SQLAlchemyError:
        return AirflowState(known=False)


def _runs(session: Any, dag_ids: Collection[str]) -> list[NextRun]:
    found = session.execute(
        select(DagModel.dag_id, DagModel.next_dagrun_create_after, DagModel.is_paused)
        .where(DagModel.dag_id.in_(dag_ids), ~DagModel.is_stale)
        .order_by(DagModel.is_paused, DagModel.next_dagrun_create_after, DagModel.dag_id)
    )
    return [NextRun(dag_id, at, bool(paused)) for dag_id, at, paused in found]


def _questions(session: Any, dag_ids: Collection[str]) -> list[Question]:
    found = session.execute(
        select(TaskInstance.dag_id, TaskInstance.run_id, HITLDetail.subject, HITLDetail.created_at)
        .join(TaskInstance, TaskInstance.id == HITLDetail.ti_id)
        .where(HITLDetail.responded_at.is_(None), TaskInstance.dag_id.in_(dag_ids), TaskInstance.end_date.is_(None))
        .order_by(HITLDetail.created_at)
        .limit(MOST)
    )
    return [Question(*row) for row in found]
