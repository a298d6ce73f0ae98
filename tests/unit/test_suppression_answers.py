"""How identifiers are written the same way, and what a returning record is answered."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from privacy_ops import pseudonyms, thresholds
from privacy_ops.erasure.returning.suppression import Answer, Entry, canonical, decide, provider_email, references
from privacy_ops.settings import KeyRing

LIMITS = thresholds.load(Path(__file__).parents[2] / "include" / "thresholds.yaml")
# Made-up providers: one that ignores dots, one that only knows tags, one that ignores every sign.
PROVIDERS = (
    thresholds.MailProvider(
        main="dots.example.org", domains=("dots.example.org", "old-dots.example.org"), ignores=".", tag="+"
    ),
    thresholds.MailProvider(main="tags.example.org", domains=("tags.example.org",), tag="+"),
    thresholds.MailProvider(
        main="signs.example.org", domains=("signs.example.org", "s.example.org"), ignores="._-", tag="+"
    ),
)
ERASED = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LIVE = Entry(ERASED, date(2028, 6, 30))
BEFORE, AFTER = ERASED - timedelta(seconds=1), ERASED + timedelta(days=300)

locals_ = st.text(st.characters(codec="utf-8", exclude_characters="@"), min_size=1, max_size=12)
plain = st.text("abcdefghijklmnopqrstuvwxyz0123456789._+-", min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(locals_, st.sampled_from(["example.org", "EXAMPLE.ORG", "bücher.example.org", "例え.example.org"]))
@example("ΟΔΟΣ", "example.org")
@example("İx", "example.org")
@example("\u1fc3\u0345", "example.org")
@example("\u200b kim", "example.org")
def test_writing_an_address_canonically_twice_changes_nothing(local: str, domain: str) -> None:
    once = pseudonyms.normalise_email(f"{local}@{domain}")
    assert pseudonyms.normalise_email(once) == once


@settings(max_examples=100, deadline=None)
@given(plain, st.sampled_from([" ", "\t", "\u00a0", "\u3000", "\ufeff", "\r\n", "\u200b"]))
def test_case_whitespace_and_full_width_variants_are_one_address(local: str, space: str) -> None:
    address = f"{local}@example.org"
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in address)
    for variant in (address.upper(), f"{space}{address}{space}", address.title(), wide):
        assert pseudonyms.normalise_email(variant) == address


@settings(max_examples=100, deadline=None)
@given(plain, plain)
def test_different_people_stay_apart(one: str, other: str) -> None:
    same = pseudonyms.normalise_email(f"{one}@example.org") == pseudonyms.normalise_email(f"{other}@example.org")
    assert same == (one == other)


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("Kim.Lowe+news@Old-Dots.example.org", "kimlowe@dots.example.org"),
        ("kimlowe@dots.example.org", "kimlowe@dots.example.org"),
        ("kim.lowe+news@tags.example.org", "kim.lowe@tags.example.org"),
        ("kim_lowe@s.example.org", "kimlowe@signs.example.org"),
        ("kim.lowe+news@example.org", None),
        ("+news@dots.example.org", None),
        ("no address", None),
    ],
)
def test_only_providers_known_to_ignore_dots_and_tags_have_a_second_form(address: str, mailbox: str | None) -> None:
    assert provider_email(address, PROVIDERS) == mailbox


def test_the_first_form_keeps_dots_and_tags_at_every_provider() -> None:
    assert canonical("email", " Kim.Lowe+a@dots.example.org ", PROVIDERS) == (
        ("email", "kim.lowe+a@dots.example.org"),
        ("email_provider", "kimlowe@dots.example.org"),
    )
    assert canonical("email", "  ", PROVIDERS) == ()
    assert canonical("external:badge_code", " B1 ") == (("external:badge_code", "B1"),)


def test_a_look_up_asks_under_every_key_still_held() -> None:
    old, new = (KeyRing({"suppression": {k: k.encode() * 16}}, {"suppression": k}) for k in ("k1", "k2"))
    both = KeyRing({"suppression": {"k1": b"k1" * 16, "k2": b"k2" * 16}}, {"suppression": "k2"})
    asked = set(references(both, "email", "Kim@example.org"))
    assert asked == {*references(old, "email", "kim@example.org "), *references(new, "email", "kim@example.org")}


@pytest.mark.parametrize(
    ("created", "today", "answer"),
    [
        pytest.param(BEFORE, date(2026, 12, 1), Answer.REJECT, id="a record made before the erasure"),
        pytest.param(BEFORE, date(2035, 1, 1), Answer.REJECT, id="such a record never comes back"),
        pytest.param(ERASED, date(2026, 12, 1), Answer.REVIEW, id="made at the very moment: not before it"),
        pytest.param(AFTER, date(2027, 9, 18), Answer.REVIEW, id="a sign-up before the end is looked at"),
        pytest.param(AFTER, date(2028, 6, 30), Answer.REVIEW, id="the last day of the quarter"),
        pytest.param(AFTER, date(2028, 7, 1), Answer.ACCEPT, id="of age: welcome"),
        pytest.param(None, date(2026, 12, 1), Answer.REJECT, id="a vendor's list says no date: it counts as old"),
        pytest.param(None, date(2028, 7, 1), Answer.REVIEW, id="no date, after the end: people look"),
    ],
)
def test_what_is_blocked_is_old_data_and_not_a_human_being(
    created: datetime | None, today: date, answer: Answer
) -> None:
    assert decide([LIVE], record_created_at=created, today=today) is answer


def test_nobody_is_blocked_by_no_entry() -> None:
    assert decide([], record_created_at=None, today=date(2026, 12, 1)) is Answer.ACCEPT


def test_of_two_erasures_the_stricter_answer_counts() -> None:
    ended = Entry(ERASED - timedelta(days=900), date(2025, 3, 31))
    assert decide([ended, LIVE], record_created_at=AFTER, today=date(2027, 9, 18)) is Answer.REVIEW
    assert decide([ended], record_created_at=AFTER, today=date(2027, 9, 18)) is Answer.ACCEPT
