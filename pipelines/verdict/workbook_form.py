"""How workbooks for senders look: formats, sheets that print well, rows high enough for their text.

Every cell is written as the text or the number it is: nothing in a workbook is a formula or a link,
whatever a cell of the return held.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.templates.book import MADE_ON

_A4 = 9  # as spreadsheets number paper
_POINTS_PER_LINE = 15

RED = {"bg_color": "#FFC7CE", "font_color": "#9C0006"}
AMBER = {"bg_color": "#FFEB9C", "font_color": "#7F6000"}
GREEN = {"bg_color": "#C6EFCE", "font_color": "#006100"}

Cells = Sequence[str | int | None]
Formats = Mapping[int, Any]  # xlsxwriter's formats by position of the column


@dataclass(frozen=True)
class WorkbookColumn:
    """A column of a table: its heading, and its width in characters."""

    heading: str
    width: int


class WorkbookForm:
    """A workbook being written, with its formats."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self.book = new_workbook(self._bytes)
        add = self.book.add_format
        wrapped = {"text_wrap": True, "valign": "top"}
        lined = wrapped | {"bottom": 4, "bottom_color": "#BFBFBF"}
        self.title = add({"bold": True, "font_size": 16, "font_color": "#1F3864"})
        self.notice = add({"font_color": "#9C0006"})
        self.heading = add(
            wrapped
            | {"bold": True, "bg_color": "#1F3864", "font_color": "#FFFFFF"}
            | {"border": 1, "border_color": "#FFFFFF"}
        )
        self.section = add({"bold": True, "font_size": 13, "font_color": "#1F3864"})
        self.text = add(lined)
        self.number = add(lined | {"num_format": "0", "align": "left"})
        self.strong = add(lined | {"bold": True})
        self.plain = add({})
        self.wrapped = add(wrapped)
        self.marks = {
            "error": add(lined | RED | {"bold": True}),
            "query": add(lined | AMBER | {"bold": True}),
            "accepted": add(lined | GREEN | {"bold": True}),
        }

    def add_sheet(self, name: str, widths: Sequence[int]) -> Any:
        """A sheet that prints on its side and as wide as the paper; ``widths`` in characters."""
        sheet = self.book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        return sheet

    def line(
        self,
        sheet: Any,
        row: int,
        widths: Sequence[int],
        cells: Cells,
        formats: Formats | None = None,
    ) -> None:
        """A row of cells, high enough for all of them."""
        lines = 1
        for column, (width, value) in enumerate(zip(widths, cells, strict=True)):
            style = (formats or {}).get(column)
            if isinstance(value, int):
                sheet.write_number(row, column, value, style or self.number)
            else:
                sheet.write_string(row, column, value or "", style or self.text)
                lines = max(lines, lines_of(value or "", width))
        sheet.set_row(row, _POINTS_PER_LINE * lines + 2)

    def prose(self, sheet: Any, row: int, widths: Sequence[int], text: str) -> None:
        """A paragraph across the columns: in one cell it would run on and shrink the print."""
        sheet.merge_range(row, 0, row, len(widths) - 1, "", self.wrapped)
        sheet.write_string(row, 0, text, self.wrapped)
        sheet.set_row(row, _POINTS_PER_LINE * lines_of(text, sum(widths)) + 2)

    def headings(self, sheet: Any, row: int, columns: Sequence[WorkbookColumn]) -> None:
        """The headings of a table in ``row``."""
        widths = [column.width for column in columns]
        styles = dict.fromkeys(range(len(columns)), self.heading)
        self.line(sheet, row, widths, [column.heading for column in columns], styles)

    def table(
        self,
        sheet: Any,
        row: int,
        columns: Sequence[WorkbookColumn],
        lines: Iterable[tuple[Cells, Formats]],
    ) -> int:
        """Headings in ``row``, then the lines. Returns the first row below."""
        self.headings(sheet, row, columns)
        widths = [column.width for column in columns]
        below = row + 1
        for cells, formats in lines:
            self.line(sheet, below, widths, cells, formats)
            below += 1
        return below

    def content(self) -> bytes:
        """The bytes of the finished workbook."""
        self.book.close()
        return self._bytes.getvalue()


def new_workbook(target: io.BytesIO) -> Any:
    """A workbook in which text stays text and which is the same whenever it is made."""
    import xlsxwriter

    book = xlsxwriter.Workbook(
        target,
        {
            "in_memory": True,  # no temporary files, and zip times that never change
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties({"created": MADE_ON})
    return book


def lines_of(text: str, width: int) -> int:
    """Lines a text takes in a column of ``width`` characters: letters counted a tenth too wide,
    since too high a row is read and too low a one is not."""
    return sum(max(1, -(-len(part) * 11 // (width * 10))) for part in text.split("\n"))
