"""A zip of CSV files as text, decoded and split by ourselves so that nothing is guessed twice."""

from __future__ import annotations

import csv
import io
import posixpath
import zipfile

from pipelines.readers.content import CannotRead, FileContent, Sheet
from pipelines.readers.preflight import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, check_package, inflate

MAX_PARTS = 50
MAX_INFLATED_BYTES = 200 * 1024**2
_LONGEST_FIELD = 32_767  # as long as a cell of a workbook


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
            sheets.append(Sheet(title, split(text)))
            if by_guess:
                doubted.append(title)
    return FileContent(sheets, decoded_as_cp1252=doubted)


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
        try:
            return content.decode("utf-8-sig"), False
        except UnicodeDecodeError:
            return content.decode("cp1252"), True
    except UnicodeDecodeError as error:
        raise CannotRead("F001") from error


def split(text: str) -> list[list[str | None]]:
    """Records of a CSV text, each at the index of the line it begins on.

    Lines may end in CR LF, LF or CR; the separator is the one of comma,
    semicolon and tab that the first filled line has most of. Raises CannotRead
    F001 for a quote that is never closed, F003 beyond the limits of a sheet.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    if len(lines) > MAX_ROWS:
        raise CannotRead("F003")
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader((line + "\n" for line in lines), delimiter=_separator(lines), strict=True)
    rows: list[list[str | None]] = []
    cells = 0
    begins = 0
    try:
        for record in reader:
            cells += len(record)
            if len(record) > MAX_COLUMNS or cells > MAX_CELLS:
                raise CannotRead("F003")
            rows.append([value if value else None for value in record])
            rows.extend([] for _ in range(reader.line_num - begins - 1))
            begins = reader.line_num
    except csv.Error as error:
        raise CannotRead("F001") from error
    if len(rows) != len(lines):
        raise CannotRead("F006")
    return rows


def _separator(lines: list[str]) -> str:
    first = next((line for line in lines if line.strip(" ,;\t")), "")
    return max(",;\t", key=first.count)
