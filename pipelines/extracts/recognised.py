"""Which extract files are, and which of its tables each sheet is: told by the headings.

File and sheet names help nobody: every system names them otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.declarations import Declarations, Extract, ExtractTable, UnusedTable
from pipelines.extracts.sentences import CannotConvert, Sentence
from pipelines.readers.cells import is_filled, text_at
from pipelines.readers.codes_written import squeezed
from pipelines.readers.content import FileContent, SheetContent
from pipelines.text.catalogue import N_

ROWS_SEARCHED = 20  # for headings; what stands above them is a title or a note


@dataclass(frozen=True)
class Sheet:
    """A sheet of an extract as text: ``rows`` are its number and its cells by declared column.

    ``shown`` names file and sheet; ``missing`` are the declared columns it does not have.
    """

    table: ExtractTable
    shown: str
    rows: tuple[tuple[int, Mapping[str, str]], ...]
    missing: frozenset[str]


@dataclass(frozen=True)
class Recognised:
    """The extract that files are, its sheets in the order given, and the sheets left out."""

    extract: Extract
    sheets: tuple[Sheet, ...]
    left_out: tuple[str, ...]

    def of(self, table_name: str) -> list[Sheet]:
        return [sheet for sheet in self.sheets if sheet.table.name == table_name]


def recognise(files: Sequence[tuple[str, FileContent]], declarations: Declarations) -> Recognised:
    """Raises CannotConvert where files are no extract, two of them, or lack a table."""
    sheets = [
        (name if content.form == "csv" else f"{name}, {sheet.shown_name}", sheet)
        for name, content in files
        for sheet in content.sheets
        if any(is_filled(row) for row in sheet.rows)
    ]
    found: dict[str, list[Sheet]] = {}
    known: set[str] = set()
    for extract in declarations.extracts.values():
        for shown, sheet in sheets:
            for table in extract.tables:
                header = _heading_row(sheet, table)
                if header is not None:
                    found.setdefault(extract.name, []).append(_read(shown, sheet, header, table))
                    known.add(shown)
                    break
            else:
                if any(_heading_row(sheet, table) is not None for table in extract.unused):
                    known.add(shown)
    if not found:
        titles = [extract.title for extract in declarations.extracts.values()]
        raise CannotConvert([Sentence(NOT_KNOWN, {"extracts": _listed(titles)})])
    if len(found) > 1:
        titles = [declarations.extracts[name].title for name in found]
        raise CannotConvert([Sentence(TWO_EXTRACTS, {"extracts": _listed(titles)})])
    ((name, recognised),) = found.items()
    extract = declarations.extracts[name]
    missing = [
        table.name
        for table in extract.tables
        if table.needed and all(sheet.table.name != table.name for sheet in recognised)
    ]
    if missing:
        raise CannotConvert(
            Sentence(TABLE_MISSING, {"extract": extract.title, "table": table}) for table in missing
        )
    left_out = tuple(shown for shown, _ in sheets if shown not in known)
    return Recognised(extract, tuple(recognised), left_out)


NOT_KNOWN = N_(
    "These files are none of the extracts that can be converted ({extracts}), or their headings "
    "were changed: give the files as they were exported, or fill in the template."
)
TWO_EXTRACTS = N_("These files are of more than one extract ({extracts}): convert one at a time.")
TABLE_MISSING = N_(
    "The file or list {table} is missing, without which {extract} cannot be converted: add it, "
    "even if it has no rows."
)


def _listed(titles: Sequence[object]) -> object:
    from pipelines.declarations import Text

    texts = [title for title in titles if isinstance(title, Text)]
    return Text(en="; ".join(text.en for text in texts), cy="; ".join(text.cy for text in texts))


def _heading_row(sheet: SheetContent, table: ExtractTable | UnusedTable) -> int | None:
    wanted = {squeezed(heading) for heading in table.recognised_by}
    for index, row in enumerate(sheet.rows[:ROWS_SEARCHED]):
        if wanted <= {squeezed(cell) for cell in row if cell}:
            return index
    return None


def _read(shown: str, sheet: SheetContent, header: int, table: ExtractTable) -> Sheet:
    positions: dict[str, int] = {}
    for position, heading in enumerate(sheet.rows[header]):
        if heading:
            positions.setdefault(squeezed(heading), position)
    columns = {
        column: positions[squeezed(heading)]
        for column, heading in table.columns.items()
        if squeezed(heading) in positions
    }
    rows = tuple(
        (
            number,
            {
                column: text
                for column, position in columns.items()
                if (text := (text_at(row, position) or "").strip())
            },
        )
        for number, row in enumerate(sheet.rows[header + 1 :], start=header + 2)
        if is_filled(row)
    )
    return Sheet(table, shown, rows, frozenset(table.columns) - frozenset(columns))
