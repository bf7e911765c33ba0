"""What is wrong with a file, a sheet or a column: one sentence for each code.

The English stands here, its Welsh in the catalogue. Placeholders name places of the file only:
sheet, column letters, cell addresses, a declared title, a count. Nothing a cell holds can enter a
sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pipelines.declarations import Text
from pipelines.readers.refusals import REFUSALS
from pipelines.text.catalogue import N_, Language, translations

Severity = Literal["error", "query"]

CELLS_KEPT = 500  # addresses kept with a problem; a sentence shows far fewer


@dataclass(frozen=True)
class FileProblem:
    """Something wrong with a file as a whole, a sheet or a column.

    ``cells`` are the addresses the sentence is about, at most ``CELLS_KEPT`` of them. ``holds``:
    the figures would change so much that the file waits until somebody confirms it. ``explains``
    are fields of the sheet that this is the one cause of: what the rules find about them follows
    from it.
    """

    code: str
    severity: Severity
    sheet: str | None
    field: str | None
    sentence_en: str
    sentence_cy: str
    cells: tuple[str, ...] = ()
    holds: bool = False
    explains: tuple[str, ...] = ()


class FileRule(NamedTuple):
    """One code of a file in both languages, with placeholders where a sentence names a place."""

    code: str
    severity: Severity
    sentence_en: str
    sentence_cy: str
    source: str


# A letter after the code picks another wording of it (and perhaps another severity). "hold" is a
# query until whose answer the file does not count.
PROBLEMS: dict[str, tuple[Severity | Literal["hold"], str]] = {
    "F100": (
        "error",
        N_(
            "The file has no cover sheet, so it does not say whose return it is or for which "
            "quarter. Use the template, or add cover.csv to the zip."
        ),
    ),
    "F100a": (
        "error",
        N_(
            "This is a single CSV file, which does not say who is sending it or for which quarter. "
            "Put it into a zip as {cells} together with cover.csv: “adoption template return.zip” "
            "makes one."
        ),
    ),
    "F100b": (
        "error",
        N_(
            "The file has no cover sheet, and no sheet with the name or the headings of an "
            "adoption return. Is it for another collection? Send the workbook made from the "
            "template."
        ),
    ),
    "F101": (
        "error",
        N_("The cover does not say who is sending the return: fill in “{title}”{at}."),
    ),
    "F102": (
        "error",
        N_(
            "The answer to “{title}” on the cover{at} is not an authority or agency that sends "
            "returns. Choose from the list, or write a code from the Codes sheet."
        ),
    ),
    "F102a": (
        "error",
        N_(
            "The answer to “{title}” on the cover{at} is not an authority or agency that sends "
            "returns. Did you mean {meant}?"
        ),
    ),
    "F103": (
        "error",
        N_(
            "The cover does not say which quarter the return is for: fill in “{title}”{at}, for "
            "example 2025-26-Q1."
        ),
    ),
    "F104": (
        "error",
        N_(
            "The answer to “{title}” on the cover{at} is not a quarter. Write it as 2025-26-Q1 for "
            "April to June 2025."
        ),
    ),
    "F105": (
        "error",
        N_(
            "The answer to “{title}” on the cover{at} is not a whole number of 1 or more: write 1 "
            "for the first return of the quarter, then 2, and so on."
        ),
    ),
    "F106": (
        "error",
        N_("“{title}” on the cover{at} is blank: fill it in."),
    ),
    "F107": (
        "error",
        N_(
            "The answer to “{title}” on the cover{at} could not be understood. Write dates day "
            "first, for example 31/01/2026, and choose Yes or No from the list."
        ),
    ),
    "F108": (
        "error",
        N_("The cover has two different answers to “{title}”{at}. Keep one of them."),
    ),
    "F200": (
        "error",
        N_(
            "The file has none of the sheets of a return, and no nil return is ticked on the "
            "cover. Name the sheets {title} – or {cells} in a zip – or tick the nil return."
        ),
    ),
    "F201": (
        "error",
        N_("Two sheets could be the return on sheet {sheet}. Keep one, with all the rows."),
    ),
    "F202": (
        "error",
        N_(
            "Sheet {sheet} has no row of headings in its first 20 rows. Copy the rows into the "
            "template."
        ),
    ),
    "F203": (
        "error",
        N_("Sheet {sheet} has no column “{title}”, which is required."),
    ),
    "F203a": (
        "error",
        N_(
            "Sheet {sheet} has no column “{title}”, which is required. Column {cells} has a "
            "similar heading: if this is the column, correct its heading."
        ),
    ),
    "F204": (
        "error",
        N_(
            "Sheet {sheet} has the column “{title}” twice (columns {cells}). Only the first was "
            "read; keep one."
        ),
    ),
    "F207": (
        "error",
        N_("Sheet {sheet} has more than {number} rows, the most that this return may have."),
    ),
    "F208": (
        "query",
        N_("Sheet {sheet} has no column “{title}”; it was read as blank in every row."),
    ),
    "F208a": (
        "query",
        N_(
            "Sheet {sheet} has no column “{title}”; it was read as blank in every row. Column "
            "{cells} has a similar heading: if this is the column, correct its heading and send "
            "the return again."
        ),
    ),
    "F208b": (
        "hold",
        N_(
            "Sheet {sheet} has no column “{title}”, so nothing that is counted from this date "
            "would be counted. Add the column and send the return again; or confirm that there is "
            "no such date to report."
        ),
    ),
    "F208c": (
        "hold",
        N_(
            "Sheet {sheet} has no column “{title}”, so nothing that is counted from this date "
            "would be counted. Column {cells} may be it: correct its heading and send the return "
            "again; or confirm that there is no such date to report."
        ),
    ),
    "F209": (
        "query",
        N_(
            "Sheet {sheet} has columns that are not part of the return (columns {cells}). They "
            "were left out of the figures."
        ),
    ),
    "F209a": (
        "query",
        N_(
            "Sheet {sheet} has values in columns without a heading (columns {cells}). They were "
            "left out of the figures."
        ),
    ),
    "F210": (
        "query",
        N_(
            "{sheet}.csv is not encoded as UTF-8; it was read as Windows-1252, so letters such as "
            "ŵ and ŷ may be wrong. Save it as “CSV UTF-8”."
        ),
    ),
    "F211": (
        "error",
        N_(
            "On sheet {sheet}, cells {cells} hold an Excel error or a formula without a result. "
            "Write the value itself, or clear the cell."
        ),
    ),
    "F211a": (
        "query",
        N_(
            "On sheet {sheet}, cells {cells} hold an Excel error or a formula without a result, so "
            "the value is not known. Write the value itself, or clear the cell."
        ),
    ),
    "F212": (
        "error",
        N_(
            "On sheet {sheet}, cells {cells} hold a number of more than 15 digits, which a "
            "spreadsheet rounds. Format the cells as text and write the references again."
        ),
    ),
    "F212a": (
        "error",
        N_(
            "On sheet {sheet}, cells {cells} hold a reference that a spreadsheet has turned into "
            "scientific notation, such as 1E+05. Format the column as text and write the "
            "references again."
        ),
    ),
    "F213": (
        "query",
        N_(
            "On sheet {sheet}, columns {cells} have dates with the month first. All dates are read "
            "day first, so other dates in these columns may be wrong: please check them."
        ),
    ),
    "F213a": (
        "hold",
        N_(
            "On sheet {sheet}, dates in columns {cells} are written with the month first. All "
            "dates are read day first, so every date whose day is 12 or less has its day and month "
            "swapped. Write the dates as dd/mm/yyyy and send the return again."
        ),
    ),
    "F214": (
        "query",
        N_(
            "The name of sheet number {number} is nearly “{title}”, but not quite, so the sheet "
            "was not read. If it is meant to be that sheet, correct its name and send the return "
            "again."
        ),
    ),
    "F215": (
        "query",
        N_(
            "Sheet number {number} has the headings of “{title}” and {cells} filled rows, but was "
            "not read. Keep one sheet for each return, with all its rows, and name it “{title}”."
        ),
    ),
    "F216": (
        "query",
        N_(
            "Sheet {sheet} is hidden, and was read. Unhide it and check that it is the one to send."
        ),
    ),
    "F216a": (
        "query",
        N_(
            "On sheet {sheet}, hidden rows were read (rows {cells}). Unhide them and check that "
            "they belong to the return."
        ),
    ),
    "F216b": (
        "query",
        N_(
            "On sheet {sheet}, hidden columns were read (columns {cells}). Unhide them and check "
            "what they contain."
        ),
    ),
    "F217": (
        "error",
        N_(
            "On sheet {sheet}, cells {cells} are merged with a neighbouring cell, so they are "
            "blank. Unmerge them and write the value into each cell."
        ),
    ),
    "F217a": (
        "query",
        N_(
            "On sheet {sheet}, cells {cells} are merged with a neighbouring cell, so their value "
            "is not known. Unmerge them and write the value into each cell."
        ),
    ),
    "F218": (
        "error",
        N_(
            "On sheet {sheet}, rows have more values than there are headings (lines {cells}), so "
            "it is not clear which column each value belongs to. Put quotation marks around any "
            "text that contains the separator."
        ),
    ),
    "F218a": (
        "query",
        N_(
            "On sheet {sheet}, rows have fewer values than there are headings (lines {cells}). The "
            "missing values at the end were read as blank."
        ),
    ),
    "F219": (
        "query",
        N_(
            "On sheet {sheet}, cells {cells} hold a date where a reference is expected. A "
            "spreadsheet turns a reference such as 1/2 into a date: format the column as text and "
            "write the references again."
        ),
    ),
    "F220": (
        "query",
        N_(
            "On sheet {sheet}, some rows run over several lines (those starting on lines {cells}). "
            "If none of their cells contains a line break, a quotation mark is out of place and "
            "rows have been joined: please check them."
        ),
    ),
    "F221": (
        "hold",
        N_(
            "On sheet {sheet}, the dates in columns {cells} were swapped by a spreadsheet set for "
            "the United States: every date whose day is 12 or less has its day and month swapped, "
            "and the others are text. Set the region to United Kingdom, open the extract again "
            "and send the return again; do not correct single cells."
        ),
    ),
    "F222": (
        "query",
        N_(
            "On sheet {sheet}, cells in columns {cells} show zero, or the date a spreadsheet or "
            "database shows for zero ({number} cells). Such a zero comes from a link to a blank "
            "cell, so the cells were read as blank. Clear them, or write the value."
        ),
    ),
    "F223": (
        "query",
        N_(
            "On sheet {sheet}, cells in columns {cells} hold a word that stands for nothing, such "
            "as n/a ({number} cells), and were read as blank. Leave such cells blank."
        ),
    ),
    "F224": (
        "error",
        N_(
            "On sheet {sheet}, the dates in columns {cells} have years of two digits, which may be "
            "of either century. Format the columns as dd/mm/yyyy, so that the year has four "
            "digits, and send the return again."
        ),
    ),
    "F224a": (
        "query",
        N_(
            "On sheet {sheet}, cells {cells} hold a date with a year of two digits, which may be "
            "of either century. Write the year with four digits."
        ),
    ),
    "F225": (
        "query",
        N_(
            "On sheet {sheet}, rows {cells} hold totals, not a case, and were left out. Delete "
            "them, or correct them if they are cases."
        ),
    ),
    "F225a": (
        "query",
        N_(
            "On sheet {sheet}, rows {cells} explain how to fill in the sheet, or give an example, "
            "and were left out. Delete them, or correct them if they are cases."
        ),
    ),
    "F225b": (
        "query",
        N_(
            "On sheet {sheet}, rows {cells} hold a note, not a case, and were left out. Delete "
            "them, or correct them if they are cases."
        ),
    ),
    "F225c": (
        "query",
        N_("On sheet {sheet}, rows {cells} repeat the headings and were left out. Delete them."),
    ),
    "F226": (
        "query",
        N_(
            "On sheet {sheet}, cells {cells} hold a reference with a long dash in place of a "
            "hyphen. It was read with a hyphen, like the other references of the column: correct "
            "it, or confirm it."
        ),
    ),
    "F226a": (
        "query",
        N_(
            "On sheet {sheet}, cells {cells} hold a reference with a line break in it. It was read "
            "without the line break: correct it, or confirm it."
        ),
    ),
    "F226b": (
        "query",
        N_(
            "On sheet {sheet}, cells {cells} hold a reference that ends in .0, as programs write "
            "numbers. It was read without: correct it, or confirm it."
        ),
    ),
    "F227": (
        "error",
        N_(
            "Sheet {sheet} has the headings of “{title}”. Put these rows on the sheet of that "
            "name, and the rows that belong here on this one."
        ),
    ),
}


# What only the collection knows of a file, by its cover: the cover field and the sentence.
OF_THE_COLLECTION: dict[str, tuple[str, str]] = {
    "QUARTER_UNLIKELY": (
        "quarter",
        N_(
            "The cover says {quarter}, which is not a quarter of this collection: correct the "
            "quarter and send the whole file again."
        ),
    ),
    "QUARTER_NOT_OVER": (
        "quarter",
        N_(
            "The cover says {quarter}, which had not ended when the file arrived: correct the "
            "quarter, or send the return after the last day of the quarter."
        ),
    ),
    "HISTORY_REPLACES_RETURN": (
        "is_history",
        N_(
            "This is history made from yearly files, and the sender's own return for {quarter} has "
            "been accepted: nothing is replaced. Correct that return, or withdraw it first."
        ),
    ),
    "NOTHING_DUE": (
        "sender_code",
        N_(
            "No return is due from this sender for {quarter}: check the code and the quarter on "
            "the cover."
        ),
    ),
    "SYNTHETIC_AMONG_REAL": (
        "is_synthetic",
        N_(
            "The cover says that this is synthetic data, and this collection holds real returns: "
            "clear the tick if the return is real."
        ),
    ),
    "REAL_AMONG_SYNTHETIC": (
        "is_synthetic",
        N_(
            "This collection holds synthetic sample data only: send real returns to another data "
            "folder."
        ),
    ),
}


def file_rules() -> Iterator[FileRule]:
    """Every problem that a file can have before its rows are looked at, as often as it has
    wordings, the main wording of a code first."""
    for code, sentence in REFUSALS.items():
        yield _file_rule(code, "error", sentence, "opening a file")
    for code, (severity, sentence) in PROBLEMS.items():
        shown: Severity = "query" if severity == "hold" else severity
        yield _file_rule(code[:4], shown, sentence, "reading a file")
    for code, (_, sentence) in OF_THE_COLLECTION.items():
        yield _file_rule(code, "error", sentence, "what the collection knows")


def _file_rule(code: str, severity: Severity, sentence: str, source: str) -> FileRule:
    return FileRule(code, severity, sentence, _in("cy", sentence), source)


def of_the_collection(code: str, quarter: str) -> FileProblem:
    """A problem that refuses the file although the file itself is sound.

    ``quarter`` is the label that the cover gives. Raises KeyError for an unknown code.
    """
    field, sentence = OF_THE_COLLECTION[code]
    return FileProblem(
        code,
        "error",
        None,
        field,
        sentence.format(quarter=quarter),
        _in("cy", sentence).format(quarter=quarter),
    )


def problem(
    code: str,
    sheet: str | None,
    field: str | None = None,
    *,
    title: Text | None = None,
    cells: str = "",
    number: int = 0,
    meant: Text | None = None,
    at: Sequence[str] = (),
    explains: Sequence[str] = (),
) -> FileProblem:
    """The problem ``code`` (a key of PROBLEMS) at a place of the file.

    ``cells`` is what the sentence shows; ``at`` are the addresses it is about. Raises KeyError for
    an unknown code.
    """
    severity, sentence = PROBLEMS[code]
    english, welsh = filled(sentence, sheet, title, cells, number, meant)
    return FileProblem(
        code[:4],
        "query" if severity == "hold" else severity,
        sheet,
        field,
        english,
        welsh,
        tuple(at[:CELLS_KEPT]),
        holds=severity == "hold",
        explains=tuple(explains),
    )


def filled(
    sentence: str,
    sheet: str | None,
    title: Text | None,
    cells: str,
    number: int,
    meant: Text | None = None,
) -> tuple[str, str]:
    """A sentence in English and in Welsh, its places filled in; ``{at}`` is the cell, if any."""
    at = f" (cell {cells})" if cells else ""  # the same word in both languages
    places = {"sheet": sheet or "", "cells": cells, "at": at, "number": number}
    english = sentence.format(
        title=title.en if title else "", meant=meant.en if meant else "", **places
    )
    welsh = _in("cy", sentence).format(
        title=title.cy if title else "", meant=meant.cy if meant else "", **places
    )
    return english, welsh


def _in(language: Language, sentence: str) -> str:
    return translations(language).gettext(sentence)
