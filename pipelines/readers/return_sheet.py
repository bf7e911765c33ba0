"""One sheet as one return: its columns, its rows as they are written, and what is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.declarations import Return, ReturnField
from pipelines.quarters import Quarter
from pipelines.readers.casting import raw_schema
from pipelines.readers.cells import column_letters, is_filled, listed, text_at
from pipelines.readers.content import FileContent
from pipelines.readers.cover import CoverRead
from pipelines.readers.doubtful_cells import (
    about_doubtful_cells,
    about_hidden,
    about_lengths,
    about_zeros_restored,
    is_free_text,
)
from pipelines.readers.headings import (
    closest_column,
    fields_by_heading,
    heading_row,
    plain_heading,
)
from pipelines.readers.repairs import Repair, repair
from pipelines.readers.sentences import FileProblem, problem

DAYS_FROM_1900_TO_1904 = 1_462

_MONTH_FIRST = re.compile(r"\s*(0?[1-9]|1[0-2])[/.-](1[3-9]|2[0-9]|3[01])[/.-][0-9]{4}")
_DAY_NUMBER = re.compile(r"\s*[0-9]{5}\s*$", re.ASCII)
_MERGED = "#MERGED!"  # no date, no number and no code


class RowConservationError(Exception):
    """Rows read and rows loaded differ: a fault of this program, never of the file."""


@dataclass(frozen=True)
class ReturnRead:
    """One return's sheet: the raw frame and where its cells lie.

    ``frame`` is in the raw room's shape. ``columns`` gives the column letters of
    each field that has a column; ``header_row`` counts from 1, None when no headings
    were recognised. ``rows_in_sheet`` (below the headings) = ``frame.height`` +
    ``blank_rows``. ``sheet`` is the sheet's name fit to be shown; ``position`` (from 1)
    says which sheet it is.
    """

    name: str
    sheet: str
    header_row: int | None
    frame: pl.DataFrame
    columns: dict[str, str]
    rows_in_sheet: int
    blank_rows: int
    position: int
    problems: tuple[FileProblem, ...] = ()
    repairs: tuple[Repair, ...] = ()

    def cell(self, field_name: str, sheet_row: int) -> str | None:
        """Address such as ``B7``; None for a field that has no column."""
        letters = self.columns.get(field_name)
        return None if letters is None else f"{letters}{sheet_row}"


def read_return_sheet(
    content: FileContent,
    position: int,
    declared: Return,
    cover: CoverRead,
    submission_id: str,
    nation_code: str | None,
) -> ReturnRead:
    """Read the sheet at ``position`` (from 0) as the return ``declared``.

    ``nation_code`` is that of the sender, which decides what is required. Raises
    RowConservationError when a row is neither loaded nor blank.
    """
    return _SheetReading(content, position, declared, cover, submission_id, nation_code).result()


class _SheetReading:
    """Reads one sheet as one return, collecting problems and repairs."""

    def __init__(
        self,
        content: FileContent,
        position: int,
        declared: Return,
        cover: CoverRead,
        submission_id: str,
        nation_code: str | None,
    ) -> None:
        self._declared = declared
        self._nation_code = nation_code
        self._position = position
        self._sheet = content.sheets[position]
        self._name = declared.name if content.form == "csv" else self._sheet.shown_name
        self._sender_code: str | None = cover.values.get("sender_code")
        self._quarter: Quarter | None = cover.values.get("quarter")
        self._submission_id = submission_id
        self._from_1904 = content.counts_from_1904
        self._merged = {(c.row, c.column) for c in self._sheet.doubtful if c.doubt == "merged"}
        self._problems: list[FileProblem] = []
        self._repairs: list[Repair] = []

    def result(self) -> ReturnRead:
        sheet, declared = self._sheet, self._declared
        header = self._heading_row()
        positions = {} if header is None else self._columns(header)
        letters = {name: column_letters(position) for name, position in positions.items()}
        first = len(sheet.rows) if header is None else header + 1
        frame = self._frame(first, positions, header)
        rows_in_sheet = len(sheet.rows) - first
        blank = sum(1 for row in sheet.rows[first:] if not "".join(filter(None, row)).strip())
        if frame.height + blank != rows_in_sheet:
            raise RowConservationError(
                f"{self._submission_id}, sheet {self._name}: {rows_in_sheet} rows, of which "
                f"{frame.height} loaded and {blank} blank"
            )
        fields = {column: declared.field(name) for name, column in positions.items()}
        self._problems += about_doubtful_cells(sheet, self._name, first, fields)
        self._repairs += about_zeros_restored(sheet, self._name, first, fields)
        self._problems += about_hidden(sheet, self._name, first, fields)
        if header is not None and sheet.lengths is not None:
            self._problems += about_lengths(sheet, self._name, header, sheet.lengths)
        return ReturnRead(
            declared.name,
            self._name,
            None if header is None else header + 1,
            frame,
            letters,
            rows_in_sheet,
            blank,
            self._position + 1,
            tuple(self._problems),
            tuple(self._repairs),
        )

    def _report(self, code: str, field: str | None = None, **places: Any) -> None:
        self._problems.append(problem(code, self._name, field, **places))

    # --- headings and columns ---------------------------------------------------

    def _heading_row(self) -> int | None:
        index = heading_row(self._sheet, self._declared)
        if index is None and any(is_filled(row) for row in self._sheet.rows):
            self._report("F202")
        if index:
            self._repairs.append(repair("headings", self._name, number=index + 1))
        return index

    def _columns(self, header: int) -> dict[str, int]:
        """Column of each field that has one; problems for columns missing, twice or unknown."""
        known = fields_by_heading(self._declared)
        positions: dict[str, int] = {}
        unknown: dict[int, str] = {}
        for column, heading in enumerate(self._sheet.rows[header]):
            if heading is None or not heading.strip():
                continue
            key = plain_heading(heading, known)
            name = known.get(key)
            if name is None:
                unknown[column] = key
            elif name in positions:
                pair = f"{column_letters(positions[name])}, {column_letters(column)}"
                self._report("F204", name, title=self._declared.field(name).title, cells=pair)
            else:
                positions[name] = column
                self._note_heading(heading, name, column)
        self._look_for_missing(positions, unknown)
        if unknown:
            self._report("F209", cells=listed(column_letters(column) for column in unknown))
        declared_order = [f.name for f in self._declared.fields if f.name in positions]
        if list(positions) != declared_order:
            self._repairs.append(repair("order", self._name, count=len(positions)))
        return positions

    def _note_heading(self, heading: str, name: str, column: int) -> None:
        field = self._declared.field(name)
        if heading not in (field.name, field.title.en, field.title.cy):
            cells = column_letters(column)
            self._repairs.append(
                repair("heading", self._name, name, title=field.title, cells=cells)
            )

    def _look_for_missing(self, positions: Mapping[str, int], unknown: Mapping[int, str]) -> None:
        """An error for a required column that is missing, a query for any other."""
        declared = self._declared
        in_force = declared.fields_in_force(self._quarter) if self._quarter else declared.fields
        for field in in_force:
            if field.name in positions:
                continue
            is_required = field.constraints.is_required_in(self._nation_code)
            code = "F203" if is_required else "F208"
            column = closest_column(field, unknown)
            if column is None:
                self._report(code, field.name, title=field.title)
            else:
                cells = column_letters(column)
                self._report(f"{code}a", field.name, title=field.title, cells=cells)

    # --- rows -------------------------------------------------------------------

    def _frame(self, first: int, positions: Mapping[str, int], header: int | None) -> pl.DataFrame:
        rows = [
            (number, row)
            for number, row in enumerate(self._sheet.rows[first:], start=first + 1)
            if is_filled(row)
        ]
        height = len(rows)
        columns: dict[str, list[Any]] = {
            "submission_id": [self._submission_id] * height,
            "sender_code": [self._sender_code] * height,
            "quarter": [self._quarter.label if self._quarter else None] * height,
            "sheet": [self._name] * height,
            "sheet_row": [number for number, _ in rows],
        }
        month_first = []
        for field in self._declared.fields:
            column = positions.get(field.name)
            if column is None:
                columns[field.name] = [None] * height
                continue
            texts = [text_at(row, column) for _, row in rows]
            if self._merged and not is_free_text(field):
                texts = [
                    _MERGED if (number - 1, column) in self._merged else text
                    for (number, _), text in zip(rows, texts, strict=True)
                ]
            if field.type == "date":
                texts = self._days(texts, field, column)
                if any(text and _MONTH_FIRST.match(text) for text in texts):
                    month_first.append(column_letters(column))
            columns[field.name] = texts
        if month_first:
            self._report("F213", cells=listed(month_first))
        columns["undeclared"] = self._undeclared(rows, set(positions.values()), header)
        return pl.DataFrame(columns, schema=raw_schema(self._declared))

    def _undeclared(
        self, rows: Sequence[tuple[int, Sequence[str | None]]], taken: set[int], header: int | None
    ) -> list[str | None]:
        """What each row holds outside the return's columns; a query for columns without heading."""
        headings = self._sheet.rows[header] if header is not None else []
        kept = [_undeclared(row, taken, headings) for _, row in rows]
        if header is not None:
            nameless = sorted(
                {
                    column
                    for _, row in rows
                    for column in range(len(row))
                    if column not in taken
                    and not text_at(headings, column)
                    and text_at(row, column)
                }
            )
            if nameless and self._sheet.lengths is None:  # in a CSV file the row is too long
                self._report("F209a", cells=listed(map(column_letters, nameless)))
        return kept

    def _days(self, texts: list[str | None], field: ReturnField, column: int) -> list[str | None]:
        """In a workbook that counts days from 1904, plain day numbers are 1,462 days late."""
        if not self._from_1904:
            return texts
        late = DAYS_FROM_1900_TO_1904
        moved = [
            str(int(text) + late) if text and _DAY_NUMBER.match(text) else text for text in texts
        ]
        count = sum(1 for old, new in zip(texts, moved, strict=True) if old != new)
        if count:
            cells, title = column_letters(column), field.title
            self._repairs.append(
                repair("1904", self._name, field.name, title=title, cells=cells, count=count)
            )
        return moved


def _undeclared(
    row: Sequence[str | None], taken: set[int], headings: Sequence[str | None]
) -> str | None:
    """Values of the columns that are no field, as JSON by heading (else by column letters)."""
    kept: dict[str, str] = {}
    for column, text in enumerate(row):
        if column not in taken and text is not None and text.strip():
            heading = (text_at(headings, column) or "").strip()
            letters = column_letters(column)
            key = heading or f"column {letters}"
            kept[key if key not in kept else f"{key} (column {letters})"] = text
    return json.dumps(kept, ensure_ascii=False) if kept else None
