"""Last week's backup is restored: whoever was erased since is erased again before anybody may use the database."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from privacy_ops import cli, ledger, signing
from privacy_ops.erasure.returning import restore
from privacy_ops.errors import LedgerBroken, StoreUnavailable
from privacy_ops.minors.detect import detect_and_restrict
from privacy_ops.minors.gates import check_sources
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.workspace import Workspace
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from sandbox.postgres import PostgresServer
from tests.integration import crash, nights
from tests.integration.killed import ALL
from tests.integration.press import ADULT, MINOR, NOW, Press
from tests.integration.test_erasure_night import furnish
from tests.integration.test_erasure_safety import approve, narrow

MONDAY = NOW + timedelta(days=6)
FROM = "s3://press-evidence"
# A replay's step and what it was about to do, or had just done, there.
REPLAY_MOMENTS = (
    "finding and restricting who came back/committed/1",
    "erasing them again/commit/1",
    "erasing them again/sent POST/1",
    "searching once more/commit/1",
    "searching once more/commit/2",
)


class Backup:
    """A copy of the press's database, and a way to put it in the place of the one in use."""

    def __init__(self, cluster: PostgresServer, press: Press) -> None:
        self.cluster = cluster
        self.name = f"backup_{secrets.token_hex(4)}"
        self.live = make_url(press.workspace.settings.dsn("erase")).database or ""
        press.superuser._engine.dispose()  # nobody may be connected to what is copied
        self._do(f"CREATE DATABASE {self.name} TEMPLATE {self.live} STRATEGY FILE_COPY")

    def put_back(self) -> None:
        self._do(
            f"DROP DATABASE {self.live} WITH (FORCE)",
            f"CREATE DATABASE {self.live} TEMPLATE {self.name} STRATEGY FILE_COPY",
        )

    def remove(self) -> None:
        self._do(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def _do(self, *statements: str) -> None:
        admin = create_engine(self.cluster.dsn(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with admin.connect() as connection:
            for sql in statements:
                connection.execute(text(sql))


@pytest.fixture
def restored(cluster: PostgresServer, press: Press, objects: ObjectStore) -> Iterator[dict[str, UUID]]:
    """One child erased before the backup, two after it; the backup stands in the place of the database."""
    furnish(press, press.person(born=ADULT), objects)
    early = press.person(born=MINOR, email="early.lowe@example.org")
    nights.whole(press.workspace, press.open_run("early"))
    late = press.person(born=MINOR, email="late.lowe@example.org")
    furnish(press, late, objects)
    press.person(email="subscribed.lowe@example.org", born=MINOR)
    press.add("subscriber", email="SUBSCRIBED.LOWE@example.org")
    backup = Backup(cluster, press)
    night = NOW + timedelta(days=1)
    nights.whole(press.workspace, press.open_run("late", at=night), night)
    assert press.count("account") == 1
    backup.put_back()
    assert press.count("account") == 3
    yield {"early": early, "late": late}
    backup.remove()


def replay(workspace: Workspace) -> dict[str, Any]:
    return restore.replay(workspace, FROM, clock=lambda: MONDAY)


def test_a_restored_backup_is_replayed_and_only_then_ready(
    press: Press,
    restored: dict[str, UUID],
    objects: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("privacy_ops.erasure.returning.commands._workspace", lambda: press.workspace)
    assert command(monkeypatch, "restore-ready") == 1
    assert "it was restored" in capsys.readouterr().out

    with monkeypatch.context() as broken:  # killed between the rows and the objects
        broken.setattr(restore.objects, "erase_objects", _away)
        with pytest.raises(StoreUnavailable):
            replay(press.workspace)
    assert press.count("account") == 1
    assert restore.ready(press.workspace) == [
        "a replay was begun and has not ended with nobody left: run restore-replay again"
    ]

    done = replay(press.workspace)

    assert (done["ready"], done["residual"], done["blind"], done["attempt"]) == (True, 0, 0, 2)
    assert restore.ready(press.workspace) == []
    assert (press.count("account"), press.count("subscriber"), press.count("comment")) == (1, 2, 1)
    assert not [
        v for b in ("press-photos", "press-events") for v in objects.versions(b) if str(restored["late"]) in v.key
    ]
    assert {r.state for r in press.execute("SELECT state FROM gov.minor_case")} == {"CLOSED"}
    assert ledger.check(press.workspace).sound
    assert press.scalar("SELECT count(*) FROM gov.erasure_ledger WHERE kind = 'restored'") == 1
    assert command(monkeypatch, "restore-ready") == 0
    assert capsys.readouterr().out == "ready\n"
    again = replay(press.workspace)
    assert (again["found"], again["ready"]) == (0, True)


def test_a_child_who_waits_for_the_night_holds_up_no_replay(cluster: PostgresServer, press: Press) -> None:
    """As many as trip the volume breaker had been found when the backup was made: the next night's, not a replay's."""
    workspace = narrow(press)
    press.person(born=ADULT)
    press.person(born=MINOR, email="waits.lowe@example.org")
    before = press.open_run("before")
    check_sources(workspace, before)
    detect_and_restrict(workspace, before)
    press.person(born=MINOR, email="late.lowe@example.org")
    backup = Backup(cluster, press)
    night = NOW + timedelta(hours=2)
    run = press.open_run("late", at=night)
    nights.prepare(workspace, run, night)
    approve(press, workspace, run, "rosa", "ravi")
    nights.finish(workspace, run, night)
    assert press.count("account") == 1
    backup.put_back()
    assert press.count("account") == 3

    done = restore.replay(workspace, FROM, clock=lambda: NOW + timedelta(hours=4))

    backup.remove()
    assert (done["ready"], done["residual"]) == (True, 0)
    assert press.count("account") == 1


def test_a_replay_that_is_killed_at_any_step_goes_on_and_is_ready_only_when_nobody_is_left(
    press: Press, restored: dict[str, UUID], objects: ObjectStore
) -> None:
    """With SIGKILL, again and again, each time a little later."""
    settings = press.workspace.settings
    objects.put("press-photos", f"photos/{restored['late']}.jpg", b"restored too")
    killed = []
    moments = REPLAY_MOMENTS if ALL else REPLAY_MOMENTS[2:3]
    for moment in moments:
        ended = crash.replay(settings, FROM, MONDAY, kill_at={moment})
        assert ended.killed, f"a replay has no moment {moment} any more: choose another"
        killed.append(ended.moment)
        assert restore.ready(press.workspace) != []
        assert press.scalar("SELECT count(*) FROM gov.erasure_ledger WHERE kind = 'restored'") == 0
    assert killed == list(moments)
    assert not crash.replay(settings, FROM, MONDAY).killed

    assert restore.ready(press.workspace) == []
    assert (press.count("account"), press.count("subscriber"), press.count("comment")) == (1, 2, 1)
    late = str(restored["late"])
    assert not [v for b in ("press-photos", "press-events") for v in objects.versions(b) if late in v.key]
    assert {r.state for r in press.execute("SELECT state FROM gov.minor_case")} == {"CLOSED"}
    assert ledger.check(press.workspace).sound
    assert press.scalar("SELECT count(*) FROM gov.erasure_ledger WHERE kind = 'restored'") == 1


def test_copies_are_trusted_only_whole_and_need_nothing_of_the_lost_database(
    press: Press, restored: dict[str, UUID], objects: ObjectStore
) -> None:
    trusted = signing.trusted_keys(press.workspace.settings.keys)
    with pytest.raises(LedgerBroken, match="not signed"):
        ledger.read_copy(objects, "press-evidence", signing.public_key_pem(signing.generate_key_pem()))
    copy = ledger.read_copy(objects, "press-evidence", trusted)
    assert len(list(copy.rows("sweep"))) == copy.head["sweep"]["rows"] > 0

    for key in (min(objects.keys("press-evidence", ledger.ENTRIES)), copy.head["suppression"]["chunks"][0]["key"]):
        good = objects.get("press-evidence", key)
        version = objects.put("press-evidence", key, good.replace(b"0", b"1"))
        with pytest.raises(LedgerBroken):
            replay(press.workspace)
        assert press.count("account") == 3, "nothing is erased on the word of a copy that somebody changed"
        objects.client.delete_object(Bucket="press-evidence", Key=key, VersionId=version)

    with press.superuser.transaction() as connection:
        ledger.append(connection, "note", {"why": "a job ran before the replay"}, at=MONDAY)
    with pytest.raises(LedgerBroken, match="another way"):
        replay(press.workspace)
    assert "another way" in restore.ready(press.workspace)[0]

    empty_gov(press)  # only the publisher's tables were restored
    done = replay(press.workspace)
    assert (done["ready"], done["entries_replayed"] > 0, done["cases_erased"]) == (True, True, 3)
    assert press.count("account") == 1
    assert restore.ready(press.workspace) == []


def empty_gov(press: Press) -> None:
    """Governance tables as a new installation has them."""
    tables = press.scalar(
        "SELECT string_agg('gov.' || table_name, ', ') FROM information_schema.tables"
        " WHERE table_schema = 'gov' AND table_type = 'BASE TABLE' AND table_name <> 'schema_version'"
    )
    with press.superuser.transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # the triggers that refuse
        connection.execute(text(f"TRUNCATE {tables}"))


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["privacy_ops", *arguments])
    return cli.main()


def _away(*_: Any, **__: Any) -> None:
    raise StoreUnavailable("the object store is away")
