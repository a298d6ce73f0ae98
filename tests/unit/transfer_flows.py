"""Flows with complete defaults: a test says only what matters to it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from privacy_ops.transfers.flows import Approval, Assessment, DpfListing, Flow, Importer, Mechanism
from privacy_ops.transfers.reference import Reference, load

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 22)


def reference() -> Reference:
    return load(ROOT / "include" / "reference")


def importer(**said: Any) -> Importer:
    return Importer(**{"entity_id": "acme", "name": "Acme Example", "relationship": "PROCESSOR", **said})


def flow(country: str | None = "IN", **said: Any) -> Flow:
    """A flow of ordinary data to a processor in ``country``; ``importer`` may be a dict of changes."""
    who = said.pop("importer", {})
    return Flow(**{
        "place": "processor:acme",
        "nature": "PROCESSING",
        "country": country,
        "importer": who if isinstance(who, Importer) else importer(**who),
        "regimes": ("UK", "EU"),
        "transfer_id": "t-1",
        "subject_states": ("EU",),
        **said,
    })


def dpf(**said: Any) -> DpfListing:
    return DpfListing(**{
        "certified_from": date(2024, 1, 10),
        "lapses_on": date(2027, 1, 9),
        "data": ("NON_HR",),
        "uk_extension_from": date(2024, 1, 10),
        "checked_on": TODAY,
        **said,
    })


def contract(code: str = "SCC_2021", **said: Any) -> Mechanism:
    """A signed, complete, assessed contract with ``acme``."""
    return Mechanism(**{
        "mechanism_id": code.lower(),
        "code": code,
        "parties": ("acme",),
        "signed_on": date(2023, 3, 1),
        "modules": (2,) if code.startswith("SCC") else (),
        "annexes": ("I", "II", "III", "TABLES"),
        "approval": Approval(reference="dec-1", authority="an authority", approved_on=date(2022, 1, 10))
        if code in {"BCR", "UK_BCR", "COC", "CERT"}
        else None,
        "derogation": "CONTRACT_WITH_SUBJECT" if code == "ART49" else None,
        "claims": "SAME_ENTITY" if code == "NONE_NEEDED" else None,
        "beneath": "scc_2021" if code == "UK_ADDENDUM" else None,
        "linked_agreement": "dpa-acme",
        "assessment": Assessment(reference="tra-acme", done_on=date(2026, 5, 4)),
        **said,
    })
