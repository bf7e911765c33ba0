"""The sender's own return with its problems marked: the same values, nothing that could run.

Returns are invented and synthetic."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipelines.readers.child_process import read
from pipelines.readers.preflight import MAX_FILE_BYTES
from pipelines.text.catalogue import Language
from pipelines.verdict.check import CheckedFile, check_files
from pipelines.verdict.marked_copy import NothingToMark, marked_copy, write_marked_copy
from pipelines.verdict.report import ValidationReport
from tests.unit.returns_made import DECLARATIONS, child, children, csv_zip, workbook

NOW = datetime(2020, 10, 10, 9, 0, tzinfo=UTC)
FORMULA = '=HYPERLINK("http://x.invalid")'


def report_of(checked: CheckedFile, language: Language = "en") -> ValidationReport:
    return ValidationReport(
        checked.submission, checked.problems, DECLARATIONS, language, checked.details
    )


def marked(checked: CheckedFile, language: Language = "en") -> bytes:
    assert checked.content is not None and checked.laid_out is not None
    return marked_copy(report_of(checked, language), checked.content, checked.laid_out)


def check(path: Path) -> CheckedFile:
    (found,) = check_files([path], DECLARATIONS, NOW)
    return found


def with_problems() -> list[dict[str, Any]]:
    return [
        *children(30),
        child(FORMULA, sex="gibberish", date_of_birth="31/02/2017"),
        child("QUERIED", referred_on=date(2020, 1, 5), notes="not asked for"),
    ]


def xlsx(folder: Path) -> Path:
    return workbook(folder / "a.xlsx", with_problems())


def welsh(folder: Path) -> Path:
    return workbook(folder / "a.xlsx", with_problems(), language="cy")


def csv(folder: Path) -> Path:
    return csv_zip(folder / "a.zip", with_problems())


def from_a_case_system(folder: Path) -> Path:
    """Headings lower down, under field names, dates as text: nothing like the template."""
    path = folder / "a.xlsx"
    book = openpyxl.load_workbook(workbook(path, with_problems()))
    sheet = book["Children"]
    sheet.insert_rows(1, 2)
    sheet["A1"] = "Extract of the case system"
    for number, field in enumerate(DECLARATIONS.returns["child"].fields, start=1):
        sheet.cell(3, number).value = field.name
    sheet["B5"] = "17/03/2017"
    book.save(path)
    return path


def no_cover(folder: Path) -> Path:
    path = folder / "a.xlsx"
    book = openpyxl.load_workbook(workbook(path, with_problems()))
    del book["Cover"]
    book.save(path)
    return path


@pytest.mark.parametrize("make", [xlsx, welsh, csv, from_a_case_system, no_cover])
@pytest.mark.parametrize("language", ["en", "cy"])
def test_the_copy_is_judged_as_the_return_is(
    tmp_path: Path, make: Callable[[Path], Path], language: Language
) -> None:
    """Which it would not be if a value, a row or a column had changed on the way."""
    first = check(make(tmp_path))
    copy = tmp_path / "copy.xlsx"
    copy.write_bytes(marked(first, language))
    again = check(copy)
    assert again.submission.status == first.submission.status
    assert again.submission.returns == first.submission.returns

    def places(found: CheckedFile) -> list[tuple[Any, ...]]:
        return [(p["sheet_row"], p["cell"], p["field"], p["code"]) for p in found.problems]

    assert places(again) == places(first)
    if first.details.effect is not None:
        assert again.details.effect is not None
        assert again.details.effect.headlines == first.details.effect.headlines


def test_each_problem_is_a_note_at_its_cell_with_a_border_of_its_kind(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(marked(check(xlsx(tmp_path)))))
    sheet = book["Children"]
    sex, referred = sheet["C32"], sheet["K33"]
    assert sex.comment.text.startswith("ERROR CODE: “Sex” is not in the list")
    assert (sex.value, sex.border.left.style) == ("gibberish", "thick")
    assert referred.comment.text.startswith("QUERY CH201: ")
    assert referred.border.left.style == "mediumDashed"
    assert sex.fill.fgColor.rgb != referred.fill.fgColor.rgb
    marks = [cell.coordinate for line in sheet.iter_rows() for cell in line if cell.comment]
    assert {"B32", "C32", "K33"} <= set(marks) and len(marks) <= 5
    legend = " ".join(str(cell.value) for (cell,) in book["Marks"].iter_rows())
    assert "ERROR" in legend and "QUERY" in legend and "F209" in legend


def test_dates_and_numbers_are_what_they_were_and_text_is_text(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(marked(check(xlsx(tmp_path)))))
    sheet = book["Children"]
    assert sheet["B2"].value == datetime(2017, 3, 17) and sheet["B2"].number_format == "dd/mm/yyyy"
    assert sheet["H2"].value == 1
    assert (sheet["A32"].value, sheet["A32"].data_type) == (FORMULA, "s")
    assert (sheet["B32"].value, sheet["B32"].data_type) == ("31/02/2017", "s")


def test_nothing_of_the_senders_package_comes_along(tmp_path: Path) -> None:
    """No formula, link, macro or sheet of the sender's; the cover keeps its answers."""
    path = tmp_path / "a.xlsx"
    book = openpyxl.load_workbook(workbook(path, with_problems()))
    hidden = book.create_sheet("Workings")
    hidden["A1"], hidden.sheet_state = "SECRET-NAME", "hidden"
    book["Children"]["AZ1"] = "Sum"
    book["Children"]["A2"].hyperlink = "http://x.invalid"
    book.save(path)
    content = marked(check(path))
    copy = openpyxl.load_workbook(io.BytesIO(content))
    assert copy.sheetnames == ["Cover", "Children", "Marks", "Codes", "Lists"]
    for sheet in copy:
        for line in sheet.iter_rows():
            assert all(cell.data_type != "f" and cell.hyperlink is None for cell in line)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        text = b"".join(package.read(name) for name in package.namelist())
    assert b"SECRET-NAME" not in text and b"<f>" not in text


def test_a_cell_with_an_excel_error_is_left_blank_and_explained(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = openpyxl.load_workbook(workbook(path, children(3)))
    book["Children"]["G3"] = "#REF!"
    book["Children"]["G3"].data_type = "e"
    book.save(path)
    found = check(path)
    assert found.is_refused
    sheet = openpyxl.load_workbook(io.BytesIO(marked(found)))["Children"]
    assert sheet["G3"].value is None
    assert any(
        "F211" in (cell.comment.text if cell.comment else "") for cell in (*sheet[1], *sheet[3])
    )


def test_very_many_problems_are_all_marked_in_a_file_that_can_be_read(tmp_path: Path) -> None:
    rows = [child(f"R{n}", sex="x", ethnicity_group="x", is_disabled="x") for n in range(600)]
    found = check(workbook(tmp_path / "a.xlsx", rows))
    copy = tmp_path / "copy.xlsx"
    copy.write_bytes(marked(found))
    assert copy.stat().st_size < MAX_FILE_BYTES
    with zipfile.ZipFile(copy) as package:
        notes = b"".join(package.read(n) for n in package.namelist() if "comments" in n)
    assert notes.count(b"<comment ") == 1800
    assert len(read(copy).sheets) == 5


def test_the_same_return_gives_the_same_bytes(tmp_path: Path) -> None:
    found = check(xlsx(tmp_path))
    assert marked(found) == marked(found)


def test_what_could_not_be_read_cannot_be_marked(tmp_path: Path) -> None:
    path = tmp_path / "page.xlsx"
    path.write_text("<html>", encoding="utf-8")
    found = check(path)
    target = tmp_path / "copy.xlsx"
    with pytest.raises(NothingToMark, match="nothing to mark"):
        write_marked_copy(target, report_of(found), found.content, found.laid_out)
    with pytest.raises(ValueError, match=r"\.xlsx"):
        write_marked_copy(tmp_path / "a.ods", report_of(found), found.content, found.laid_out)
    assert not target.exists()


@pytest.mark.parametrize("name", ["It's [theirs]: a/b*c?", "N" * 40, "'x'"])
def test_a_sheet_name_that_no_workbook_may_have_is_ours(tmp_path: Path, name: str) -> None:
    """CSV parts and other programs' sheets may be called anything."""
    from dataclasses import replace

    found = check(xlsx(tmp_path))
    assert found.content is not None and found.laid_out is not None
    content = replace(
        found.content,
        sheets=[replace(s, name=name) if s.name == "Children" else s for s in found.content.sheets],
    )
    returns = {"child": replace(found.laid_out.returns["child"], sheet=name)}
    laid_out = replace(found.laid_out, returns=returns)
    book = openpyxl.load_workbook(io.BytesIO(marked_copy(report_of(found), content, laid_out)))
    assert book.sheetnames == ["Cover", "Children", "Marks", "Codes", "Lists"]
    assert book["Children"]["C32"].comment is not None
