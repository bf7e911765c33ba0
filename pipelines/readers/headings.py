"""The names and headings by which a sheet of a return is known.

A heading may be a field's name, its title in either language or a declared synonym, in any case
and punctuation, in any of the first rows and in any order.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import lru_cache

from pipelines.declarations import Return, ReturnField
from pipelines.readers.codes_written import squeezed
from pipelines.readers.content import SheetContent
from pipelines.text.catalogue import LANGUAGES, N_, translations

ROWS_SEARCHED_FOR_HEADINGS = 20
# Two headings that are known: with one, a row of data that holds a title's word would pass.
_FEWEST_HEADINGS = 2
_REQUIRED_HEADINGS = 0.6  # of the required columns, for a sheet to look like the return
_ALIKE = 0.7  # of difflib; below it a suggested column is more often wrong than right

# Sheets of the template that hold nothing of a return; the template takes their names from here.
GUIDANCE_SHEET = N_("Guidance")
CODES_SHEET = N_("Codes")
LISTS_SHEET = N_("Lists")
_ALSO_IGNORED = ("question",)

# A note behind a title: (dd/mm/yyyy), [dob], *, :
_AFTER_THE_TITLE = re.compile(r"\s*(?:\([^()]*\)|\[[^][]*\]|[*:?])+\s*$")


@lru_cache(maxsize=1)
def sheets_of_the_template() -> frozenset[str]:
    """Squeezed names, in both languages, of the template's sheets that are no part of a return."""
    names = {
        squeezed(translations(language).gettext(name))
        for name in (GUIDANCE_SHEET, CODES_SHEET, LISTS_SHEET)
        for language in LANGUAGES
    }
    return frozenset(names).union(_ALSO_IGNORED)


def names_of_sheet(declared: Return) -> set[str]:
    """Squeezed names that the sheet of a return may have."""
    names = (declared.name, declared.sheet.en, declared.sheet.cy)
    return {squeezed(name) for name in (*names, declared.title.en, declared.title.cy)}


@lru_cache(maxsize=64)
def fields_by_heading(declared: Return) -> Mapping[str, str]:
    """Field names by squeezed heading: its name, else its title, else a synonym, of any field."""
    by_heading: dict[str, str] = {}
    for headings_of in (_names, _titles, _synonyms):
        for field in declared.fields:
            for heading in headings_of(field):
                by_heading.setdefault(squeezed(heading), field.name)
    return by_heading


def plain_heading(text: str, known: Mapping[str, str]) -> str:
    """A heading squeezed; without a note behind it, such as (dd/mm/yyyy) or *, if that is known."""
    whole = squeezed(text)
    if whole not in known:
        bare = squeezed(_AFTER_THE_TITLE.sub("", text))
        if bare in known:
            return bare
    return whole


def heading_row(sheet: SheetContent, declared: Return) -> int | None:
    """Index, from 0, of the row with the most headings of a return; None where there is none."""
    known = fields_by_heading(declared)
    best, most = None, min(_FEWEST_HEADINGS, len(declared.fields)) - 1
    for index, row in enumerate(sheet.rows[:ROWS_SEARCHED_FOR_HEADINGS]):
        headings = {plain_heading(cell, known) for cell in row if cell}
        matches = len({known[heading] for heading in headings if heading in known})
        if matches > most:
            best, most = index, matches
    return best


def looks_like(sheet: SheetContent, declared: Return) -> bool:
    """Whether a sheet has a return's headings: its key, and most of what is required."""
    header = heading_row(sheet, declared)
    # The guidance of the template lists all headings of a return.
    if header is None or squeezed(sheet.name) in sheets_of_the_template():
        return False
    known = fields_by_heading(declared)
    names = {known.get(plain_heading(cell, known)) for cell in sheet.rows[header] if cell}
    required = {field.name for field in declared.fields if field.constraints.is_required_in(None)}
    key = set(declared.primary_key) or required
    return bool(key & names) and len(required & names) >= _REQUIRED_HEADINGS * len(required)


def closest_column(field: ReturnField, unknown: Mapping[int, str]) -> int | None:
    """The column whose heading is most like the field's name, title or a synonym, if any is.

    ``unknown`` are squeezed headings by column, from 0.
    """
    wordings = [squeezed(w) for w in (*_names(field), *_titles(field), *_synonyms(field))]
    scored = [
        (difflib.SequenceMatcher(None, heading, wording).ratio(), -column)
        for column, heading in unknown.items()
        for wording in wordings
    ]
    score, column = max(scored, default=(0.0, 0))
    return -column if score >= _ALIKE else None


def _names(field: ReturnField) -> tuple[str, ...]:
    return (field.name,)


def _titles(field: ReturnField) -> tuple[str, ...]:
    return (field.title.en, field.title.cy)


def _synonyms(field: ReturnField) -> tuple[str, ...]:
    return field.synonyms
