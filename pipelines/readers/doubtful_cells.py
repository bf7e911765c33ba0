"""What a sheet holds that its author may not have meant: found before the text becomes values.

A cell may show its author something else than the file holds (a formula without a result, a number
cut to 15 digits, a merged neighbour), may be hidden, or may have slipped in a CSV file. In a date,
a number or a code such a cell is not understood and its row is held back; in a reference it would
pass for one, so there it is an error of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pipelines.declarations import ReturnField
from pipelines.readers.cells import address, column_letters, is_filled, listed, text_at
from pipelines.readers.content import SheetContent
from pipelines.readers.repairs import Repair, repair
from pipelines.readers.sentences import FileProblem, problem

# What Excel shows for an error, and for a number or date wider than its column, which is what it
# writes into a CSV file.
_ERROR = re.compile(
    r"\s*(?:#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!|SPILL!|CALC!|FIELD!|BUSY!|BLOCKED!"
    r"|CONNECT!|UNKNOWN!|GETTING_DATA|ERROR!|FORMULA!)|Err:[0-9]{3}|#{3,})\s*",
    re.IGNORECASE,
)
_POWER_OF_TEN = re.compile(r"\s*[0-9](?:[.,][0-9]+)?E\+?[0-9]{1,3}\s*", re.IGNORECASE | re.ASCII)
_DATE = re.compile(r"\s*(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4})", re.ASCII)

Code = Literal["F211", "F211a", "F212", "F212a", "F217", "F217a", "F219"]


def about_doubtful_cells(
    sheet: SheetContent, shown: str, first: int, fields: Mapping[int, ReturnField]
) -> Iterator[FileProblem]:
    """One problem for each code of doubt in the rows from ``first`` on, with its cells.

    ``shown`` is the sheet's name in sentences; ``fields`` are the fields by column. Rows and
    columns count from 0.
    """
    cells_by_code: dict[Code, list[tuple[int, int]]] = {}
    doubted = set()
    for cell in sheet.doubtful:
        field = fields.get(cell.column)
        if field is None or cell.row < first or not is_filled(sheet.rows[cell.row]):
            continue
        doubted.add((cell.row, cell.column))
        code = _code_of_doubt(cell.doubt, is_text=is_free_text(field))
        if code is not None:
            cells_by_code.setdefault(code, []).append((cell.row, cell.column))
    for column, field in fields.items():
        for row in range(first, len(sheet.rows)):
            text = text_at(sheet.rows[row], column)
            if text is not None and (row, column) not in doubted:
                code = _code_of_text(text, field)
                if code is not None:
                    cells_by_code.setdefault(code, []).append((row, column))
    for code in sorted(cells_by_code):
        cells = [address(row, column) for row, column in sorted(cells_by_code[code])]
        yield problem(code, shown, cells=listed(cells), at=cells)


def about_zeros_restored(
    sheet: SheetContent, shown: str, first: int, fields: Mapping[int, ReturnField]
) -> Iterator[Repair]:
    """For each column how many numbers were read with the leading zeros that they are shown with.

    Arguments as for :func:`about_doubtful_cells`.
    """
    counts: dict[int, int] = {}
    for row, column in sheet.zeros_restored:
        if row >= first and column in fields:
            counts[column] = counts.get(column, 0) + 1
    for column, count in sorted(counts.items()):
        field, cells = fields[column], column_letters(column)
        yield repair(
            "zeros",
            shown,
            field.name,
            title=field.title,
            cells=cells,
            number=count,
            count=count,
        )


def about_hidden(
    sheet: SheetContent, shown: str, first: int, fields: Mapping[int, ReturnField]
) -> Iterator[FileProblem]:
    """Queries for a hidden sheet, hidden rows and hidden columns that were read.

    Arguments as for :func:`about_doubtful_cells`.
    """
    if sheet.is_hidden and any(is_filled(row) for row in sheet.rows[first:]):
        yield problem("F216", shown)
    rows = [row + 1 for row in sheet.hidden_rows if row >= first and is_filled(sheet.rows[row])]
    if rows:
        yield problem("F216a", shown, cells=listed(map(str, rows)))
    columns = [
        column
        for column in sorted(set(sheet.hidden_columns) & fields.keys())
        if any(text_at(row, column) for row in sheet.rows[first:])
    ]
    if columns:
        yield problem("F216b", shown, cells=listed(map(column_letters, columns)))


def about_lengths(
    sheet: SheetContent, shown: str, header: int, lengths: Sequence[int]
) -> Iterator[FileProblem]:
    """Rows of a CSV file that are longer or shorter than its headings, or run over lines.

    ``header`` is the index of the row of headings; ``lengths`` are the cells of each line, -1 for
    the further lines of a row.
    """
    headings = sheet.rows[header]
    last = max(n for n, heading in enumerate(headings) if heading and heading.strip())
    lines: dict[str, list[int]] = {"F218": [], "F218a": [], "F220": []}
    for index in range(header + 1, len(sheet.rows)):
        row = sheet.rows[index]
        if not is_filled(row):
            continue
        if any(text_at(row, column) for column in range(len(headings), len(row))):
            lines["F218"].append(index + 1)
        elif lengths[index] <= last:
            lines["F218a"].append(index + 1)
        if index + 1 < len(lengths) and lengths[index + 1] == -1:
            lines["F220"].append(index + 1)
    for code, numbers in lines.items():
        if numbers:
            yield problem(code, shown, cells=listed(map(str, numbers)))


def is_free_text(field: ReturnField) -> bool:
    """Whether a field takes any text: a reference or a name."""
    return field.type == "string" and field.code_list is None


def _code_of_doubt(doubt: str, *, is_text: bool) -> Code | None:
    """The code of a doubtful cell; a date or a count that was rounded is not understood anyway."""
    if doubt == "rounded":
        return "F212" if is_text else None
    if doubt == "merged":
        return "F217" if is_text else "F217a"
    return "F211" if is_text else "F211a"


def _code_of_text(text: str, field: ReturnField) -> Code | None:
    """The code of what is wrong with a text wherever it came from; None for nothing."""
    if text.lstrip()[0] in "#Ee" and _ERROR.fullmatch(text):
        return "F211" if is_free_text(field) else "F211a"
    if field.privacy == "identifier":
        if _POWER_OF_TEN.fullmatch(text):
            return "F212a"
        if _DATE.match(text):
            return "F219"
    return None
