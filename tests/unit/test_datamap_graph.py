"""The order in which rows can go."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.datamap.graph import Graph

from tests.datamap_factories import a_catalogue, a_key, a_map, a_table

NAMES = [f"t{i}" for i in range(8)]


def graph(*edges: tuple[str, str]) -> Graph:
    return Graph(tuple(a_key(child, "x", parent) for child, parent in edges))


def test_leaves_go_before_what_they_lean_on() -> None:
    order = graph(("line", "order"), ("order", "person"), ("note", "person")).deletion_order([
        "person",
        "order",
        "line",
        "note",
    ])
    assert order == [["line"], ["note"], ["order"], ["person"]]


def test_circle_is_one_component_between_its_children_and_its_parents() -> None:
    order = graph(("a", "b"), ("b", "a"), ("leaf", "a"), ("b", "root")).deletion_order(["a", "b", "leaf", "root"])
    assert order == [["leaf"], ["a", "b"], ["root"]]


def test_self_reference_does_not_make_a_circle_and_is_told() -> None:
    replies = graph(("comment", "comment"))
    assert replies.deletion_order(["comment"]) == [["comment"]]
    assert [edge.to for edge in replies.refers_to_itself("comment")] == ["comment"]
    assert replies.refers_to_itself("other") == ()


def test_tables_without_edges_are_in_the_order_too() -> None:
    assert graph().deletion_order(["b", "a"]) == [["a"], ["b"]]


def test_edges_to_tables_that_were_not_asked_for_are_left_out() -> None:
    assert graph(("a", "elsewhere"), ("b", "a")).deletion_order(["a", "b"]) == [["b"], ["a"]]


def test_composite_key_keeps_its_columns_in_pairs() -> None:
    key = a_key("loan", "branch no", "reader", "branch_code reader_no")
    assert Graph((key,)).children_of("reader") == (key,)
    assert Graph((key,)).parents_of("loan") == (key,)


def test_link_of_the_map_orders_tables_that_no_foreign_key_joins() -> None:
    live = a_catalogue(a_table("person", "id integer, mail text"), a_table("letter", "mail text", key=("mail",)))
    assert Graph.of(live).deletion_order(["letter", "person"]) == [["letter"], ["person"]]  # by name alone
    (edge,) = (e for e in Graph.of(live, a_map()).children_of("person") if e.table == "letter")
    assert (edge.name, edge.columns, edge.references) == ("", ("mail",), ("mail",))


def test_link_that_a_foreign_key_backs_is_one_edge() -> None:
    live = a_catalogue(a_table("note", "id integer, person_id integer", a_key("note", "person_id", "person")))
    assert [e.name for e in Graph.of(live, a_map()).parents_of("note")] == ["note_person_id"]


def test_descendants_reach_through_circles() -> None:
    assert graph(("a", "root"), ("b", "a"), ("a", "b"), ("c", "b")).descendants_of("root") == {"a", "b", "c"}


@given(st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES))))
def test_every_child_goes_before_its_parent_unless_they_share_a_component(edges: set[tuple[str, str]]) -> None:
    some = graph(*sorted(edges))
    order = some.deletion_order(NAMES)
    assert sorted(table for component in order for table in component) == NAMES
    place = {table: number for number, component in enumerate(order) for table in component}
    for child, parent in edges:
        assert place[child] <= place[parent]
    for component in order:
        for table in component:  # a component is a real circle: each leads to each
            assert len(component) == 1 or set(component) - {table} <= some.descendants_of(table)


@given(st.permutations(NAMES), st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES))))
def test_order_does_not_hang_on_how_tables_are_listed(names: list[str], edges: set[tuple[str, str]]) -> None:
    some = graph(*sorted(edges))
    assert some.deletion_order(names) == some.deletion_order(NAMES)


def test_thousands_of_tables_in_a_row_do_not_exhaust_the_stack() -> None:
    names = [f"t{i:05d}" for i in range(5000)]
    chain = graph(*pairwise(names))
    assert chain.deletion_order(names) == [[name] for name in names]
