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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import polars as pl

from pipelines.casting import as_date, places_by_text, squeezed, stripped
from pipelines.declarations import CoverField, Declarations, Return, ReturnField, Text
from pipelines.quarters import Quarter
from pipelines.readers.content import FileContent, Sheet
from pipelines.readers.sentences import FileProblem, Repair, problem, repair

ROWS_SEARCHED_FOR_HEADINGS = 20
COLUMNS_SEARCHED_FOR_QUESTIONS = 10
CELLS_NAMED = 10  # in one sentence
DAYS_FROM_1900_TO_1904 = 1_462
LEADING_COLUMNS = ("submission_id", "sender_code", "quarter", "sheet", "sheet_row")

_MONTH_FIRST = re.compile(r"\s*(0?[1-9]|1[0-2])[/.-](1[3-9]|2[0-9]|3[01])[/.-][0-9]{4}")
_DAY_NUMBER = re.compile(r"\s*[0-9]{5}\s*$", re.ASCII)
_QUARTER_FIRST = re.compile(r"^Q([1-4])\s+([0-9]{4})\s*[-/]\s*([0-9]{2})$")
_YEAR_FIRST = re.compile(r"^([0-9]{4})\s*[-/]\s*([0-9]{2})\s*[-/ ]?\s*Q([1-4])$")
_YES = ("true", "1", "y", "ie", "oes")
_NO = ("false", "0", "n", "nage", "nacoes")


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
    """

    name: str
    sheet: str
    header_row: int | None
    frame: pl.DataFrame
    columns: dict[str, str]
    rows_in_sheet: int
    blank_rows: int

    def cell(self, field_name: str, sheet_row: int) -> str | None:
        """Address such as ``B7``; None for a field that has no column."""
        letters = self.columns.get(field_name)
        return None if letters is None else f"{letters}{sheet_row}"


@dataclass(frozen=True)
class LaidOut:
    """A file as returns. ``returns`` holds those whose sheet is there, in declared order."""

    submission_id: str
    cover: CoverRead
    returns: dict[str, ReturnFound]
    problems: tuple[FileProblem, ...]
    repairs: tuple[Repair, ...]

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """Raw frames by name of the return."""
        return {name: found.frame for name, found in self.returns.items()}


def raw_schema(declared: Return) -> dict[str, Any]:
    """Columns of ``raw/<return>/…`` in order: text, but for ``sheet_row``."""
    schema: dict[str, Any] = dict.fromkeys(LEADING_COLUMNS, pl.String) | {"sheet_row": pl.Int64}
    return schema | {f.name: pl.String for f in declared.fields} | {"undeclared": pl.String}


def lay_out(content: FileContent, declarations: Declarations, submission_id: str) -> LaidOut:
    """Arrange a file's sheets as declared. Raises RowConservationError, which is a fault here."""
    cover = read_cover(content, declarations)
    problems = list(cover.problems)
    repairs: list[Repair] = []
    returns: dict[str, ReturnFound] = {}
    for declared in declarations.returns.values():
        sheets = _sheets_called(content, _words_for_return(declared))
        if not sheets:
            continue
        if len(sheets) > 1:
            problems.append(problem("F201", sheets[0].name))
        reading = _Reading(content, declared, sheets[0], cover, submission_id)
        found = reading.found()
        returns[declared.name] = found
        problems += reading.problems
        repairs += reading.repairs
        problems += _about_too_many_rows(found, declared)
    if not returns and not cover.nil_returns:
        problems.append(_no_sheets(cover, declarations))
    problems += _about_misspelt_sheets(content, declarations, returns)
    read = {cover.sheet, *(found.sheet for found in returns.values())}
    problems += [problem("F210", title) for title in content.decoded_as_cp1252 if title in read]
    return LaidOut(submission_id, cover, returns, tuple(problems), tuple(repairs))


# --- the cover ------------------------------------------------------------------


def read_cover(content: FileContent, declarations: Declarations) -> CoverRead:
    """The typed answers of a file's cover. Whatever the file, ``values`` has every cover field."""
    fields = declarations.cover.fields
    values: dict[str, Any] = dict.fromkeys(field.name for field in fields)
    sheet = _cover_sheet(content, declarations)
    if sheet is None:
        return CoverRead(values, (problem("F100", None),))
    found = _answers(sheet, fields)
    problems = [
        problem("F108", sheet.name, field.name, title=field.title, cells=found.cell(field))
        for field in fields
        if field.name in found.twice
    ]
    for field in fields:
        text = found.texts.get(field.name)
        if text is not None:
            values[field.name] = _understood(text, field, declarations)
        if values[field.name] is None and (text is not None or field.required):
            code = _cover_problem(field, text)
            cell = found.cell(field)
            problems.append(problem(code, sheet.name, field.name, title=field.title, cells=cell))
    return CoverRead(values, tuple(problems), sheet.name)


def _cover_sheet(content: FileContent, declarations: Declarations) -> Sheet | None:
    """The sheet called so, else the one with at least three of the cover's questions."""
    cover = declarations.cover
    called = _sheets_called(content, {"cover", squeezed(cover.sheet.en), squeezed(cover.sheet.cy)})
    if called:
        return called[0]
    matches = [(len(_answers(sheet, cover.fields).texts), sheet) for sheet in content.sheets]
    most, sheet = max(matches, key=lambda pair: pair[0], default=(0, None))
    return sheet if most >= 3 else None


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
    upper = text.strip().upper()
    match = _YEAR_FIRST.match(upper)
    parts = match.groups() if match else None
    if parts is None and (match := _QUARTER_FIRST.match(upper)):
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
    said = squeezed(text)
    for code in declarations.code_lists["yes_no_unknown"]:
        if said in (squeezed(code.code), squeezed(code.label_en), squeezed(code.label_cy)):
            return {"yes": True, "no": False}.get(code.code)
    return True if said in _YES else False if said in _NO else None


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


def _sheets_called(content: FileContent, words: set[str]) -> list[Sheet]:
    return [sheet for sheet in content.sheets if squeezed(sheet.name) in words]


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
    used = {found.sheet for found in returns.values()}
    for position, sheet in enumerate(content.sheets, start=1):
        close = difflib.get_close_matches(squeezed(sheet.name), list(missing), 1, 0.8)
        if close and sheet.name not in used:
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
        sheet: Sheet,
        cover: CoverRead,
        submission_id: str,
    ) -> None:
        self._declared = declared
        self._sheet = sheet
        self._cover = cover
        self._submission_id = submission_id
        self._from_1904 = content.counts_from_1904
        self.problems: list[FileProblem] = []
        self.repairs: list[Repair] = []

    def found(self) -> ReturnFound:
        header = self._header_row()
        positions = {} if header is None else self._columns(header)
        letters = {name: column_letters(position) for name, position in positions.items()}
        first = len(self._sheet.rows) if header is None else header + 1
        frame = self._frame(first, positions, header)
        rows_in_sheet = len(self._sheet.rows) - first
        blank = sum(1 for row in self._sheet.rows[first:] if not "".join(filter(None, row)).strip())
        if frame.height + blank != rows_in_sheet:
            raise RowConservationError(
                f"{self._submission_id}, sheet {self._sheet.name}: {rows_in_sheet} rows, of which "
                f"{frame.height} loaded and {blank} blank"
            )
        self._look_at_doubtful(first, letters)
        return ReturnFound(
            self._declared.name,
            self._sheet.name,
            None if header is None else header + 1,
            frame,
            letters,
            rows_in_sheet,
            blank,
        )

    def _header_row(self) -> int | None:
        """Index of the row with the most headings we know; at least two, so no data row passes."""
        known = _fields_by_heading(self._declared)
        best, most = None, min(2, len(self._declared.fields)) - 1
        for index, row in enumerate(self._sheet.rows[:ROWS_SEARCHED_FOR_HEADINGS]):
            matches = len({known[key] for cell in row if cell and (key := squeezed(cell)) in known})
            if matches > most:
                best, most = index, matches
        if best is None and any(_is_filled(row) for row in self._sheet.rows):
            self.problems.append(problem("F202", self._sheet.name))
        if best:
            self.repairs.append(repair("headings", self._sheet.name, number=best + 1))
        return best

    def _columns(self, header: int) -> dict[str, int]:
        """Column of each field found; problems for columns missing, twice or unknown."""
        known = _fields_by_heading(self._declared)
        positions: dict[str, int] = {}
        unknown: dict[int, str] = {}
        for column, heading in enumerate(self._sheet.rows[header]):
            if heading is None or not heading.strip():
                continue
            name = known.get(squeezed(heading))
            if name is None:
                unknown[column] = squeezed(heading)
            elif name in positions:
                pair = f"{column_letters(positions[name])}, {column_letters(column)}"
                field = self._declared.field(name)
                sheet = self._sheet.name
                self.problems.append(problem("F204", sheet, name, title=field.title, cells=pair))
            else:
                positions[name] = column
                self._note_heading(heading, name, column)
        self._look_for_missing(positions, unknown)
        if unknown:
            cells = _listed(column_letters(column) for column in unknown)
            self.problems.append(problem("F209", self._sheet.name, cells=cells))
        if list(positions) != [f.name for f in self._declared.fields if f.name in positions]:
            self.repairs.append(repair("order", self._sheet.name))
        return positions

    def _note_heading(self, heading: str, name: str, column: int) -> None:
        field = self._declared.field(name)
        if heading not in (field.name, field.title.en, field.title.cy):
            cells = column_letters(column)
            self.repairs.append(
                repair("heading", self._sheet.name, name, title=field.title, cells=cells)
            )

    def _look_for_missing(self, positions: Mapping[str, int], unknown: Mapping[int, str]) -> None:
        """An error for a required column that is missing, a query for any other."""
        quarter = self._cover.values.get("quarter")
        in_force = self._declared.fields_in_force(quarter) if quarter else self._declared.fields
        for field in in_force:
            if field.name in positions:
                continue
            code = "F203" if field.constraints.required else "F208"
            column = _closest(field, unknown)
            self.problems.append(
                problem(code, self._sheet.name, field.name, title=field.title)
                if column is None
                else problem(
                    f"{code}a",
                    self._sheet.name,
                    field.name,
                    title=field.title,
                    cells=column_letters(column),
                )
            )

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
            "sheet": [self._sheet.name] * height,
            "sheet_row": [number for number, _ in rows],
        }
        month_first = []
        for field in self._declared.fields:
            column = positions.get(field.name)
            values = [None if column is None else _at(row, column) for _, row in rows]
            if field.type == "date" and column is not None:
                values = self._days(values, field, column)
                if any(value and _MONTH_FIRST.match(value) for value in values):
                    month_first.append(column_letters(column))
            data[field.name] = values
        if month_first:
            self.problems.append(problem("F213", self._sheet.name, cells=_listed(month_first)))
        taken = set(positions.values())
        headings = self._sheet.rows[header] if header is not None else []
        data["undeclared"] = [_undeclared(row, taken, headings) for _, row in rows]
        return pl.DataFrame(data, schema=raw_schema(self._declared))

    def _days(self, values: list[str | None], field: ReturnField, column: int) -> list[str | None]:
        """In a workbook that counts days from 1904, plain day numbers are 1,462 days late."""
        if not self._from_1904:
            return values
        late = DAYS_FROM_1900_TO_1904
        moved = [
            str(int(text) + late) if text and _DAY_NUMBER.match(text) else text for text in values
        ]
        if moved != values:
            cells = column_letters(column)
            sheet = self._sheet.name
            self.repairs.append(repair("1904", sheet, field.name, title=field.title, cells=cells))
        return moved

    def _look_at_doubtful(self, first: int, letters: Mapping[str, str]) -> None:
        """Cells that show their author something else than the file holds.

        In a date, a number or a code such a cell is not understood and its row is held back; in
        text it would pass for a reference, so there it is an error of the file.
        """
        is_text = {
            letters[field.name]: field.type == "string" and field.code_list is None
            for field in self._declared.fields
            if field.name in letters
        }
        cells: dict[str, list[str]] = {"F211": [], "F211a": [], "F212": []}
        for cell in self._sheet.doubtful:
            column = column_letters(cell.column)
            if cell.row < first or column not in is_text:
                continue
            if cell.doubt != "rounded":
                code = "F211" if is_text[column] else "F211a"
                cells[code].append(f"{column}{cell.row + 1}")
            elif is_text[column]:
                cells["F212"].append(f"{column}{cell.row + 1}")
        for code, addresses in cells.items():
            if addresses:
                listed = _listed(addresses)
                self.problems.append(problem(code, self._sheet.name, cells=listed))


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
