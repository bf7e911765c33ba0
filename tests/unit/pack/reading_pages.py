"""A page taken apart without a browser: what it shows, and what it would fetch."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

_VOID = {"meta", "img", "br", "link", "hr", "input", "circle", "path", "polyline", "rect"}
_FETCHING = ("src", "href", "srcset", "data", "action", "poster", "xlink:href")


class Page(HTMLParser):
    """Elements with their attributes in order, and the text that is shown."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.shown: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.unclosed = self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1] == tag, f"</{tag}> closes {self._open[-3:]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.shown.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.shown))

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    def headings(self) -> list[int]:
        return [int(tag[1]) for tag, _ in self.elements if re.fullmatch(r"h[1-6]", tag)]

    def ids(self) -> Counter[str]:
        return Counter(
            str(attributes["id"]) for _, attributes in self.elements if "id" in attributes
        )

    def fetched(self) -> list[str]:
        """Addresses that a browser would ask for: all but the pictures and parts of the page."""
        addresses = [
            str(value)
            for _, attributes in self.elements
            for name, value in attributes.items()
            if name in _FETCHING and value and not str(value).startswith(("#", "data:image/"))
        ]
        styles = re.findall(r"url\([^)]*\)|@import[^;]*", self.html)
        return addresses + styles
