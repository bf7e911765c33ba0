"""Finds the cover, the sheets and the columns of a return, however its author arranged them.

What is found is what was written: values stay text. Whatever had to be
repaired (a heading under another name, rows above the headings) is listed, and
what cannot be repaired becomes a problem of the file with a sentence in both
languages. No sentence holds anything from a cell.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import polars as pl

from pipelines.declarations import CoverField, Declarations, Return, ReturnField, Text
from pipelines.quarters import Quarter
from pipelines.readers.casting import as_date, places_by_text, stripped
from pipelines.readers.codes_written import codes_understood, squeezed
from pipelines.readers.content import FileContent, Sheet
from pipelines.readers.refusals import unreadable
from pipelines.readers.repairs import Repair, repair
from pipelines.readers.sentences import FileProblem, problem

ROWS_SEARCHED_FOR_HEADINGS = 20
COLUMNS_SEARCHED_FOR_QUESTIONS = 10
CELLS_NAMED = 10  # in one sentence
DAYS_FROM_1900_TO_1904 = 1_462
LEADING_COLUMNS = ("submission_id", "sender_code", "quarter", "sheet", "sheet_row")

# Sheets of the template that hold nothing of a return, in both languages.
SHEETS_OF_THE_TEMPLATE = frozenset(
    {"guidance", "canllawiau", "codes", "codau", "lists", "rhestrau", "question"}
)

_MONTH_FIRST = re.compile(r"\s*(0?[1-9]|1[0-2])[/.-](1[3-9]|2[0-9]|3[01])[/.-][0-9]{4}")
_DAY_NUMBER = re.compile(r"\s*[0-9]{5}\s*$", re.ASCII)
_QUARTER_FIRST = re.compile(r"^([1-4])\s*(?:OF)?\s*([0-9]{4})\s*[-/]\s*(?:[0-9]{2})?([0-9]{2})$")
_YEAR_FIRST = re.compile(r"^([0-9]{4})\s*[-/]\s*(?:[0-9]{2})?([0-9]{2})\s*[-/ ]?\s*Q([1-4])$")
_QUARTER_WORD = re.compile(r"\b(?:QUARTER|CHWARTER|QTR|CH)\s*(?=[1-4]\b)")
_AFTER_THE_TITLE = re.compile(r"\s*(?:\([^()]*\)|\[[^][]*\]|[*:?])+\s*$")
# What Excel shows for an error, and for a number or date wider than its column, which is what it
# writes into a CSV file.
_ERROR = re.compile(
    r"\s*(?:#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!|SPILL!|CALC!|FIELD!|BUSY!|BLOCKED!"
    r"|CONNECT!|UNKNOWN!|GETTING_DATA|ERROR!|FORMULA!)|Err:[0-9]{3}|#{3,})\s*",
    re.IGNORECASE,
)
_POWER_OF_TEN = re.compile(r"\s*[0-9](?:[.,][0-9]+)?E\+?[0-9]{1,3}\s*", re.IGNORECASE | re.ASCII)
_DATE = re.compile(r"\s*(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4})", re.ASCII)
_MERGED = "#MERGED!"  # no date, no number and no code


class RowConservationError(Exception):
    """Rows read and rows loaded differ: a fault of this program, never of the file."""


@dataclass(frozen=True)
class CoverRead:
    """The answers of the cover, by cover field name, typed; None where blank or not understood.

    ``sender_code`` str, ``quarter`` Quarter, ``version`` int, ``signed_off_on``
    date, ``is_…`` bool, the rest str. ``values`` has every cover field.
    """

    values: dict[str, Any]
    problems: tuple[FileProblem, ...]
    sheet: str | None = None
    repairs: tuple[Repair, ...] = ()
    position: int | None = None  # of the cover's sheet in the file, from 0

    @property
    def nil_returns(self) -> frozenset[str]:
        """Names of the returns ticked as nil."""
        return frozenset(
            name.removeprefix("is_nil_")
            for name, value in self.values.items()
            if name.startswith("is_nil_") and value is True
        )


@dataclass(frozen=True)
class ReturnFound:
    """One return's sheet: the raw frame and where its cells lie.

    ``frame`` is in the raw room's shape. ``columns`` gives the column letters of
    each field found; ``header_row`` counts from 1, None when no headings were
    found. ``rows_in_sheet`` (below the headings) = ``frame.height`` + ``blank_rows``.
    ``sheet`` is the sheet's name fit to be shown; ``position`` (from 1) says which sheet it is.
    """

    name: str
    sheet: str
    header_row: int | None
    frame: pl.DataFrame
    columns: dict[str, str]
    rows_in_sheet: int
    blank_rows: int
    position: int = 0

    def cell(self, field_name: str, sheet_row: int) -> str | None:
        """Address such as ``B7``; None for a field that has no column."""
        letters = self.columns.get(field_name)
        return None if letters is None else f"{letters}{sheet_row}"


@dataclass(frozen=True)
class SheetAccount:
    """What became of the filled rows of one sheet: ``filled`` = ``loaded`` + ``ignored``.

    ``filled`` was counted in the file without the parser. ``part`` is ``cover``,
    a return's name, or ``none`` for a sheet that is no part of the return;
    ``ignored`` are the cover's rows, headings and what stands above them, and
    every row of a sheet that is no part.
    """

    number: int
    part: str
    filled: int
    loaded: int
    ignored: int


@dataclass(frozen=True)
class LaidOut:
    """A file as returns. ``returns`` holds those whose sheet is there, in declared order."""

    submission_id: str
    cover: CoverRead
    returns: dict[str, ReturnFound]
    problems: tuple[FileProblem, ...]
    repairs: tuple[Repair, ...]
    account: tuple[SheetAccount, ...] = ()

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """Raw frames by name of the return."""
        return {name: found.frame for name, found in self.returns.items()}


def raw_schema(declared: Return) -> dict[str, Any]:
    """Columns of ``raw/<return>/…`` in order: text, but for ``sheet_row``."""
    schema: dict[str, Any] = dict.fromkeys(LEADING_COLUMNS, pl.String) | {"sheet_row": pl.Int64}
    return schema | {f.name: pl.String for f in declared.fields} | {"undeclared": pl.String}


def lay_out(content: FileContent, declarations: Declarations, submission_id: str) -> LaidOut:
    """Arrange a file's sheets as declared.

    A file whose rows are not all accounted for has no returns and the problem F006: it is refused,
    and those that came with it are not. That it comes to this is a fault of this program.
    """
    cover = read_cover(content, declarations)
    try:
        return _laid_out(content, cover, declarations, submission_id)
    except RowConservationError:
        lost = unreadable("F006")
        problem = FileProblem("F006", "error", None, None, lost.sentence_en, lost.sentence_cy)
        return LaidOut(submission_id, cover, {}, (*cover.problems, problem), cover.repairs)


def _laid_out(
    content: FileContent, cover: CoverRead, declarations: Declarations, submission_id: str
) -> LaidOut:
    problems = list(cover.problems)
    repairs = list(cover.repairs)
    returns: dict[str, ReturnFound] = {}
    chosen = _chosen_sheets(content, cover, declarations)
    for name, (positions, by_headings) in chosen.items():
        declared, position = declarations.returns[name], positions[0]
        sheet = content.sheets[position]
        if len(positions) > 1:
            problems.append(problem("F201", shown_name(sheet)))
        reading = _Reading(content, declared, position, cover, submission_id)
        found = reading.found()
        returns[name] = found
        problems += reading.problems
        if by_headings:
            repairs.append(
                repair("sheet", found.sheet, title=declared.sheet, count=found.frame.height)
            )
        repairs += reading.repairs
        problems += _about_too_many_rows(found, declared)
    if not returns and not cover.nil_returns and cover.sheet is not None:
        problems.append(_no_sheets(cover, declarations))
    problems += _about_misspelt_sheets(content, declarations, returns)
    account = _account(content, cover, returns, submission_id)
    for line in account:
        if line.part == "none" and line.filled:
            problems += _about_a_sheet_like_a_return(content, declarations, line, chosen)
            repairs += _left_out(content.sheets[line.number - 1], line)
    read = {cover.position, *(found.position - 1 for found in returns.values())}
    by_guess = {content.sheets[position].name for position in read if position is not None}
    problems += [
        problem("F210", _shown(title)) for title in content.decoded_as_cp1252 if title in by_guess
    ]
    return LaidOut(submission_id, cover, returns, tuple(problems), tuple(repairs), tuple(account))


def _account(
    content: FileContent,
    cover: CoverRead,
    returns: Mapping[str, ReturnFound],
    submission_id: str,
) -> list[SheetAccount]:
    """Every filled row of the file is loaded or ignored as declared; anything else is our fault."""
    parts = {found.position - 1: name for name, found in returns.items()}
    account = []
    for position, sheet in enumerate(content.sheets):
        came_through = sum(1 for row in sheet.rows if _is_filled(row))
        filled = came_through if sheet.filled_rows is None else sheet.filled_rows
        part = parts.get(position, "cover" if position == cover.position else "none")
        loaded = above = 0
        if part in returns:
            found = returns[part]
            loaded = found.frame.height
            first = len(sheet.rows) if found.header_row is None else found.header_row
            above = sum(1 for row in sheet.rows[:first] if _is_filled(row))
        else:
            above = came_through
        if loaded + above != filled:
            raise RowConservationError(
                f"{submission_id}, sheet number {position + 1}: {filled} filled rows counted, "
                f"{loaded} loaded and {above} ignored"
            )
        account.append(SheetAccount(position + 1, part, filled, loaded, above))
    return account


def shown_name(sheet: Sheet) -> str:
    """A sheet's name fit to be shown: no control or direction-changing characters."""
    return _shown(sheet.name)


def _shown(name: str) -> str:
    return "".join(c for c in name if unicodedata.category(c)[0] != "C")[:100]


# --- the cover ------------------------------------------------------------------


def read_cover(content: FileContent, declarations: Declarations) -> CoverRead:
    """The typed answers of a file's cover. Whatever the file, ``values`` has every cover field."""
    fields = declarations.cover.fields
    values: dict[str, Any] = dict.fromkeys(field.name for field in fields)
    position = _cover_position(content, declarations)
    if position is None:
        return CoverRead(values, (_about_no_cover(content, declarations),))
    sheet = content.sheets[position]
    shown = shown_name(sheet)
    found = _answers(sheet, fields)
    problems = [
        problem("F108", shown, field.name, title=field.title, cells=found.cell(field))
        for field in fields
        if field.name in found.twice
    ]
    is_called = squeezed(sheet.name) in _words_for_cover(declarations)
    repairs = [] if is_called or content.form == "csv" else [repair("cover", shown)]
    for field in fields:
        text = found.texts.get(field.name)
        cell = found.cell(field)
        if text is not None:
            values[field.name] = _understood(text, field, declarations)
        if values[field.name] is None and (text is not None or field.required):
            meant = _sender_meant(text, declarations) if field.type == "sender" else None
            code = "F102a" if meant else _cover_problem(field, text)
            at = found.cells.get(field.name, [])
            problems.append(
                problem(code, shown, field.name, title=field.title, cells=cell, meant=meant, at=at)
            )
        elif text is not None and field.type == "quarter" and text != values[field.name].label:
            repairs.append(repair("answer", shown, field.name, title=field.title, cells=cell))
    return CoverRead(values, tuple(problems), shown, tuple(repairs), position)


def _words_for_cover(declarations: Declarations) -> set[str]:
    cover = declarations.cover
    return {"cover", squeezed(cover.sheet.en), squeezed(cover.sheet.cy)}


def _cover_position(content: FileContent, declarations: Declarations) -> int | None:
    """The sheet called so, else the one with at least three of the cover's questions."""
    words = _words_for_cover(declarations)
    for position, sheet in enumerate(content.sheets):
        if squeezed(sheet.name) in words:
            return position
    fields = declarations.cover.fields
    matches = [
        (len(_answers(sheet, fields).texts), -position)
        for position, sheet in enumerate(content.sheets)
    ]
    most, position = max(matches, default=(0, 0))
    return -position if most >= 3 else None


def _about_no_cover(content: FileContent, declarations: Declarations) -> FileProblem:
    """Says what the file is instead: one CSV file, or a workbook of another collection."""
    known = [
        declared
        for declared in declarations.returns.values()
        if any(
            squeezed(sheet.name) in _words_for_return(declared) or _is_like(sheet, declared)
            for sheet in content.sheets
        )
    ]
    if not known:
        return problem("F100b", None)
    if content.form == "csv":
        return problem("F100a", None, cells=f"{known[0].name}.csv")
    return problem("F100", None)


def _sender_meant(text: str | None, declarations: Declarations) -> Text | None:
    """The sender whose name is most like an answer, if any is."""
    names = {
        squeezed(name): place
        for code in declarations.senders
        for place in (declarations.places[code],)
        for name in (code, place.name_en, place.name_cy)
    }
    wanted = squeezed(text or "")
    close = difflib.get_close_matches(wanted, list(names), 1, 0.8) if len(wanted) > 3 else []
    if not close:
        return None
    place = names[close[0]]
    return Text(
        en=f"“{place.name_en}” ({place.place_code})", cy=f"“{place.name_cy}” ({place.place_code})"
    )


@dataclass(frozen=True)
class _Answers:
    """Answers of a cover by field name, where they stand or should, and what is answered twice."""

    texts: dict[str, str]
    cells: dict[str, list[str]]
    twice: set[str]

    def cell(self, field: CoverField) -> str:
        """Addresses such as ``B5``, or ``B5, B9``; empty when the cover does not ask."""
        return ", ".join(self.cells.get(field.name, []))


def _answers(sheet: Sheet, fields: Sequence[CoverField]) -> _Answers:
    """Answers stand in the cell to the right of each question."""
    names: dict[str, str] = {}
    for field in fields:
        for words in (field.name, field.title.en, field.title.cy):
            names[squeezed(words)] = field.name
    found = _Answers({}, {}, set())
    blank: dict[str, list[str]] = {}
    for number, row in enumerate(sheet.rows, start=1):
        for column, text in enumerate(row[:COLUMNS_SEARCHED_FOR_QUESTIONS]):
            name = names.get(squeezed(text)) if text else None
            if name is None:
                continue
            cell = f"{column_letters(column + 1)}{number}"
            answer = (_at(row, column + 1) or "").strip()
            if not answer:
                blank.setdefault(name, [cell])
                continue
            if found.texts.setdefault(name, answer) != answer:
                found.twice.add(name)
                found.cells[name].append(cell)
            found.cells.setdefault(name, [cell])
            break
    for name, cells in blank.items():
        found.cells.setdefault(name, cells)
    return found


def _understood(text: str, field: CoverField, declarations: Declarations) -> Any:
    """A cover answer as what it should be; None when it is not."""
    if field.type == "sender":
        code = places_by_text(declarations).get(squeezed(text))
        return code if code in declarations.senders else None
    if field.type == "quarter":
        return _quarter(text)
    if field.type == "integer":
        return int(text) if re.fullmatch(r"[0-9]{1,6}", text) and int(text) > 0 else None
    if field.type == "date":
        return _day(text)
    if field.type == "yes_no":
        return _yes_or_no(text, declarations)
    return text


def _quarter(text: str) -> Quarter | None:
    """``2025-26-Q1``, and the forms in which public reports write it (``Q1 2025/26``)."""
    upper = _QUARTER_WORD.sub("Q", text.strip().upper())
    match = _YEAR_FIRST.match(upper)
    parts = match.groups() if match else None
    if parts is None and upper[:1] == "Q" and (match := _QUARTER_FIRST.match(upper[1:])):
        parts = (match[2], match[3], match[1])
    if parts is None:
        return None
    try:
        return Quarter.parse(f"{parts[0]}-{parts[1]}-Q{parts[2]}")
    except ValueError:
        return None


def _day(text: str) -> date | None:
    frame = pl.DataFrame({"text": [text]}, schema={"text": pl.String})
    day: date | None = frame.select(as_date(stripped(pl.col("text")))).item()
    return day


def _yes_or_no(text: str, declarations: Declarations) -> bool | None:
    anytime = Quarter(2000, 1)  # the codes of a cover do not change with the quarter
    codes = codes_understood(declarations, "yes_no_unknown", anytime)
    return {"yes": True, "no": False}.get(codes.meant(text) or "")


def _cover_problem(field: CoverField, text: str | None) -> str:
    if field.type == "sender":
        return "F101" if text is None else "F102"
    if field.type == "quarter":
        return "F103" if text is None else "F104"
    if text is None:
        return "F106"
    return "F105" if field.type == "integer" else "F107"


# --- sheets ---------------------------------------------------------------------


def _words_for_return(declared: Return) -> set[str]:
    words = (declared.name, declared.sheet.en, declared.sheet.cy)
    return {squeezed(word) for word in (*words, declared.title.en, declared.title.cy)}


def _chosen_sheets(
    content: FileContent, cover: CoverRead, declarations: Declarations
) -> dict[str, tuple[list[int], bool]]:
    """The positions of each return's sheets, by name; else of the only sheet with its headings."""
    chosen: dict[str, tuple[list[int], bool]] = {}
    for name, declared in declarations.returns.items():
        words = _words_for_return(declared)
        called = [n for n, sheet in enumerate(content.sheets) if squeezed(sheet.name) in words]
        if called:
            chosen[name] = (called, False)
    taken = {n for positions, _ in chosen.values() for n in positions}
    if content.form != "csv":  # one CSV file may be cover and return in one
        taken |= {cover.position} if cover.position is not None else set()
    for name, declared in declarations.returns.items():
        if name not in chosen:
            alike = [
                n
                for n, sheet in enumerate(content.sheets)
                if n not in taken and _is_like(sheet, declared)
            ]
            if len(alike) == 1:
                chosen[name] = (alike, True)
    order = list(declarations.returns)
    return {name: chosen[name] for name in order if name in chosen}


def _is_like(sheet: Sheet, declared: Return) -> bool:
    """Whether a sheet has a return's headings: its key, and most of what is required."""
    header = _header_row(sheet, declared)
    if header is None or squeezed(sheet.name) in SHEETS_OF_THE_TEMPLATE:
        return False
    known = _fields_by_heading(declared)
    names = {known.get(_heading(cell, known)) for cell in sheet.rows[header] if cell}
    required = {f.name for f in declared.fields if f.constraints.required}
    key = set(declared.primary_key) or required
    return bool(key & names) and len(required & names) >= 0.6 * len(required)


def _about_a_sheet_like_a_return(
    content: FileContent,
    declarations: Declarations,
    line: SheetAccount,
    chosen: Mapping[str, tuple[list[int], bool]],
) -> Iterator[FileProblem]:
    """A query for a sheet that was not read although it looks like a return."""
    if any(line.number - 1 in positions for positions, _ in chosen.values()):
        return  # a second sheet for one return is said by F201
    sheet = content.sheets[line.number - 1]
    for declared in declarations.returns.values():
        if _is_like(sheet, declared):
            cells = str(line.filled)
            yield problem("F215", None, title=declared.sheet, number=line.number, cells=cells)


def _left_out(sheet: Sheet, line: SheetAccount) -> Iterator[Repair]:
    if squeezed(sheet.name) not in SHEETS_OF_THE_TEMPLATE:
        rows = str(line.filled)
        yield repair("left out", "", number=line.number, cells=rows, count=line.filled)


def _no_sheets(cover: CoverRead, declarations: Declarations) -> FileProblem:
    """Names the sheets this sender owes, as far as the cover says who sends and for when."""
    sender, quarter = cover.values["sender_code"], cover.values["quarter"]
    due = declarations.due_from(sender, quarter) if sender and quarter else ()
    wanted = [each for name, each in declarations.returns.items() if name in due or not due]
    names = Text(
        en=", ".join(f"“{each.sheet.en}” (“{each.sheet.cy}”)" for each in wanted),
        cy=", ".join(f"“{each.sheet.cy}” (“{each.sheet.en}”)" for each in wanted),
    )
    files = ", ".join(f"{each.name}.csv" for each in wanted)
    return problem("F200", None, title=names, cells=files)


def _about_misspelt_sheets(
    content: FileContent, declarations: Declarations, returns: Mapping[str, ReturnFound]
) -> Iterator[FileProblem]:
    """A query for a sheet whose name is nearly that of a return that has none."""
    missing = {
        word: declared
        for declared in declarations.returns.values()
        if declared.name not in returns
        for word in _words_for_return(declared)
    }
    used = {found.position for found in returns.values()}
    for position, sheet in enumerate(content.sheets, start=1):
        close = difflib.get_close_matches(squeezed(sheet.name)[:100], list(missing), 1, 0.8)
        if close and position not in used:
            wanted = missing[close[0]]
            yield problem("F214", None, None, title=wanted.sheet, number=position)


def _about_too_many_rows(found: ReturnFound, declared: Return) -> Iterator[FileProblem]:
    if declared.max_rows is not None and found.frame.height > declared.max_rows:
        yield problem("F207", found.sheet, number=declared.max_rows)


@lru_cache(maxsize=64)
def _fields_by_heading(declared: Return) -> Mapping[str, str]:
    """Field names by squeezed heading: its name, else its title, else a synonym, of any field."""
    found: dict[str, str] = {}
    for words_of in (_names, _titles, _synonyms):
        for field in declared.fields:
            for words in words_of(field):
                found.setdefault(squeezed(words), field.name)
    return found


def _heading(text: str, known: Mapping[str, str]) -> str:
    """A heading squeezed; without a note behind it, such as (dd/mm/yyyy) or *, if that is known."""
    whole = squeezed(text)
    if whole not in known:
        bare = squeezed(_AFTER_THE_TITLE.sub("", text))
        if bare in known:
            return bare
    return whole


def _header_row(sheet: Sheet, declared: Return) -> int | None:
    """Index of the row with the most headings we know; at least two, so no data row passes."""
    known = _fields_by_heading(declared)
    best, most = None, min(2, len(declared.fields)) - 1
    for index, row in enumerate(sheet.rows[:ROWS_SEARCHED_FOR_HEADINGS]):
        matches = len({known[key] for c in row if c and (key := _heading(c, known)) in known})
        if matches > most:
            best, most = index, matches
    return best


def _names(field: ReturnField) -> tuple[str, ...]:
    return (field.name,)


def _titles(field: ReturnField) -> tuple[str, ...]:
    return (field.title.en, field.title.cy)


def _synonyms(field: ReturnField) -> tuple[str, ...]:
    return field.synonyms


class _Reading:
    """Reads one sheet as one return, collecting problems and repairs."""

    def __init__(
        self,
        content: FileContent,
        declared: Return,
        position: int,
        cover: CoverRead,
        submission_id: str,
    ) -> None:
        self._declared = declared
        self._position = position
        self._sheet = content.sheets[position]
        self._name = declared.name if content.form == "csv" else shown_name(self._sheet)
        self._cover = cover
        self._submission_id = submission_id
        self._from_1904 = content.counts_from_1904
        self._merged = {(c.row, c.column) for c in self._sheet.doubtful if c.doubt == "merged"}
        self.problems: list[FileProblem] = []
        self.repairs: list[Repair] = []

    def found(self) -> ReturnFound:
        header = self._found_header()
        positions = {} if header is None else self._columns(header)
        letters = {name: column_letters(position) for name, position in positions.items()}
        first = len(self._sheet.rows) if header is None else header + 1
        frame = self._frame(first, positions, header)
        rows_in_sheet = len(self._sheet.rows) - first
        blank = sum(1 for row in self._sheet.rows[first:] if not "".join(filter(None, row)).strip())
        if frame.height + blank != rows_in_sheet:
            raise RowConservationError(
                f"{self._submission_id}, sheet {self._name}: {rows_in_sheet} rows, of which "
                f"{frame.height} loaded and {blank} blank"
            )
        self._look_at_doubtful(first, positions)
        self._look_at_hidden(first, positions)
        if header is not None and self._sheet.lengths is not None:
            self._look_at_lengths(header, self._sheet.lengths)
        return ReturnFound(
            self._declared.name,
            self._name,
            None if header is None else header + 1,
            frame,
            letters,
            rows_in_sheet,
            blank,
            self._position + 1,
        )

    def _found_header(self) -> int | None:
        best = _header_row(self._sheet, self._declared)
        if best is None and any(_is_filled(row) for row in self._sheet.rows):
            self._say("F202")
        if best:
            self.repairs.append(repair("headings", self._name, number=best + 1))
        return best

    def _say(self, code: str, field: str | None = None, **places: Any) -> None:
        self.problems.append(problem(code, self._name, field, **places))

    def _columns(self, header: int) -> dict[str, int]:
        """Column of each field found; problems for columns missing, twice or unknown."""
        known = _fields_by_heading(self._declared)
        positions: dict[str, int] = {}
        unknown: dict[int, str] = {}
        for column, heading in enumerate(self._sheet.rows[header]):
            if heading is None or not heading.strip():
                continue
            key = _heading(heading, known)
            name = known.get(key)
            if name is None:
                unknown[column] = key
            elif name in positions:
                pair = f"{column_letters(positions[name])}, {column_letters(column)}"
                self._say("F204", name, title=self._declared.field(name).title, cells=pair)
            else:
                positions[name] = column
                self._note_heading(heading, name, column)
        self._look_for_missing(positions, unknown)
        if unknown:
            self._say("F209", cells=_listed(column_letters(column) for column in unknown))
        if list(positions) != [f.name for f in self._declared.fields if f.name in positions]:
            self.repairs.append(repair("order", self._name, count=len(positions)))
        return positions

    def _note_heading(self, heading: str, name: str, column: int) -> None:
        field = self._declared.field(name)
        if heading not in (field.name, field.title.en, field.title.cy):
            cells = column_letters(column)
            self.repairs.append(repair("heading", self._name, name, title=field.title, cells=cells))

    def _look_for_missing(self, positions: Mapping[str, int], unknown: Mapping[int, str]) -> None:
        """An error for a required column that is missing, a query for any other."""
        quarter = self._cover.values.get("quarter")
        in_force = self._declared.fields_in_force(quarter) if quarter else self._declared.fields
        for field in in_force:
            if field.name in positions:
                continue
            code = "F203" if field.constraints.required else "F208"
            column = _closest(field, unknown)
            if column is None:
                self._say(code, field.name, title=field.title)
            else:
                cells = column_letters(column)
                self._say(f"{code}a", field.name, title=field.title, cells=cells)

    def _frame(self, first: int, positions: Mapping[str, int], header: int | None) -> pl.DataFrame:
        rows = [
            (number, row)
            for number, row in enumerate(self._sheet.rows[first:], start=first + 1)
            if _is_filled(row)
        ]
        quarter = self._cover.values.get("quarter")
        height = len(rows)
        data: dict[str, list[Any]] = {
            "submission_id": [self._submission_id] * height,
            "sender_code": [self._cover.values.get("sender_code")] * height,
            "quarter": [quarter.label if quarter else None] * height,
            "sheet": [self._name] * height,
            "sheet_row": [number for number, _ in rows],
        }
        month_first = []
        for field in self._declared.fields:
            column = positions.get(field.name)
            values = [None if column is None else _at(row, column) for _, row in rows]
            if column is not None and self._merged and not is_free_text(field):
                values = [
                    _MERGED if (number - 1, column) in self._merged else text
                    for (number, _), text in zip(rows, values, strict=True)
                ]
            if field.type == "date" and column is not None:
                values = self._days(values, field, column)
                if any(value and _MONTH_FIRST.match(value) for value in values):
                    month_first.append(column_letters(column))
            data[field.name] = values
        if month_first:
            self._say("F213", cells=_listed(month_first))
        data["undeclared"] = self._undeclared(rows, set(positions.values()), header)
        return pl.DataFrame(data, schema=raw_schema(self._declared))

    def _undeclared(
        self, rows: Sequence[tuple[int, Sequence[str | None]]], taken: set[int], header: int | None
    ) -> list[str | None]:
        headings = self._sheet.rows[header] if header is not None else []
        kept = [_undeclared(row, taken, headings) for _, row in rows]
        if header is not None:
            nameless = sorted(
                {
                    column
                    for _, row in rows
                    for column in range(len(row))
                    if column not in taken and not _at(headings, column) and _at(row, column)
                }
            )
            if nameless and self._sheet.lengths is None:  # in a CSV file the row is too long
                self._say("F209a", cells=_listed(map(column_letters, nameless)))
        return kept

    def _days(self, values: list[str | None], field: ReturnField, column: int) -> list[str | None]:
        """In a workbook that counts days from 1904, plain day numbers are 1,462 days late."""
        if not self._from_1904:
            return values
        late = DAYS_FROM_1900_TO_1904
        moved = [
            str(int(text) + late) if text and _DAY_NUMBER.match(text) else text for text in values
        ]
        count = sum(1 for old, new in zip(values, moved, strict=True) if old != new)
        if count:
            cells, title = column_letters(column), field.title
            self.repairs.append(
                repair("1904", self._name, field.name, title=title, cells=cells, count=count)
            )
        return moved

    def _look_at_doubtful(self, first: int, positions: Mapping[str, int]) -> None:
        """Cells that show their author something else than the file holds.

        In a date, a number or a code such a cell is not understood and its row is held back; in
        text it would pass for a reference, so there it is an error of the file.
        """
        fields = {column: self._declared.field(name) for name, column in positions.items()}
        found: dict[str, list[tuple[int, int]]] = {}
        noted = {}
        for cell in self._sheet.doubtful:
            field = fields.get(cell.column)
            if field is None or cell.row < first or not _is_filled(self._sheet.rows[cell.row]):
                continue
            noted[cell.row, cell.column] = cell.doubt
            code = {"rounded": "F212", "merged": "F217"}.get(cell.doubt, "F211")
            if is_free_text(field):
                found.setdefault(code, []).append((cell.row, cell.column))
            elif code != "F212":
                found.setdefault(f"{code}a", []).append((cell.row, cell.column))
        for column, field in fields.items():
            for row in range(first, len(self._sheet.rows)):
                text = _at(self._sheet.rows[row], column)
                if text is not None and (row, column) not in noted:
                    code = _doubt_of(text, field)
                    if code is not None:
                        found.setdefault(code, []).append((row, column))
        for code in sorted(found):
            cells = [f"{column_letters(column)}{row + 1}" for row, column in sorted(found[code])]
            self._say(code, cells=_listed(cells), at=cells)
        self._look_at_zeros(first, fields)

    def _look_at_zeros(self, first: int, fields: Mapping[int, ReturnField]) -> None:
        counts: dict[int, int] = {}
        for row, column in self._sheet.zeros_restored:
            if row >= first and column in fields:
                counts[column] = counts.get(column, 0) + 1
        for column, count in sorted(counts.items()):
            field, cells = fields[column], column_letters(column)
            self.repairs.append(
                repair(
                    "zeros",
                    self._name,
                    field.name,
                    title=field.title,
                    cells=cells,
                    number=count,
                    count=count,
                )
            )

    def _look_at_hidden(self, first: int, positions: Mapping[str, int]) -> None:
        sheet = self._sheet
        if sheet.is_hidden and any(_is_filled(row) for row in sheet.rows[first:]):
            self._say("F216")
        rows = [
            row + 1 for row in sheet.hidden_rows if row >= first and _is_filled(sheet.rows[row])
        ]
        if rows:
            self._say("F216a", cells=_listed(map(str, rows)))
        columns = sorted(set(sheet.hidden_columns) & set(positions.values()))
        filled = [c for c in columns if any(_at(row, c) for row in sheet.rows[first:])]
        if filled:
            self._say("F216b", cells=_listed(map(column_letters, filled)))

    def _look_at_lengths(self, header: int, lengths: Sequence[int]) -> None:
        """Rows of a CSV file that are longer or shorter than its headings, or run over lines."""
        headings = self._sheet.rows[header]
        last = max(n for n, heading in enumerate(headings) if heading and heading.strip())
        long, short, joined = [], [], []
        for index in range(header + 1, len(self._sheet.rows)):
            row = self._sheet.rows[index]
            if not _is_filled(row):
                continue
            if any(_at(row, column) for column in range(len(headings), len(row))):
                long.append(index + 1)
            elif lengths[index] <= last:
                short.append(index + 1)
            if index + 1 < len(lengths) and lengths[index + 1] == -1:
                joined.append(index + 1)
        for code, found in (("F218", long), ("F218a", short), ("F220", joined)):
            if found:
                self._say(code, cells=_listed(map(str, found)))


def is_free_text(field: ReturnField) -> bool:
    """Whether a field takes any text: a reference or a name."""
    return field.type == "string" and field.code_list is None


def _doubt_of(text: str, field: ReturnField) -> str | None:
    """The code of what is wrong with a text wherever it came from; None for nothing."""
    if text.lstrip()[0] in "#Ee" and _ERROR.fullmatch(text):
        return "F211" if is_free_text(field) else "F211a"
    if field.privacy == "identifier":
        if _POWER_OF_TEN.fullmatch(text):
            return "F212a"
        if _DATE.match(text):
            return "F219"
    return None


def column_letters(column: int) -> str:
    """``0`` → ``A``, ``26`` → ``AA``."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _is_filled(row: Iterable[str | None]) -> bool:
    return any(cell is not None and not cell.isspace() and cell != "" for cell in row)


def _at(row: Sequence[str | None], column: int) -> str | None:
    """A cell's text as written; blank is None."""
    text = row[column] if column < len(row) else None
    return text if text is not None and text.strip() else None


def _undeclared(
    row: Sequence[str | None], taken: set[int], headings: Sequence[str | None]
) -> str | None:
    """Values of the columns that are no field, as JSON by heading (else by column letters)."""
    kept: dict[str, str] = {}
    for column, text in enumerate(row):
        if column not in taken and text is not None and text.strip():
            heading = (_at(headings, column) or "").strip()
            letters = column_letters(column)
            key = heading or f"column {letters}"
            kept[key if key not in kept else f"{key} (column {letters})"] = text
    return json.dumps(kept, ensure_ascii=False) if kept else None


def _closest(field: ReturnField, unknown: Mapping[int, str]) -> int | None:
    """The unknown column whose heading is most like the field's name, title or a synonym."""
    words = [squeezed(w) for w in (*_names(field), *_titles(field), *_synonyms(field))]
    scored = [
        (difflib.SequenceMatcher(None, heading, word).ratio(), -column)
        for column, heading in unknown.items()
        for word in words
    ]
    score, column = max(scored, default=(0.0, 0))
    return -column if score >= 0.7 else None


def _listed(cells: Iterable[str]) -> str:
    """The first ten addresses, and how many more."""
    every = list(cells)
    more = len(every) - CELLS_NAMED
    return ", ".join(every[:CELLS_NAMED]) + (f" (+{more})" if more > 0 else "")
