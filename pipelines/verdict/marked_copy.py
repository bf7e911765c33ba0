"""The sender's own return with its problem cells marked, each with a note that says what to do.

Made anew from what was read, never by saving the sender's file again: no formula, link, macro or
hidden part of it comes along. A return can be corrected in it and sent.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.declarations import CoverField, Return
from pipelines.readers.codes_written import squeezed
from pipelines.readers.content import VERSION_PROPERTY, FileContent, SheetContent
from pipelines.readers.layout import LaidOut
from pipelines.readers.return_sheet import ReturnRead
from pipelines.readers.sentences import FileProblem
from pipelines.templates.book import TemplateBook
from pipelines.templates.entry_checks import guide_cover, guide_data
from pipelines.templates.guidance import write_codes, write_lists
from pipelines.templates.plan import plan_template
from pipelines.verdict.problems import column_number, in_language
from pipelines.verdict.report import ValidationReport
from pipelines.verdict.report_files import write_private
from pipelines.verdict.workbook_form import lines_of, new_workbook

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,14})", re.ASCII)
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})", re.ASCII)
_SHEET_NAME = re.compile(r"[^\[\]:*?/\\']{1,31}")
_LONGEST_TEXT = 32_767  # a cell of a workbook holds no more
_LONGEST_NOTE = 4_000
_WIDTH, _COVER_WIDTH, _LEGEND_WIDTH = 18, 44, 110  # characters
_LEFT_BLANK = ("error", "formula", "merged")  # no value of the cell's own was read
_NOTE_WIDTH = 320  # pixels, some 48 characters of 18 pixels' height
_NOTE_CHARACTERS = 48
_LABELS_IN_A_NOTE = 12


class NothingToMark(Exception):
    """Nothing of the file could be read."""


@dataclass(frozen=True)
class _Mark:
    """What is said of a cell: the worst severity, and the note."""

    severity: str
    note: str


def write_marked_copy(
    target: Path, report: ValidationReport, content: FileContent | None, laid_out: LaidOut | None
) -> None:
    """Write the workbook, readable by its owner alone. Raises NothingToMark, OSError, ValueError
    for another ending than .xlsx."""
    if target.suffix.lower() != ".xlsx":
        raise ValueError("end the name in .xlsx")
    if content is None or laid_out is None:
        raise NothingToMark(report.gettext("there is nothing to mark: the file could not be read"))
    write_private(target, marked_copy(report, content, laid_out))


def marked_copy(report: ValidationReport, content: FileContent, laid_out: LaidOut) -> bytes:
    """The bytes of the workbook: cover, returns in declared order, and a legend."""
    copy = _MarkedCopy(report, content, laid_out)
    cover = laid_out.cover
    if cover.sheet is not None and cover.position is not None:
        declared_name = in_language(report.declarations.cover.sheet, report.language)
        name = copy.sheet_name(cover.sheet, declared_name)
        copy.write_sheet(name, content.sheets[cover.position], cover.sheet)
    for return_name, layout in laid_out.returns.items():
        declared = report.declarations.returns[return_name]
        name = copy.sheet_name(layout.sheet, in_language(declared.sheet, report.language))
        sheet = content.sheets[layout.position - 1]
        copy.write_sheet(name, sheet, layout.sheet, layout, declared)
    copy.write_legend()
    copy.write_lists()
    return copy.content()


class _MarkedCopy:
    """The workbook being written, sheet by sheet."""

    def __init__(self, report: ValidationReport, content: FileContent, laid_out: LaidOut) -> None:
        self._report = report
        self._ = report.gettext
        self._laid_out = laid_out
        self._bytes = io.BytesIO()
        self._guided = self._with_guidance(content)
        self._book: Any = self._guided.book if self._guided else new_workbook(self._bytes)
        if self._guided is None and content.template_version is not None:
            self._book.set_custom_property(VERSION_PROPERTY, content.template_version)
        self._names: set[str] = set()
        self._marks = self._marks_by_sheet()
        self._formats = _formats(self._book)

    def _with_guidance(self, content: FileContent) -> TemplateBook | None:
        """The workbook with what the template offers, where the quarter says which lists hold."""
        quarter = self._laid_out.cover.values["quarter"]
        if quarter is None:
            return None
        declarations = self._report.declarations
        nation_code = declarations.nation_of(self._laid_out.cover.values["sender_code"])
        plan = plan_template(declarations, quarter, self._report.language, nation_code)
        return TemplateBook(self._bytes, plan, quarter, content.template_version or "")

    def write_lists(self) -> None:
        """The code lists, and what the drop-downs offer."""
        if self._guided is not None:
            declarations, names = self._report.declarations, list(self._laid_out.returns)
            write_codes(self._guided, declarations, self._guided.quarter, names)
            write_lists(self._guided, declarations, names)

    def sheet_name(self, wanted: str, declared: str) -> str:
        """The author's name of a sheet, where a workbook may have a sheet of that name."""
        for name in (wanted, declared):
            if _SHEET_NAME.fullmatch(name) and name.casefold() not in self._names:
                self._names.add(name.casefold())
                return name
        raise AssertionError(f"{declared} is declared for two sheets")

    def write_sheet(
        self,
        name: str,
        sheet: SheetContent,
        reported_name: str,
        layout: ReturnRead | None = None,
        declared: Return | None = None,
    ) -> None:
        """One sheet under ``name``; ``reported_name`` is what problems call it."""
        out = self._book.add_worksheet(name)
        out.set_landscape()
        kinds = _kinds(layout, declared)
        values = _values_as_read(layout)
        doubts = {(cell.row, cell.column): cell.doubt for cell in sheet.doubtful}
        header = layout.header_row - 1 if layout and layout.header_row else None
        widest = max((len(row) for row in sheet.rows), default=0)
        for column in range(widest):
            out.set_column(column, column, _COVER_WIDTH if layout is None else _WIDTH)
        out.fit_to_pages(max(-(-widest // 12), 1), 0)  # twelve columns can be read on paper
        if header is not None:
            out.repeat_rows(header)
            out.repeat_columns(0)
            out.freeze_panes(header + 1, 1)
            out.set_row(header, 50)
        marks = dict(self._marks.get(reported_name, {}))
        for row, texts in enumerate(sheet.rows):
            for column, text in enumerate(texts):
                mark = marks.pop((row, column), None)
                is_data = header is not None and row > header
                kind = kinds.get(column, "text") if is_data else "text"
                value = values.get((row, column), text) if is_data else text
                style = self._style(kind, mark, is_heading=row == header)
                doubt = doubts.get((row, column))
                _write_cell(out, row, column, value, kind, style, doubt)
                _write_note(out, row, column, mark)
        if self._guided is not None and layout is not None and header is not None:
            columns = {name: column_number(each) - 1 for name, each in layout.columns.items()}
            planned = self._guided.plan.sheets[layout.name]
            guide_data(self._guided, out, planned, columns, header)
        elif self._guided is not None and layout is None:
            fields = self._report.declarations.cover.fields
            guide_cover(self._guided, out, fields, _answer_cells(sheet, fields))
        for (row, column), mark in marks.items():  # of blank cells at the end of a row
            out.write_blank(row, column, None, self._style("text", mark, is_heading=False))
            _write_note(out, row, column, mark)

    def _style(self, kind: str, mark: _Mark | None, *, is_heading: bool) -> Any:
        return self._formats[
            "heading" if is_heading else kind, mark.severity if mark else "nothing"
        ]

    def _marks_by_sheet(self) -> dict[str, dict[tuple[int, int], _Mark]]:
        notes_by_sheet: dict[str, dict[tuple[int, int], list[tuple[str, str]]]] = {}
        for sheet, address, severity, note in self._notes():
            position = _position(address)
            if position is not None:
                notes = notes_by_sheet.setdefault(sheet, {}).setdefault(position, [])
                if (severity, note) not in notes:
                    notes.append((severity, note))
        return {
            sheet: {
                position: _Mark(
                    "error" if any(severity == "error" for severity, _ in notes) else "query",
                    "\n\n".join(note for _, note in notes)[:_LONGEST_NOTE],
                )
                for position, notes in notes_by_cell.items()
            }
            for sheet, notes_by_cell in notes_by_sheet.items()
        }

    def _notes(self) -> Iterator[tuple[str, str, str, str]]:
        """Sheet, cell, severity and note. What belongs to no cell stands at the first cell of its
        row or column, and what belongs to no sheet in the legend."""
        sheets = {name: layout.sheet for name, layout in self._laid_out.returns.items()}
        for problem in self._report.problems:
            return_name, row = problem["return_name"], problem["sheet_row"]
            if return_name is not None and row is not None:
                address = problem["cell"] or f"A{row}"
                yield sheets[return_name], address, problem["severity"], self._note(problem)
        said = {
            (problem["code"], problem["sheet"], problem["field"]): problem
            for problem in self._report.problems_of_the_file
        }
        layouts = {layout.sheet: layout for layout in self._laid_out.returns.values()}
        for problem in self._laid_out.problems:
            # The report adds what follows from it.
            key = problem.code, problem.sheet, problem.field
            note = self._note(said[key] if _is_same(said.get(key), problem) else vars(problem))
            addresses: Sequence[str] = problem.cells
            if problem.sheet is None:
                continue
            layout = layouts.get(problem.sheet)
            if problem.explains and layout is not None and layout.header_row is not None:
                letters_of = [layout.columns.get(name) for name in problem.explains]
                headings = [f"{each}{layout.header_row}" for each in letters_of if each]
                addresses = (*addresses, *headings)
            if not addresses and layout is not None and layout.header_row is not None:
                letters = layout.columns.get(problem.field or "", "A")
                addresses = (f"{letters}{layout.header_row}",)
            for address in addresses:
                yield problem.sheet, address, problem.severity, note

    def _note(self, problem: Mapping[str, Any]) -> str:
        severity = self._report.severity(problem["severity"]).upper()
        note = f"{severity} {problem['code']}: {self._report.sentence(problem)}"
        return "\n".join(filter(None, [note, self._permitted(problem)]))

    def _permitted(self, problem: Mapping[str, Any]) -> str:
        """What may be written into a cell that takes a code, where it is not understood."""
        if self._guided is None or problem["code"] not in ("CODE", "REQUIRED"):
            return ""
        planned = self._guided.plan.sheets[problem["return_name"]]
        labels = list(planned.labels.get(problem["field"], {}).values())
        if not labels:
            return ""
        shown = "; ".join(labels[:_LABELS_IN_A_NOTE])
        more = " …" if len(labels) > _LABELS_IN_A_NOTE else ""
        return self._("Choose one of: {labels}").format(labels=shown + more)

    def write_legend(self) -> None:
        """The last sheet: what the marks mean, and the problems that belong to no sheet."""
        title = self._("Marks")
        out = self._book.add_worksheet(self.sheet_name(title, title))
        out.set_landscape()
        out.fit_to_pages(1, 0)
        out.set_column(0, 0, _LEGEND_WIDTH)
        out.write_string(0, 0, title, self._formats["title", "nothing"])
        wrapped = self._formats["wrapped", "nothing"]
        explanation = self._(
            "This is your return with the problem cells marked: a thick red border and a note for "
            "an error, a dashed amber border and a note for a query. It has only the cover and the "
            "sheets of the returns, with the drop-down lists of the template; a cell with an Excel "
            "error is left blank. Correct this copy and send it, or correct your own file. This "
            "sheet is not read."
        )
        lines = [(explanation, wrapped)]
        for severity in ("error", "query"):
            lines.append((self._report.severity(severity).upper(), self._formats["text", severity]))
        lines += [(self._note(problem), wrapped) for problem in self._report.problems_of_the_file]
        for row, (text, style) in enumerate(lines, start=1):
            out.write_string(row, 0, text, style)
            out.set_row(row, 15 * lines_of(text, _LEGEND_WIDTH) + 2)

    def content(self) -> bytes:
        """The bytes of the finished workbook."""
        self._book.close()
        return self._bytes.getvalue()


def _is_same(said: Mapping[str, Any] | None, problem: FileProblem) -> bool:
    return said is not None and said["sentence_en"].startswith(problem.sentence_en)


def _answer_cells(sheet: SheetContent, fields: Sequence[CoverField]) -> dict[str, tuple[int, int]]:
    """Where the answers of a cover stand: to the right of each question."""
    questions = {
        squeezed(question): field.name
        for field in fields
        for question in (field.name, field.title.en, field.title.cy)
    }
    return {
        questions[squeezed(text)]: (row, column + 1)
        for row, texts in enumerate(sheet.rows)
        for column, text in enumerate(texts)
        if text and squeezed(text) in questions
    }


def _write_note(out: Any, row: int, column: int, mark: _Mark | None) -> None:
    if mark is not None:
        height = 18 * (lines_of(mark.note, _NOTE_CHARACTERS) + 1)
        options = {"x_scale": 1, "y_scale": 1, "width": _NOTE_WIDTH, "height": height}
        out.write_comment(row, column, mark.note, options)


def _formats(book: Any) -> dict[tuple[str, str], Any]:
    """By kind of cell and severity; borders differ, so that colour is not alone."""
    kinds = {
        "text": {"num_format": "@"},
        "date": {"num_format": "dd/mm/yyyy", "align": "left"},
        "integer": {"num_format": "0", "align": "left"},
        "heading": {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#D9E2F3"},
        "title": {"bold": True, "font_size": 16, "font_color": "#1F3864"},
        "wrapped": {"text_wrap": True, "valign": "top"},
    }
    severities = {
        "nothing": {},
        "error": {"bg_color": "#FFC7CE", "border": 5, "border_color": "#9C0006"},
        "query": {"bg_color": "#FFEB9C", "border": 8, "border_color": "#7F6000"},
    }
    return {
        (kind, severity): book.add_format(look | marked)
        for kind, look in kinds.items()
        for severity, marked in severities.items()
    }


def _kinds(layout: ReturnRead | None, declared: Return | None) -> dict[int, str]:
    """What stands in each column, as declared: date, integer or text."""
    if layout is None or declared is None:
        return {}
    types = {field.name: field.type for field in declared.fields}
    return {
        column_number(letters) - 1: types[name] if types[name] != "string" else "text"
        for name, letters in layout.columns.items()
    }


def _values_as_read(layout: ReturnRead | None) -> dict[tuple[int, int], str | None]:
    """Values of the declared columns as they were read: days counted from 1904 are shifted."""
    if layout is None:
        return {}
    columns = {name: column_number(letters) - 1 for name, letters in layout.columns.items()}
    frame = layout.frame.select("sheet_row", *columns)
    return {
        (row - 1, column): text
        for row, *texts in frame.iter_rows()
        for column, text in zip(columns.values(), texts, strict=True)
    }


def _write_cell(
    out: Any, row: int, column: int, text: str | None, kind: str, style: Any, doubt: str | None
) -> None:
    """Write one cell. Dates and numbers only where the text is beyond doubt."""
    if text is None or doubt in _LEFT_BLANK:
        out.write_blank(row, column, None, style)
        return
    day = _day(text) if kind == "date" else None
    if day is not None:
        out.write_datetime(row, column, day, style)
    elif doubt == "rounded" and _is_number(text):
        out.write_number(row, column, float(text), style)  # as doubtful as it came
    elif kind == "integer" and _WHOLE.fullmatch(text):
        out.write_number(row, column, int(text), style)
    else:
        out.write_string(row, column, text[:_LONGEST_TEXT], style)


def _day(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year > 1900 else None  # before March 1900 spreadsheets count a day too many


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _position(cell: str) -> tuple[int, int] | None:
    """Row and column from 0; None for what is no address, such as a column on its own."""
    match = _CELL.fullmatch(cell)
    return (int(match[2]) - 1, column_number(match[1]) - 1) if match else None
