"""Workbooks as people make them: each oddity is read rightly or asked about by its cell."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.readers.casting import cast
from pipelines.readers.child_process import read
from pipelines.readers.content import CannotRead, FileContent
from pipelines.readers.layout import LaidOut, lay_out
from pipelines.templates.workbook import write_return
from tests.faults.mutants import as_ods

QUARTER = Quarter(2024, 1)
SHEET = "xl/worksheets/sheet2.xml"
BOOK = "xl/workbook.xml"
STYLES = "xl/styles.xml"
TEXTS = "xl/sharedStrings.xml"

Alter = Callable[..., Path]
Edit = Callable[[Any], None]


def with_rows(rows: bytes) -> Callable[[bytes], bytes]:
    return lambda xml: xml.replace(b"</sheetData>", rows + b"</sheetData>")


def said(laid: LaidOut, code: str) -> list[str]:
    return [problem.sentence_en for problem in laid.problems if problem.code == code]


@pytest.fixture
def edited(
    declarations: Declarations,
    cover_answers: dict[str, Any],
    child_row: dict[str, Any],
    tmp_path: Path,
) -> Callable[[Edit], LaidOut]:
    """Lay out a return of four children whose Children sheet was edited with openpyxl."""

    def edit(change: Edit) -> LaidOut:
        path = tmp_path / "edited.xlsx"
        rows = [child_row | {"child_reference": f"A{n}"} for n in range(1, 5)]
        write_return(path, declarations, QUARTER, cover_answers, {"child": rows})
        book = openpyxl.load_workbook(path)
        change(book["Children"])
        book.save(path)
        return lay_out(read(path), declarations, "S1")

    return edit


def column_of(sheet: Any, title: str) -> str:
    return next(cell.column_letter for cell in sheet[1] if cell.value == title)


# --- merged, hidden -----------------------------------------------------------------


def test_cells_merged_over_two_rows_are_named_and_never_pass_for_blank(
    edited: Callable[[Edit], LaidOut], declarations: Declarations
) -> None:
    def merge(sheet: Any) -> None:
        sheet.merge_cells("B3:B4")

    laid = edited(merge)
    [query] = [problem for problem in laid.problems if problem.code == "F217"]
    assert query.severity == "query" and query.cells == ("B4",)
    assert "cells B4 are merged" in query.sentence_en
    typed = cast(laid.frames["child"], declarations.returns["child"], QUARTER, declarations)
    assert typed["readable__date_of_birth"].to_list() == [True, True, False, True]


def test_merged_references_are_an_error_of_the_file(edited: Callable[[Edit], LaidOut]) -> None:
    laid = edited(lambda sheet: sheet.merge_cells("A2:A3"))
    assert [(p.code, p.severity, p.cells) for p in laid.problems] == [("F217", "error", ("A3",))]


def test_merged_titles_and_merged_blanks_are_no_problem(edited: Callable[[Edit], LaidOut]) -> None:
    def merge(sheet: Any) -> None:
        sheet.insert_rows(1)
        sheet["A1"] = "Children"
        sheet.merge_cells("A1:H1")
        sheet.merge_cells("A9:A12")

    laid = edited(merge)
    assert laid.problems == ()
    assert [repair.kind for repair in laid.repairs] == ["headings"]
    assert laid.returns["child"].frame.height == 4


def test_hidden_rows_columns_and_sheets_are_read_and_asked_about(
    edited: Callable[[Edit], LaidOut],
) -> None:
    def hide(sheet: Any) -> None:
        sheet.row_dimensions[3].hidden = True
        sheet.row_dimensions[9].hidden = True  # holds nothing
        sheet.column_dimensions["C"].hidden = True
        sheet.sheet_state = "hidden"

    laid = edited(hide)
    assert laid.returns["child"].frame.height == 4
    sentences = said(laid, "F216")
    assert len(sentences) == 3
    assert any("hidden rows were read (rows 3)" in sentence for sentence in sentences)
    assert any("(columns C)" in sentence for sentence in sentences)
    assert any("is hidden, and was read" in sentence for sentence in sentences)
    assert {problem.severity for problem in laid.problems} == {"query"}


def test_hidden_and_empty_is_no_problem(edited: Callable[[Edit], LaidOut]) -> None:
    def hide(sheet: Any) -> None:
        for row in range(10, 300):
            sheet.row_dimensions[row].hidden = True
        sheet.column_dimensions[column_of(sheet, "Matched on")].hidden = True  # nobody is matched

    assert edited(hide).problems == ()


# --- numbers that are not what they look like ---------------------------------------


def test_leading_noughts_that_only_the_format_shows_are_read(
    edited: Callable[[Edit], LaidOut],
) -> None:
    def number(sheet: Any) -> None:
        for row, (value, form) in enumerate(
            [(89, "00000"), (123456, "00000"), (7, "General"), (8.5, "000")], start=2
        ):
            sheet.cell(row, 1, value).number_format = form

    laid = edited(number)
    references = laid.frames["child"]["child_reference"].to_list()
    assert references == ["00089", "123456", "7", "8.5"]
    [repair] = laid.repairs
    assert (repair.kind, repair.field, repair.count) == ("zeros", "child_reference", 1)


def test_long_numbers_and_powers_of_ten_are_never_references(
    edited: Callable[[Edit], LaidOut],
) -> None:
    def number(sheet: Any) -> None:
        sheet["A2"] = 999_999_999_999_999  # 15 digits are exact
        sheet["A3"] = 1_234_567_890_123_456
        sheet["A4"] = "1.23457E+15"
        sheet["A5"] = "E12"

    laid = edited(number)
    problems = {(p.code, p.severity, p.cells) for p in laid.problems}
    assert problems == {("F212", "error", ("A3",)), ("F212", "error", ("A4",))}
    assert laid.frames["child"]["child_reference"].to_list()[0] == "999999999999999"


def test_a_reference_that_became_a_date_is_asked_about(edited: Callable[[Edit], LaidOut]) -> None:
    def turn(sheet: Any) -> None:
        sheet["A3"] = date(2024, 2, 1)

    laid = edited(turn)
    [query] = laid.problems
    assert (query.code, query.severity, query.cells) == ("F219", "query", ("A3",))
    assert "2024" not in query.sentence_en


def test_a_blank_that_is_formatted_as_a_date_is_no_day_of_1900(
    edited: Callable[[Edit], LaidOut], declarations: Declarations
) -> None:
    def number(sheet: Any) -> None:
        for row, value in enumerate([0, 12, 60, 366], start=2):
            sheet[f"B{row}"] = value
            sheet[f"B{row}"].number_format = "dd/mm/yyyy"

    laid = edited(number)
    typed = cast(laid.frames["child"], declarations.returns["child"], QUARTER, declarations)
    # Zero is a blank, with a query; the others are not understood.
    assert typed["readable__date_of_birth"].to_list() == [True, False, False, False]
    assert typed["date_of_birth"].to_list() == [None] * 4
    assert "F222" in {problem.code for problem in laid.problems}


@pytest.mark.parametrize("shown", ["#REF!", "#DIV/0!", "#N/A", "########", "Err:502", "#NAME?"])
def test_an_error_written_as_text_is_an_error_all_the_same(
    edited: Callable[[Edit], LaidOut], shown: str
) -> None:
    """A spreadsheet saves what it shows: dates wider than their column become ####### in CSV."""

    def write(sheet: Any) -> None:
        sheet["A3"].value = shown
        sheet["A3"].data_type = "s"
        sheet["B4"].value = shown
        sheet["B4"].data_type = "s"

    laid = edited(write)
    problems = {(p.code, p.severity, p.cells) for p in laid.problems}
    assert problems == {("F211", "error", ("A3",)), ("F211", "query", ("B4",))}


# --- what the parser would lose -----------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (b'<row r="3"><c r="A3"><v>1</v></c></row><row r="3"><c r="A3"><v>2</v></c></row>', "F006"),
        (b'<row r="3"><c r="A3"><v>1</v></c><c r="A3"><v>2</v></c></row>', "F006"),
        (b'<row r="3"><c r="A3" t="str"><v><![CDATA[A1]]></v></c></row>', "F006"),
        (b'<row r="3"><c r="A3"><v>1<!-- -->2</v></c></row>', "F006"),
        (b'<row r="3"><c r="A3" t="s"><v>-1</v></c></row>', "F001"),
        (b'<row r="3"><c r="A3" t="s"><v>99999</v></c></row>', "F001"),
    ],
)
def test_a_row_that_would_be_lost_or_changed_refuses_the_file(
    altered: Alter, rows: bytes, code: str
) -> None:
    with pytest.raises(CannotRead, match=code):
        read(altered("lossy", {SHEET: with_rows(rows)}))


def test_rows_out_of_order_are_read_where_they_say_they_are(altered: Alter) -> None:
    rows = b'<row r="9"><c r="B9"><v>9</v></c></row><row r="5"><c r="C5"><v>5</v></c></row>'
    sheet = read(altered("order", {SHEET: with_rows(rows)})).sheets[1]
    assert sheet.rows[8] == [None, "9"] and sheet.rows[4] == [None, None, "5"]
    assert sheet.filled_rows == 4


def test_cells_that_do_not_say_where_they_are_follow_one_another(altered: Alter) -> None:
    rows = (
        b'<row><c><v>1</v></c><c s="1"/><c><v>3</v></c></row><row><c r="B4"/><c><v>5</v></c></row>'
    )
    sheet = read(altered("implied", {SHEET: with_rows(rows)})).sheets[1]
    assert sheet.rows[2] == ["1", None, "3"] and sheet.rows[3] == [None, None, "5"]


@pytest.mark.parametrize("prefix", [b"x", b"ns0"])
def test_elements_with_a_prefix_are_read_too(altered: Alter, prefix: bytes) -> None:
    """As some programs that are not Excel write them."""

    def prefixed(xml: bytes) -> bytes:
        xml = re.sub(rb"<(/?)(?=[a-z])", rb"<\1" + prefix + b":", xml)
        return xml.replace(b"xmlns=", b"xmlns:" + prefix + b"=", 1)

    plain = read(altered("plain", {}))
    assert read(altered("prefixed", {SHEET: prefixed, TEXTS: prefixed})).sheets == plain.sheets


def test_a_workbook_of_the_strict_standard_is_read(altered: Alter) -> None:
    def strict(xml: bytes) -> bytes:
        main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        relations = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        xml = xml.replace(main, b"http://purl.oclc.org/ooxml/spreadsheetml/main")
        return xml.replace(relations, b"http://purl.oclc.org/ooxml/officeDocument/relationships")

    parts = [SHEET, "xl/worksheets/sheet1.xml", BOOK, STYLES, TEXTS]
    parts += ["xl/_rels/workbook.xml.rels", "_rels/.rels"]
    plain = read(altered("plain", {}))
    assert read(altered("strict", dict.fromkeys(parts, strict))).sheets == plain.sheets


def test_dates_of_the_strict_standard_are_dates(altered: Alter) -> None:
    rows = b'<row r="3"><c r="B3" t="d"><v>2020-01-02</v></c></row>'
    sheet = read(altered("iso", {SHEET: with_rows(rows)})).sheets[1]
    assert sheet.rows[2] == [None, "2020-01-02"]


def test_a_chart_sheet_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "chart.xlsx"
    book = xlsxwriter.Workbook(path)
    book.add_worksheet("Children").write_column("A1", [1, 2])
    chart = book.add_chart({"type": "bar"})
    assert chart is not None
    chart.add_series({"values": "=Children!$A$1:$A$2"})
    book.add_chartsheet("Chart").set_chart(chart)
    book.add_worksheet("After").write("A1", "x")
    book.close()
    sheets = read(path).sheets
    assert [(sheet.name, sheet.filled_rows) for sheet in sheets] == [
        ("Children", 2),
        ("Chart", 0),
        ("After", 1),
    ]


def test_macros_are_carried_and_never_looked_at(altered: Alter) -> None:
    macro = {"xl/vbaProject.bin": lambda _: b"\xd0\xcf\x11\xe0 not a macro"}
    assert read(altered("macro", macro)).sheets == read(altered("plain", {})).sheets


# --- OpenDocument ---------------------------------------------------------------------


def ods(tmp_path: Path, rows: str, before: str = "", table: str = "") -> FileContent:
    path = tmp_path / "return.ods"
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text", "style", "drawing")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names} '
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
        f"{before}<office:body><office:spreadsheet>"
        f'<table:table table:name="Children" {table}>{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", content)
        package.writestr("META-INF/manifest.xml", "<manifest/>")
    return read(path)


def row(*cells: str, more: str = "") -> str:
    return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"


def cell(shown: str, attributes: str = 'office:value-type="string"', inner: str = "") -> str:
    return f"<table:table-cell {attributes}>{inner}<text:p>{shown}</text:p></table:table-cell>"


def test_an_opendocument_return_gives_the_same_rows_as_the_workbook(
    workbook: Path, declarations: Declarations, tmp_path: Path
) -> None:
    path = tmp_path / "return.ods"
    path.write_bytes(as_ods(read(workbook)))
    first, second = (lay_out(read(each), declarations, "S1") for each in (workbook, path))
    assert first.cover.values == second.cover.values
    assert first.frames["child"].equals(second.frames["child"])
    assert second.problems == () and second.account == first.account


def test_opendocument_values_are_read_as_their_author_wrote_them(tmp_path: Path) -> None:
    [sheet] = ods(
        tmp_path,
        row(
            cell("Tŷ"),
            cell("00089", 'office:value-type="float" office:value="89"'),
            cell("04/05/22", 'office:value-type="date" office:date-value="2022-05-04"'),
            cell("WAHR", 'office:value-type="boolean" office:boolean-value="true"'),
            cell("12", 'office:value-type="float" office:value="12"'),
        )
        + row(cell("twice", more_of(2)), more='table:number-rows-repeated="2"'),
    ).sheets
    assert sheet.rows[0] == ["Tŷ", "00089", "2022-05-04", "TRUE", "12"]
    assert sheet.rows[1:] == [["twice", "twice"], ["twice", "twice"]]
    assert sheet.filled_rows == 3 and sheet.zeros_restored == [(0, 1)]


def more_of(times: int) -> str:
    return f'office:value-type="string" table:number-columns-repeated="{times}"'


@pytest.mark.parametrize(
    "attributes",
    [
        'table:formula="of:=1/0" office:value-type="string" office:string-value="" '
        'calcext:value-type="error"',
        'table:formula="of:=1/0" office:value-type="float" office:value="0" '
        'calcext:value-type="error"',
    ],
)
def test_an_opendocument_error_is_neither_blank_nor_nought(tmp_path: Path, attributes: str) -> None:
    [sheet] = ods(tmp_path, row(cell("#DIV/0!", attributes), cell("x"))).sheets
    assert sheet.rows == [["#DIV/0!", "x"]]
    assert [(c.row, c.column, c.doubt) for c in sheet.doubtful] == [(0, 0, "error")]


def test_an_opendocument_formula_without_a_result_is_not_blank(tmp_path: Path) -> None:
    formula = '<table:table-cell table:formula="of:=1+1"/>'
    [sheet] = ods(tmp_path, row(formula, cell("x")) + row(formula)).sheets
    assert sheet.rows == [["#FORMULA!", "x"], ["#FORMULA!"]]
    assert sheet.filled_rows == 2


def test_notes_drawings_and_tables_within_cells_are_not_what_a_cell_holds(tmp_path: Path) -> None:
    note = "<office:annotation><text:p>a note</text:p></office:annotation>"
    inner = (
        "<drawing:frame><table:table><table:table-row><table:table-cell "
        'office:value-type="string"><text:p>inside</text:p></table:table-cell></table:table-row>'
        "</table:table></drawing:frame>"
    )
    blank = f"<table:table-cell>{note}</table:table-cell>"
    drawn = f"<table:table-cell>{inner}</table:table-cell>"
    content = ods(tmp_path, row(cell("a", inner=note), blank, drawn, cell("z")))
    assert [sheet.rows for sheet in content.sheets] == [[["a", None, None, "z"]]]


def test_opendocument_merging_and_hiding_are_seen(tmp_path: Path) -> None:
    spans = 'office:value-type="string" table:number-rows-spanned="2"'
    style = (
        '<office:automatic-styles><style:style style:name="ta9"><style:table-properties '
        'table:display="false"/></style:style></office:automatic-styles>'
    )
    [sheet] = ods(
        tmp_path,
        '<table:table-column/><table:table-column table:visibility="collapse"/>'
        + row(cell("A", spans), cell("x"))
        + row("<table:covered-table-cell/>", cell("y"), more='table:visibility="filter"'),
        before=style,
        table='table:style-name="ta9"',
    ).sheets
    assert [(c.row, c.column) for c in sheet.doubtful if c.doubt == "merged"] == [(1, 0)]
    assert (sheet.is_hidden, sheet.hidden_rows, sheet.hidden_columns) == (True, [1], [1])


def test_a_value_that_the_parser_would_leave_out_refuses_the_file(tmp_path: Path) -> None:
    naked = "<table:table-cell><text:p>no type</text:p></table:table-cell>"
    with pytest.raises(CannotRead, match="F006"):
        ods(tmp_path, row(naked, cell("x")))


def test_a_parser_that_loses_a_row_is_found_out(
    workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row conservation has a bad twin: a parser that drops the last row of a sheet."""
    from pipelines.readers import workbook as reader

    whole = reader._from_the_top
    monkeypatch.setattr(reader, "_from_the_top", lambda parsed: list(whole(parsed))[:-1])
    with pytest.raises(CannotRead, match="F006"):
        read(workbook)
