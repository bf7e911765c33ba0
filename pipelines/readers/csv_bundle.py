"""CSV files as text, one or a zip of them, decoded and split by ourselves so that nothing is
guessed twice."""

from __future__ import annotations

import csv
import io
import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Iterable
from itertools import islice

from pipelines.readers.content import CannotRead, FileContent, SheetContent
from pipelines.readers.preflight import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, check_package, inflate

MAX_PARTS = 50
MAX_INFLATED_BYTES = 16 * 1024**2  # a hundred times the largest return
MAX_LINE = 1_000_000  # characters
LINES_LOOKED_AT = 20  # to see what separates the cells
_LONGEST_CELL = 32_767  # as long as a cell of a workbook
_SEPARATORS = ",;\t"
_ALONE = "CSV"  # a single file has no name that may be used: it is data
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t])"?\s*', re.IGNORECASE)
# Control characters that no text has; tab, line ends and form feed may be there.
_END_OF_TEXT = re.compile(rb"(?:[\r\n]*\x1a[\x1a\r\n]*)\Z")
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0e-\x1f]")


def read_csv_bundle(data: bytes) -> FileContent:
    """Read every ``*.csv`` of a zip as a sheet named after the file. Raises CannotRead."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        check_package(package, MAX_PARTS, MAX_INFLATED_BYTES)
        names = [name for name in package.namelist() if is_csv_part(name)]
        if not names:
            raise CannotRead("F001")
        sheets, doubted = [], []
        for name in names:
            text, by_guess = decode(b"".join(inflate(package, name)))
            title = _base_name(name)[: -len(".csv")]
            sheets.append(_sheet(title, text))
            if by_guess:
                doubted.append(title)
    return FileContent(sheets, decoded_as_cp1252=doubted, form="zip")


def read_single_csv(data: bytes) -> FileContent:
    """Read a CSV file that came without a zip. Raises CannotRead, F008 for a web page or XML."""
    if len(data) > MAX_INFLATED_BYTES:
        raise CannotRead("F003")
    text, by_guess = decode(data)
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        raise CannotRead("F008")
    # Bytes that are no table often pass for a text of Windows-1252.
    if _NO_TEXT.search(text) or not any(mark in text for mark in _SEPARATORS):
        raise CannotRead("F001")
    sheet = _sheet(_ALONE, text)
    return FileContent([sheet], decoded_as_cp1252=[_ALONE] if by_guess else [], form="csv")


def is_csv_part(name: str) -> bool:
    """True for a CSV file; false for the shadow files some systems add."""
    return (
        name.casefold().endswith(".csv")
        and not name.startswith("__MACOSX/")
        and not _base_name(name).startswith("._")
    )


def _base_name(name: str) -> str:
    return posixpath.basename(name.replace("\\", "/"))


def decode(content: bytes) -> tuple[str, bool]:
    """Text of a CSV file, and whether its encoding had to be taken for Windows-1252.

    A byte order mark decides; else UTF-8 if it is valid; else UTF-16 if every
    other byte of the start is zero; else Windows-1252. Raises CannotRead F001
    for bytes that are text in none of them.
    """
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16"), False
        start = content[:400]
        for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[0::2])):
            if len(zeros) > 1 and zeros.count(0) > len(zeros) * 0.8:
                return content.decode(encoding), False
        if b"\x00" in content:
            raise CannotRead("F001")
        content = _END_OF_TEXT.sub(b"", content)  # old systems end a text so, some on its own line
        try:
            return content.decode("utf-8-sig"), False
        except UnicodeDecodeError:
            return content.decode("cp1252"), True
    except UnicodeDecodeError as error:
        raise CannotRead("F001") from error


def _sheet(title: str, text: str) -> SheetContent:
    lines = lines_of(text)
    separator = separator_of(lines)
    rows, lengths = split(lines, separator)
    filled = sum(1 for row in rows if any(cell and not cell.isspace() for cell in row))
    # Counted once more without the parser: a record that went missing refuses the file.
    if filled != count_records(lines, separator):
        raise CannotRead("F006")
    return SheetContent(title, rows, filled_rows=filled, lengths=lengths)


def lines_of(text: str) -> list[str]:
    """Lines without their ends, which may be CR LF, LF or CR. Excel's line that names the
    separator is blanked. Raises CannotRead F003 for more lines than a sheet may have."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    if len(lines) > MAX_ROWS or any(len(line) > MAX_LINE for line in lines):
        raise CannotRead("F003")
    return lines


def separator_of(lines: list[str]) -> str:
    """The one Excel's first line names, else which of comma, semicolon and tab the first filled
    lines have equally often outside quotes, and of these the most frequent: a note may hold many
    semicolons, and a title above the headings a comma."""
    if lines and (named := _SEPARATOR_LINE.fullmatch(lines[0])):
        lines[0] = ""
        return named[1]
    filled = (line for line in lines if line.strip(_SEPARATORS + " "))
    start = [re.sub('"[^"]*"', "", line) for line in islice(filled, LINES_LOOKED_AT)]

    def regularity(mark: str) -> tuple[int, int]:
        counts = Counter(count for line in start if (count := line.count(mark)))
        return max(((lines, count) for count, lines in counts.items()), default=(0, 0))

    return max(_SEPARATORS, key=regularity)


def split(lines: list[str], separator: str) -> tuple[list[list[str | None]], list[int]]:
    """Records, each at the index of the line it begins on, and how many cells each line has.

    The further lines of a record that runs over several are empty and have -1 cells. Raises
    CannotRead F009 for a quote that is never closed, F003 beyond the limits of a sheet.
    """
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader((line + "\n" for line in lines), delimiter=separator, strict=True)
    rows: list[list[str | None]] = []
    lengths: list[int] = []
    cells = 0
    try:
        for record in reader:
            cells += len(record)
            if len(record) > MAX_COLUMNS or cells > MAX_CELLS:
                raise CannotRead("F003")
            further = reader.line_num - len(rows) - 1
            rows.append([value if value else None for value in record])
            rows.extend([] for _ in range(further))
            lengths += [len(record), *[-1] * further]
    except csv.Error as error:
        # A quote left open swallows lines until the cell is too long; one long line is no quote.
        if len(rows) < len(lines) and len(lines[len(rows)]) > _LONGEST_CELL:
            raise CannotRead("F003") from error
        raise CannotRead("F009", number=len(rows) + 1) from error
    return rows, lengths


def count_records(lines: Iterable[str], separator: str) -> int:
    """Records that hold anything, counted without the parser of :func:`split`."""
    mark = re.escape(separator)
    quoted = re.compile('"((?:[^"]|"")*)("|$)')
    plain = re.compile(f"[^{mark}]*")
    records = 0
    is_open = is_filled = False
    for line in lines:
        if not is_open and '"' not in line:  # nearly every line
            records += bool(line.replace(separator, "").strip())
            continue
        position = 0
        while position <= len(line):
            if is_open or line[position : position + 1] == '"':
                cell = quoted.match(f'"{line}' if is_open else line, position)
                assert cell is not None
                position = cell.end() + 1 - is_open
                is_open = not cell[2]
                is_filled = is_filled or bool(cell[1].strip())
            else:
                cell = plain.match(line, position)
                assert cell is not None
                position = cell.end() + 1
                is_filled = is_filled or bool(cell[0].strip())
        if not is_open:
            records += is_filled
            is_filled = False
    return records + (is_open and is_filled)
