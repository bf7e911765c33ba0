"""What an authority is told about a file, a sheet or a column: one entry for each code.

Placeholders name places of the file only: sheet, column letters, cell
addresses, a declared title, a count. Nothing a cell holds can enter a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.declarations import Text

Severity = Literal["error", "query"]


@dataclass(frozen=True)
class FileProblem:
    """Something wrong with a file as a whole, a sheet or a column."""

    code: str
    severity: Severity
    sheet: str | None
    field: str | None
    sentence_en: str
    sentence_cy: str


@dataclass(frozen=True)
class Repair:
    """Something read as it was evidently meant; the sentences name places, never values."""

    sheet: str
    field: str | None
    sentence_en: str
    sentence_cy: str


PROBLEMS: dict[str, tuple[Severity, str, str]] = {
    "F100": (
        "error",
        "The file has no cover sheet, so nobody can tell whose return it is or for which quarter. "
        "Use the template, or add cover.csv to the zip.",
        "Nid oes taflen glawr yn y ffeil, felly ni ellir dweud ffurflen pwy ydyw nac ar gyfer pa "
        "chwarter. Defnyddiwch y templed, neu ychwanegwch cover.csv at y ffeil zip.",
    ),
    "F101": (
        "error",
        "The cover does not say who sends the return: fill in “{title}”{at}.",
        "Nid yw'r clawr yn dweud pwy sy'n anfon y ffurflen: llenwch “{title}”{at}.",
    ),
    "F102": (
        "error",
        "The answer to “{title}” on the cover{at} is no authority or agency that sends returns. "
        "Choose from the list or write a code of the Codes sheet.",
        "Nid yw'r ateb i “{title}” ar y clawr{at} yn awdurdod nac yn asiantaeth sy'n anfon "
        "ffurflenni. Dewiswch o'r rhestr neu ysgrifennwch god o'r daflen Codau.",
    ),
    "F103": (
        "error",
        "The cover does not say which quarter the return is for: fill in “{title}”{at}, like "
        "2025-26-Q1.",
        "Nid yw'r clawr yn dweud ar gyfer pa chwarter y mae'r ffurflen: llenwch “{title}”{at}, fel "
        "2025-26-Q1.",
    ),
    "F104": (
        "error",
        "The answer to “{title}” on the cover{at} is not a quarter. Write it like 2025-26-Q1 for "
        "April to June 2025.",
        "Nid yw'r ateb i “{title}” ar y clawr{at} yn chwarter. Ysgrifennwch ef fel 2025-26-Q1 ar "
        "gyfer Ebrill i Fehefin 2025.",
    ),
    "F105": (
        "error",
        "The answer to “{title}” on the cover{at} is not a whole number above nought: write 1 "
        "for the first return of the quarter, then 2, and so on.",
        "Nid yw'r ateb i “{title}” ar y clawr{at} yn rhif cyfan uwch na sero: ysgrifennwch 1 "
        "ar gyfer ffurflen gyntaf y chwarter, wedyn 2, ac yn y blaen.",
    ),
    "F106": (
        "error",
        "“{title}” on the cover{at} is blank: fill it in.",
        "Mae “{title}” ar y clawr{at} yn wag: llenwch ef.",
    ),
    "F107": (
        "error",
        "The answer to “{title}” on the cover{at} is not understood. Write dates day first, like "
        "31/01/2026, and choose Yes or No from the list.",
        "Ni ddeellir yr ateb i “{title}” ar y clawr{at}. Ysgrifennwch ddyddiadau â'r diwrnod yn "
        "gyntaf, fel 31/01/2026, a dewiswch Ydy neu Nac ydy o'r rhestr.",
    ),
    "F108": (
        "error",
        "The cover answers “{title}” twice, differently{at}. Keep one answer.",
        "Mae'r clawr yn ateb “{title}” ddwywaith, yn wahanol{at}. Cadwch un ateb.",
    ),
    "F200": (
        "error",
        "The file has none of the sheets of a return, and the cover ticks no nil return. Call the "
        "sheets {title} – or {cells} in a zip – or tick the nil return.",
        "Nid oes yr un o daflenni ffurflen yn y ffeil, ac nid yw'r clawr yn nodi ffurflen ddim. "
        "Galwch y taflenni yn {title} – neu {cells} mewn ffeil zip – neu ticiwch y ffurflen ddim.",
    ),
    "F201": (
        "error",
        "There are two sheets for the return on sheet {sheet}. Keep one with all the rows.",
        "Mae dwy daflen ar gyfer y ffurflen ar daflen {sheet}. Cadwch un â'r holl resi.",
    ),
    "F202": (
        "error",
        "Sheet {sheet} has no row of headings in its first 20 rows. Copy the rows into the "
        "template.",
        "Nid oes rhes o benawdau yn 20 rhes gyntaf taflen {sheet}. Copïwch y rhesi i'r templed.",
    ),
    "F203": (
        "error",
        "Sheet {sheet} has no column “{title}”, which is required.",
        "Nid oes colofn “{title}” ar daflen {sheet}, ac mae'n ofynnol.",
    ),
    "F203a": (
        "error",
        "Sheet {sheet} has no column “{title}”, which is required. Column {cells} has a similar "
        "heading: if that is it, correct the heading.",
        "Nid oes colofn “{title}” ar daflen {sheet}, ac mae'n ofynnol. Mae gan golofn {cells} "
        "bennawd tebyg: os dyna hi, cywirwch y pennawd.",
    ),
    "F204": (
        "error",
        "Sheet {sheet} has the column “{title}” twice (columns {cells}). Only the first was read; "
        "keep one.",
        "Mae'r golofn “{title}” ddwywaith ar daflen {sheet} (colofnau {cells}). Dim ond y gyntaf a "
        "ddarllenwyd; cadwch un.",
    ),
    "F207": (
        "error",
        "Sheet {sheet} has more rows than the {number} it should have.",
        "Mae gan daflen {sheet} fwy o resi na'r {number} y dylai fod ganddi.",
    ),
    "F208": (
        "query",
        "Sheet {sheet} has no column “{title}”; it was read as blank in every row.",
        "Nid oes colofn “{title}” ar daflen {sheet}; fe'i darllenwyd yn wag ym mhob rhes.",
    ),
    "F208a": (
        "query",
        "Sheet {sheet} has no column “{title}”; it was read as blank in every row. Column {cells} "
        "has a similar heading: if that is it, correct the heading and send the return again.",
        "Nid oes colofn “{title}” ar daflen {sheet}; fe'i darllenwyd yn wag ym mhob rhes. Mae gan "
        "golofn {cells} bennawd tebyg: os dyna hi, cywirwch y pennawd ac anfonwch y ffurflen eto.",
    ),
    "F209": (
        "query",
        "Sheet {sheet} has columns that are not part of the return (columns {cells}). They were "
        "left out of the figures.",
        "Mae gan daflen {sheet} golofnau nad ydynt yn rhan o'r ffurflen (colofnau {cells}). Fe'u "
        "gadawyd allan o'r ffigurau.",
    ),
    "F210": (
        "query",
        "{sheet}.csv is not encoded as UTF-8; it was read as Windows-1252, so letters such as ŵ "
        "and ŷ may be wrong. Save it as “CSV UTF-8”.",
        "Nid yw {sheet}.csv wedi'i amgodio fel UTF-8; fe'i darllenwyd fel Windows-1252, felly "
        "gall llythrennau fel ŵ ac ŷ fod yn anghywir. Cadwch hi fel “CSV UTF-8”.",
    ),
    "F211": (
        "error",
        "On sheet {sheet}, cells {cells} hold an Excel error or a formula without a result. Write "
        "the value itself, or clear the cell.",
        "Ar daflen {sheet}, mae celloedd {cells} yn cynnwys gwall Excel neu fformiwla heb "
        "ganlyniad. Ysgrifennwch y gwerth ei hun, neu gliriwch y gell.",
    ),
    "F211a": (
        "query",
        "On sheet {sheet}, cells {cells} hold an Excel error or a formula without a result, which "
        "cannot be understood. Write the value itself, or clear the cell.",
        "Ar daflen {sheet}, mae celloedd {cells} yn cynnwys gwall Excel neu fformiwla heb "
        "ganlyniad, na ellir ei ddeall. Ysgrifennwch y gwerth ei hun, neu gliriwch y gell.",
    ),
    "F212": (
        "error",
        "On sheet {sheet}, cells {cells} hold a number of more than 15 digits, which a spreadsheet "
        "rounds. Format the cell as text and write the reference again.",
        "Ar daflen {sheet}, mae celloedd {cells} yn cynnwys rhif o fwy na 15 digid, y mae taenlen "
        "yn ei dalgrynnu. Fformatiwch y gell fel testun ac ysgrifennwch y cyfeirnod eto.",
    ),
    "F213": (
        "query",
        "On sheet {sheet}, columns {cells} have dates with the month first. All dates are read day "
        "first, so others in these columns may be wrong: check them.",
        "Ar daflen {sheet}, mae gan golofnau {cells} ddyddiadau â'r mis yn gyntaf. Darllenir pob "
        "dyddiad â'r diwrnod yn gyntaf, felly gall eraill yn y colofnau hyn fod yn anghywir: "
        "gwiriwch hwy.",
    ),
    "F214": (
        "query",
        "The name of sheet number {number} is nearly “{title}”, but not quite, so it was not read. "
        "If it is that sheet, correct its name and send the return again.",
        "Mae enw taflen rhif {number} bron yn “{title}”, ond nid yn union, felly ni chafodd ei "
        "darllen. Os y daflen honno ydyw, cywirwch ei henw ac anfonwch y ffurflen eto.",
    ),
}

REPAIRS: dict[str, tuple[str, str]] = {
    "headings": (
        "The headings of sheet {sheet} were found in row {number}.",
        "Cafwyd hyd i benawdau taflen {sheet} yn rhes {number}.",
    ),
    "heading": (
        "Column {cells} of sheet {sheet} was read as “{title}”.",
        "Darllenwyd colofn {cells} taflen {sheet} fel “{title}”.",
    ),
    "order": (
        "The columns of sheet {sheet} are in another order than the template's.",
        "Mae colofnau taflen {sheet} mewn trefn wahanol i'r templed.",
    ),
    "1904": (
        "The workbook counts days from 1904: day numbers in column {cells} of sheet {sheet} "
        "(“{title}”) were read so.",
        "Mae'r llyfr gwaith yn cyfrif dyddiau o 1904: darllenwyd rhifau dydd yng ngholofn {cells} "
        "taflen {sheet} (“{title}”) felly.",
    ),
}


# What only the collection knows of a file, by its cover.
OF_THE_COLLECTION: dict[str, tuple[str, str, str]] = {  # code: cover field, English, Welsh
    "QUARTER_UNLIKELY": (
        "quarter",
        "The cover says {quarter}, a quarter that this collection does not hold: correct the "
        "quarter and send the whole file again.",
        "Dywed y clawr {quarter}, chwarter nad yw'r casgliad hwn yn ei gadw: cywirwch y chwarter "
        "ac anfonwch y ffeil gyfan eto.",
    ),
    "QUARTER_NOT_OVER": (
        "quarter",
        "The cover says {quarter}, which had not ended when the file came: correct the quarter, "
        "or send the return after the quarter's last day.",
        "Dywed y clawr {quarter}, nad oedd wedi dod i ben pan ddaeth y ffeil: cywirwch y chwarter, "
        "neu anfonwch y ffurflen ar ôl diwrnod olaf y chwarter.",
    ),
    "NOTHING_DUE": (
        "sender_code",
        "No return is due from this sender for {quarter}: check the code and the quarter on the "
        "cover.",
        "Nid oes ffurflen yn ddyledus gan yr anfonwr hwn ar gyfer {quarter}: gwiriwch y cod a'r "
        "chwarter ar y clawr.",
    ),
    "SYNTHETIC_AMONG_REAL": (
        "is_synthetic",
        "The cover says this is synthetic data, and this collection holds real returns: clear the "
        "tick if the return is real.",
        "Dywed y clawr mai data synthetig yw hwn, ac mae'r casgliad hwn yn dal ffurflenni go iawn: "
        "cliriwch y tic os yw'r ffurflen yn un go iawn.",
    ),
    "REAL_AMONG_SYNTHETIC": (
        "is_synthetic",
        "This collection holds synthetic sample data only: send real returns to another data "
        "folder.",
        "Data sampl synthetig yn unig sydd yn y casgliad hwn: anfonwch ffurflenni go iawn i "
        "ffolder data arall.",
    ),
}


def of_the_collection(code: str, quarter: str) -> FileProblem:
    """A problem that refuses the file although the file itself is sound."""
    field, english, welsh = OF_THE_COLLECTION[code]
    en, cy = english.format(quarter=quarter), welsh.format(quarter=quarter)
    return FileProblem(code, "error", None, field, en, cy)


def problem(
    code: str,
    sheet: str | None,
    field: str | None = None,
    *,
    title: Text | None = None,
    cells: str = "",
    number: int = 0,
) -> FileProblem:
    """The problem ``code`` at a place. A letter after the code picks a variant, not a code."""
    severity, english, welsh = PROBLEMS[code]
    en, cy = _fill(english, welsh, sheet, title, cells, number)
    return FileProblem(code[:4], severity, sheet, field, en, cy)


def repair(
    kind: str,
    sheet: str,
    field: str | None = None,
    *,
    title: Text | None = None,
    cells: str = "",
    number: int = 0,
) -> Repair:
    """The repair ``kind`` at a place."""
    en, cy = _fill(*REPAIRS[kind], sheet, title, cells, number)
    return Repair(sheet, field, en, cy)


def _fill(
    english: str, welsh: str, sheet: str | None, title: Text | None, cells: str, number: int
) -> tuple[str, str]:
    at = f" (cell {cells})" if cells else ""  # the same word in both languages
    places = {"sheet": sheet or "", "cells": cells, "at": at, "number": number}
    return (
        english.format(title=title.en if title else "", **places),
        welsh.format(title=title.cy if title else "", **places),
    )
