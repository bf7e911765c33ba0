"""What a release holds, apart from the form of its files.

A *shown figure* is one cell of a release: a number, or a flag in its place, never both. Formats
differ in how they write a flag: ``[c]`` in a workbook, ``c`` in English open data, an empty cell
with the note code ``c`` in Welsh open data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from pipelines.declarations import Text
from pipelines.quarters import Quarter

Language = Literal["en", "cy"]

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
COMPONENTS: dict[str, Text] = {
    "value": Text(en="value", cy="gwerth"),
    "numerator": Text(en="numerator", cy="rhifiadur"),
    "denominator": Text(en="number it is taken over", cy="y nifer y'i cymerir drosto"),
}
FLAGS: dict[str, Text] = {
    "c": Text(
        en="Kept back to protect people: the number is small, or would give a small one away.",
        cy="Wedi'i gadw'n ôl i ddiogelu pobl: mae'r nifer yn fach, neu byddai'n datgelu un bach.",
    ),
    "x": Text(
        en="Not available: no return was accepted.",
        cy="Ddim ar gael: ni dderbyniwyd unrhyw ffurflen.",
    ),
    "z": Text(
        en="Not applicable: there was nobody to take it over.",
        cy="Amherthnasol: nid oedd neb i'w gymryd drosto.",
    ),
    "low": Text(en="Rounds to nought, and is not nought.", cy="Yn talgrynnu i ddim, ond nid dim."),
}
NOTES: dict[str, Text] = {
    "p": Text(
        en="Provisional: not every return that was due has been accepted.",
        cy="Dros dro: ni dderbyniwyd pob ffurflen a oedd yn ddyledus.",
    ),
    "r": Text(
        en="Revised since the version before.", cy="Wedi'i ddiwygio ers y fersiwn flaenorol."
    ),
    "b": Text(
        en="Break in series: not comparable with earlier figures.",
        cy="Toriad yn y gyfres: nid oes modd ei gymharu â ffigurau cynharach.",
    ),
}
WINDOWS: dict[str, Text] = {
    "quarter": Text(en="Quarter", cy="Chwarter"),
    "year_to_date": Text(en="Financial year to date", cy="Blwyddyn ariannol hyd yma"),
    "rolling_4": Text(en="Four quarters", cy="Pedwar chwarter"),
    "rolling_12": Text(en="Twelve quarters", cy="Deuddeg chwarter"),
    "financial_year": Text(en="Financial year", cy="Blwyddyn ariannol"),
}
# Of returns that were used although somebody has not agreed to them yet.
OPEN_RETURNS = Text(
    en="{} returns of the quarter are in the figures without being accepted by the national team: "
    "not signed off, with open queries, or with rows set aside.",
    cy="Mae {} o ffurflenni'r chwarter yn y ffigurau heb eu derbyn gan y tîm cenedlaethol: heb eu "
    "cymeradwyo, ag ymholiadau agored, neu â rhesi o'r neilltu.",
)
UNITS: dict[str, Text] = {
    "children": Text(en="children", cy="plant"),
    "households": Text(en="households", cy="aelwydydd"),
    "families": Text(en="families", cy="teuluoedd"),
    "people": Text(en="people", cy="pobl"),
    "requests": Text(en="requests", cy="ceisiadau"),
    "assessments": Text(en="assessments", cy="asesiadau"),
    "plans": Text(en="plans", cy="cynlluniau"),
    "arrangements": Text(en="arrangements", cy="trefniadau"),
    "exchanges": Text(en="exchanges", cy="cyfnewidiadau"),
    "percent": Text(en="percentage", cy="canran"),
    "days": Text(en="mean days", cy="diwrnodau, cymedr"),
    "months": Text(en="mean months", cy="misoedd, cymedr"),
}


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
    """Digits only, no thousands separator, as many decimals as declared; never a minus nought."""
    text = f"{number:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def texts(figures: pl.DataFrame) -> list[str]:
    """The number of each figure as text, empty where there is a flag."""
    return [
        "" if number is None else as_text(number, decimals)
        for number, decimals in figures.select("number", "decimals").iter_rows()
    ]
