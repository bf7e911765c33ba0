"""The workbook of a release in one language, after the guidance on accessible spreadsheets.

One table a sheet, beginning in column A under its title, each marked up as a table with one row of
headings; no merged or empty rows, no colour, no frozen panes; shorthand in square brackets, told
on the notes sheet. Text stays text: nothing becomes a formula or a link. The same release gives
the same bytes, since the day of creation is that of the quarter's end and nothing else is of the
machine.
Source: Analysis Function, releasing statistics in spreadsheets.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.declarations import Text
from pipelines.release.content import FLAGS, NOTES, OPEN_RETURNS, Content, Language
from pipelines.release.tables import Cell, Table, tables_of

COVER, CONTENTS, NOTES_SHEET, DEFINITIONS = (
    Text(en="Cover", cy="Clawr"),
    Text(en="Contents", cy="Cynnwys"),
    Text(en="Notes", cy="Nodiadau"),
    Text(en="Definitions", cy="Diffiniadau"),
)
_WORDS: dict[str, Text] = {
    "title": Text(en="Adoption services, {}", cy="Gwasanaethau mabwysiadu, {}"),
    "version": Text(en="Version {}", cy="Fersiwn {}"),
    "sheet": Text(en="Sheet", cy="Dalen"),
    "table": Text(en="Table", cy="Tabl"),
    "shorthand": Text(en="Shorthand", cy="Llaw-fer"),
    "meaning": Text(en="Meaning", cy="Ystyr"),
    "code": Text(en="Code", cy="Cod"),
    "indicator": Text(en="Indicator", cy="Dangosydd"),
    "definition": Text(en="Definition", cy="Diffiniad"),
    "status": Text(en="How far it is public", cy="I ba raddau mae'n gyhoeddus"),
    "synthetic": Text(
        en="Synthetic sample data: no real child or household.",
        cy="Data sampl synthetig: dim plentyn nac aelwyd go iawn.",
    ),
    "about": Text(
        en="Children with a plan for adoption and people who want to adopt, from the quarterly "
        "returns of authorities and agencies.",
        cy="Plant y mae cynllun i'w mabwysiadu a phobl sydd am fabwysiadu, o ffurflenni "
        "chwarterol awdurdodau ac asiantaethau.",
    ),
    "protected": Text(
        en="Small numbers are kept back, and others with them so that none can be worked out.",
        cy="Cedwir niferoedd bach yn ôl, ac eraill gyda hwy fel na ellir cyfrifo'r un.",
    ),
    "shorthand told": Text(
        en="Shorthand in square brackets is explained on the notes sheet.",
        cy="Mae'r llaw-fer mewn bachau sgwâr wedi'i hesbonio ar y ddalen nodiadau.",
    ),
    "one table": Text(en="This sheet has one table.", cy="Mae un tabl ar y ddalen hon."),
    "unreviewed": Text(
        en="The Welsh edition of this workbook awaits a translator's review.",
        cy="Mae geiriad Cymraeg y llyfr gwaith hwn yn aros am adolygiad cyfieithydd.",
    ),
    "provisional": Text(en="[p] provisional", cy="[p] dros dro"),
}
# "published" and its kin as readers know them.
STATUS: dict[str, Text] = {
    "published": Text(en="published", cy="wedi'i gyhoeddi"),
    "partly published": Text(en="partly published", cy="wedi'i gyhoeddi'n rhannol"),
    "proposed": Text(en="proposed by this project", cy="cynnig y prosiect hwn"),
    "unverified": Text(en="unverified", cy="heb ei wirio"),
}
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

    def say(word: str, *values: object) -> str:
        return getattr(_WORDS[word], language).format(*values)

    data = [
        _table_sheet(f"{number}", table, language, say)
        for number, table in enumerate(tables_of(content), 1)
    ]
    definitions = _definitions(content, language, say)
    notes = _notes(content, language, say)
    listed = [notes, definitions, *data]
    contents = Sheet(
        getattr(CONTENTS, language),
        [getattr(CONTENTS, language), say("one table")],
        [say("sheet"), say("table")],
        [[sheet.name, sheet.lines[0]] for sheet in listed],
        "contents",
    )
    return [_cover(content, language, say), contents, *listed]


def _cover(content: Content, language: Language, say) -> Sheet:
    lines = [
        say("title", content.quarter.label),
        getattr(content.title, language),
        say("version", content.version),
        *([say("synthetic")] if content.is_synthetic else []),
        say("about"),
        say("protected"),
        say("shorthand told"),
        *(
            [getattr(OPEN_RETURNS, language).format(content.open_returns)]
            if content.open_returns
            else []
        ),
        *([say("unreviewed")] if language == "cy" else []),
    ]
    return Sheet(getattr(COVER, language), lines, [], [], "")


def _notes(content: Content, language: Language, say) -> Sheet:
    meanings = {f"[{code}]": text for code, text in {**FLAGS, **NOTES}.items()}
    return Sheet(
        getattr(NOTES_SHEET, language),
        [getattr(NOTES_SHEET, language), say("one table")],
        [say("shorthand"), say("meaning")],
        [[code, getattr(text, language)] for code, text in meanings.items()],
        "notes",
    )


def _definitions(content: Content, language: Language, say) -> Sheet:
    return Sheet(
        getattr(DEFINITIONS, language),
        [getattr(DEFINITIONS, language), say("one table")],
        [say("code"), say("indicator"), say("definition"), say("status")],
        [
            [
                row["indicator_id"],
                row[f"title_{language}"],
                row[f"definition_{language}"],
                _status(row, language),
            ]
            for row in content.indicators.iter_rows(named=True)
        ],
        "definitions",
    )


def _status(row: dict[str, str], language: Language) -> str:
    status = getattr(STATUS[row["definition_status"]], language)
    note = row[f"status_note_{language}"]
    return f"{status}. {note}" if note else status


def _table_sheet(number: str, table: Table, language: Language, say) -> Sheet:
    title = getattr(table.title, language)
    return Sheet(
        f"{say('table')} {number}",
        [f"{say('table')} {number}: {title}", say("one table"), say("shorthand told")],
        _unique(table.headings[language]),
        [[name, *cells] for name, cells in zip(table.row_names[language], table.rows, strict=True)],
        table.name,
    )


def _unique(headings: list[str]) -> list[str]:
    """A table wants each heading once."""
    seen: dict[str, int] = {}
    found = []
    for heading in headings:
        seen[heading] = seen.get(heading, 0) + 1
        found.append(heading if seen[heading] == 1 else f"{heading} ({seen[heading]})")
    return found


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
    """Write the workbook as .xlsx."""
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    created = datetime(*content.quarter.last_day.timetuple()[:3])
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties(
            {
                "title": sheets_title(content, language),
                "author": content.body,
                "created": created,
            }
        )
        formats = _Formats(book)
        for sheet in sheets_of(content, language):
            _write_sheet(book.add_worksheet(sheet.name), sheet, formats)


def sheets_title(content: Content, language: Language) -> str:
    return getattr(_WORDS["title"], language).format(content.quarter.label)


class _Formats:
    def __init__(self, book) -> None:
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.heading = book.add_format({"text_wrap": True, "bold": True, "valign": "top"})
        self.right = book.add_format({"align": "right", "valign": "top"})
        self.numbers = {
            decimals: book.add_format(
                {
                    "num_format": "#,##0" + ("." + "0" * decimals if decimals else ""),
                    "valign": "top",
                }
            )
            for decimals in range(4)
        }


def _write_sheet(worksheet, sheet: Sheet, formats: _Formats) -> None:
    widths = _widths(sheet)
    worksheet.set_landscape()
    worksheet.set_paper(9)  # A4
    if len(sheet.headings) <= FITS:
        worksheet.fit_to_pages(1, 0)
    else:
        worksheet.repeat_columns(0)
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
        *(top, 0, top + len(sheet.rows), len(sheet.headings) - 1),
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
            if isinstance(value, float):
                assert isinstance(cell, Cell)
                worksheet.write_number(row, column, value, formats.numbers[cell.decimals])
            else:
                form = formats.right if isinstance(cell, Cell) else formats.wrapped
                worksheet.write_string(row, column, value, form)


def _widths(sheet: Sheet) -> list[int]:
    """Width of each column in characters."""
    if not sheet.headings:
        return [PROSE]
    numbers = [
        any(isinstance(row[n], Cell) for row in sheet.rows) for n in range(len(sheet.headings))
    ]
    longest = [
        max(len(row[n]) for row in sheet.rows) if not is_number else COLUMN
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


def all_texts(sheet: Sheet) -> Iterator[str]:
    """Every text of a sheet, as a reader meets it."""
    yield from sheet.lines
    yield from sheet.headings
    for row in sheet.rows:
        yield from (str(shown(cell)) for cell in row)
