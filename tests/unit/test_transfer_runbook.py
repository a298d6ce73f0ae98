"""The runbook has a paragraph for everything that the inventory can say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from privacy_ops import thresholds
from privacy_ops.transfers import findings
from privacy_ops.transfers.gates import suite
from privacy_ops.transfers.reasons import Verdict

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "runbooks" / "transfer_inventory_check.md").read_text(encoding="utf-8")
CODE = ROOT / "plugins" / "privacy_ops" / "transfers"
PARAGRAPHS = set(re.findall(r"^\*\*([A-Za-z_0-9]+)\*\*: ", RUNBOOK, re.MULTILINE))
# Rules that a variable holds where the finding is made, by module and expression.
_ELSEWHERE = {
    ("findings.py", "_rule_of(flow, judgement)"): {
        "expired_instrument", "assessment_missing", "uncovered", "scope_mismatch", "unresolved",
    },
    ("findings.py", "flag"): set(findings._FLAGS),
    ("findings.py", "rule"): {"challenged_instrument", "expiring_instrument", "efta_unverified"},
    ("findings.py", "note.rule"): set(),  # notes of observers, found where they are made
}  # fmt: skip


def made() -> Iterator[tuple[str, ast.expr]]:
    """First argument of every Finding and Note in the code: the rule."""
    for path in sorted(CODE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Finding", "Note"}):
                continue
            named = [word.value for word in node.keywords if word.arg == "rule"]
            again = not node.args and [word.arg for word in node.keywords] == [None]  # Note(**row): made before
            if not again:
                yield path.name, (node.args or named)[0]


def rules() -> set[str]:
    found: set[str] = set()
    for module, rule in made():
        if (module, ast.unparse(rule)) in _ELSEWHERE:
            found |= _ELSEWHERE[module, ast.unparse(rule)]
            continue
        texts = {n.value for n in ast.walk(rule) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        assert texts, f"{module}: the rule {ast.unparse(rule)} is not written out; name it in this test"
        found |= texts
    return found


def test_the_code_was_read() -> None:
    assert {"undeclared_flow", "place_differs", "subprocessor_moved", "name_mismatch", "review_overdue"} <= rules()


def test_every_finding_and_every_verdict_has_its_paragraph_and_nothing_else_has() -> None:
    assert rules() | {v.value for v in Verdict} == PARAGRAPHS


def test_every_check_of_the_gate_is_in_a_table() -> None:
    checks = {c.id for c in suite(thresholds.load(ROOT / "include" / "thresholds.yaml")).checks} - {"ROWS"}
    listed = {name for row in re.findall(r"^\| (T-[^|]+) \|", RUNBOOK, re.MULTILINE) for name in row.split(", ")}

    assert checks == listed


def test_every_gate_of_the_catalogue_is_a_check() -> None:
    checks = {c.id for c in suite(thresholds.load(ROOT / "include" / "thresholds.yaml")).checks}

    assert {f"T-{n:02d}" for n in range(1, 15)} <= checks
