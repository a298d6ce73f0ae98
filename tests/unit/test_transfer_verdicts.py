"""Both regimes' verdicts against the corpus, and what a verdict carries besides."""

from __future__ import annotations

import csv
from datetime import date, timedelta

import pytest
from privacy_ops.transfers.judge import Code, Verdict, judge

from tests.transfer_cases import PAGE, Case, read, render
from tests.unit.transfer_flows import ROOT, TODAY, contract, flow, reference

_TABLES = reference()
CASES = read()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdicts(case: Case) -> None:
    judged = judge(case.flow, _TABLES, case.on, case.known)

    assert {r: (j.verdict, j.code) for r, j in judged.items()} == {"UK": case.uk, "EU": case.eu}, [
        reason for j in judged.values() for reason in j.reasons
    ]
    assert all(j.decided.code is j.code for j in judged.values())


def test_the_corpus_is_large_and_names_each_case_once() -> None:
    assert len({c.name for c in CASES}) == len(CASES) >= 120


def test_the_page_shows_the_corpus_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "python -m tests.transfer_cases writes it anew"


def test_every_verdict_and_nearly_every_code_is_in_the_corpus() -> None:
    """Codes of steps never decide; BASE_FAILS and the like are asked for on their own below."""
    decided = {code for case in CASES for _, code in (case.uk, case.eu)}

    assert {verdict for case in CASES for verdict, _ in (case.uk, case.eu)} == set(Verdict)
    assert set(Code) - decided == {Code.SEPARATE_ENTITY, Code.IMPORTER_UNKNOWN, Code.THIRD_COUNTRY}


# The cases that were asked for first, each with the verdicts that it has to have in the corpus.
FIRST = {
    "us_importer_lapsed": ("SCOPE_MISMATCH", "SCOPE_MISMATCH"),
    "us_importer_certified_for_hr_only": ("SCOPE_MISMATCH", "SCOPE_MISMATCH"),
    "eu_clauses_without_addendum": ("SCOPE_MISMATCH", "COVERED"),
    "brazil_today": ("UNCOVERED", "COVERED"),
    "reunion_has_its_own_code_and_is_inside": ("COVERED", "NOT_A_TRANSFER"),
    "s3_null_is_virginia": ("UNCOVERED", "UNCOVERED"),
    "own_employee_in_india": ("NOT_A_TRANSFER", "NOT_A_TRANSFER"),
    "contractor_in_india": ("UNCOVERED", "UNCOVERED"),
    "uk_adequacy_the_day_after": ("NOT_A_TRANSFER", "UNCOVERED"),
    "privacy_shield_the_day_after_the_judgment": ("NOT_A_TRANSFER", "UNCOVERED"),
}


def test_every_case_that_was_asked_for_first_is_in_the_corpus() -> None:
    told = {case.name: (str(case.uk[0]), str(case.eu[0])) for case in CASES}

    assert {name: told.get(name) for name in FIRST} == FIRST


def test_the_first_and_last_day_of_every_instrument_is_in_the_corpus() -> None:
    """With the day before and the day after, for as long as the regime exists."""
    begins = {"EU": date(2018, 5, 25), "UK": date(2020, 12, 31)}
    days = {(case.flow.country, case.on) for case in CASES}
    missing = []
    with (ROOT / "include" / "reference" / "adequacy_instruments.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            country = "FR" if row["country"] == "EEA" else row["country"]
            if not row["valid_from"]:
                continue  # nothing was ever in force
            first = max(date.fromisoformat(row["valid_from"]), begins[row["regime"]])
            wanted = [first - timedelta(days=1), first]
            if row["valid_to"]:
                last = date.fromisoformat(row["valid_to"])
                wanted += [last, last + timedelta(days=1)]
            missing += [(row["instrument_id"], day.isoformat()) for day in wanted if (country, day) not in days]
    assert missing == []


def test_brazil_is_open_for_the_efta_states_beside_a_covered_eu() -> None:
    judged = judge(flow("BR", subject_states=()), _TABLES, TODAY, TODAY)["EU"]

    assert judged.verdict is Verdict.COVERED
    assert judged.by_state == dict.fromkeys(("IS", "LI", "NO"), Verdict.UNRESOLVED)


def test_an_overdue_assessment_is_covered_and_flagged() -> None:
    old = contract(assessment={"reference": "tra", "done_on": "2025-11-21"})
    judged = judge(flow(mechanisms=(old,)), _TABLES, TODAY, TODAY)["EU"]

    assert (judged.verdict, judged.flags) == (Verdict.COVERED, ("assessment_overdue",))


def test_an_assessment_is_good_on_its_last_day() -> None:
    old = contract(assessment={"reference": "tra", "done_on": "2025-11-22"})

    assert judge(flow(mechanisms=(old,)), _TABLES, TODAY, TODAY)["EU"].flags == ()


def test_an_idta_with_a_processor_and_no_article_28_terms_is_flagged() -> None:
    judged = judge(flow(mechanisms=(contract("UK_IDTA", linked_agreement=None),)), _TABLES, TODAY, TODAY)["UK"]

    assert (judged.verdict, judged.flags) == (Verdict.COVERED, ("no_article_28_terms",))


def test_the_chain_cites_the_row_that_decided() -> None:
    judged = judge(flow("BR"), _TABLES, TODAY, TODAY)

    assert judged["EU"].reasons[-1].cites == "adequacy_instruments.csv:EU-BR@2026-01-26"
    assert judged["UK"].reasons[-1].cites == "adequacy_instruments.csv:UK-BR@2026-01-26"
