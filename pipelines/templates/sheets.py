"""The sheets to be filled in: the cover, and one sheet for each return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.declarations import CoverField, Declarations, ReturnField
from pipelines.quarters import Quarter
from pipelines.readers.headings import GUIDANCE_SHEET
from pipelines.templates.book import TemplateBook, write_cell
from pipelines.templates.plan import Entry, SheetPlan, further_columns, in_language
from pipelines.text.catalogue import translations

COVER_FIRST_ROW = 7  # counted from 0; above it title, notice and column headings


def write_cover(
    book: TemplateBook,
    sheet: Any,
    declarations: Declarations,
    fields: Sequence[CoverField],
    answers: Mapping[str, object],
) -> None:
    """Labels in A, answers in B, guidance in C."""
    language = book.plan.language
    pgettext = translations(language).pgettext
    for column, width in enumerate((34, 44, 80)):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, in_language(declarations.cover.title, language), book.title)
    sentences = in_language(declarations.cover.notice, language).replace(". ", ".\n").split("\n")
    for row, sentence in enumerate(sentences[:4], start=1):
        sheet.write_string(row, 0, sentence, book.notice)
    sheet.set_row(COVER_FIRST_ROW - 1, 20)
    headings = (
        pgettext("heading of the template", "Question"),
        pgettext("heading of the template", "Answer"),
        translations(language).gettext(GUIDANCE_SHEET),
    )
    for column, heading in enumerate(headings):
        sheet.write_string(COVER_FIRST_ROW - 1, column, heading, book.required)
    for row, field in enumerate(fields, start=COVER_FIRST_ROW):
        sheet.set_row(row, 24)
        sheet.write_string(row, 0, in_language(field.title, language), book.asked)
        answer_format = book.answers.get(field.type, book.answer)
        write_cell(sheet, row, 1, _cover_answer(answers.get(field.name), book), answer_format)
        sheet.write_string(row, 2, in_language(field.guidance, language), book.explained)


def _cover_answer(value: object, book: TemplateBook) -> object:
    if isinstance(value, bool):
        return book.plan.yes_no[0] if value else book.plan.yes_no[1]
    if isinstance(value, Quarter):
        return value.label
    return value


def write_data(
    book: TemplateBook, sheet: Any, planned: SheetPlan, entries: Sequence[Entry]
) -> None:
    """Headings in the first row, one row for each entry below."""
    sheet.set_row(0, 50)
    sheet.fit_to_pages(-(-len(planned.fields) // 12), 0)  # twelve columns can be read on paper
    sheet.repeat_rows(0)
    sheet.repeat_columns(0)
    sheet.freeze_panes(1, 1 if planned.declared.primary_key else 0)
    for column, (field, title) in enumerate(zip(planned.fields, planned.titles, strict=True)):
        is_required = field.constraints.is_required_in(book.plan.nation_code)
        heading = book.required if is_required else book.optional
        sheet.set_column(column, column, _width(field, title, planned), book.format_for(field))
        sheet.write_string(0, column, title, heading)
    known = [field.name for field in planned.fields]
    further = further_columns(known, entries)
    for column, title in enumerate(further, start=len(known)):
        sheet.write_string(0, column, title, book.optional)
    columns = [
        (column, field.name, planned.labels.get(field.name, {}), book.format_for(field))
        for column, field in enumerate(planned.fields)
    ]
    columns += [(column, key, {}, book.text) for column, key in enumerate(further, len(known))]
    for row, entry in enumerate(entries, start=1):
        for column, name, labels, cell_format in columns:
            value = entry.get(name)
            if value is not None:
                shown = labels.get(value, value) if isinstance(value, str) else value
                write_cell(sheet, row, column, shown, cell_format)


def _width(field: ReturnField, title: str, planned: SheetPlan) -> float:
    """In characters: room for the title's longest word, for a date, for most labels."""
    longest_word = max(len(word) for word in title.split())
    longest_label = max(
        (len(label) for label in planned.labels.get(field.name, {}).values()), default=0
    )
    half_title = -(-len(title) // 2) + 2  # a title of two lines
    least = {"date": 13, "integer": 12}.get(field.type, 14)
    return min(max(least, longest_word + 2, half_title, min(longest_label + 3, 46)), 46)
