from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.readers.casting import (
    REPAIR_SCHEMA,
    as_whole_number,
    cast,
    raw_schema,
    repairs,
    squeezed,
    validated_frame,
)
from pipelines.readers.dates_written import as_dates, stripped
from pipelines.settings import SOURCES

QUARTER = Quarter(2024, 1)
MONTHS = [
    ("January", "Ionawr"),
    ("February", "Chwefror"),
    ("March", "Mawrth"),
    ("April", "Ebrill"),
    ("May", "Mai"),
    ("June", "Mehefin"),
    ("July", "Gorffennaf"),
    ("August", "Awst"),
    ("September", "Medi"),
    ("October", "Hydref"),
    ("November", "Tachwedd"),
    ("December", "Rhagfyr"),
]


def day(text: str | None) -> date | None:
    frame = pl.DataFrame({"text": [text]}, schema={"text": pl.String})
    return as_dates(frame.select(stripped(pl.col("text"))).to_series()).item()


def number(text: str) -> int | None:
    return pl.DataFrame({"text": [text]}).select(as_whole_number(pl.col("text"))).item()


def raw(declarations: Declarations, name: str, *rows: Mapping[str, str | None]) -> pl.DataFrame:
    declared = declarations.returns[name]
    leading = {"submission_id": "S1", "sender_code": "W06000014", "quarter": QUARTER.label}
    filled = [
        leading | {"sheet": "Children", "sheet_row": index} | dict(row)
        for index, row in enumerate(rows, start=2)
    ]
    return pl.DataFrame(filled, schema=raw_schema(declared))


def typed_child(declarations: Declarations, *rows: Mapping[str, str | None]) -> pl.DataFrame:
    frame = raw(declarations, "child", *rows)
    return cast(frame, declarations.returns["child"], QUARTER, declarations)


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-29",
        "2024-2-29",
        "29/02/2024",
        "29/2/2024",
        "29-02-2024",
        "29.02.2024",
        " 29/02/2024\u00a0",
        "2024-02-29T00:00:00",
        "2024-02-29 14:30:00",
        "29/02/2024 00:00",
        "45351",
        "2024/02/29",
        "29 Feb 2024",
        "29-FEB-2024",
        "29 February 2024",
        "29th February, 2024",
        "29 Chwefror 2024",
        "29 Chwe 2024",
        "29.Feb.2024",
        "45351.5",
        "20240229",
        "29022024",
        "February 29, 2024",
        "Feb 29 2024",
        "Feb. 29th, 2024",
        "2024 February 29",
        "2024-Feb-29",
        "29Feb2024",
        "29th of February 2024",
        "29 o Chwefror 2024",
        "Thu 29 Feb 2024",
        "Thursday, 29 February 2024",
        "Dydd Iau 29 Chwefror 2024",
        "Thursday 29/02/2024",
        "29 / 02 / 2024",
        "29 - 02 - 2024",
        "29 02 2024",
        "29\u201302\u20132024",
        "'29/02/2024",
        "\u201929 Feb 2024",
        "29/02/2024.",
        "29/02/2024 12:00:00 AM",
        "29 Feb 2024 00:00:00",
        "2024.02.29",
        "2024-02-29T00:00:00Z",
        "2024-02-29T10:15:00.000Z",
        "2024-02-29T00:00:00+00:00",
        "2024-02-29 00:00:00 UTC",
        "2024-02-28T23:00:00-0200",
    ],
)
def test_the_leap_day_is_understood_however_it_is_written(text: str) -> None:
    assert day(text) == date(2024, 2, 29)


@pytest.mark.parametrize(
    "text",
    ["2024-06-30T23:00:00Z", "2024-06-30T23:00:00.000+00:00", "2024-07-01T00:00:00+01:00"],
)
def test_an_instant_is_the_day_it_was_here(text: str) -> None:
    assert day(text) == date(2024, 7, 1)


@pytest.mark.parametrize(
    "text",
    [
        "29/02/2023",
        "31/04/2024",
        "02/29/2024",
        "00/01/2024",
        "1/1/24",
        "2024-13-01",
        "2024/02/29x",
        "29/02-2024",
        "1899-12-31",
        "2101-01-01",
        "0024-02-29",
        "19999",
        "60001",
        "-45351",
        "Friday 29 Feb 2024",
        "Fri 29/02/2024",
        "29/02/2024 - 14:30 or later",
        "31/02/2024T00:00:00Z",
        "20242902",
        "29 Feb",
        "29 Mawrthyn 2024",
        "٢٠٢٤-٠٢-٢٩",
        "n/a",
        "29 Feb 24",
        "Feb 2024",
        "30 Feb 2024",
        "29 Fxb 2024",
        "2024-02/29",
        "2024/13/01",
        "2024",
        "1900-12-31",
    ],
)
def test_what_is_no_date_is_not_guessed(text: str) -> None:
    assert day(text) is None


def test_day_numbers_are_read_at_the_edges_of_their_range() -> None:
    assert day("20000") == date(1954, 10, 3)
    assert day("60000") == date(2064, 4, 8)


@settings(deadline=None, max_examples=50)
@given(st.dates(date(1901, 1, 1), date(2100, 12, 31)))
def test_every_day_is_read_the_same_from_each_form(given_day: date) -> None:
    d = given_day
    forms = [d.isoformat(), f"{d:%d/%m}/{d.year}", f"{d.day}.{d.month}.{d.year}"]
    english, welsh = MONTHS[d.month - 1]
    forms += [f"{d.day} {english} {d.year}", f"{d.day} {english[:3].upper()} {d.year}"]
    forms += [f"{d.day} {welsh} {d.year}", f"{d.day}-{welsh[:3]}-{d.year}"]
    serial = (d - date(1899, 12, 30)).days
    if 20_000 <= serial <= 60_000:
        forms.append(str(serial))
    frame = pl.DataFrame({"text": forms})
    assert as_dates(frame["text"]).to_list() == [d] * len(forms)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.text(max_size=14) | st.text("0123456789/-.T: ", max_size=14), max_size=50))
def test_no_text_breaks_the_reading_of_dates(texts: list[str]) -> None:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    days = as_dates(frame.select(stripped(pl.col("text"))).to_series())
    assert days.dtype == pl.Date and len(days) == len(texts)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("007", 7),
        ("-1", -1),
        ("7.0", 7),
        ("1,250", 1250),
        ("999999999999999999", 10**18 - 1),
    ],
)
def test_whole_numbers_are_understood(text: str, value: int) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["7.5", "1,25", "seven", "1e3", "9" * 19, "", "-", "٧", "TRUE"])
def test_what_is_no_whole_number_is_not_guessed(text: str) -> None:
    assert number(text) is None


@pytest.mark.parametrize(
    "text", ["wedi'i ohirio", "Wedi’i ohirio", "WEDI'I  OHIRIO", "on_hold", "On hold", " ON HOLD "]
)
def test_a_code_is_understood_by_code_or_label_in_either_language(
    declarations: Declarations, text: str
) -> None:
    frame = typed_child(declarations, {"family_finding_status": text})
    assert frame["family_finding_status"].to_list() == ["on_hold"]
    assert frame["readable__family_finding_status"].to_list() == [True]


def test_every_label_of_every_list_leads_to_its_code(declarations: Declarations) -> None:
    for declared in declarations.returns.values():
        coded = [field for field in declared.fields if field.code_list]
        longest = max((len(declarations.code_lists[f.code_list or ""]) for f in coded), default=0)
        for label in ("code", "label_en", "label_cy"):
            rows: list[dict[str, str]] = [{} for _ in range(longest)]
            expected: dict[str, list[str]] = {}
            for field in coded:
                codes = declarations.code_lists[field.code_list or ""]
                expected[field.name] = [code.code for code in codes]
                for row, code in zip(rows, codes, strict=False):
                    row[field.name] = getattr(code, label)
            typed = cast(raw(declarations, declared.name, *rows), declared, QUARTER, declarations)
            for name, codes_expected in expected.items():
                assert typed[name].drop_nulls().to_list() == codes_expected


def test_blank_is_readable_and_nonsense_is_not(declarations: Declarations) -> None:
    texts = [None, "  ", "nonsense", "7"]
    rows = [{"sex": text, "placed_on": text, "siblings_placed_apart": text} for text in texts]
    frame = typed_child(declarations, *rows)
    assert frame["readable__sex"].to_list() == [True, True, False, False]
    assert frame["readable__placed_on"].to_list() == [True, True, False, False]
    assert frame["readable__siblings_placed_apart"].to_list() == [True, True, False, True]
    assert frame["sex"].to_list() == frame["placed_on"].to_list() == [None] * 4
    assert frame["siblings_placed_apart"].to_list() == [None, None, None, 7]


def repaired(declarations: Declarations, *rows: dict[str, str]) -> dict[tuple[str, str], int]:
    """Cells repaired by field and kind."""
    frame = raw(declarations, "child", *rows)
    counted = repairs(frame, declarations.returns["child"], QUARTER, declarations)
    assert dict(counted.schema) == REPAIR_SCHEMA
    assert counted.is_empty() or counted["return_name"].unique().to_list() == ["child"]
    return {(row["field"], row["kind"]): row["cells"] for row in counted.to_dicts()}


def test_what_is_written_as_asked_is_no_repair(declarations: Declarations) -> None:
    asked = {
        "child_reference": "LA/1",
        "date_of_birth": "2020-01-02",
        "entered_care_on": "2/1/2021",
        "sex": "female",
        "ethnicity_group": "White",
        "is_disabled": "Nac ydy",
        "siblings_placed_together": "1",
        "adopter_agency_code": "ST_DAVIDS",
    }
    assert repaired(declarations, asked, {}) == {}
    place = declarations.places["ST_DAVIDS"]
    by_name = {"adopter_agency_code": f"{place.name_cy} (ST_DAVIDS)"}
    assert repaired(declarations, by_name) == {}


def test_what_is_not_understood_is_no_repair(declarations: Declarations) -> None:
    wrong = {"date_of_birth": "31/02/2020", "sex": "nonsense", "siblings_placed_together": "two"}
    assert repaired(declarations, wrong | {"adopter_agency_code": "Somewhere"}) == {}


def test_every_repair_is_counted_by_field_and_kind(declarations: Declarations) -> None:
    rows = [
        {"child_reference": " A1", "date_of_birth": "43832", "sex": "FEMALE"},
        {"child_reference": "A2 ", "date_of_birth": "43833", "sex": " F "},
        {"child_reference": "A3", "date_of_birth": "2 Jan 2020", "sex": "f"},
        {"date_of_birth": "2020-01-02T10:00:00", "siblings_placed_together": "2.0"},
        {"adopter_agency_code": "St David's Children Society", "ethnicity_group": "WBRI"},
        {"siblings_placed_together": "+2", "date_of_birth": "2.1.2020"},
    ]
    assert repaired(declarations, *rows) == {
        ("child_reference", "spaces"): 2,
        ("date_of_birth", "day number"): 2,
        ("date_of_birth", "date form"): 2,
        ("date_of_birth", "time of day"): 1,
        ("sex", "letter case"): 1,
        ("sex", "spelling"): 2,
        ("sex", "spaces"): 1,
        ("siblings_placed_together", "number form"): 2,
        ("adopter_agency_code", "place name"): 1,
        ("ethnicity_group", "spelling"): 1,
    }


def test_repairs_are_counted_for_each_submission_apart(declarations: Declarations) -> None:
    first = raw(declarations, "child", {"sex": "F"}, {"sex": "M"})
    second = first.head(1).with_columns(submission_id=pl.lit("S2"))
    child = declarations.returns["child"]
    counted = repairs(pl.concat([first, second]), child, QUARTER, declarations)
    assert sorted(counted.select("submission_id", "cells").rows()) == [("S1", 2), ("S2", 1)]


def test_every_kind_of_repair_has_a_sentence_in_both_languages(declarations: Declarations) -> None:
    from pipelines.readers.repairs import REPAIRS_OF_CELLS, repair_of_cells

    rows = [
        {
            "sex": "F ",
            "has_additional_needs": "'no",
            "is_disabled": "YES",
            "placed_on": "43832",
            "matched_on": "1 May 2024",
        },
        {"referred_on": "2020-01-02 10:00", "siblings_placed_apart": "1.0"},
        {"adopter_agency_code": "St David's Children Society"},
    ]
    kinds = {kind for _, kind in repaired(declarations, *rows)}
    assert kinds == REPAIRS_OF_CELLS.keys()
    title = declarations.returns["child"].field("sex").title
    for kind in kinds:
        made = repair_of_cells(kind, "Children", "sex", title, 3)
        assert made.sentence_en != made.sentence_cy
        assert "3" in made.sentence_en and "3" in made.sentence_cy
        assert title.en in made.sentence_en and title.cy in made.sentence_cy


def test_a_code_that_is_not_in_force_in_the_quarter_is_not_understood(
    declarations: Declarations, tmp_path: pytest.TempPathFactory
) -> None:
    import shutil
    from pathlib import Path

    folder = Path(str(tmp_path)) / "sources"
    shutil.copytree(SOURCES, folder)
    path = folder / "code_lists" / "sex.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("male,Male,Gwryw,,", "male,Male,Gwryw,2025-26-Q1,"), "utf-8")
    changed = Declarations(folder)
    child = changed.returns["child"]
    frame = raw(changed, "child", {"sex": "male"}, {"sex": "female"})
    before = cast(frame, child, Quarter(2024, 4), changed)
    after = cast(frame, child, Quarter(2025, 1), changed)
    assert before["sex"].to_list()[0] is None
    assert before["readable__sex"].to_list()[0] is False
    assert after["sex"].to_list()[0] == "male"


def test_the_typed_frame_has_the_declared_shape(declarations: Declarations) -> None:
    types = {"string": pl.String, "date": pl.Date, "integer": pl.Int64}
    for declared in declarations.returns.values():
        frame = cast(raw(declarations, declared.name), declared, QUARTER, declarations)
        checked = [f.name for f in declared.fields if f.code_list or f.type != "string"]
        expected: dict[str, Any] = dict.fromkeys(
            ("submission_id", "sender_code", "quarter", "sheet"), pl.String
        )
        expected |= {"sheet_row": pl.Int64} | {f.name: types[f.type] for f in declared.fields}
        expected |= {f"readable__{name}": pl.Boolean for name in checked}
        assert dict(frame.schema) == expected
        assert list(frame.schema) == list(expected)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("st david's children society", "ST_DAVIDS"),
        ("Cymdeithas Blant Dewi Sant", "ST_DAVIDS"),
        ("St David’s Children Society (ST_DAVIDS)", "ST_DAVIDS"),
        ("w06000014", "W06000014"),
        ("Somewhere else", "Somewhere else"),
    ],
)
def test_an_agency_may_be_named_instead_of_coded(
    declarations: Declarations, text: str, code: str
) -> None:
    frame = typed_child(declarations, {"adopter_agency_code": text}, {})
    assert frame["adopter_agency_code"].to_list() == [code, None]


def test_names_are_compared_without_case_accents_and_marks() -> None:
    assert squeezed(" Tŷ-Gŵyr (A/1) ") == squeezed("TY GWYR A1") == "tygwyra1"


def told_apart(kind: str, issuers: pl.Series, references: pl.Series) -> pl.Series:
    pairs = zip(issuers, references, strict=True)
    return pl.Series([None if r is None else f"{kind}|{i}|{r}" for i, r in pairs], dtype=pl.String)


def validated(declarations: Declarations, typed: pl.DataFrame, *rows: int) -> pl.DataFrame:
    marks = {"submission_id": ["S1"] * len(rows), "sheet_row": list(rows)}
    schema = {"submission_id": pl.String, "sheet_row": pl.Int64}
    child = declarations.returns["child"]
    return validated_frame(typed, child, told_apart, pl.DataFrame(marks, schema=schema))


def test_the_validated_frame_holds_no_reference_and_no_day_of_birth(
    declarations: Declarations,
) -> None:
    frame = validated(
        declarations,
        typed_child(
            declarations,
            {
                "child_reference": " la/089 ",
                "date_of_birth": "2020-05-31",
                "adopter_agency_code": "AIM",
                "adopter_household_reference": "h1",
            },
            {"child_reference": "LA/089", "adopter_household_reference": "h1"},
        ),
    )
    assert frame["child_pseudonym"].to_list() == ["child|W06000014|LA/089"] * 2
    assert frame["adopter_household_pseudonym"].to_list() == [
        "household|AIM|H1",
        "household|None|H1",
    ]
    assert frame["birth_month"].to_list() == [date(2020, 5, 1), None]
    assert not {"child_reference", "date_of_birth", "sheet"} & set(frame.columns)


def test_the_validated_frame_has_the_shape_dbt_reads(declarations: Declarations) -> None:
    from pipelines.warehouse.tables import validated_schema

    for declared in declarations.returns.values():
        typed = cast(raw(declarations, declared.name, {}), declared, QUARTER, declarations)
        none = pl.DataFrame(schema={"submission_id": pl.String, "sheet_row": pl.Int64})
        frame = validated_frame(typed, declared, told_apart, none)
        assert list(frame.schema.items()) == list(validated_schema(declared).items())


def test_only_the_named_rows_are_quarantined_and_the_order_stays(
    declarations: Declarations,
) -> None:
    typed = typed_child(declarations, *({"child_reference": str(n)} for n in range(5)))
    other = typed.with_columns(pl.lit("S2").alias("submission_id"))
    frame = validated(declarations, pl.concat([typed, other]), 3, 3, 6)
    assert frame["sheet_row"].to_list() == [2, 3, 4, 5, 6] * 2
    quarantined = frame.filter(pl.col("row_status") == "quarantined")
    assert quarantined.select("submission_id", "sheet_row").rows() == [("S1", 3), ("S1", 6)]


def test_two_days_never_become_one(declarations: Declarations) -> None:
    first = date(2024, 1, 1)
    days = [first + timedelta(days=n) for n in range(366)]
    frame = typed_child(declarations, *({"placed_on": f"{d:%d/%m/%Y}"} for d in days))
    assert frame["placed_on"].to_list() == days
