"""What an xlsx or xlsm package holds, part by part, counted without the parser."""

from __future__ import annotations

import posixpath
import re
import zipfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.readers.content import CannotRead
from pipelines.readers.preflight import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_INFLATED_BYTES,
    MAX_NOTED_CELLS,
    MAX_PARTS,
    Budget,
    SheetSeen,
    WorkbookSeen,
    check_package,
    inflate,
    local,
    parse,
)

MAX_TEXTS = 1_000_000
MAX_TEXTS_BYTES = 64 * 1024**2
_ZEROS = re.compile(r"0{2,15}")  # a number format that shows 89 as 00089
_LIKE_SHEETS = ("/worksheets/", "/chartsheets/", "/dialogsheets/", "/macrosheets/")
_ZERO = re.compile(r"-?0(?:\.0+)?(?:[eE][+-]?[0-9]+)?")
# A formula that does nothing but point to a cell: Extract!$A2, 'My extract'!A2, +A2.
_LINK = re.compile(
    r"\+?(?:(?:'((?:[^'\[\]]|'')+)'|([^\s'!\[\]:()+*/,&=<>-]+))!)?(\$?)([A-Za-z]{1,3})(\$?)([0-9]{1,7})"
)
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})", re.ASCII)


def look_at_xlsx(package: zipfile.ZipFile) -> WorkbookSeen:
    """Check an xlsx or xlsm package and count what its sheets hold.

    Raises CannotRead: F001 damaged, F002 encrypted, F003 abnormal, F006 not wholly readable.
    """
    check_package(package, MAX_PARTS, MAX_INFLATED_BYTES)
    return _Look(package).seen


@dataclass(frozen=True)
class _Listed:
    """A sheet as the workbook lists it."""

    title: str
    part: str
    is_hidden: bool


class _Look:
    """One look at a package. Texts and formats come first: what a cell holds depends on them."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self._package = package
        self._names = {name.casefold(): name for name in package.namelist()}
        self._budget = Budget()
        self._texts = _Texts()
        self._zeros: list[int] = []
        self.seen = WorkbookSeen()
        sheets = self._listed_sheets()
        self.seen.has_modules = any(not sheet.part for sheet in sheets)
        sheets = [sheet for sheet in sheets if sheet.part]
        self._read_texts_and_formats()
        by_part = self._look_at_parts({sheet.part: n for n, sheet in enumerate(sheets, start=1)})
        for sheet in sheets:
            if sheet.part not in by_part:
                raise CannotRead("F001")
            by_part[sheet.part].is_hidden = sheet.is_hidden
            self.seen.names.append(sheet.title)
            self.seen.sheets.append(by_part[sheet.part])

    def _listed_sheets(self) -> list[_Listed]:
        workbook = self._names.get("xl/workbook.xml")
        relations = self._names.get("xl/_rels/workbook.xml.rels")
        # A zip without these is no workbook that the parser would open either.
        if workbook is None or relations is None:
            raise CannotRead("F001")
        targets: dict[str, str] = {}
        listed: list[_Listed] = []

        def relation(tag: str, attributes: dict[str, str]) -> None:
            if tag == "Relationship" and attributes.get("TargetMode") != "External":
                target = attributes.get("Target", "")
                path = target.lstrip("/") if target[:1] == "/" else posixpath.join("xl", target)
                path = posixpath.normpath(path)
                targets[attributes.get("Id", "")] = self._names.get(path.casefold(), path)

        def sheet(tag: str, attributes: dict[str, str]) -> None:
            if tag == "sheet":
                relation_id = local(attributes).get("id", "")
                # A module sheet of an old workbook is listed, hidden and nowhere.
                part = targets.get(relation_id, "missing") if relation_id else ""
                is_hidden = attributes.get("state", "visible") != "visible"
                listed.append(_Listed(attributes.get("name", ""), part, is_hidden))
            elif tag == "workbookPr":
                from_1904 = local(attributes).get("date1904", "0").casefold()
                self.seen.counts_from_1904 = from_1904 in ("1", "true")

        parse(inflate(self._package, relations), relation, budget=self._budget)
        parse(inflate(self._package, workbook), sheet, budget=self._budget)
        parts = [sheet.part for sheet in listed if sheet.part]
        if len(set(parts)) < len(parts):
            raise CannotRead("F003")  # one part under 20,000 names is read 20,000 times
        return listed

    def _read_texts_and_formats(self) -> None:
        for folded, name in self._names.items():
            if folded.endswith("sharedstrings.xml"):
                # Refused by the stated size, which check_package has made sure is not exceeded: one
                # text of 512 MB packs into 0.5 MB.
                if self._package.getinfo(name).file_size > MAX_TEXTS_BYTES:
                    raise CannotRead("F003")
                # In a first pass over the parts: a cell with a shared text says only which.
                self._texts.read(inflate(self._package, name), self._budget)
            elif folded.endswith("/styles.xml"):
                self._zeros = _zero_formats(inflate(self._package, name), self._budget)

    def _look_at_parts(self, numbers: dict[str, int]) -> dict[str, SheetSeen]:
        by_part: dict[str, SheetSeen] = {}
        for folded, name in self._names.items():
            # Drawings of buttons and notes (vml) are no XML: Excel leaves <br> unclosed in a
            # caption. No parser of ours opens them.
            if not folded.endswith((".xml", ".rels")):
                continue
            pieces = inflate(self._package, name)
            # A sheet that no list names is looked at too: a parser might open it.
            if name in numbers or any(folder in f"/{folded}" for folder in _LIKE_SHEETS):
                walk = _SheetWalk(numbers.get(name, 0), self._texts, self._zeros, self._budget)
                walk.read(pieces)
                by_part[name] = walk.seen
            elif folded == "docprops/custom.xml":
                self.seen.properties = _custom_properties(pieces, self._budget)
            elif not folded.endswith(("sharedstrings.xml", "/styles.xml")):
                parse(pieces, _ignore, budget=self._budget)
        return by_part


def _ignore(*_: Any) -> None:
    """A part of which only the well-formedness, the depth and the absence of a DTD matter."""


class _Texts:
    """For each shared text of a workbook, whether it holds more than blanks, and its length."""

    def __init__(self) -> None:
        self.filled = bytearray()
        self.lengths = array("L")
        self._is_text = False
        self._is_phonetic = False

    def read(self, pieces: Iterator[bytes], budget: Budget) -> None:
        parse(
            pieces,
            self._start,
            self._end,
            self._text,
            budget=budget,
            is_within_value=lambda: self._is_text,
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "si":
            if len(self.filled) >= MAX_TEXTS:
                raise CannotRead("F003")
            self.filled.append(0)
            self.lengths.append(0)
        elif tag == "t":
            self._is_text = True
        elif tag == "rPh":
            self._is_phonetic = True
        elif tag == "sst":
            _check_stated_counts(attributes)

    def _end(self, tag: str) -> None:
        if tag == "t":
            self._is_text = False
        elif tag == "rPh":
            self._is_phonetic = False

    def _text(self, piece: str) -> None:
        # Readings of Asian texts stand beside them and are no part of the cell.
        if self._is_text and not self._is_phonetic and self.filled:
            self.lengths[-1] += len(piece)
            if piece.strip():
                self.filled[-1] = 1


def _check_stated_counts(attributes: dict[str, str]) -> None:
    """Parsers reserve room for as many texts as are stated."""
    for key, most in (("uniqueCount", MAX_TEXTS), ("count", MAX_CELLS)):
        stated = attributes.get(key, "0")
        # A count of four thousand million in a file of 2 kB made parsers ask for 103 GB.
        if not (stated.isascii() and stated.isdecimal()) or int(stated[:12]) > most:
            raise CannotRead("F003")


def _zero_formats(pieces: Iterator[bytes], budget: Budget) -> list[int]:
    """For each cell format, how many digits it shows at least; 0 where it does not say."""
    digits: dict[str, int] = {}
    formats: list[int] = []
    is_of_cells = False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal is_of_cells
        if tag == "numFmt":
            code = attributes.get("formatCode", "")
            if _ZEROS.fullmatch(code):
                digits[attributes.get("numFmtId", "")] = len(code)
        elif tag == "cellXfs":
            is_of_cells = True
        elif tag == "xf" and is_of_cells:
            formats.append(digits.get(attributes.get("numFmtId", ""), 0))

    def end(tag: str) -> None:
        nonlocal is_of_cells
        if tag == "cellXfs":
            is_of_cells = False

    parse(pieces, start, end, budget=budget)
    return formats


def _custom_properties(pieces: Iterator[bytes], budget: Budget) -> dict[str, str]:
    properties: dict[str, str] = {}
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
            properties[name] = properties.get(name, "") + piece

    parse(pieces, start, end, text, budget=budget)
    return properties


class _SheetWalk:
    """Walks a sheet's XML, following row and cell references the way spreadsheet programs do."""

    def __init__(self, number: int, texts: _Texts, zeros: list[int], budget: Budget) -> None:
        self.seen = SheetSeen(number)
        self._texts = texts
        self._zeros = zeros
        self._budget = budget
        self._row = -1
        self._column = -1
        self._cell: dict[str, str] = {}  # attributes of the cell last begun
        self._is_placed = True  # whether _row and _column are that cell's
        self._value: list[str] | None = None  # None until something is found in the cell
        self._collects = False
        self._is_phonetic = False
        self._has_formula = False
        self._is_in_formula = False
        self._formula: list[str] = []
        self._shared = ""  # number of the shared formula of the cell, if it has one
        self._shared_formulas: dict[str, tuple[str, int, int]] = {}
        self._is_hidden = False  # whether the row is

    def read(self, pieces: Iterator[bytes]) -> None:
        parse(
            pieces,
            self._start,
            self._end,
            self._text,
            budget=self._budget,
            is_within_value=lambda: self._collects,
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        # Cells come without a reference, with one, or in any order; the parser follows them as they
        # come, and so must a count that is to find what it lost.
        if tag == "c":
            # A sheet may have a million cells that are formatted and empty: where they are is
            # worked out only if it matters.
            if "r" not in attributes:
                self._work_out_place()
                self._column += 1
                self._is_placed = True
            else:
                self._is_placed = False
            self._cell = attributes
            self._value = None
        elif tag == "row":
            stated = attributes.get("r")
            if not stated:
                self._work_out_place()
            self._row = _row_number(stated) if stated else self._row + 1
            self._column = -1
            self._is_placed = True
            self._is_hidden = "hidden" in attributes and attributes["hidden"] in ("1", "true")
        elif tag == "v" or tag == "t":
            self._begin_content()
            self._collects = not self._is_phonetic
        elif tag == "f":
            self._begin_content()
            self._has_formula = self._is_in_formula = True
            self._formula = []
            self._shared = attributes.get("si", "") if attributes.get("t") == "shared" else ""
        elif tag == "is":
            self._begin_content()
        elif tag == "rPh":
            self._is_phonetic = True
        elif tag == "mergeCell":
            self.seen.merged.append(_area(attributes.get("ref", "")))
            self.seen.note()
        elif tag == "col":
            self._note_column(attributes)
        elif tag == "dimension":
            # Some parsers reserve room by the stated size; whole columns are legitimate.
            _area(attributes.get("ref", ""))

    def _text(self, piece: str) -> None:
        if self._collects and self._value is not None:
            self._value.append(piece)
        elif self._is_in_formula:
            self._formula.append(piece)

    def _end(self, tag: str) -> None:
        if tag == "v" or tag == "t":
            self._collects = False
        elif tag == "f":
            self._is_in_formula = False
            if self._shared and self._formula and len(self._shared_formulas) < MAX_NOTED_CELLS:
                self._work_out_place()
                text = "".join(self._formula)
                self._shared_formulas[self._shared] = (text, self._row, self._column)
        elif tag == "c":
            if self._value is not None or "t" in self._cell:
                self._note_cell()
        elif tag == "rPh":
            self._is_phonetic = False

    def _begin_content(self) -> None:
        if self._value is None:
            self._value = []
            self._has_formula = False

    def _work_out_place(self) -> None:
        if not self._is_placed:
            self._row, self._column = cell_position(self._cell["r"])
            self._is_placed = True

    def _note_cell(self) -> None:
        kind = self._cell.get("t", "n")
        # Formatted and empty: some honest workbooks have such cells down to row 1,048,574.
        if self._value is None and kind != "e":
            return
        self._work_out_place()
        seen, row, column = self.seen, self._row, self._column
        value = "".join(self._value or ()).strip()
        seen.place(row, column)
        if self._is_hidden:
            seen.hidden_rows.add(row)
            seen.note()
        if kind == "e":
            seen.errors[(row, column)] = value
            seen.note()
        # The value is the number of a text, and the text may be blank.
        elif kind == "s" and value:
            seen.filled[row] = seen.filled.get(row, 0) + self._is_filled_text(value)
        elif value:
            self._budget.spend(len(value))
            seen.filled[row] = seen.filled.get(row, 0) + 1
            if kind == "n" and self._zeros:
                self._note_zeros(value)
            if kind == "n" and self._has_formula and _ZERO.fullmatch(value):
                seen.zero_links[(row, column)] = self._pointed_to()
                seen.note()
        # Saved by a program that does not calculate: what the author sees is not in the file.
        elif self._has_formula and kind != "str":
            seen.formulas_without_result.append((row, column))
            seen.note()

    def _is_filled_text(self, index: str) -> int:
        """A parser may take an index that is none for the first text."""
        texts = self._texts
        # calamine takes index -1 for the first text, silently: somebody else's value in this cell.
        if not (index.isascii() and index.isdecimal()) or int(index[:9]) >= len(texts.filled):
            raise CannotRead("F001")
        self._budget.spend(texts.lengths[int(index)])
        return texts.filled[int(index)]

    def _note_zeros(self, value: str) -> None:
        style = self._cell.get("s", "")
        if style.isascii() and style.isdecimal() and int(style[:9]) < len(self._zeros):
            digits = self._zeros[int(style)]
            # 89 shown as 00089 by its format: the reference is what its author sees.
            if digits > len(value) and value.isascii() and value.isdecimal():
                self.seen.zeros[(self._row, self._column)] = digits
                self.seen.note()

    def _pointed_to(self) -> tuple[str, int, int] | None:
        """The cell that the formula of this cell is, if it is nothing else."""
        text, rows, columns = "".join(self._formula), 0, 0
        if not text and self._shared in self._shared_formulas:
            text, row, column = self._shared_formulas[self._shared]
            rows, columns = self._row - row, self._column - column
        link = _LINK.fullmatch(text.strip())
        if link is None:
            return None
        quoted, plain, column_fixed, letters, row_fixed, number = link.groups()
        row, column = cell_position(letters + number)
        sheet = (quoted or "").replace("''", "'") or plain or ""
        return sheet, row + (0 if row_fixed else rows), column + (0 if column_fixed else columns)

    def _note_column(self, attributes: dict[str, str]) -> None:
        if attributes.get("hidden") in ("1", "true"):
            first, last = attributes.get("min", ""), attributes.get("max", "")
            if first.isdecimal() and last.isdecimal():
                self.seen.hidden_columns.append(
                    (int(first[:9]) - 1, min(int(last[:9]) - 1, MAX_COLUMNS))
                )
                self.seen.note(notes=len(self.seen.hidden_columns))


def _row_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text[:9]) <= 1_048_576:
        raise CannotRead("F003")
    return int(text) - 1


def cell_position(reference: str) -> tuple[int, int]:
    """``"B3"`` → (2, 1), counted from 0. Raises CannotRead F003 beyond the last possible cell."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise CannotRead("F003")
    column = 0
    for letter in match[1].upper():
        column = column * 26 + ord(letter) - 64
    return _row_number(match[2]), column - 1


def _area(reference: str) -> tuple[int, int, int, int]:
    corners = [cell_position(c) for c in reference.replace("$", "").split(":") if c] or [(0, 0)]
    (top, left), (bottom, right) = corners[0], corners[-1]
    return min(top, bottom), min(left, right), max(top, bottom), max(left, right)
