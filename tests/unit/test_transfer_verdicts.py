"""One table of flows, both regimes: what each is, on which day, with what knowledge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.judge import Verdict, judge

from tests.unit.transfer_flows import TODAY, contract, dpf, flow, reference

NOT, OK, EXPIRING, CHALLENGED = (
    Verdict.NOT_A_TRANSFER,
    Verdict.COVERED,
    Verdict.COVERED_EXPIRING,
    Verdict.COVERED_CHALLENGED,
)
OPEN, MISFIT, NONE = Verdict.UNRESOLVED, Verdict.SCOPE_MISMATCH, Verdict.UNCOVERED
SCC, ADDENDUM, IDTA = contract("SCC_2021"), contract("UK_ADDENDUM"), contract("UK_IDTA")


@dataclass(frozen=True)
class Case:
    name: str
    flow: Flow
    uk: Verdict
    eu: Verdict
    on: date = TODAY
    known: date | None = None


def us(**said: object) -> Flow:
    listing = said.pop("dpf", None)
    return flow("US", importer={"dpf": listing}, **said)


CASES = (
    # Home areas and territories.
    Case("london_is_home_for_the_uk_and_adequate_for_the_eu", flow("GB"), NOT, OK),
    Case("dublin_is_home_for_the_eu_and_adequate_for_the_uk", flow("IE"), OK, NOT),
    Case("uk_is_an_alias_of_gb", flow("UK"), NOT, OK),
    Case("el_is_an_alias_of_greece", flow("EL"), OK, NOT),
    Case("iceland_is_inside_the_eea", flow("IS"), OK, NOT),
    Case("reunion_has_its_own_code_and_is_inside", flow("RE"), OK, NOT),
    Case("french_guiana_is_inside", flow("GF"), OK, NOT),
    Case("aland_is_inside", flow("AX"), OK, NOT),
    Case("greenland_is_outside_and_has_nothing", flow("GL"), NONE, NONE),
    Case("new_caledonia_is_outside", flow("NC"), NONE, NONE),
    Case("faroe_islands_are_outside_and_adequate_for_both", flow("FO"), OK, OK),
    Case("jersey_is_outside_and_adequate_for_both", flow("JE"), OK, OK),
    Case("gibraltar_is_adequate_for_the_uk_only", flow("GI"), OK, NONE),
    Case("switzerland_is_not_eea_but_adequate_for_both", flow("CH"), OK, OK),
    Case("svalbard_is_unresolved", flow("SJ"), OPEN, OPEN),
    Case("the_pseudo_code_eu_is_not_a_country", flow("EU"), OPEN, OPEN),
    Case("tor_is_not_a_country", flow("T1"), OPEN, OPEN),
    Case("no_country_is_unresolved", flow(None), OPEN, OPEN),
    Case("a_code_nobody_knows_is_unresolved", flow("QQ"), OPEN, OPEN),
    Case("a_contract_does_not_help_an_unknown_country", flow(None, mechanisms=(SCC, IDTA)), OPEN, OPEN),
    Case("a_region_of_several_eea_states_is_inside", flow("EEA"), OK, NOT),
    Case("namibia_is_no_missing_value", flow("NA"), NONE, NONE),
    # What is not a transfer at all.
    Case("own_employee_in_india", flow("IN", importer={"relationship": "OWN_EMPLOYEE"}), NOT, NOT),
    Case("contractor_in_india", flow("IN", importer={"relationship": "CONTRACTOR"}), NONE, NONE),
    Case("agency_worker_in_india", flow("IN", importer={"relationship": "AGENCY"}), NONE, NONE),
    Case(
        "contractor_in_india_with_scc_and_idta",
        flow("IN", importer={"relationship": "CONTRACTOR"}, mechanisms=(SCC, IDTA)),
        OK,
        OK,
    ),
    Case("own_branch_in_india", flow("IN", importer={"relationship": "OWN_BRANCH"}), NOT, NOT),
    Case("group_company_in_india_is_separate", flow("IN", importer={"relationship": "GROUP_COMPANY"}), NONE, NONE),
    Case("nobody_knows_the_importer", flow("IN", importer={"relationship": "UNKNOWN"}), NONE, NONE),
    Case("transit_through_india", flow("IN", nature="TRANSIT"), NOT, NOT),
    Case("direct_collection_in_india", flow("IN", nature="DIRECT_COLLECTION"), NOT, NOT),
    Case("anonymous_data_to_india", flow("IN", personal=False), NOT, NOT),
    Case(
        "processor_returns_data_to_its_controller_abroad",
        flow("IN", nature="RETURN", exporter_role="processor", importer={"role": "controller"}),
        NOT,
        NONE,
    ),
    Case("data_under_uk_law_only", flow("IN", regimes=("UK",)), NONE, NOT),
    Case("data_under_eu_law_only", flow("IN", regimes=("EU",)), NOT, NONE),
    # Adequacy that binds one regime and not the other.
    Case("brazil_today", flow("BR"), NONE, OK),
    Case("brazil_the_day_before_the_decision", flow("BR"), NONE, NONE, date(2026, 1, 25)),
    Case("brazil_on_the_first_day", flow("BR"), NONE, OK, date(2026, 1, 26)),
    Case("brazil_for_norwegians_only", flow("BR", subject_states=("NO",)), NONE, OPEN),
    Case("brazil_with_idta", flow("BR", mechanisms=(IDTA,)), OK, OK),
    Case("brazil_for_norwegians_with_scc", flow("BR", subject_states=("NO",), mechanisms=(SCC,)), MISFIT, OK),
    Case("patent_organisation", flow("XO-EPO"), NONE, OK),
    Case("korea_when_subject_to_pipa", flow("KR", importer={"subject_to": {"PIPA": True}}), OK, OK),
    Case("korea_not_known_whether_pipa_applies", flow("KR"), OPEN, OPEN),
    Case(
        "korea_credit_information_is_outside_the_eu_scope",
        flow("KR", importer={"subject_to": {"PIPA": True}}, purposes=("credit_information",)),
        OK,
        MISFIT,
    ),
    Case(
        "korea_the_day_before_the_uk_regulations",
        flow("KR", importer={"subject_to": {"PIPA": True}}),
        NONE,
        OK,
        date(2022, 12, 18),
    ),
    Case(
        "korea_on_the_first_day_of_the_uk_regulations",
        flow("KR", importer={"subject_to": {"PIPA": True}}),
        OK,
        OK,
        date(2022, 12, 19),
    ),
    Case("japan_business_subject_to_appi", flow("JP", importer={"subject_to": {"APPI": True}}), OK, OK),
    Case("japan_public_body", flow("JP", importer={"subject_to": {"APPI": False}}), MISFIT, MISFIT),
    Case("canada_commercial_organisation", flow("CA", importer={"subject_to": {"PIPEDA": True}}), OK, OK),
    Case(
        "canada_university_not_subject_to_pipeda",
        flow("CA", importer={"subject_to": {"PIPEDA": False}}),
        MISFIT,
        MISFIT,
    ),
    Case("canada_nobody_asked", flow("CA"), OPEN, OPEN),
    Case("canada_nobody_asked_but_contracts", flow("CA", mechanisms=(SCC, ADDENDUM)), OK, OK),
    Case("israel_automated", flow("IL"), OK, OK),
    Case("israel_paper_files", flow("IL", automated=False), MISFIT, MISFIT),
    Case("uk_immigration_control_is_excluded", flow("GB", purposes=("immigration_control",)), NOT, MISFIT),
    # United States: the list, the data type, the extension.
    Case("us_importer_not_on_the_list", us(), NONE, NONE),
    Case("us_importer_active_with_extension", us(dpf=dpf()), OK, CHALLENGED),
    Case("us_importer_lapsed", us(dpf=dpf(lapses_on=date(2026, 11, 21))), MISFIT, MISFIT),
    Case("us_importer_on_its_last_day", us(dpf=dpf(lapses_on=TODAY)), OK, CHALLENGED),
    Case("us_importer_not_yet_certified", us(dpf=dpf(certified_from=date(2026, 11, 23))), MISFIT, MISFIT),
    Case("us_importer_certified_for_hr_only", us(dpf=dpf(data=("HR",))), MISFIT, MISFIT),
    Case("us_importer_hr_only_and_hr_data", us(dpf=dpf(data=("HR",)), data_type="HR"), OK, CHALLENGED),
    Case("us_importer_without_uk_extension", us(dpf=dpf(uk_extension_from=None)), MISFIT, CHALLENGED),
    Case("us_extension_starts_tomorrow", us(dpf=dpf(uk_extension_from=date(2026, 11, 23))), MISFIT, CHALLENGED),
    Case("us_sensitive_data_not_flagged", us(dpf=dpf(), special_category=True), MISFIT, CHALLENGED),
    Case("us_sensitive_data_flagged", us(dpf=dpf(), special_category=True, special_flagged=True), OK, CHALLENGED),
    Case("us_data_for_journalism", us(dpf=dpf(), purposes=("journalism",)), MISFIT, CHALLENGED),
    Case("us_list_and_contracts", us(dpf=dpf(), mechanisms=(SCC, ADDENDUM)), OK, OK),
    Case("us_day_before_the_framework", us(dpf=dpf(certified_from=date(2023, 7, 1))), NONE, NONE, date(2023, 7, 9)),
    Case(
        "us_first_day_of_the_framework",
        us(dpf=dpf(certified_from=date(2023, 7, 1), uk_extension_from=date(2023, 7, 1))),
        NONE,
        OK,
        date(2023, 7, 10),
        date(2023, 7, 10),
    ),
    Case(
        "us_first_day_of_the_uk_extension",
        us(dpf=dpf(certified_from=date(2023, 7, 1), uk_extension_from=date(2023, 7, 1))),
        OK,
        CHALLENGED,
        date(2023, 10, 12),
    ),
    # Privacy Shield: two clocks.
    Case(
        "privacy_shield_the_day_after_the_judgment",
        flow("US", importer={"subject_to": {"PRIVACY_SHIELD": True}}),
        NOT,
        NONE,
        date(2020, 7, 17),
        date(2020, 7, 17),
    ),
    Case(
        "privacy_shield_on_the_day_of_the_judgment",
        flow("US", importer={"subject_to": {"PRIVACY_SHIELD": True}}),
        NOT,
        NONE,
        date(2020, 7, 16),
    ),
    Case(
        "privacy_shield_on_its_last_good_day_as_known_then",
        flow("US", importer={"subject_to": {"PRIVACY_SHIELD": True}}),
        NOT,
        CHALLENGED,
        date(2020, 7, 15),
        date(2020, 7, 15),
    ),
    Case(
        "privacy_shield_in_september_with_the_knowledge_of_june",
        flow("US", importer={"subject_to": {"PRIVACY_SHIELD": True}}),
        NOT,
        CHALLENGED,
        date(2020, 9, 1),
        date(2020, 6, 30),
    ),
    # The sunset of the EU's decision on the UK.
    Case("uk_adequacy_24_months_before_its_end", flow("GB"), NOT, OK, date(2029, 12, 27)),
    Case("uk_adequacy_less_than_24_months_before_its_end", flow("GB"), NOT, EXPIRING, date(2029, 12, 28)),
    Case("uk_adequacy_on_its_last_day", flow("GB"), NOT, EXPIRING, date(2031, 12, 27)),
    Case("uk_adequacy_the_day_after", flow("GB"), NOT, NONE, date(2031, 12, 28)),
    Case("uk_day_after_the_sunset_with_clauses", flow("GB", mechanisms=(SCC,)), NOT, OK, date(2031, 12, 28)),
    Case(
        "uk_in_2026_with_the_knowledge_of_2024",
        flow("GB"),
        NOT,
        NONE,
        date(2026, 1, 15),
        date(2024, 1, 15),
    ),
    Case("uk_in_the_transition_period", flow("GB"), NOT, NOT, date(2020, 12, 31)),
    Case("uk_during_the_bridge", flow("GB"), NOT, NOT, date(2021, 6, 27)),
    Case("uk_on_the_first_day_of_its_adequacy", flow("GB"), NOT, OK, date(2021, 6, 28), date(2022, 1, 1)),
    Case("uk_regime_the_day_before_it_began", flow("IN"), NOT, NONE, date(2020, 12, 30)),
    Case("uk_regime_on_its_first_day", flow("IN"), NONE, NONE, date(2020, 12, 31)),
    # Contracts.
    Case("eu_clauses_without_addendum", flow(mechanisms=(SCC,)), MISFIT, OK),
    Case("eu_clauses_with_addendum", flow(mechanisms=(SCC, ADDENDUM)), OK, OK),
    Case("addendum_without_clauses_beneath", flow(mechanisms=(ADDENDUM,)), MISFIT, MISFIT),
    Case(
        "addendum_over_clauses_of_the_wrong_module",
        flow(mechanisms=(contract("SCC_2021", modules=(1,)), ADDENDUM)),
        MISFIT,
        MISFIT,
    ),
    Case(
        "addendum_over_clauses_that_ended",
        flow(mechanisms=(contract("SCC_2021", ends_on=date(2026, 11, 21)), ADDENDUM)),
        MISFIT,
        MISFIT,
    ),
    Case("idta_alone", flow(mechanisms=(IDTA,)), OK, MISFIT),
    Case("clauses_not_signed", flow(mechanisms=(contract(signed_on=None),)), MISFIT, NONE),
    Case("clauses_signed_tomorrow", flow(mechanisms=(contract(signed_on=date(2026, 11, 23)),)), MISFIT, NONE),
    Case("clauses_signed_today", flow(mechanisms=(contract(signed_on=TODAY),)), MISFIT, OK),
    Case("clauses_ended_yesterday", flow(mechanisms=(contract(ends_on=date(2026, 11, 21)),)), MISFIT, NONE),
    Case("clauses_end_today", flow(mechanisms=(contract(ends_on=TODAY),)), MISFIT, EXPIRING),
    Case("clauses_end_in_24_months", flow(mechanisms=(contract(ends_on=date(2028, 11, 22)),)), MISFIT, OK),
    Case("clauses_end_a_day_sooner", flow(mechanisms=(contract(ends_on=date(2028, 11, 21)),)), MISFIT, EXPIRING),
    Case("clauses_of_another_party", flow(mechanisms=(contract(parties=("other",)),)), MISFIT, MISFIT),
    Case("clauses_with_empty_annexes", flow(mechanisms=(contract(annexes=("I",)),)), MISFIT, MISFIT),
    Case("clauses_without_assessment", flow(mechanisms=(contract(assessment=None),)), MISFIT, MISFIT),
    Case("clauses_for_another_country", flow(mechanisms=(contract(countries=("PH",)),)), MISFIT, MISFIT),
    Case("clauses_that_omit_special_data", flow(mechanisms=(SCC,), special_category=True), MISFIT, MISFIT),
    Case(
        "clauses_that_list_special_data",
        flow(mechanisms=(contract(lists_special_category=True),), special_category=True),
        MISFIT,
        OK,
    ),
    Case(
        "module_one_between_controllers",
        flow(importer={"role": "controller"}, mechanisms=(contract(modules=(1,)),)),
        MISFIT,
        OK,
    ),
    Case("module_two_between_controllers", flow(importer={"role": "controller"}, mechanisms=(SCC,)), MISFIT, MISFIT),
    Case(
        "module_three_from_processor", flow(exporter_role="processor", mechanisms=(contract(modules=(3,)),)), MISFIT, OK
    ),
    Case(
        "module_four_back_to_the_controller",
        flow(exporter_role="processor", importer={"role": "controller"}, mechanisms=(contract(modules=(4,)),)),
        MISFIT,
        OK,
    ),
    Case(
        "old_clauses_on_their_last_day_in_the_eu",
        flow(
            mechanisms=(
                contract("SCC_OLD", signed_on=date(2019, 5, 1), assessment={"reference": "r", "done_on": "2022-01-01"}),
            )
        ),
        EXPIRING,
        EXPIRING,
        date(2022, 12, 27),
    ),
    Case(
        "old_clauses_the_day_after_in_the_eu",
        flow(
            mechanisms=(
                contract("SCC_OLD", signed_on=date(2019, 5, 1), assessment={"reference": "r", "done_on": "2022-01-01"}),
            )
        ),
        EXPIRING,
        NONE,
        date(2022, 12, 28),
    ),
    Case(
        "old_clauses_on_their_last_day_in_the_uk",
        flow(
            mechanisms=(
                contract("SCC_OLD", signed_on=date(2019, 5, 1), assessment={"reference": "r", "done_on": "2022-01-01"}),
            )
        ),
        EXPIRING,
        NONE,
        date(2024, 3, 21),
    ),
    Case("old_clauses_today", flow(mechanisms=(contract("SCC_OLD", signed_on=date(2019, 5, 1)),)), NONE, NONE),
    Case(
        "old_clauses_signed_too_late",
        flow(
            mechanisms=(
                contract(
                    "SCC_OLD", signed_on=date(2021, 9, 27), assessment={"reference": "r", "done_on": "2022-01-01"}
                ),
            )
        ),
        EXPIRING,
        NONE,
        date(2022, 9, 1),
    ),
    Case("idta_the_day_before_it_existed", flow(mechanisms=(IDTA,)), NONE, MISFIT, date(2022, 3, 20)),
    Case("derogation_for_a_systematic_flow", flow(mechanisms=(contract("ART49"),)), MISFIT, MISFIT),
    Case("derogation_for_an_occasional_flow", flow(mechanisms=(contract("ART49"),), occasional=True), OK, OK),
    Case(
        "eu_binding_rules_bind_nobody_under_uk_law",
        flow(importer={"relationship": "GROUP_COMPANY"}, mechanisms=(contract("BCR"),)),
        MISFIT,
        OK,
    ),
    Case(
        "both_binding_rules",
        flow(importer={"relationship": "GROUP_COMPANY"}, mechanisms=(contract("BCR"), contract("UK_BCR"))),
        OK,
        OK,
    ),
    Case("binding_rules_with_an_outsider", flow(mechanisms=(contract("BCR"), contract("UK_BCR"))), MISFIT, MISFIT),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdicts(case: Case) -> None:
    judged = judge(case.flow, reference_tables(), case.on, case.known or max(case.on, TODAY))

    assert {r: j.verdict for r, j in judged.items()} == {"UK": case.uk, "EU": case.eu}, [
        reason for j in judged.values() for reason in j.reasons
    ]
    assert all(j.reasons for j in judged.values())


_TABLES = reference()


def reference_tables():  # type: ignore[no-untyped-def]
    return _TABLES


def test_the_table_has_no_two_rows_of_one_name() -> None:
    assert len({c.name for c in CASES}) == len(CASES) >= 60


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
