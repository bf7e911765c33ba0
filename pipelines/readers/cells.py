"""Cells and their addresses, as spreadsheets letter and number them.

Standard library only: the process that opens files loads this module too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

CELLS_NAMED = 10  # in one sentence; more are counted, since nobody looks up a hundred addresses


def column_letters(column: int) -> str:
    """Letters of a column that counts from 0: ``0`` → ``A``, ``26`` → ``AA``."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def address(row: int, column: int) -> str:
    """The address of a cell whose row and column count from 0: ``(2, 1)`` → ``"B3"``."""
    return f"{column_letters(column)}{row + 1}"


def is_filled(row: Iterable[str | None]) -> bool:
    """Whether any cell of a row holds more than blanks."""
    return any(cell is not None and not cell.isspace() and cell != "" for cell in row)


def text_at(row: Sequence[str | None], column: int) -> str | None:
    """A cell's text as written; None where it is blank or the row is shorter."""
    text = row[column] if column < len(row) else None
    return text if text is not None and text.strip() else None


def listed(places: Iterable[str]) -> str:
    """The first ``CELLS_NAMED`` of some addresses, rows or columns, and how many more: ``(+3)``."""
    every = list(places)
    more = len(every) - CELLS_NAMED
    return ", ".join(every[:CELLS_NAMED]) + (f" (+{more})" if more > 0 else "")
