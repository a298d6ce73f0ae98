"""What a person is asked before a release: words of the registry act upon nothing in Airflow's Markdown."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from privacy_ops.usage.release import _pack_line


def asked(recipient: str, product: str = "EXP-AUTHOR") -> str:
    pack: Any = SimpleNamespace(product=product, recipient_id=recipient, period=SimpleNamespace(key="2026-W46"))
    table = SimpleNamespace(spec=SimpleNamespace(name="course"), rows=[1, 2])
    content: Any = SimpleNamespace(tables=[table])
    return _pack_line(pack, content)


def test_a_pack_is_named_with_its_recipient_period_and_rows() -> None:
    assert asked("author-one") == "- EXP-AUTHOR for author-one, 2026-W46: course with 2 rows"


@pytest.mark.parametrize(
    "hostile",
    ["[x](javascript:alert(1))", "![x](https://elsewhere.example.org/p.png)", "<img src=x onerror=alert(1)>", "a\n# b"],
)
def test_a_hostile_name_of_a_recipient_or_product_is_words(hostile: str) -> None:
    from markdown_it import MarkdownIt

    for line in (asked(hostile), asked("author-one", hostile)):
        tokens = [t for outer in MarkdownIt().parse(line) for t in (outer, *(outer.children or ()))]
        kinds = {token.type for token in tokens}
        assert not kinds & {"link_open", "image", "html_inline", "html_block", "heading_open"}, kinds
        assert "text" in kinds
