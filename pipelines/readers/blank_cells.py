"""Cells that hold something and say nothing: zeros of links, default dates, words such as n/a.

A spreadsheet shows a link to a blank cell as 0, and in a date column as 00/01/1900; databases write
their first or last day. None of these was ever meant as a date, so that such a cell is blank and
its column is queried: read as a value it would be present, and a rule would ask for dates that
never were.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.declarations import ReturnField
from pipelines.readers.cells import address, column_letters, listed
from pipelines.readers.dates_written import APOSTROPHES
from pipelines.readers.sentences import FileProblem, problem

# 0 as a day: Excel, LibreOffice and Google Sheets; then the first and last days of SQL Server, .NET
# and Oracle, which stand for "no date".
_NO_DAY = re.compile(
    r"(?:0+(?:\.0+)?|0{1,2}:00(?::00)?|0{1,2}[/.-]0?1[/.-](?:19)?00|0?1[/.-]0{1,2}[/.-](?:19)?00"
    r"|0{1,2}[/.-]0{1,2}[/.-](?:0000|(?:19)?00)|0000-00-00|1900-0?1-0{1,2}"
    r"|1899-12-3[01]|3[01]/12/1899|12/3[01]/1899|1900-01-0[01]|0?1/0?1/1900"
    r"|(?:0001|1753)-01-01|0?1/0?1/(?:0001|1753)|9999-12-31|31/12/9999)"
    r"(?:[T ]00:00(?::00(?:\.0+)?)?)?"
)
_FIRST_OF_A_ZERO = frozenset("0139 \t'\u2019")
_ZERO = re.compile(r"0(?:\.0+)?")
# From so many dates of zero on, zeros in text columns come from links too.
_FEWEST_ZERO_DATES = 3


@dataclass
class BlankCells:
    """What was read as blank on one sheet: (row, column) of zeros and of words."""

    zeros: list[tuple[int, int]] = field(default_factory=list)
    words: list[tuple[int, int]] = field(default_factory=list)

    def problems(self, shown: str) -> Iterator[FileProblem]:
        """One query for the zeros, one for the words."""
        for code, cells in (("F222", self.zeros), ("F223", self.words)):
            if cells:
                columns = sorted({column for _, column in cells})
                yield problem(
                    code,
                    shown,
                    cells=listed(map(column_letters, columns)),
                    number=len(cells),
                    at=[address(row, column) for row, column in sorted(cells)],
                )


@dataclass(frozen=True)
class _Column:
    position: int
    declared: ReturnField
    texts: list[str | None]


def blank_out(
    columns: Mapping[str, list[str | None]],
    fields: Mapping[str, tuple[int, ReturnField]],
    rows: Sequence[int],
    *,
    words: frozenset[str],
    key: Sequence[str],
    links_to_blank: Iterable[tuple[int, int]],
    formula_zeros: Iterable[tuple[int, int]],
    means_a_code: Callable[[ReturnField, str], bool],
) -> tuple[dict[str, list[str | None]], BlankCells]:
    """The columns without the cells that say nothing, and which these were.

    A reference of the ``key`` is never a word for nothing: it may be called so.
    ``columns`` are texts by field, ``fields`` their column and declaration, ``rows`` the sheet row
    (from 0) of each. ``links_to_blank`` are cells that show zero since they point to a blank cell,
    ``formula_zeros`` other formulas that come to zero. ``means_a_code(field, text)``: whether the
    text is understood as a code of the field.
    """
    blank = BlankCells()
    certain, likely = set(links_to_blank), set(formula_zeros)
    read = {
        name: _Column(position, declared, columns[name])
        for name, (position, declared) in fields.items()
    }
    zero_dates = sum(
        column.texts.count(text)
        for column in read.values()
        if column.declared.type == "date"
        for text in set(column.texts)
        if text is not None and _is_no_day(text)
    )
    of_links = zero_dates >= _FEWEST_ZERO_DATES
    kept = dict(columns)
    for name, column in read.items():
        is_zero = _zeros_of(column, certain, likely, of_links, means_a_code)
        # Most texts come many times, and hardly any says nothing: each is looked at once.
        suspected = {
            text
            for text in set(column.texts)
            if text is not None
            and (text[:1] in _FIRST_OF_A_ZERO or (_bare(text) in words and name not in key))
        }
        if not suspected:
            continue
        texts = list(column.texts)
        for index, text in enumerate(texts):
            if text is None or text not in suspected:
                continue
            cell = (rows[index], column.position)
            if is_zero(cell, text):
                blank.zeros.append(cell)
                texts[index] = None
            elif (
                name not in key and _bare(text) in words and not means_a_code(column.declared, text)
            ):
                blank.words.append(cell)
                texts[index] = None
        kept[name] = texts
    return kept, blank


def _zeros_of(
    column: _Column,
    certain: set[tuple[int, int]],
    likely: set[tuple[int, int]],
    of_links: bool,
    means_a_code: Callable[[ReturnField, str], bool],
) -> Callable[[tuple[int, int], str], bool]:
    """Whether a cell of the column is the zero of a blank."""
    declared = column.declared
    if declared.type == "date":
        return lambda cell, text: (
            _is_no_day(text) or (cell in certain and bool(_ZERO.fullmatch(text)))
        )
    if declared.type == "integer":  # none is a number like any other
        return lambda cell, text: cell in certain and bool(_ZERO.fullmatch(text))
    # Where 1 stands as well, 0 is one of two codes.
    is_coded = any(text and text.strip() in ("1", "1.0") for text in column.texts)
    is_code = declared.code_list is not None and means_a_code(declared, "0")

    def is_zero(cell: tuple[int, int], text: str) -> bool:
        if not _ZERO.fullmatch(text.strip()):
            return False
        return cell in certain or ((cell in likely or of_links) and not (is_coded and is_code))

    return is_zero


def _is_no_day(text: str) -> bool:
    return text[:1] in _FIRST_OF_A_ZERO and bool(_NO_DAY.fullmatch(_bare(text)))


def _bare(text: str) -> str:
    return text.strip().lstrip(APOSTROPHES).strip().casefold()
