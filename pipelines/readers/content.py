"""What a delivered file holds, as text, before anybody says what it means.

Imports nothing but the standard library: the child process that opens files
from outside loads this module and little else.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, fields
from typing import Any, Literal

VERSION_PROPERTY = "adoption_template_version"  # custom document property of the template

_CELLS = ("zeros_restored", "links_to_blank", "formula_zeros")
Doubt = Literal["error", "formula", "rounded", "merged"]
Form = Literal["workbook", "zip", "csv"]


@dataclass(frozen=True)
class DoubtfulCell:
    """A cell whose stored value is not what its author sees. ``row`` and ``column`` count from 0.

    ``error``: an Excel error such as a failed look-up; ``formula``: a formula
    saved without its result; ``rounded``: a number of more than 15 digits,
    which a spreadsheet cannot hold exactly; ``merged``: a cell hidden under
    another one that it is merged with, and whose value it may be meant to share.
    """

    row: int
    column: int
    doubt: Doubt


@dataclass(frozen=True)
class SheetContent:
    """One sheet. ``rows[i][j]`` is row ``i + 1``, column ``j`` of the sheet as its author sees it.

    Blank cells are None; rows may be shorter than the sheet is wide. For a CSV
    part, ``rows[i]`` is the record that begins on line ``i + 1`` (the further
    lines of a record that runs over several are empty rows).

    ``filled_rows`` is the number of rows that hold anything, counted without
    the parser, in the XML or the text; None only where nobody counted.
    ``hidden_rows`` and ``hidden_columns`` (from 0) hold values their author may
    not see; ``zeros_restored`` are cells (row, column) shown as 00089 that
    hold the number 89, and are read as shown. ``links_to_blank`` are cells that
    show zero because they point to a blank cell of the workbook, ``formula_zeros``
    those whose formula comes to zero for a reason that was not looked up.
    ``lengths`` is given for CSV only: the number of cells of each row, blank ones
    at its end included.
    """

    name: str
    rows: list[list[str | None]]
    doubtful: list[DoubtfulCell] = field(default_factory=list)
    filled_rows: int | None = None
    is_hidden: bool = False
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    zeros_restored: list[tuple[int, int]] = field(default_factory=list)
    links_to_blank: list[tuple[int, int]] = field(default_factory=list)
    formula_zeros: list[tuple[int, int]] = field(default_factory=list)
    lengths: list[int] | None = None

    @property
    def shown_name(self) -> str:
        """The name fit to be shown in a sentence."""
        return fit_to_be_shown(self.name)


def fit_to_be_shown(name: str) -> str:
    """A sheet's name without control or direction-changing characters, at most 100 characters."""
    return "".join(c for c in name if unicodedata.category(c)[0] != "C")[:100]


@dataclass(frozen=True)
class FileContent:
    """Every sheet of one file, and what the file says about itself.

    ``decoded_as_cp1252`` names CSV parts that were not UTF-8;
    ``counts_from_1904`` is true for workbooks whose day numbers start in 1904;
    ``template_version`` is the mark :mod:`pipelines.templates.workbook` leaves; ``form``
    is ``csv`` for one CSV file on its own, which has no sheet names.
    """

    sheets: list[SheetContent]
    counts_from_1904: bool = False
    decoded_as_cp1252: list[str] = field(default_factory=list)
    template_version: str | None = None
    form: Form = "workbook"

    def to_plain(self) -> dict[str, Any]:
        """The content as lists and texts, to cross a process boundary as JSON."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        plain["sheets"] = [
            {each.name: getattr(sheet, each.name) for each in fields(sheet)}
            | {"doubtful": [[cell.row, cell.column, cell.doubt] for cell in sheet.doubtful]}
            for sheet in self.sheets
        ]
        return plain

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> FileContent:
        """What :meth:`to_plain` gave. Raises KeyError or TypeError for anything else."""
        sheets = [
            SheetContent(
                **sheet
                | {"doubtful": [DoubtfulCell(*cell) for cell in sheet["doubtful"]]}
                | {name: [(row, column) for row, column in sheet[name]] for name in _CELLS}
            )
            for sheet in plain["sheets"]
        ]
        values: dict[str, Any] = {**plain, "sheets": sheets}
        return cls(**values)


@dataclass(frozen=True)
class Unreadable:
    """A file nothing could be read from, with the sentence its sender is shown."""

    code: str
    sentence_en: str
    sentence_cy: str


class CannotRead(Exception):
    """Raised while reading; carries a code and a place in the file, never a value of the file.

    ``code`` is a key of :data:`pipelines.readers.refusals.REFUSALS`. ``number`` (of a sheet or a
    line) and ``cell`` (an address) are given where they are known.
    """

    def __init__(self, code: str, *, number: int = 0, cell: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.number = number
        self.cell = cell
