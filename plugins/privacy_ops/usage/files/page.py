"""The report as a browser takes it: what it says, and whether it would load, run or send anything."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_ACTIVE = {
    *("script", "iframe", "frame", "object", "embed", "applet", "link", "base", "img", "image", "audio", "video"),
    *("source", "form", "input", "button", "foreignobject", "animate", "set", "portal"),
}
_REFERENCES = {"href", "xlink:href", "src", "srcset", "action", "formaction", "data", "poster", "background", "ping"}
_SPOKEN = {"title", "alt", "aria-label"}
_OUTWARD = re.compile(r"url\(\s*['\"]?(?!#)|@import|image-set\(", re.I)
_SELF_CONTAINED = "default-src 'none'; style-src 'sha256-"


class Page(HTMLParser):
    """Reads one page. ``texts``: every piece of text. ``active``: what is not allowed, once for each find."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.active: list[str] = []
        self._in_style = False
        self._has_policy = False
        self.feed(html)
        self.close()
        if not self._has_policy:
            self.active.append("no policy that forbids loading")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        if tag in _ACTIVE:
            self.active.append(f"the element {tag}")
        if tag == "meta" and "http-equiv" in given:
            policy = given["http-equiv"].lower() == "content-security-policy"
            self._has_policy |= policy and given.get("content", "").startswith(_SELF_CONTAINED)
            if not policy:
                self.active.append("an instruction to the browser")
        for name, value in given.items():
            if name.startswith("on"):
                self.active.append("an event handler")
            if name == "style":
                self.active.append("a style attribute")
            if (name in _REFERENCES and not value.startswith("#")) or _OUTWARD.search(value):
                self.active.append("a reference to the outside")
            if name in _SPOKEN:
                self.texts.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._in_style &= tag != "style"

    def handle_data(self, data: str) -> None:
        if self._in_style:
            if _OUTWARD.search(data):
                self.active.append("a reference to the outside in the style sheet")
        elif data.strip():
            self.texts.append(data)
