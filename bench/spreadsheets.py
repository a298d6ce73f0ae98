"""Proof by LibreOffice: it opens each released CSV and finds the values that were written, and no formula."""

from __future__ import annotations

import csv
import shutil
import subprocess
import tempfile
from pathlib import Path

SECONDS = 120


def program() -> str | None:
    """LibreOffice, or None."""
    return next(filter(None, map(shutil.which, ("soffice", "libreoffice"))), None)


def compare(packs: Path) -> tuple[int, list[str]]:
    """How many CSV files below ``packs`` were opened and written anew, and the names of those that came out changed."""
    soffice = program()
    if soffice is None:
        raise RuntimeError("LibreOffice is not there")
    files = sorted(packs.rglob("*.csv"))
    changed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="privacy-ops-office-") as temporary:
        home = Path(temporary)
        for number, file in enumerate(files):
            source = home / f"{number}.csv"
            shutil.copy(file, source)
            target = home / "out"
            subprocess.run(
                [
                    soffice,
                    *("--headless", f"-env:UserInstallation=file://{home / 'profile'}"),
                    # Comma, quote, UTF-8 when read and when written; every cell as it is shown.
                    *("--infilter=CSV:44,34,76,1", "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1"),
                    *("--outdir", str(target), str(source)),
                ],
                capture_output=True,
                check=True,
                timeout=SECONDS,
            )
            if _rows(file) != _rows(target / source.name):
                changed.append(str(file.relative_to(packs)))
    return len(files), changed


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))
