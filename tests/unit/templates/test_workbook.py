from __future__ import annotations

import csv
import io
import shutil
import time
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import openpyxl.utils
import pytest

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES
from pipelines.templates.csv_files import write_csv_return, write_csv_template
from pipelines.templates.plan import template_version
from pipelines.templates.workbook import write_return, write_template

QUARTER = Quarter(2024, 1)
VALE = "W06000014"


@pytest.fixture(scope="module")
def template(declarations: Declarations, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.xlsx"
    write_template(path, declarations, QUARTER)
    return path


def test_the_template_has_a_sheet_for_each_return_with_its_titles(
    declarations: Declarations, template: Path
) -> None:
    book = openpyxl.load_workbook(template)
    for declared in declarations.returns.values():
        titles = [cell.value for cell in book[declared.sheet.en][1]]
        assert titles == [field.title.en for field in declared.fields_in_force(QUARTER)]
        assert book[declared.sheet.en].max_row == 1
    assert book.sheetnames == [
        "Cover",
        "Children",
        "Adopters",
        "Support",
        "Guidance",
        "Codes",
        "Lists",
    ]
    assert book["Lists"].sheet_state == "hidden"


def test_the_welsh_template_is_in_welsh(declarations: Declarations, tmp_path: Path) -> None:
    path = tmp_path / "templed.xlsx"
    write_template(path, declarations, QUARTER, language="cy")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames[:3] == ["Clawr", "Plant", "Mabwysiadwyr"]
    titles = [cell.value for cell in book["Plant"][1]]
    assert titles == [f.title.cy for f in declarations.returns["child"].fields_in_force(QUARTER)]


def test_a_sender_gets_only_what_it_owes_and_its_name_is_filled_in(
    declarations: Declarations, tmp_path: Path
) -> None:
    path = tmp_path / "template.xlsx"
    write_template(path, declarations, QUARTER, VALE)
    book = openpyxl.load_workbook(path)
    owed = [declarations.returns[n].sheet.en for n in declarations.due_from(VALE, QUARTER)]
    assert book.sheetnames == ["Cover", *owed, "Guidance", "Codes", "Lists"]
    answers = {row[0].value: row[1].value for row in book["Cover"].iter_rows()}
    assert answers["Authority or agency code"] == f"Vale of Glamorgan ({VALE})"
    assert answers["Quarter"] == "2024-25-Q1"
    assert "Nil return: no children" in answers
    assert "Nil return: no adopters" not in answers


def test_an_unknown_sender_gets_no_template(declarations: Declarations, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        write_template(tmp_path / "template.xlsx", declarations, QUARTER, "NOWHERE")


def test_each_column_offers_the_codes_in_force(declarations: Declarations, template: Path) -> None:
    book = openpyxl.load_workbook(template)
    lists = {cell.value: cell.column for cell in book["Lists"][1]}
    for declared in declarations.returns.values():
        checks = {}
        for check in book[declared.sheet.en].data_validations.dataValidation:
            [area] = check.sqref.ranges
            column = area.min_col
            checks[column] = check
            assert len(check.promptTitle) <= 32 and len(check.prompt) <= 255
        for column, field in enumerate(declared.fields_in_force(QUARTER), start=1):
            check = checks[column]
            if field.code_list:
                assert check.formula1 == f"list_{field.code_list}"
                area = book.defined_names[check.formula1].attr_text.split("!")[1]
                cells = book["Lists"][area.replace("$", "")]
                assert {cell.column for (cell,) in cells} == {lists[field.code_list]}
                offered = [cell.value for (cell,) in cells]
                labels = [
                    code.label_en
                    for code in declarations.code_lists[field.code_list]
                    if code.in_force(QUARTER)
                ]
                assert offered == labels
            elif field.type in ("date", "integer"):
                assert check.type == {"date": "date", "integer": "whole"}[field.type]


def test_references_are_text_and_dates_are_dates_before_anything_is_typed(
    declarations: Declarations, template: Path
) -> None:
    book = openpyxl.load_workbook(template)
    sheet = book["Children"]
    spans = {
        letters: span
        for span in sheet.column_dimensions.values()
        for letters in map(openpyxl.utils.get_column_letter, range(span.min, span.max + 1))
    }
    formats = {"string": "@", "date": "dd/mm/yyyy", "integer": "0"}
    for index, field in enumerate(declarations.returns["child"].fields_in_force(QUARTER), start=1):
        span = spans[openpyxl.utils.get_column_letter(index)]
        assert span.number_format == formats[field.type], field.name
        assert span.width >= max(len(word) for word in field.title.en.split())


def test_the_guidance_explains_every_column_and_says_what_is_proposed(
    declarations: Declarations, template: Path
) -> None:
    rows = list(openpyxl.load_workbook(template)["Guidance"].iter_rows(values_only=True))
    explained = {row[1]: row for row in rows if row[1]}
    for declared in declarations.returns.values():
        for field in declared.fields_in_force(QUARTER):
            row = explained[field.name]
            assert row[2] and row[4] and row[5] in ("published", "partly published", "proposed")
    assert explained["placement_provider"][5] == "published"
    assert explained["child_reference"][5] == "proposed"
    assert explained["child_reference"][3] == "yes"


def test_only_a_date_that_is_not_required_may_be_left_blank(
    declarations: Declarations, template: Path
) -> None:
    book = openpyxl.load_workbook(template)
    guidance = {row[1]: row[4] for row in book["Guidance"].iter_rows(values_only=True) if row[1]}
    declared = declarations.returns["child"]
    checks = {
        next(iter(check.sqref.ranges)).min_col: check
        for check in book[declared.sheet.en].data_validations.dataValidation
    }
    dates = [
        (column, field)
        for column, field in enumerate(declared.fields_in_force(QUARTER), start=1)
        if field.type == "date"
    ]
    assert {field.constraints.is_required_in(None) for _, field in dates} == {True, False}
    for column, field in dates:
        may_be_blank = not field.constraints.is_required_in(None)
        assert ("leave the cell blank" in checks[column].error) == may_be_blank, field.name
        assert ("Blank if not known yet" in guidance[field.name]) == may_be_blank, field.name
    (signed,) = [c for c in book["Cover"].data_validations.dataValidation if c.type == "date"]
    assert "blank" not in signed.error


def test_the_codes_sheet_holds_every_code_and_every_sender(
    declarations: Declarations, template: Path
) -> None:
    codes = {
        row[1] for row in openpyxl.load_workbook(template)["Codes"].iter_rows(values_only=True)
    }
    assert {code.code for code in declarations.code_lists["plan_ended_reason"]} <= codes
    due = {s for s in declarations.senders if declarations.due_from(s, QUARTER)}
    assert due and due <= codes


def test_the_template_changes_its_mark_when_the_declarations_change(
    declarations: Declarations, tmp_path: Path
) -> None:
    shutil.copytree(SOURCES, tmp_path / "sources")
    path = tmp_path / "sources" / "returns" / "child.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("en: Date of birth", "en: Birth date"), encoding="utf-8")
    changed = Declarations(tmp_path / "sources")
    same = Declarations(SOURCES)
    assert template_version(same, QUARTER) == template_version(declarations, QUARTER)
    assert template_version(changed, QUARTER) != template_version(declarations, QUARTER)


def test_the_same_return_is_the_same_bytes(declarations: Declarations, tmp_path: Path) -> None:
    contents = set()
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        fresh = Declarations(SOURCES)
        write_template(folder / "t.xlsx", fresh, QUARTER)
        write_return(folder / "r.xlsx", fresh, QUARTER, {}, {"child": [{"sex": "female"}]})
        write_csv_return(folder / "r.zip", fresh, QUARTER, {}, {"child": [{"sex": "female"}]})
        contents.add(tuple((folder / n).read_bytes() for n in ("t.xlsx", "r.xlsx", "r.zip")))
    assert len(contents) == 1


def test_text_never_becomes_a_formula_or_a_link(declarations: Declarations, tmp_path: Path) -> None:
    path = tmp_path / "return.xlsx"
    texts = ["=1+1", "{=A1}", "http://example.org", "mailto:a@example.org", "+44", "@x"]
    rows = [{"child_reference": text} for text in texts]
    write_return(path, declarations, QUARTER, {"sender_code": "=A1"}, {"child": rows})
    with zipfile.ZipFile(path) as package:
        names = package.namelist()
        sheets = [package.read(name) for name in names if name.startswith("xl/worksheets/sheet")]
    assert len(sheets) == 2
    assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)
    cells = openpyxl.load_workbook(path)["Children"]["A"]
    assert [cell.value for cell in cells[1:]] == texts


def test_a_small_return_is_written_in_less_than_30_milliseconds(
    declarations: Declarations, tmp_path: Path
) -> None:
    row = {"child_reference": "A", "date_of_birth": date(2020, 1, 1), "sex": "female"}
    rows = {"child": [row] * 30}
    times = []
    for _ in range(10):
        began = time.process_time()
        write_return(tmp_path / "return.xlsx", declarations, QUARTER, {}, rows)
        times.append(time.process_time() - began)
    assert min(times) < 0.03


def test_further_columns_and_a_nil_tick_for_an_absent_sheet_are_written(
    declarations: Declarations, tmp_path: Path
) -> None:
    path = tmp_path / "return.xlsx"
    cover = {"is_nil_adopter": True}
    write_return(path, declarations, QUARTER, cover, {"child": [{"sex": "female", "notes": "x"}]})
    book = openpyxl.load_workbook(path)
    assert [cell.value for cell in book["Children"]["AI"]] == ["notes", "x"]
    answers = {row[0].value: row[1].value for row in book["Cover"].iter_rows()}
    assert answers["Nil return: no adopters"] == "Yes"


def test_a_return_that_is_not_declared_cannot_be_written(
    declarations: Declarations, tmp_path: Path
) -> None:
    with pytest.raises(KeyError):
        write_return(tmp_path / "return.xlsx", declarations, QUARTER, {}, {"carer": []})


def test_the_csv_template_names_the_declared_fields(
    declarations: Declarations, tmp_path: Path
) -> None:
    path = tmp_path / "template.zip"
    write_csv_template(path, declarations, QUARTER, VALE)
    with zipfile.ZipFile(path) as package:
        parts = {
            name: list(csv.reader(io.StringIO(package.read(name).decode("utf-8-sig"))))
            for name in package.namelist()
        }
    due = declarations.due_from(VALE, QUARTER)
    assert list(parts) == ["cover.csv", *(f"{name}.csv" for name in due), "GUIDANCE.txt"]
    child = declarations.returns["child"].fields_in_force(QUARTER)
    assert parts["child.csv"] == [[field.name for field in child]]
    assert parts["cover.csv"][:3] == [
        ["field", "answer"],
        ["sender_code", VALE],
        ["quarter", "2024-25-Q1"],
    ]
