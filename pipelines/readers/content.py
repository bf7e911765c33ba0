"""What a delivered file holds, as text, before anybody says what it means.

Imports nothing but the standard library: the child process that opens files
from outside loads this module and little else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

VERSION_PROPERTY = "adoption_template_version"  # custom document property of the template

Doubt = Literal["error", "formula", "rounded"]


@dataclass(frozen=True)
class DoubtfulCell:
    """A cell whose stored value is not what its author sees. ``row`` and ``column`` count from 0.

    ``error``: an Excel error such as a failed look-up; ``formula``: a formula
    saved without its result; ``rounded``: a number of more than 15 digits,
    which a spreadsheet cannot hold exactly.
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
    """

    name: str
    rows: list[list[str | None]]
    doubtful: list[DoubtfulCell] = field(default_factory=list)


@dataclass(frozen=True)
class FileContent:
    """Every sheet of one file, and what the file says about itself.

    ``decoded_as_cp1252`` names CSV parts that were not UTF-8;
    ``counts_from_1904`` is true for workbooks whose day numbers start in 1904;
    ``template_version`` is the mark :mod:`pipelines.templates` leaves.
    """

    sheets: list[Sheet]
    counts_from_1904: bool = False
    decoded_as_cp1252: list[str] = field(default_factory=list)
    template_version: str | None = None

    def to_plain(self) -> dict[str, Any]:
        """The content as lists and texts, to cross a process boundary as JSON."""
        return {
            "sheets": [
                {
                    "name": sheet.name,
                    "rows": sheet.rows,
                    "doubtful": [[cell.row, cell.column, cell.doubt] for cell in sheet.doubtful],
                }
                for sheet in self.sheets
            ],
            "counts_from_1904": self.counts_from_1904,
            "decoded_as_cp1252": self.decoded_as_cp1252,
            "template_version": self.template_version,
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> FileContent:
        return cls(
            sheets=[
                Sheet(
                    sheet["name"],
                    sheet["rows"],
                    [DoubtfulCell(*cell) for cell in sheet["doubtful"]],
                )
                for sheet in plain["sheets"]
            ],
            counts_from_1904=plain["counts_from_1904"],
            decoded_as_cp1252=plain["decoded_as_cp1252"],
            template_version=plain["template_version"],
        )


@dataclass(frozen=True)
class Unreadable:
    """A file nothing could be read from, with the sentence its sender is shown."""

    code: str
    sentence_en: str
    sentence_cy: str


class CannotRead(Exception):
    """Raised while reading; carries only a code of :data:`REFUSALS`, never a value of the file."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


REFUSALS: dict[str, tuple[str, str]] = {
    "F001": (
        "This is not a workbook (xlsx, xlsm, xls, ods) or a zip of CSV files that can be read, "
        "or it was damaged on the way. Save it again from the template and send it once more.",
        "Nid yw hwn yn llyfr gwaith (xlsx, xlsm, xls, ods) nac yn ffeil zip o ffeiliau CSV y "
        "gellir ei darllen, neu fe'i difrodwyd ar y ffordd. Cadwch hi eto o'r templed a'i hanfon "
        "unwaith eto.",
    ),
    "F002": (
        "The file is protected by a password. Remove the password and send it again by the secure "
        "route.",
        "Mae'r ffeil wedi'i diogelu â chyfrinair. Tynnwch y cyfrinair a'i hanfon eto drwy'r llwybr "
        "diogel.",
    ),
    "F003": (
        "The file is too large or built in a way no return needs (for example a value in a far "
        "corner of a sheet). Copy the rows into an empty template and send that.",
        "Mae'r ffeil yn rhy fawr neu wedi'i llunio mewn ffordd nad oes ei hangen ar unrhyw "
        "ffurflen (er enghraifft gwerth yng nghornel bellaf taflen). Copïwch y rhesi i dempled "
        "gwag ac anfonwch hwnnw.",
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
}


def unreadable(code: str) -> Unreadable:
    """The refusal of a file under ``code`` (a key of :data:`REFUSALS`)."""
    english, welsh = REFUSALS[code]
    return Unreadable(code, english, welsh)
