"""The sheets to be read: what each column means, every code, and the hidden lists of drop-downs."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.declarations import Declarations, ReturnField
from pipelines.quarters import Quarter, quarters_between
from pipelines.readers.cells import column_letters
from pipelines.readers.headings import CODES_SHEET, GUIDANCE_SHEET, LISTS_SHEET
from pipelines.templates.book import POINTS_PER_LINE, TemplateBook
from pipelines.templates.entry_checks import list_name
from pipelines.templates.plan import (
    FIRST_QUARTER_OFFERED,
    SheetPlan,
    code_label,
    in_language,
    place_label,
    places_offered,
)
from pipelines.text.catalogue import Language, translations
from pipelines.text.labels import definition_status_label


def write_guidance(book: TemplateBook, declarations: Declarations, names: Sequence[str]) -> None:
    """Every column of every sheet: what it means, whether it is required, where it comes from.

    ``names`` are the returns that have a sheet in the workbook.
    """
    language = book.plan.language
    _, pgettext = translations(language).gettext, translations(language).pgettext
    legend = _("Columns with a dark heading are required. Point at a cell to read what it means.")
    status_heading = pgettext("heading of the template", "Status of the definition")
    headings = (
        pgettext("heading of the template", "Column"),
        pgettext("heading of the template", "Name in CSV files"),
        pgettext("heading of the template", "Meaning"),
        pgettext("heading of the template", "Required"),
        pgettext("heading of the template", "What to write"),
        status_heading,
        pgettext("heading of the template", "Source"),
    )
    required = pgettext("a column is required", "yes")
    sheet = book.add_sheet(_(GUIDANCE_SHEET))
    widths = (34, 32, 60, 11, 52, 18, 44)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width, book.wrapped)
    sheet.write_string(0, 0, _(GUIDANCE_SHEET), book.title)
    sheet.write_string(1, 0, legend, book.text)
    row = 3
    for name in names:
        planned = book.plan.sheets[name]
        declared = planned.declared
        sheet.write_string(row, 0, planned.sheet, book.section)
        introduction = (declared.description, declared.grain)
        for offset, text in enumerate(introduction, start=1):
            sheet.write_string(row + offset, 0, in_language(text, language), book.text)
        status = f"{status_heading}: {definition_status_label(declared.status, language)}"
        sheet.write_string(row + 3, 0, status, book.text)
        row += 4
        sheet.set_row(row, 2 * POINTS_PER_LINE + 2)
        for column, heading in enumerate(headings):
            sheet.write_string(row, column, heading, book.required)
        for field, title in zip(planned.fields, planned.titles, strict=True):
            row += 1
            cells = (
                title,
                field.name,
                in_language(field.description, language),
                required if field.constraints.is_required_in(book.plan.nation_code) else "",
                what_to_write(language, planned, field),
                definition_status_label(field.status, language),
                field.source or "",
            )
            book.write_line(sheet, row, widths, cells)
        row += 3


def what_to_write(language: Language, planned: SheetPlan, field: ReturnField) -> str:
    """What may stand in a field's cells, with every label where there is a list of codes."""
    _ = translations(language).gettext
    if field.code_list:
        return "\n".join([choose_from_the_list(language), *planned.labels[field.name].values()])
    if field.name in planned.labels:
        return _("Choose from the places under Codes.")
    if field.type == "integer":
        lowest, highest = field.constraints.minimum, field.constraints.maximum
        if lowest is None:
            return _("Whole number")
        if highest is None:
            return _("Whole number, {lowest} or more").format(lowest=lowest)
        return _("Whole number from {lowest} to {highest}").format(lowest=lowest, highest=highest)
    if field.type == "date":
        if field.constraints.is_required_in(None):
            return _("Date, day first: 31/01/2026.")
        return _("Date, day first: 31/01/2026. Blank if not known yet.")
    return translations(language).pgettext("what to write into a cell", "Text")


def choose_from_the_list(language: Language) -> str:
    """The line above the labels of a list of codes."""
    return translations(language).gettext("Choose from the list:")


def _code_lists_used(book: TemplateBook, names: Sequence[str]) -> list[str]:
    """Code lists of the sheets in the workbook, in the order of their columns."""
    fields = (field for name in names for field in book.plan.sheets[name].fields)
    return list(dict.fromkeys(field.code_list for field in fields if field.code_list))


def write_codes(
    book: TemplateBook, declarations: Declarations, quarter: Quarter, names: Sequence[str]
) -> None:
    """Every code list with its codes in both languages, and the places."""
    language = book.plan.language
    _, pgettext = translations(language).gettext, translations(language).pgettext
    headings = (
        pgettext("heading of the template", "List"),
        pgettext("heading of the template", "Code"),
        pgettext("heading of the template", "English"),
        pgettext("heading of the template", "Welsh"),
        pgettext("heading of the template", "Status of the definition"),
    )
    places = pgettext("heading of the template", "Places")
    sheet = book.add_sheet(_(CODES_SHEET))
    widths = (36, 26, 62, 62, 18)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width, book.wrapped)
    sheet.set_row(0, 2 * POINTS_PER_LINE + 2)
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, book.required)
    sheet.freeze_panes(1, 0)
    lines = [
        (
            _list_title(book, names, name),
            code.code,
            code.label_en,
            code.label_cy,
            definition_status_label(code.status, language),
        )
        for name in _code_lists_used(book, names)
        for code in declarations.code_lists[name]
        if code.in_force(quarter)
    ]
    lines += [
        (places, place.place_code, place.name_en, place.name_cy, "")
        for place in places_offered(declarations, quarter)
    ]
    previous = None
    for row, (title, *cells) in enumerate(lines, start=1):
        texts = ("" if title == previous else title, *cells)
        previous = title
        book.write_line(sheet, row, widths, texts)


def _list_title(book: TemplateBook, names: Sequence[str], code_list: str) -> str:
    """Titles of the columns a list is for; the first three, since yes-or-no serves many."""
    plans = [book.plan.sheets[name] for name in names]
    titles = [
        title
        for plan in plans
        for field, title in zip(plan.fields, plan.titles, strict=True)
        if field.code_list == code_list
    ]
    return "; ".join(titles[:3]) + ("; …" if len(titles) > 3 else "")


def write_lists(book: TemplateBook, declarations: Declarations, names: Sequence[str]) -> None:
    """A hidden sheet with what the drop-downs offer, one list a column, each a defined name."""
    language = book.plan.language
    quarter = book.quarter
    offered = places_offered(declarations, quarter)
    senders = [place for place in offered if declarations.due_from(place.place_code, quarter)]
    columns = {
        code_list: [
            code_label(code, language)
            for code in declarations.code_lists[code_list]
            if code.in_force(quarter)
        ]
        for code_list in _code_lists_used(book, names)
    }
    columns["places"] = [place_label(place, language) for place in offered]
    columns["senders"] = [place_label(place, language) for place in senders]
    last = max(quarter, FIRST_QUARTER_OFFERED).plus(1)
    quarters = [each.label for each in quarters_between(FIRST_QUARTER_OFFERED, last)]
    columns["quarters"] = quarters[::-1]
    sheet = book.add_sheet(translations(language).gettext(LISTS_SHEET))
    sheet.hide()
    for column, (name, values) in enumerate(columns.items()):
        sheet.write_string(0, column, name, book.text)
        for row, value in enumerate(values, start=1):
            sheet.write_string(row, column, value, book.text)
        letter = column_letters(column)
        area = f"='{sheet.get_name()}'!${letter}$2:${letter}${max(len(values), 1) + 1}"
        book.book.define_name(list_name(name), area)
