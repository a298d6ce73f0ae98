"""Free text of a child is read, and none of its words stay anywhere but where the child wrote them."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from privacy_ops.errors import PrivacyOpsError
from privacy_ops.minors import detect, signals

from tests.integration.press import NOW, Press
from tests.integration.test_minors_signals import night, wide

__all__ = ["wide"]
CANARY = "quokkaberry"
TEXT = f"Hello {CANARY}, I am 16 and I like {CANARY}."
YESTERDAY = NOW - timedelta(days=1)


def tables_with(press: Press, word: str) -> list[str]:
    """Every table of the database, and every column of it as text, in which the word stands."""
    found = []
    for schema, table in press.execute(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
        " AND table_schema NOT IN ('pg_catalog', 'information_schema')"
    ):
        rows = press.scalar(f'SELECT count(*) FROM "{schema}"."{table}" AS t WHERE CAST(t AS text) ILIKE \'%{word}%\'')
        if rows:
            found.append(f"{schema}.{table}")
    return found


def test_words_of_a_child_stay_where_the_child_wrote_them(
    wide: Press, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    wide.person(bio=TEXT, at=YESTERDAY)
    facts = night(wide)
    ((rule, start, end),) = wide.execute("SELECT rule, span_start, span_end FROM gov.minor_signal")
    assert (rule, TEXT[start:end]) == ("en-i-am", "I am 16")
    assert tables_with(wide, CANARY) == ["press.profile"]
    printed = capfd.readouterr()
    assert CANARY not in caplog.text + printed.out + printed.err + repr(facts)


def test_the_search_for_the_word_finds_it_where_it_is_planted(wide: Press) -> None:
    wide.person(bio=TEXT, at=YESTERDAY)
    wide.execute("CREATE TABLE gov.leak (line text)")
    wide.execute("INSERT INTO gov.leak VALUES (:line)", line=f"found {CANARY.upper()} in a biography")
    assert sorted(tables_with(wide, CANARY)) == ["gov.leak", "press.profile"]


def test_an_error_while_reading_says_nothing_of_the_text(wide: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that the database cannot copy is the worst case: its message quotes the line."""
    wide.person(bio=TEXT, at=YESTERDAY)
    said = signals.interpret

    def spoilt(source: Any, value: Any, context: Any) -> Any:
        found = said(source, value, context)
        if found is not None and found.place is not None:
            object.__setattr__(found.place, "end", f"{CANARY} is no number")
        return found

    monkeypatch.setattr(detect, "interpret", spoilt)
    with pytest.raises(PrivacyOpsError) as failure:
        night(wide)
    shown: BaseException | None = failure.value
    while shown is not None:
        assert CANARY not in str(shown)
        shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)
    assert wide.scalar("SELECT count(*) FROM gov.minor_case") == 0


def test_only_texts_that_may_say_an_age_leave_the_database(wide: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred long texts of somebody whose one sentence counts: the others are passed by."""
    who = wide.person(bio=TEXT, at=YESTERDAY)
    ticket = wide.add("ticket", requester_email="somebody@example.org", user_id=who)
    for _ in range(100):
        wide.add("ticket_message", ticket_id=ticket, body="The video stops and the sound goes on. " * 50)
    read: list[int] = []
    said = signals.interpret
    monkeypatch.setattr(
        detect,
        "interpret",
        lambda source, value, context: read.append(len(value.value)) or said(source, value, context),
    )
    night(wide)
    assert read
    assert max(read) < 200
