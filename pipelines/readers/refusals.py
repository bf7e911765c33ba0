"""Why nothing could be read from a file: a sentence for its sender, by code.

Imports no declarations: the process that opens files loads this module too, and must stay small.
"""

from __future__ import annotations

from pipelines.readers.content import Unreadable
from pipelines.text.catalogue import N_, translations

REFUSALS: dict[str, str] = {
    "F001": N_(
        "This is not a workbook (xlsx, xlsm, ods) or a zip of CSV files that can be read, or it "
        "was damaged on the way. Save it again from the template and send it again."
    ),
    "F002": N_(
        "The file is protected by a password. Remove the password and send it again by the secure "
        "route."
    ),
    "F003": N_(
        "The file is too large, or is built in a way that no return needs. Copy the rows into an "
        "empty template and send that."
    ),
    "F004": N_(
        "Reading the file took too long or stopped unexpectedly. Copy the rows into an empty "
        "template and send that."
    ),
    "F005": N_("The file is empty. Send the return again."),
    "F006": N_(
        "Not every row of the file could be read. Copy the rows into an empty template and send "
        "that."
    ),
    "F007": N_(
        "This is an Excel 97–2003 workbook (xls), which cannot be checked. Open it, choose Save "
        "As, Excel Workbook (xlsx), and send that."
    ),
    "F008": N_(
        "This is a web page (HTML) or an XML file, whatever its name says. Open it in your "
        "spreadsheet program, save it as a workbook (xlsx) and send that."
    ),
    "F009": N_(
        "A quotation mark in a CSV file is not closed, so it is not clear where its rows end. "
        "Close or remove it and send the file again."
    ),
    "F010": N_(
        "This is an Excel binary workbook (xlsb), which cannot be checked. Open it, choose Save "
        "As, Excel Workbook (xlsx), and send that."
    ),
    "F011": N_(
        "The zip holds several workbooks, and a return is one. Send each workbook by itself."
    ),
    "F012": N_("This is not the password of the file. Type it again."),
}

# The same refusals where the place is known: {number} is a sheet's or a line's, {cell} an address.
_AT_A_PLACE: dict[str, str] = {
    "F003": N_(
        "Sheet number {number} has a value in cell {cell}, far from any row of a return. Clear it, "
        "or copy the rows into an empty template and send that."
    ),
    "F009": N_(
        "A quotation mark in a CSV file is not closed: look at line {number}. Close or remove it "
        "and send the file again."
    ),
}


def unreadable(code: str, number: int = 0, cell: str = "") -> Unreadable:
    """The refusal of a file under ``code`` (a key of :data:`REFUSALS`), with its place if known.

    ``number`` is a sheet's or a line's, from 1; 0 where no place is known. Raises KeyError for an
    unknown code.
    """
    sentence = _AT_A_PLACE.get(code, REFUSALS[code]) if number else REFUSALS[code]
    welsh = translations("cy").gettext(sentence)
    places = {"number": number, "cell": cell}
    return Unreadable(code, sentence.format(**places), welsh.format(**places))
