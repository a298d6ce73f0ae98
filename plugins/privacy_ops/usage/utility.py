"""What a release says and what its rules cost: whole in the register, for the privacy lead.

Recipients are told less: their report counts given and withheld figures, which their files show anyway. Which rule
withheld a figure, and how many people stand behind what is shown, follow from true counts and would tell of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from privacy_ops.disclosure.linked.primary import Reason
from privacy_ops.usage.drawing import Draw
from privacy_ops.usage.files.model import PackContent
from privacy_ops.usage.master import Master

IN_WORDS: dict[Reason, str] = {
    "few": "fewer people than the threshold",
    "institutions": "too few institutions, or most people from one",
    "complement": "a difference from another figure that is few people",
    "share": "a share of nearly none or nearly all",
    "dominance": "minutes that one or two people make up",
    "around": "part of a figure that is withheld",
    "activity": "a course that never had enough learners",
    "linked": "withheld so that another figure cannot be worked out",
    "given": "withheld in a part or in the master already, or changed by few people in a correction",
}


def utility(content: PackContent, masters: Sequence[Master], draw: Draw | None = None) -> dict[str, object]:
    """Values and published values by table, numbers withheld by rule in the release's masters, and by course and part
    how many per cent of those who started are in cells that show them; what a draw of noisy counts costs each person.
    """
    costs: dict[str, int] = {}
    for master in masters:
        for reason, count in master.protected.costs.items():
            costs[reason] = costs.get(reason, 0) + count
    spent = {"privacy": {"rho": str(draw.rho), "cells_per_person": draw.cells_per_person}} if draw else {}
    return {
        **spent,
        "tables": {t.spec.name: {"values": t.n_values, "published": t.n_values - t.n_withheld} for t in content.tables},
        "people": {master.course_id: dict(master.protected.people) for master in masters},
        "withheld_by": dict(sorted(costs.items())),
    }


def utility_lines(kept: Mapping[str, Any]) -> Iterator[str]:
    """What the register keeps of a release's utility, in plain words. For people of the house only."""
    for table, count in kept.get("tables", {}).items():
        share = 100 * count["published"] // count["values"] if count["values"] else 0
        yield f"{table}: {count['published']} of {count['values']} figures published ({share} %)"
    for course, parts in kept.get("people", {}).items():
        by_part = ", ".join(f"{share} % by {part}" for part, share in parts.items())
        yield f"course {course}: of those who started, at least {by_part} are in figures that are shown"
    if privacy := kept.get("privacy"):
        yield f"noisy counts: a cost of {privacy['rho']} (zCDP) to each person, once for all recipients of the period"
    for reason, count in kept.get("withheld_by", {}).items():
        yield f"{count} numbers withheld in its masters: {IN_WORDS.get(reason, reason)}"
