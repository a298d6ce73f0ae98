"""Texts that look as if they belonged to somebody: e-mail, network address, UUID, telephone number.

Names cannot be found this way; they are kept out by the list of columns. Source: gate E-13.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

_EMAIL = re.compile(r"[^\s@＠<>\"'(),;:]+[@＠][^\s@＠<>\"'(),;:]+\.[^\W\d_]{2,}")
_UUID = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})(?![0-9a-f])", re.I)
_ADDRESS = re.compile(r"(?<![\w.:])[0-9a-f:.]{6,45}(?![\w:])", re.I)
_ABROAD = r"(?:\+|00)[1-9][0-9 ().\-/]{6,16}[0-9]"
_AT_HOME = r"\(?0[1-9][0-9]{1,3}\)?[ \-/][0-9]{3,4}[ \-]?[0-9]{3,4}"
_TELEPHONE = re.compile(rf"(?<![\w.+-])(?:{_ABROAD}|{_AT_HOME})(?![\w-])")


def kinds(text: str) -> list[str]:
    """What kinds of personal text stand in ``text``, once for each find; never the find itself."""
    found = ["e-mail address"] * len(_EMAIL.findall(text))
    found += ["UUID"] * len(_UUID.findall(text))
    found += ["network address"] * sum(_is_address(token) for token in _ADDRESS.findall(text))
    return found + ["telephone number"] * len(_TELEPHONE.findall(text))


def _is_address(token: str) -> bool:
    try:
        ipaddress.ip_address(token.rstrip("."))
    except ValueError:
        return False
    return True


def without(text: str, told: Iterable[str]) -> str:
    """``text`` without what is known to be no person's, such as the publisher's own contact."""
    for known in told:
        if known.strip():
            text = text.replace(known, " ")
    return text
