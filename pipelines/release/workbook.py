"""The workbook of a release in one language, after the guidance on accessible spreadsheets.

One table a sheet, beginning in column A under its title, each marked up as a table with one row of
headings; no merged or empty rows, no colour, no frozen panes; shorthand in square brackets,
explained on the notes sheet. Text stays text: nothing becomes a formula or a link. The same release
gives the same bytes, since the day of creation is that of the quarter's end and nothing else is of
the machine.
Source: Analysis Function, releasing statistics in spreadsheets.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.release.content import FLAGS, NOTES, Content, open_returns_note
from pipelines.release.tables import Cell, Table, tables_of
from pipelines.text.catalogue import Language, translations
from pipelines.text.labels import definition_status_label

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.worksheet import Worksheet

PROSE, COLUMN, WIDEST = 100, 19, 70  # characters wide
FITS = 10  # columns readable on a sheet of paper
LINE = 15.0  # points


@dataclass(frozen=True)
class Sheet:
    """``lines`` stand above the table, one a row, the first being the title."""

    name: str
    lines: list[str]
    headings: list[str]
    rows: list[list[str | Cell]]
    table_name: str


def sheets_of(content: Content, language: Language) -> list[Sheet]:
    """Every sheet of the workbook, the cover first."""
    _ = translations(language).gettext
    data = [
        _table_sheet(number, table, language)
        for number, table in enumerate(tables_of(content), start=1)
    ]
    listed = [_notes(language), _definitions(content, language), *data]
    contents = Sheet(
        name=_("Contents"),
        lines=[_("Contents"), _("This sheet has one table.")],
        headings=[_("Sheet"), _("Table")],
        rows=[[sheet.name, sheet.lines[0]] for sheet in listed],
        table_name="contents",
    )
    return [_cover(content, language), contents, *listed]


def _cover(content: Content, language: Language) -> Sheet:
    _ = translations(language).gettext
    lines = [
        sheets_title(content, language),
        getattr(content.title, language),
        _("Version {number}").format(number=content.version),
    ]
    if content.is_synthetic:
        lines.append(_("Synthetic sample data: no real child or household."))
    lines += [
        _(
            "Children with a plan for adoption and people who want to adopt, from the quarterly "
            "returns of authorities and agencies."
        ),
        _(
            "Small numbers are suppressed, and other numbers with them, so that no small number "
            "can be worked out."
        ),
        _("The notes sheet explains the shorthand in square brackets."),
    ]
    if content.open_returns:
        lines.append(getattr(open_returns_note(content.open_returns), language))
    if language == "cy":
        lines.append(_("A translator has not yet reviewed the Welsh edition of this workbook."))
    return Sheet(_("Cover"), lines, [], [], "")


def _notes(language: Language) -> Sheet:
    _ = translations(language).gettext
    return Sheet(
        name=_("Notes"),
        lines=[_("Notes"), _("This sheet has one table.")],
        headings=[_("Shorthand"), _("Meaning")],
        rows=[[f"[{code}]", _(meaning)] for code, meaning in {**FLAGS, **NOTES}.items()],
        table_name="notes",
    )


def _definitions(content: Content, language: Language) -> Sheet:
    _ = translations(language).gettext
    return Sheet(
        name=_("Definitions"),
        lines=[_("Definitions"), _("This sheet has one table.")],
        headings=[_("Code"), _("Indicator"), _("Definition"), _("Status of the definition")],
        rows=[
            [
                row["indicator_id"],
                row[f"title_{language}"],
                row[f"definition_{language}"],
                _status(row, language),
            ]
            for row in content.indicators.iter_rows(named=True)
        ],
        table_name="definitions",
    )


def _status(row: dict[str, str], language: Language) -> str:
    _ = translations(language).gettext
    status = row["definition_status"]
    if status == "proposed":  # a reader outside cannot know by whom
        label = _("proposed by this project")
    else:
        label = definition_status_label(status, language)
    note = row[f"status_note_{language}"]
    return f"{label}. {note}" if note else label


def _table_sheet(number: int, table: Table, language: Language) -> Sheet:
    _ = translations(language).gettext
    name = f"{_('Table')} {number}"
    return Sheet(
        name=name,
        lines=[
            f"{name}: {getattr(table.title, language)}",
            _("This sheet has one table."),
            _("The notes sheet explains the shorthand in square brackets."),
        ],
        headings=_unique(table.headings[language]),
        rows=[
            [row_name, *cells]
            for row_name, cells in zip(table.row_names[language], table.rows, strict=True)
        ],
        table_name=table.name,
    )


def _unique(headings: list[str]) -> list[str]:
    """A table wants each heading once."""
    seen: dict[str, int] = {}
    unique = []
    for heading in headings:
        seen[heading] = seen.get(heading, 0) + 1
        unique.append(heading if seen[heading] == 1 else f"{heading} ({seen[heading]})")
    return unique


def shown(cell: str | Cell) -> str | float:
    """A cell as a workbook holds it: a number where there is nothing to add to it."""
    if isinstance(cell, str):
        return cell
    notes = "".join(f" [{code}]" for code in cell.notes.split(",") if code)
    if cell.number is None:
        return cell.shorthand + notes
    if notes:
        return f"{cell.number:,.{cell.decimals}f}{notes}"
    return round(cell.number, cell.decimals)


def write_workbook(content: Content, language: Language, path: Path) -> None:
    """Write the workbook as .xlsx. Raises OSError."""
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    created = datetime(*content.quarter.last_day.timetuple()[:3])
    with xlsxwriter.Workbook(str(path), options) as workbook:
        workbook.set_properties(
            {
                "title": sheets_title(content, language),
                "author": content.body,
                "created": created,
            }
        )
        formats = _Formats(workbook)
        for sheet in sheets_of(content, language):
            _write_sheet(workbook.add_worksheet(sheet.name), sheet, formats)


def sheets_title(content: Content, language: Language) -> str:
    """Title of the workbook: its first line, and what a program shows as its name."""
    title = translations(language).gettext("Adoption services, {quarter}")
    return title.format(quarter=content.quarter.label)


class _Formats:
    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        self.title = workbook.add_format({"bold": True, "font_size": 14})
        self.wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
        self.heading = workbook.add_format({"text_wrap": True, "bold": True, "valign": "top"})
        self.right = workbook.add_format({"align": "right", "valign": "top"})
        self.numbers = {
            decimals: workbook.add_format(
                {
                    "num_format": "#,##0" + ("." + "0" * decimals if decimals else ""),
                    "valign": "top",
                }
            )
            for decimals in range(4)
        }


def _write_sheet(worksheet: Worksheet, sheet: Sheet, formats: _Formats) -> None:
    widths = _widths(sheet)
    worksheet.set_landscape()
    worksheet.set_paper(9)  # A4
    if len(sheet.headings) <= FITS:
        worksheet.fit_to_pages(1, 0)
    else:
        worksheet.repeat_columns("A:A")
    for column, width in enumerate(widths):
        worksheet.set_column(column, column, width)
    for row, line in enumerate(sheet.lines):
        form = formats.title if row == 0 else None if sheet.headings else formats.wrapped
        if not sheet.headings and row:
            worksheet.set_row(row, _height([line], widths))
        worksheet.write_string(row, 0, line, form)
    if not sheet.headings:
        return
    top = len(sheet.lines)
    worksheet.set_row(top, _height(sheet.headings, widths))
    worksheet.add_table(
        top,
        0,
        top + len(sheet.rows),
        len(sheet.headings) - 1,
        {
            "name": f"t_{sheet.table_name}",
            "style": None,
            "autofilter": False,
            "columns": [
                {"header": heading, "header_format": formats.heading} for heading in sheet.headings
            ],
        },
    )
    for row, cells in enumerate(sheet.rows, top + 1):
        texts = [cell for cell in cells if isinstance(cell, str)]
        worksheet.set_row(row, _height(texts, widths))
        for column, cell in enumerate(cells):
            value = shown(cell)
            if isinstance(cell, Cell) and isinstance(value, float):
                worksheet.write_number(row, column, value, formats.numbers[cell.decimals])
            else:
                form = formats.right if isinstance(cell, Cell) else formats.wrapped
                worksheet.write_string(row, column, str(value), form)


def _widths(sheet: Sheet) -> list[int]:
    """Width of each column in characters."""
    if not sheet.headings:
        return [PROSE]
    numbers = [
        any(isinstance(row[n], Cell) for row in sheet.rows) for n in range(len(sheet.headings))
    ]
    longest = [
        max(len(str(row[n])) for row in sheet.rows) if not is_number else COLUMN
        for n, is_number in enumerate(numbers)
    ]
    return [
        COLUMN if is_number else min(max(length + 2, 12), WIDEST)
        for is_number, length in zip(numbers, longest, strict=True)
    ]


def _height(texts: list[str], widths: list[int]) -> float:
    """Height of a row in points. Not every program makes room for wrapped text by itself."""
    lines = [
        len(textwrap.wrap(text, max(width - 2, 1))) or 1
        for text, width in zip(texts, widths, strict=False)
    ]
    return LINE * max(lines, default=1)
