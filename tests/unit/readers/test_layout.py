from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import openpyxl.utils.datetime
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.readers.casting import cast, squeezed
from pipelines.readers.cells import column_letters
from pipelines.readers.child_process import read, read_files
from pipelines.readers.content import FileContent, SheetContent
from pipelines.readers.cover import read_cover
from pipelines.readers.headings import sheets_of_the_template
from pipelines.readers.layout import (
    LaidOut,
    lay_out,
)
from pipelines.readers.repairs import REPAIRS
from pipelines.readers.sentences import PROBLEMS
from pipelines.templates.csv_files import write_csv_return
from pipelines.templates.workbook import write_return, write_template
from pipelines.text.catalogue import LANGUAGES, translations

Cells = Sequence[Sequence[str | None]]
QUARTER = Quarter(2024, 1)

COVER_ROWS: Cells = [
    ["field", "answer"],
    ["sender_code", "W06000014"],
    ["quarter", "2024-25-Q1"],
    ["version", "1"],
    ["is_nil_child", "no"],
    ["signed_off_by_role", "Head of service"],
    ["signed_off_on", "2024-07-15"],
]
NAMES = [
    "child_reference",
    "date_of_birth",
    "sex",
    "ethnicity_group",
    "is_disabled",
    "has_additional_needs",
    "siblings_placed_together",
    "entered_care_on",
    "referred_on",
    "early_permanence",
]
VALUES = [
    "A1",
    "2020-01-02",
    "female",
    "white",
    "no",
    "no",
    "1",
    "2021-01-02",
    "2022-01-02",
    "none",
]


@pytest.fixture(scope="module")
def all_names(declarations: Declarations) -> list[str]:
    return [field.name for field in declarations.returns["child"].fields]


def content(cover: Cells | None = None, **sheets: Cells) -> FileContent:
    first = [sheet("Cover", COVER_ROWS if cover is None else cover)]
    return FileContent(first + [sheet(name, rows) for name, rows in sheets.items()])


def sheet(name: str, rows: Cells, filled_rows: int | None = None) -> SheetContent:
    return SheetContent(name, [list(row) for row in rows], filled_rows=filled_rows)


def answered(**answers: str | None) -> Cells:
    return [[row[0], answers.get(row[0] or "", row[1])] for row in COVER_ROWS]


def codes(laid: LaidOut, severity: str = "error") -> list[str]:
    return [p.code for p in laid.problems if p.severity == severity]


# --- there and back ---------------------------------------------------------------


@pytest.mark.parametrize("kind", ["xlsx", "zip"])
@pytest.mark.parametrize("language", ["en", "cy"])
def test_what_is_filled_in_is_what_is_read(
    declarations: Declarations,
    cover_answers: dict[str, Any],
    child_row: dict[str, Any],
    tmp_path: Path,
    kind: str,
    language: Any,
) -> None:
    path = tmp_path / f"return.{kind}"
    write = write_return if kind == "xlsx" else write_csv_return
    household = {
        "household_reference": "0012",
        "adopters_in_household": "2",
        "enquired_on": date(2023, 2, 28),
    }
    counts = {
        field.name: number for number, field in enumerate(declarations.returns["support"].fields)
    }
    rows = {"child": [child_row, child_row], "adopter": [household], "support": [counts]}
    write(path, declarations, QUARTER, cover_answers, rows, language)
    [answer] = read_files([path])
    assert isinstance(answer, FileContent)
    laid = lay_out(answer, declarations, "S1")
    assert laid.problems == () and laid.repairs == ()
    assert laid.cover.values == dict.fromkeys(laid.cover.values) | cover_answers | {
        "quarter": QUARTER
    }
    for name, entries in rows.items():
        declared = declarations.returns[name]
        typed = cast(laid.frames[name], declared, QUARTER, declarations)
        assert typed["sheet_row"].to_list() == list(range(2, 2 + len(entries)))
        assert typed["sender_code"].unique().to_list() == ["W06000014"]
        expected = [{f.name: entry.get(f.name) for f in declared.fields} for entry in entries]
        assert typed.select(f.name for f in declared.fields).to_dicts() == expected


def test_the_blank_template_has_only_the_problems_of_being_blank(
    declarations: Declarations, tmp_path: Path
) -> None:
    write_template(tmp_path / "template.xlsx", declarations, QUARTER, "W06000014")
    laid = lay_out(read(tmp_path / "template.xlsx"), declarations, "S1")
    assert {p.code for p in laid.problems} == {"F106"}
    assert laid.repairs == ()


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
days = st.dates(date(1955, 1, 1), date(2063, 12, 31))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {"child_reference": texts.filter(str.strip)},
            optional={
                "date_of_birth": days,
                "sex": st.sampled_from(["female", "male", "unknown"]),
                "siblings_placed_together": st.integers(-10, 10**9),
                "sibling_group_reference": texts,
                "placed_on": days | st.just("not a date"),
            },
        ),
        min_size=1,
        max_size=6,
    ),
    kind=st.sampled_from(["xlsx", "zip"]),
)
def test_any_row_survives_the_journey(
    declarations: Declarations,
    cover_answers: dict[str, Any],
    tmp_path: Path,
    rows: list[dict[str, Any]],
    kind: str,
) -> None:
    path = tmp_path / f"return.{kind}"
    write = write_return if kind == "xlsx" else write_csv_return
    write(path, declarations, QUARTER, cover_answers, {"child": rows})
    declared = declarations.returns["child"]
    child = lay_out(read(path), declarations, "S1").returns["child"]
    assert child.rows_in_sheet == len(rows) == child.frame.height
    stored = child.frame["child_reference"].to_list()
    assert stored == [row["child_reference"] for row in rows]
    typed = cast(child.frame, declared, QUARTER, declarations)
    for name in ("date_of_birth", "sex", "siblings_placed_together"):
        assert typed[name].to_list() == [row.get(name) for row in rows]
    for row, placed, readable in zip(
        rows, typed["placed_on"], typed["readable__placed_on"], strict=True
    ):
        understood = row.get("placed_on") != "not a date"
        assert placed == (row.get("placed_on") if understood else None)
        assert readable is understood


def test_a_workbook_saved_by_another_program_reads_the_same(
    declarations: Declarations, workbook: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.xlsx"
    book = openpyxl.load_workbook(workbook)
    book["Children"].insert_rows(1, 3)
    book["Children"].insert_cols(1)
    book["Children"]["A1"] = "Our own title"
    book.save(again)
    first, second = (lay_out(read(p), declarations, "S1") for p in (workbook, again))
    assert second.problems == ()
    drop = ["sheet_row"]
    assert second.frames["child"].drop(drop).equals(first.frames["child"].drop(drop))
    assert second.frames["child"]["sheet_row"].to_list() == [5]
    assert second.returns["child"].cell("child_reference", 5) == "B5"
    assert second.returns["child"].header_row == 4


# --- headings -------------------------------------------------------------------


@pytest.mark.parametrize(
    "heading",
    [
        "date_of_birth",
        "DATE OF BIRTH",
        " Date  of\nbirth ",
        "Dyddiad geni",
        "DoB",
        "Date-of-birth:",
    ],
)
def test_a_heading_is_known_by_name_title_or_synonym(
    declarations: Declarations, heading: str
) -> None:
    headings = [heading if name == "date_of_birth" else name for name in NAMES]
    laid = lay_out(content(Children=[headings, VALUES]), declarations, "S1")
    assert laid.frames["child"]["date_of_birth"].to_list() == ["2020-01-02"]
    assert codes(laid) == []


def test_columns_in_any_order_are_read_and_the_repair_is_listed(
    declarations: Declarations,
) -> None:
    rows: Cells = [NAMES[::-1], VALUES[::-1]]
    laid = lay_out(content(Children=rows), declarations, "S1")
    straight = lay_out(content(Children=[NAMES, VALUES]), declarations, "S1")
    assert laid.frames["child"].equals(straight.frames["child"])
    assert straight.repairs == ()
    assert [r.sentence_en for r in laid.repairs] == [
        "The columns of sheet Children are in a different order from the template."
    ]


def test_a_heading_under_another_name_is_listed_as_repaired(declarations: Declarations) -> None:
    headings: list[str | None] = ["Child ID", *NAMES[1:]]
    laid = lay_out(content(Children=[["Our return"], headings, VALUES]), declarations, "S1")
    assert [r.field for r in laid.repairs] == [None, "child_reference"]
    assert "row 2" in laid.repairs[0].sentence_en
    assert "Column A" in laid.repairs[1].sentence_en


def test_a_required_column_that_is_missing_is_named_with_the_one_like_it(
    declarations: Declarations,
) -> None:
    headings: list[str | None] = ["Child refrence nr", *NAMES[1:]]
    laid = lay_out(content(Children=[headings, VALUES]), declarations, "S1")
    [problem] = [p for p in laid.problems if p.severity == "error"]
    assert (problem.code, problem.field) == ("F203", "child_reference")
    assert "“Child reference”" in problem.sentence_en and "Column A" in problem.sentence_en
    assert "refrence" not in problem.sentence_en
    undeclared = laid.frames["child"]["undeclared"].to_list()
    assert json.loads(undeclared[0]) == {"Child refrence nr": VALUES[0]}


def test_an_optional_column_that_is_missing_is_a_query(
    declarations: Declarations, all_names: list[str]
) -> None:
    names: list[str | None] = [name for name in all_names if name != "placed_on"]
    laid = lay_out(content(Children=[names, ["A1"]]), declarations, "S1")
    assert [(p.code, p.field) for p in laid.problems] == [("F208", "placed_on")]


def test_a_column_twice_is_an_error_and_both_values_are_kept(declarations: Declarations) -> None:
    rows: Cells = [[*NAMES, "Sex"], [*VALUES, "male"]]
    laid = lay_out(content(Children=rows), declarations, "S1")
    assert codes(laid) == ["F204"]
    assert laid.frames["child"]["sex"].to_list() == ["female"]
    assert json.loads(laid.frames["child"]["undeclared"][0]) == {"Sex": "male"}


def test_further_columns_are_kept_and_a_row_of_nothing_else_is_a_row(
    declarations: Declarations,
) -> None:
    rows: Cells = [
        [*NAMES, "Notes", None, "Notes"],
        [*VALUES, "x", "y", "z"],
        [None] * len(NAMES) + [None, "only here"],
    ]
    laid = lay_out(content(Children=rows), declarations, "S1")
    child = laid.returns["child"]
    assert child.frame.height == child.rows_in_sheet == 2
    assert [json.loads(text) for text in child.frame["undeclared"]] == [
        {"Notes": "x", "column L": "y", "Notes (column M)": "z"},
        {"column L": "only here"},
    ]
    assert "F209" in codes(laid, "query")


def test_a_sheet_without_headings_is_an_error_and_no_row_passes_for_headings(
    declarations: Declarations,
) -> None:
    laid = lay_out(content(Children=[VALUES, VALUES]), declarations, "S1")
    assert "F202" in codes(laid)
    assert laid.frames["child"].height == 0


def test_headings_below_the_twentieth_row_are_not_searched_for(
    declarations: Declarations,
) -> None:
    above: Cells = [["title"]] * 19
    last = lay_out(content(Children=[*above, NAMES, VALUES]), declarations, "S1")
    below = lay_out(content(Children=[*above, ["x"], NAMES, VALUES]), declarations, "S1")
    assert last.returns["child"].header_row == 20
    assert "F202" in codes(below)


# --- rows -----------------------------------------------------------------------


def test_blank_rows_are_counted_and_rows_keep_their_numbers(declarations: Declarations) -> None:
    rows: Cells = [NAMES, [], VALUES, [" ", None, "\u00a0"], VALUES, []]
    child = lay_out(content(Children=rows), declarations, "S1").returns["child"]
    assert child.frame["sheet_row"].to_list() == [3, 5]
    assert (child.rows_in_sheet, child.blank_rows) == (5, 3)


@settings(deadline=None)
@given(
    rows=st.lists(
        st.lists(st.sampled_from([None, "", " ", "\t", "\u00a0", "\u3000", "x", "0"]), max_size=14)
    )
)
def test_every_row_is_either_loaded_or_blank(rows: Cells) -> None:
    from pipelines.settings import SOURCES

    declarations = _CACHE.setdefault("declarations", Declarations(SOURCES))
    child = lay_out(content(Children=[NAMES, *rows]), declarations, "S1").returns["child"]
    filled = [n for n, row in enumerate(rows, start=2) if {"x", "0"} & set(row)]
    assert child.frame["sheet_row"].to_list() == filled
    assert child.blank_rows == len(rows) - len(filled)


_CACHE: dict[str, Declarations] = {}


def test_an_excel_error_is_named_by_its_cell_and_never_passes_for_blank(
    declarations: Declarations, workbook: Path, altered: Callable[..., Path]
) -> None:
    def broken(xml: bytes) -> bytes:
        cells = b'<c r="S2" t="e"><v>#N/A</v></c><c r="T2"><f>A1+1</f></c></row>'
        cells += b'<row r="3"><c r="A3"><f>B1</f></c><c r="B3" t="str"><f>B2</f><v></v></c></row>'
        return xml.replace(b"</row></sheetData>", cells + b"</sheetData>")

    path = altered("errors", {"xl/worksheets/sheet2.xml": broken})
    laid = lay_out(read(path), declarations, "S1")
    refusing, asking = [p for p in laid.problems if p.code == "F211"]
    assert refusing.severity == "error" and "cells A3 hold" in refusing.sentence_en
    assert asking.severity == "query" and "cells S2, T2 hold" in asking.sentence_en
    child = declarations.returns["child"]
    typed = cast(laid.frames["child"], child, QUARTER, declarations)
    assert typed["readable__matched_on"].to_list() == [False, True]
    assert typed["readable__placed_on"].to_list() == [False, True]
    assert typed["readable__date_of_birth"].to_list() == [True, True]


def test_a_reference_of_more_digits_than_a_spreadsheet_holds_is_an_error(
    declarations: Declarations,
    cover_answers: dict[str, Any],
    child_row: dict[str, Any],
    tmp_path: Path,
) -> None:
    path = tmp_path / "return.xlsx"
    rows = [
        child_row | {"child_reference": 12345678901234567890},
        child_row | {"child_reference": 123456789},
    ]
    write_return(path, declarations, QUARTER, cover_answers, {"child": rows})
    laid = lay_out(read(path), declarations, "S1")
    [problem] = laid.problems
    assert problem.code == "F212" and "cells A2 hold" in problem.sentence_en
    assert laid.frames["child"]["child_reference"].to_list()[1] == "123456789"


def test_day_numbers_of_a_workbook_that_counts_from_1904_are_moved(
    declarations: Declarations,
    cover_answers: dict[str, Any],
    child_row: dict[str, Any],
    tmp_path: Path,
) -> None:
    path = tmp_path / "return.xlsx"
    write_return(path, declarations, QUARTER, cover_answers, {"child": [child_row]})
    book = openpyxl.load_workbook(path)
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book["Children"]["B2"] = datetime(2022, 5, 4)
    book["Children"]["J2"] = (date(2022, 6, 1) - date(1904, 1, 1)).days
    book["Children"]["J2"].number_format = "General"
    book.save(path)
    laid = lay_out(read(path), declarations, "S1")
    typed = cast(laid.frames["child"], declarations.returns["child"], QUARTER, declarations)
    assert typed["date_of_birth"].to_list() == [date(2022, 5, 4)]
    assert typed["entered_care_on"].to_list() == [date(2022, 6, 1)]
    assert [repair.field for repair in laid.repairs] == ["entered_care_on"]


def test_a_date_with_the_month_first_puts_its_column_in_doubt(declarations: Declarations) -> None:
    american = [*VALUES[:7], "01/31/2021", *VALUES[8:]]
    british = [*VALUES[:7], "31/01/2021", *VALUES[8:]]
    doubtful = lay_out(content(Children=[NAMES, VALUES, american]), declarations, "S1")
    plain = lay_out(content(Children=[NAMES, VALUES, british]), declarations, "S1")
    [swapped] = [p for p in doubtful.problems if p.code == "F213"]
    assert "dates in columns H are written" in swapped.sentence_en and swapped.holds
    assert "F213" not in [p.code for p in plain.problems]


# --- nil returns and sheets -----------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "is_nil"), [("yes", True), ("Ydy", True), ("no", False), (None, False)]
)
def test_the_nil_tick_and_the_rows_are_told_as_they_are(
    declarations: Declarations, answer: str | None, is_nil: bool
) -> None:
    """Whether they agree is for the verdict, which also knows what is due."""
    cover = answered(is_nil_child=answer)
    laid = lay_out(content(cover, Children=[NAMES, VALUES]), declarations, "S1")
    assert codes(laid) == []
    assert ("child" in laid.cover.nil_returns) is is_nil
    assert laid.returns["child"].frame.height == 1


def test_a_nil_tick_that_is_no_yes_or_no_is_a_problem(declarations: Declarations) -> None:
    cover = answered(is_nil_child="perhaps")
    assert codes(lay_out(content(cover, Children=[NAMES, VALUES]), declarations, "S1")) == ["F107"]


def test_an_empty_sheet_that_the_sender_does_not_owe_is_no_problem(
    declarations: Declarations,
) -> None:
    laid = lay_out(content(Children=[NAMES, VALUES], Support=[[]]), declarations, "S1")
    assert "support" not in declarations.due_from("W06000014", QUARTER)
    assert codes(laid) == []
    assert list(laid.returns) == ["child", "support"]


def test_a_second_support_row_is_an_error(declarations: Declarations) -> None:
    names = [field.name for field in declarations.returns["support"].fields]
    row: list[str | None] = ["1"] * len(names)
    one = lay_out(content(support=[names, row]), declarations, "S1")
    two = lay_out(content(support=[names, row, row]), declarations, "S1")
    assert codes(one) == []
    assert codes(two) == ["F207"]


def test_a_file_without_any_return_is_an_error_unless_it_is_nil(
    declarations: Declarations,
) -> None:
    laid = lay_out(content(), declarations, "S1")
    assert codes(laid) == ["F200"]
    (missing,) = laid.problems
    # The Vale of Glamorgan owes children only.
    assert "“Children” (“Plant”) – or child.csv in a zip" in missing.sentence_en
    assert "“Plant” (“Children”) – neu child.csv mewn ffeil zip" in missing.sentence_cy
    unknown = lay_out(content(answered(sender_code=None)), declarations, "S1").problems[-1]
    assert "adopter.csv, support.csv" in unknown.sentence_en
    nil = lay_out(content(answered(is_nil_child="yes")), declarations, "S1")
    assert codes(nil) == [] and nil.cover.nil_returns == {"child"}


def test_two_sheets_for_one_return_are_an_error(declarations: Declarations) -> None:
    rows: Cells = [NAMES, VALUES]
    laid = lay_out(content(Children=rows, Plant=rows), declarations, "S1")
    assert codes(laid) == ["F201"]
    assert laid.returns["child"].sheet == "Children"


@pytest.mark.parametrize("name", ["Children", "children ", "PLANT", "Child", "child"])
def test_a_sheet_is_known_in_either_language(declarations: Declarations, name: str) -> None:
    assert codes(lay_out(content(**{name: [NAMES, VALUES]}), declarations, "S1")) == []


def test_a_misspelt_sheet_without_known_headings_is_pointed_out_by_its_number(
    declarations: Declarations,
) -> None:
    laid = lay_out(content(Childrne=[["x", "y"], VALUES]), declarations, "S1")
    [query] = [p for p in laid.problems if p.severity == "query"]
    assert query.code == "F214" and "number 2 is nearly “Children”" in query.sentence_en


@pytest.mark.parametrize("name", ["Childrne", "Sheet1", "2024-25 Q1", "Taflen 1"])
def test_the_only_sheet_with_the_headings_is_read_whatever_its_name(
    declarations: Declarations, name: str
) -> None:
    laid = lay_out(content(**{name: [["Our data"], NAMES, VALUES]}), declarations, "S1")
    assert codes(laid) == [] and laid.frames["child"].height == 1
    assert [(r.kind, r.count) for r in laid.repairs] == [("sheet", 1), ("headings", 1)]
    assert "was read as “Children”" in laid.repairs[0].sentence_en


def test_of_two_sheets_with_the_headings_none_is_chosen(declarations: Declarations) -> None:
    rows: Cells = [NAMES, VALUES, VALUES]
    laid = lay_out(content(Sheet1=rows, Sheet2=rows), declarations, "S1")
    assert laid.returns == {} and codes(laid) == ["F200"]
    asked = [p.sentence_en for p in laid.problems if p.code == "F215"]
    assert ["number 2" in asked[0], "number 3" in asked[1]] == [True, True]
    assert all("3 filled rows" in sentence for sentence in asked)


def test_a_copy_beside_the_sheet_is_asked_about_and_not_read(declarations: Declarations) -> None:
    rows: Cells = [NAMES, VALUES]
    laid = lay_out(content(**{"Children": rows, "Children (2)": rows}), declarations, "S1")
    assert laid.frames["child"].height == 1
    [query] = [p for p in laid.problems if p.code != "F208"]
    assert (query.code, query.severity) == ("F215", "query")
    assert "number 3 has the headings of “Children” and 2 filled rows" in query.sentence_en


def test_a_few_headings_in_common_make_no_return(declarations: Declarations) -> None:
    few: Cells = [["child_reference", "matched_on", "placed_on"], ["A1", "x", "y"]]
    laid = lay_out(content(Matches=few), declarations, "S1")
    assert laid.returns == {} and "F215" not in codes(laid, "query")


def test_a_sheet_that_is_no_part_of_the_return_is_counted_as_left_out(
    declarations: Declarations,
) -> None:
    laid = lay_out(content(Children=[NAMES, VALUES], Pivot=[["x"], [], ["y"]]), declarations, "S1")
    [repair] = laid.repairs
    assert (repair.kind, repair.count) == ("left out", 2)
    assert "number 3" in repair.sentence_en and "Pivot" not in repair.sentence_en
    assert [(a.part, a.filled, a.loaded, a.ignored) for a in laid.account] == [
        ("cover", 7, 0, 7),
        ("child", 2, 1, 1),
        ("none", 2, 0, 2),
    ]


def test_the_sheets_of_the_template_itself_are_known_to_be_no_part(
    declarations: Declarations, tmp_path: Path
) -> None:
    for language in LANGUAGES:
        path = tmp_path / f"{language}.xlsx"
        write_template(path, declarations, QUARTER, language=language)
        names = {squeezed(name) for name in openpyxl.load_workbook(path).sheetnames}
        of_a_return = names - sheets_of_the_template()
        assert len(names) - len(of_a_return) == 3
        assert len(of_a_return) == 1 + len(declarations.returns)


def test_every_filled_row_of_every_sheet_is_accounted_for(declarations: Declarations) -> None:
    rows: Cells = [["title"], [], NAMES, VALUES, [" "], VALUES]
    counted = sheet("Children", rows, filled_rows=4)
    laid = lay_out(FileContent([sheet("Cover", COVER_ROWS), counted]), declarations, "S1")
    assert [(a.filled, a.loaded, a.ignored) for a in laid.account] == [(7, 0, 7), (4, 2, 2)]
    lost = sheet("Children", rows, filled_rows=5)
    refused = lay_out(FileContent([sheet("Cover", COVER_ROWS), lost]), declarations, "S1")
    assert [(p.code, p.severity) for p in refused.problems] == [("F006", "error")]
    assert refused.returns == {} and refused.cover.values["sender_code"] == "W06000014"


# --- headings, lengths, did you mean ---------------------------------------------------


@pytest.mark.parametrize(
    "heading",
    ["Date of birth (dd/mm/yyyy)", "DATE  OF BIRTH *", "Dyddiad geni:", "Birth-date [dob]"],
)
def test_a_note_behind_a_heading_does_not_hide_it(declarations: Declarations, heading: str) -> None:
    names = [heading if name == "date_of_birth" else name for name in NAMES]
    laid = lay_out(content(Children=[names, VALUES]), declarations, "S1")
    assert codes(laid) == []
    assert laid.frames["child"]["date_of_birth"].to_list() == ["2020-01-02"]
    assert [(r.kind, r.field) for r in laid.repairs] == [("heading", "date_of_birth")]


def test_no_synonym_means_two_fields_of_one_return(declarations: Declarations) -> None:
    for declared in declarations.returns.values():
        meaning: dict[str, str] = {}
        for field in declared.fields:
            for words in {field.name, field.title.en, field.title.cy, *field.synonyms}:
                assert meaning.setdefault(squeezed(words), field.name) == field.name, words


def test_values_in_a_column_without_a_heading_are_asked_about(declarations: Declarations) -> None:
    laid = lay_out(content(Children=[NAMES, [*VALUES, None, "stray"]]), declarations, "S1")
    [query] = [p for p in laid.problems if p.code == "F209"]
    assert "columns L" in query.sentence_en and "without a heading" in query.sentence_en


def csv_sheet(text: str) -> FileContent:
    from pipelines.readers.csv_bundle import _sheet

    return FileContent([sheet("cover", COVER_ROWS), _sheet("child", text)], form="zip")


def test_a_csv_row_that_is_too_long_is_an_error_by_its_line(declarations: Declarations) -> None:
    heading, row = ",".join(NAMES), ",".join(str(value) for value in VALUES)
    laid = lay_out(csv_sheet(f"{heading}\n{row}\n{row},extra\n{row},,\n"), declarations, "S1")
    [error] = [p for p in laid.problems if p.severity == "error"]
    assert error.code == "F218" and "lines 3" in error.sentence_en
    assert "extra" not in error.sentence_en


def test_csv_rows_that_are_too_short_or_run_over_lines_are_asked_about(
    declarations: Declarations,
) -> None:
    heading, row = ",".join(NAMES), ",".join(str(value) for value in VALUES)
    joined = row.replace("A1", '"A\n1"')
    short = row.rpartition(",")[0]
    laid = lay_out(csv_sheet(f"{heading}\n{short}\n{joined}\n{row}\n"), declarations, "S1")
    asked = {p.code: p.sentence_en for p in laid.problems if p.severity == "query"}
    assert "rows have fewer values" in asked["F218"] and "(lines 2)" in asked["F218"]
    assert "starting on lines 3)" in asked["F220"]


def test_a_sender_nearly_named_is_suggested_from_the_list(declarations: Declarations) -> None:
    cover = read_cover(content(answered(sender_code="Vale of Glamorgn Cnl")), declarations)
    [problem] = cover.problems
    assert problem.code == "F102" and problem.cells == ("B2",)
    assert "Did you mean “Vale of Glamorgan” (W06000014)?" in problem.sentence_en
    assert "Ai “Bro Morgannwg” (W06000014)" in problem.sentence_cy
    assert "Glamorgn" not in problem.sentence_en


@pytest.mark.parametrize(
    "text",
    ["Quarter 1 2024-25", "Chwarter 1 2024/25", "Q1 2024-2025", "2024/2025 Q1", "2024-25 Qtr 1"],
)
def test_a_quarter_in_other_words_is_understood_and_listed(
    declarations: Declarations, text: str
) -> None:
    cover = read_cover(content(answered(quarter=text)), declarations)
    assert cover.values["quarter"] == QUARTER
    assert [(r.kind, r.field) for r in cover.repairs] == [("answer", "quarter")]


@pytest.mark.parametrize("text", ["Q1 2024-26", "2024-2026 Q1", "Q5 2024-25", "Quarter 2024-25"])
def test_a_quarter_that_is_none_is_not_understood(declarations: Declarations, text: str) -> None:
    assert read_cover(content(answered(quarter=text)), declarations).values["quarter"] is None


# --- files of other forms ----------------------------------------------------------------


def test_a_single_csv_of_one_return_is_told_of_the_zip(declarations: Declarations) -> None:
    alone = FileContent([sheet("CSV", [NAMES, VALUES])], form="csv")
    laid = lay_out(alone, declarations, "S1")
    [error] = [p for p in laid.problems if p.severity == "error"]
    assert error.code == "F100" and error.sheet is None
    assert "single CSV file" in error.sentence_en and "child.csv" in error.sentence_en
    assert laid.frames["child"].height == 1


def test_a_single_csv_that_begins_with_the_cover_is_a_return(declarations: Declarations) -> None:
    rows: Cells = [*COVER_ROWS[1:], [], NAMES, VALUES]
    alone = FileContent([sheet("CSV", rows, filled_rows=8)], form="csv")
    laid = lay_out(alone, declarations, "S1")
    assert codes(laid) == []
    assert laid.cover.values["sender_code"] == "W06000014"
    assert laid.frames["child"]["sheet_row"].to_list() == [9]


@pytest.mark.parametrize("form", ["workbook", "csv"])
def test_a_file_of_another_collection_is_told_apart(declarations: Declarations, form: Any) -> None:
    header = ["CHILD_ID", "UPN", "DECOM", "RNE", "LS", "CIN", "PLACE"]
    other = FileContent([sheet("Episodes", [header, ["1", "2", "3"]])], form=form)
    laid = lay_out(other, declarations, "S1")
    assert [p.code for p in laid.problems] == ["F100"]
    assert "another collection" in laid.problems[0].sentence_en


def test_a_csv_part_that_had_to_be_guessed_is_a_query(
    declarations: Declarations, bundle: Path
) -> None:
    with zipfile.ZipFile(bundle) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    parts["child.csv"] = parts["child.csv"].decode("utf-8-sig").replace("89", "é").encode("cp1252")
    with zipfile.ZipFile(bundle, "w") as package:
        for name, part in parts.items():
            package.writestr(name, part)
    laid = lay_out(read(bundle), declarations, "S1")
    assert [(p.code, p.sheet) for p in laid.problems] == [("F210", "child")]
    assert laid.frames["child"]["child_reference"].to_list() == ["LA/000é"]


# --- the cover ------------------------------------------------------------------


def test_a_file_without_a_cover_says_so_and_still_has_every_answer_blank(
    declarations: Declarations,
) -> None:
    cover = read_cover(FileContent([sheet("Children", [NAMES, VALUES])]), declarations)
    assert [p.code for p in cover.problems] == ["F100"]
    assert set(cover.values) == {field.name for field in declarations.cover.fields}
    assert set(cover.values.values()) == {None}


def test_a_cover_under_another_name_is_found_by_its_questions(declarations: Declarations) -> None:
    cover = read_cover(FileContent([sheet("Sheet1", COVER_ROWS)]), declarations)
    assert cover.values["sender_code"] == "W06000014"


@pytest.mark.parametrize(
    ("name", "answer", "code"),
    [
        ("sender_code", None, "F101"),
        ("sender_code", "W99999999", "F102"),
        ("sender_code", "W92000004", "F102"),  # a nation sends nothing
        ("quarter", "  ", "F103"),
        ("quarter", "2024-26-Q1", "F104"),
        ("quarter", "2024-25-Q5", "F104"),
        ("quarter", "June 2024", "F104"),
        ("version", None, "F106"),
        ("version", "one", "F105"),
        ("version", "0", "F105"),
        ("signed_off_by_role", None, "F106"),
        ("signed_off_on", "15/07/24", "F107"),
    ],
)
def test_each_wrong_answer_on_the_cover_has_its_own_code(
    declarations: Declarations, name: str, answer: str | None, code: str
) -> None:
    cover = read_cover(content(answered(**{name: answer})), declarations)
    assert [(p.code, p.severity, p.field) for p in cover.problems] == [(code, "error", name)]
    assert cover.values[name] is None
    assert answer is None or answer.strip() == "" or answer not in cover.problems[0].sentence_en


def test_a_wrong_answer_is_named_by_its_cell(declarations: Declarations) -> None:
    moved = [["", *row] for row in answered(version="one", signed_off_on=None)]
    rows: Cells = [[], *moved]
    sentences = {p.field: p for p in read_cover(content(rows), declarations).problems}
    assert "(cell C5)" in sentences["version"].sentence_en
    assert "(cell C8)" in sentences["signed_off_on"].sentence_cy


def test_a_question_that_is_not_asked_has_no_cell(declarations: Declarations) -> None:
    rows = [row for row in COVER_ROWS if row[0] != "version"]
    (missing,) = read_cover(content(rows), declarations).problems
    assert (missing.field, "cell" in missing.sentence_en) == ("version", False)


def test_two_answers_are_named_by_both_cells(declarations: Declarations) -> None:
    rows: Cells = [*COVER_ROWS, ["Quarter", "2024-25-Q2"]]
    (twice,) = read_cover(content(rows), declarations).problems
    assert "(cell B3, B8)" in twice.sentence_en


@pytest.mark.parametrize(
    "text", ["2024-25-Q1", "2024-25 q1", "2024/25 Q1", "Q1 2024/25", "Q1 2024-25"]
)
def test_a_quarter_is_understood_as_reports_write_it(declarations: Declarations, text: str) -> None:
    assert read_cover(content(answered(quarter=text)), declarations).values["quarter"] == QUARTER


@pytest.mark.parametrize(
    "text", ["w06000014", "Vale of Glamorgan", "Bro Morgannwg (W06000014)", "BRO MORGANNWG"]
)
def test_a_sender_is_understood_by_code_or_name(declarations: Declarations, text: str) -> None:
    values = read_cover(content(answered(sender_code=text)), declarations).values
    assert values["sender_code"] == "W06000014"


def test_two_different_answers_to_one_question_are_an_error(declarations: Declarations) -> None:
    same = read_cover(content([*COVER_ROWS, ["Quarter", "2024-25-Q1"]]), declarations)
    other = read_cover(content([*COVER_ROWS, ["Chwarter", "2024-25-Q2"]]), declarations)
    assert [p.code for p in same.problems] == []
    assert [p.code for p in other.problems] == ["F108"]


def test_guidance_beside_a_blank_answer_is_not_the_answer(declarations: Declarations) -> None:
    rows: Cells = [["Quarter", None, "2025-26-Q1"], *COVER_ROWS[1:2]]
    cover = read_cover(content(rows), declarations)
    assert cover.values["quarter"] is None


# --- what sentences may hold ----------------------------------------------------


def test_no_sentence_repeats_a_cell(declarations: Declarations) -> None:
    canary = "Canary"
    rows: Iterable[Cells] = (
        [[canary] * 12, [canary] * 12],
        [[*NAMES, canary, "sex"], [canary] * 14, [None, "01/31/2020", canary]],
        [[*NAMES[1:], f"Child{canary}"], [canary] * 3],
    )
    for sheet in rows:
        laid = lay_out(
            content(
                [["Quarter", canary], ["Version", canary], ["sender_code", canary]],
                Children=sheet,
                **{canary: [[canary]]},
            ),
            declarations,
            canary.upper(),
        )
        sentences = [p.sentence_en + p.sentence_cy for p in (*laid.problems, *laid.repairs)]
        assert sentences and not any(
            canary.casefold() in sentence.casefold() for sentence in sentences
        )


def test_every_sentence_is_said_in_both_languages() -> None:
    welsh_of = translations("cy").gettext
    for english in [*(sentence for _, sentence in PROBLEMS.values()), *REPAIRS.values()]:
        welsh = welsh_of(english)
        assert english != welsh
        for place in ("{title}", "{cells}", "{sheet}", "{number}"):
            assert english.count(place) == welsh.count(place), english


def test_columns_are_lettered_as_spreadsheets_do() -> None:
    assert [column_letters(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_the_raw_frame_is_text_and_in_the_declared_order(declarations: Declarations) -> None:
    frame = lay_out(content(Children=[NAMES, VALUES]), declarations, "S1").frames["child"]
    declared = [field.name for field in declarations.returns["child"].fields]
    leading = ["submission_id", "sender_code", "quarter", "sheet", "sheet_row"]
    assert frame.columns == [*leading, *declared, "undeclared"]
    assert {t for n, t in frame.schema.items() if n != "sheet_row"} == {pl.String}
    assert frame["quarter"].to_list() == [Quarter(2024, 1).label]
