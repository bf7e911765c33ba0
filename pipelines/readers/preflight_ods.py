"""What an OpenDocument spreadsheet holds, counted without the parser."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

from pipelines.readers.content import CannotRead
from pipelines.readers.preflight import (
    MAX_INFLATED_BYTES,
    MAX_PARTS,
    Budget,
    SheetSeen,
    WorkbookSeen,
    check_package,
    inflate,
    local,
    parse,
)

_VALUES = ("value", "date-value", "time-value", "boolean-value", "string-value")
# What has text or tables of its own beside what a cell holds: notes, drawings, links.
_OUTSIDE_THE_CELLS = frozenset(
    {"annotation", "shapes", "dde-links", "tracked-changes", "frame", "g", "custom-shape", "rect"}
    | {"ellipse", "circle", "line", "polyline", "polygon", "path", "connector", "caption"}
    | {"measure", "control", "regular-polygon", "page-thumbnail", "scene"}
)


def look_at_ods(package: zipfile.ZipFile) -> WorkbookSeen:
    """Check an OpenDocument package and count what its sheets hold; repeats count as often.

    Raises CannotRead: F001 damaged, F002 encrypted, F003 abnormal, F006 not wholly readable.
    """
    check_package(package, MAX_PARTS, MAX_INFLATED_BYTES)
    names = package.namelist()
    if "content.xml" not in names:
        raise CannotRead("F001")
    budget = Budget()
    if "META-INF/manifest.xml" in names:
        parse(inflate(package, "META-INF/manifest.xml"), _refuse_encrypted, budget=budget)
    walk = _OdsWalk(budget)
    parse(
        inflate(package, "content.xml"),
        walk.start,
        walk.end,
        walk.text,
        budget=budget,
        is_within_value=lambda: walk.is_within_value,
    )
    return walk.seen


def _refuse_encrypted(tag: str, _: dict[str, str]) -> None:
    if tag == "encryption-data":
        raise CannotRead("F002")


class _OdsWalk:
    """Follows the repeat counts of OpenDocument tables.

    A table may lie within a cell (in a drawing) and a cell's note has text of
    its own: neither is what the cell holds, so ``_aside`` counts how deep in
    such an element the walk is.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.seen = WorkbookSeen()
        self._sheet: SheetSeen | None = None
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._aside = 0
        self._row = 0
        self._row_repeats = 1
        self._row_cells = 0
        self._column = 0
        self._repeats = 1
        self._shown: list[str] = []
        self._paragraph = False
        self._attributes: dict[str, str] = {}
        self._in_cell = False
        self._is_hidden = False

    @property
    def is_within_value(self) -> bool:
        return self._paragraph and not self._aside

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._aside or tag in _OUTSIDE_THE_CELLS or (self._in_cell and tag == "table"):
            self._aside += 1
        elif tag in ("table-cell", "covered-table-cell"):
            self._begin_cell(_of_a_cell(attributes))
        elif tag == "table-row" and self._sheet is not None:
            self._begin_row(local(attributes))
        elif tag == "p" and self._in_cell:
            self._paragraph = True
        elif tag == "table":
            self._begin_table(local(attributes))
        elif tag == "style":
            self._style = local(attributes).get("name", "")
        elif tag == "table-properties":
            if local(attributes).get("display") == "false":
                self._hidden_styles.add(self._style)
        elif tag == "table-column" and self._sheet is not None:
            self._begin_column(local(attributes))

    def text(self, piece: str) -> None:
        if self._paragraph and not self._aside:
            self._shown.append(piece)

    def end(self, tag: str) -> None:
        if self._aside:
            self._aside -= 1
        elif tag in ("table-cell", "covered-table-cell"):
            self._end_cell()
        elif tag == "table-row" and self._sheet is not None:
            self._end_row()
        elif tag == "p":
            self._paragraph = False
        elif tag == "table":
            self._sheet = None

    def _begin_table(self, attributes: dict[str, str]) -> None:
        self._sheet = SheetSeen(len(self.seen.sheets) + 1)
        self._sheet.is_hidden = attributes.get("style-name", "") in self._hidden_styles
        self.seen.names.append(attributes.get("name", ""))
        self.seen.sheets.append(self._sheet)
        self._row = self._column = 0

    def _begin_column(self, attributes: dict[str, str]) -> None:
        repeats = _repeats(attributes.get("number-columns-repeated"))
        if self._sheet is not None and attributes.get("visibility") in ("collapse", "filter"):
            self._sheet.hidden_columns.append((self._column, self._column + repeats - 1))
            self._sheet.note(notes=len(self._sheet.hidden_columns))
        self._column += repeats

    def _begin_row(self, attributes: dict[str, str]) -> None:
        self._row_repeats = _repeats(attributes.get("number-rows-repeated"))
        self._row_cells = self._column = 0
        self._is_hidden = attributes.get("visibility") in ("collapse", "filter")

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._in_cell = True
        self._repeats = _repeats(attributes.get("number-columns-repeated"))
        self._attributes = attributes
        self._shown = []

    def _end_cell(self) -> None:
        self._in_cell = self._paragraph = False
        attributes, sheet = self._attributes, self._sheet
        if sheet is None:
            return
        shown = "".join(self._shown).strip()
        kind = attributes.get("value-type", "")
        given = "".join(attributes.get(key, "") for key in _VALUES).strip()
        # A text is what string-value says, if it is there at all, else what is shown.
        is_text = kind in ("string", "") and "string-value" not in attributes
        holds = bool(shown) if is_text else bool(given)
        last_row = self._row + self._row_repeats - 1
        if holds or kind or "formula" in attributes or shown:
            sheet.place(last_row, self._column + self._repeats - 1)
            self._budget.spend((len(shown) + len(given)) * self._repeats * self._row_repeats)
            self._note_cell(sheet, attributes, kind, shown, holds)
        self._column += self._repeats

    def _note_cell(
        self, sheet: SheetSeen, attributes: dict[str, str], kind: str, shown: str, holds: bool
    ) -> None:
        # The parser knows no errors: it reports a 0, or nothing.
        if "error" in attributes or shown[:4] == "Err:":
            for place in self._places():
                sheet.errors[place] = shown
                sheet.note()
            return
        if "formula" in attributes and not kind:
            for place in self._places():
                sheet.formulas_without_result.append(place)
                sheet.note()
            return
        if holds:
            self._row_cells += self._repeats
        spans = [_repeats(attributes.get(f"number-{way}-spanned")) for way in ("rows", "columns")]
        if max(spans) > 1:
            row, column = self._row, self._column
            sheet.merged.append((row, column, row + spans[0] - 1, column + spans[1] - 1))
            sheet.note()
        digits = _zeros_shown(kind, shown, attributes.get("value", ""))
        for place in self._places() if digits else ():
            sheet.zeros[place] = digits
            sheet.note()

    def _places(self) -> Iterator[tuple[int, int]]:
        """The places of a cell that may be repeated."""
        for down in range(self._row_repeats):
            for right in range(self._repeats):
                yield self._row + down, self._column + right

    def _end_row(self) -> None:
        sheet = self._sheet
        if sheet is not None and self._row_cells:
            for row in range(self._row, self._row + self._row_repeats):
                sheet.filled[row] = self._row_cells
                if self._is_hidden:
                    sheet.hidden_rows.add(row)
            sheet.note()
        self._row += self._row_repeats


def _of_a_cell(attributes: dict[str, str]) -> dict[str, str]:
    """Attributes without prefixes. LibreOffice gives errors a second, more honest value-type."""
    plain: dict[str, str] = {}
    for key, value in attributes.items():
        prefix, _, name = key.rpartition(":")
        if name == "value-type" and value == "error":
            plain["error"] = value
        elif prefix != "calcext":
            plain[name] = value
    return plain


def _zeros_shown(kind: str, shown: str, value: str) -> int:
    """How many digits are shown of a number that begins with zeros, such as 00089; else 0."""
    is_number = kind == "float" and all(t.isascii() and t.isdecimal() for t in (shown, value))
    if not is_number or len(shown) > 15 or shown[0] != "0" or len(shown) <= len(value):
        return 0
    return len(shown) if int(shown) == int(value) else 0


def _repeats(text: str | None) -> int:
    if text is None:
        return 1
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise CannotRead("F003")
    return int(text)
