"""Every attack on a release, and where it is carried out: ``docs/attacks.md`` is made from this.

PYTHONPATH=plugins:. python -m tests.attack.catalogue
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "attacks.md"
HERE = "tests/attack/test_attacks.py"
RUNS = "tests/integration/test_usage_release.py"
DRAWS = "tests/integration/test_usage_drawing.py"
LINKED = "tests/attack/test_linked_attack.py"
RANDOM, MADE_UP, REAL = (
    f"{HERE}::test_random_tables",
    f"{HERE}::test_a_made_up_publisher",
    f"{HERE}::test_the_open_university",
)
OULAD = "tests/integration/test_oulad_releases.py"


@dataclass(frozen=True)
class Attack:
    """``random``, ``made_up``, ``real``: tests that a release survives it on random tables, on a made-up publisher and
    on the Open University's data. ``broken``: tests in which a weakened release does not. ``no_table``: why there is
    nothing to carry out on a random table, where there is not."""

    number: int
    title: str
    random: tuple[str, ...]
    made_up: tuple[str, ...]
    real: tuple[str, ...]
    weakness: str
    broken: tuple[str, ...]
    no_table: str = ""

    def tests(self) -> Iterator[str]:
        yield from (*self.random, *self.made_up, *self.real, *self.broken)


def _from_files(number: int, title: str, weakness: str, *broken: str) -> Attack:
    """An attack of ``attacks.FROM_FILES``, carried out by the same code everywhere."""
    case = f"[{number}]"
    weak = f"{HERE}::test_a_weakened_release_is_broken{case}"
    return Attack(number, title, (RANDOM,), (MADE_UP + case,), (REAL + case,), weakness, (weak, *broken))


def _of_runs(
    number: int, title: str, why: str, made_up: tuple[str, ...], real: tuple[str, ...], weakness: str, *broken: str
) -> Attack:
    """An attack on what runs leave in the bucket and the register. ``why``: what it means that no table has it."""
    return Attack(number, title, (), made_up, real, weakness, broken, why)


_REAL_WEAK = f"{HERE}::test_real_presentations_without_complements_are_broken_by_subtraction"
ATTACKS = (
    _from_files(1, "margin subtraction", "no complementary suppression", _REAL_WEAK),
    _from_files(2, "interval of every withheld number by linear program", "no complementary suppression", _REAL_WEAK),
    _from_files(3, "null space of the union of all tables", "each line withholds two or none"),
    _from_files(4, "overlapping breakdowns stacked", "two files with masks of their own"),
    _from_files(
        5, "one period against another", "a block protected without its weeks",
        f"{LINKED}::test_a_quarter_protected_alone_gives_a_week_back_and_is_held",
    ),
    _of_runs(
        6, "one person deleted, cleared, backfilled",
        "compares two runs: a table is protected once, and has no later",
        (f"{RUNS}::test_erasing_one_person_changes_no_released_byte",
         f"{DRAWS}::test_who_leaves_after_the_draw_changes_no_byte"),
        (f"{OULAD}::test_released_files_stand_nest_and_tell_nothing_beside_their_numbers",),
        "a week made anew after a deletion", f"{LINKED}::test_a_release_that_restates_a_number_is_held",
    ),
    _of_runs(
        7, "two hundred reruns",
        "compares runs: a table is protected by arithmetic alone, without dice, the same every time",
        (f"{RUNS}::test_a_rerun_and_a_cleared_run_serve_the_same_bytes",
         f"{DRAWS}::test_two_hundred_reruns_are_one_draw"),
        ("tests/integration/test_demo_oulad.py::test_real_weeks_are_released",),
        "dice thrown anew by every rerun", f"{HERE}::test_draws_that_are_not_kept_are_averaged_away",
    ),
    _of_runs(
        8, "killed between draw and publication",
        "is about processes and what they leave behind; a table is drawn by none",
        (f"{DRAWS}::test_a_run_killed_at_any_moment_ends_with_one_draw_one_charge_one_release",
         f"{DRAWS}::test_stores_that_fail_between_put_and_register_release_once"),
        (f"{OULAD}::test_killed_between_draw_and_publication_there_is_one_draw_one_charge_one_release",),
        "a register that forgets", f"{DRAWS}::test_a_register_that_forgets_draws_and_charges_twice",
    ),
    Attack(
        9, "the second largest estimates the largest",
        (RANDOM,), (f"{HERE}::test_the_second_largest_cannot_tell_the_largest_within_a_tenth",),
        (f"{HERE}::test_the_second_largest_cannot_tell_the_largest_within_a_tenth",),
        "no rule of dominance, bands of a minute",
        (f"{HERE}::test_without_the_rule_of_dominance_and_with_bands_of_a_minute_he_can",),
    ),
    _from_files(
        10, "twelve of twelve completed", "completers beside starters",
        f"{LINKED}::test_completers_beside_starters_tell_of_the_few_who_did_not",
    ),
    _from_files(
        11, "implicit zeros, shape of files", "a zero written as zero, a row left out",
        f"{HERE}::test_each_row_that_is_left_out_tells_that_nobody_was_there",
        f"{LINKED}::test_published_zeros_leave_small_counts_no_room",
    ),
    _from_files(
        12, "collusion of pairs and triples", "files that are safe alone",
        f"{HERE}::test_files_that_are_safe_alone_are_broken_by_two_who_share_them",
    ),
    _from_files(13, "an attacker who knows the rules", "the rules applied to rounded counts"),
    _from_files(14, "ratios and means turned round", "a band beside a withheld count"),
    _from_files(
        15, "inequalities of distinct counts", "a course withheld beside its only module",
        f"{LINKED}::test_modules_as_overlapping_sets_pin_what_plain_sums_would_not",
    ),
    _of_runs(
        16, "windows that overlap",
        "reads the calendar of periods; a table has one window, or those of the calendar (5)",
        (f"{HERE}::test_no_two_windows_overlap", f"{HERE}::test_released_objects_tell_nothing_beside_their_numbers"),
        (f"{OULAD}::test_released_files_stand_nest_and_tell_nothing_beside_their_numbers",),
        "calendar months beside weeks", f"{HERE}::test_calendar_months_beside_weeks_give_days_away",
    ),
    Attack(
        17, "an insider subtracts what he knows", (RANDOM,),
        (f"{HERE}::test_an_insider_who_subtracts_what_he_knows_learns_of_no_handful",),
        (f"{HERE}::test_an_insider_who_subtracts_what_he_knows_learns_of_no_handful",),
        "no rule of institutions",
        (f"{HERE}::test_without_the_rule_of_institutions_an_insider_learns_who_the_other_one_is",),
    ),
    Attack(
        18, "membership inference over neighbouring worlds (noisy counts)",
        (f"{HERE}::test_whether_a_person_was_there_cannot_be_told",
         f"{HERE}::test_epsilon_that_is_seen_is_no_more_than_the_one_that_is_promised"),
        (f"{DRAWS}::test_two_worlds_that_differ_by_a_person_differ_in_five_counts_by_one",),
        (f"{OULAD}::test_whether_a_student_was_there_cannot_be_told_from_noisy_counts",),
        "nobody bounded what a person adds", (f"{HERE}::test_noise_for_one_count_gives_a_person_of_many_away",),
    ),
    _of_runs(
        19, "side channels: keys, sizes, order, metadata of files",
        "reads objects as stored; a table becomes objects only in a pack",
        (f"{HERE}::test_released_objects_tell_nothing_beside_their_numbers",
         f"{RUNS}::test_a_pack_is_whole_and_tells_nothing_of_the_run",
         "tests/unit/test_pack_files.py::test_a_withheld_cell_looks_the_same_whatever_was_withheld",
         "tests/unit/test_pack_files.py::test_the_metadata_says_nothing_of_a_value_or_of_how_many_rows_there_are",
         "tests/unit/test_pack_files.py::test_parquet_says_its_rows_and_nothing_else"),
        (f"{OULAD}::test_released_files_stand_nest_and_tell_nothing_beside_their_numbers",),
        "Parquet with the metadata of pandas, rows in an order of their own, another mark, a time, a run's name",
        f"{HERE}::test_a_side_channel_is_found", f"{HERE}::test_a_name_that_tells_of_the_run_is_found",
        "tests/unit/test_pack_verify.py::test_what_parquet_says_beside_its_rows_is_seen",
        "tests/unit/test_pack_verify.py::test_pandas_metadata_in_parquet_is_seen",
    ),
)  # fmt: skip


def page() -> str:
    """The catalogue as Markdown."""
    lines = [
        "# Attacks on the releases",
        "",
        "Each attack reads only released files and public rules; what it may bring beside them is said in its name. On"
        " each kind of release it recovers nothing and leaves no interval narrower than the protection; a release that"
        " was weakened on purpose is broken by it. Made from `tests/attack/catalogue.py`, which is held against the"
        " tests. `make test` takes one course and the three smallest of the Open University's presentations (where"
        " `OULAD_DIR` names a copy); `make proof` takes courses of every base period and all 22, and carries out real"
        " runs of that data's weeks and quarter for the attacks on runs and stored objects.",
        "",
        "The thresholds promise nothing against somebody who knows everybody but one (18): a rounded count may be just"
        " on an edge. Who must be protected from that too chooses noisy counts in the release spec.",
        "",
        "| | attack | random tables | made-up publisher | Open University | broken by it |",
        "|---|---|---|---|---|---|",
    ]
    for one in ATTACKS:
        random = _listed(one.random) or f"it {one.no_table}"
        cells = [random, _listed(one.made_up), _listed(one.real), f"{one.weakness}: {_listed(one.broken)}"]
        lines.append(f"| {one.number} | {one.title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _listed(tests: tuple[str, ...]) -> str:
    return ", ".join(f"`{test.rpartition('::')[2]}`" for test in tests)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
