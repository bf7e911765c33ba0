"""Packs of the sample: the warehouse's own figures, for places large and small."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.declarations import Declarations
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.pages import page, places_with_a_pack, read_nation_quarter
from pipelines.quarters import Quarter
from pipelines.text.catalogue import LANGUAGES, Language
from pipelines.warehouse.published import open_warehouse
from tests.browser import looked_at
from tests.unit.pack.reading_pages import Page

LAST = Quarter(2020, 4)
WALES, ENGLAND = "W92000004", "E92000001"


@pytest.fixture(scope="module")
def connection(sample) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(sample.settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def quarter_data(connection, declarations: Declarations) -> dict[str, NationQuarter]:
    return {
        nation: read_nation_quarter(connection, declarations, nation, LAST)
        for nation in (WALES, ENGLAND)
    }


def smallest(data: NationQuarter) -> str:
    """The authority that placed the fewest children in the year."""
    placed = {
        place.code: figure.value or 0
        for place in places_with_a_pack(data)
        if place.kind == "authority"
        and (figure := data.now(place.code).get("W06", {}).get("rolling_4"))
    }
    return min(placed, key=lambda code: (placed[code], code))


def test_each_nation_has_its_pack_in_the_published_version(sample) -> None:
    folder = sample.settings.exports / LAST.label / "1"
    names = {path.name for path in folder.glob("pack-*.html")}
    assert names == {
        f"pack-{n}-{spoken}.html" for n in ("wales", "england") for spoken in LANGUAGES
    }
    for name in names:
        assert name in (folder / "SHA256SUMS").read_text(encoding="utf-8")
        assert name not in sample.printed or "-en.html" in name
    assert str(folder / "pack-wales-en.html") in re.sub(r"\s", "", sample.printed)


def test_the_figures_are_those_of_the_warehouse(
    connection, quarter_data: dict[str, NationQuarter], declarations: Declarations
) -> None:
    data = quarter_data[WALES]
    text = Page(page(data, declarations, data.places["W06000015"], "en")).text
    shown = connection.execute(
        "select indicator_id, f.value_rounded, f.numerator, f.denominator, i.rounding"
        " from marts.fct_indicator f join marts.dim_indicator i using (indicator_id)"
        " where place_code = 'W06000015' and quarter = ? and window_name = 'rolling_4'"
        " and breakdown = 'total' and membership_basis = 'at_the_time' and i.unit = 'percent'"
        " and f.denominator > 0",
        [LAST.label],
    ).fetchall()
    assert len(shown) > 5
    for indicator, value, numerator, denominator, rounding in shown:
        assert f"{value:.{rounding}f}% {numerator} of {denominator}" in text, indicator
    waiting = connection.execute(
        "select children_waiting, children_waiting_past from marts.rpt_early_warning"
        " where place_code = 'W06000015' and quarter = ? and indicator_id = 'W11C_SIX_MONTHS'",
        [LAST.label],
    ).fetchone()
    assert f"{waiting[0]} waiting on 31 March 2021, {waiting[1]} of them past" in text


@pytest.mark.parametrize(
    ("nation", "place"),
    [
        (WALES, "VVC"),
        (WALES, "ST_DAVIDS"),
        (WALES, "smallest"),
        (ENGLAND, "WEST_MERCIA"),
        (ENGLAND, "E06000019"),
        (ENGLAND, "ADOPTION_WEST"),
    ],
)
def test_every_kind_of_place_has_a_whole_page(
    quarter_data: dict[str, NationQuarter], declarations: Declarations, nation: str, place: str
) -> None:
    data = quarter_data[nation]
    code = smallest(data) if place == "smallest" else place
    for language in LANGUAGES:
        document = Page(page(data, declarations, data.places[code], language))
        assert document.unclosed == [] and document.fetched() == []
        assert max(document.ids().values()) == 1
        assert not re.search(r"\b(None|nan|Undefined)\b|\{\w*\}", document.text)


@pytest.mark.parametrize(
    ("place", "language", "width"), [(WALES, "en", 1280), ("smallest", "cy", 500)]
)
def test_axe_finds_nothing_in_a_real_page(
    quarter_data: dict[str, NationQuarter],
    declarations: Declarations,
    tmp_path: Path,
    place: str,
    language: Language,
    width: int,
) -> None:
    data = quarter_data[WALES]
    code = smallest(data) if place == "smallest" else place
    report = looked_at(page(data, declarations, data.places[code], language), width, tmp_path)
    assert report["violations"] == []
    assert report["rules"] > 30
