"""A cube for StatsWales 3: one long data table, a bilingual lookup for each dimension, metadata.

The data column holds digits only. A suppressed figure is an empty cell with a note code;
a symbol in the data column is rejected. Dimensions can never be added or dropped later.
Source: statswales-frontend docs/guidance and statswales-backend validators, as published.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.declarations import Text
from pipelines.files import write_table
from pipelines.release.content import (
    COMPONENTS,
    NOTES,
    TOTAL,
    Content,
    bilingual,
    open_returns_note,
    texts,
)
from pipelines.text.catalogue import N_
from pipelines.text.labels import WINDOWS, window_label

DIMENSIONS = ("period", "window", "place", "category")
DIMENSION_TITLES = {
    "period": N_("Period"),
    "window": N_("Length of the period"),
    "place": N_("Area or agency"),
    "category": N_("Category"),
}
COLLECTION = N_(
    "Quarterly returns of authorities and adoption agencies: one row for each child with a plan "
    "for adoption, each adopter household and each support case."
)
TITLE = N_("Adoption services, {quarter}")
DATA = "statswales-data.csv"
LOOKUPS = {name: f"statswales-lookup-{name}.csv" for name in (*DIMENSIONS, "measure")}
METADATA = "statswales-metadata.csv"
ENDING = {"value": "", "numerator": "_N", "denominator": "_D"}
TYPES = {"percent": "percentage", "days": "mean", "months": "mean"}
# Our flags as note codes there; a low figure is called k.
FLAG_CODES = {"c": "c", "x": "x", "z": "z", "low": "k"}
LOOKUP_COLUMNS = (
    "refcode", "description_en", "description_cy", "hierarchy", "sort", "note_en", "note_cy",
)  # fmt: skip


def write_statswales(content: Content, folder: Path) -> list[Path]:
    """Write data, lookups and metadata into ``folder``; the files written."""
    frames = {DATA: _data(content), METADATA: _metadata(content)}
    frames |= {LOOKUPS[name]: frame for name, frame in _lookups(content).items()}
    for name, frame in frames.items():
        write_table(frame, folder / name)
    return [folder / name for name in frames]


def period(quarter: str, window: str) -> str:
    """2025-26Q1; a financial year is 2025-26."""
    label = quarter.replace("-Q", "Q")
    return label.partition("Q")[0] if window == "financial_year" else label


def _category(breakdown: str, part: str) -> str:
    return "TOTAL" if breakdown == TOTAL else f"{breakdown}.{part}"


def _data(content: Content) -> pl.DataFrame:
    rows = []
    for row, text in zip(
        content.figures.iter_rows(named=True), texts(content.figures), strict=True
    ):
        codes = [row["notes"]] if row["notes"] else []
        if row["flag"]:
            codes.append(FLAG_CODES[row["flag"]])
        if row["breakdown"] == TOTAL:
            codes.append("t")
        rows.append(
            (
                period(row["quarter"], row["window_name"]),
                row["window_name"],
                row["place_code"],
                _category(row["breakdown"], row["breakdown_value"]),
                row["indicator_id"] + ENDING[row["component"]],
                ",".join(codes),
                text,
            )
        )
    columns = (*DIMENSIONS, "measure", "note_codes", "data")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row").sort(
        *DIMENSIONS, "measure"
    )


def _lookups(content: Content) -> dict[str, pl.DataFrame]:
    figures = content.figures
    ended = sorted({period(q, w) for q, w in figures.select("quarter", "window_name").iter_rows()})
    windows = [name for name in WINDOWS if name in set(figures["window_name"])]
    return {
        "period": _lookup([(code, code, code, "", "", "") for code in ended]),
        "window": _lookup(
            [
                (name, window_label(name, "en"), window_label(name, "cy"), "", "", "")
                for name in windows
            ]
        ),
        "place": _lookup(_places(content)),
        "category": _lookup(_categories(content)),
        "measure": _measures(content),
    }


def _lookup(rows: list[tuple[str, ...]]) -> pl.DataFrame:
    numbered = [(*row[:4], str(sort), *row[4:]) for sort, row in enumerate(rows, 1)]
    return pl.DataFrame(numbered, schema=dict.fromkeys(LOOKUP_COLUMNS, pl.String), orient="row")


def _places(content: Content) -> list[tuple[str, ...]]:
    used = set(content.figures["place_code"])
    return [
        (code, en, cy, parent if parent in used else "", "", "")
        for code, en, cy, parent in content.places.select(
            "place_code", "name_en", "name_cy", "parent_code"
        ).iter_rows()
        if code in used
    ]


def _categories(content: Content) -> list[tuple[str, ...]]:
    used = set(content.figures.select("breakdown", "breakdown_value").iter_rows())
    return [
        (
            _category(row["breakdown"], row["breakdown_value"]),
            _titled(row["title_en"], row["label_en"]),
            _titled(row["title_cy"], row["label_cy"]),
            "" if row["breakdown"] == TOTAL else "TOTAL",
            "",
            "",
        )
        for row in content.categories.iter_rows(named=True)
        if (row["breakdown"], row["breakdown_value"]) in used
    ]


def _titled(title: str, label: str) -> str:
    return label if title == label else f"{title}: {label}"


def _measures(content: Content) -> pl.DataFrame:
    used = set(content.figures.select("indicator_id", "component", "decimals").unique().iter_rows())
    rows = []
    for indicator in content.indicators.iter_rows(named=True):
        for component, ending in ENDING.items():
            places = [d for i, c, d in used if (i, c) == (indicator["indicator_id"], component)]
            if not places:
                continue
            kind = TYPES.get(indicator["unit"], "count") if component == "value" else component
            decimals = max(places)
            rows.append(
                (
                    indicator["indicator_id"] + ending,
                    _measure_title(indicator, component, "en"),
                    _measure_title(indicator, component, "cy"),
                    indicator["definition_en"],
                    indicator["definition_cy"],
                    kind,
                    "decimal" if decimals else "integer",
                    str(decimals),
                )
            )
    columns = (
        "refcode", "description_en", "description_cy", "note_en", "note_cy",
        "type", "format", "decimal",
    )  # fmt: skip
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _measure_title(indicator: dict[str, str], component: str, language: str) -> str:
    title = f"{indicator['indicator_id']} {indicator[f'title_{language}']}"
    if component == "value":
        return title
    return f"{title} ({getattr(bilingual(COMPONENTS[component]), language)})"


def _metadata(content: Content) -> pl.DataFrame:
    """The translations as the site imports them: a row for each dimension, and for each text.

    The site knows no other texts than these, so what else there is to say stands under quality.
    Source: statswales-backend, the translations export and import, as published.
    """
    about = metadata(content)
    rows = [
        ("dimension", name, text.en, text.cy)
        for name, text in ((name, bilingual(title)) for name, title in DIMENSION_TITLES.items())
    ]
    more = [text for name, text in about.items() if name not in ("title", "summary")]
    texts_of_site = {
        "title": about["title"],
        "summary": about["summary"],
        "collection": bilingual(COLLECTION),
        "quality": Text(
            en=" ".join(text.en for text in more), cy=" ".join(text.cy for text in more)
        ),
    }
    rows += [("metadata", key, text.en, text.cy) for key, text in texts_of_site.items()]
    schema = dict.fromkeys(("type", "key", "english", "cymraeg"), pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row")


def metadata(content: Content) -> dict[str, Text]:
    """What is said of the data set as a whole, in both languages."""
    label = content.quarter.label
    about = {
        "title": Text(
            en=f"{bilingual(TITLE, quarter=label).en}: {content.title.en}",
            cy=f"{bilingual(TITLE, quarter=label).cy}: {content.title.cy}",
        ),
        "summary": bilingual(
            N_(
                "Children with a plan for adoption and people who want to adopt, from the "
                "quarterly returns of authorities and agencies."
            )
        ),
        "quality": bilingual(
            N_(
                "Small numbers are suppressed, and other numbers with them, so that no small "
                "number can be worked out. A figure that lacks returns is marked as provisional. "
                "Few definitions are published in full; each measure says how far its own is."
            )
        ),
        "version": bilingual(N_("Version {number}"), number=content.version),
        "welsh_wording": bilingual(N_("A translator has not yet reviewed the Welsh wording.")),
    }
    if content.open_returns:
        about["open_returns"] = open_returns_note(content.open_returns)
    if content.is_synthetic:
        about["synthetic"] = bilingual(N_("Synthetic sample data: no real child or household."))
    used = [code for code in NOTES if content.figures["notes"].str.contains(code).any()]
    return about | {f"note_{code}": bilingual(NOTES[code]) for code in used}
