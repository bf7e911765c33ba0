"""What a release holds, apart from the form of its files.

A *shown figure* is one cell of a release: a number, or a flag in its place, never both. Formats
differ in how they write a flag: ``[c]`` in a workbook, ``c`` in English open data, an empty cell
with the note code ``c`` in Welsh open data.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.declarations import Text
from pipelines.quarters import Quarter
from pipelines.text.catalogue import LANGUAGES, N_, translations
from pipelines.text.labels import unit_label

KEY = (
    "indicator_id", "component", "place_code", "quarter", "window_name",
    "breakdown", "breakdown_value",
)  # fmt: skip
# ``component`` is value, numerator or denominator of the indicator; ``decimals`` those of
# ``number``; ``flag`` a key of FLAGS, empty where there is a number; ``notes`` codes of NOTES.
FIGURE_SCHEMA = {
    **dict.fromkeys(KEY, pl.String),
    "number": pl.Float64,
    "decimals": pl.Int64,
    "flag": pl.String,
    "notes": pl.String,
}

TOTAL = "total"
COMPONENTS: dict[str, str] = {
    "value": N_("value"),
    "numerator": N_("numerator"),
    "denominator": N_("denominator"),
}
FLAGS: dict[str, str] = {
    "c": N_(
        "Suppressed to protect people: the number is small, or a small number could be worked out "
        "from it."
    ),
    "x": N_("Not available: no return was accepted."),
    "z": N_("Not applicable: the denominator is zero, or the measure does not exist here."),
    "low": N_("Rounds to zero, but is not zero."),
}
NOTES: dict[str, str] = {
    "p": N_(
        "Provisional: not every return that was due has been accepted, or a return that came or "
        "changed later is not in it yet."
    ),
    "r": N_("Revised since the version before."),
    "b": N_("Break in series: not comparable with earlier figures."),
}


def bilingual(sentence: str, **values: object) -> Text:
    """A sentence of the catalogue in both languages, its places filled in with ``values``."""
    welsh = translations("cy").gettext(sentence)
    return Text(en=sentence.format(**values), cy=welsh.format(**values))


def open_returns_note(count: int) -> Text:
    """Says that ``count`` returns were used although somebody has not agreed to them yet."""
    sentences = [
        translations(language)
        .ngettext(
            "{count} return of the quarter is in the figures without being accepted by the "
            "national team: not signed off, with open queries, or with rows set aside.",
            "{count} returns of the quarter are in the figures without being accepted by the "
            "national team: not signed off, with open queries, or with rows set aside.",
            count,
        )
        .format(count=count)
        for language in LANGUAGES
    ]
    return Text(en=sentences[0], cy=sentences[1])


def unit_words(unit: str) -> Text:
    """The unit of an indicator in a heading. Raises KeyError for a unit no indicator may have."""
    if unit == "days":
        return bilingual(N_("mean days"))
    if unit == "months":
        return bilingual(N_("mean months"))
    return Text(en=unit_label(unit, "en"), cy=unit_label(unit, "cy"))


class ReleaseError(Exception):
    """The release cannot be made; the message says why. What was published stays as it is."""


@dataclass(frozen=True)
class Content:
    """One version of one body's release of a quarter, ready to be written in any form.

    ``figures`` follow FIGURE_SCHEMA, sorted by KEY. ``indicators``: indicator_id, title_en,
    title_cy, definition_en, definition_cy, subject, unit, is_ratio, definition_status,
    status_note_en, status_note_cy, sources. ``places``: place_code, name_en, name_cy, kind,
    parent_code. ``categories``: breakdown, breakdown_value, title_en, title_cy, label_en,
    label_cy, position. ``coverage``: place_code, subject, window_name, returns_expected,
    returns_accepted. ``open_returns``: returns of the quarter in it that the national team has not
    accepted.
    """

    body: str
    nation_code: str
    title: Text
    quarter: Quarter
    version: int
    figures: pl.DataFrame
    indicators: pl.DataFrame
    places: pl.DataFrame
    categories: pl.DataFrame
    coverage: pl.DataFrame
    is_synthetic: bool
    open_returns: int = 0

    def __post_init__(self) -> None:
        check_figures(self.figures)

    @property
    def name(self) -> str:
        """E.g. nas-2025-26-q1-v2: the first part of every file's name."""
        return f"{self.body}-{self.quarter.label}-v{self.version}".lower()


def check_figures(figures: pl.DataFrame) -> None:
    """Raise ReleaseError unless each row has one number or one known flag, and a key of its own."""
    if dict(figures.schema) != FIGURE_SCHEMA:
        raise ReleaseError("figures of a release have other columns than declared")
    both = figures.filter(pl.col("number").is_null() == pl.col("flag").is_null())
    if both.height:
        raise ReleaseError(f"{_first(both)}: neither or both of number and flag")
    unknown = figures.filter(~pl.col("flag").is_in(list(FLAGS)))
    if unknown.height:
        raise ReleaseError(f"{_first(unknown)}: a flag that is not declared")
    endless = figures.filter(~pl.col("number").is_finite())
    if endless.height:
        raise ReleaseError(f"{_first(endless)}: not a number")
    twice = figures.filter(pl.struct(KEY).is_duplicated())
    if twice.height:
        raise ReleaseError(f"{_first(twice)}: twice in the release")


def _first(figures: pl.DataFrame) -> str:
    return ", ".join(str(part) for part in figures.select(KEY).row(0))


def as_text(number: float, decimals: int) -> str:
    """Digits only, no thousands separator, as many decimals as declared; never a minus zero."""
    text = f"{number:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def texts(figures: pl.DataFrame) -> list[str]:
    """The number of each figure as text, empty where there is a flag."""
    return [
        "" if number is None else as_text(number, decimals)
        for number, decimals in figures.select("number", "decimals").iter_rows()
    ]
