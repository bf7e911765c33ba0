"""Data sets for Explore Education Statistics: wide tables, each with its ``.meta.csv``.

Every indicator cell is a number or one of ``z x c k low u``. Quarters and whole years may not
share a file. A regional agency is no geographic level: agencies are a filter on national rows.
Source: dfe-analytical-services analysts' guide and eesyscreener, as published.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from pipelines.declarations import Declarations
from pipelines.files import write_table
from pipelines.release.content import TOTAL, Content, ReleaseError, as_text
from pipelines.settings import SOURCES
from pipelines.text.labels import window_label

QUARTERLY = "adoption_by_authority_and_agency_quarterly"
ANNUAL = "adoption_by_authority_and_agency_whole_years"
GEOGRAPHY = (
    "time_period", "time_identifier", "geographic_level", "country_code", "country_name",
    "region_code", "region_name", "old_la_code", "new_la_code", "la_name",
)  # fmt: skip
FILTERS = {
    "adoption_agency": "Adoption agency",
    "reporting_window": "Quarters the figure covers",
    "breakdown_topic": "Broken down by",
    "breakdown": "Part",
}
META_COLUMNS = (
    "col_name", "col_type", "label", "indicator_grouping", "indicator_unit", "indicator_dp",
    "filter_hint", "filter_grouping_column",
)  # fmt: skip
ENDING = {"value": "", "numerator": "_numerator", "denominator": "_denominator"}
UNIT_ENDING = {"percent": "_percent", "days": "_average", "months": "_average"}
GROUPINGS = {"child": "Children", "adopter": "Adopters", "support": "Adoption support"}
LONGEST_LABEL = 80
TOTAL_LABEL = "Total"


def write_open_data(content: Content, folder: Path) -> list[Path]:
    """Write the quarterly data set and, in the last quarter, the annual one; the files written.

    Raises ReleaseError where an authority has no code that the format asks for.
    """
    yearly = pl.col("window_name") == "financial_year"
    written = []
    for name, figures in (
        (QUARTERLY, content.figures.filter(~yearly)),
        (ANNUAL, content.figures.filter(yearly)),
    ):
        if figures.is_empty():
            continue
        columns = _indicator_columns(content, figures)
        data = _data(content, figures, columns)
        # A filter with a single level fails the screening.
        data = data.drop([column for column in FILTERS if data[column].n_unique() == 1])
        write_table(data, folder / f"{name}.csv")
        write_table(_meta(content, data, columns), folder / f"{name}.meta.csv")
        written += [folder / f"{name}.csv", folder / f"{name}.meta.csv"]
    return written


def column_name(indicator_id: str, component: str, unit: str) -> str:
    """E.g. a10_average, a10_denominator, w05_count."""
    ending = ENDING[component] or UNIT_ENDING.get(unit, "_count")
    return f"{indicator_id.lower()}{ending}"


def _indicator_columns(content: Content, figures: pl.DataFrame) -> dict[tuple[str, str], str]:
    there = set(figures.select("indicator_id", "component").unique().iter_rows())
    return {
        (row["indicator_id"], component): column_name(row["indicator_id"], component, row["unit"])
        for row in content.indicators.iter_rows(named=True)
        for component in ENDING
        if (row["indicator_id"], component) in there
    }


def _data(
    content: Content, figures: pl.DataFrame, columns: dict[tuple[str, str], str]
) -> pl.DataFrame:
    places = _Places(content)
    topics = {
        (row["breakdown"], row["breakdown_value"]): (
            (TOTAL_LABEL, TOTAL_LABEL)
            if row["breakdown"] == TOTAL
            else (row["title_en"], row["label_en"])
        )
        for row in content.categories.iter_rows(named=True)
    }
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for row in figures.iter_rows(named=True):
        window = row["window_name"]
        key = (
            *_time(row["quarter"], window),
            *places.geography(row["place_code"]),
            places.agency(row["place_code"]),
            window_label(window, "en"),
            *topics[row["breakdown"], row["breakdown_value"]],
        )
        shown = row["flag"] or as_text(row["number"], row["decimals"])
        column = columns[row["indicator_id"], row["component"]]
        rows.setdefault(key, {})[column] = shown
    names = list(columns.values())
    # The matrix is complete: a measure that a place or part cannot have is not applicable.
    return pl.DataFrame(
        [(*key, *(cells.get(name, "z") for name in names)) for key, cells in sorted(rows.items())],
        schema=dict.fromkeys((*GEOGRAPHY, *FILTERS, *names), pl.String),
        orient="row",
    )


def _time(quarter: str, window: str) -> tuple[str, str]:
    year = quarter[:4] + quarter[5:7]
    if window == "financial_year":
        return year, "Financial year"
    return year, f"Financial year {quarter[-2:]}"


class _Places:
    """Where the rows of a place stand in the format's geography."""

    def __init__(self, content: Content) -> None:
        self.rows = {row["place_code"]: row for row in content.places.iter_rows(named=True)}
        self.nation = self.rows[content.nation_code]
        self.codes = Declarations(SOURCES).open_data_codes

    def geography(self, place_code: str) -> tuple[str, ...]:
        country = (self.nation["place_code"], self.nation["name_en"])
        if self.rows[place_code]["kind"] != "authority":
            return ("National", *country, "", "", "", "", "")
        if place_code not in self.codes:
            raise ReleaseError(
                f"{place_code} has no open_data in its entry in sources/places: the English "
                "format needs its three-digit code and its region"
            )
        codes = self.codes[place_code]
        return (
            "Local authority",
            *country,
            codes.region_code,
            codes.region_name,
            codes.old_la_code,
            place_code,
            codes.la_name,
        )

    def agency(self, place_code: str) -> str:
        place = self.rows[place_code]
        return TOTAL_LABEL if place["kind"] in ("authority", "nation") else place["name_en"]


def _meta(
    content: Content, data: pl.DataFrame, columns: dict[tuple[str, str], str]
) -> pl.DataFrame:
    indicators = {row["indicator_id"]: row for row in content.indicators.iter_rows(named=True)}
    rows: list[Sequence[str]] = [
        (name, "Filter", label, "", "", "", "", "breakdown_topic" if name == "breakdown" else "")
        for name, label in FILTERS.items()
        if name in data.columns
    ]
    for (indicator_id, component), name in columns.items():
        indicator = indicators[indicator_id]
        is_percent = component == "value" and indicator["unit"] == "percent"
        rows.append(
            (
                name,
                "Indicator",
                _label(indicator, component),
                GROUPINGS[indicator["subject"]],
                "%" if is_percent else "",
                str(_decimals(content.figures, indicator_id, component)),
                "",
                "",
            )
        )
    return pl.DataFrame(rows, schema=dict.fromkeys(META_COLUMNS, pl.String), orient="row")


def _label(indicator: dict[str, str], component: str) -> str:
    ending = {"value": _unit_words(indicator["unit"]), "numerator": "numerator"}.get(
        component, "denominator"
    )
    start = f"{indicator['indicator_id']} "
    room = LONGEST_LABEL - len(start) - len(ending) - 3
    title = indicator["title_en"]
    if len(title) > room:
        title = title[: room - 1].rsplit(" ", 1)[0] + "…"
    return f"{start}{title} ({ending})"


def _unit_words(unit: str) -> str:
    return {"percent": "%", "days": "mean days", "months": "mean months"}.get(unit, "number")


def _decimals(figures: pl.DataFrame, indicator_id: str, component: str) -> int:
    mine = (pl.col("indicator_id") == indicator_id) & (pl.col("component") == component)
    return max(figures.filter(mine)["decimals"].to_list())


def cells(data: pl.DataFrame) -> Iterable[str]:
    """Every indicator cell of a data set."""
    names = [name for name in data.columns if name not in (*GEOGRAPHY, *FILTERS)]
    for name in names:
        yield from data[name]
