"""Returns as other case systems export them: other headings, other dates, columns in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pipelines.declarations import Declarations, Return, ReturnField
from pipelines.quarters import Quarter
from pipelines.samples.chance import Chance
from pipelines.templates.book import MADE_ON

Row = Mapping[str, object]


@dataclass(frozen=True)
class Style:
    """How one case system writes a return.

    ``headings``: titles in a language, field names, or the other names the declaration knows.
    ``dates``: date cells, or text with the day or the year first. ``codes``: labels in a
    language, or codes in capitals. ``extra`` columns hold the same invented text in every row.
    """

    headings: Literal["en", "cy", "names", "synonyms"]
    dates: Literal["cells", "day first", "year first"]
    codes: Literal["en", "cy", "capitals"]
    lines_above: tuple[str, ...] = ()
    is_jumbled: bool = False
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def is_welsh(self) -> bool:
        return self.headings == "cy"


def write_styled_return(
    path: Path,
    declarations: Declarations,
    quarter: Quarter,
    cover: Mapping[str, object],
    rows: Mapping[str, Sequence[Row]],
    style: Style,
) -> None:
    """Write a workbook in ``style``: a cover of questions and answers, and a sheet per return.

    Arguments as for :func:`pipelines.templates.workbook.write_return`.
    """
    import xlsxwriter

    book = xlsxwriter.Workbook(
        str(path),
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties({"created": MADE_ON})
    day_format = book.add_format({"num_format": "dd/mm/yyyy"})
    _write_cover(book, day_format, declarations, cover, style)
    for name, entries in rows.items():
        declared = declarations.returns[name]
        _write_sheet(book, day_format, declarations, declared, quarter, entries, style)
    book.close()


def _write_cover(
    book: Any,
    day_format: Any,
    declarations: Declarations,
    cover: Mapping[str, object],
    style: Style,
) -> None:
    declared = declarations.cover
    sheet = book.add_worksheet(declared.sheet.cy if style.is_welsh else declared.sheet.en)
    for row, field in enumerate(field for field in declared.fields if field.name in cover):
        sheet.write_string(row, 0, field.title.cy if style.is_welsh else field.title.en)
        _write(sheet, row, 1, cover[field.name], day_format, style)


def _write_sheet(
    book: Any,
    day_format: Any,
    declarations: Declarations,
    declared: Return,
    quarter: Quarter,
    entries: Sequence[Row],
    style: Style,
) -> None:
    sheet = book.add_worksheet(declared.sheet.cy if style.is_welsh else declared.sheet.en)
    fields = list(declared.fields_in_force(quarter))
    if style.is_jumbled:
        fields = Chance("columns", declared.name).shuffled(fields)
    for row, line in enumerate(style.lines_above):
        sheet.write_string(row, 0, line)
    first = len(style.lines_above)
    for column, field in enumerate(fields):
        sheet.write_string(first, column, heading(field, style))
    for column, (title, _) in enumerate(style.extra, start=len(fields)):
        sheet.write_string(first, column, title)
    labels = [_labels(declarations, field, style) for field in fields]
    for row, entry in enumerate(entries, start=first + 1):
        for column, field in enumerate(fields):
            value = entry.get(field.name)
            if isinstance(value, str):
                value = labels[column].get(value, value)
            _write(sheet, row, column, value, day_format, style)
        for column, (_, text) in enumerate(style.extra, start=len(fields)):
            sheet.write_string(row, column, text)


def heading(field: ReturnField, style: Style) -> str:
    """What ``style`` calls a field; its English title where it knows no other name."""
    if style.headings == "names":
        return field.name.upper()
    if style.headings == "synonyms":
        return (field.synonyms[0] if field.synonyms else field.title.en).upper()
    return field.title.cy if style.is_welsh else field.title.en


def _labels(declarations: Declarations, field: ReturnField, style: Style) -> dict[str, str]:
    if field.code_list is None:
        return {}
    codes = declarations.code_lists[field.code_list]
    if style.codes == "capitals":
        return {code.code: code.code.upper() for code in codes}
    return {code.code: code.label_cy if style.codes == "cy" else code.label_en for code in codes}


def _write(sheet: Any, row: int, column: int, value: object, day_format: Any, style: Style) -> None:
    if value is None:
        return
    if isinstance(value, date):
        if style.dates == "cells":
            sheet.write_datetime(row, column, value, day_format)
            return
        value = value.isoformat() if style.dates == "year first" else value.strftime("%d/%m/%Y")
    if isinstance(value, int):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, str(value))
