"""The registry of parties: what it refuses, and that it knows everybody whom the map names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from privacy_ops.datamap import loader
from privacy_ops.datamap.model import Disclosure, EraseAction
from privacy_ops.erasure.downstream import parties
from privacy_ops.erasure.downstream.outbox import backoff
from privacy_ops.erasure.downstream.parties import Party
from privacy_ops.errors import ConfigError
from privacy_ops.settings import parse_mail
from pydantic import ValidationError

HOME = Path(__file__).parents[2]
REGISTRY = HOME / "include" / "registry" / "downstream.yaml"


def test_everybody_whom_the_map_names_can_be_reached() -> None:
    data_map = loader.load(HOME / "include" / "datamap" / "imp")
    known = parties.load(REGISTRY)
    assert parties.named(data_map)
    assert parties.unreachable(data_map, known) == []
    del known["brightmail"]
    known["tindertree"] = Party(kind="DELETE")
    assert parties.unreachable(data_map, known) == ["brightmail", "tindertree"]


def test_a_store_kept_by_a_processor_that_nobody_named_is_found() -> None:
    data_map = loader.load(HOME / "include" / "datamap" / "imp")
    gone = data_map.objects["esp_exports"].model_copy(update={"erase": EraseAction.PROCESSOR, "processor": None})
    stores = data_map.objects | {"esp_exports": gone}
    nameless = data_map.model_copy(update={"objects": stores})
    assert parties.unreachable(nameless, parties.load(REGISTRY)) == ["objects.esp_exports"]


@pytest.mark.parametrize(
    "entry",
    [
        {"webhook": "http://processor.example.org/erase"},  # no TLS
        {"webhook": "http://127.0.0.1.example.org/erase"},
        {"webhook": "ftp://processor.example.org/erase"},
        {"webhook": "https:///erase"},
        {"webhook": "https://user:word@processor.example.org/erase"},
        {"webhook": "https://processor.example.org/erase?token=1"},
        {"webhook": "https://processor.example.org/e", "email": "p@processor.example.org"},
        {"email": "a@example.org, b@example.org"},
        {"email": "a@example.org\nBcc: b@example.org"},
        {"email": "a@example.org", "identifiers": "encrypted"},
        {"webhook": "https://processor.example.org/e", "encrypt_to": "c2hvcnQ="},
        {"kind": "FORGET"},
        {"sla_hours": 100},
        {"nonsense": 1},
    ],
)
def test_a_wrong_entry_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Party.model_validate({"kind": "DELETE"} | entry)


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000/e", "http://localhost/e", "http://[::1]:1/e"])
def test_this_machine_needs_no_tls(address: str) -> None:
    assert Party(kind="DELETE", webhook=address).method == "webhook"


@pytest.mark.parametrize("text", ["", "[]", "parties: []", "parties: {x: {kind: NO}}", "parties: {x: 1}", "a: b: c"])
def test_a_broken_registry_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "downstream.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="registry file"):
        parties.load(path)


@pytest.mark.parametrize(
    ("disclosure", "value", "party"),
    [
        ({"who": "mailer"}, None, "mailer"),
        ({"by": "kind", "values": {"esp": "mailer", "own": ""}}, "esp", "mailer"),
        ({"by": "kind", "values": {"esp": "mailer", "own": ""}}, "own", None),
        ({"by": "kind", "values": {"esp": "mailer"}}, "new", "unknown:new"),
        ({"by": "kind", "values": {"esp": "mailer", "*": ""}}, "new", None),
        ({"by": "kind", "prefix": "exhibitor"}, "7", "exhibitor:7"),
        ({"by": "kind", "prefix": "exhibitor"}, None, None),
    ],
)
def test_who_a_row_names(disclosure: dict[str, Any], value: str | None, party: str | None) -> None:
    assert Disclosure.model_validate(disclosure | {"known_by": {"id": "id"}}).party(value) == party


@pytest.mark.parametrize(
    "disclosure",
    [
        {},
        {"who": "mailer", "by": "kind"},
        {"by": "kind"},
        {"by": "kind", "prefix": "x", "values": {"a": "b"}},
        {"who": "mailer", "prefix": "x"},
    ],
)
def test_a_disclosure_names_somebody_in_one_way(disclosure: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Disclosure.model_validate(disclosure | {"known_by": {"id": "id"}})


def test_waits_double_up_to_a_day() -> None:
    assert [backoff(n).total_seconds() / 60 for n in (0, 1, 2, 3, 6, 7, 50)] == [
        30,
        30,
        60,
        120,
        960,
        1440,
        1440,
    ]


def test_a_mail_server_is_read_and_its_password_never_shown() -> None:
    mail = parse_mail("smtp://user:p%40ss@mail.example.org:2525?from=privacy@example.org")
    assert (mail.host, mail.port, mail.user, mail.password, mail.tls) == (
        "mail.example.org",
        2525,
        "user",
        "p@ss",
        True,
    )
    assert "p@ss" not in repr(mail)
    for wrong in ("", "http://x?from=a@b", "smtp://host", "smtp://user:secret@host:99999?from=a@b"):
        with pytest.raises(ConfigError) as caught:
            parse_mail(wrong)
        assert "secret" not in str(caught.value)
