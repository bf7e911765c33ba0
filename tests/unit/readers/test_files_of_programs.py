"""Files as Excel, web Excel and exporters write them, whatever else is in them. All synthetic."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.readers.child_process import read
from pipelines.readers.content import CannotRead, FileContent, SheetContent
from pipelines.readers.cover import read_cover
from pipelines.readers.layout import lay_out
from pipelines.templates.workbook import write_return

QUARTER = Quarter(2024, 1)
ENDLESS_BREAK = (
    b'<xml xmlns:v="urn:schemas-microsoft-com:vml"><v:textbox><div><font>Send<br>\nthe<br>\n'
    b"return</font></div></v:textbox></xml>"
)
MODULES = (
    b'<sheet name="Module1" sheetId="98" state="veryHidden" r:id=""/>'
    b"<sheet r:id='' name='Dialog' sheetId='99' state='veryHidden'/>"
)


def codes(content: FileContent, declarations: Declarations) -> list[str]:
    return [problem.code for problem in lay_out(content, declarations, "S1").problems]


def with_modules(xml: bytes) -> bytes:
    return xml.replace(b"</sheets>", MODULES + b"</sheets>")


@pytest.mark.parametrize(
    "changes",
    [
        {"xl/drawings/vmlDrawing1.vml": lambda _: ENDLESS_BREAK},
        {"xl/drawings/vmlDrawing1.vml": lambda _: b"not XML at all <"},
        {"xl/workbook.xml": with_modules},
        {"xl/workbook.xml": with_modules, "xl/drawings/vmlDrawing1.vml": lambda _: ENDLESS_BREAK},
    ],
)
def test_what_macros_left_in_a_workbook_is_passed_over(
    altered: Callable[..., Path], declarations: Declarations, changes: dict[str, Any]
) -> None:
    content = read(altered("macros", changes))
    assert [sheet.name for sheet in content.sheets] == ["Cover", "Children"]
    assert codes(content, declarations) == []
    assert lay_out(content, declarations, "S1").frames["child"].height == 1


def test_a_listed_sheet_that_is_missing_is_still_refused(altered: Callable[..., Path]) -> None:
    path = altered(
        "missing",
        {"xl/workbook.xml": lambda xml: with_modules(xml).replace(b'r:id=""', b'r:id="rId77"')},
    )
    with pytest.raises(CannotRead) as refused:
        read(path)
    assert refused.value.code == "F001"


def zipped(folder: Path, *files: tuple[str, bytes]) -> Path:
    path = folder / "sent.zip"
    with zipfile.ZipFile(path, "w") as package:
        for name, content in files:
            package.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["return.xlsx", "folder/Return April.XLSX"])
def test_a_workbook_in_a_zip_is_read(
    workbook: Path, tmp_path: Path, declarations: Declarations, name: str
) -> None:
    beside = [("__MACOSX/._return.xlsx", b"x"), ("~$return.xlsx", b"x"), ("read me.txt", b"x")]
    path = zipped(tmp_path, (name, workbook.read_bytes()), *beside)
    assert codes(read(path), declarations) == []


def test_what_else_a_zip_may_hold_is_refused_with_its_reason(
    workbook: Path, tmp_path: Path
) -> None:
    data = workbook.read_bytes()
    inner = zipped(tmp_path, ("return.xlsx", data)).read_bytes()
    for files, code in (
        ([("a.xlsx", data), ("b.xlsx", data)], "F011"),
        ([("a.xlsx", inner)], "F001"),  # a zip in a zip is looked into once
        ([("a.txt", b"x")], "F001"),
        ([("a.xlsx", b"no workbook")], "F001"),
        ([("xl/workbook.bin", b"x"), ("xl/worksheets/sheet1.bin", b"x")], "F010"),
    ):
        with pytest.raises(CannotRead) as refused:
            read(zipped(tmp_path, *files))
        assert refused.value.code == code, files


@pytest.mark.parametrize("end", [b"\x1a", b"\x1a\r\n", b"\r\n\x1a\r\n", b"\x1a\x1a\n\n"])
def test_the_sign_that_ends_a_text_is_no_row(
    bundle: Path, tmp_path: Path, declarations: Declarations, end: bytes
) -> None:
    with zipfile.ZipFile(bundle) as package:
        files = [(name, package.read(name) + end) for name in package.namelist()]
    laid = lay_out(read(zipped(tmp_path, *files)), declarations, "S1")
    assert laid.frames["child"].height == 1 and not laid.problems


@pytest.mark.parametrize(("mark", "in_notes"), [(",", ";"), (";", ","), ("\t", ";"), (",", "\t")])
def test_a_note_full_of_other_separators_does_not_decide(
    bundle: Path, tmp_path: Path, declarations: Declarations, mark: str, in_notes: str
) -> None:
    with zipfile.ZipFile(bundle) as package:
        headings, row, *_ = package.read("child.csv").decode("utf-8-sig").splitlines()
        cover = package.read("cover.csv")
    assert '"' not in headings + row
    notes = f"seen{in_notes} " * 60
    lines = [f"{headings},Notes".replace(",", mark)]
    lines += [f"{row},".replace(",", mark) + (notes if n % 2 else "") for n in range(6)]
    path = zipped(tmp_path, ("cover.csv", cover), ("child.csv", "\r\n".join(lines).encode()))
    laid = lay_out(read(path), declarations, "S1")
    assert laid.frames["child"].height == 6
    assert {problem.code for problem in laid.problems} <= {"F209", "F218"}


# --- zeros of links --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "is_blank"),
    [
        ("Extract!{cell}", True),
        ("'Extract'!{cell}", True),
        ("+Extract!${column}{row}", True),
        ("IFERROR(VLOOKUP($A2,Extract!A:AH,7,0),0)", True),
        ("[1]Extract!{cell}", True),
        ("Extract!H2", False),  # a number that is there
    ],
)
def test_a_link_to_a_blank_cell_is_blank(
    tmp_path: Path, declarations: Declarations, child_row: dict[str, Any],
    cover_answers: dict[str, Any], formula: str, is_blank: bool,
) -> None:  # fmt: skip
    path = tmp_path / "links.xlsx"
    write_return(path, declarations, QUARTER, cover_answers, {"child": [child_row]})
    book = openpyxl.load_workbook(path)
    extract = book.create_sheet("Extract")
    extract["H2"] = 0
    book["Children"]["G2"] = "=" + formula.format(cell="G2", column="G", row=2)
    book.save(path)
    with_result = path.with_name("saved.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(with_result, "w") as new:
        for name in old.namelist():  # as Excel saves it, with the result of the formula
            part = old.read(name)
            new.writestr(name, part.replace(b"</f><v></v>", b"</f><v>0</v>").replace(
                b"</f><v/>", b"</f><v>0</v>").replace(b"</f><v />", b"</f><v>0</v>"))  # fmt: skip
    laid = lay_out(read(with_result), declarations, "S1")
    [reference] = laid.frames["child"]["sibling_group_reference"].to_list()
    assert (reference is None) is is_blank
    assert ("F222" in {problem.code for problem in laid.problems}) is is_blank


def test_a_shared_formula_points_as_far_on_as_its_cell(tmp_path: Path) -> None:
    def row(number: int, formula: str, extract: str) -> tuple[str, str]:
        linked = f'<row r="{number}"><c r="A{number}">{formula}<v>0</v></c></row>'
        return linked, f'<row r="{number}">{extract}</row>'

    shared = '<f t="shared" ref="A1:A3" si="0">Extract!A1</f>'
    rows = [
        row(1, shared, '<c r="B1"><v>1</v></c>'),
        row(2, '<f t="shared" si="0"/>', '<c r="A2"><v>0</v></c>'),
        row(3, '<f t="shared" si="0"/>', '<c r="B3"><v>1</v></c>'),
    ]
    book = openpyxl.Workbook()
    book.active.title = "Linked"
    book.create_sheet("Extract")
    plain = io.BytesIO()
    book.save(plain)
    path = tmp_path / "shared.xlsx"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            for number in (1, 2):
                if name == f"xl/worksheets/sheet{number}.xml":
                    cells = "".join(each[number - 1] for each in rows).encode()
                    part = part.replace(b"</sheetData>", cells + b"</sheetData>")
            new.writestr(name, part)
    [linked, _] = read(path).sheets
    assert linked.links_to_blank == [(0, 0), (2, 0)] and linked.formula_zeros == []


# --- who sends -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Cardiff Council", "Cardiff"),
        ("City and County of Cardiff Council", "Cardiff"),
        ("Cyngor Caerdydd", "Cardiff"),
        ("Powys County Council", "Powys"),
        ("Cyngor Sir Powys", "Powys"),
        ("Wrexham County Borough Council", "Wrexham"),
    ],
)
def test_a_councils_full_name_is_understood_or_asked_about(
    declarations: Declarations, said: str, meant: str
) -> None:
    titles = {field.name: field.title.en for field in declarations.cover.fields}
    rows: list[list[str | None]] = [
        [titles["sender_code"], said], [titles["quarter"], "2024-25-Q1"], [titles["version"], "1"],
    ]  # fmt: skip
    cover = read_cover(FileContent([SheetContent("Cover", rows)]), declarations)
    code = cover.values["sender_code"]
    if code is not None:
        assert declarations.places[code].name_en == meant
    else:
        [problem] = [each for each in cover.problems if each.field == "sender_code"]
        assert f"Did you mean “{meant}”" in problem.sentence_en
