"""Looks at a zipped workbook before a parser does, and refuses what no return needs.

A workbook of two kilobytes can ask a parser for 500 GB (one value in the last
cell of a sheet, or a count of texts that lies). Nothing here trusts a number
the file states: parts are inflated in pieces and counted as they come.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from pipelines.readers.content import CannotRead

MAX_FILE_BYTES = 50 * 1024**2
MAX_PARTS = 1_000
MAX_INFLATED_BYTES = 500 * 1024**2
# A return is a few hundred rows of some forty columns; these leave room for years of all of Wales.
MAX_ROWS = 200_000
MAX_COLUMNS = 500
MAX_CELLS = 10_000_000  # rows × columns a parser makes room for: about 300 MB
MAX_DEPTH = 100
_PIECE = 1 << 20


@dataclass
class SheetSeen:
    """What a sheet's XML holds, counted without the parser. Rows and columns count from 0."""

    rows_with_values: set[int] = field(default_factory=set)
    shared_texts: dict[int, list[int]] = field(default_factory=dict)  # row → indexes of its texts
    errors: dict[tuple[int, int], str] = field(default_factory=dict)  # cell → error as shown
    formulas_without_result: list[tuple[int, int]] = field(default_factory=list)
    last_row: int = -1
    last_column: int = -1

    def place(self, row: int, column: int) -> None:
        """Note a cell that a parser must make room for."""
        if row >= MAX_ROWS or column >= MAX_COLUMNS:
            raise CannotRead("F003")
        self.last_row = max(self.last_row, row)
        self.last_column = max(self.last_column, column)
        if (self.last_row + 1) * (self.last_column + 1) > MAX_CELLS:
            raise CannotRead("F003")


@dataclass
class WorkbookSeen:
    """What a workbook package says before it is parsed."""

    sheets: dict[str, SheetSeen] = field(default_factory=dict)  # by the sheet's name
    counts_from_1904: bool = False
    properties: dict[str, str] = field(default_factory=dict)


def check_package(package: zipfile.ZipFile, max_parts: int, max_inflated: int) -> None:
    """Refuse a zip with too many parts, names that climb out, twins, encryption or a false size.

    Raises CannotRead F002 or F003. Nothing is inflated here.
    """
    parts = package.infolist()
    if len(parts) > max_parts or sum(part.file_size for part in parts) > max_inflated:
        raise CannotRead("F003")
    names = [part.filename for part in parts]
    if len({name.casefold() for name in names}) != len(names):
        raise CannotRead("F003")
    for part in parts:
        if not is_plain_name(part.filename):
            raise CannotRead("F003")
        if part.flag_bits & 0x1:
            raise CannotRead("F002")
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise CannotRead("F003")


def is_plain_name(name: str) -> bool:
    """False for names that lead out of the package: ``../x``, ``/x``, ``C:\\x``."""
    steps = name.replace("\\", "/").split("/")
    return steps[0] != "" and ".." not in steps and ":" not in name


def inflate(package: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """A part in pieces; raises CannotRead F001 when it is damaged or not as long as stated.

    No more than the stated size is ever inflated, which :func:`check_package` has summed up.
    """
    try:
        with package.open(name) as part:
            while piece := part.read(_PIECE):
                yield piece
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise CannotRead("F001") from error


def parse(pieces: Iterator[bytes], start: Any, end: Any = None, text: Any = None) -> None:
    """Walk through XML with handlers of local names. DTDs and great depth are refused (F003)."""
    parser = expat.ParserCreate()
    depth = 0

    def refuse(*_: Any) -> None:
        raise CannotRead("F003")

    def open_element(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise CannotRead("F003")
        start(name.rpartition(":")[2], attributes)

    def close_element(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(name.rpartition(":")[2])

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = open_element
    parser.EndElementHandler = close_element
    if text is not None:
        parser.CharacterDataHandler = text
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise CannotRead("F001") from error


def look_at_xlsx(package: zipfile.ZipFile) -> WorkbookSeen:
    """Check an xlsx or xlsm package and count what its sheets hold.

    Raises CannotRead: F001 damaged, F002 encrypted, F003 abnormal.
    """
    check_package(package, MAX_PARTS, MAX_INFLATED_BYTES)
    names = {name.casefold(): name for name in package.namelist()}
    seen = WorkbookSeen()
    titles = {part: title for title, part in _sheet_parts(package, names, seen).items()}
    if not titles.keys() <= set(names.values()):
        raise CannotRead("F001")
    for folded, name in names.items():
        if not folded.endswith((".xml", ".rels", ".vml")):
            continue
        pieces = inflate(package, name)
        if name in titles:
            seen.sheets[titles[name]] = _look_at_sheet(pieces)
        elif folded.startswith("xl/worksheets/") and folded.endswith(".xml"):
            _look_at_sheet(pieces)  # a sheet no list names, which a parser might still open
        elif folded.endswith("sharedstrings.xml"):
            _check_shared_texts(pieces, package.getinfo(name).file_size)
        elif folded == "docprops/custom.xml":
            seen.properties = _custom_properties(pieces)
        else:
            parse(pieces, _ignore)
    return seen


def _ignore(*_: Any) -> None:
    """A part of which only the well-formedness, the depth and the absence of a DTD matter."""


def shared_texts(package: zipfile.ZipFile) -> list[bool]:
    """For each shared text of a workbook, whether it holds more than blanks."""
    names = {name.casefold(): name for name in package.namelist()}
    name = names.get("xl/sharedstrings.xml")
    filled: list[bool] = []
    if name is None:
        return filled

    def start(tag: str, _: dict[str, str]) -> None:
        if tag == "si":
            filled.append(False)

    def text(piece: str) -> None:
        if filled and piece.strip():
            filled[-1] = True

    parse(inflate(package, name), start, None, text)
    return filled


def _sheet_parts(
    package: zipfile.ZipFile, names: dict[str, str], seen: WorkbookSeen
) -> dict[str, str]:
    """Part name of each sheet, by the sheet's name."""
    workbook = names.get("xl/workbook.xml")
    relations = names.get("xl/_rels/workbook.xml.rels")
    if workbook is None or relations is None:
        raise CannotRead("F001")
    targets: dict[str, str] = {}
    found: dict[str, str] = {}

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
            path = posixpath.normpath(path)
            targets[attributes.get("Id", "")] = names.get(path.casefold(), path)

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        local = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        if tag == "sheet":
            found[attributes.get("name", "")] = targets.get(local.get("id", ""), "")
        elif tag == "workbookPr":
            seen.counts_from_1904 = local.get("date1904", "0").casefold() in ("1", "true")

    parse(inflate(package, relations), relation)
    parse(inflate(package, workbook), sheet)
    return found


def _check_shared_texts(pieces: Iterator[bytes], size: int) -> None:
    """The stated count of texts must be one the part can hold: parsers reserve room for it."""

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "sst":
            for key in ("uniqueCount", "count"):
                stated = attributes.get(key, "0")
                # Each text takes at least "<si/>", five bytes; cells may share texts (count).
                most = size if key == "uniqueCount" else MAX_CELLS
                if not stated.isdecimal() or int(stated[:12]) > most:
                    raise CannotRead("F003")

    parse(pieces, start)


def _custom_properties(pieces: Iterator[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    name: str | None = None

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal name
        if tag == "property":
            name = attributes.get("name")

    def end(tag: str) -> None:
        nonlocal name
        if tag == "property":
            name = None

    def text(piece: str) -> None:
        if name is not None:
            found[name] = found.get(name, "") + piece

    parse(pieces, start, end, text)
    return found


def _look_at_sheet(pieces: Iterator[bytes]) -> SheetSeen:
    """Walk a sheet's XML, noting which rows hold values and which cells are in doubt."""
    walk = _SheetWalk()
    parse(pieces, walk.start, walk.end, walk.text)
    return walk.seen


class _SheetWalk:
    """Follows row and cell references the way spreadsheet programs do."""

    def __init__(self) -> None:
        self.seen = SheetSeen()
        self._row = -1
        self._column = -1
        self._kind = ""
        self._collect: list[str] | None = None
        self._value = ""
        self._has_formula = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            stated = attributes.get("r")
            self._row = _row_number(stated) if stated else self._row + 1
            self._column = -1
        elif tag == "c":
            reference = attributes.get("r")
            if reference:
                self._row, self._column = cell_position(reference)
            else:
                self._column += 1
            self._kind = attributes.get("t", "n")
            self._value = ""
            self._has_formula = False
        elif tag == "f":
            self._has_formula = True
        elif tag in ("v", "t"):
            self._collect = []
        elif tag == "dimension":
            _check_dimension(attributes.get("ref", ""))

    def text(self, piece: str) -> None:
        if self._collect is not None:
            self._collect.append(piece)

    def end(self, tag: str) -> None:
        if tag in ("v", "t") and self._collect is not None:
            self._value += "".join(self._collect)
            self._collect = None
        elif tag == "c":
            self._note_cell()

    def _note_cell(self) -> None:
        seen, row = self.seen, self._row
        value = self._value.strip()
        if value or self._has_formula or self._kind == "e":
            seen.place(row, self._column)
        if self._kind == "e":
            seen.errors[(row, self._column)] = value
        elif self._kind == "s" and value:
            if value.isdecimal():
                seen.shared_texts.setdefault(row, []).append(int(value[:12]))
        elif value:
            seen.rows_with_values.add(row)
        elif self._has_formula and self._kind != "str":
            seen.formulas_without_result.append((row, self._column))


def _row_number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or not 0 < int(text) <= 1_048_576:
        raise CannotRead("F003")
    return int(text) - 1


def cell_position(reference: str) -> tuple[int, int]:
    """``"B3"`` → (2, 1), counted from 0. Raises CannotRead F003 beyond the last possible cell."""
    letters = reference.rstrip("0123456789")
    if not 1 <= len(letters) <= 3 or not letters.isascii() or not letters.isalpha():
        raise CannotRead("F003")
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - 64
    return _row_number(reference[len(letters) :]), column - 1


def _check_dimension(reference: str) -> None:
    """The stated size is used by some parsers to reserve room, but whole columns are legitimate."""
    for corner in reference.replace("$", "").split(":"):
        if corner:
            cell_position(corner)


def look_at_ods(package: zipfile.ZipFile) -> None:
    """Check an OpenDocument package. Repeats of filled cells count as cells. Raises CannotRead."""
    check_package(package, MAX_PARTS, MAX_INFLATED_BYTES)
    names = package.namelist()
    if "content.xml" not in names:
        raise CannotRead("F001")
    if "META-INF/manifest.xml" in names:
        parse(inflate(package, "META-INF/manifest.xml"), _refuse_encrypted)
    walk = _OdsWalk()
    parse(inflate(package, "content.xml"), walk.start, walk.end)


def _refuse_encrypted(tag: str, _: dict[str, str]) -> None:
    if tag == "encryption-data":
        raise CannotRead("F002")


class _OdsWalk:
    """Follows the repeat counts of OpenDocument tables."""

    def __init__(self) -> None:
        self._seen = SheetSeen()
        self._row = 0
        self._row_repeats = 1
        self._column = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        local = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        if tag == "table":
            self._seen, self._row = SheetSeen(), 0
        elif tag == "table-row":
            self._row_repeats = _repeats(local.get("number-rows-repeated"))
            self._column = 0
        elif tag in ("table-cell", "covered-table-cell"):
            repeats = _repeats(local.get("number-columns-repeated"))
            if "value-type" in local or "formula" in local:
                last_row = self._row + self._row_repeats - 1
                self._seen.place(last_row, self._column + repeats - 1)
            self._column += repeats

    def end(self, tag: str) -> None:
        if tag == "table-row":
            self._row += self._row_repeats


def _repeats(text: str | None) -> int:
    if text is None:
        return 1
    if not text.isdecimal() or len(text) > 9:
        raise CannotRead("F003")
    return int(text)
