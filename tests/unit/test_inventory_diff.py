"""What changed between two inventories, and whether something that was recorded accounts for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.transfers.publishing.diff import UNEXPLAINED, Change, Line, Outcome, Snapshot, compare

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
INPUTS = {"registry": "r1", "data map": "m1", "reference data": "l1", "thresholds": "t1", "code": "c1"}
LOOKED = {"buckets": True, "registry": True, "data_map": True}
GOOD = Outcome("COVERED", "UK-US-DPF", None, "importer is active")
BAD = Outcome("UNCOVERED", "", None, "no instrument and no mechanism")


def line(place: str = "bucket:a", **said: Any) -> Line:
    key = said.pop("key", f"{place}/{said.get('importer', 'acme')}")
    return Line(**{
        "key": key,
        "place": place,
        "nature": "STORAGE",
        "country": "US",
        "importer": "acme",
        "transfer_id": "t-1",
        "seen_by": ("buckets", "registry"),
        "facts": {"purposes": ["conferences"]},
        "outcomes": {"UK": GOOD, "EU": GOOD},
        **said,
    })


def snapshot(*lines: Line, **said: Any) -> Snapshot:
    inputs = {**INPUTS, **said.pop("inputs", {})}
    return Snapshot(**{
        "run_id": "run",
        "taken_on": MONDAY,
        "judged_on": MONDAY,
        "inputs": inputs,
        "looked": LOOKED,
        "lines": {one.key: one for one in lines},
        **said,
    })


def only(found: tuple[Change, ...]) -> Change:
    (change,) = found
    return change


def test_the_same_inventory_has_no_changes_on_another_day() -> None:
    assert compare(snapshot(line()), snapshot(line(), judged_on=TUESDAY)) == ()


NEW_REGISTRY = {"inputs": {"registry": "r2"}}
NEW_MAP = {"inputs": {"data map": "m2"}}


@pytest.mark.parametrize(
    ("came", "then", "now", "why"),
    [
        (line(), {}, NEW_REGISTRY, "the registry declares it now, as t-1"),
        (line(seen_by=("data_map",), transfer_id=None), {}, NEW_MAP, "the data map names it now"),
        (line(seen_by=("buckets",)), {"looked": {"buckets": False}}, {}, "buckets did not look last time"),
        (line(seen_by=("grants",)), {}, {}, "grants did not look last time"),
        (line(seen_by=("buckets",), transfer_id=None), {}, {}, UNEXPLAINED),
        (line(seen_by=("buckets",), transfer_id=None), {}, NEW_REGISTRY, UNEXPLAINED),
        (line(), {}, {}, UNEXPLAINED),
    ],
    ids=[
        "declared_since",
        "mapped_since",
        "observer_was_blind",
        "observer_is_new",
        "appeared_in_the_world",
        "appeared_while_papers_changed",
        "declared_by_an_unchanged_registry",
    ],
)
def test_why_a_flow_came(came: Line, then: dict[str, Any], now: dict[str, Any], why: str) -> None:
    change = only(compare(snapshot(**then), snapshot(came, **now)))

    assert (change.kind, change.explanation) == ("flow_added", why)
    assert change.after == "UK COVERED, EU COVERED"


@pytest.mark.parametrize(
    ("went", "now", "why"),
    [
        (line(seen_by=("registry",)), NEW_REGISTRY, "the registry declares it no more"),
        (line(seen_by=("data_map",)), NEW_MAP, "the data map names it no more"),
        (line(seen_by=("buckets",)), {"looked": {"buckets": False}}, "buckets did not look in this run"),
        (line(seen_by=("buckets",)), {"looked": {}}, "buckets did not look in this run"),
        (line(), NEW_REGISTRY, UNEXPLAINED),
        (line(seen_by=("registry",)), {}, UNEXPLAINED),
    ],
    ids=[
        "declaration_withdrawn",
        "map_entry_withdrawn",
        "observer_is_blind",
        "observer_was_not_asked",
        "a_bucket_is_gone_whatever_the_papers_say",
        "gone_from_an_unchanged_registry",
    ],
)
def test_why_a_flow_went(went: Line, now: dict[str, Any], why: str) -> None:
    change = only(compare(snapshot(went), snapshot(**now)))

    assert (change.kind, change.explanation) == ("flow_removed", why)


def test_a_place_that_gets_declared_changes_its_receiver() -> None:
    nobody = line(importer="undeclared", transfer_id=None, seen_by=("buckets",))
    came, went = compare(snapshot(nobody), snapshot(line(), **NEW_REGISTRY))

    assert {came.kind, went.kind} == {"flow_added", "flow_removed"}
    assert {came.explanation, went.explanation} == {
        "the registry changed: acme receives it, before it was undeclared"
    }  # fmt: skip


def test_a_flow_whose_facts_change_names_them_and_the_registry() -> None:
    now = line(facts={"purposes": ["conferences"], "owner": "web"})
    change = only(compare(snapshot(line()), snapshot(now, **NEW_REGISTRY)))

    assert (change.kind, change.after) == ("flow_changed", "owner")
    assert change.explanation == "registry changed: owner"


def test_facts_that_change_by_themselves_are_unexplained() -> None:
    now = line(facts={"purposes": ["marketing"]}, outcomes={"UK": BAD, "EU": GOOD})
    found = compare(snapshot(line()), snapshot(now))

    assert [(c.kind, c.regime, c.explanation) for c in found] == [
        ("flow_changed", "", UNEXPLAINED),
        ("verdict_changed", "UK", UNEXPLAINED),
    ]


@pytest.mark.parametrize(
    ("now", "why"),
    [
        ({"inputs": {"reference data": "l2"}}, "reference data changed"),
        ({"inputs": {"thresholds": "t2"}}, "thresholds changed"),
        ({"inputs": {"code": "c2"}}, "code changed"),
        ({"judged_on": TUESDAY}, "judged on 2026-11-24, before on 2026-11-23: no instrument and no mechanism"),
        ({}, UNEXPLAINED),
    ],
    ids=["law_row_changed", "threshold_changed", "code_changed", "a_day_passed", "nothing_changed"],
)
def test_why_a_verdict_changed(now: dict[str, Any], why: str) -> None:
    worse = line(outcomes={"UK": BAD, "EU": GOOD})
    change = only(compare(snapshot(line()), snapshot(worse, **now)))

    assert (change.kind, change.regime) == ("verdict_changed", "UK")
    assert (change.before, change.after) == ("COVERED UK-US-DPF", "UNCOVERED")
    assert change.explanation == why


def test_a_verdict_that_ends_with_its_instrument_names_the_last_day() -> None:
    ending = replace(GOOD, expires_on=MONDAY)
    before = snapshot(line(outcomes={"UK": ending, "EU": GOOD}))
    change = only(compare(before, snapshot(line(outcomes={"UK": BAD, "EU": GOOD}), judged_on=TUESDAY)))

    assert change.explanation == "the last good day of UK-US-DPF was 2026-11-23"


PLACES = st.sets(st.sampled_from([f"bucket:{name}" for name in "abcdef"]))


@given(PLACES, PLACES)
def test_every_flow_that_differs_is_said_once_and_no_other(before: set[str], after: set[str]) -> None:
    found = compare(snapshot(*map(line, before)), snapshot(*map(line, after)))

    assert [c.place for c in found] == sorted(before ^ after)
    assert {c.place for c in found if c.kind == "flow_added"} == after - before
    assert not any(c.explained for c in found)  # nothing was recorded that accounts for any of it
