"""All files of one run, as bytes. Pure: the same content gives the same bytes on any day."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privacy_ops.transfers.files import manifest_json
from privacy_ops.transfers.publishing import art30, pages, tables
from privacy_ops.transfers.publishing.content import Content

MANIFEST = "manifest.json"
REPORT = "report.html"
SIGN_OFF = "sign_off.json"  # written later, when somebody has signed
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "html": "text/html; charset=utf-8", "json": "application/json"}


@dataclass(frozen=True)
class Output:
    """One file."""

    name: str
    body: bytes

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.name.rpartition(".")[2]]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def build(content: Content, inventory: bytes, about: Mapping[str, Any]) -> tuple[Output, ...]:
    """Every file, the manifest last. ``inventory``: inventory.csv. ``about``: what the manifest says of the run."""
    files = (
        Output("inventory.csv", inventory),
        Output("findings.csv", tables.findings(content.findings)),
        Output("diff.csv", tables.changes(content.changes)),
        Output("art30_controller.csv", art30.to_csv(content.record, content.record.controller)),
        Output("art30_processor.csv", art30.to_csv(content.record, content.record.processor)),
        Output("art30.html", pages.record(content)),
        Output("dependencies.csv", tables.dependencies(content.dependencies)),
        Output("reference_manifest.json", manifest_json(content.reference)),
        Output(REPORT, pages.report(content)),
    )
    named = {output.name: {"sha256": output.sha256, "bytes": len(output.body)} for output in files}
    return (*files, Output(MANIFEST, manifest_json({**about, "files": named})))
