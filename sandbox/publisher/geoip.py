"""A small made-up GeoIP database in MMDB format: shared address space (RFC 6598) and documentation prefixes only.

Nobody's real address is in it. Each country has a network of IPv4 and one of IPv6; pseudo-codes have theirs too.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

COUNTRIES = (
    "GB", "IE", "DE", "FR", "NZ", "IN", "US", "CA", "BR", "SG", "VN", "PH", "EG", "KE", "AE", "AU", "ZA", "RS", "TR",
)  # fmt: skip
PSEUDO = ("EU", "AP", "T1", "XX")
_V4 = ipaddress.ip_network("100.64.0.0/10")
_V6 = ipaddress.ip_network("2001:db8::/32")


def networks() -> dict[str, tuple[ipaddress.IPv4Network, ipaddress.IPv6Network]]:
    """Code → its networks."""
    v4, v6 = _V4.subnets(new_prefix=18), _V6.subnets(new_prefix=44)  # type: ignore[attr-defined]
    return {code: (next(v4), next(v6)) for code in (*COUNTRIES, *PSEUDO)}


def address(code: str, number: int, *, v6: bool = False) -> str:
    """The address with this number in a country's network."""
    network = networks()[code][v6]
    return str(network[1 + number % (network.num_addresses - 2)])


def write(
    path: Path,
    built_at: datetime,
    *,
    database_type: str = "Made-up-Country",
    records: Mapping[str, Any] | None = None,
    ip_version: int = 6,
) -> Path:
    """Write the database as if it had been built at ``built_at``. ``records`` replaces the record of some codes."""

    class _Dated(MMDBWriter):  # type: ignore[misc]
        def _build_meta(self) -> dict[str, Any]:
            return {**super()._build_meta(), "build_epoch": int(built_at.timestamp())}

    made = _Dated(
        ip_version, database_type, languages=["en"], description="made-up networks", ipv4_compatible=ip_version == 6
    )
    for code, pair in networks().items():
        record = (records or {}).get(code, {"country": {"iso_code": code}, "registered_country": {"iso_code": "US"}})
        chosen = [str(network) for network in pair if ip_version == 6 or network.version == 4]
        made.insert_network(IPSet(chosen), record)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.to_db_file(str(path))
    return path
