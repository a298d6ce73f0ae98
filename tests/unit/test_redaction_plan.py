"""Characters taken out of a text: exactly these, and never another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.erasure.redaction import MARKER, redacted, spans_of
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
