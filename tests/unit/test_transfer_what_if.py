"""What breaks when something falls or a day comes, and the findings that the registry itself gives rise to."""

from __future__ import annotations

import json
from datetime import date

import pytest
from privacy_ops.cli import app
from privacy_ops.errors import UserError
from privacy_ops.transfers import registry, undone
from privacy_ops.transfers.assemble import Entry
from privacy_ops.transfers.findings import Finding, find
from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.judge import Rules, judge
from privacy_ops.transfers.what_if import Change, Point, carried, compare, resolve
from typer.testing import CliRunner

from tests.unit.transfer_flows import ROOT, TODAY, contract, dpf, flow, reference

TABLES = reference()
SHIPPED = registry.load(ROOT / "include" / "registry", TABLES)
NOW = Point(TODAY, TODAY)
SCC, ADDENDUM = contract("SCC_2021"), contract("UK_ADDENDUM")


def us(**said: object) -> Flow:
    return flow("US", importer={"dpf": dpf()}, **said)


def asked(flows: list[Flow], *names: str, on: date = TODAY, alone: bool = False) -> tuple[Change, ...]:
    dropped = resolve(names, TABLES, flows, alone=alone)
    return compare(flows, TABLES, NOW, Point(on, min(on, TODAY)), dropped, Rules())


def said(changes: tuple[Change, ...]) -> list[tuple[str, str, str]]:
    return [(c.regime, c.before.verdict.value, c.after.verdict.value) for c in changes]


def test_without_the_framework_a_flow_that_rests_on_it_alone_breaks_under_both_laws() -> None:
    assert said(asked([us()], "EU-US-DPF")) == [
        ("EU", "COVERED_CHALLENGED", "UNCOVERED"),
        ("UK", "COVERED", "UNCOVERED"),
    ]
    assert said(asked([us()], "eu-us")) == said(asked([us()], "DPF"))


def test_the_uk_extension_is_kept_when_asked_alone() -> None:
    assert said(asked([us()], "EU-US-DPF", alone=True)) == [("EU", "COVERED_CHALLENGED", "UNCOVERED")]


def test_a_fallback_keeps_a_flow_and_is_named() -> None:
    one = us(mechanisms=(SCC, ADDENDUM))
    assert asked([one], "EU-US-DPF") == ()

    kept = carried([one, us()], TABLES, NOW, resolve(["DPF"], TABLES, [one]), Rules())
    assert [(c.regime, c.after.instrument) for c in kept] == [("EU", "scc_2021"), ("UK", "uk_addendum")]


def test_without_the_clauses_the_addendum_falls_too() -> None:
    changes = asked([flow(mechanisms=(SCC, ADDENDUM))], "scc_2021")

    assert [c.regime for c in changes] == ["EU", "UK"] or [c.regime for c in changes] == ["UK", "EU"]
    assert all(c.breaks for c in changes)


def test_one_contract_may_fall() -> None:
    idta = contract("UK_IDTA")
    changes = asked([flow(mechanisms=(SCC, idta))], "uk_idta")

    assert said(changes) == [("UK", "COVERED", "SCOPE_MISMATCH")]


def test_the_day_after_the_sunset() -> None:
    (change,) = asked([flow("GB"), flow("IE"), flow("NZ")], on=date(2031, 12, 28))

    assert said((change,)) == [("EU", "COVERED", "UNCOVERED")]
    assert "2031-12-27" in change.why
    assert "adequacy_instruments.csv:EU-GB" in change.why
    assert asked([flow("GB")], on=date(2031, 12, 27))[0].breaks is False  # it only ends soon


def test_what_never_was_lawful_does_not_break() -> None:
    assert asked([flow("IN")], "EU-US-DPF") == ()


def test_an_unknown_name_brings_the_near_ones() -> None:
    with pytest.raises(UserError, match="EU-US-DPF"):
        resolve(["EU-US-DFP"], TABLES, [])


def test_the_command_lists_and_writes_json() -> None:
    runner = CliRunner()
    env = {"PRIVACY_OPS_HOME": str(ROOT)}
    told = runner.invoke(app, ["transfers", "what-if", "--on", "2031-12-28", "--json"], env=env)
    assert told.exit_code == 0, told.output
    content = json.loads(told.output)
    places = {row["place"] for row in content["changes"] if row["breaks"]}
    assert "database:imp" in places
    assert {row["regime"] for row in content["changes"]} == {"EU"}

    table = runner.invoke(app, ["transfers", "what-if", "--drop", "SCC_2021"], env=env)
    assert "confluence_badges" in table.output
    assert table.output.splitlines()[0].split()[:2] == ["regime", "place"]
    assert runner.invoke(app, ["transfers", "what-if"], env=env).exit_code != 0


# --- findings of the registry ----------------------------------------------------------------------------------


def of_registry(change: dict[str, object], on: date = TODAY) -> set[tuple[str, str, str]]:
    content = json.loads(json.dumps(SHIPPED.content()))
    for path, value in change.items():
        section, name, field = path.split("/")
        content[section][name][field] = value
    one = registry.of_content(content, TABLES, "test")
    return {(f.rule, f.severity, f.asset) for f in undone.undone(one, on, Rules(), 60)}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"contracts/dpa-tindertree/ends_on": "2026-11-21"},
            ("no_processor_agreement", "HIGH", "processor:tindertree"),
        ),
        ({"contracts/dpa-tindertree/signed_on": None}, ("no_processor_agreement", "HIGH", "processor:tindertree")),
        ({"contracts/dpa-tindertree/kind": "SERVICES"}, ("no_processor_agreement", "HIGH", "processor:tindertree")),
        ({"transfers/helpdesk/review_on": "2027-01-20"}, ("review_due_soon", "LOW", "transfers:helpdesk")),
        ({"transfers/helpdesk/review_on": "2026-11-21"}, ("review_overdue", "LOW", "transfers:helpdesk")),
        ({"activities/courses/review_on": "2026-11-22"}, ("review_due_soon", "LOW", "activities:courses")),
        ({"assessments/tra-ipe/due_on": "2026-12-01"}, ("review_due_soon", "LOW", "assessments:tra-ipe")),
        (
            {"processors/brightmail/dpf": {**SHIPPED.content()["processors"]["brightmail"]["dpf"], "listed_name": "X"}},
            ("name_mismatch", "LOW", "processor:brightmail"),
        ),
    ],
)
def test_what_the_registry_leaves_undone(change: dict[str, object], expected: tuple[str, str, str]) -> None:
    assert of_registry(change) - of_registry({}) == {expected}


def test_a_review_in_sixty_days_is_no_finding_yet() -> None:
    assert of_registry({"transfers/helpdesk/review_on": "2027-01-21"}) == of_registry({})


def test_a_name_that_is_known_is_no_mismatch() -> None:
    listing = {**SHIPPED.content()["processors"]["brightmail"]["dpf"], "listed_name": "Brightmail Inc."}
    known = {"processors/brightmail/dpf": listing, "processors/brightmail/also_known_as": ["Brightmail Inc."]}

    assert of_registry(known) == of_registry({})


# --- findings of verdicts --------------------------------------------------------------------------------------


def findings_of(one: Flow, on: date = TODAY) -> tuple[Finding, ...]:
    entry = Entry(one, ("registry",), "declared", one.place)
    return find([(entry, judge(one, TABLES, on, max(on, TODAY)))], [], SHIPPED)


OWNED = {"owner": "platform"}


@pytest.mark.parametrize(
    ("one", "rule", "severity"),
    [
        (
            flow(mechanisms=(contract("SCC_OLD", signed_on=date(2019, 5, 1)),), **OWNED),
            "expired_instrument",
            "CRITICAL",
        ),
        (flow(mechanisms=(contract(ends_on=date(2026, 11, 21)),), **OWNED), "expired_instrument", "CRITICAL"),
        (
            flow("US", importer={"subject_to": {"PRIVACY_SHIELD": True}}, **OWNED),
            "expired_instrument",
            "CRITICAL",
        ),
        (flow(mechanisms=(contract(assessment=None),), **OWNED), "assessment_missing", "HIGH"),
        (us(mechanisms=(contract(modules=(1,)),), **OWNED), "fallback_fails", "LOW"),
        (
            flow("US", importer={"dpf": dpf(checked_on=date(2026, 10, 22))}, **OWNED),
            "dpf_check_stale",
            "MEDIUM",
        ),
        (flow(special_category=True, **OWNED), "uncovered", "CRITICAL"),
        (flow(children=True, mechanisms=(contract(modules=(1,)),), **OWNED), "scope_mismatch", "CRITICAL"),
        (flow("T1", **OWNED), "unresolved", "MEDIUM"),
    ],
)
def test_findings_have_their_own_name_and_severity(one: Flow, rule: str, severity: str) -> None:
    assert (rule, severity) in {(f.rule, f.severity) for f in findings_of(one)}


def test_a_list_that_was_looked_up_thirty_days_ago_is_good() -> None:
    one = flow("US", importer={"dpf": dpf(checked_on=date(2026, 10, 23))}, **OWNED)

    assert "dpf_check_stale" not in {f.rule for f in findings_of(one)}


def test_every_finding_has_an_owner_and_the_reason_that_decided() -> None:
    found = findings_of(flow("US", owner=""))

    assert found
    assert all(f.owner for f in found)
    assert any("Data Privacy Framework list" in f.title for f in found)


def test_a_finding_keeps_its_name_while_words_and_severity_change() -> None:
    calm = {f.rule: f for f in findings_of(flow(mechanisms=(contract(modules=(1,)),), **OWNED))}
    grave = {f.rule: f for f in findings_of(flow(mechanisms=(contract(modules=(1,)),), children=True, **OWNED))}

    assert calm["scope_mismatch"].severity != grave["scope_mismatch"].severity
    assert calm["scope_mismatch"].fingerprint == grave["scope_mismatch"].fingerprint
