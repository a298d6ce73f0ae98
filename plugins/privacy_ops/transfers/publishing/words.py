"""What verdicts and purposes are called on a page for people."""

from __future__ import annotations

from collections.abc import Mapping

from privacy_ops.transfers.reasons import Verdict

MEANING: Mapping[Verdict, str] = {
    Verdict.UNCOVERED: "Nothing makes this transfer lawful: stop it or put a ground in place.",
    Verdict.SCOPE_MISMATCH: "There is an instrument or a contract, and it does not fit this flow.",
    Verdict.UNRESOLVED: "A fact is missing, so nobody can say. Never a pass.",
    Verdict.COVERED_CHALLENGED: "Lawful today; what carries it is before a court.",
    Verdict.COVERED_EXPIRING: "Lawful today; what carries it ends soon.",
    Verdict.COVERED: "An instrument or a contract carries it.",
    Verdict.NOT_A_TRANSFER: "The law does not call it a transfer; the chain of reasons says why.",
}
NO_PURPOSE = "no declared purpose"
NO_COUNTRY = "country unknown"


def verdict(value: Verdict | str) -> str:
    """``COVERED_EXPIRING`` as people read it: Covered, expiring."""
    first, *rest = str(value).lower().split("_")
    if first == "covered" and rest:
        return f"Covered, {' '.join(rest)}"
    return " ".join((first, *rest)).capitalize()


def plain(key: str) -> str:
    """A key such as ``marketing_with_consent`` in words."""
    return key.replace("_", " ")
