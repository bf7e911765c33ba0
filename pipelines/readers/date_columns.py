"""What went wrong with whole columns of dates before anybody wrote a return from them.

A spreadsheet set for the United States that opens British dates turns 04/03/2020 into 3 April and
leaves 25/03/2020 as text, since there is no 25th month. Afterwards each date by itself looks right:
of 210 dates swapped so, 92 passed every rule. Only the column shows it: real dates whose day is
never above 12 beside texts whose day always is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.declarations import ReturnField
from pipelines.readers.cells import address, column_letters, listed
from pipelines.readers.dates_written import APOSTROPHES
from pipelines.readers.sentences import FileProblem, problem

_REAL = re.compile(r"[0-9]{4}-[0-9]{2}-([0-9]{2})(?:[T ]|$)", re.ASCII)
_TEXT = re.compile(r"([0-9]{1,2})\s?([/. -])\s?([0-9]{1,2})\s?\2\s?[0-9]{4}\b", re.ASCII)
_TWO_DIGITS = re.compile(
    r"(?:[0-9]{1,2}\s?([/. -])\s?[0-9]{1,2}\s?\1\s?|[0-9]{1,2}[ -]\w{3,10}\.?[ -]"
    r"|\w{3,10}\.?[ -][0-9]{1,2},?[ -]|[0-9]{1,2}\w{3})'?[0-9]{2}(?:[T ][0-9:]+)?"
)
_DAYS_ABOVE_12 = 18.4 / 30.4  # of all days of a year the share whose day is above 12
# How often chance alone gives so many days up to 12 beside so many above; below it is no chance.
_CHANCE = 0.001
_FEWEST = 3  # dates with years of two digits that are the way a whole column is written


@dataclass
class _Column:
    """How the dates of one column are written, counted."""

    declared: ReturnField
    real_low: int = 0  # dates of the spreadsheet whose day is 12 or less
    real_high: int = 0
    day_first: int = 0  # texts whose first number is above 12
    month_first: int = 0  # texts whose second number is above 12
    either: int = 0  # texts that could be both
    others: int = 0
    two_digits: list[tuple[int, int]] = field(default_factory=list)

    @property
    def looks_swapped(self) -> bool:
        """Nothing in the column speaks against it."""
        return bool(
            self.real_low and not self.real_high and not self.either
            and not (self.day_first and self.month_first)
        )  # fmt: skip

    @property
    def chance(self) -> float:
        """Of such a column where nothing was swapped."""
        texts = self.day_first + self.month_first
        return (1 - _DAYS_ABOVE_12) ** self.real_low * _DAYS_ABOVE_12**texts

    @property
    def is_month_first(self) -> bool:
        return bool(self.month_first and not self.day_first and not self.real_high)

    @property
    def is_mixed(self) -> bool:
        return bool(self.month_first)

    @property
    def dates(self) -> int:
        return (
            self.real_low + self.real_high + self.day_first + self.month_first + self.either
            + self.others
        )  # fmt: skip


def about_date_columns(
    columns: Mapping[str, Sequence[str | None]],
    fields: Mapping[str, tuple[int, ReturnField]],
    rows: Sequence[int],
    shown: str,
) -> Iterator[FileProblem]:
    """Problems of whole columns of dates: swapped, month first, years of two digits.

    Arguments as for :func:`pipelines.readers.blank_cells.blank_out`; ``shown`` is the sheet's name.
    """
    read = {
        position: _read(columns[name], declared, rows, position)
        for name, (position, declared) in fields.items()
        if declared.type == "date"
    }
    swapped = _swapped(read)
    if swapped:
        yield _problem("F221", shown, swapped)
    month_first = {
        position: column
        for position, column in read.items()
        if column.is_month_first and position not in swapped
    }
    if month_first:
        yield _problem("F213a", shown, month_first)
    mixed = [
        position
        for position, column in read.items()
        if column.is_mixed and position not in {*swapped, *month_first}
    ]
    if mixed:
        yield problem("F213", shown, cells=listed(map(column_letters, mixed)))
    yield from _about_two_digits(read, shown)


def _swapped(read: Mapping[int, _Column]) -> dict[int, _Column]:
    """The swapped columns: those beyond chance, and with them those that look alike.

    A sheet is opened once, so that where one column was swapped the others were. Columns with few
    dates are judged by that.
    """
    alike = {position: column for position, column in read.items() if column.looks_swapped}
    beyond = {
        position: column
        for position, column in alike.items()
        if column.chance < _CHANCE and column.day_first + column.month_first
    }
    if not beyond:
        return {}
    # In a workbook whose other columns hold real dates above the 12th, one column was swapped.
    one_by_one = any(column.real_high for column in read.values())
    return beyond if one_by_one else alike


def _about_two_digits(read: Mapping[int, _Column], shown: str) -> Iterator[FileProblem]:
    whole = {
        position: column
        for position, column in read.items()
        if 2 * len(column.two_digits) > column.dates
    }
    # A column with one date is no column by itself.
    if max((len(column.two_digits) for column in whole.values()), default=0) < _FEWEST:
        whole = {}
    if whole:
        yield _problem("F224", shown, whole)
    cells = [
        address(*cell)
        for position, column in read.items()
        if position not in whole
        for cell in column.two_digits
    ]
    if cells:
        yield problem("F224a", shown, cells=listed(cells), at=cells)


def _problem(code: str, shown: str, columns: Mapping[int, _Column]) -> FileProblem:
    return problem(
        code,
        shown,
        cells=listed(map(column_letters, columns)),
        explains=[column.declared.name for column in columns.values()],
    )


def _read(
    texts: Sequence[str | None], declared: ReturnField, rows: Sequence[int], position: int
) -> _Column:
    column = _Column(declared)
    for index, written in enumerate(texts):
        if not written or not (text := written.strip().lstrip(APOSTROPHES)):
            continue
        if real := _REAL.match(text):
            if int(real[1]) > 12:
                column.real_high += 1
            else:
                column.real_low += 1
        elif parts := _TEXT.match(text):
            first, second = int(parts[1]), int(parts[3])
            if first > 12:
                column.day_first += 1
            elif second > 12:
                column.month_first += 1
            elif first != second:
                column.either += 1
            else:
                column.others += 1
        else:
            column.others += 1
            if _TWO_DIGITS.fullmatch(text):
                column.two_digits.append((rows[index], position))
    return column
