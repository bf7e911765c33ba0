"""What was read although it is not written as asked, and how often: one sentence for each kind.

As in :mod:`pipelines.readers.sentences`, a sentence names places of the file and never holds
anything from a cell.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.declarations import Text
from pipelines.readers.sentences import filled
from pipelines.text.catalogue import N_


@dataclass(frozen=True)
class Repair:
    """Something read although it is not written as asked; the sentences name places, not values.

    ``kind`` is a key of :data:`REPAIRS`; ``count`` is how many cells, rows or columns it
    concerns.
    """

    sheet: str
    field: str | None
    sentence_en: str
    sentence_cy: str
    kind: str = ""
    count: int = 1


# Of the file, by kind; {number} counts rows, columns or cells.
REPAIRS: dict[str, str] = {
    "headings": N_(
        "The headings of sheet {sheet} were found in row {number}, not in the first row."
    ),
    "heading": N_("Column {cells} of sheet {sheet} was read as “{title}”."),
    "order": N_("The columns of sheet {sheet} are in a different order from the template."),
    "1904": N_(
        "This workbook counts days from 1904, so the day numbers in column {cells} of sheet "
        "{sheet} (“{title}”) were read as days since 1904."
    ),
    "zeros": N_(
        "Numbers in column {cells} of sheet {sheet} (“{title}”) were read with the leading zeros "
        "that the cells show (cells: {number})."
    ),
    "sheet": N_("Sheet {sheet} was read as “{title}”."),
    "cover": N_("Sheet {sheet} was read as the cover, because it has the questions of the cover."),
    "answer": N_(
        "The answer to “{title}” on the cover (cell {cells}) is not in the form asked for, but was "
        "understood."
    ),
    "left out": N_(
        "Sheet number {number} is not part of the return, so its filled rows ({cells}) were left "
        "out."
    ),
}

# Of the cells of one column, found when text becomes dates, numbers and codes.
# Counted by column and never listed by cell: a date column written otherwise has as many as rows.
REPAIRS_OF_CELLS: dict[str, str] = {
    "spaces": N_(
        "In column “{title}”, spaces before or after values were removed (cells: {number})."
    ),
    "apostrophe": N_(
        "In column “{title}”, an apostrophe in front of values was removed (cells: {number})."
    ),
    "letter case": N_(
        "In column “{title}”, codes or labels with different capitals, spaces or punctuation were "
        "recognised (cells: {number})."
    ),
    "spelling": N_(
        "In column “{title}”, other spellings of codes were recognised (cells: {number})."
    ),
    "date form": N_(
        "In column “{title}”, dates not written as dd/mm/yyyy were recognised (cells: {number})."
    ),
    "day number": N_(
        "In column “{title}”, numbers that a spreadsheet shows in place of dates were read as "
        "dates (cells: {number})."
    ),
    "time of day": N_(
        "In column “{title}”, the time of day was removed from dates (cells: {number})."
    ),
    "number form": N_(
        "In column “{title}”, whole numbers written in another way, such as 7.0 or 1,250, were "
        "recognised (cells: {number})."
    ),
    "place name": N_(
        "In column “{title}”, names of places were read as their codes (cells: {number})."
    ),
}


def repair(
    kind: str,
    sheet: str,
    field: str | None = None,
    *,
    title: Text | None = None,
    cells: str = "",
    number: int = 0,
    count: int = 1,
) -> Repair:
    """The repair ``kind`` (a key of REPAIRS) at a place of the file. Raises KeyError."""
    english, welsh = filled(REPAIRS[kind], sheet, title, cells, number)
    return Repair(sheet, field, english, welsh, kind, count)


def repair_of_cells(kind: str, sheet: str, field: str, title: Text, number: int) -> Repair:
    """The repair of ``number`` cells of a column in one way.

    Raises KeyError for a ``kind`` that is not in REPAIRS_OF_CELLS.
    """
    english, welsh = filled(REPAIRS_OF_CELLS[kind], None, title, "", number)
    return Repair(sheet, field, english, welsh, kind, number)
