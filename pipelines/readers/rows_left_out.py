"""Rows of a sheet that are no cases: totals, hints, notes, headings once more.

They were counted as cases before, each with an error for every required cell. Which row is none is
said by its first cell and by what its cells are; what could be a case stays one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pipelines.declarations import ReturnField
from pipelines.readers.cells import listed, text_at
from pipelines.readers.sentences import FileProblem, problem

Kind = Literal["total", "hint", "note", "headings"]

_CODES: dict[Kind, str] = {"total": "F225", "hint": "F225a", "note": "F225b", "headings": "F225c"}
_HINTS_WITHIN = 3  # rows below the headings
_NOTE_MARKS = ("*", "\u2020", "note", "source", "nodyn", "ffynhonnell", "nb", "key:", "end of")
_WORDS_OF_A_NOTE = 3
_LONGEST_REFERENCE = 30
_WHOLE = re.compile(r"[0-9]{1,4}(?:\.0+)?")
_EXAMPLE = re.compile(r"(?:example|e\.?g\.?|enghraifft|e\.e\.)(?![a-z])", re.IGNORECASE)
_DATE_FORM = re.compile(r"[dmyb]{1,4}([/. -])[dmyb]{1,4}\1[dmyb]{2,4}", re.IGNORECASE)


def rows_left_out(
    rows: Sequence[Sequence[str | None]],
    header: int,
    fields: Mapping[int, ReturnField],
    key_column: int | None,
    words: Mapping[str, frozenset[str]],
) -> dict[int, Kind]:
    """Rows below ``header`` (from 0) that are no cases, each with what it is.

    ``fields`` are the fields by column, ``words`` those of ``not_data.csv``.
    """
    left_out: dict[int, Kind] = {}
    headings = [_plain(text or "") for text in rows[header]]
    filled_seen = 0
    last: tuple[int, list[tuple[int, str]]] | None = None
    for index in range(header + 1, len(rows)):
        row = rows[index]
        cells = [(column, text) for column, text in enumerate(row) if text and text.strip()]
        if not cells:
            continue
        filled_seen += 1
        kind = _kind(cells, filled_seen, fields, headings, words)
        if kind is not None:
            left_out[index] = kind
        else:
            last = index, cells
    # A total without a word stands in the last row, under no reference.
    if last is not None and filled_seen > _HINTS_WITHIN:
        above = [row for n, row in enumerate(rows[: last[0]]) if n > header and n not in left_out]
        if _is_bare_total(last[1], key_column, above):
            left_out[last[0]] = "total"
    return left_out


def about_rows_left_out(left_out: Mapping[int, Kind], shown: str) -> Iterator[FileProblem]:
    """A query for each kind, with the rows and where they begin."""
    for kind, code in _CODES.items():
        rows = [index + 1 for index, each in sorted(left_out.items()) if each == kind]
        if rows:
            at = [f"A{row}" for row in rows]
            yield problem(code, shown, cells=listed(map(str, rows)), at=at)


def _kind(
    cells: Sequence[tuple[int, str]],
    position: int,
    fields: Mapping[int, ReturnField],
    headings: Sequence[str],
    words: Mapping[str, frozenset[str]],
) -> Kind | None:
    first = _plain(cells[0][1])
    if len(cells) > 1 and _repeats_headings(cells, headings):
        return "headings"
    if _says_total(first, words["total"]) and not _has_a_day(cells[1:], fields):
        return "total"
    if position <= _HINTS_WITHIN and _is_hint(cells, fields, words["hint"]):
        return "hint"
    if len(cells) == 1 and _is_note(cells[0][1].strip()):
        return "note"
    return None


def _repeats_headings(cells: Sequence[tuple[int, str]], headings: Sequence[str]) -> bool:
    same = sum(
        column < len(headings) and _plain(text) == headings[column] for column, text in cells
    )
    return same >= 2 and 2 * same > len(cells)


def _says_total(first: str, totals: frozenset[str]) -> bool:
    return first.rstrip(":. ") in totals or first.partition(":")[0].rstrip() in totals


def _has_a_day(cells: Sequence[tuple[int, str]], fields: Mapping[int, ReturnField]) -> bool:
    return any(
        column in fields and fields[column].type == "date" and not _WHOLE.fullmatch(text.strip())
        for column, text in cells
    )


def _is_hint(
    cells: Sequence[tuple[int, str]], fields: Mapping[int, ReturnField], hints: frozenset[str]
) -> bool:
    if _EXAMPLE.match(cells[0][1].strip()):
        return True
    said = sum(
        _plain(text).strip("()[]") in hints
        or bool(_DATE_FORM.fullmatch(_plain(text).strip("()[]")))
        or bool(_EXAMPLE.match(text.strip()))
        for _, text in cells
    )
    return said >= 2 and 2 * said >= len(cells)


def _is_note(text: str) -> bool:
    letters = sum(letter.isalpha() for letter in text)
    digits = sum(letter.isdigit() for letter in text)
    if text.casefold().startswith(_NOTE_MARKS) and letters >= digits:
        return True
    words = len(text.split())
    return words >= _WORDS_OF_A_NOTE and (letters > 2 * digits or len(text) > _LONGEST_REFERENCE)


def _is_bare_total(
    cells: Sequence[tuple[int, str]], key_column: int | None, above: Sequence[Sequence[str | None]]
) -> bool:
    """Numbers alone, of which one is the sum or the count of its column."""
    if key_column is None or any(column == key_column for column, _ in cells):
        return False
    if not all(_WHOLE.fullmatch(text.strip()) for _, text in cells):
        return False
    return any(_sums_up(int(float(text)), column, above) for column, text in cells)


def _sums_up(total: int, column: int, above: Sequence[Sequence[str | None]]) -> bool:
    texts = [text.strip() for row in above if (text := text_at(row, column))]
    numbers = [int(float(text)) for text in texts if _WHOLE.fullmatch(text)]
    return total > 1 and total in (len(texts), sum(numbers))


def _plain(text: str) -> str:
    return " ".join(text.strip().casefold().split())
