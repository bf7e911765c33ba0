"""The English data sets pass a screening written from the published rules."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from pipelines.release.content import Content, ReleaseError
from pipelines.release.open_data import ANNUAL, FILTERS, GEOGRAPHY, QUARTERLY, write_open_data

CELL = re.compile(r"-?\d+(\.\d+)?|z|x|c|k|low|u")
META = [
    "col_name", "col_type", "label", "indicator_grouping", "indicator_unit", "indicator_dp",
    "filter_hint", "filter_grouping_column",
]  # fmt: skip


def faults(folder: Path, name: str) -> list[str]:
    """What the screening says against a data set; stricter: no indicator cell may be blank."""
    data = pl.read_csv(folder / f"{name}.csv", infer_schema=False).fill_null("")
    meta = pl.read_csv(folder / f"{name}.meta.csv", infer_schema=False).fill_null("")
    found = []
    if not re.fullmatch(r"[a-z0-9_-]{35,50}", name):
        found.append("file name")
    if data.columns[:5] != list(GEOGRAPHY[:5]):
        found.append("mandatory columns")
    if any(not re.fullmatch(r"[a-z0-9_]+", column) for column in data.columns):
        found.append("a column's name")
    if meta.columns != META:
        found.append("columns of the metadata")
    kinds = dict(meta.select("col_name", "col_type").iter_rows())
    expected = [column for column in data.columns if column not in GEOGRAPHY]
    if sorted(kinds) != sorted(expected):
        return [*found, "metadata of other columns than there are"]
    key = [column for column in data.columns if kinds.get(column) != "Indicator"]
    if data.select(key).is_duplicated().any():
        found.append("a row twice")
    for column, kind in kinds.items():
        if kind == "Filter" and data[column].n_unique() < 2:
            found.append("a filter with one level")
        if kind == "Indicator" and not all(CELL.fullmatch(cell) for cell in data[column]):
            found.append("an indicator's cell")
    if set(meta["indicator_unit"]) - {"", "£", "£m", "%", "pp", "numberstring"}:
        found.append("a unit")
    if (meta["label"].str.len_chars() > 80).any():
        found.append("a label's length")
    identifiers = set(data["time_identifier"])
    if "Financial year" in identifiers and len(identifiers) > 1:
        found.append("quarters and years together")
    if not all(re.fullmatch(r"\d{6}", period) for period in data["time_period"]):
        found.append("a period")
    authorities = data.filter(pl.col("geographic_level") == "Local authority")
    for column in GEOGRAPHY:
        if (authorities[column] == "").any():
            found.append(f"an authority without {column}")
    if set(data["geographic_level"]) - {"National", "Local authority"}:
        found.append("a level")
    return found


@pytest.fixture
def folder(england: Content, tmp_path: Path) -> Path:
    write_open_data(england, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", [QUARTERLY, ANNUAL])
def test_the_data_sets_pass_the_screening(folder: Path, name: str) -> None:
    assert faults(folder, name) == []


@pytest.mark.parametrize(
    ("ending", "old", "new", "fault"),
    [
        (".csv", ",1234", ",", "an indicator's cell"),
        (".csv", ",1234", ',"1,234"', "an indicator's cell"),
        (".csv", "Financial year Q4,Nat", "Financial year,Nat", "quarters and years together"),
        (".csv", ",801,", ",,", "an authority without old_la_code"),
        (".meta.csv", ",%,", ",percent,", "a unit"),
        (".meta.csv", "count_count", "count", "metadata of other columns than there are"),
    ],
)
def test_a_data_set_that_breaks_a_rule_does_not_pass(
    folder: Path, ending: str, old: str, new: str, fault: str
) -> None:
    path = folder / f"{QUARTERLY}{ending}"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert fault in faults(folder, QUARTERLY)


def _rows(folder: Path, name: str = QUARTERLY) -> list[dict[str, str]]:
    return list(pl.read_csv(folder / f"{name}.csv", infer_schema=False).iter_rows(named=True))


def test_an_agency_is_a_filter_on_national_rows_and_no_level(folder: Path) -> None:
    agency = [row for row in _rows(folder) if row["adoption_agency"] == "The Region"]
    assert [row["geographic_level"] for row in agency] == ["National"]
    assert agency[0]["count_count"] == "30" and agency[0]["wait_average"] == "8.2"


def test_an_authority_has_its_codes_and_its_region(folder: Path) -> None:
    (row,) = [row for row in _rows(folder) if row["new_la_code"] == "E06000023"]
    assert (row["old_la_code"], row["region_name"], row["la_name"]) == (
        "801",
        "South West",
        "Bristol, City of",
    )
    assert (row["count_count"], row["share_percent"], row["wait_average"]) == ("c", "c", "low")


def test_what_a_row_cannot_have_is_not_applicable(folder: Path) -> None:
    (row,) = [row for row in _rows(folder) if row["new_la_code"] == "E10000013"]
    assert row["homes_count"] == "z" and row["share_percent"] == "z" and row["wait_average"] == "x"


def test_years_have_a_file_of_their_own(folder: Path, england: Content, tmp_path: Path) -> None:
    assert {row["time_identifier"] for row in _rows(folder, ANNUAL)} == {"Financial year"}
    quarters = england.figures.filter(pl.col("window_name") == "quarter")
    other = tmp_path / "other"
    other.mkdir()
    write_open_data(replace(england, figures=quarters), other)
    assert not (other / f"{ANNUAL}.csv").exists()


def test_an_authority_without_codes_is_named(england: Content, tmp_path: Path) -> None:
    new = "E06999999"
    unknown = replace(
        england,
        figures=england.figures.with_columns(pl.col("place_code").replace("E06000023", new)),
        places=england.places.with_columns(pl.col("place_code").replace("E06000023", new)),
    )
    with pytest.raises(ReleaseError, match=r"E06999999 has no open_data"):
        write_open_data(unknown, tmp_path)


def test_filters_are_told_apart_from_what_is_counted(folder: Path) -> None:
    meta = pl.read_csv(folder / f"{QUARTERLY}.meta.csv", infer_schema=False)
    filters = set(meta.filter(pl.col("col_type") == "Filter")["col_name"])
    assert filters == {"adoption_agency", "breakdown_topic", "breakdown"} < set(FILTERS)
