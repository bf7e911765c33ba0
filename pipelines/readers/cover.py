"""The cover of a return: who sends it, for which quarter, and what is ticked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipelines.declarations import CoverField, Declarations, Text
from pipelines.quarters import Quarter
from pipelines.readers.casting import places_by_text
from pipelines.readers.cells import column_letters, text_at
from pipelines.readers.codes_written import codes_understood, squeezed
from pipelines.readers.content import FileContent, SheetContent
from pipelines.readers.dates_written import as_dates, stripped
from pipelines.readers.headings import looks_like, names_of_sheet
from pipelines.readers.repairs import Repair, repair
from pipelines.readers.sentences import FileProblem, problem
from pipelines.text.fuzzy_match import plain_name

COLUMNS_SEARCHED_FOR_QUESTIONS = 10
# Questions that make a sheet of another name the cover: two could be any sheet about a quarter.
_FEWEST_QUESTIONS = 3
_ALIKE = 0.8  # of difflib, for "did you mean"; names of authorities are alike by nature
_SHORTEST_NAME = 4  # letters; shorter answers resemble too many names
# "City and County of Cardiff Council", "Cyngor Sir Powys": words beside the name of the place.
_KINDS_OF_COUNCIL = frozenset(
    {
        "the",
        "of",
        "and",
        "a",
        "council",
        "city",
        "county",
        "borough",
        "metropolitan",
        "district",
        "royal",
        "london",
        "unitary",
        "authority",
        "local",
        "la",
        "mbc",
        "cbc",
        "cc",
        "bc",
        "ccbc",
        "cyngor",
        "sir",
        "dinas",
        "bwrdeistref",
        "sirol",
        "awdurdod",
        "lleol",
    }
)

_QUARTER_FIRST = re.compile(r"^([1-4])\s*(?:OF)?\s*([0-9]{4})\s*[-/]\s*(?:[0-9]{2})?([0-9]{2})$")
_YEAR_FIRST = re.compile(r"^([0-9]{4})\s*[-/]\s*(?:[0-9]{2})?([0-9]{2})\s*[-/ ]?\s*Q([1-4])$")
_QUARTER_WORD = re.compile(r"\b(?:QUARTER|CHWARTER|QTR|CH)\s*(?=[1-4]\b)")


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


def read_cover(content: FileContent, declarations: Declarations) -> CoverRead:
    """The typed answers of a file's cover. Whatever the file, ``values`` has every cover field."""
    fields = declarations.cover.fields
    values: dict[str, Any] = dict.fromkeys(field.name for field in fields)
    position = _cover_position(content, declarations)
    if position is None:
        return CoverRead(values, (_about_no_cover(content, declarations),))
    sheet = content.sheets[position]
    answers = _answers(sheet, fields)
    problems = [
        problem("F108", sheet.shown_name, field.name, title=field.title, cells=answers.cell(field))
        for field in fields
        if field.name in answers.contradicted
    ]
    is_called = squeezed(sheet.name) in _names_of_cover(declarations)
    repairs = [] if is_called or content.form == "csv" else [repair("cover", sheet.shown_name)]
    for field in fields:
        text = answers.texts.get(field.name)
        if text is not None:
            values[field.name] = _understood(text, field, declarations)
        is_required = field.required and field.unless not in answers.texts
        if values[field.name] is None and (text is not None or is_required):
            problems.append(_about_answer(sheet, field, text, answers, declarations))
        elif text is not None and field.type == "quarter" and text != values[field.name].label:
            cell = answers.cell(field)
            repairs.append(
                repair("answer", sheet.shown_name, field.name, title=field.title, cells=cell)
            )
    return CoverRead(values, tuple(problems), sheet.shown_name, tuple(repairs), position)


# --- the sheet ------------------------------------------------------------------


def _names_of_cover(declarations: Declarations) -> set[str]:
    cover = declarations.cover
    return {"cover", squeezed(cover.sheet.en), squeezed(cover.sheet.cy)}


def _cover_position(content: FileContent, declarations: Declarations) -> int | None:
    """The sheet called so, else the one with the most of the cover's questions."""
    names = _names_of_cover(declarations)
    for position, sheet in enumerate(content.sheets):
        if squeezed(sheet.name) in names:
            return position
    fields = declarations.cover.fields
    matches = [
        (len(_answers(sheet, fields).texts), -position)
        for position, sheet in enumerate(content.sheets)
    ]
    most, position = max(matches, default=(0, 0))
    return -position if most >= _FEWEST_QUESTIONS else None


def _about_no_cover(content: FileContent, declarations: Declarations) -> FileProblem:
    """Says what the file is instead: one CSV file, or a workbook of another collection."""
    known = [
        declared
        for declared in declarations.returns.values()
        if any(
            squeezed(sheet.name) in names_of_sheet(declared) or looks_like(sheet, declared)
            for sheet in content.sheets
        )
    ]
    if not known:
        return problem("F100b", None)
    if content.form == "csv":
        return problem("F100a", None, cells=f"{known[0].name}.csv")
    return problem("F100", None)


# --- questions and answers ------------------------------------------------------


@dataclass(frozen=True)
class _Answers:
    """Answers of a cover by field name, where they stand or should, and what is contradicted."""

    texts: dict[str, str]
    cells: dict[str, list[str]]
    contradicted: set[str]

    def cell(self, field: CoverField) -> str:
        """Addresses such as ``B5``, or ``B5, B9``; empty when the cover does not ask."""
        return ", ".join(self.cells.get(field.name, []))


def _answers(sheet: SheetContent, fields: Sequence[CoverField]) -> _Answers:
    """Answers stand in the cell to the right of each question."""
    names: dict[str, str] = {}
    for field in fields:
        for question in (field.name, field.title.en, field.title.cy):
            names[squeezed(question)] = field.name
    answers = _Answers({}, {}, set())
    blank: dict[str, list[str]] = {}
    for number, row in enumerate(sheet.rows, start=1):
        for column, text in enumerate(row[:COLUMNS_SEARCHED_FOR_QUESTIONS]):
            name = names.get(squeezed(text)) if text else None
            if name is None:
                continue
            cell = f"{column_letters(column + 1)}{number}"
            answer = (text_at(row, column + 1) or "").strip()
            if not answer:
                blank.setdefault(name, [cell])
                continue
            # Two answers to one question: neither may be taken, or a file could be another
            # sender's.
            if answers.texts.setdefault(name, answer) != answer:
                answers.contradicted.add(name)
                answers.cells[name].append(cell)
            answers.cells.setdefault(name, [cell])
            break
    for name, cells in blank.items():
        answers.cells.setdefault(name, cells)
    return answers


def _about_answer(
    sheet: SheetContent,
    field: CoverField,
    text: str | None,
    answers: _Answers,
    declarations: Declarations,
) -> FileProblem:
    """The problem of an answer that is missing (``text`` None) or not understood."""
    meant = _sender_meant(text, declarations) if field.type == "sender" else None
    return problem(
        "F102a" if meant else _code_of_answer(field, text),
        sheet.shown_name,
        field.name,
        title=field.title,
        cells=answers.cell(field),
        meant=meant,
        at=answers.cells.get(field.name, []),
    )


def _code_of_answer(field: CoverField, text: str | None) -> str:
    if field.type == "sender":
        return "F101" if text is None else "F102"
    if field.type == "quarter":
        return "F103" if text is None else "F104"
    if text is None:
        return "F106"
    return "F105" if field.type == "integer" else "F107"


def _sender_meant(text: str | None, declarations: Declarations) -> Text | None:
    """The sender whose name an answer holds, else the one whose name is most like it, if any is."""
    senders = [declarations.places[code] for code in declarations.senders]
    names = {
        squeezed(name): place
        for place in senders
        for name in (place.place_code, place.name_en, place.name_cy)
    }
    wanted = squeezed(text or "")
    if len(wanted) < _SHORTEST_NAME:
        return None
    # Before likeness: "Cardiff Council" is like no name, and means Cardiff.
    bare = _without_kind(text or "")
    called = [
        place
        for place in senders
        if bare and bare in (_without_kind(place.name_en), _without_kind(place.name_cy))
    ]
    close = difflib.get_close_matches(wanted, list(names), 1, _ALIKE)
    if len(called) != 1 and not close:
        return None
    place = called[0] if len(called) == 1 else names[close[0]]
    return Text(
        en=f"“{place.name_en}” ({place.place_code})", cy=f"“{place.name_cy}” ({place.place_code})"
    )


def _without_kind(name: str) -> str:
    """A place's name without the words that say what kind of council it has."""
    words = plain_name(name).split()
    return " ".join(word for word in words if word not in _KINDS_OF_COUNCIL)


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
    if field.type == "extract":
        return text if text in declarations.extracts else None
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
    day: date | None = as_dates(frame.select(stripped(pl.col("text"))).to_series()).item()
    return day


def _yes_or_no(text: str, declarations: Declarations) -> bool | None:
    # Which quarter it is stands on the same sheet, and may not be readable.
    anytime = Quarter(2000, 1)  # the codes of a cover do not change with the quarter
    codes = codes_understood(declarations, "yes_no_unknown", anytime)
    return {"yes": True, "no": False}.get(codes.meant(text) or "")
