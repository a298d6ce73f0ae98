"""The corpus of judged flows: read from tests/data/transfer_cases.yaml, and rendered as docs/transfer_cases.md.

python -m tests.transfer_cases   writes the page anew
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.reasons import Code, Verdict

from tests.unit.transfer_flows import TODAY, contract, dpf, flow

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "tests" / "data" / "transfer_cases.yaml"
PAGE = ROOT / "docs" / "transfer_cases.md"


@dataclass(frozen=True)
class Case:
    """One flow on one day, and what each law says of it."""

    name: str
    group: str
    said: dict[str, Any]
    flow: Flow
    on: date
    known: date
    uk: tuple[Verdict, Code]
    eu: tuple[Verdict, Code]
    region: str = ""


def _mechanisms(listed: list[Any]) -> tuple[Any, ...]:
    return tuple(contract(**({"code": one} if isinstance(one, str) else one)) for one in listed)


def _flow(said: dict[str, Any]) -> Flow:
    about = dict(said)
    importer = dict(about.pop("importer", {}))
    if "dpf" in importer:
        importer["dpf"] = dpf(**importer["dpf"])
    mechanisms = _mechanisms(about.pop("mechanisms", []))
    return flow(about.pop("country"), importer=importer, mechanisms=mechanisms, **about)


def _expected(text: str) -> tuple[Verdict, Code]:
    verdict, _, code = text.partition(" ")
    return Verdict(verdict), next(c for c in Code if c.value == code)


def read() -> tuple[Case, ...]:
    """Every case, in the order of the file."""
    cases = []
    for raw in yaml.safe_load(CORPUS.read_text(encoding="utf-8"))["cases"]:
        on = raw.get("day", TODAY)
        cases.append(
            Case(
                raw["case"],
                raw["group"],
                raw["flow"],
                _flow(raw["flow"]),
                on,
                raw.get("known", max(on, TODAY)),
                _expected(raw["uk"]),
                _expected(raw["eu"]),
                raw.get("region", ""),
            )
        )
    return tuple(cases)


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_told(v)}".strip() for k, v in value.items())
    if isinstance(value, list):
        return " + ".join(map(_told, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _flow_text(case: Case) -> str:
    said = dict(case.said)
    country = said.pop("country")
    parts = [str(country) if country else "country unknown", case.region]
    listed = said.get("importer", {}).get("dpf")
    if listed == {}:
        said["importer"] = {**said["importer"], "dpf": "active for NON_HR, with the UK Extension"}
    parts += [f"{key.replace('_', ' ')}: {_told(value)}" for key, value in said.items()]
    return "; ".join(filter(None, parts)).replace("|", "/")


def _lines(cases: tuple[Case, ...]) -> Iterator[str]:
    yield "# What the judge says, case by case"
    yield ""
    yield "Generated from `tests/data/transfer_cases.yaml` (`python -m tests.transfer_cases`); a test fails when this"
    yield "page is not what that file says, and when the judge does not say what stands here. Facts for engineers and"
    yield "the privacy lead, not legal advice: rows of the reference data marked *verify* still have to be verified."
    yield ""
    yield f"{len(cases)} flows. Ordinary data to a processor about people in the EU, unless a case says otherwise; a"
    yield "mechanism that is only named is signed, complete and assessed."
    for group, members in itertools.groupby(cases, key=lambda case: case.group):
        yield ""
        yield f"## {group}"
        yield ""
        yield "| case | flow | judged on | UK | EU |"
        yield "|---|---|---|---|---|"
        for case in members:
            day = case.on.isoformat()
            if case.known != max(case.on, TODAY):
                day += f", as known on {case.known.isoformat()}"
            both = (f"{verdict}<br>{code.value}" for verdict, code in (case.uk, case.eu))
            yield f"| {case.name.replace('_', ' ')} | {_flow_text(case)} | {day} | {' | '.join(both)} |"
    yield ""
    yield "## What the codes mean"
    yield ""
    yield "| code | meaning |"
    yield "|---|---|"
    for code in Code:
        yield f"| {code.value} | {code.meaning} |"


def render() -> str:
    """The page, as it has to be."""
    return "\n".join(_lines(read())) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
