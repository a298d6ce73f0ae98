"""Titles in files: one line, no formula, nothing lost but what is invisible."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from privacy_ops.usage.files.text import is_formula, markdown, one_line, plain, safe

ANY = st.text(st.characters(), max_size=40)
RISKY = st.tuples(
    st.sampled_from(["", "'", '"', "''", " ", "\u00a0", "\u200b", "\ufeff", "“", "\t", "\r\n", "＇"]),
    st.sampled_from("=+-@＝＋－＠−"),
    ANY,
).map("".join)


@pytest.mark.parametrize(
    "title",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\u00a0=1",
        "\u3000=1",
        '"=1"',
        "“=1”",
        "'=1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "−1",
        "\ufeff=1",
        "\u200b=1",
        '=HYPERLINK("http://x.example.org","y")',
        "=cmd|' /C calc'!A0",
    ],
)
def test_what_a_spreadsheet_may_take_for_a_formula_begins_with_an_apostrophe(title):
    assert safe(title).startswith("'")
    assert is_formula(one_line(title)) or title.startswith("'")
    assert not is_formula(safe(title))
    assert plain(safe(title)) == one_line(title)


@pytest.mark.parametrize("title", ["HIV, the basics", "C++ for clinicians", "a=b", "“Best” practice", "'Tis", "5-15"])
def test_an_ordinary_title_is_left_alone(title):
    assert safe(title) == title


@given(ANY | RISKY)
@example("\ud800=1")
@example("a\u202egnp.exe")
@example("line\u2028two\x00three\x85four")
def test_any_unicode_becomes_one_safe_line_from_which_the_title_comes_back(title):
    shown = safe(title)
    assert shown.encode().decode() == shown
    assert not any(ord(char) < 32 or char in "\x7f\x85\u2028\u2029\u202e" for char in shown)
    assert not is_formula(shown)
    assert plain(shown) == one_line(title)
    assert one_line(one_line(title)) == one_line(title)


@given(ANY | RISKY, ANY | RISKY)
@example("=1", "'=1")
def test_two_titles_never_become_one(one, other):
    assert (safe(one) == safe(other)) == (one_line(one) == one_line(other))


def test_markdown_does_not_act_on_a_name():
    assert markdown("A [Ltd](http://x) *b* `c` <d>\n# e") == (r"A \[Ltd\](http://x) \*b\* \`c\` \<d\> \# e")
