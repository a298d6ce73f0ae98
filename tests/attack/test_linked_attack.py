"""An attacker of linked tables who holds files and knows the rules: he must fail, and must be able to succeed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.disclosure.linked.audit import Contradiction, audit, too_narrow
from privacy_ops.disclosure.linked.cells import Need, PublishedCell
from privacy_ops.disclosure.linked.compare import compare
from privacy_ops.disclosure.linked.frame import Dimension, Entry, Frame, Key, Measure
from privacy_ops.disclosure.linked.primary import primaries
from privacy_ops.disclosure.linked.protect import Mask, protect
from privacy_ops.disclosure.linked.publish import project, publish
from privacy_ops.disclosure.linked.rules import Rules
from privacy_ops.disclosure.linked.table import Facts, Table
from scipy.optimize import linprog

from tests.linked_tables import LINKS, RULES, Person, count, course_frame, crossed, flat, linked_tables, numbers, stress

few = settings(max_examples=25, deadline=None)
EXACT = Rules(round_to=1)


def only_primaries(table: Table, rules: Rules = RULES) -> Mask:
    """A weakened protection: small numbers are withheld, nothing protects them."""
    found = primaries(table, rules)
    return Mask(found.reasons, found.needs)


# What holds for every release


@few
@given(linked_tables())
def test_nothing_withheld_is_recovered_or_told_too_closely(table):
    mask = protect(table, RULES)
    cells = publish(table, mask, RULES)
    assert not mask.unmet
    assert too_narrow(audit(cells, table.frame, RULES, mask.needs)) == ()
    assert too_narrow(audit(cells, table.frame, RULES)) == ()


@few
@given(linked_tables())
def test_numbers_are_protected_before_they_are_rounded(table):
    """Rounding is a second defence: a reader who knew every published number exactly learns no more."""
    mask = protect(table, RULES)
    assert too_narrow(audit(publish(table, mask, EXACT), table.frame, EXACT, mask.needs)) == ()


@pytest.mark.parametrize("seed", range(3))
def test_that_people_are_whole_numbers_tells_no_more(seed):
    """Three linked tables; the attacker solves integer programs, and knows every published number exactly."""
    table = stress(seed, 250, modules=3, countries=7, professions=3)
    mask = protect(table, RULES)
    assert too_narrow(audit(publish(table, mask, EXACT), table.frame, EXACT, mask.needs, whole=True)) == ()


@few
@given(linked_tables(), st.data())
def test_a_file_of_some_rows_and_columns_is_no_weaker(table, data):
    mask = protect(table, RULES)
    cells = publish(table, mask, RULES)
    rows = data.draw(st.lists(st.sampled_from(table.frame.keys), min_size=1, unique=True))
    file = project(cells, rows, ["starters"])
    assert too_narrow(audit(file, table.frame, RULES, mask.needs)) == ()
    assert too_narrow(audit(file, table.frame, RULES)) == ()


@settings(max_examples=20, deadline=None)
@given(linked_tables())
def test_the_true_number_is_always_inside_the_attackers_interval(table):
    for weak in (protect(table, RULES), only_primaries(table)):
        for found in audit(publish(table, weak, RULES), table.frame, RULES, exact=True):
            truth = table.value(found.entry)
            assert found.low - 0.5 < truth
            assert found.high is None or truth < found.high + 0.5


@few
@given(linked_tables())
def test_the_mask_depends_on_counts_and_rules_alone(table):
    """Not on the order in which facts arrive, nor on what was computed before."""
    shuffled = Table(
        replace(table.frame, keys=tuple(reversed(table.frame.keys))),
        {key: table.facts[key] for key in reversed(table.frame.keys)},
    )
    first, second = protect(table, RULES), protect(shuffled, RULES)
    assert list(first.reasons.items()) == list(second.reasons.items())
    assert list(first.needs.items()) == list(second.needs.items())


def test_another_process_writes_the_same_bytes():
    script = (
        "from privacy_ops.disclosure.linked.protect import protect\n"
        "from privacy_ops.disclosure.linked.publish import publish\n"
        "from tests.linked_tables import RULES, stress\n"
        "table = stress(5, people=800, modules=5, countries=8, professions=4)\n"
        "for cell in publish(table, protect(table, RULES), RULES):\n"
        "    print(cell.key, sorted(cell.values.items()))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASH[0]": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


@few
@given(linked_tables(), st.data())
def test_another_recipient_changes_nothing(table, data):
    """Every file is a filter of one master: all files show a number alike, and a coalition holds no more than it."""
    mask = protect(table, RULES)
    master = publish(table, mask, RULES)
    shown = {cell.key: cell.values for cell in master}
    files = [
        project(master, data.draw(st.lists(st.sampled_from(table.frame.keys), unique=True)), names)
        for names in (["starters"], ["starters", "completers"], ["completers"])
    ]
    for file in files:
        for cell in file:
            assert all(value == shown[cell.key][name] for name, value in cell.values.items())
    for coalition in combinations(files, 2):
        together = [cell for file in coalition for cell in file]
        assert too_narrow(audit(together, table.frame, RULES, mask.needs)) == ()


@few
@given(linked_tables())
def test_shape_and_marks_do_not_tell_zeros_from_small_counts(table):
    """The rows are the public list in its order, and a withheld number is nothing at all, whatever it was."""
    mask = protect(table, RULES)
    cells = publish(table, mask, RULES)
    assert [cell.key for cell in cells] == list(table.frame.keys)
    assert len({tuple(cell.values) for cell in cells}) == 1
    for cell in cells:
        for measure in ("starters", "completers"):
            value = cell.values[measure]
            if table.value(Entry(cell.key, measure)) < RULES.min_people:
                assert value is None
            assert value is None or (isinstance(value, int) and value >= 10 and value % 5 == 0)


def test_a_row_of_zeros_reads_like_a_row_of_small_counts():
    with_zero = numbers([0, 40, 50], [30, 40, 60], [50, 60, 70])
    with_few = numbers([4, 40, 50], [30, 40, 60], [50, 60, 70])
    flags = [
        {cell.key: cell.values["starters"] is None for cell in publish(t, protect(t, RULES), RULES)}
        for t in (with_zero, with_few)
    ]
    assert flags[0] == flags[1]


def test_a_course_that_never_had_enough_people_shows_nothing():
    table = numbers([40, 50], [60, 70])
    cells = publish(table, protect(table, RULES, is_open=False), RULES)
    assert {cell.values["starters"] for cell in cells} == {None}


# Each weakened protection is broken by the same attacker


def broken(table: Table, mask: Mask, rules: Rules = RULES) -> set[Entry]:
    return {i.entry for i in too_narrow(audit(publish(table, mask, rules), table.frame, rules, mask.needs))}


def test_without_complementary_suppression_a_margin_gives_the_number_back():
    table = numbers([143 - 7, 7], [90, 80])
    assert Entry(("r0", "c1"), "starters") in broken(table, only_primaries(table), EXACT)
    assert Entry(("r0", "c1"), "starters") in broken(table, only_primaries(table)), "rounding alone does not help"
    assert not broken(table, protect(table, RULES))


def test_four_withheld_numbers_of_two_tables_are_solved_although_no_line_has_one_alone():
    """Each line of each table withholds two or none; only the linked tables together give them back."""
    table = count(
        course_frame(*LINKS),
        [
            Person(((module,), (country,), (profession,)), frozenset({"starters"}))
            for module, country, profession, people in (
                ("m0", "GB", "doctor", 5),
                ("m0", "FR", "nurse", 40),
                ("m1", "US", "nurse", 30),
                ("m2", "US", "doctor", 60),
            )
            for _ in range(people)
        ],
    )
    assert broken(table, only_primaries(table))
    assert not broken(table, protect(table, RULES))


def test_a_mask_made_of_rounded_counts_shows_small_ones():
    """Eight becomes ten and passes: the rules look at true counts, and rounding comes last."""
    table = numbers([8, 60, 70], [80, 90, 60])
    rounded = numbers(*([RULES.rounded(n) for n in row] for row in ([8, 60, 70], [80, 90, 60])))
    eight = Entry(("r0", "c0"), "starters")
    assert eight not in protect(rounded, RULES).withheld
    assert eight in protect(table, RULES).withheld


@pytest.mark.parametrize("seed", range(3))
def test_published_zeros_leave_small_counts_no_room(seed):
    """One mask, before readers who are told which of the withheld numbers are zeros, and others who are not."""
    table = numbers(*np.random.default_rng(seed).choice((0, 0, 4, 30, 60), (4, 4)).tolist())
    mask = protect(table, RULES)
    zeros = {key: told(table, key) for key in table.facts if table.value(Entry(key, "starters")) == 0}
    known = {k: (0.0, None) if Entry(k, "starters") in mask.withheld else told(table, k) for k in table.facts}

    def wrong(facts: dict[Key, tuple[float, float | None]]) -> int:
        found = second_opinion(table, facts)
        return sum(1 for e, need in mask.needs.items() if e.key not in zeros and not need.met_by(*found[e.key]))

    assert wrong(known) == 0
    assert wrong(known | zeros) > 0


def test_a_stricter_file_that_is_only_filtered_gives_the_number_back():
    """Regions 60, 40 and 15 with total 115, for a reader whose threshold is 20."""
    regions = flat("region", ["a", "b", "c"])
    frame = Frame((regions,), (Measure("starters"),), crossed((regions,), ("region",)))
    table = Table(frame, {(k,): Facts({"starters": n}) for k, n in {"a": 60, "b": 40, "c": 15, "*": 115}.items()})
    strict = Rules(min_people=20)
    master = protect(table, RULES)
    assert not master.withheld
    assert broken(table, only_primaries(table, strict), strict) == {Entry(("c",), "starters")}
    nested = protect(table, strict, given=master.withheld)
    assert master.withheld <= nested.withheld
    assert not broken(table, nested, strict)


@few
@given(linked_tables())
def test_a_stricter_files_mask_holds_the_masters_and_is_closed_in_itself(table):
    strict = Rules(min_people=20)
    master = protect(table, RULES)
    nested = protect(table, strict, given=master.withheld)
    assert master.withheld <= nested.withheld
    assert not broken(table, nested, strict)


def test_completers_beside_starters_tell_of_the_few_who_did_not():
    frame = Frame(
        (flat("country", ["GB"]),), (Measure("starters"), Measure("completers", within="starters")), (("*",),)
    )
    table = Table(frame, {("*",): Facts({"starters": 55, "completers": 50})})
    mask = protect(table, RULES)
    assert mask.withheld == {Entry(("*",), "completers")}
    complement = Entry(("*",), "not completers")
    assert complement in mask.needs
    weak = Mask({}, mask.needs)
    with pytest.raises(Contradiction):  # the rule itself says that this pair is never shown
        audit(publish(table, weak, RULES), frame, RULES, mask.needs)


def test_modules_as_overlapping_sets_pin_what_plain_sums_would_not():
    """A course of 100 with modules of 95 and 9: the course is at most their sum."""
    frame = Frame(
        (flat("module", ["m0", "m1"]),),
        (Measure("starters", unions=frozenset({"module"})),),
        (("*",), ("m0",), ("m1",)),
    )
    table = Table(frame, {k: Facts({"starters": n}) for k, n in {("*",): 100, ("m0",): 92, ("m1",): 9}.items()})
    assert broken(table, only_primaries(table)) == {Entry(("m1",), "starters")}
    assert not broken(table, protect(table, RULES))
    unknowing = replace(frame, measures=(Measure("starters", unrelated=frozenset({"module"})),))
    mask = protect(Table(unknowing, table.facts), RULES)
    assert mask.withheld == {Entry(("m1",), "starters")}, "a protector who knows no inequality withholds too little"


def test_a_share_near_all_is_not_told_by_its_counts():
    frame = Frame(
        (flat("country", ["GB"]),),
        (Measure("starters"), Measure("completers", within="starters", share=True)),
        (("*",),),
    )
    table = Table(frame, {("*",): Facts({"starters": 500, "completers": 480})})
    (cell,) = publish(table, protect(table, RULES), RULES)
    assert cell.values == {"starters": 500, "completers": None, "share completers": None}


def test_a_hospitals_own_course_keeps_a_fifth_of_its_count():
    rules = Rules(min_institutions=3)
    countries = flat("country", ["GB", "FR", "US"])
    frame = Frame((countries,), (Measure("starters"),), crossed((countries,), ("country",)))
    people = [
        Person(((country,),), frozenset({"starters"}), institution=f"{country} {number % kinds}")
        for country, size, kinds in (("GB", 200, 1), ("FR", 300, 9), ("US", 400, 9))
        for number in range(size)
    ]
    table = count(frame, people)
    mask = protect(table, rules)
    entry = Entry(("GB",), "starters")
    assert mask.reasons[entry] == "institutions"
    assert mask.needs[entry] == Need(width=40)
    assert entry in broken(table, Mask({entry: "institutions"}, {entry: mask.needs[entry]}), rules)
    assert not broken(table, mask, rules)


# The attacker is right


def test_the_attacker_shares_nothing_with_the_protector_but_the_description_of_tables():
    script = (
        "import sys, privacy_ops.disclosure.linked.audit\n"
        "print(*sorted(m.rsplit('.', 1)[1] for m in sys.modules if m.startswith('privacy_ops.disclosure.linked.')))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ).stdout
    assert said.split() == ["audit", "cells", "frame", "rules"]


def told(table: Table, key: Key) -> tuple[float, float | None]:
    value = float(table.value(Entry(key, "starters")))
    return value, value


def second_opinion(table: Table, known: dict[Key, tuple[float, float | None]]) -> dict[Key, tuple[float, float]]:
    """Intervals of every number of a plain table by another builder of equations and another interface."""
    keys = list(table.frame.keys)
    rows = np.zeros((len(table.frame.relations), len(keys)))
    for number, relation in enumerate(table.frame.relations):
        rows[number, keys.index(relation.parent)] = 1
        rows[number, [keys.index(child) for child in relation.children]] = -1
    found = {}
    for place, key in enumerate(keys):
        goal = np.zeros(len(keys))
        goal[place] = 1
        ends = [
            linprog(sign * goal, A_eq=rows, b_eq=np.zeros(len(rows)), bounds=[known[k] for k in keys])
            for sign in (1, -1)
        ]
        assert all(end.status in {0, 3} for end in ends)
        found[key] = (ends[0].fun, np.inf if ends[1].status == 3 else -ends[1].fun)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_second_solver_finds_the_same_intervals(seed):
    table = numbers(*np.random.default_rng(seed).integers(0, 30, (3, 3)).tolist())
    cells = publish(table, only_primaries(table), RULES)
    shown = {cell.key: cell.values["starters"] for cell in cells}
    known = {k: (0.0, None) if v is None else (max(v - 2.0, 10.0), v + 2.0) for k, v in shown.items()}
    expected = second_opinion(table, known)
    intervals = audit(cells, table.frame, RULES, exact=True)
    assert {i.entry.key for i in intervals} == {k for k, v in shown.items() if v is None}
    for found in intervals:
        low, high = expected[found.entry.key]
        assert found.low == pytest.approx(low, abs=1e-4)
        assert (np.inf if found.high is None else found.high) == pytest.approx(high, abs=1e-4)


def test_numbers_that_cannot_all_be_true_are_noticed():
    table = numbers([40, 50], [60, 70])
    cells = list(publish(table, protect(table, RULES), RULES))
    with pytest.raises(Contradiction, match="two ways"):
        audit([*cells, PublishedCell(cells[0].key, {"starters": 1000})], table.frame, RULES)
    cells[0] = PublishedCell(cells[0].key, {"starters": 1000})
    cells[1] = PublishedCell(cells[1].key, {"starters": None})
    with pytest.raises(Contradiction, match="contradict"):
        audit(cells, table.frame, RULES)
    with pytest.raises(ValueError, match="row set"):
        audit([PublishedCell(("r9", "c9"), {"starters": 10})], table.frame, RULES)


# Earlier files


TIME = Dimension("time", {"w1": "b1", "w2": "b1", "w3": "b2", "b1": "q", "b2": "q"})
WEEKS = (("w1",), ("w2",), ("w3",))
TIMES = Frame((TIME,), (Measure("starters"),), crossed((TIME,), ("time",)))


def quarter(w1: int, w2: int, w3: int) -> Table:
    """Starters of three weeks in two blocks of one quarter: everybody starts once."""
    sums = {"w1": w1, "w2": w2, "w3": w3, "b1": w1 + w2, "b2": w3, "q": w1 + w2 + w3}
    return Table(TIMES, {(time,): Facts({"starters": n}) for time, n in sums.items()})


def protect_weeks(table: Table) -> Mask:
    """Each week on its own, as it was released."""
    masks = [protect(table.only((week,)), RULES) for week in WEEKS]
    return Mask(
        {e: r for mask in masks for e, r in mask.reasons.items()},
        {e: n for mask in masks for e, n in mask.needs.items()},
    )


counts = st.integers(0, 40)


@settings(max_examples=60, deadline=None)
@given(counts, counts, counts)
def test_a_quarter_protected_with_its_weeks_gives_none_of_them_back(w1, w2, w3):
    table = quarter(w1, w2, w3)
    weeks = protect_weeks(table)
    shown = {Entry(week, "starters") for week in WEEKS} - weeks.withheld
    mask = protect(table, RULES, given=weeks.withheld, shown=shown)
    assert not mask.unmet
    assert weeks.withheld <= mask.withheld
    assert not shown & mask.withheld
    earlier = project(publish(table, weeks, RULES), WEEKS, ["starters"])
    assert not compare([earlier], publish(table, mask, RULES), TIMES, RULES, mask.needs).holds


def test_a_quarter_protected_alone_gives_a_week_back_and_is_held():
    """Week two had six starters; the block of 46 less week one of 40 tells it."""
    table = quarter(40, 6, 30)
    weeks = protect_weeks(table)
    earlier = project(publish(table, weeks, RULES), WEEKS, ["starters"])
    naive = protect(table.only((("b1",), ("b2",), ("q",))), RULES)
    release = project(publish(table, naive, RULES), (("b1",), ("b2",), ("q",)), ["starters"])
    found = compare([earlier], release, TIMES, RULES, {**weeks.needs, **naive.needs})
    assert found.holds
    assert {interval.entry for interval in found.narrowed} == {Entry(("w2",), "starters")}
    assert not found.before
    assert not compare([], release, TIMES, RULES, {**weeks.needs, **naive.needs}).holds, "alone it tells nothing"


def test_a_sibling_pack_with_another_mask_is_held():
    """Two readers, each of whose files is safe: one withholds what the other needs withheld."""
    regions = flat("region", ["a", "b", "c"])
    frame = Frame((regions,), (Measure("starters"),), crossed((regions,), ("region",)))
    table = Table(frame, {(k,): Facts({"starters": n}) for k, n in {"a": 60, "b": 40, "c": 2, "*": 102}.items()})
    small = Entry(("c",), "starters")
    one = Mask({small: "few", Entry(("a",), "starters"): "linked"}, {small: primaries(table, RULES).needs[small]})
    two = Mask({small: "few", Entry(("b",), "starters"): "linked"}, one.needs)
    files = [publish(table, mask, RULES) for mask in (one, two)]
    assert not any(compare([], file, frame, RULES, one.needs).holds for file in files)
    assert {i.entry for i in compare(files[:1], files[1], frame, RULES, one.needs).narrowed} == {small}


def test_a_release_that_restates_a_number_is_held():
    """A week made anew after a deletion: one number in two ways."""
    before, after = (publish(t, protect(t, RULES), RULES) for t in (quarter(40, 33, 30), quarter(40, 32, 30)))
    assert compare([before], after, TIMES, RULES, {}).contradiction
    assert not compare([before], before, TIMES, RULES, {}).holds


def test_what_earlier_releases_told_already_is_said_apart():
    table = quarter(40, 6, 30)
    needs = primaries(table, RULES).needs
    told_already = publish(table, only_primaries(table), RULES)
    found = compare([told_already], told_already[:1], TIMES, RULES, needs)
    assert found.holds
    assert not found.narrowed
    assert found.before
