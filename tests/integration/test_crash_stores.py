"""A store that fails in the middle: the next try ends where nothing happened, and nothing is claimed in between."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.httpsession import URLLib3Session
from privacy_ops.errors import StoreRefused, StoreUnavailable
from privacy_ops.settings import ObjectSettings
from privacy_ops.workspace import Workspace

from sandbox.postgres import PostgresServer, free_port
from tests.integration import digest, faulty, nights, press_fixtures
from tests.integration.faulty import Asked, FaultyStore
from tests.integration.killed import ALL
from tests.integration.press import Press, workspace_of
from tests.integration.towns import Town, found_town


@pytest.fixture(scope="module")
def undisturbed(cluster: PostgresServer, press_template: str, object_settings: ObjectSettings) -> dict[str, Any]:
    """The state after two nights that nothing interrupted."""
    with press_fixtures.fresh_press(cluster, press_template, object_settings) as press:
        town = found_town(press)
        nights.whole(press.workspace, press.open_run())
        town.second_night()
        return town.state()


@pytest.fixture
def fault(object_settings: ObjectSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyStore]:
    """A faulty endpoint in front of the real one; nobody waits long between two tries."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    with faulty.in_front_of(object_settings.endpoint_url or "") as store:
        yield store


def through(fault: FaultyStore, press: Press) -> Workspace:
    """The press's workspace, whose objects lie behind the faulty endpoint."""
    settings = press.workspace.settings
    behind = dataclasses.replace(settings.objects, endpoint_url=fault.address)
    return workspace_of(dataclasses.replace(settings, objects=behind))


def deletes(asked: Asked) -> bool:
    return asked.deletes


def writes_evidence(asked: Asked) -> bool:
    return asked.method == "PUT" and "press-evidence" in asked.path


def test_a_bad_line_to_the_object_store(
    undisturbed: dict[str, Any], town: Town, fault: FaultyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refusals, half answers, lost answers and late ones: tried again until it is done, and done once."""
    make = URLLib3Session.__init__

    def impatient(self: URLLib3Session, *given: Any, **named: Any) -> None:
        make(self, *given, **named | {"timeout": faulty.LATE_SECONDS / 2})

    monkeypatch.setattr(URLLib3Session, "__init__", impatient)
    run = town.press.open_run()
    nights.prepare(town.press.workspace, run)
    faults: tuple[faulty.Fault, ...] = ("unavailable", "unanswered", "late", "partial") * 3
    fault.in_turn(faults, when=lambda asked: asked.deletes or asked.method == "PUT")
    for _ in range(len(faults)):
        with contextlib.suppress(StoreUnavailable, StoreRefused):
            nights.finish(through(fault, town.press), run)
            break
        assert digest.dishonest(town.press, town.store, town.minors) == []
    assert len(fault.met) == len(faults)
    town.second_night()
    assert town.state() == undisturbed


@pytest.mark.parametrize("which", [deletes, writes_evidence] if ALL else [deletes])
def test_an_object_store_that_is_out_for_a_night(
    undisturbed: dict[str, Any], town: Town, fault: FaultyStore, which: Callable[[Asked], bool]
) -> None:
    run = town.press.open_run()
    nights.prepare(town.press.workspace, run)
    fault.always("unavailable", when=which)
    with pytest.raises(StoreUnavailable):
        nights.finish(through(fault, town.press), run)
    assert digest.dishonest(town.press, town.store, town.minors) == []
    town.second_night()
    assert town.state() == undisturbed


@pytest.fixture
def mortal() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test alone, with its usual durability."""
    folder = Path(tempfile.mkdtemp(prefix="privacy-ops-mortal-"))
    folder.chmod(0o755)  # the server runs as another user when the tests run as root
    server = PostgresServer(folder / "postgres", free_port(), secrets.token_hex(16))
    try:
        server.start()
        yield server
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


_STALL = """
CREATE FUNCTION press.stall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN OLD; END $$;
CREATE TRIGGER stall BEFORE DELETE ON press.profile FOR EACH ROW EXECUTE FUNCTION press.stall();
"""


def test_a_database_that_is_killed_during_the_delete(
    undisturbed: dict[str, Any], mortal: PostgresServer, objects: Any, object_settings: ObjectSettings
) -> None:
    press_fixtures.create_template(mortal, "press")
    press_fixtures.create_buckets(objects)
    press = press_fixtures.open_press(mortal, "press", object_settings)
    town = found_town(press)
    run = press.open_run()
    nights.prepare(press.workspace, run)
    press.execute(_STALL)
    with ThreadPoolExecutor(1) as pool:
        erasing = pool.submit(nights.finish, press.workspace, run)
        _wait_until_stalled(press)
        os.kill(mortal.pid() or 0, signal.SIGKILL)
        assert isinstance(erasing.exception(timeout=30), StoreUnavailable)

    mortal.start()
    press.execute("DROP FUNCTION press.stall() CASCADE")
    assert press.count("account") == 4
    assert digest.dishonest(press, town.store, town.minors) == []
    nights.finish(press.workspace, run)
    town.second_night()
    assert town.state() == undisturbed


def _wait_until_stalled(press: Press) -> None:
    for _ in range(200):
        if press.scalar("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
            return
        time.sleep(0.05)
    pytest.fail("the delete was not reached")
