"""One sheet as one return: its columns, its rows as they are written, and what is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.declarations import Declarations, Return, ReturnField
from pipelines.quarters import Quarter
from pipelines.readers.blank_cells import blank_out
from pipelines.readers.casting import raw_schema
from pipelines.readers.cells import column_letters, is_filled, listed, text_at
from pipelines.readers.codes_written import codes_understood
from pipelines.readers.content import FileContent
from pipelines.readers.cover import CoverRead
from pipelines.readers.date_columns import about_date_columns
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
    headings_found,
    plain_heading,
    return_it_looks_like,
)
from pipelines.readers.references_written import mend_references
from pipelines.readers.repairs import Repair, repair
from pipelines.readers.rows_left_out import about_rows_left_out, rows_left_out
from pipelines.readers.sentences import FileProblem, problem

DAYS_FROM_1900_TO_1904 = 1_462

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
    ``blank_rows`` + ``rows_left_out`` (totals, notes and the like). ``sheet`` is the
    sheet's name fit to be shown; ``position`` (from 1) says which sheet it is.
    """

    name: str
    sheet: str
    header_row: int | None
    frame: pl.DataFrame
    columns: dict[str, str]
    rows_in_sheet: int
    blank_rows: int
    position: int
    rows_left_out: int = 0
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
    declarations: Declarations,
) -> ReturnRead:
    """Read the sheet at ``position`` (from 0) as the return ``declared``.

    Raises RowConservationError when a row is neither loaded, nor blank, nor left out.
    """
    return _SheetReading(content, position, declared, cover, submission_id, declarations).result()


class _SheetReading:
    """Reads one sheet as one return, collecting problems and repairs."""

    def __init__(
        self,
        content: FileContent,
        position: int,
        declared: Return,
        cover: CoverRead,
        submission_id: str,
        declarations: Declarations,
    ) -> None:
        self._declared = declared
        self._declarations = declarations
        self._position = position
        self._sheet = content.sheets[position]
        self._name = declared.name if content.form == "csv" else self._sheet.shown_name
        self._sender_code: str | None = cover.values.get("sender_code")
        self._nation_code = declarations.nation_of(self._sender_code)
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
        left_out = {} if header is None else self._rows_left_out(header, positions)
        frame = self._frame(first, positions, header, left_out)
        rows_in_sheet = len(sheet.rows) - first
        blank = sum(1 for row in sheet.rows[first:] if not "".join(filter(None, row)).strip())
        if frame.height + blank + len(left_out) != rows_in_sheet:
            raise RowConservationError(
                f"{self._submission_id}, sheet {self._name}: {rows_in_sheet} rows, of which "
                f"{frame.height} loaded, {blank} blank and {len(left_out)} left out"
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
            len(left_out),
            tuple(self._problems),
            tuple(self._repairs),
        )

    def _report(self, code: str, field: str | None = None, **places: Any) -> None:
        self._problems.append(problem(code, self._name, field, **places))

    # --- headings and columns ---------------------------------------------------

    def _heading_row(self) -> int | None:
        index = heading_row(self._sheet, self._declared)
        own = headings_found(self._sheet, index, self._declared)
        # With half of the headings it is the return, whatever else its headings are like.
        likely = None
        if 2 * own < len(self._declared.fields):
            likely = return_it_looks_like(self._sheet, self._declarations.returns.values())
        if likely is not None and likely.name != self._declared.name:
            self._report("F227", title=likely.sheet)
            return None
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
        self._look_for_missing(header, positions, unknown)
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

    def _look_for_missing(
        self, header: int, positions: Mapping[str, int], unknown: Mapping[int, str]
    ) -> None:
        """An error for a required column that is missing, a query for any other."""
        declared = self._declared
        in_force = declared.fields_in_force(self._quarter) if self._quarter else declared.fields
        for field in in_force:
            if field.name in positions:
                continue
            column = closest_column(field, unknown, declared, positions)
            if field.constraints.is_required_in(self._nation_code):
                code = "F203" if column is None else "F203a"
            elif field.type == "date" and self._is_counted(field):
                column = _only(unknown) if column is None else column
                code = "F208b" if column is None else "F208c"
            else:
                code = "F208" if column is None else "F208a"
            cells = "" if column is None else column_letters(column)
            at = [] if column is None else [f"{cells}{header + 1}"]
            self._report(
                code, field.name, title=field.title, cells=cells, at=at, explains=[field.name]
            )

    def _is_counted(self, field: ReturnField) -> bool:
        """Whether a figure of the sender's nation is counted from the field."""
        if self._nation_code is None:
            return True
        return bool(
            self._declarations.figures_of(self._declared.name, field.name, self._nation_code)
        )

    # --- rows -------------------------------------------------------------------

    def _rows_left_out(self, header: int, positions: Mapping[str, int]) -> dict[int, Any]:
        declared = self._declared
        key = declared.primary_key
        left_out = rows_left_out(
            self._sheet.rows,
            header,
            {column: declared.field(name) for name, column in positions.items()},
            positions.get(key[0]) if key else None,
            self._declarations.not_data,
        )
        self._problems += about_rows_left_out(left_out, self._name)
        return left_out

    def _frame(
        self,
        first: int,
        positions: Mapping[str, int],
        header: int | None,
        left_out: Mapping[int, Any],
    ) -> pl.DataFrame:
        rows = [
            (number, row)
            for number, row in enumerate(self._sheet.rows[first:], start=first + 1)
            if is_filled(row) and number - 1 not in left_out
        ]
        height = len(rows)
        columns: dict[str, list[Any]] = {
            "submission_id": [self._submission_id] * height,
            "sender_code": [self._sender_code] * height,
            "quarter": [self._quarter.label if self._quarter else None] * height,
            "sheet": [self._name] * height,
            "sheet_row": [number for number, _ in rows],
        }
        found: dict[str, list[str | None]] = {}
        for name, column in positions.items():
            field = self._declared.field(name)
            texts = [text_at(row, column) for _, row in rows]
            if self._merged and not is_free_text(field):
                texts = [
                    _MERGED if (number - 1, column) in self._merged else text
                    for (number, _), text in zip(rows, texts, strict=True)
                ]
            found[name] = self._days(texts, field, column) if field.type == "date" else texts
        found = self._diagnosed(found, positions, [number - 1 for number, _ in rows])
        for field in self._declared.fields:
            columns[field.name] = found.get(field.name, [None] * height)
        columns["undeclared"] = self._undeclared(rows, set(positions.values()), header)
        return pl.DataFrame(columns, schema=raw_schema(self._declared))

    def _diagnosed(
        self,
        columns: dict[str, list[str | None]],
        positions: Mapping[str, int],
        rows: Sequence[int],
    ) -> dict[str, list[str | None]]:
        """The columns as they were meant; problems for what went wrong with whole columns."""
        fields = {name: (column, self._declared.field(name)) for name, column in positions.items()}
        kept, blank = blank_out(
            columns,
            fields,
            rows,
            words=self._declarations.not_data["nothing"],
            key=self._declared.primary_key,
            links_to_blank=self._sheet.links_to_blank,
            formula_zeros=self._sheet.formula_zeros,
            means_a_code=self._means_a_code,
        )
        kept, mended = mend_references(kept, fields, rows)
        self._problems += about_date_columns(kept, fields, rows, self._name)
        self._problems += blank.problems(self._name)
        self._problems += mended.problems(self._name)
        return kept

    def _means_a_code(self, field: ReturnField, text: str) -> bool:
        if field.code_list is None:
            return False
        quarter = self._quarter or Quarter(2000, 1)  # no code changes its meaning
        return (
            codes_understood(self._declarations, field.code_list, quarter).meant(text) is not None
        )

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


def _only(unknown: Mapping[int, str]) -> int | None:
    """The column that is not understood, if there is just one."""
    return next(iter(unknown)) if len(unknown) == 1 else None
