"""What holds for every flow: more safeguards never hurt, the regimes do not look at each other, judging is pure."""

from __future__ import annotations

import dataclasses
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.transfers.flows import Approval, Assessment, DpfListing, Flow, Importer, Mechanism
from privacy_ops.transfers.judge import judge

from tests.unit.transfer_flows import reference

TABLES = reference()
DAYS = st.dates(date(2018, 5, 25), date(2033, 12, 31))
COUNTRIES = st.sampled_from([
    None,
    "GB",
    "IE",
    "NO",
    "RE",
    "GL",
    "US",
    "IN",
    "BR",
    "CA",
    "JP",
    "KR",
    "IL",
    "CH",
    "GI",
    "SJ",
    "EU",
    "XO-EPO",
    "QQ",
])
ASSESSMENTS = st.none() | st.builds(
    Assessment,
    reference=st.just("tra"),
    done_on=DAYS,
    due_on=st.none() | DAYS,
    outcome=st.sampled_from(["PROCEED", "PROCEED_WITH_MEASURES", "DO_NOT_TRANSFER"]),
    measures_from=st.none() | DAYS,
)
CODES = st.sampled_from([
    "SCC_2021",
    "SCC_OLD",
    "UK_IDTA",
    "UK_ADDENDUM",
    "BCR",
    "UK_BCR",
    "ART49",
    "COC",
    "CERT",
    "DPF",
    "NONE_NEEDED",
])


APPROVALS = st.none() | st.builds(
    Approval, reference=st.just("dec"), authority=st.just("an authority"), approved_on=DAYS, ends_on=st.none() | DAYS
)
DEROGATIONS = st.sampled_from(["EXPLICIT_CONSENT", "COMPELLING_INTERESTS"])


def mechanisms(name: str) -> st.SearchStrategy[Mechanism]:
    return CODES.flatmap(lambda code: mechanism_of(name, code))


def mechanism_of(name: str, code: str) -> st.SearchStrategy[Mechanism]:
    return st.builds(
        Mechanism,
        mechanism_id=st.just(name),
        code=st.just(code),
        derogation=DEROGATIONS if code == "ART49" else st.none(),
        claims=st.just("SAME_ENTITY") if code == "NONE_NEEDED" else st.none(),
        notified_on=st.none() | DAYS,
        approval=APPROVALS,
        terms_from=st.none() | DAYS,
        terms_until=st.none() | DAYS,
        parties=st.sampled_from([("acme",), ("other",), ("other", "acme")]),
        signed_on=st.none() | DAYS,
        ends_on=st.none() | DAYS,
        modules=st.sampled_from([(), (1,), (2,), (1, 2, 3, 4)]),
        annexes=st.sampled_from([(), ("I",), ("I", "II", "III"), ("I", "II", "III", "TABLES")]),
        lists_special_category=st.booleans(),
        countries=st.sampled_from([(), ("IN",)]),
        beneath=st.sampled_from([None, "m0", "m1"]),
        linked_agreement=st.none() | st.just("dpa"),
        assessment=ASSESSMENTS,
    )


IMPORTERS = st.builds(
    Importer,
    entity_id=st.just("acme"),
    name=st.just("Acme Example"),
    relationship=st.sampled_from(["PROCESSOR", "CONTROLLER", "GROUP_COMPANY", "CONTRACTOR", "OWN_EMPLOYEE", "UNKNOWN"]),
    role=st.sampled_from(["controller", "processor"]),
    subject_to=st.dictionaries(st.sampled_from(["PIPEDA", "APPI", "PIPA", "PRIVACY_SHIELD"]), st.booleans()),
    dpf=st.none()
    | st.builds(
        DpfListing,
        certified_from=DAYS,
        lapses_on=st.none() | DAYS,
        data=st.sampled_from([("HR",), ("NON_HR",), ("HR", "NON_HR")]),
        uk_extension_from=st.none() | DAYS,
        checked_on=DAYS,
    ),
)
FLOWS = st.builds(
    Flow,
    place=st.just("processor:acme"),
    nature=st.sampled_from(["STORAGE", "REMOTE_ACCESS", "RETURN", "TRANSIT"]),
    country=COUNTRIES,
    importer=IMPORTERS,
    regimes=st.sampled_from([("UK", "EU"), ("UK",), ("EU",)]),
    exporter_role=st.sampled_from(["controller", "processor"]),
    special_category=st.booleans(),
    special_flagged=st.booleans(),
    occasional=st.booleans(),
    data_type=st.sampled_from(["HR", "NON_HR"]),
    subject_states=st.sampled_from([(), ("EU",), ("NO",), ("EU", "NO")]),
    mechanisms=st.tuples(mechanisms("m0"), mechanisms("m1")).map(lambda pair: pair),
)


@settings(max_examples=100, deadline=None)
@given(flow=FLOWS, extra=mechanisms("m2"), on=DAYS, known=DAYS)
def test_adding_a_mechanism_never_worsens_a_verdict(flow: Flow, extra: Mechanism, on: date, known: date) -> None:
    more = flow.model_copy(update={"mechanisms": (*flow.mechanisms, extra)})
    before, after = judge(flow, TABLES, on, known), judge(more, TABLES, on, known)

    for regime, judgement in before.items():
        assert after[regime].verdict.rank >= judgement.verdict.rank


@settings(max_examples=100, deadline=None)
@given(flow=FLOWS, which=st.integers(0, 1), on=DAYS, known=DAYS)
def test_removing_a_mechanism_never_improves_a_verdict(flow: Flow, which: int, on: date, known: date) -> None:
    less = flow.model_copy(update={"mechanisms": flow.mechanisms[:which] + flow.mechanisms[which + 1 :]})
    before, after = judge(flow, TABLES, on, known), judge(less, TABLES, on, known)

    for regime, judgement in before.items():
        assert after[regime].verdict.rank <= judgement.verdict.rank


@settings(max_examples=80, deadline=None)
@given(flow=FLOWS, on=DAYS, known=DAYS)
def test_no_regime_reads_the_instruments_of_the_other(flow: Flow, on: date, known: date) -> None:
    for mine in ("UK", "EU"):
        alone = dataclasses.replace(
            TABLES,
            instruments=tuple(i for i in TABLES.instruments if i.regime == mine),
            mechanism_rules=tuple(m for m in TABLES.mechanism_rules if m.regime == mine),
        )
        assert judge(flow, alone, on, known)[mine] == judge(flow, TABLES, on, known)[mine]  # type: ignore[index]


@settings(max_examples=40, deadline=None)
@given(flow=FLOWS, on=DAYS, known=DAYS)
def test_judging_is_pure(flow: Flow, on: date, known: date) -> None:
    frozen = flow.model_dump_json()

    assert judge(flow, TABLES, on, known) == judge(flow, TABLES, on, known)
    assert flow.model_dump_json() == frozen
    assert Flow.model_validate_json(frozen) == flow
    turned = flow.model_copy(update={"mechanisms": flow.mechanisms[::-1]})
    for regime, judgement in judge(turned, TABLES, on, known).items():
        assert judgement.verdict is judge(flow, TABLES, on, known)[regime].verdict


@settings(max_examples=40, deadline=None)
@given(flow=FLOWS, on=DAYS, known=DAYS)
def test_the_chain_names_everything_that_was_weighed(flow: Flow, on: date, known: date) -> None:
    for judgement in judge(flow, TABLES, on, known).values():
        assert judgement.decided.code is judgement.code
        cited = " ".join(reason.cites for reason in judgement.reasons)
        if any(reason.step in {"adequacy", "mechanism"} for reason in judgement.reasons):
            assert all(f"mechanisms.yaml:{m.mechanism_id}" in cited for m in flow.mechanisms if m.code != "DPF")
