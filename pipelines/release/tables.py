"""The tables people read: one per kind of place and return, and one per breakdown.

Used by the workbooks and written as CSV as well, since the collections publish such tables for
each quarter: children by authority, adoptive families by agency, adoptive families by voluntary
agency.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pipelines.declarations import Text
from pipelines.files import write_table
from pipelines.release.content import TOTAL, Content, as_text, bilingual, unit_words
from pipelines.text.catalogue import LANGUAGES, N_, Language, translations
from pipelines.text.labels import WINDOWS, window_label

AUTHORITIES = ("authority",)
GROUPS = ("nation", "region", "regional_agency", "partnership")
VOLUNTARY = ("voluntary_agency",)
# Rows of a table, who is in them, which return they come from.
KINDS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "children_by_authority": (
        "child",
        (*GROUPS, *AUTHORITIES),
        N_("Children, by authority and agency"),
    ),
    "adoptive_families_by_agency": (
        "adopter",
        (*GROUPS, *AUTHORITIES),
        N_("Adoptive families, by authority and agency"),
    ),
    "adoptive_families_by_voluntary_agency": (
        "adopter",
        VOLUNTARY,
        N_("Adoptive families, by voluntary agency"),
    ),
    "adoption_support_by_agency": (
        "support",
        (*GROUPS, *AUTHORITIES),
        N_("Adoption support, by agency"),
    ),
}


@dataclass(frozen=True)
class Cell:
    """A number with its decimals, or the shorthand that stands in its place; and its notes."""

    number: float | None
    decimals: int
    shorthand: str
    notes: str


@dataclass(frozen=True)
class Table:
    """A table with one row of headings. ``headings`` begin with that of the row names."""

    name: str
    title: Text
    headings: dict[Language, list[str]]
    row_names: dict[Language, list[str]]
    rows: list[list[Cell]]


def write_tables(content: Content, folder: Path) -> list[Path]:
    """The tables by authority and agency as CSV, in each language; the files written."""
    written = []
    for table in tables_of(content):
        if not table.name.startswith(tuple(KINDS)):
            continue
        for language in LANGUAGES:
            path = folder / f"table-{table.name}-{language}.csv"
            write_table(_frame(table, language), path)
            written.append(path)
    return written


def _frame(table: Table, language: Language) -> pl.DataFrame:
    rows = [
        [name, *(cell.shorthand or as_text(cell.number or 0, cell.decimals) for cell in cells)]
        for name, cells in zip(table.row_names[language], table.rows, strict=True)
    ]
    schema = dict.fromkeys(table.headings[language], pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row")


def tables_of(content: Content) -> Iterator[Table]:
    """Every table of a release: places by indicator for each window, then breakdowns."""
    for window in [name for name in WINDOWS if name in set(content.figures["window_name"])]:
        of_window = content.figures.filter(pl.col("window_name") == window)
        for name, (subject, kinds, title) in KINDS.items():
            table = _by_place(content, of_window, f"{name}_{window}", subject, kinds, title, window)
            if table:
                yield table
        yield from _by_part(content, of_window, window)


def _by_place(
    content: Content,
    figures: pl.DataFrame,
    name: str,
    subject: str,
    kinds: tuple[str, ...],
    title: str,
    window: str,
) -> Table | None:
    of_subject = content.indicators.filter(pl.col("subject") == subject)
    places = content.places.filter(pl.col("kind").is_in(list(kinds)))
    mine = figures.filter(
        (pl.col("breakdown") == TOTAL)
        & (pl.col("component") != "numerator")
        & pl.col("indicator_id").is_in(of_subject["indicator_id"].to_list())
        & pl.col("place_code").is_in(places["place_code"].to_list())
    )
    if mine.is_empty():
        return None
    there = set(mine["place_code"])
    rows = [row for row in places.iter_rows(named=True) if row["place_code"] in there]
    return _table(
        content,
        name,
        _with_window(bilingual(title), window),
        bilingual(N_("Place")),
        mine.with_columns(row=pl.col("place_code")),
        [(row["place_code"], Text(en=row["name_en"], cy=row["name_cy"])) for row in rows],
    )


def _by_part(content: Content, figures: pl.DataFrame, window: str) -> Iterator[Table]:
    """The nation's figures, indicators down and parts across: forty indicators across print ill."""
    of_nation = figures.filter(
        (pl.col("place_code") == content.nation_code) & (pl.col("component") != "numerator")
    )
    nation = content.places.row(
        by_predicate=pl.col("place_code") == content.nation_code, named=True
    )
    for breakdown in content.categories["breakdown"].unique(maintain_order=True):
        mine = of_nation.filter(pl.col("breakdown") == breakdown)
        if breakdown == TOTAL or mine.is_empty():
            continue
        parts = content.categories.filter(pl.col("breakdown") == breakdown)
        titles = {
            language: translations(language)
            .gettext("{place} by {breakdown}")
            .format(
                place=nation[f"name_{language}"],
                breakdown=_lower(parts[f"title_{language}"][0]),
            )
            for language in LANGUAGES
        }
        about = Text(**titles)
        across = _table(
            content,
            f"{breakdown}_{window}",
            _with_window(about, window),
            bilingual(N_("Indicator")),
            mine.with_columns(row=pl.col("breakdown_value")),
            [
                (row["breakdown_value"], Text(en=row["label_en"], cy=row["label_cy"]))
                for row in parts.iter_rows(named=True)
            ],
        )
        yield _turned(across)


def _turned(table: Table) -> Table:
    """Rows for columns."""
    return replace(
        table,
        headings={
            language: [table.headings[language][0], *table.row_names[language]]
            for language in LANGUAGES
        },
        row_names={language: table.headings[language][1:] for language in LANGUAGES},
        rows=[list(cells) for cells in zip(*table.rows, strict=True)],
    )


def _table(
    content: Content,
    name: str,
    title: Text,
    first: Text,
    figures: pl.DataFrame,
    rows: list[tuple[str, Text]],
) -> Table:
    """``figures`` have a column ``row``, the code of their row."""
    there = set(figures.select("indicator_id", "component").unique().iter_rows())
    columns = [
        (indicator, component)
        for indicator in content.indicators.iter_rows(named=True)
        for component in ("value", "denominator")
        if (indicator["indicator_id"], component) in there
    ]
    cells = {
        (row["row"], row["indicator_id"], row["component"]): Cell(
            row["number"],
            row["decimals"],
            f"[{row['flag']}]" if row["flag"] else "",
            row["notes"],
        )
        for row in figures.iter_rows(named=True)
    }
    # Not applicable, in the shorthand of the Government Analysis Function: never a blank cell.
    not_here = Cell(None, 0, "[z]", "")
    return Table(
        name=name,
        title=title,
        headings={
            language: [
                getattr(first, language),
                *(_heading(indicator, component, language) for indicator, component in columns),
            ]
            for language in LANGUAGES
        },
        row_names={
            language: [getattr(label, language) for _, label in rows] for language in LANGUAGES
        },
        rows=[
            [
                cells.get((code, indicator["indicator_id"], component), not_here)
                for indicator, component in columns
            ]
            for code, _ in rows
        ],
    )


def _heading(indicator: dict[str, str], component: str, language: Language) -> str:
    title = f"{indicator['indicator_id']} {indicator[f'title_{language}']}"
    if component == "denominator":
        return f"{title}: {translations(language).gettext('denominator')}"
    return f"{title} ({getattr(unit_words(indicator['unit']), language)})"


def _with_window(title: Text, window: str) -> Text:
    """``Children, by authority and agency: last four quarters``."""
    return Text(
        en=f"{title.en}: {_lower(window_label(window, 'en'))}",
        cy=f"{title.cy}: {_lower(window_label(window, 'cy'))}",
    )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
