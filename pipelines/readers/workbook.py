"""Workbooks as text: xlsx, xlsm and ods, each cell as its author wrote it.

Runs in the child process: a hostile workbook may end it.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from pipelines.readers.cells import text_at
from pipelines.readers.content import (
    VERSION_PROPERTY,
    CannotRead,
    DoubtfulCell,
    FileContent,
    SheetContent,
)
from pipelines.readers.preflight import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_FILE_BYTES,
    MAX_NOTED_CELLS,
    MAX_PARTS,
    MAX_ROWS,
    SheetSeen,
    WorkbookSeen,
    check_package,
    inflate,
)
from pipelines.readers.preflight_ods import look_at_ods
from pipelines.readers.preflight_xlsx import look_at_xlsx

# Spreadsheets hold numbers to 15 digits: 12345678901234567890 is stored as …9216.
_EXACT_BELOW = 10**15
_WORKBOOKS = (".xlsx", ".xlsm", ".ods", ".xlsb", ".xls")
_MODULE_SHEET = re.compile(rb"""<(?:\w+:)?sheet(?=\s)[^<>]*?\s(?:\w+:)?id=(?:""|'')[^<>]*/?>""")


def read_xlsx(data: bytes) -> FileContent:
    """Read an xlsx or xlsm workbook. Raises CannotRead."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        seen = look_at_xlsx(package)
        if seen.has_modules:
            data = _without_modules(package)
    return _read(data, seen)


def workbook_within(data: bytes) -> bytes:
    """The one workbook of a zip. Raises CannotRead F001 where there is none, F011 for several."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        check_package(package, MAX_PARTS, MAX_FILE_BYTES)
        names = [
            name
            for name in package.namelist()
            if name.casefold().endswith(_WORKBOOKS)
            and not name.startswith("__MACOSX/")
            and not posixpath.basename(name).startswith(("._", "~$"))
        ]
        if len(names) != 1:
            raise CannotRead("F011" if names else "F001")
        return b"".join(inflate(package, names[0]))


def read_ods(data: bytes) -> FileContent:
    """Read an OpenDocument spreadsheet. Raises CannotRead."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return _read(data, look_at_ods(package))


def _read(data: bytes, seen: WorkbookSeen) -> FileContent:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        if book.sheet_names != seen.names:
            raise CannotRead("F006")
        sheets = [
            _sheet(name, book.get_sheet_by_index(index), counted)
            for index, (name, counted) in enumerate(zip(seen.names, seen.sheets, strict=True))
        ]
        for sheet, counted in zip(sheets, seen.sheets, strict=True):
            _resolve_zeros(sheet, counted, sheets, seen)
    except python_calamine.PasswordError as error:
        raise CannotRead("F002") from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise CannotRead("F001") from error
    return FileContent(
        sheets,
        counts_from_1904=seen.counts_from_1904,
        template_version=seen.properties.get(VERSION_PROPERTY),
    )


def _without_modules(package: zipfile.ZipFile) -> bytes:
    """The package without the sheets of old macros in its list, at which the parser gives up."""
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w") as out:  # not packed: it is read once
        for name in package.namelist():
            content = b"".join(inflate(package, name))
            if name.casefold() == "xl/workbook.xml":
                content = _MODULE_SHEET.sub(b"", content)
            out.writestr(name, content)
    return copy.getvalue()


def _resolve_zeros(
    sheet: SheetContent, seen: SheetSeen, sheets: Sequence[SheetContent], book: WorkbookSeen
) -> None:
    """Note which zeros of formulas stand for a blank cell: a spreadsheet shows such a link as 0."""
    by_name = {each.name.casefold(): n for n, each in enumerate(sheets)}
    for cell, target in seen.zero_links.items():
        number = None
        if target is not None:
            number = by_name.get((target[0] or sheet.name).casefold())
        if target is None or number is None or target[1:] in book.sheets[number].zero_links:
            sheet.formula_zeros.append(cell)
        elif text_at(_row(sheets[number].rows, target[1]), target[2]) is None:
            sheet.links_to_blank.append(cell)


def _row(rows: list[list[str | None]], row: int) -> list[str | None]:
    return rows[row] if row < len(rows) else []


def _sheet(name: str, parsed: Any, seen: SheetSeen) -> SheetContent:
    """One sheet from its first row and column on, whatever is blank before the first value.

    Every row must have come through the parser with as many filled cells as the
    XML has (else F006): a row number given twice makes it drop a row without a word.
    """
    end = parsed.end or (-1, -1)  # nothing on the sheet
    if end[0] >= MAX_ROWS or end[1] >= MAX_COLUMNS or (end[0] + 1) * (end[1] + 1) > MAX_CELLS:
        raise CannotRead("F003")
    doubted = {*seen.errors, *seen.formulas_without_result}
    doubtful = _doubts(seen)
    rows: list[list[str | None]] = []
    counted = 0
    # The parser is asked row by row: a sheet as a whole would be held twice.
    for number, values in enumerate(_from_the_top(parsed)):
        row, filled = _texts(number, values, doubted, doubtful)
        if filled != seen.filled.get(number, 0):
            raise CannotRead("F006")
        counted += bool(filled)
        rows.append(row)
    if counted != sum(1 for filled in seen.filled.values() if filled):
        raise CannotRead("F006")
    for (row_number, column), shown in seen.errors.items():
        _put(rows, row_number, column, shown or "#ERROR!")
    for row_number, column in seen.formulas_without_result:
        _put(rows, row_number, column, "#FORMULA!")
    with_doubts = {row_number for row_number, _ in doubted}
    only_doubts = sum(1 for row_number in with_doubts if not seen.filled.get(row_number))
    zeros = _restore_zeros(rows, seen)
    doubtful += _merged_over(rows, seen)
    return SheetContent(
        name,
        rows,
        doubtful,
        filled_rows=counted + only_doubts,
        is_hidden=seen.is_hidden,
        hidden_rows=sorted(row for row in seen.hidden_rows if row < len(rows) and any(rows[row])),
        hidden_columns=sorted(
            {c for first, last in seen.hidden_columns for c in range(first, last + 1)}
            & set(range(max(map(len, rows), default=0)))
        ),
        zeros_restored=zeros,
    )


def _from_the_top(parsed: Any) -> Iterator[Sequence[Any]]:
    """Rows from row 1 and column A on; the parser begins at the first column with a value."""
    if parsed.start is None:
        return
    before = [""] * parsed.start[1]
    for values in parsed.iter_rows():
        yield before + values if before else values


def _texts(
    number: int,
    values: Sequence[Any],
    doubted: set[tuple[int, int]],
    doubtful: list[DoubtfulCell],
) -> tuple[list[str | None], int]:
    """A row as text up to its last value, and how many of its cells hold something certain."""
    row: list[str | None] = []
    filled = 0
    for column, value in enumerate(values):
        if value == "":
            continue
        text = as_text(value)
        if text is None or (doubted and (number, column) in doubted):
            continue
        if text.strip():
            filled += 1
        row.extend([None] * (column - len(row)))
        row.append(text)
        if isinstance(value, float) and not -_EXACT_BELOW < value < _EXACT_BELOW:
            doubtful.append(DoubtfulCell(number, column, "rounded"))
    return row, filled


def _doubts(seen: SheetSeen) -> list[DoubtfulCell]:
    errors = [DoubtfulCell(row, column, "error") for row, column in seen.errors]
    return errors + [DoubtfulCell(r, c, "formula") for r, c in seen.formulas_without_result]


def _put(rows: list[list[str | None]], row: int, column: int, text: str) -> None:
    """The parser leaves such cells blank, and a blank would pass for "not known yet"."""
    while len(rows) <= row:
        rows.append([])
    cells = rows[row]
    cells.extend([None] * (column + 1 - len(cells)))
    cells[column] = text


def _restore_zeros(rows: list[list[str | None]], seen: SheetSeen) -> list[tuple[int, int]]:
    """A number that is shown as 00089 is read as 00089: so its author knows it."""
    restored = []
    for (row, column), digits in seen.zeros.items():
        text = rows[row][column] if row < len(rows) and column < len(rows[row]) else None
        if text is not None and text.isdecimal():
            rows[row][column] = text.zfill(digits)
            restored.append((row, column))
    return restored


def _merged_over(rows: list[list[str | None]], seen: SheetSeen) -> list[DoubtfulCell]:
    """Cells that lie under a merged cell with a value, or have one of their own."""
    width = max(map(len, rows), default=0)
    doubtful: list[DoubtfulCell] = []
    for top, left, bottom, right in seen.merged:
        if top >= len(rows) or left >= width:
            continue
        area = [
            (row, column)
            for row in range(top, min(bottom, len(rows) - 1) + 1)
            for column in range(left, min(right, width - 1) + 1)
        ]
        if any(column < len(rows[row]) and rows[row][column] for row, column in area):
            doubtful += [DoubtfulCell(row, column, "merged") for row, column in area[1:]]
        if len(doubtful) > MAX_NOTED_CELLS:
            raise CannotRead("F003")
    return doubtful


def as_text(value: object) -> str | None:
    """A cell's value as text: dates as ISO, whole numbers without ``.0``; blank is None."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return value.date().isoformat() if midnight else value.isoformat(timespec="seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, timedelta):
        return str(value)
    return str(value)
