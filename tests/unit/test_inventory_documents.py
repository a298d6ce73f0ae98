"""What breaks without a ground, the record of processing, and the pages: from a few flows, without a store."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from privacy_ops.console import pages as console_pages
from privacy_ops.datamap import loader
from privacy_ops.transfers import registry
from privacy_ops.transfers.assemble import SPECIAL_CATEGORIES
from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.judge import judge
from privacy_ops.transfers.publishing import art30, dependencies, outputs, pages, words
from privacy_ops.transfers.publishing.content import Content, FindingLine, FlowLine, Judged
from privacy_ops.transfers.publishing.diff import UNEXPLAINED, Change
from privacy_ops.transfers.reasons import Verdict
from privacy_ops.transfers.regimes import Rules
from privacy_ops.transfers.what_if import Point
from privacy_ops.usage.files.page import Page

from tests.unit.transfer_flows import ROOT, TODAY, contract, dpf, flow, reference

TABLES = reference()
DECLARED = registry.load(ROOT / "include" / "registry", TABLES)
MAP = loader.load(ROOT / "include" / "datamap" / "imp")
RULES = Rules()
NAMES = {t.code: t.name for t in TABLES.territories}


def judged(*flows: Flow) -> list[Any]:
    return [(one, judge(one, TABLES, TODAY, TODAY, RULES)) for one in flows]


def depend(*flows: Flow) -> dict[str, dependencies.Dependency]:
    found = dependencies.depend(judged(*flows), TABLES, Point(TODAY, TODAY), RULES)
    return {d.ground: d for d in found}


LISTED = flow("US", importer={"dpf": dpf()})
BACKED = flow("US", importer={"dpf": dpf()}, mechanisms=(contract(), contract("UK_ADDENDUM")))


def test_a_flow_on_the_privacy_framework_alone_breaks_under_both_laws_when_it_falls() -> None:
    found = depend(LISTED)["EU-US"]

    assert found.danger.startswith("challenged")
    assert {(a.regime, a.after, a.breaks) for a in found.breaking} == {
        ("EU", Verdict.UNCOVERED, True),
        ("UK", Verdict.UNCOVERED, True),  # the UK Extension falls with it
    }
    assert found.followers


def test_a_flow_with_a_second_ground_is_carried_by_it() -> None:
    found = depend(BACKED)

    # The contract carries better than a challenged decision: the framework's fall breaks nothing.
    assert not any(d.breaking for d in found.values() if d.ground == "EU-US")
    assert all(a.instead for d in found.values() for a in d.carried)


def test_the_clauses_beneath_an_addendum_take_it_along() -> None:
    found = depend(flow("IN", mechanisms=(contract(), contract("UK_ADDENDUM"))))

    assert {a.regime for a in found["scc_2021"].breaking} == {"EU", "UK"}
    assert {a.regime for a in found["uk_addendum"].breaking} == {"UK"}


def test_what_may_fall_comes_before_what_ends_and_that_before_the_rest() -> None:
    order = list(depend(LISTED, flow("GB"), flow("NZ", place="processor:other")))

    assert order[0] == "EU-US"
    assert order.index("EU-GB") < order.index("EU-NZ")


def test_flows_that_are_no_transfer_lean_on_nothing() -> None:
    assert depend(flow("IN", personal=False)) == {}


# --- the record ------------------------------------------------------------------------------------------------


def record(*flows: Flow) -> art30.Record:
    return art30.record(DECLARED.organisations["imp"], DECLARED.activities, judged(*flows), MAP, NAMES)


def activity(found: art30.Record, key: str) -> art30.Entry:
    return next(e for e in (*found.controller, *found.processor) if e.activity == key)


def test_every_activity_stands_in_the_record_once_on_its_side() -> None:
    found = record()

    assert [e.activity for e in found.controller] == sorted(
        k for k, a in DECLARED.activities.items() if a.role == "controller"
    )  # fmt: skip
    assert [e.activity for e in found.processor] == ["hosted_society_journal"]
    assert all(e.name and e.legal_basis and e.time_limits and e.security for e in (*found.controller, *found.processor))
    assert activity(found, "hosted_society_journal").on_behalf_of


def test_a_flow_belongs_to_the_activity_that_it_names_and_to_no_other() -> None:
    found = record(flow("NZ", activity="support", purposes=("provide_service",)))

    assert activity(found, "support").third_country_transfers == (
        "New Zealand: Acme Example, processing (UK COVERED UK-NZ, EU COVERED EU-NZ)",
    )
    assert activity(found, "courses").third_country_transfers == ()


def test_a_flow_without_an_activity_belongs_to_those_of_its_purposes() -> None:
    found = record(flow("NZ", purposes=("conferences",)))

    assert "Acme Example (processor)" in activity(found, "conferences").recipients
    assert "Acme Example (processor)" not in activity(found, "orders").recipients


def test_what_nobody_declared_is_named_apart() -> None:
    assert record(flow("IN", transfer_id=None, place="bucket:lost")).unrecorded == ("bucket:lost",)
    assert record(flow("IN", transfer_id=None, place="bucket:lost", personal=False)).unrecorded == ()


def test_categories_and_time_limits_come_from_the_data_map() -> None:
    found = activity(record(), "conferences")

    assert "user.health" in found.special_categories
    assert "user.health" in found.categories_in_data_map
    assert found.time_limits_in_data_map


def test_special_categories_are_keys_of_the_taxonomy() -> None:
    known = (ROOT / "include" / "datamap" / "categories.txt").read_text(encoding="utf-8").split()

    assert set(SPECIAL_CATEGORIES) <= set(known)


# --- the pages -------------------------------------------------------------------------------------------------


def line(**said: Any) -> FlowLine:
    one = Judged(Verdict.COVERED, "UK-NZ", None, (), {}, ({"step": "adequacy", "text": "in force", "cites": "row 1"},))
    return FlowLine(**{
        "place": "processor:acme", "nature": "PROCESSING", "country": "NZ", "country_name": "New Zealand",
        "importer": "acme", "importer_name": "Acme Example", "relationship": "PROCESSOR", "transfer_id": "t-1",
        "detail": "declared", "seen_by": ("registry",), "personal": True, "special_category": False, "children": False,
        "purposes": ("conferences",), "owner": "web", "note": "", "judged": {"UK": one, "EU": one}, **said,
    })  # fmt: skip


def content(*flows: FlowLine, **said: Any) -> Content:
    return Content(**{
        "run_id": "run-1", "as_of": datetime(2026, 11, 22, 5, tzinfo=UTC), "basis": "observed", "judged_on": TODAY,
        "known_on": TODAY, "publisher": "A publisher", "flows": flows, "findings": (), "changes": (),
        "compared_with": "", "record": record(), "dependencies": (),
        "reference": {
            "instruments": {"version": "1", "sha256": "0" * 64, "reviewed_on": "2026-11-22", "rows_to_verify": 0},
            "geoip": None,
            "dpf_list": {"entries": 0, "oldest_check": None, "sha256": "0" * 64},
        },
        "observers": ({"observer": "registry", "looked": True, "flows": 1, "reason": ""},), "signed_off": None,
        "sign_off_days": 30, **said,
    })  # fmt: skip


NASTY = "<script>alert(1)</script> & \"quotes\" 'x'"


def test_the_pages_load_and_run_nothing_whatever_the_registry_says() -> None:
    finding = FindingLine("f", "HIGH", NASTY, NASTY, NASTY, NASTY, NASTY)
    change = Change("flow_added", "k", NASTY, NASTY, NASTY, NASTY, "", NASTY, NASTY, UNEXPLAINED)
    wild = line(**dict.fromkeys(
        ("place", "country_name", "importer_name", "detail", "owner", "note", "transfer_id"), NASTY
    ), purposes=(NASTY,))  # fmt: skip
    whole = content(wild, findings=(finding,), changes=(change,), compared_with=NASTY, publisher=NASTY)

    for body in (pages.report(whole), pages.record(whole)):
        assert Page(body.decode()).active == []
        assert b"<script" not in body


def test_the_console_finds_the_maps_in_a_report_and_nothing_else() -> None:
    html = pages.report(content(line()))
    found = console_pages.maps(html)
    assert found in html.decode()
    assert found.count("<svg ") == found.count("</svg>") == 2
    assert re.findall(r"<(?!/|svg|title|desc|defs|g|path|pattern|rect|use|text|clipPath)", found) == []
    assert " style=" not in found, "the policy of the pages forbids it"
    assert html.index(b'<div class="maps">') + len(found.encode()) < 1_500_000, "within what the console reads of it"
    assert console_pages.maps(b"<p>no map</p>") == ""


def test_an_inventory_of_nothing_still_is_a_page() -> None:
    page = Page(pages.report(content()).decode())

    assert page.active == []
    assert "No flow of personal data." in page.texts


def test_the_same_content_gives_the_same_bytes_and_every_name_a_type() -> None:
    first, second = (outputs.build(content(line()), b"place\n", {"run": 1}) for _ in range(2))

    assert [(o.name, o.sha256) for o in first] == [(o.name, o.sha256) for o in second]
    assert first[-1].name == outputs.MANIFEST
    assert all(o.media_type for o in first)


def test_a_flow_that_one_law_has_not_judged_is_shown_as_unresolved() -> None:
    half = line()
    half = replace(half, judged={"UK": half.judged["UK"]})

    assert half.gravest is Verdict.UNRESOLVED
    assert "not judged" in " ".join(Page(pages.report(content(half)).decode()).texts)


def test_a_day_that_is_judged_again_is_marked_on_both_pages() -> None:
    again = content(line(), basis="declared_now", judged_on=date(2031, 12, 28))

    for body in (pages.report(again), pages.record(again)):
        assert b"Not today's inventory." in body
        assert b"2031-12-28" in body
    assert b"Not today's inventory." not in pages.report(content(line()))


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_a_colour_in_light_and_dark_and_a_meaning(verdict: Verdict) -> None:
    css = (ROOT / "plugins/privacy_ops/transfers/publishing/report.css").read_text(encoding="utf-8")
    name = verdict.value.lower().replace("_", "-")

    assert css.count(f"--{name}: #") == 2
    assert f".{name} {{ border-color: var(--{name});" in css
    assert words.MEANING[verdict]
