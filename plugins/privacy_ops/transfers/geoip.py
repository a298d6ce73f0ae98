"""Countries of addresses, from a GeoIP database in MMDB format. Configured, never shipped: its licence forbids it.

A country is an estimate: networks are rented, tunnelled and moved. Nothing is judged CRITICAL on it alone. Addresses
are looked up in memory and stand in no output.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from privacy_ops.errors import ConfigError
from privacy_ops.transfers.reference import Reference

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
_SETTING = "PRIVACY_OPS_GEOIP"
_FIRST_YEAR = 2013  # of the format: an earlier build time is a damaged one
_DO = f"fetch the vendor's current country database and name it in {_SETTING}"


@dataclass
class GeoDatabase:
    """An open database that was found fit. ``sha256`` is not kept: the build time and type name the edition."""

    path: Path
    built_at: datetime
    database_type: str
    _reader: Any = field(repr=False)
    _reference: Reference = field(repr=False)

    @classmethod
    def open(cls, path: Path | None, reference: Reference, *, now: datetime, max_age_days: int) -> GeoDatabase:
        """Open and check. Raises ConfigError: none configured, unreadable, of another kind, too old, or empty."""
        import maxminddb

        if path is None:
            raise ConfigError("no GeoIP database is configured", where=_SETTING, do=_DO)
        try:
            # Read as a whole: a file that is replaced meanwhile cannot change under us.
            reader = maxminddb.open_database(str(path), maxminddb.MODE_MEMORY)
            said = reader.metadata()
            built = datetime.fromtimestamp(int(said.build_epoch), UTC)
            kind, nodes = str(said.database_type), int(said.node_count)
            first = next(iter(reader), None)
            if built.year < _FIRST_YEAR:
                raise ValueError("no build time")
        except OSError as error:
            raise ConfigError("the GeoIP database cannot be read", where=path.name, do=str(error.strerror)) from None
        # Damaged files end in many ways, from a wrong pointer to an impossible number.
        except Exception as error:  # ruff: ignore[BLE001]
            raise ConfigError(
                f"the GeoIP database is damaged or not in MMDB format ({type(error).__name__})", where=path.name, do=_DO
            ) from None
        found = cls(path, built, kind, reader, reference)
        if not any(word in kind for word in ("Country", "City", "Enterprise")) or not nodes or first is None:
            raise ConfigError(
                "the GeoIP database holds no countries", where=path.name, do="name a Country or City database"
            )
        if built > now + timedelta(days=1):
            raise ConfigError(
                f"the GeoIP database says that it was built on {built:%Y-%m-%d}, after today", where=path.name, do=_DO
            )
        if now - built > timedelta(days=max_age_days):
            raise ConfigError(
                f"the GeoIP database was built on {built:%Y-%m-%d}: older than {max_age_days} days is not trusted"
                " (gate T-03)",
                where=path.name,
                do=_DO,
            )
        return found

    def country(self, address: str | IpAddress) -> str | None:
        """Country of an address as in the reference data; None: not known, or a code that is no country.

        Raises ConfigError when the database breaks while it is read.
        """
        return self.locate(address)[0]

    def locate(self, address: str | IpAddress) -> tuple[str | None, IpNetwork]:
        """Country, and the network for which the database gives this very answer."""
        ip = ipaddress.ip_address(address) if isinstance(address, str) else address
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        alone = ipaddress.ip_network(ip)
        try:
            record, prefix = self._reader.get_with_prefix_len(ip)
        except ValueError:  # an IPv6 address in a database of IPv4
            return None, alone
        except Exception as error:  # ruff: ignore[BLE001] - a damaged part further in
            raise ConfigError(
                f"the GeoIP database is damaged ({type(error).__name__})", where=self.path.name, do=_DO
            ) from None
        network = ipaddress.ip_network((ip, prefix if 0 <= prefix <= ip.max_prefixlen else ip.max_prefixlen), False)
        return self._country_in(record), network

    def _country_in(self, record: object) -> str | None:
        """Where the address is used, not where its owner is registered. EU, AP, T1 and XX are no countries."""
        held = record.get("country") if isinstance(record, Mapping) else None
        code = held.get("iso_code") if isinstance(held, Mapping) else None
        if not isinstance(code, str):
            return None
        place = self._reference.territory(code)
        return place.code if place and place.kind not in {"PSEUDO", "AREA", "ORGANISATION"} else None
