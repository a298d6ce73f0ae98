"""A delivery that is killed at any moment, and gone on with, ends as one that was not disturbed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from privacy_ops.usage.delivery import recall

from tests import delivery_world as delivery
from tests.delivery_world import NOW, ask, release_of
from tests.integration import delivery_crash
from tests.integration.killed import ALL
from tests.integration.test_adapters import inbox  # noqa: F401 - a fixture
from tests.integration.test_delivery import BUCKET, DAY, Office, office, week  # noqa: F401 - fixtures


def some(moments: list[str]) -> list[str]:
    """Every moment, or the first at which each thing had just happened and the answer or commit was not yet known."""
    if ALL:
        return moments
    first = {moment.rpartition("/")[0]: moment for moment in reversed(moments)}
    return sorted(
        moment for kind, moment in first.items() if "/sent " in kind or kind.endswith(("/mailed", "/committed"))
    )


def outcome(dsn: str) -> dict[str, Any]:
    """What must be the same whatever happened on the way."""
    return {
        "events": ask(
            dsn,
            "SELECT release_id, kind, reason, object_key, sha256 FROM gov.release_delivery ORDER BY release_id, kind",
        ),
        "mails": ask(dsn, "SELECT recipient_id, kind, state FROM gov.delivery_mail ORDER BY recipient_id, kind"),
        "withdrawn": ask(dsn, "SELECT release_id, reason FROM gov.release_event WHERE kind = 'withdrawn'"),
    }


def begin_again(office: Office) -> None:  # noqa: F811
    delivery.take_back(office.dsn)
    store = office.ws.objects()
    store.delete_versions(BUCKET, list(store.versions(BUCKET, "delivery/")))


def test_an_hour_killed_at_any_moment_delivers_the_same(
    office: Office,  # noqa: F811
    inbox: Any,  # noqa: F811
    subtests: pytest.Subtests,
) -> None:
    settings = replace(office.ws.settings, mail=inbox.server._settings)
    undisturbed = delivery_crash.hour(settings, delivery.open_run(office.ws), NOW)
    expected, objects = outcome(office.dsn), office.objects()
    assert [kind for _, kind, *_ in expected["events"]].count("sent") == 3
    assert {moment.rpartition("/")[0] for moment in undisturbed} >= {
        "prepare/send PUT", "prepare/sent PUT", "prepare/commit", "prepare/committed", "follow_up/commit",
        "send/mail", "send/mailed", "send/commit", "send/committed",
    }  # fmt: skip
    for moment in some(undisturbed):
        with subtests.test(moment):
            begin_again(office)
            del inbox.mails[:]
            run = delivery.open_run(office.ws)
            delivery_crash.hour(settings, run, NOW, kill_at=moment)
            delivery_crash.hour(settings, run, NOW)
            assert outcome(office.dsn) == expected
            assert office.objects() == objects
            assert len(list(office.ws.objects().versions(BUCKET, "delivery/"))) == 3, "put once"
            sent = [(str(mail["To"]), str(mail["Message-ID"])) for mail in inbox.mails]
            assert len(set(sent)) == 3, "a mail that is sent twice keeps its Message-ID"
            assert len(sent) <= 4, "at most the one in hand is sent twice"


def test_a_withdrawal_killed_at_any_moment_and_repeated_ends_the_same(
    office: Office,  # noqa: F811
    inbox: Any,  # noqa: F811
    subtests: pytest.Subtests,
) -> None:
    settings = replace(office.ws.settings, mail=inbox.server._settings)
    ident = release_of(office.dsn)

    def sent() -> None:
        begin_again(office)
        delivery_crash.hour(settings, delivery.open_run(office.ws), NOW)

    sent()
    undisturbed = delivery_crash.withdrawal(settings, ident, NOW + DAY)
    expected = outcome(office.dsn)
    assert [row.kind for row in expected["mails"]].count("RECALL") == 1
    for moment in some(undisturbed):
        with subtests.test(moment):
            sent()
            delivery_crash.withdrawal(settings, ident, NOW + DAY, kill_at=moment)
            recall.withdraw(office.ws, ident, reason=delivery_crash.WHY, by=delivery_crash.WHO, now=NOW + DAY)
            assert outcome(office.dsn) == expected
            assert list(office.ws.objects().versions(BUCKET, f"delivery/author-one/{ident}/")) == []
