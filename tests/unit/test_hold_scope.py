"""What a hold over parts of a case may name."""

from __future__ import annotations

import pytest
from privacy_ops.datamap import scope
from privacy_ops.errors import UserError

from tests.integration.press import map_of

MAP = map_of()


@pytest.mark.parametrize(
    ("names", "cells"),
    [
        ((), {}),
        (("press.comment.body",), {"press.comment": ("body",)}),
        (("press.comment.body", "press.comment.id", "press.comment.body"), {"press.comment": ("body", "id")}),
        (("press.comment",), {"press.comment": ("id", "user_id", "parent_id", "body")}),
        (("press.sale",), {"press.sale": ("user_id", "bill_name")}),
        (("press.account.email", "press.sale.bill_name"), {"press.account": ("email",), "press.sale": ("bill_name",)}),
    ],
)
def test_a_scope_is_read_as_the_cells_that_would_go(names: tuple[str, ...], cells: dict[str, tuple[str, ...]]) -> None:
    assert {table: set(columns) for table, columns in scope.cells(MAP, names).items()} == {
        table: set(columns) for table, columns in cells.items()
    }


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("press.nowhere", "no such table"),
        ("nonsense", "no such table"),
        ("press.comment.colour", "no such column"),
        ("press.sale.total", "no erasure touches this column"),
        ("press.sale_line", "no erasure touches this table"),
        ("press.profile.photo_key", "leads to files"),
        ("press.profile", "leads to files"),
    ],
)
def test_what_a_hold_cannot_keep_is_refused_by_name(name: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        scope.cells(MAP, (name,))
