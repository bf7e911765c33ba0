"""Workbooks as text: xlsx, xlsm, ods and xls, each cell as its author wrote it.

Runs in the child process: a hostile workbook may end it.
"""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta

from pipelines.readers.content import (
    VERSION_PROPERTY,
    CannotRead,
    DoubtfulCell,
    FileContent,
    Sheet,
)
from pipelines.readers.preflight import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_ROWS,
    SheetSeen,
    WorkbookSeen,
    look_at_ods,
    look_at_xlsx,
    shared_texts,
)

# Spreadsheets hold numbers to 15 digits: 12345678901234567890 is stored as …9216.
_EXACT_BELOW = 10**15


def read_xlsx(data: bytes) -> FileContent:
    """Read an xlsx or xlsm workbook. Raises CannotRead."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        seen = look_at_xlsx(package)
        content = _read(data, seen)
        for sheet in content.sheets:
            if sheet.name not in seen.sheets:
                raise CannotRead("F003")
            _check_rows(package, sheet, seen.sheets[sheet.name])
    return content


def read_ods(data: bytes) -> FileContent:
    """Read an OpenDocument spreadsheet. Raises CannotRead."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        look_at_ods(package)
    return _read(data, WorkbookSeen())


def read_xls(data: bytes) -> FileContent:
    """Read a workbook of Excel 97-2003. Raises CannotRead."""
    # The directory of an encrypted modern workbook names its one stream so.
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise CannotRead("F002")
    return _read(data, WorkbookSeen())


def _read(data: bytes, seen: WorkbookSeen) -> FileContent:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [
            _sheet(name, book.get_sheet_by_name(name), seen.sheets.get(name, SheetSeen()))
            for name in book.sheet_names
        ]
    except python_calamine.PasswordError as error:
        raise CannotRead("F002") from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise CannotRead("F001") from error
    return FileContent(
        sheets,
        counts_from_1904=seen.counts_from_1904,
        template_version=seen.properties.get(VERSION_PROPERTY),
    )


def _sheet(name: str, found: object, seen: SheetSeen) -> Sheet:
    """One sheet from its first row and column on, whatever is blank before the first value."""
    end = found.end or (-1, -1)  # type: ignore[attr-defined]  # nothing on the sheet
    if end[0] >= MAX_ROWS or end[1] >= MAX_COLUMNS or (end[0] + 1) * (end[1] + 1) > MAX_CELLS:
        raise CannotRead("F003")
    doubtful = _doubts(seen)
    rows: list[list[str | None]] = []
    for values in found.to_python(skip_empty_area=False):  # type: ignore[attr-defined]
        rows.append([as_text(value) for value in values])
        doubtful += [
            DoubtfulCell(len(rows) - 1, column, "rounded")
            for column, value in enumerate(values)
            if isinstance(value, (int, float))
            and not isinstance(value, bool)
            and abs(value) >= _EXACT_BELOW
        ]
    for (row, column), shown in seen.errors.items():
        _put(rows, row, column, shown or "#ERROR!")
    for row, column in seen.formulas_without_result:
        _put(rows, row, column, "#FORMULA!")
    return Sheet(name, rows, doubtful)


def _doubts(seen: SheetSeen) -> list[DoubtfulCell]:
    found = [DoubtfulCell(row, column, "error") for row, column in seen.errors]
    return found + [DoubtfulCell(r, c, "formula") for r, c in seen.formulas_without_result]


def _put(rows: list[list[str | None]], row: int, column: int, text: str) -> None:
    """The parser leaves such cells blank, and a blank would pass for "not known yet"."""
    while len(rows) <= row:
        rows.append([])
    cells = rows[row]
    cells.extend([None] * (column + 1 - len(cells)))
    cells[column] = text


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


def _check_rows(package: zipfile.ZipFile, sheet: Sheet, seen: SheetSeen) -> None:
    """Every row with a value in the XML must have come through the parser (else F006)."""
    came_through = {index for index, row in enumerate(sheet.rows) if any(row)}
    lost = seen.rows_with_values - came_through
    if lost:
        raise CannotRead("F006")
    unsure = [row for row in seen.shared_texts if row not in came_through]
    if unsure:  # a shared text may be blank, which is no loss
        filled = shared_texts(package)
        for row in unsure:
            if any(index < len(filled) and filled[index] for index in seen.shared_texts[row]):
                raise CannotRead("F006")
