"""A press with the same few people in it every time, so that two of them can be compared to the last row."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import UUID

from privacy_ops import ledger
from privacy_ops.erasure import redaction
from privacy_ops.minors import holds
from privacy_ops.runs import Run
from privacy_ops.stores.objects import ObjectStore

from tests.integration import digest, nights
from tests.integration import press as press_of
from tests.integration.press import ADULT, MINOR, NOW, Press, map_of
from tests.integration.test_erasure_night import furnish

TOMORROW = NOW + timedelta(days=1)


@dataclass(frozen=True)
class Town:
    """Two minors and two adults, all of whom have a row in every table and something in every bucket."""

    press: Press
    store: ObjectStore
    minors: tuple[UUID, ...]
    adults: tuple[UUID, ...]

    def second_night(self) -> None:
        nights.whole(self.press.workspace, self.press.open_run("second", at=TOMORROW), TOMORROW)

    def state(self) -> dict[str, Any]:
        """The digest, of a press whose ledger and its copies verify."""
        assert ledger.check(self.press.workspace).sound
        return digest.of(self.press, self.store)


@dataclass(frozen=True)
class Watched:
    """A town one of whose minors is under a hold over parts, and in which two people want a mention taken out."""

    town: Town
    hold: int
    run: Run

    def release(self) -> None:
        with self.town.press.workspace.database("detect").transaction() as connection:
            holds.release_hold(connection, self.hold, now=NOW)

    def state(self) -> dict[str, Any]:
        """That of the town, with what is kept apart, what was taken out, and how often the ledger says so."""
        press = self.town.press
        kept = press.execute("SELECT source, cells FROM gov.held_record")
        said = press.execute(
            "SELECT kind, payload FROM gov.erasure_ledger WHERE kind IN"
            " ('held', 'held_erased', 'redaction_intent', 'redacted', 'redaction_refused')"
        )
        of_ours = {"redaction", "plan_sha256", "text_sha256", "result_sha256"}  # random, or of what is
        return self.town.state() | {
            "kept": sorted((row.source, json.dumps(row.cells, sort_keys=True)) for row in kept),
            "taken out": [tuple(row) for row in press.execute("SELECT state, row_key FROM gov.redaction")],
            "said": sorted(
                (row.kind, sorted((k, str(v)) for k, v in json.loads(row.payload).items() if k not in of_ours))
                for row in said
            ),
        }


def found_watched_town(press: Press) -> Watched:
    """Fill an empty press, find its minors, hold parts of the first, and confirm a redaction about the second."""
    town = found_town(press)
    mention = press.add("comment", user_id=town.adults[0], body="Thanks to Ada Lowe, of my son's class.")
    nights.find(press.workspace, press.open_run("before", at=NOW - timedelta(hours=1)))
    with press.workspace.database("detect").transaction() as connection:
        hold = holds.place_hold(
            connection, press.workspace.settings, (str(town.minors[0]),), basis="LEGAL_CLAIM", approver="legal",
            now=NOW, review_on=NOW.date(), data_map=press.workspace.data_map,
            scope=("press.comment.body", "press.sale"),
        )  # fmt: skip
    column = {"category": "user.content", "evidence": {"signal": "SIG-12", "kind": "free_text"}}
    comment = press.workspace.data_map.tables["press.comment"].model_dump(mode="json", exclude_defaults=True)
    comment["columns"]["body"] = column
    written = press.with_map(map_of(comment=comment))
    press.execute("GRANT UPDATE (body) ON press.comment TO privacy_erase")
    press.execute("GRANT SELECT (id, body) ON press.comment TO privacy_evidence")
    proposal = redaction.propose(
        written, case_id=press.case_of(town.minors[1]).case_id, table="press.comment", column="body",
        key=(str(mention),), spans=[(10, 18)], by=redaction.Person("rosa", "login"), now=NOW,
    )  # fmt: skip
    database = press.workspace.database("erase")
    for person in (redaction.Person("rosa", "login"), redaction.Person("ravi", "login")):
        redaction.show(database, written.data_map, proposal, person=person, now=NOW)
        redaction.answer(database, written.data_map, written.settings, proposal, person=person, confirm=True, now=NOW)
    return Watched(town, hold, press.open_run())


def found_town(press: Press) -> Town:
    """Fill an empty press."""
    store = ObjectStore(press.workspace.settings.objects)
    with mock.patch.object(press_of, "_numbers", itertools.count(1)):
        people = [press.person(born=born) for born in (MINOR, ADULT, MINOR, ADULT)]
    for person in people:
        furnish(press, person, store)
    return Town(press, store, (people[0], people[2]), (people[1], people[3]))
