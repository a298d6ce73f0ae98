"""A certificate checked offline: what is ours and whole passes, and nothing else does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from privacy_ops import signing
from privacy_ops.erasure.certificates import document as documents
from pydantic import ValidationError

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "certificate.json"
KEY = signing.generate_key_pem()
PUBLIC = signing.public_key_pem(KEY)
AT = "2026-11-22T02:15:00+00:00"
TOLD = {
    "instruction": "11111111-2222-4333-8444-555555555555",
    "party": "exhibitor:</script><b>1",
    "kind": "NOTICE",
    "state": "sent",
    "reason": "MAILED",
    "method": "email",
    "told_at": AT,
    "answered_at": None,
    "erased": None,
}
BODY: dict[str, Any] = {
    "format": 2,
    "certificate_of": "erasure",
    "case_id": "0b7e0c1e-0000-4000-8000-000000000000",
    "publisher": "Small press",
    "subject": "person",
    "subject_ref": "ab" * 32,
    "ref_key_id": "k1",
    "ground": "policy section 10",
    "decided": "by rule",
    **dict.fromkeys(
        (
            "discovered_at",
            "restricted_at",
            "intent_at",
            "database_erased_at",
            "objects_erased_at",
            "verified_at",
            "issued_at",
        ),
        AT,
    ),
    "run_id": "minor_data_deletion/run",
    "plan_sha256": "cd" * 32,
    "code_version": "0.1.0",
    "thresholds_sha256": "00",
    "map_sha256": "00",
    "ledger": [1, 4],
    "assets": [{"asset": "press.account", "method": "DELETE", "planned": 1, "done": 1}],
    "methods": documents.METHODS,
    "retained": [{"asset": "press.sale", "ground": "six years", "rows": 2}],
    "exceptions": [{"asset": "s3://locked", "reason": "LOCKED", "until": None, "objects": 1}],
    "ages_out": [{"asset": "logs", "rule": "30 days"}],
    "backups_beyond_use_until": "2026-12-27",
    "logs_of_visitors": "NOT_ATTRIBUTABLE",
    "verification": {
        "gate": "erasure.done",
        "gate_result_id": 7,
        "verdict": "pass",
        "judged_at": AT,
        "checks": {"G-28-ROWS": True},
    },
    "swept_assets": 12,
    "residual": 0,
    "told": [TOLD],
}
SUPPLEMENT = {
    "format": 2,
    "certificate_of": "supplement",
    "case_id": BODY["case_id"],
    "publisher": "Small press",
    "number": 1,
    "supplements_sha256": "ef" * 32,
    "as_of": AT,
    "told": [TOLD | {"state": "acknowledged", "answered_at": AT, "erased": 1}],
}


@pytest.fixture(params=[BODY, SUPPLEMENT], ids=["certificate", "supplement"])
def issued(request: pytest.FixtureRequest) -> tuple[dict[str, Any], bytes, bytes]:
    document, page = documents.issue(KEY, request.param)
    return request.param, document.encode(), page.encode()


def test_what_was_issued_verifies_with_any_of_several_keys(issued: tuple[dict[str, Any], bytes, bytes]) -> None:
    _, document, page = issued
    assert documents.faults(document, page, PUBLIC) == []
    assert documents.faults(document, None, PUBLIC) == []
    other = signing.public_key_pem(signing.generate_key_pem())
    assert documents.faults(document, page, other + PUBLIC) == []
    assert documents.faults(document, page, other)


def test_issuing_again_gives_the_same_bytes(issued: tuple[dict[str, Any], bytes, bytes]) -> None:
    body, document, page = issued
    again = documents.issue(KEY, body)
    assert (again[0].encode(), again[1].encode()) == (document, page)


@pytest.mark.parametrize("where", ["residual", "case_id", "told", "page", "signature", "more"])
def test_a_changed_document_is_found(where: str) -> None:
    document, page = documents.issue(KEY, BODY)
    read = json.loads(document)
    if where == "page":
        read["page"]["sha256"] = "0" * 64
    elif where == "signature":
        read["signature"] = read["page"]["signature"]
    elif where == "more":
        read["remark"] = "all fine"
    else:
        read["body"][where] = {"residual": 5, "case_id": "another", "told": []}[where]
    assert documents.faults(json.dumps(read).encode(), page.encode(), PUBLIC)


def test_a_changed_or_swapped_page_is_found() -> None:
    document, page = documents.issue(KEY, BODY)
    assert documents.faults(document.encode(), page.replace("Certificate of erasure", "Diploma").encode(), PUBLIC)
    other = documents.issue(KEY, BODY | {"case_id": "0b7e0c1e-0000-4000-8000-000000000001"})[1]
    assert documents.faults(document.encode(), other.encode(), PUBLIC)
    supplement = documents.issue(KEY, SUPPLEMENT)[1]
    assert documents.faults(document.encode(), supplement.encode(), PUBLIC)


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"body": 1}', b"\xff", b"[" * 100_000, b"null"])
def test_a_file_that_is_no_certificate_is_said_to_be_none(document: bytes) -> None:
    assert documents.faults(document, None, PUBLIC)


@pytest.mark.parametrize(
    "change", [{"residual": 1}, {"format": 1}, {"name": "Kim"}, {"ledger": []}, {"swept_assets": 0}, {"told": None}]
)
def test_a_statement_of_another_shape_is_neither_issued_nor_believed(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        documents.issue(KEY, BODY | change)
    body = BODY | change
    page = "0" * 64
    forged = {
        "body": body,
        "signature": signing.sign(KEY, body),
        "key": "",
        "page": {
            "sha256": page,
            "signature": signing.sign(KEY, {"page_of": body["case_id"], "number": 0, "sha256": page}),
        },
    }
    assert any("shape" in fault for fault in documents.faults(json.dumps(forged).encode(), None, PUBLIC))


def test_the_page_is_one_file_and_nothing_in_it_runs_or_loads(issued: tuple[dict[str, Any], bytes, bytes]) -> None:
    _, _, page = issued
    text = page.decode()
    assert "<b>1" not in text
    assert text.count("</script>") == 1
    assert not re.search(r"(?:src|href)\s*=|@import|url\(|https?://", text)
    assert "@media print" in text
    assert "prefers-color-scheme: dark" in text


def test_the_schema_in_the_documents_is_the_one_that_is_checked(issued: tuple[dict[str, Any], bytes, bytes]) -> None:
    held = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert held == documents.schema()
    jsonschema.validate(issued[0], held)


def test_the_digest_of_states_ignores_order_and_sees_a_change() -> None:
    one, two = ("a", "sent"), ("b", "acknowledged")
    assert documents.told_sha256([one, two]) == documents.told_sha256([two, one])
    assert documents.told_sha256([one]) != documents.told_sha256([("a", "acknowledged")])
    assert documents.told_sha256([]) == ""
