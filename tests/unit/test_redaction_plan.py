"""Characters taken out of a text: exactly these, and never another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.erasure.redaction import MARKER, outcome, redacted, spans_of
from privacy_ops.errors import UserError


@given(st.text(max_size=60), st.lists(st.integers(0, 60), min_size=2, max_size=8, unique=True))
def test_what_is_not_named_stays_character_by_character(written: str, cuts: list[int]) -> None:
    bounds = sorted(c for c in cuts if c <= len(written))
    spans = list(zip(bounds[::2], bounds[1::2], strict=False))
    if not spans:
        return
    after = redacted(written, spans)
    stays, end = [], 0
    for first, last in spans:
        stays.append(written[end:first])
        end = last
    assert after == MARKER.join([*stays, written[end:]])


@pytest.mark.parametrize(
    "spans", [(), ((3, 3),), ((4, 2),), ((-1, 2),), ((0, 99),), ((4, 6), (0, 2)), ((0, 4), (3, 6))]
)
def test_places_that_are_none_are_refused(spans: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(UserError):
        redacted("a text of words", spans)


@pytest.mark.parametrize(
    ("words", "places"),
    [("ada", [(0, 3), (14, 17)]), (" ADA ", [(0, 3), (14, 17)]), ("eve", []), ("", [])],
)
def test_words_are_found_wherever_they_stand(words: str, places: list[tuple[int, int]]) -> None:
    assert spans_of("Ada wrote to, ada", words) == places


A, B, LEAD, EDITOR = "ann", "bob", "lena", "edith"
GROUPS = ({EDITOR}, {LEAD})


@pytest.mark.parametrize(
    ("name", "published", "answers", "result"),
    [
        ("one_is_not_two", False, "ann+", "proposed"),
        ("two_are", False, "ann+ bob+", "confirmed"),
        ("one_no_ends_it", False, "ann+ bob+ lena-", "rejected"),
        ("two_reviewers_do_not_change_a_public_record", True, "ann+ bob+", "proposed"),
        ("the_lead_without_an_editor_neither", True, "ann+ lena+", "proposed"),
        ("the_editor_without_the_lead_neither", True, "ann+ edith+", "proposed"),
        ("both_together_do", True, "edith+ lena+", "confirmed"),
        ("or_they_leave_it", True, "edith- lena-", "kept"),
        ("one_no_does_not_leave_it", True, "lena-", "proposed"),
        ("while_they_disagree_nothing_is_decided", True, "edith+ lena-", "proposed"),
        ("whoever_looked_has_not_answered", False, "ann? bob?", "proposed"),
    ],
)
def test_what_answers_about_a_mention_come_to(name: str, published: bool, answers: str, result: str) -> None:
    kinds = {"+": "confirmed", "-": "rejected", "?": "viewed"}
    for way in ("login", "account"):
        given_ = [(way, word[:-1], kinds[word[-1]]) for word in answers.split()]
        assert outcome(given_, published=published, groups=GROUPS) == result


def test_people_of_two_ways_and_names_that_were_only_given_do_not_add_up() -> None:
    assert outcome([("login", A, "confirmed"), ("account", B, "confirmed")], published=False) == "proposed"
    assert outcome([("given", A, "confirmed"), ("given", B, "confirmed")], published=False) == "proposed"
    two = [("login", A, "confirmed"), ("login", B, "confirmed")]
    assert outcome(two, published=True, groups=((), ())) == "confirmed", "nobody named: any two"
