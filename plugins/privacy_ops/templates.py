"""Pages from templates: every value escaped, a missing one an error, a style sheet that a page's policy can name."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup


@cache
def environment(folder: Path) -> jinja2.Environment:
    """The templates of a folder, one environment each; its owner may add filters. jinja2 is imported when one asks."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def csp_hash(text: str) -> str:
    """How a Content-Security-Policy names an inline style or script, without quotes."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def asset(path: Path) -> Markup:
    """A style sheet or script of ours, to stand in a page as it is. Raises OSError."""
    from markupsafe import Markup

    return Markup(path.read_text(encoding="utf-8"))  # noqa: S704 - a file of ours
