"""Drop-downs, checks and explanations for the cells to be filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pipelines.declarations import CoverField, ReturnField
from pipelines.templates.book import TemplateBook
from pipelines.templates.plan import SheetPlan, in_language
from pipelines.templates.sheets import COVER_FIRST_ROW
from pipelines.text.catalogue import Language, translations

# Rows given drop-downs and checks. The largest English authorities have had about 150 children
# with a plan for adoption at once and agencies some hundreds of households.
ROWS_TO_FILL = 2_000
# Limits of spreadsheets: the title of a message, and the message itself.
_LONGEST_TITLE = 32
_LONGEST_MESSAGE = 255


def guide_data(
    book: TemplateBook,
    sheet: Any,
    planned: SheetPlan,
    columns: Mapping[str, int] | None = None,
    heading_row: int = 0,
) -> None:
    """Drop-downs, checks and explanations for the rows to be filled in.

    ``columns`` are those of the fields, from 0, where they are not in declared order.
    """
    last = heading_row + (planned.declared.max_rows or ROWS_TO_FILL)
    for number, field in enumerate(planned.fields):
        column = number if columns is None else columns.get(field.name)
        if column is None:
            continue
        check = _check(book, field) | {
            "ignore_blank": True,
            "input_title": planned.titles[number][:_LONGEST_TITLE],
            "input_message": _short(in_language(field.description, book.plan.language)),
        }
        sheet.data_validation(heading_row + 1, column, last, column, check)


def _short(text: str, limit: int = _LONGEST_MESSAGE) -> str:
    return text if len(text) <= limit else text[: limit - 1].rsplit(" ", 1)[0] + "…"


def _check(book: TemplateBook, field: ReturnField) -> dict[str, Any]:
    language = book.plan.language
    title = {"error_title": _please_check(language)}
    if field.code_list or field.name in _place_field_names(book):
        source = f"={list_name(field.code_list or 'places')}"
        # A warning, not a stop: codes are as welcome as the labels the list offers.
        return title | {
            "validate": "list",
            "source": source,
            "error_type": "warning",
            "error_message": _not_in_the_list(language),
        }
    if field.type == "date":
        return title | {
            "validate": "date",
            "criteria": "between",
            "minimum": date(1990, 1, 1),
            "maximum": date(2099, 12, 31),
            "error_message": _not_a_date(
                language, is_required=field.constraints.is_required_in(None)
            ),
        }
    if field.type == "integer":
        return title | {
            "validate": "integer",
            "criteria": "between",
            "minimum": field.constraints.minimum or 0,
            "maximum": field.constraints.maximum or 1_000_000,
            "error_message": _not_a_number(language),
        }
    if field.constraints.maxLength:
        return title | {
            "validate": "length",
            "criteria": "<=",
            "value": field.constraints.maxLength,
        }
    return {"validate": "any"}


def _place_field_names(book: TemplateBook) -> frozenset[str]:
    return frozenset().union(*(plan.declared.place_fields for plan in book.plan.sheets.values()))


def list_name(code_list: str) -> str:
    """The defined name of what a drop-down offers."""
    return f"list_{code_list}"


def guide_cover(
    book: TemplateBook,
    sheet: Any,
    fields: Sequence[CoverField],
    answers: Mapping[str, tuple[int, int]] | None = None,
) -> None:
    """The same for the answers of the cover.

    ``answers`` are their cells (row, column) where they are not those of the template.
    """
    language = book.plan.language
    for number, field in enumerate(fields, start=COVER_FIRST_ROW):
        row, column = (number, 1) if answers is None else answers.get(field.name, (-1, -1))
        if row < 0:
            continue
        check: dict[str, Any] = {"error_title": _please_check(language)}
        if field.type in ("sender", "quarter"):
            check |= {
                "validate": "list",
                "source": f"={list_name(field.type + 's')}",
                "error_type": "warning",
                "error_message": _not_in_the_list(language),
            }
        elif field.type == "yes_no":
            check |= {"validate": "list", "source": list(book.plan.yes_no)}
        elif field.type == "date":
            check |= {
                "validate": "date",
                "criteria": ">=",
                "value": date(1990, 1, 1),
                "error_message": _not_a_date(language, is_required=field.required),
            }
        elif field.type == "integer":
            check |= {
                "validate": "integer",
                "criteria": ">=",
                "value": 1,
                "error_message": _not_a_number(language),
            }
        else:
            continue
        sheet.data_validation(row, column, row, column, check)


def _please_check(language: Language) -> str:
    return translations(language).gettext("Please check")[:_LONGEST_TITLE]


def _not_in_the_list(language: Language) -> str:
    _ = translations(language).gettext
    return _("This is not in the list. A code from the Codes sheet is accepted too. Keep it?")


def _not_a_number(language: Language) -> str:
    return translations(language).gettext("Write a whole number here, without words.")


def _not_a_date(language: Language, *, is_required: bool) -> str:
    _ = translations(language).gettext
    if is_required:
        return _("This is not a date. Write it day first, like 31/01/2026.")
    return _("This is not a date. Write it day first, like 31/01/2026, or leave the cell blank.")
