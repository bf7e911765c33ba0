"""What an authority is told about a file, a sheet or a column: one entry for each code.

Placeholders name places of the file only: sheet, column letters, cell
addresses, a declared title, a count. Nothing a cell holds can enter a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.declarations import Text

Severity = Literal["error", "query"]


@dataclass(frozen=True)
class FileProblem:
    """Something wrong with a file as a whole, a sheet or a column.

    ``cells`` are the addresses the sentence is about, at most ``CELLS_KEPT`` of them.
    """

    code: str
    severity: Severity
    sheet: str | None
    field: str | None
    sentence_en: str
    sentence_cy: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class Repair:
    """Something read as it was evidently meant; the sentences name places, never values.

    ``kind`` is a key of :data:`REPAIRS`; ``count`` is how many cells, rows or columns it
    concerns.
    """

    sheet: str
    field: str | None
    sentence_en: str
    sentence_cy: str
    kind: str = ""
    count: int = 1


CELLS_KEPT = 500


PROBLEMS: dict[str, tuple[Severity, str, str]] = {
    "F100": (
        "error",
        "The file has no cover sheet, so nobody can tell whose return it is or for which quarter. "
        "Use the template, or add cover.csv to the zip.",
        "Nid oes taflen glawr yn y ffeil, felly ni ellir dweud ffurflen pwy ydyw nac ar gyfer pa "
        "chwarter. Defnyddiwch y templed, neu ychwanegwch cover.csv at y ffeil zip.",
    ),
    "F100a": (
        "error",
        "This is a single CSV file, which does not say who sends it or for which quarter. Put it "
        "into a zip as {cells} together with cover.csv: “adoption template return.zip” makes one.",
        "Un ffeil CSV yw hon, nad yw'n dweud pwy sy'n ei hanfon nac ar gyfer pa chwarter. Rhowch "
        "hi mewn ffeil zip fel {cells} ynghyd â cover.csv: mae “adoption template return.zip” yn "
        "creu un.",
    ),
    "F100b": (
        "error",
        "The file has no cover, and no sheet with the name or the headings of an adoption return. "
        "Is it for another collection? Send the workbook made from the template.",
        "Nid oes clawr yn y ffeil, na thaflen ag enw neu benawdau ffurflen fabwysiadu. Ai ar gyfer "
        "casgliad arall y mae? Anfonwch y llyfr gwaith a wnaed o'r templed.",
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
    "F102a": (
        "error",
        "The answer to “{title}” on the cover{at} is no authority or agency that sends returns. "
        "Did you mean {meant}?",
        "Nid yw'r ateb i “{title}” ar y clawr{at} yn awdurdod nac yn asiantaeth sy'n anfon "
        "ffurflenni. Ai {meant} oeddech chi'n ei feddwl?",
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
    "F209a": (
        "query",
        "Sheet {sheet} has columns without a heading that hold something (columns {cells}). They "
        "were left out of the figures.",
        "Mae gan daflen {sheet} golofnau heb bennawd sy'n cynnwys rhywbeth (colofnau {cells}). "
        "Fe'u gadawyd allan o'r ffigurau.",
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
    "F212a": (
        "error",
        "On sheet {sheet}, cells {cells} hold a reference that a spreadsheet has turned into a "
        "power of ten. Format the column as text and write the references again.",
        "Ar daflen {sheet}, mae celloedd {cells} yn cynnwys cyfeirnod y mae taenlen wedi'i droi'n "
        "bŵer o ddeg. Fformatiwch y golofn fel testun ac ysgrifennwch y cyfeirnodau eto.",
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
    "F215": (
        "query",
        "Sheet number {number} has the headings of “{title}” and {cells} filled rows, but was not "
        "read. Keep one sheet for each return, with all its rows, and call it “{title}”.",
        "Mae gan daflen rhif {number} benawdau “{title}” a {cells} o resi wedi'u llenwi, ond ni "
        "chafodd ei darllen. Cadwch un daflen ar gyfer pob ffurflen, â'i holl resi, a'i galw'n "
        "“{title}”.",
    ),
    "F216": (
        "query",
        "Sheet {sheet} is hidden, and was read. Show it and check that it is the one to send.",
        "Mae taflen {sheet} wedi'i chuddio, ac fe'i darllenwyd. Dangoswch hi a gwiriwch mai hi "
        "yw'r un i'w hanfon.",
    ),
    "F216a": (
        "query",
        "On sheet {sheet}, hidden rows were read (rows {cells}). Show them and check that they "
        "belong to the return.",
        "Ar daflen {sheet}, darllenwyd rhesi cudd (rhesi {cells}). Dangoswch hwy a gwiriwch eu bod "
        "yn perthyn i'r ffurflen.",
    ),
    "F216b": (
        "query",
        "On sheet {sheet}, hidden columns were read (columns {cells}). Show them and check what "
        "they hold.",
        "Ar daflen {sheet}, darllenwyd colofnau cudd (colofnau {cells}). Dangoswch hwy a gwiriwch "
        "beth sydd ynddynt.",
    ),
    "F217": (
        "error",
        "On sheet {sheet}, cells {cells} are merged with a neighbour, so that they are blank. Undo "
        "the merging and write the value into each cell.",
        "Ar daflen {sheet}, mae celloedd {cells} wedi'u cyfuno â chell arall, fel eu bod yn wag. "
        "Dadwnewch y cyfuno ac ysgrifennwch y gwerth ym mhob cell.",
    ),
    "F217a": (
        "query",
        "On sheet {sheet}, cells {cells} are merged with a neighbour and cannot be understood. "
        "Undo the merging and write the value into each cell.",
        "Ar daflen {sheet}, mae celloedd {cells} wedi'u cyfuno â chell arall ac ni ellir eu deall. "
        "Dadwnewch y cyfuno ac ysgrifennwch y gwerth ym mhob cell.",
    ),
    "F218": (
        "error",
        "On sheet {sheet}, rows have more values than there are headings (lines {cells}), so "
        "nobody can tell which value belongs where. Put quotation marks around text that holds the "
        "separator.",
        "Ar daflen {sheet}, mae gan resi fwy o werthoedd nag sydd o benawdau (llinellau {cells}), "
        "felly ni ellir dweud pa werth sy'n perthyn i ble. Rhowch ddyfynodau o amgylch testun sy'n "
        "cynnwys y gwahanydd.",
    ),
    "F218a": (
        "query",
        "On sheet {sheet}, rows have fewer values than there are headings (lines {cells}). What is "
        "missing at their end was read as blank.",
        "Ar daflen {sheet}, mae gan resi lai o werthoedd nag sydd o benawdau (llinellau {cells}). "
        "Darllenwyd yr hyn sydd ar goll ar eu diwedd yn wag.",
    ),
    "F219": (
        "query",
        "On sheet {sheet}, cells {cells} hold a date where a reference is expected. A spreadsheet "
        "turns 1/2 into a date: format the column as text and write the references again.",
        "Ar daflen {sheet}, mae celloedd {cells} yn cynnwys dyddiad lle disgwylir cyfeirnod. Mae "
        "taenlen yn troi 1/2 yn ddyddiad: fformatiwch y golofn fel testun ac ysgrifennwch y "
        "cyfeirnodau eto.",
    ),
    "F220": (
        "query",
        "On sheet {sheet}, rows run over several lines (those from lines {cells}). If no cell "
        "holds a line break, a quotation mark is out of place and rows were joined: check them.",
        "Ar daflen {sheet}, mae rhesi'n rhedeg dros sawl llinell (y rhai o linellau {cells}). Os "
        "nad oes toriad llinell mewn unrhyw gell, mae dyfynnod o'i le a chyfunwyd rhesi: gwiriwch "
        "hwy.",
    ),
}

# Of the file, by kind; {number} counts rows, columns or cells.
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
    "zeros": (
        "Numbers in column {cells} of sheet {sheet} (“{title}”) were read with the noughts they "
        "are shown with (cells: {number}).",
        "Darllenwyd rhifau yng ngholofn {cells} taflen {sheet} (“{title}”) gyda'r seroau a "
        "ddangosir o'u blaen (celloedd: {number}).",
    ),
    "sheet": (
        "Sheet {sheet} was read as “{title}”.",
        "Darllenwyd taflen {sheet} fel “{title}”.",
    ),
    "cover": (
        "Sheet {sheet} was read as the cover, by its questions.",
        "Darllenwyd taflen {sheet} fel y clawr, yn ôl ei chwestiynau.",
    ),
    "answer": (
        "The answer to “{title}” on the cover (cell {cells}) is written in another way than asked "
        "for, and was understood.",
        "Mae'r ateb i “{title}” ar y clawr (cell {cells}) wedi'i ysgrifennu mewn ffordd wahanol "
        "i'r hyn y gofynnir amdani, ac fe'i deallwyd.",
    ),
    "left out": (
        "Sheet number {number} is not part of the return: its filled rows ({cells}) were left out.",
        "Nid yw taflen rhif {number} yn rhan o'r ffurflen: gadawyd ei rhesi wedi'u llenwi "
        "({cells}) allan.",
    ),
}

# Of the cells of one column, found when text becomes dates, numbers and codes.
REPAIRS_OF_CELLS: dict[str, tuple[str, str]] = {
    "spaces": (
        "In column “{title}”, blanks around values were left off (cells: {number}).",
        "Yng ngholofn “{title}”, gadawyd bylchau o amgylch gwerthoedd allan (celloedd: {number}).",
    ),
    "letter case": (
        "In column “{title}”, codes or labels with other capitals, spaces or marks were understood "
        "(cells: {number}).",
        "Yng ngholofn “{title}”, deallwyd codau neu labeli â phriflythrennau, bylchau neu farciau "
        "gwahanol (celloedd: {number}).",
    ),
    "spelling": (
        "In column “{title}”, other spellings of codes were understood (cells: {number}).",
        "Yng ngholofn “{title}”, deallwyd sillafiadau eraill o godau (celloedd: {number}).",
    ),
    "date form": (
        "In column “{title}”, dates in another form than dd/mm/yyyy were understood (cells: "
        "{number}).",
        "Yng ngholofn “{title}”, deallwyd dyddiadau mewn ffurf heblaw dd/mm/bbbb (celloedd: "
        "{number}).",
    ),
    "day number": (
        "In column “{title}”, day numbers of a spreadsheet were read as dates (cells: {number}).",
        "Yng ngholofn “{title}”, darllenwyd rhifau dydd taenlen fel dyddiadau (celloedd: "
        "{number}).",
    ),
    "time of day": (
        "In column “{title}”, the time of day was left off dates (cells: {number}).",
        "Yng ngholofn “{title}”, gadawyd yr amser o'r dydd oddi ar ddyddiadau (celloedd: "
        "{number}).",
    ),
    "number form": (
        "In column “{title}”, whole numbers in another form were understood (cells: {number}).",
        "Yng ngholofn “{title}”, deallwyd rhifau cyfan mewn ffurf arall (celloedd: {number}).",
    ),
    "place name": (
        "In column “{title}”, places named instead of coded were understood (cells: {number}).",
        "Yng ngholofn “{title}”, deallwyd lleoedd a enwyd yn lle eu codio (celloedd: {number}).",
    ),
}


def repair_of_cells(kind: str, title: Text, number: int) -> Text:
    """The sentence for ``number`` cells of a column repaired in one way."""
    english, welsh = REPAIRS_OF_CELLS[kind]
    return Text(
        en=english.format(title=title.en, number=number),
        cy=welsh.format(title=title.cy, number=number),
    )


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
    meant: Text | None = None,
    at: Sequence[str] = (),
) -> FileProblem:
    """The problem ``code`` at a place. A letter after the code picks a variant, not a code.

    ``cells`` is what the sentence shows; ``at`` are the addresses it is about.
    """
    severity, english, welsh = PROBLEMS[code]
    en, cy = _fill(english, welsh, sheet, title, cells, number, meant)
    return FileProblem(code[:4], severity, sheet, field, en, cy, tuple(at[:CELLS_KEPT]))


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
    """The repair ``kind`` at a place."""
    en, cy = _fill(*REPAIRS[kind], sheet, title, cells, number)
    return Repair(sheet, field, en, cy, kind, count)


def _fill(
    english: str,
    welsh: str,
    sheet: str | None,
    title: Text | None,
    cells: str,
    number: int,
    meant: Text | None = None,
) -> tuple[str, str]:
    at = f" (cell {cells})" if cells else ""  # the same word in both languages
    places = {"sheet": sheet or "", "cells": cells, "at": at, "number": number}
    return tuple(  # type: ignore[return-value]  # two of them
        sentence.format(
            title=getattr(title, language, ""), meant=getattr(meant, language, ""), **places
        )
        for sentence, language in ((english, "en"), (welsh, "cy"))
    )
