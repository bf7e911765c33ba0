"""The workbooks hold what the release holds, in both languages, and nothing that runs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest

from pipelines.release.content import Content
from pipelines.release.opendocument import write_opendocument
from pipelines.release.workbook import sheets_of, write_workbook
from pipelines.text.catalogue import LANGUAGES, Language


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Language:
    return request.param


def _open(content: Content, language: Language, folder: Path) -> openpyxl.Workbook:
    path = folder / f"{language}.xlsx"
    write_workbook(content, language, path)
    return openpyxl.load_workbook(path)


def test_each_sheet_has_a_title_and_one_table_with_one_row_of_headings(
    wales: Content, language: Language, tmp_path: Path
) -> None:
    book = _open(wales, language, tmp_path)
    cover, *others = book.worksheets
    assert not cover.tables
    for sheet in others:
        assert len(sheet.tables) == 1
        assert sheet["A1"].value
        assert not sheet.merged_cells.ranges
        assert sheet.freeze_panes is None and sheet.auto_filter.ref is None


def test_no_cell_of_a_table_is_empty_a_formula_or_a_link(
    wales: Content, language: Language, tmp_path: Path
) -> None:
    book = _open(wales, language, tmp_path)
    names = []
    for sheet in book.worksheets[1:]:
        (table,) = sheet.tables.values()
        for row in sheet[table.ref]:
            for cell in row:
                assert cell.value not in (None, "")
                assert cell.data_type in ("s", "n") and cell.hyperlink is None
                names.append(cell.value)
    assert ("=Other" if language == "en" else "Arall ŵ") in names


def test_numbers_are_numbers_and_what_is_kept_back_is_shorthand(
    wales: Content, tmp_path: Path
) -> None:
    book = _open(wales, "en", tmp_path)
    sheet = next(sheet for sheet in book if "Children, by authority" in sheet["A1"].value)
    (table,) = sheet.tables.values()
    heading, *rows = [[cell.value for cell in row] for row in sheet[table.ref]]
    by_name = {row[0]: dict(zip(heading, row, strict=True)) for row in rows}
    assert by_name["One"]["COUNT Title of COUNT (children)"] == "[c]"
    assert by_name["=Other"]["COUNT Title of COUNT (children)"] == 0
    assert by_name["Nation"]["COUNT Title of COUNT (children)"] == "1,234 [p]"
    assert by_name["=Other"]["SHARE Title of SHARE (percentage)"] == "[z]"
    assert by_name["Nation"]["SHARE Title of SHARE (percentage)"] == 33.3


def test_parts_stand_across_and_indicators_down(wales: Content) -> None:
    sheet = next(s for s in sheets_of(wales, "en") if "Nation by sex: quarter" in s.lines[0])
    assert sheet.headings == ["Indicator", "Female", "Male"]
    assert [row[0] for row in sheet.rows] == ["COUNT Title of COUNT (children)"]


def test_every_shorthand_that_is_used_is_explained(wales: Content, language: Language) -> None:
    sheets = sheets_of(wales, language)
    explained = {row[0] for sheet in sheets[:3] for row in sheet.rows}
    assert {"[c]", "[x]", "[z]", "[low]", "[p]", "[r]"} <= explained


def test_the_contents_list_every_sheet_that_follows(wales: Content, language: Language) -> None:
    _, contents, *listed = sheets_of(wales, language)
    assert [row[0] for row in contents.rows] == [sheet.name for sheet in listed]


def test_only_the_welsh_workbook_says_that_its_wording_is_unreviewed(wales: Content) -> None:
    covers = {language: sheets_of(wales, language)[0].lines for language in LANGUAGES}
    assert [line for line in covers["cy"] if "cyfieithydd" in line]
    assert not [line for line in covers["en"] if "translator" in line]


def test_the_same_release_gives_the_same_bytes(
    wales: Content, language: Language, tmp_path: Path
) -> None:
    for write, suffix in ((write_workbook, "xlsx"), (write_opendocument, "ods")):
        paths = [tmp_path / f"{number}.{suffix}" for number in (1, 2)]
        for path in paths:
            write(wales, language, path)
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_open_document_holds_the_same_cells(
    wales: Content, language: Language, tmp_path: Path
) -> None:
    from python_calamine import CalamineWorkbook

    path = tmp_path / "release.ods"
    write_opendocument(wales, language, path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist()[0] == "mimetype"
        content = archive.read("content.xml").decode("utf-8")
    assert "table:formula" not in content and "xlink" not in content
    book = CalamineWorkbook.from_path(str(path))
    for sheet in sheets_of(wales, language):
        rows = book.get_sheet_by_name(sheet.name).to_python()
        assert rows[0][0] == sheet.lines[0]
        if sheet.headings:
            assert rows[len(sheet.lines)][: len(sheet.headings)] == sheet.headings
