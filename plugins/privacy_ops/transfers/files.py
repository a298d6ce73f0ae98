"""The files of an inventory, as bytes: the same facts give the same bytes on any day. Pure."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

INVENTORY_COLUMNS = (
    "place",
    "nature",
    "country",
    "importer",
    "importer_name",
    "relationship",
    "transfer_id",
    "detail",
    "seen_by",
    "personal",
    "special_category",
    "children",
    "purposes",
    "uk_verdict",
    "uk_instrument",
    "uk_expires_on",
    "uk_flags",
    "uk_reasons",
    "eu_verdict",
    "eu_instrument",
    "eu_expires_on",
    "eu_flags",
    "eu_by_state",
    "eu_reasons",
    "owner",
    "note",
)
FINDING_COLUMNS = ("fingerprint", "severity", "rule", "asset", "title", "what_to_do", "owner")

# What a secret looks like when nobody knows it: credentials in an address, key blocks, access keys, assignments.
_SECRETS = re.compile(
    rb"[a-z][a-z0-9+.-]*://[^\s/:@\"]*:[^\s@\"]+@"
    rb"|-----BEGIN [A-Z ]*PRIVATE KEY"
    rb"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    rb"|\b(?:password|passwd|secret|token|api[_-]?key)\s*[=:]\s*\S+",
    re.IGNORECASE,
)
# Shorter ones would be found by chance.
_SHORTEST_KNOWN_SECRET = 8


def cell(value: Any) -> str:
    """One cell. A spreadsheet must not take text for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        text = ", ".join(f"{k} {v}" for k, v in sorted(value.items()))
    elif isinstance(value, list | tuple):
        parts = [f"{r['step']}: {r['text']}" if isinstance(r, Mapping) else str(r) for r in value]
        text = "; ".join(parts)
    else:
        text = str(value)
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue().encode()


def inventory_csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """One line per flow with both verdicts and their reasons, sorted."""
    ordered = sorted(rows, key=lambda r: (r["place"], r["nature"], r["country"] or "", r["importer"], r["detail"]))
    return _csv(INVENTORY_COLUMNS, ordered)


def findings_csv(findings: Iterable[Mapping[str, Any]]) -> bytes:
    """One line per finding, in the order given (gravest first)."""
    return _csv(FINDING_COLUMNS, findings)


def manifest_json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def count_secrets(outputs: Iterable[bytes], known: Iterable[str]) -> int:
    """How many secrets stand in the outputs: shapes of secrets, and secrets that this process knows."""
    needles = {s.encode() for s in known if len(s) >= _SHORTEST_KNOWN_SECRET}
    return sum(len(_SECRETS.findall(data)) + sum(data.count(needle) for needle in needles) for data in outputs)


def redact(text: str, known: Iterable[str]) -> str:
    """``text`` without secrets: findings are published even when the gate blocks the inventory for a secret."""
    cleaned = _SECRETS.sub(b"(removed)", text.encode()).decode()
    for secret in known:
        if len(secret) >= _SHORTEST_KNOWN_SECRET:
            cleaned = cleaned.replace(secret, "(removed)")
    return cleaned
