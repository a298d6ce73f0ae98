"""The night is killed with SIGKILL between any two things it does: whatever comes next ends where nothing happened.

``PRIVACY_OPS_TEST_MOMENTS=all`` kills at every moment there is (`make proof`), else at a few of each kind.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from privacy_ops.runs import Run
from privacy_ops.settings import ObjectSettings

from sandbox.postgres import PostgresServer
from tests.integration import crash, digest, nights
from tests.integration.killed import ALL, Ended
from tests.integration.press import NOW
from tests.integration.press_fixtures import fresh_press
from tests.integration.towns import TOMORROW, Town, Watched, found_town, found_watched_town

# What a sample of one night is killed at: the first commit, and the first deletion that was answered, of each step.
SAMPLED = ("commit/1", "sent POST/1")
# After this one the next night takes over instead of a retry.
LEFT_BEHIND = "certify/sent PUT/1"


@dataclass(frozen=True)
class Undisturbed:
    """What two nights left that nothing interrupted, and the moments of the first."""

    state: dict[str, Any]
    moments: tuple[str, ...]


@pytest.fixture(scope="module")
def undisturbed(cluster: PostgresServer, press_template: str, object_settings: ObjectSettings) -> Undisturbed:
    with fresh_press(cluster, press_template, object_settings) as press:
        town = found_town(press)
        ended = crash.night(press.workspace.settings, press.open_run(), NOW)
        assert not ended.killed
        town.second_night()
        state = town.state()
    assert len(state["rows"]["account"]) == len(town.adults)
    assert len(state["certificates"]) == len(town.minors)
    for said in state["certificates"]:  # of objects, how many versions: a kill may not lose one of them
        versions = {a["asset"]: a["done"] for a in json.loads(said)["assets"] if a["method"] == "OBJECT_VERSIONS"}
        assert versions == {"s3://press-photos": 2, "s3://press-attachments": 1, "s3://press-events": 1}
    assert {case[-1] for case in state["cases"]} == {"CLOSED"}
    return Undisturbed(state, ended.moments)


def test_a_night_that_is_killed_again_and_again_ends_as_if_nothing_had_happened(
    undisturbed: Undisturbed, town: Town
) -> None:
    """Each time the killed step is tried again, as the scheduler does, and killed at the next moment."""
    run = town.press.open_run()
    ahead = {m for m in undisturbed.moments if ALL or m.partition("/")[2] in SAMPLED}
    steps = {m.partition("/")[0] for m in ahead}
    begin: str | None = None
    killed_in = set()
    while True:
        ended = crash.night(town.press.workspace.settings, run, NOW, kill_at=ahead, begin=begin)
        assert digest.dishonest(town.press, town.store, town.minors) == [], ended.moment
        if not ended.killed:
            break
        ahead.discard(ended.moment)
        begin = ended.step
        killed_in.add(begin)
    assert killed_in == steps == set(nights.STEPS)
    town.second_night()
    assert town.state() == undisturbed.state


@pytest.mark.parametrize("step", nights.STEPS if ALL else [LEFT_BEHIND.partition("/")[0]])
def test_what_a_killed_night_left_the_next_night_finishes(
    undisturbed: Undisturbed,
    step: str,
    cluster: PostgresServer,
    press_template: str,
    object_settings: ObjectSettings,
    subtests: pytest.Subtests,
) -> None:
    moments = [m for m in undisturbed.moments if m.startswith(f"{step}/") and (ALL or m == LEFT_BEHIND)]
    assert moments, "a night of this town has no such moment any more: sample another"
    for moment in moments:
        with subtests.test(moment), fresh_press(cluster, press_template, object_settings) as press:
            town = found_town(press)
            ended = crash.night(press.workspace.settings, press.open_run(), NOW, kill_at={moment})
            assert ended.killed
            assert digest.dishonest(press, town.store, town.minors) == []
            town.second_night()
            assert town.state() == undisturbed.state


# ---- what is kept for a hold, and what is taken out of other people's texts

# Inside the two transactions, and the deletion of what was kept once its hold ended.
INSIDE = frozenset({"erase_database/copied/1", "erase_database/taken out/1"})
AFTER_THE_HOLD = frozenset({"erase_database/commit/2"})


def test_a_kill_inside_copying_held_cells_or_a_redaction_ends_as_if_nothing_had_happened(
    cluster: PostgresServer, press_template: str, object_settings: ObjectSettings, subtests: pytest.Subtests
) -> None:
    """In `make proof` at each moment of the erasure alone, and at one after the other in the same two nights."""

    def two_nights(ahead: Set[str]) -> tuple[dict[str, Any], dict[str, Any], list[Ended]]:
        """What the night of the hold leaves, and the night after its end; each time that their erasure ended."""
        with fresh_press(cluster, press_template, object_settings) as press:
            watched = found_watched_town(press)
            nights.prepare(press.workspace, watched.run)
            ended = _again_and_again(watched, watched.run, NOW, ahead, begin="erase_database")
            during = watched.state()
            watched.release()
            if ALL:
                second = press.open_run("second", at=TOMORROW)
                ended += _again_and_again(watched, second, TOMORROW, ahead, begin=None)
            else:
                watched.town.second_night()
            return during, watched.state(), ended

    moments = INSIDE
    if ALL:
        *expected, calm = two_nights(frozenset())
        moments = frozenset(m for one in calm for m in one.moments if m.startswith("erase_database/"))
        for moment in sorted(moments):
            with subtests.test(moment):
                *found, ended = two_nights({moment})
                assert moment in {one.moment for one in ended if one.killed}
                assert found == expected
    during, after, ended = two_nights(moments)

    # What an earlier try did is not done again: the last numbers do not come any more.
    assert {one.moment for one in ended if one.killed} >= (INSIDE | AFTER_THE_HOLD if ALL else INSIDE)
    assert [source for source, _ in during["kept"]] == ["press.comment", "press.sale"]
    assert after["kept"] == []
    assert Counter(kind for kind, _ in after["said"]) == {
        "held": 2, "held_erased": 1, "redaction_intent": 1, "redacted": 1,
    }  # fmt: skip
    assert sum("Thanks to [redacted]" in row for row in after["rows"]["comment"]) == 1
    if ALL:
        assert [during, after] == expected


def _again_and_again(watched: Watched, run: Run, now: datetime, moments: Set[str], *, begin: str | None) -> list[Ended]:
    """One night, killed at each of these moments, and tried again from the step that it was killed in."""
    town, ahead, found = watched.town, set(moments), []
    while True:
        if not ALL and not ahead:  # what is left of the night needs no process of its own
            nights.finish(town.press.workspace, run, now)
            return found
        ended = crash.night(town.press.workspace.settings, run, now, kill_at=ahead, begin=begin)
        assert digest.dishonest(town.press, town.store, town.minors) == [], ended.moment
        found.append(ended)
        if not ended.killed:
            return found
        ahead.discard(ended.moment)
        begin = ended.step
