"""A template's workbook while it is written: the formats and the paper that its sheets share."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipelines.declarations import ReturnField
from pipelines.quarters import Quarter
from pipelines.readers.content import VERSION_PROPERTY
from pipelines.templates.plan import TemplatePlan

MADE_ON = datetime(2019, 4, 1)  # fixed, so that the same declarations give the same bytes
POINTS_PER_LINE = 15
A4, A3 = 9, 8  # as spreadsheets number paper


class TemplateBook:
    """A workbook being written, with the formats every sheet shares."""

    def __init__(
        self,
        target: Path | io.BytesIO,
        plan: TemplatePlan,
        quarter: Quarter,
        version: str | None = None,
    ) -> None:
        """``version`` of the template where it is not the plan's; empty for none."""
        import xlsxwriter

        self.plan = plan
        self.quarter = quarter
        self.book = xlsxwriter.Workbook(
            target if isinstance(target, io.BytesIO) else str(target),
            {
                "in_memory": True,  # no temporary files, and zip times that never change
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self.book.set_properties({"created": MADE_ON})
        if version != "":
            self.book.set_custom_property(VERSION_PROPERTY, version or plan.version)
        self.book.set_custom_property("adoption_quarter", quarter.label)
        add = self.book.add_format
        wrapped = {"text_wrap": True, "valign": "top"}
        heading = wrapped | {"bold": True, "border": 1, "border_color": "#FFFFFF"}
        centred = {"text_wrap": True, "valign": "vcenter"}
        answer = centred | {"bg_color": "#FFF8DC", "border": 1, "border_color": "#A6A6A6"}
        self.title = add({"bold": True, "font_size": 16, "font_color": "#1F3864"})
        self.notice = add({"font_color": "#9C0006"})
        self.required = add(heading | {"bg_color": "#1F3864", "font_color": "#FFFFFF"})
        self.optional = add(heading | {"bg_color": "#D9E2F3", "font_color": "#1F3864"})
        self.section = add({"bold": True, "font_size": 13, "font_color": "#1F3864"})
        self.wrapped = add(wrapped)
        self.question = add(wrapped | {"bold": True})
        self.asked = add(centred | {"bold": True})
        self.explained = add(centred | {"indent": 1})
        self.text = add({"num_format": "@"})
        self.date = add({"num_format": "dd/mm/yyyy", "align": "left"})
        self.number = add({"num_format": "0", "align": "left"})
        self.answers = {
            "date": add(answer | {"num_format": "dd/mm/yyyy", "align": "left"}),
            "integer": add(answer | {"num_format": "0", "align": "left"}),
        }
        self.answer = add(answer | {"num_format": "@"})

    def format_for(self, field: ReturnField) -> Any:
        """The format of a field's cells: a date, a number, or text."""
        return {"date": self.date, "integer": self.number}.get(field.type, self.text)

    def add_sheet(self, name: str, paper: int = A4) -> Any:
        """A sheet that prints on its side and as wide as the paper."""
        sheet = self.book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(paper)
        sheet.fit_to_pages(1, 0)
        return sheet

    def write_line(self, sheet: Any, row: int, widths: Sequence[int], texts: Sequence[str]) -> None:
        """A row of wrapped texts, the first bold, high enough for all of them."""
        lines = 1
        for column, (width, text) in enumerate(zip(widths, texts, strict=True)):
            cell_format = self.wrapped if column else self.question
            sheet.write_string(row, column, text, cell_format)
            lines = max(lines, _lines(text, width))
        sheet.set_row(row, POINTS_PER_LINE * lines + 2)

    def close(self) -> None:
        """Write the file. Raises OSError where it cannot be written."""
        self.book.close()


def _lines(text: str, width: int) -> int:
    """Lines a text takes in a column of ``width`` characters, on the generous side."""
    return sum(max(1, -(-len(part) * 11 // (width * 10))) for part in text.split("\n"))


def write_cell(sheet: Any, row: int, column: int, value: object, cell_format: Any) -> None:
    """Write a value as what it is; text stays text whatever it looks like."""
    if value is None:
        sheet.write_blank(row, column, None, cell_format)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value, cell_format)
    elif isinstance(value, (date, datetime)):
        sheet.write_datetime(row, column, value, cell_format)
    elif isinstance(value, (int, float)):
        sheet.write_number(row, column, value, cell_format)
    else:
        sheet.write_string(row, column, str(value), cell_format)
