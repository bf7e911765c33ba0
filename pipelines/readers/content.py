"""What a delivered file holds, as text, before anybody says what it means.

Imports nothing but the standard library: the child process that opens files
from outside loads this module and little else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal

VERSION_PROPERTY = "adoption_template_version"  # custom document property of the template

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
class Sheet:
    """One sheet. ``rows[i][j]`` is row ``i + 1``, column ``j`` of the sheet as its author sees it.

    Blank cells are None; rows may be shorter than the sheet is wide. For a CSV
    part, ``rows[i]`` is the record that begins on line ``i + 1`` (the further
    lines of a record that runs over several are empty rows).

    ``filled_rows`` is the number of rows that hold anything, counted without
    the parser, in the XML or the text; None only where nobody counted.
    ``hidden_rows`` and ``hidden_columns`` (from 0) hold values their author may
    not see; ``zeros_restored`` are cells (row, column) shown as 00089 that
    hold the number 89, and are read as shown. ``lengths`` is given for CSV
    only: the number of cells of each row, blank ones at its end included.
    """

    name: str
    rows: list[list[str | None]]
    doubtful: list[DoubtfulCell] = field(default_factory=list)
    filled_rows: int | None = None
    is_hidden: bool = False
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    zeros_restored: list[tuple[int, int]] = field(default_factory=list)
    lengths: list[int] | None = None


@dataclass(frozen=True)
class FileContent:
    """Every sheet of one file, and what the file says about itself.

    ``decoded_as_cp1252`` names CSV parts that were not UTF-8;
    ``counts_from_1904`` is true for workbooks whose day numbers start in 1904;
    ``template_version`` is the mark :mod:`pipelines.templates.workbook` leaves; ``form``
    is ``csv`` for one CSV file on its own, which has no sheet names.
    """

    sheets: list[Sheet]
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
        sheets = [
            Sheet(
                **sheet
                | {
                    "doubtful": [DoubtfulCell(*cell) for cell in sheet["doubtful"]],
                    "zeros_restored": [(row, column) for row, column in sheet["zeros_restored"]],
                }
            )
            for sheet in plain["sheets"]
        ]
        return cls(**plain | {"sheets": sheets})


@dataclass(frozen=True)
class Unreadable:
    """A file nothing could be read from, with the sentence its sender is shown."""

    code: str
    sentence_en: str
    sentence_cy: str


class CannotRead(Exception):
    """Raised while reading; carries a code and a place in the file, never a value of the file.

    ``code`` is a key of :data:`REFUSALS`. ``number`` (of a sheet or a line) and
    ``cell`` (an address) are given where they are known.
    """

    def __init__(self, code: str, *, number: int = 0, cell: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.number = number
        self.cell = cell


REFUSALS: dict[str, tuple[str, str]] = {
    "F001": (
        "This is not a workbook (xlsx, xlsm, ods) or a zip of CSV files that can be read, or it "
        "was damaged on the way. Save it again from the template and send it once more.",
        "Nid yw hwn yn llyfr gwaith (xlsx, xlsm, ods) nac yn ffeil zip o ffeiliau CSV y gellir ei "
        "darllen, neu fe'i difrodwyd ar y ffordd. Cadwch hi eto o'r templed a'i hanfon unwaith "
        "eto.",
    ),
    "F002": (
        "The file is protected by a password. Remove the password and send it again by the secure "
        "route.",
        "Mae'r ffeil wedi'i diogelu â chyfrinair. Tynnwch y cyfrinair a'i hanfon eto drwy'r llwybr "
        "diogel.",
    ),
    "F003": (
        "The file is too large or built in a way no return needs. Copy the rows into an empty "
        "template and send that.",
        "Mae'r ffeil yn rhy fawr neu wedi'i llunio mewn ffordd nad oes ei hangen ar unrhyw "
        "ffurflen. Copïwch y rhesi i dempled gwag ac anfonwch hwnnw.",
    ),
    "F004": (
        "Reading the file took too long or ended abnormally. Copy the rows into an empty template "
        "and send that.",
        "Cymerodd darllen y ffeil ormod o amser neu daeth i ben yn annormal. Copïwch y rhesi i "
        "dempled gwag ac anfonwch hwnnw.",
    ),
    "F005": (
        "The file is empty. Send the return again.",
        "Mae'r ffeil yn wag. Anfonwch y ffurflen eto.",
    ),
    "F006": (
        "Not every row of the file could be read. Copy the rows into an empty template and send "
        "that.",
        "Ni ellid darllen pob rhes o'r ffeil. Copïwch y rhesi i dempled gwag ac anfonwch hwnnw.",
    ),
    "F007": (
        "This is a workbook of Excel 97–2003 (xls), which cannot be checked. Open it, choose Save "
        "As, Excel Workbook (xlsx), and send that.",
        "Llyfr gwaith Excel 97–2003 (xls) yw hwn, na ellir ei wirio. Agorwch ef, dewiswch Cadw "
        "Fel, Llyfr Gwaith Excel (xlsx), ac anfonwch hwnnw.",
    ),
    "F008": (
        "This is a web page (HTML) or a text in XML, whatever its name says. Open it in the "
        "spreadsheet program, save it as a workbook (xlsx) and send that.",
        "Tudalen we (HTML) neu destun XML yw hwn, beth bynnag yw ei enw. Agorwch ef yn y rhaglen "
        "daenlen, cadwch ef fel llyfr gwaith (xlsx) ac anfonwch hwnnw.",
    ),
    "F009": (
        "A quotation mark in a CSV file is not closed, so its rows cannot be told apart. Close or "
        "remove it and send the file again.",
        "Nid yw dyfynnod mewn ffeil CSV wedi'i gau, felly ni ellir gwahanu ei rhesi. Caewch ef "
        "neu ei ddileu ac anfonwch y ffeil eto.",
    ),
}

# The same refusals where the place is known: {number} is a sheet's or a line's, {cell} an address.
_AT_A_PLACE: dict[str, tuple[str, str]] = {
    "F003": (
        "Sheet number {number} has something in cell {cell}, far from any row of a return. Clear "
        "it, or copy the rows into an empty template and send that.",
        "Mae gan daflen rhif {number} rywbeth yng nghell {cell}, ymhell o unrhyw res o ffurflen. "
        "Cliriwch hi, neu copïwch y rhesi i dempled gwag ac anfonwch hwnnw.",
    ),
    "F009": (
        "A quotation mark in a CSV file is not closed: look at line {number}. Close or remove it "
        "and send the file again.",
        "Nid yw dyfynnod mewn ffeil CSV wedi'i gau: edrychwch ar linell {number}. Caewch ef neu ei "
        "ddileu ac anfonwch y ffeil eto.",
    ),
}


def unreadable(code: str, number: int = 0, cell: str = "") -> Unreadable:
    """The refusal of a file under ``code`` (a key of :data:`REFUSALS`), with its place if known."""
    sentences = _AT_A_PLACE.get(code, REFUSALS[code]) if number else REFUSALS[code]
    english, welsh = (sentence.format(number=number, cell=cell) for sentence in sentences)
    return Unreadable(code, english, welsh)
