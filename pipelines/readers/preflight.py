"""Looks into a zipped file before a parser does, and refuses what no return needs.

A workbook of two kilobytes can ask a parser for 500 GB (one value in the last
cell of a sheet, or a count of texts that lies). Nothing here trusts a number
the file states: parts are inflated in pieces and counted as they come.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from pipelines.readers.cells import address
from pipelines.readers.content import CannotRead

# A return is a few hundred rows of some forty columns. The limits leave room for twenty times the
# largest, and keep the reading of a hostile file below 5 s and 256 MB.
MAX_FILE_BYTES = 25 * 1024**2
MAX_PARTS = 1_000
MAX_INFLATED_BYTES = 150 * 1024**2
MAX_ROWS = 200_000
MAX_COLUMNS = 500
MAX_CELLS = 2_000_000  # rows × columns a parser makes room for
MAX_ELEMENTS = 4_000_000  # of all parts together: 1 M formatted, empty rows of one cell are 2 M
MAX_CHARACTERS = 20_000_000  # of all cells together
MAX_DEPTH = 100
MAX_TEXT = 100_000  # characters between two tags; a cell holds 32,767
MAX_NOTED_CELLS = 100_000  # in doubt, merged or hidden, of one sheet
_MAX_TOKEN_BYTES = 2 * 1024**2
_PIECE = 256 * 1024
_ENTRY = b"PK\x01\x02"  # begins each entry of a zip's directory
_END = b"PK\x05\x06"  # begins what follows the directory, of at most 22 + 65,535 bytes


@dataclass
class SheetSeen:
    """What a sheet holds, counted without the parser. Rows and columns count from 0."""

    number: int = 0  # among the sheets, from 1
    filled: dict[int, int] = field(default_factory=dict)  # row → cells that hold something
    errors: dict[tuple[int, int], str] = field(default_factory=dict)  # cell → error as shown
    formulas_without_result: list[tuple[int, int]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)  # first and last cell
    zeros: dict[tuple[int, int], int] = field(default_factory=dict)  # cell → digits shown
    # Formulas that come to zero: the cell (sheet, row, column) one points to, None for any other.
    zero_links: dict[tuple[int, int], tuple[str, int, int] | None] = field(default_factory=dict)
    is_hidden: bool = False
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    last_row: int = -1
    last_column: int = -1

    def place(self, row: int, column: int) -> None:
        """Note a cell that a parser must make room for."""
        if row > self.last_row:
            self.last_row = row
        if column > self.last_column:
            self.last_column = column
        if (
            row >= MAX_ROWS
            or column >= MAX_COLUMNS
            or (self.last_row + 1) * (self.last_column + 1) > MAX_CELLS
        ):
            raise CannotRead("F003", number=self.number, cell=address(row, column))

    def note(self, *, notes: int = 0) -> None:
        """Refuse a sheet with more cells in doubt than anybody could look at."""
        noted = len(self.errors) + len(self.formulas_without_result) + len(self.merged)
        noted += len(self.zero_links)
        if noted + len(self.zeros) + len(self.hidden_rows) + notes > MAX_NOTED_CELLS:
            raise CannotRead("F003")


@dataclass
class WorkbookSeen:
    """What a workbook package says before it is parsed; ``sheets`` in the workbook's order."""

    names: list[str] = field(default_factory=list)
    sheets: list[SheetSeen] = field(default_factory=list)
    counts_from_1904: bool = False
    properties: dict[str, str] = field(default_factory=dict)
    has_modules: bool = False  # listed sheets of old macros, which have no part


@dataclass
class Budget:
    """Elements and characters of cells that may still be read of one file."""

    elements: int = MAX_ELEMENTS
    characters: int = MAX_CHARACTERS

    def spend(self, characters: int) -> None:
        """Note the text of a cell; a parser makes a copy for each cell that shares one."""
        self.characters -= characters
        if self.characters < 0:
            raise CannotRead("F003")


def has_too_many_parts(data: bytes) -> bool:
    """Whether a zip has so many entries that even listing them would be dear. A few may be of
    zips within the zip."""
    return data.count(_ENTRY) > 2 * MAX_PARTS


def check_package(package: zipfile.ZipFile, max_parts: int, max_inflated: int) -> None:
    """Refuse a zip with too many parts, names that climb out, twins, encryption or a false size.

    Raises CannotRead F001, F002 or F003. Nothing is inflated here.
    """
    parts = package.infolist()
    if len(parts) > max_parts or sum(part.file_size for part in parts) > max_inflated:
        raise CannotRead("F003")
    names = [part.filename for part in parts]
    if len({name.casefold() for name in names}) != len(names):
        raise CannotRead("F003")
    # 0xFFFF in that field means that the true number stands in a larger record.
    if _stated_parts(package) not in (len(parts), 0xFFFF):  # larger numbers are stated elsewhere
        raise CannotRead("F001")  # a damaged length swallowed an entry: its part would be missed
    for part in parts:
        if not is_plain_name(part.filename):
            raise CannotRead("F003")
        if part.flag_bits & 0x1:
            raise CannotRead("F002")
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise CannotRead("F003")
        try:
            # The directory and the entry name a part separately; programs differ in which of them
            # they believe.
            package.open(part).close()  # a damaged name could hide a part: both must agree
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
            raise CannotRead("F001") from error
        except NotImplementedError as error:
            raise CannotRead("F003") from error


def _stated_parts(package: zipfile.ZipFile) -> int:
    """How many parts the end of a zip says it has; zipfile itself does not compare."""
    assert package.fp is not None
    size = package.fp.seek(0, 2)
    package.fp.seek(max(0, size - 22 - 0xFFFF))
    tail = package.fp.read()
    at = tail.rfind(_END)
    return int.from_bytes(tail[at + 10 : at + 12], "little") if at >= 0 else -1


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
    except NotImplementedError as error:  # a way of packing that the directory did not mention
        raise CannotRead("F003") from error


def parse(
    pieces: Iterator[bytes],
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
    *,
    budget: Budget,
    is_within_value: Callable[[], bool] | None = None,
) -> None:
    """Walk through XML with handlers of local names.

    Raises CannotRead: F001 for what is no XML, F003 for a DTD, great depth or
    size, F006 for a value with a comment or CDATA inside, which parsers cut.
    """
    parser = expat.ParserCreate()
    # Without it expat hands text over in pieces of a line, each a call into Python.
    parser.buffer_text = True
    parser.buffer_size = MAX_TEXT
    names = _LocalNames()
    depth = fed = 0

    def refuse(*_: Any) -> None:
        raise CannotRead("F003")

    def open_element(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        # 16 kB of nested elements, two million deep, took another parser 576 MB and 30 s.
        if depth > MAX_DEPTH:
            raise CannotRead("F003")
        start(names[name], attributes)

    def close_element(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(names[name])

    def characters(piece: str) -> None:
        if len(piece) > 0.9 * MAX_TEXT:  # the buffer was full
            raise CannotRead("F003")
        if text is not None:
            text(piece)

    def interruption(*_: Any) -> None:
        if is_within_value is not None and is_within_value():
            raise CannotRead("F006")

    # No spreadsheet needs a DTD, and entities that grow or read files need one.
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = open_element
    parser.EndElementHandler = close_element
    if text is not None:
        parser.CharacterDataHandler = characters
        parser.CommentHandler = interruption
        parser.ProcessingInstructionHandler = interruption
        parser.StartCdataSectionHandler = interruption
    try:
        for piece in pieces:
            # Counted in the bytes, before a handler is called for each: 20 million shared texts fit
            # into 0.8 MB.
            budget.elements -= piece.count(b"<") - piece.count(b"</")
            if budget.elements < 0:
                raise CannotRead("F003")
            parser.Parse(piece, False)
            fed += len(piece)
            if fed - parser.CurrentByteIndex > _MAX_TOKEN_BYTES:  # one endless tag or attribute
                raise CannotRead("F003")
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise CannotRead("F001") from error
    except (LookupError, ValueError) as error:  # an encoding that does not exist
        raise CannotRead("F001") from error


class _LocalNames(dict[str, str]):
    """Names without their prefix; each is taken apart once, not for each of a million cells."""

    def __missing__(self, name: str) -> str:
        self[name] = name.rpartition(":")[2]
        return self[name]


def local(attributes: dict[str, str]) -> dict[str, str]:
    """Attributes without their prefixes."""
    return {key.rpartition(":")[2]: value for key, value in attributes.items()}
