"""A publishable page against its release: numbers on it that no figure of the release explains."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser

from pipelines.declarations import Declarations
from pipelines.pack.model import PackPlace
from pipelines.pack.published_release import PublishedRelease
from pipelines.pack.wording import Wording
from pipelines.text.catalogue import Language

_VOID = {"meta", "img", "br", "link", "hr", "input", "circle", "path", "polyline", "rect"}
_SPOKEN = ("alt", "aria-label", "title", "data-label")
_QUARTER = re.compile(r"\b\d{4}-\d{2}-Q[1-4]\b")


class PublishedPage(HTMLParser):
    """``figures``: pairs of a row of the release and its text; ``sparks``: the row of the table,
    and all that its line says; ``rest``: every other text, spoken or seen."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.figures: list[tuple[str, str]] = []
        self.sparks: list[tuple[str, list[str]]] = []
        self.rest: list[str] = []
        self.places: list[tuple[float, float]] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self._row = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if str(attributes.get("id", "")).startswith("i-"):
            self._row = str(attributes["id"])[2:]
        spoken = [str(attributes[name]) for name in _SPOKEN if attributes.get(name)]
        if attributes.get("class") == "spark":
            self.sparks.append((self._row, spoken))
        else:
            self.rest += spoken
        if tag == "circle" and self._is_in("spark"):
            self.places.append((float(attributes["cx"] or 0), float(attributes["cy"] or 0)))
        if tag not in _VOID:
            self._open.append((tag, attributes))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1][0] == "style":
            return
        if key := self._open[-1][1].get("data-figure"):
            self.figures.append((key, data))
        elif self._is_in("spark"):
            self.sparks[-1][1].append(data)
        else:
            self.rest.append(data)

    def _is_in(self, name: str) -> bool:
        return any(attributes.get("class") == name for _, attributes in self._open)


def strangers(
    html: str,
    release: PublishedRelease,
    place: PackPlace,
    language: Language,
    declarations: Declarations,
) -> list[str]:
    """What is on the page of ``place`` and is neither a figure nor a declared word of the release;
    nothing where all is well."""
    page = PublishedPage(html)
    beside = {place, release.nation, *release.members_of(place)}
    if region := release.region_of(place):
        beside.add(region)
    units = {one.indicator_id: one.unit for one in release.indicators}
    shown = {}
    for figures in (release.figures, *release.earlier.values()):
        for (code, indicator, _, component), one in figures.items():
            if code in {other.code for other in beside}:
                is_share = units.get(indicator) == "percent" and component == "value"
                percent = "%" if is_share and one.number is not None else ""
                shown[one.key] = one.text + percent
    wrong = [f"{key}: {text}" for key, text in page.figures if shown.get(key) != text]
    for indicator, spoken in page.sparks:
        own = {
            one.text
            for figures in (release.figures, *release.earlier.values())
            for (code, its, _, component), one in figures.items()
            if (code, its, component) == (place.code, indicator, "value")
        }
        for text in spoken:
            bare = _without(text, _phrases(release, declarations, language))
            numbers = re.findall(r"\d[\d,]*(?:\.\d+)?", bare)
            wrong += [f"line of {indicator}: {one}" for one in numbers if one not in own]
    phrases = _phrases(release, declarations, language)
    for text in page.rest:
        if re.search(r"\d", bare := _without(text, phrases)):
            wrong.append(bare)
    return wrong


def _phrases(
    release: PublishedRelease, declarations: Declarations, language: Language
) -> list[str]:
    wording = Wording(language)
    label = wording.gettext("Disclosure controlled: {name}, version {version}")
    said = [release.name, label.format(name=release.name, version=release.version)]
    for one in release.indicators:
        said += [one.title[language], one.definition[language], one.status_note[language]]
        if one.indicator_id in release.benchmarks:
            said.append(wording.benchmark(one, release.benchmarks[one.indicator_id]))
        said.append(one.indicator_id)
        title = one.title[language]
        said.append(title[:1].lower() + title[1:])
    for other in declarations.breaks_in_series:
        said += [getattr(other, f"{name}_{language}") for name in ("title", "explanation")]
    said += [other.name[language] for other in release.places.values()]
    said += [wording.day(release.quarter.last_day), wording.months(release.quarter)]
    said += [release.rules[language], release.body[language], *release.earlier_names]
    return sorted({str(one) for one in said}, key=len, reverse=True)


def _without(text: str, phrases: Iterable[str]) -> str:
    for phrase in phrases:
        text = text.replace(phrase, " ")
    text = _QUARTER.sub(" ", text)
    # A table that goes on in a second one is numbered.
    return re.sub(r"^(Side by side|Ochr yn ochr) \d+$", " ", text.strip())
