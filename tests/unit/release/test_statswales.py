"""The Welsh cube passes a validator written from the published rules, which catches bad twins."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from pipelines.release.content import Content
from pipelines.release.statswales import (
    DATA,
    DIMENSIONS,
    LOOKUPS,
    METADATA,
    period,
    write_statswales,
)

NOTE_CODES = {
    "a", "b", "c", "e", "f", "k", "ns", "p", "r", "s", "ss", "sss", "t", "u", "w", "x", "z",
}  # fmt: skip
HEADINGS = {
    "refcode", "description_en", "description_cy", "hierarchy", "sort", "note_en", "note_cy",
    "type", "format", "decimal",
}  # fmt: skip


def faults(folder: Path) -> list[str]:
    """What the publisher's rules say against the files of a cube; empty if nothing."""
    data = pl.read_csv(folder / DATA, infer_schema=False).fill_null("")
    key = [*DIMENSIONS, "measure"]
    found = []
    if data.columns != [*key, "note_codes", "data"]:
        found.append("columns")
    if data.select(key).is_duplicated().any():
        found.append("twice in the key")
    if data.select(pl.any_horizontal(pl.col(key) == "").any()).item():
        found.append("an empty key")
    for text, notes in data.select("data", "note_codes").iter_rows():
        codes = set(notes.split(",")) if notes else set()
        if not re.fullmatch(r"(-?\d+(\.\d+)?)?", text):
            found.append("a symbol in the data column")
        if not codes <= NOTE_CODES:
            found.append("a note code that is not known")
        if not text and not codes & {"c", "x", "z", "k"}:
            found.append("an empty cell that nothing explains")
    for label in data["period"]:
        if not re.fullmatch(r"\d{4}-\d{2}(Q[1-4])?", label):
            found.append("a period")
    for name, file in LOOKUPS.items():
        lookup = pl.read_csv(folder / file, infer_schema=False).fill_null("")
        codes = set(lookup["refcode"])
        if not set(lookup.columns) <= HEADINGS:
            found.append(f"{name}: a heading")
        if set(data[name]) - codes:
            found.append(f"{name}: a code without an entry")
        if lookup["refcode"].is_duplicated().any():
            found.append(f"{name}: a code twice")
        for language in ("en", "cy"):
            if (lookup[f"description_{language}"] == "").any():
                found.append(f"{name}: no name in {language}")
        if "hierarchy" in lookup.columns and set(lookup["hierarchy"]) - codes - {""}:
            found.append(f"{name}: a parent that is not there")
    return sorted(set(found))


@pytest.fixture
def cube(wales: Content, tmp_path: Path) -> Path:
    write_statswales(wales, tmp_path)
    return tmp_path


def _rows(folder: Path) -> dict[tuple[str, ...], tuple[str, str]]:
    data = pl.read_csv(folder / DATA, infer_schema=False).fill_null("")
    return {row[:5]: (row[5], row[6]) for row in data.iter_rows()}


def test_the_cube_passes_the_publishers_rules(cube: Path) -> None:
    assert faults(cube) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (DATA, "1234", "[c]", "a symbol in the data column"),
        (DATA, "2020-21Q4", "2020-21 Q4", "a period"),
        (DATA, ',"c,t"', ",", "an empty cell that nothing explains"),
        (LOOKUPS["place"], "Gwlad", "", "place: no name in cy"),
        (LOOKUPS["place"], "VVC,The", "VVX,The", "place: a code without an entry"),
        (LOOKUPS["category"], "TOTAL,2", "NONE,2", "category: a parent that is not there"),
    ],
)
def test_a_cube_that_breaks_a_rule_does_not_pass(
    cube: Path, file: str, old: str, new: str, fault: str
) -> None:
    text = (cube / file).read_text(encoding="utf-8")
    assert old in text
    (cube / file).write_text(text.replace(old, new), encoding="utf-8")
    assert fault in faults(cube)


def test_what_is_kept_back_is_an_empty_cell_with_a_code(cube: Path) -> None:
    rows = _rows(cube)
    assert rows["2020-21Q4", "quarter", "W06000014", "TOTAL", "COUNT"] == ("c,t", "")
    assert rows["2020-21Q4", "quarter", "W06000015", "TOTAL", "COUNT"] == ("t", "0")
    assert rows["2020-21Q4", "quarter", "W92000004", "TOTAL", "COUNT"] == ("p,t", "1234")


def test_a_financial_year_is_a_year_and_a_part_is_no_total(cube: Path) -> None:
    assert period("2020-21-Q4", "financial_year") == "2020-21"
    rows = _rows(cube)
    assert rows["2020-21", "financial_year", "W92000004", "sex.female", "COUNT"] == ("", "600")


def test_shares_come_with_what_they_are_taken_over(cube: Path) -> None:
    measures = pl.read_csv(cube / LOOKUPS["measure"], infer_schema=False)
    kinds = dict(measures.select("refcode", "type").iter_rows())
    assert kinds["SHARE"] == "percentage" and kinds["SHARE_D"] == "denominator"
    assert kinds["WAIT"] == "mean" and kinds["COUNT"] == "count"
    decimals = dict(measures.select("refcode", "decimal").iter_rows())
    assert decimals["SHARE"] == "1" and decimals["COUNT"] == "0"


def test_a_name_cannot_become_a_formula(cube: Path) -> None:
    assert ",'=Other," in (cube / LOOKUPS["place"]).read_text(encoding="utf-8")


def test_the_metadata_is_in_both_languages_and_says_synthetic(cube: Path) -> None:
    rows = pl.read_csv(cube / METADATA, infer_schema=False)
    assert rows.columns == ["type", "key", "english", "cymraeg"]
    dimensions = rows.filter(pl.col("type") == "dimension")["key"].to_list()
    assert dimensions == ["period", "window", "place", "category"]
    texts = rows.filter(pl.col("type") == "metadata")
    assert texts["key"].to_list() == ["title", "summary", "collection", "quality"]
    assert "Synthetic sample data" in texts["english"][3]
    assert rows.null_count().sum_horizontal().item() == 0
