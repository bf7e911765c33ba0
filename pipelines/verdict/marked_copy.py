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
from typing import TYPE_CHECKING, Any

from pipelines.declarations import Return
from pipelines.readers.content import VERSION_PROPERTY, FileContent, Sheet
from pipelines.readers.layout import LaidOut, ReturnFound
from pipelines.verdict.report import column_number, write_private
from pipelines.verdict.report_words import said
from pipelines.verdict.report_workbook import lines_of, new_workbook

if TYPE_CHECKING:
    from pipelines.verdict.report import Receipt

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,14})", re.ASCII)
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})", re.ASCII)
_SHEET_NAME = re.compile(r"[^\[\]:*?/\\']{1,31}")
_LONGEST_TEXT = 32_767  # a cell of a workbook holds no more
_LONGEST_NOTE = 4_000
_WIDTH = 18
_LEFT_BLANK = ("error", "formula", "merged")  # no value of the cell's own was read
_NOTE_WIDTH = 320  # pixels, some 48 characters of 18 pixels' height
_NOTE_CHARACTERS = 48


class NothingToMark(Exception):
    """Nothing of the file could be read."""


@dataclass(frozen=True)
class _Mark:
    """What is said of a cell: the worst severity, and the note."""

    severity: str
    note: str


def write_marked_copy(
    target: Path, receipt: Receipt, content: FileContent | None, laid_out: LaidOut | None
) -> None:
    """Write the workbook, readable by its owner alone. Raises NothingToMark, OSError, ValueError
    for another ending than .xlsx."""
    if target.suffix.lower() != ".xlsx":
        raise ValueError("end the name in .xlsx")
    if content is None or laid_out is None:
        raise NothingToMark(receipt.say("nothing to mark"))
    write_private(target, marked_copy(receipt, content, laid_out))


def marked_copy(receipt: Receipt, content: FileContent, laid_out: LaidOut) -> bytes:
    """The bytes of the workbook: cover, returns in declared order, and a legend."""
    copy = _Copy(receipt, content, laid_out)
    cover = laid_out.cover
    if cover.sheet is not None and cover.position is not None:
        name = copy.name(cover.sheet, said(receipt.declarations.cover.sheet, receipt.language))
        copy.write(name, content.sheets[cover.position], cover.sheet)
    for name, found in laid_out.returns.items():
        declared = receipt.declarations.returns[name]
        shown = copy.name(found.sheet, said(declared.sheet, receipt.language))
        copy.write(shown, content.sheets[found.position - 1], found.sheet, found, declared)
    copy.write_legend()
    return copy.content()


class _Copy:
    def __init__(self, receipt: Receipt, content: FileContent, laid_out: LaidOut) -> None:
        self.receipt = receipt
        self._content = content
        self._laid_out = laid_out
        self._bytes = io.BytesIO()
        self._book = new_workbook(self._bytes)
        if content.template_version is not None:
            self._book.set_custom_property(VERSION_PROPERTY, content.template_version)
        self._names: set[str] = set()
        self._marks = self._marks_by_sheet()
        self._formats = _formats(self._book)

    def name(self, wanted: str, else_name: str) -> str:
        """The author's name of a sheet, where a workbook may have a sheet of that name."""
        for name in (wanted, else_name):
            if _SHEET_NAME.fullmatch(name) and name.casefold() not in self._names:
                self._names.add(name.casefold())
                return name
        raise AssertionError(f"{else_name} is declared for two sheets")

    def write(
        self,
        name: str,
        sheet: Sheet,
        shown: str,
        found: ReturnFound | None = None,
        declared: Return | None = None,
    ) -> None:
        """One sheet under ``name``; ``shown`` is what problems call it."""
        out = self._book.add_worksheet(name)
        out.set_landscape()
        kinds = _kinds(found, declared)
        read = _read_values(found)
        doubts = {(cell.row, cell.column): cell.doubt for cell in sheet.doubtful}
        header = found.header_row - 1 if found and found.header_row else None
        widest = max((len(row) for row in sheet.rows), default=0)
        for column in range(widest):
            out.set_column(column, column, 44 if found is None else _WIDTH)
        out.fit_to_pages(max(-(-widest // 12), 1), 0)  # twelve columns can be read on paper
        if header is not None:
            out.repeat_rows(header)
            out.repeat_columns(0)
            out.freeze_panes(header + 1, 1)
            out.set_row(header, 50)
        marks = dict(self._marks.get(shown, {}))
        for row, texts in enumerate(sheet.rows):
            for column, text in enumerate(texts):
                mark = marks.pop((row, column), None)
                is_data = header is not None and row > header
                kind = kinds.get(column, "text") if is_data else "text"
                value = read.get((row, column), text) if is_data else text
                style = self._style(kind, mark, is_heading=row == header)
                doubt = doubts.get((row, column))
                _put(out, row, column, value, kind, style, doubt)
                self._note(out, row, column, mark)
        for (row, column), mark in marks.items():  # of blank cells at the end of a row
            out.write_blank(row, column, None, self._style("text", mark, is_heading=False))
            self._note(out, row, column, mark)

    def _style(self, kind: str, mark: _Mark | None, *, is_heading: bool) -> Any:
        return self._formats[
            "heading" if is_heading else kind, mark.severity if mark else "nothing"
        ]

    def _note(self, out: Any, row: int, column: int, mark: _Mark | None) -> None:
        if mark is not None:
            height = 18 * (lines_of(mark.note, _NOTE_CHARACTERS) + 1)
            options = {"x_scale": 1, "y_scale": 1, "width": _NOTE_WIDTH, "height": height}
            out.write_comment(row, column, mark.note, options)

    def _marks_by_sheet(self) -> dict[str, dict[tuple[int, int], _Mark]]:
        said_of: dict[str, dict[tuple[int, int], list[tuple[str, str]]]] = {}
        for sheet, cell, severity, note in self._said_of_cells():
            at = _position(cell)
            if at is not None:
                notes = said_of.setdefault(sheet, {}).setdefault(at, [])
                if (severity, note) not in notes:
                    notes.append((severity, note))
        return {
            sheet: {
                at: _Mark(
                    "error" if any(severity == "error" for severity, _ in notes) else "query",
                    "\n\n".join(note for _, note in notes)[:_LONGEST_NOTE],
                )
                for at, notes in cells.items()
            }
            for sheet, cells in said_of.items()
        }

    def _said_of_cells(self) -> Iterator[tuple[str, str, str, str]]:
        """Sheet, cell, severity and note. What is of no cell is said at its row's or column's
        first, and what is of no sheet in the legend."""
        sheets = {name: found.sheet for name, found in self._laid_out.returns.items()}
        for problem in self.receipt.problems:
            name, row = problem["return_name"], problem["sheet_row"]
            if name is not None and row is not None:
                cell = problem["cell"] or f"A{row}"
                yield sheets[name], cell, problem["severity"], self._told(problem)
        found_in = {found.sheet: found for found in self._laid_out.returns.values()}
        for problem in self._laid_out.problems:
            told = self._told(vars(problem))
            cells: Sequence[str] = getattr(problem, "cells", ())
            if problem.sheet is None:
                continue
            found = found_in.get(problem.sheet)
            if not cells and found is not None and found.header_row is not None:
                letters = found.columns.get(problem.field or "", "A")
                cells = (f"{letters}{found.header_row}",)
            for cell in cells:
                yield problem.sheet, cell, problem.severity, told

    def _told(self, problem: Mapping[str, Any]) -> str:
        kind = self.receipt.say(problem["severity"]).upper()
        sentence = problem[f"sentence_{self.receipt.language}"]
        return f"{kind} {problem['code']}: {sentence}"

    def write_legend(self) -> None:
        say = self.receipt.say
        out = self._book.add_worksheet(self.name(say("sheet marks"), say("sheet marks")))
        out.set_landscape()
        out.fit_to_pages(1, 0)
        out.set_column(0, 0, 110)
        out.write_string(0, 0, say("sheet marks"), self._formats["title", "nothing"])
        wrapped = self._formats["wrapped", "nothing"]
        lines = [(say("marks explained"), wrapped)]
        for severity in ("error", "query"):
            lines.append((say(severity).upper(), self._formats["text", severity]))
        of_file = [p for p in self.receipt.problems if p["return_name"] is None]
        lines += [(self._told(problem), wrapped) for problem in of_file]
        for row, (text, style) in enumerate(lines, start=1):
            out.write_string(row, 0, text, style)
            out.set_row(row, 15 * lines_of(text, 110) + 2)

    def content(self) -> bytes:
        self._book.close()
        return self._bytes.getvalue()


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


def _kinds(found: ReturnFound | None, declared: Return | None) -> dict[int, str]:
    """What stands in each column, as declared: date, integer or text."""
    if found is None or declared is None:
        return {}
    types = {field.name: field.type for field in declared.fields}
    return {
        column_number(letters) - 1: types[name] if types[name] != "string" else "text"
        for name, letters in found.columns.items()
    }


def _read_values(found: ReturnFound | None) -> dict[tuple[int, int], str | None]:
    """Values of the declared columns as they were read: days counted from 1904 are shifted."""
    if found is None:
        return {}
    columns = {name: column_number(letters) - 1 for name, letters in found.columns.items()}
    frame = found.frame.select("sheet_row", *columns)
    return {
        (row - 1, column): text
        for row, *texts in frame.iter_rows()
        for column, text in zip(columns.values(), texts, strict=True)
    }


def _put(
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
