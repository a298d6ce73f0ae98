"""Hosts in what people typed into address fields: names only, never a user, a password, a path or a query. Pure.

Read so that a doubt gives no host rather than a piece of a password. What cannot be read is an unresolved place.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass

from privacy_ops.transfers.registry import Registry

LOCAL = "localhost"
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_PLACEHOLDER = re.compile(r"[${}<>%]|^env:|^secret:|^vault:", re.IGNORECASE)
_CONNINFO = re.compile(r"\s*([a-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)*)", re.IGNORECASE)
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_NUMERIC = re.compile(r"(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+)){0,3}")
_MOST = 8192  # longer is no address


@dataclass(frozen=True)
class Hosts:
    """``names`` as found, in order; ``unread``: something stood there that names no host that we can read."""

    names: tuple[str, ...] = ()
    unread: bool = False


def address_of(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that a name is, if it is one; IPv4 inside IPv6 is IPv4."""
    try:
        found = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def host_of(text: str | None) -> str | None:
    """The one host in ``text``; None when there is none, several, or it cannot be read."""
    found = hosts_in(text)
    return found.names[0] if len(found.names) == 1 and not found.unread else None


def hosts_in(text: str | None) -> Hosts:
    """Every host in a bare name, a URI, a list of hosts, a libpq or JDBC address."""
    raw = (text or "").strip()
    if not raw:
        return Hosts()
    if len(raw) > _MOST or any(ord(c) < 32 or ord(c) == 127 for c in raw):
        return Hosts(unread=True)
    if _is_socket(raw):
        return Hosts((LOCAL,))
    if raw.lower().startswith("jdbc:"):
        raw = raw[5:].split(";", 1)[0].replace("oracle:thin:", "", 1)
    if not _SCHEME.match(raw) and re.match(r"[a-z_]+\s*=", raw, re.IGNORECASE):
        return _in_conninfo(raw)
    rest = _SCHEME.sub("", raw, count=1)
    authority = _authority(rest)
    if authority is None:
        return Hosts(unread=True)
    if not authority:  # postgresql:///db: the socket of this machine
        return Hosts((LOCAL,)) if _SCHEME.match(raw) else Hosts(unread=True)
    return _listed(authority)


def _is_socket(text: str) -> bool:
    return text.startswith(("/", "@/", "unix:", "%2f", "%2F")) and not text.startswith("//")


def _authority(rest: str) -> str | None:
    """What names the hosts, without user and password. None: it cannot be told from a password.

    A password that was not encoded may hold ``@``, ``/``, ``?`` and ``#``, and a path or query may hold ``@``.
    """
    rest = rest.removeprefix("//")
    first = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" not in rest[len(first) :]:
        return first.rpartition("@")[2]
    if re.fullmatch(r"[^@:]*\.[^@:]*(:[0-9]+)?", first):  # no user and no password stand before the path
        return first
    by_rule = first.rpartition("@")[2]
    by_last = re.split(r"[/?#]", rest.rpartition("@")[2], maxsplit=1)[0]
    likely = [part for part in (by_rule, by_last) if "." in part and not _listed(part).unread]
    return likely[0] if len(likely) == 1 else None


def _listed(authority: str) -> Hosts:
    if address_of(authority):  # a bare IPv6 address: its colons are no ports
        return _of_names([authority])
    return _of_names([_without_port(part) for part in authority.split(",")])


def _without_port(part: str) -> str:
    part = part.strip()
    if part.startswith("["):
        inside, closed, _ = part[1:].partition("]")
        return inside if closed else ""
    if address_of(part):
        return part
    name, colon, port = part.rpartition(":")
    if not colon:
        return part
    # What follows is a port, or what somebody put for one; anything else is no host of ours to guess.
    return name if port.isascii() and (port.isdigit() or not port) and ":" not in name else ""


def _in_conninfo(text: str) -> Hosts:
    """libpq's ``host=… hostaddr=… password='…'``: quoted values are read whole, so that none looks like a key."""
    found: dict[str, str] = {}
    at = 0
    while match := _CONNINFO.match(text, at):
        found[match[1].lower()] = re.sub(r"\\(.)", r"\1", match[2].strip("'"))
        at = match.end()
    if text[at:].strip():
        return Hosts(unread=True)
    value = found.get("hostaddr") or found.get("host") or found.get("server") or ""
    if not value or value.startswith(("/", "@")):
        return Hosts((LOCAL,))
    return _of_names(value.split(","))


def _of_names(names: list[str]) -> Hosts:
    good = [one for name in names if (one := normal(name))]
    return Hosts(tuple(dict.fromkeys(good)), unread=len(good) != len(names))


def normal(name: str) -> str | None:
    """A host as it is compared: lower case, no final dot, IDNA names in ASCII, odd IPv4 spellings as addresses."""
    name = name.strip()
    if not name:
        return None
    if _is_socket(name):
        return LOCAL
    if address := address_of(name):
        return str(address)
    if _PLACEHOLDER.search(name):
        return None
    name = name.removesuffix(".").lower()
    if _NUMERIC.fullmatch(name):
        try:
            return str(ipaddress.IPv4Address(socket.inet_aton(name)))
        except (OSError, ValueError):
            return None
    if not name.isascii():
        import idna

        try:
            name = idna.encode(name, uts46=True).decode()
        except (idna.IDNAError, UnicodeError, ValueError):
            return None
    # A name whose last part is a number would be an address, and this is none.
    return name if len(name) <= 253 and _NAME.fullmatch(name) and not name.rpartition(".")[2].isdigit() else None


def own(name: str) -> bool:
    """Loopback, private and local names: the publisher's own network."""
    if address := address_of(name):
        return address.is_loopback or address.is_private or address.is_link_local or address.is_unspecified
    return "." not in name or name.endswith((".local", ".internal", ".localhost", ".localdomain"))


def literal(name: str, registry: Registry) -> bool:
    """An address of the world that nobody registered: only a GeoIP database may know where it is."""
    return address_of(name) is not None and not own(name) and registry.host(name) is None
