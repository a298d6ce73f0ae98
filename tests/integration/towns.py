"""A press with the same few people in it every time, so that two of them can be compared to the last row."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import UUID

from privacy_ops import ledger
from privacy_ops.stores.objects import ObjectStore

from tests.integration import digest, nights
from tests.integration import press as press_of
from tests.integration.press import ADULT, MINOR, NOW, Press
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


def found_town(press: Press) -> Town:
    """Fill an empty press."""
    store = ObjectStore(press.workspace.settings.objects)
    with mock.patch.object(press_of, "_numbers", itertools.count(1)):
        people = [press.person(born=born) for born in (MINOR, ADULT, MINOR, ADULT)]
    for person in people:
        furnish(press, person, store)
    return Town(press, store, (people[0], people[2]), (people[1], people[3]))
