"""Each attack on each kind of release: nothing recovered, nothing told too closely; and each breaks a weakened one.

``tests/attack/catalogue.py`` lists them, with where each is carried out; ``docs/attacks.md`` is made from it.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from privacy_ops.disclosure import noise
from privacy_ops.disclosure.linked.cells import PublishedCell, share_of
from privacy_ops.disclosure.linked.frame import Amount, Entry, Frame, Key, Measure
from privacy_ops.disclosure.linked.primary import primaries
from privacy_ops.disclosure.linked.protect import Mask, protect
from privacy_ops.disclosure.linked.publish import publish
from privacy_ops.disclosure.linked.rules import Bands, Rules
from privacy_ops.disclosure.linked.table import Facts, Institutions, Sum, Table
from privacy_ops.disclosure.noise import Noise
from privacy_ops.usage import periods

from tests.attack import releases
from tests.attack.attacks import (
    FROM_FILES,
    Insider,
    Released,
    advantage,
    allowed,
    insider,
    overlapping_windows,
    score,
    second_largest,
    side_channels,
    weaker,
    windows_of,
)
from tests.attack.releases import Case
from tests.linked_tables import CAP, RULES, course_frame, crossed, flat, linked_tables, numbers

FULL = os.environ.get("PRIVACY_OPS_TEST_MOMENTS") == "all"  # `make proof`
NOTHING = (0, 0)
here = pytest.mark.skipif(releases.OULAD is None, reason="OULAD_DIR names no copy of the data set")


def made_up() -> list[Case]:
    """Courses of a quarter in their blocks, and in weeks and quarters by place."""
    wanted = [("block", 2), ("week", 4), ("quarter", 4)] if FULL else [("block", 1)]
    return releases.of(case for base, courses in wanted for case in releases.publisher(courses, base))


def real() -> list[Case]:
    names = releases.presentations()
    return releases.of(map(releases.open_university, names if FULL else names[:3]))


def assert_survives(case: Case, attack: Callable[[Released], dict]) -> None:
    told = attack(case.released)
    assert score(told, case.released.rules) == NOTHING, (case.name, "broken")


# What an attacker has from the files alone


@pytest.mark.parametrize("number", FROM_FILES)
def test_a_made_up_publisher(number):
    for case in made_up():
        assert_survives(case, FROM_FILES[number])


@here
@pytest.mark.parametrize("number", FROM_FILES)
def test_the_open_university(number):
    for case in real():
        assert_survives(case, FROM_FILES[number])


@pytest.mark.timeout(1_800)  # `make proof` tries many, some of them by integer programs
@settings(max_examples=60 if FULL else 5, deadline=None)
@given(linked_tables())
def test_random_tables(table):
    """All of them on each table: making and protecting it is the dear part."""
    rules = Rules(min_institutions=3)
    case = releases.of_table("random", table, rules)
    for attack in FROM_FILES.values():
        assert_survives(case, attack)
    assert score(insider(case.released, case.insider), rules) == NOTHING
    assert score(second_largest(case.released, case.largest), rules) == NOTHING


@here
def test_all_presentations_are_there_and_each_is_attacked_with_something_to_find():
    assert len(releases.presentations()) == releases.PRESENTATIONS
    for case in real():
        assert len(case.released.withheld()) > 5
        assert sum(map(len, case.released.files)) > len(case.released.frame.keys)


# The same attackers before weakened releases


def only_primaries(table: Table, rules: Rules = RULES) -> Mask:
    """Small numbers are withheld, nothing protects them."""
    found = primaries(table, rules)
    return Mask(found.reasons, found.needs)


def released(table: Table, mask: Mask, rules: Rules = RULES) -> Released:
    return Released(table.frame, rules, (publish(table, mask, rules),))


def without_complements() -> Released:
    """One small number in a row and in a column."""
    table = numbers([136, 7], [90, 80])
    return released(table, only_primaries(table))


def siblings() -> Released:
    """Each reader's file is safe alone: one withholds what the other needs withheld."""
    regions = flat("region", ["a", "b", "c"])
    frame = Frame((regions,), (Measure("starters"),), crossed((regions,), ("region",)))
    table = Table(frame, {(k,): Facts({"starters": n}) for k, n in {"a": 60, "b": 40, "c": 2, "*": 102}.items()})
    small = Entry(("c",), "starters")
    masks = [Mask({small: "few", Entry((other,), "starters"): "linked"}, {}) for other in ("a", "b")]
    return Released(frame, RULES, tuple(publish(table, mask, RULES) for mask in masks))


def solved_only_together() -> Released:
    """Each line of each table withholds two or none; the linked tables together give them back."""
    table = numbers([30, 4, 50], [3, 60, 70], [40, 50, 60])
    shown = {Entry(key, "starters") for key in (("r0", "c0"), ("r1", "c1"))}
    mask = only_primaries(table)
    hidden = mask.reasons | dict.fromkeys(shown, "linked") | {Entry(("r0", "*"), "starters"): "linked"}
    return released(table, Mask(hidden, {}))


def quarter_alone() -> Released:
    """Week two is withheld; its block is protected without it, and less week one gives it back."""
    from tests.attack.test_linked_attack import TIMES

    counts = {"w1": 40, "w2": 6, "w3": 30, "b1": 46, "b2": 30, "q": 76}
    table = Table(TIMES, {(time,): Facts({"starters": n}) for time, n in counts.items()})
    return released(table, only_primaries(table))


def nearly_all_completed() -> Released:
    frame = Frame((flat("country", ["GB"]),), (Measure("starters"), Measure("completers", "starters")), (("*",),))
    table = Table(frame, {("*",): Facts({"starters": 55, "completers": 50})})
    return released(table, Mask({}, {}))


def zeros_as_numbers() -> Released:
    """A withheld zero is written as the zero that it is."""
    table = numbers([0, 60, 70], [80, 90, 0])
    zeros = {key for key, facts in table.facts.items() if not facts.counts["starters"]}
    found = released(table, protect(table, RULES))
    return weaker(found, lambda cell: PublishedCell(cell.key, {"starters": 0}) if cell.key in zeros else cell)


def rows_left_out(*keys: Key) -> Released:
    """Rows of which nobody should know that they are empty are not there at all."""
    table = numbers([0, 60, 70], [80, 90, 0])
    found = released(table, protect(table, RULES))
    return replace(found, files=(tuple(c for c in found.files[0] if c.key not in keys),))


def rounded_only() -> Released:
    """Withheld is only what is small after rounding: eight becomes ten, and the rules say that it was ten at least."""
    table = numbers([8, 60, 3], [80, 90, 60])
    return released(table, only_primaries(numbers([10, 60, 5], [80, 90, 60])))


def band_of_a_withheld_count() -> Released:
    frame = Frame(
        (flat("country", ["GB"]),), (Measure("starters"), Measure("completers", "starters", share=True)), (("*",),)
    )
    cell = PublishedCell(("*",), {"starters": 40, "completers": None, share_of("completers"): "5-20"})
    return Released(frame, RULES, ((cell,),))


def a_course_that_is_its_module() -> Released:
    """The course is withheld and its only module shown: a course is at most its modules, at least the largest."""
    union = Measure("starters", unions=frozenset({"module"}))
    frame = Frame((flat("module", ["m0"]),), (union,), (("*",), ("m0",)))
    table = Table(frame, {("*",): Facts({"starters": 60}), ("m0",): Facts({"starters": 60})})
    return released(table, Mask({Entry(("*",), "starters"): "institutions"}, {}))


WEAKENED: dict[int, Callable[[], Released]] = {
    1: without_complements,
    2: without_complements,
    3: solved_only_together,
    4: siblings,
    5: quarter_alone,
    10: nearly_all_completed,
    11: zeros_as_numbers,
    12: siblings,
    13: rounded_only,
    14: band_of_a_withheld_count,
    15: a_course_that_is_its_module,
}


@pytest.mark.parametrize("number", FROM_FILES)
def test_a_weakened_release_is_broken(number):
    weak = WEAKENED[number]()
    assert score(FROM_FILES[number](weak), weak.rules)[1] > 0


def test_files_that_are_safe_alone_are_broken_by_two_who_share_them():
    weak = siblings()
    assert all(score(FROM_FILES[2](replace(weak, files=(file,))), RULES) == NOTHING for file in weak.files)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("one", [("r0", "c0")]),
        ("half_of_a_line", [("r0", "c0"), ("r0", "c1")]),
        ("a_whole_line", [("r0", c) for c in ("c0", "c1", "c2", "*")]),
        ("all_but_one_of_the_inner_ones", [(r, c) for r in ("r0", "r1") for c in ("c0", "c1", "c2")][1:]),
        ("a_margin", [("*", "c1")]),
        ("everything", [(r, c) for r in ("r0", "r1", "*") for c in ("c0", "c1", "c2", "*")]),
    ],
)
def test_each_row_that_is_left_out_tells_that_nobody_was_there(name, keys):
    assert set(FROM_FILES[11](rows_left_out(*keys))) == {Entry(key, "row") for key in keys}


def test_a_row_that_no_list_has_tells_that_somebody_was_there():
    whole = rows_left_out()
    narrow = replace(whole, lists=(frozenset(whole.frame.keys) - {("r0", "c1")},))
    assert set(FROM_FILES[11](narrow)) == {Entry(("r0", "c1"), "row")}


@here
def test_real_presentations_without_complements_are_broken_by_subtraction():
    """The Open University's own numbers: what the rules withhold comes back where nothing protects it."""
    case = real()[0]
    mask = only_primaries(case.table, case.released.rules)
    weak = releases.of_table(case.name, case.table, case.released.rules, mask)
    assert score(FROM_FILES[1](weak.released), RULES)[1] > 0
    assert score(FROM_FILES[2](weak.released), RULES)[1] > 0


# 9: the second largest


def dominated(rules: Rules, mask: Mask | None = None) -> tuple[Released, dict[Entry, tuple[int, int]]]:
    """Ten people, of whom one studies for 700 minutes and the others for four."""
    frame = Frame((flat("country", ["GB"]),), (Measure("starters"),), (("*",),), (Amount("minutes", "starters", CAP),))
    seconds = Sum(60 * (700 + 9 * 4), 60 * 700, 60 * 4)
    table = Table(frame, {("*",): Facts({"starters": 10}, amounts={"minutes": seconds})})
    found = Released(frame, rules, (publish(table, mask or protect(table, rules), rules),))
    return found, {Entry(("*",), "minutes"): (seconds.largest, seconds.second)}


def test_the_second_largest_cannot_tell_the_largest_within_a_tenth():
    cases = [*made_up(), *(real() if releases.OULAD else [])]
    for case in cases:
        assert score(second_largest(case.released, case.largest), case.released.rules) == NOTHING
    shown = [v for case in cases for e, v in case.released.values().items() if e.measure == "minutes"]
    assert any(isinstance(value, str) for value in shown)
    dice = Rules(round_to=1, amount_bands=Bands(tuple(range(200))))
    strong, largest = dominated(dice)
    assert not second_largest(strong, largest)


def test_without_the_rule_of_dominance_and_with_bands_of_a_minute_he_can():
    fine = Rules(round_to=1, amount_bands=Bands(tuple(range(200))))
    weak, largest = dominated(fine, Mask({}, {}))
    (told,) = second_largest(weak, largest).values()
    (first, _), *_ = largest.values()
    assert told[0] <= first <= told[1]
    assert told[1] - told[0] < first / 5


# 16: windows


def windows(keys: list[str]) -> list[tuple[str, frozenset[int]]]:
    found = []
    for key in keys:
        period = periods.from_key(key)
        found.append((key, frozenset(range(period.monday.toordinal(), period.last_day.toordinal() + 1))))
    return found


def every_period(year: int) -> list[str]:
    whole = periods.from_key(str(year))
    kinds = ("week", "block", "quarter")
    return [whole.key, *(p.key for kind in kinds for p in periods.within(whole, kind))]


@pytest.mark.parametrize("year", [2025, 2026])
def test_no_two_windows_overlap(year):
    found = windows(every_period(year))
    assert len(found) > 52 + 12 + 4
    assert not overlapping_windows(found)


def test_calendar_months_beside_weeks_give_days_away():
    from datetime import date

    march = frozenset(range(date(2026, 3, 1).toordinal(), date(2026, 4, 1).toordinal()))
    assert ("2026-W09", "2026-03") in overlapping_windows([*windows(every_period(2026)), ("2026-03", march)])


# 19: side channels


def with_pandas(body: bytes) -> bytes:
    """The same rows with statistics and the metadata of pandas."""
    import pandas as pd

    out = io.BytesIO()
    pd.read_parquet(io.BytesIO(body)).to_parquet(out)
    return out.getvalue()


def backwards(body: bytes) -> bytes:
    """The same rows, the last first."""
    head, *rows = body.decode().splitlines(keepends=True)
    return "".join([head, *reversed(rows)]).encode()


@pytest.fixture(scope="module")
def objects() -> dict[str, bytes]:
    """Two weeks of an author as they stand in the bucket; in the second, one module has too few people."""
    from privacy_ops.usage.files.build import build
    from privacy_ops.usage.pack import content_of

    from tests.protected_courses import PLACES, SPEC, WEEKS, protected_week
    from tests.unit.test_usage_packs import SIGNER, master, pack

    found = {}
    for week, sizes in ((WEEKS[0], (40, 30)), (WEEKS[1], (40, 3))):
        one = pack("EXP-AUTHOR", week)
        kept = {("1", week.key): master(protected_week(week, *sizes), week)}
        files = build(content_of(one, kept, PLACES, SPEC, "privacy office"), SIGNER)
        found |= {one.prefix + name: body for name, body in files.items()}
    return found


def test_released_objects_tell_nothing_beside_their_numbers(objects):
    assert len(objects) == 24
    assert not side_channels(objects)
    windows = windows_of(objects)
    assert len(windows) == 2
    assert not overlapping_windows(windows)


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("usage_by_course_week.parquet", with_pandas, "Parquet that says more than its rows"),
        ("usage_by_module_week.csv", backwards, "rows in an order of their own"),
        ("usage_by_module_week.csv", lambda b: b.replace(b",withheld", b",too few"), "marks that can be told apart"),
        ("usage_by_module_week.csv", lambda b: b.replace(b",,withheld", b",0,withheld"), "marks that can be told"),
        ("README.md", lambda b: b + b"Written at 06:13.", "a time of day"),
        ("csv-metadata.json", lambda b: b + b" ", "a text that differs where only numbers may"),
    ],
)
def test_a_side_channel_is_found(objects, name, change, told):
    key, *_ = [key for key in objects if key.endswith(name) and change(objects[key]) != objects[key]]
    assert any(said.startswith(told) for said in side_channels({**objects, key: change(objects[key])}))


def test_a_name_that_tells_of_the_run_is_found(objects):
    key = min(objects)
    assert side_channels({key.replace("/r", "/2026-11-18T06:00/r", 1): objects[key]})


# 17: the insider


def test_an_insider_who_subtracts_what_he_knows_learns_of_no_handful():
    cases = [*made_up(), *(real() if releases.OULAD else [])]
    for case in cases:
        assert score(insider(case.released, case.insider), case.released.rules) == NOTHING
        shown = case.released.values()
        assert any(isinstance(shown.get(entry), int) for entry in case.insider.own), "he knows people in shown cells"


def test_without_the_rule_of_institutions_an_insider_learns_who_the_other_one_is():
    """Twelve people, eleven of them from his hospital."""
    frame = Frame((flat("country", ["GB"]),), (Measure("starters"),), (("*",),))
    table = Table(frame, {("*",): Facts({"starters": 12}, {"starters": Institutions(2, 11)})})
    knows = Insider({Entry(("*",), "starters"): 11})
    lax, strict = Rules(), Rules(min_institutions=3)
    (told,) = insider(released(table, protect(table, lax), lax), knows).values()
    assert told == (0.0, 1.0)
    assert not insider(released(table, protect(table, strict), strict), knows)


# 18: who was there


WEEKLY = Noise(Fraction("0.0147"), 5)
DRAWS = 40_000 if FULL else 4_000


def test_whether_a_person_was_there_cannot_be_told():
    """Within five standard errors of what the accounting promises: 6.8 per cent better than by chance."""
    error = 5 * math.sqrt(0.5 / DRAWS)
    assert allowed(0.0147) == pytest.approx(0.0683, abs=0.0005)
    assert advantage([0] * WEEKLY.cells, WEEKLY, DRAWS) <= allowed(0.0147) + error


def test_epsilon_that_is_seen_is_no_more_than_the_one_that_is_promised():
    """For every threshold the odds of the two worlds differ by e^ε at most, as far as draws can show."""
    promised = noise.epsilon(WEEKLY.rho, 1e-7)
    draws, moved = DRAWS, WEEKLY.cells
    worlds = []
    for value in (0, 1):
        counts = noise.draw([value] * (draws * moved), WEEKLY)
        worlds.append([sum(counts[n : n + moved]) for n in range(0, len(counts), moved)])
    for threshold in range(-60, 70, 10):
        for here_, there in (worlds, worlds[::-1]):
            often = sum(s > threshold for s in here_) / draws
            seldom = sum(s > threshold for s in there) / draws
            error = 5 * math.sqrt(max(often, 1 / draws) / draws)
            assert often - error <= math.exp(promised) * (seldom + error) + 1e-7


def test_noise_for_one_count_gives_a_person_of_many_away():
    """Nobody bounded what a person adds: a thousand counts, and noise for five."""
    many, draws = 1_000, 50
    seen = advantage([0] * many, WEEKLY, draws)
    assert seen - 5 * math.sqrt(0.5 / draws) > allowed(0.0147)


def test_draws_that_are_not_kept_are_averaged_away():
    """Two hundred reruns, each with dice of its own: the mean is the count."""
    reruns = [noise.draw([7], WEEKLY)[0] for _ in range(5_000)]
    assert round(sum(reruns) / len(reruns)) in {6, 7, 8}
    once = noise.draw([7], WEEKLY) * 5_000
    assert len(set(once)) == 1, "one draw that is kept is one draw, however often it is read"


# Nothing is told by chance: the frames that the twins use are those of the others


def test_the_weakened_releases_are_safe_as_they_should_have_been():
    for table in (numbers([136, 7], [90, 80]), numbers([30, 4, 50], [3, 60, 70], [40, 50, 60])):
        strong = released(table, protect(table, RULES))
        assert all(score(attack(strong), RULES) == NOTHING for attack in FROM_FILES.values())


def test_courses_of_the_random_tables_have_what_the_attacks_look_for():
    frame = course_frame(("module", "country"), minutes=True)
    assert frame.amounts
    assert {measure.name for measure in frame.measures if measure.share}
