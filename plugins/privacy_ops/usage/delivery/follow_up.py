"""After the mail: recalls finished, downloads noted, links renewed while nobody has come, deliveries that ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from privacy_ops import runs
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.usage.delivery import access_logs, recall, standing
from privacy_ops.usage.delivery.checks import Checks
from privacy_ops.usage.delivery.standing import DUTY
from privacy_ops.workspace import Workspace


def follow_up(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, int]:
    """Bring every delivery up to date; returns counts.

    S3 signs a link for seven days at most and a release may be fetched for fourteen, so whoever has neither fetched
    nor confirmed it gets another link when the first has ended, until those days are over.
    """
    if runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours):
        return {"rehearsal": 1}
    counts = {"versions_deleted": recall.finish(workspace, by=run.run_id, now=now)}
    counts |= access_logs.import_logs(workspace, by=run.run_id, now=now)
    counts |= {"expired": 0, "renewed": 0, "blocked": 0}
    stays_open = timedelta(days=workspace.thresholds.delivery.open_days)
    with workspace.database(DUTY).transaction() as connection:
        # One run at a time decides what has ended.
        standing.lock(connection, ["follow up"])
        waiting = connection.execute(statement("delivery", "select_open")).all()
        ended = [row for row in waiting if row.link_ends_at <= now and not row.under_way]
        again = []
        for row in ended:
            if now >= row.opened_at + stays_open:
                counts["expired"] += standing.note(connection, row.release_id, "expired", at=now, by=run.run_id)
            else:
                again.append(row.release_id)
        if again:
            checks = Checks(workspace)
            for one in standing.read(connection, workspace, now=now, releases=again):
                if reason := checks.reason(one):
                    again.remove(one.release_id)
                    counts["blocked"] += standing.note_blocked(connection, one, reason, at=now, by=run.run_id)
            counts["renewed"] = standing.queue(connection, again, "LINK", at=now, by=run.run_id)
    return counts
