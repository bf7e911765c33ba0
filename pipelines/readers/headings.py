"""The names and headings by which a sheet of a return is known.

A heading may be a field's name, its title in either language or a declared synonym, in any case
and punctuation, in any of the first rows and in any order.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from pipelines.declarations import Return, ReturnField
from pipelines.readers.codes_written import squeezed
from pipelines.readers.content import SheetContent
from pipelines.text.catalogue import LANGUAGES, N_, translations

ROWS_SEARCHED_FOR_HEADINGS = 20
# Two headings that are known: with one, a row of data that holds a title's word would pass.
_FEWEST_HEADINGS = 2
_HEADINGS_OF_A_RETURN = 4  # that are enough to say whose they are
_REQUIRED_HEADINGS = 0.6  # of the required columns, for a sheet to look like the return
_ALIKE = 0.7  # of difflib; below it a suggested column is more often wrong than right

# Sheets of the template that hold nothing of a return; the template takes their names from here.
GUIDANCE_SHEET = N_("Guidance")
CODES_SHEET = N_("Codes")
LISTS_SHEET = N_("Lists")
_ALSO_IGNORED = ("question",)

# The number of a question before a title: 1., A2), Q5:, (3), 12
_BEFORE_THE_TITLE = re.compile(
    r"\s*\(?(?:[A-Za-z]{0,2}[0-9]{1,3}(?:\.[0-9]{1,2})*[a-z]?(?:\s*[.):\u2013\u2014-]\s*|\s+)"
    r"|[A-Za-z]{1,4}[.)]\s+)"
)
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
    """Field names by squeezed heading: its name, else its title, else a synonym, of any field;
    else any two of these in one cell, such as the titles in both languages."""
    by_heading: dict[str, str] = {}
    for headings_of in (_names, _titles, _synonyms):
        for field in declared.fields:
            for heading in headings_of(field):
                by_heading.setdefault(squeezed(heading), field.name)
    for field in declared.fields:
        wordings = {squeezed(w) for w in (*_names(field), *_titles(field), *_synonyms(field))}
        for first in wordings:
            for second in wordings:
                by_heading.setdefault(first + second, field.name)
    return by_heading


def plain_heading(text: str, known: Mapping[str, str]) -> str:
    """A heading squeezed; if that is not known, without what stands around the title.

    Around it may stand a number, as in "1. Sex", and a note, such as (dd/mm/yyyy) or *.
    """
    whole = squeezed(text)
    if whole in known:
        return whole
    behind = _AFTER_THE_TITLE.sub("", text)
    for bare in (behind, _BEFORE_THE_TITLE.sub("", text), _BEFORE_THE_TITLE.sub("", behind)):
        if squeezed(bare) in known:
            return squeezed(bare)
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


def return_it_looks_like(sheet: SheetContent, returns: Iterable[Return]) -> Return | None:
    """The return with the most headings on a sheet, if it has enough of them."""
    headings = {
        declared.name: headings_found(sheet, heading_row(sheet, declared), declared)
        for declared in returns
    }
    most = max(headings.values(), default=0)
    best = [declared for declared in returns if headings[declared.name] == most]
    return best[0] if most >= _HEADINGS_OF_A_RETURN and len(best) == 1 else None


def headings_found(sheet: SheetContent, index: int | None, declared: Return) -> int:
    """How many headings of a return a sheet has in the row ``index``."""
    if index is None:
        return 0
    known = fields_by_heading(declared)
    return len(
        {known.get(plain_heading(cell, known)) for cell in sheet.rows[index] if cell} - {None}
    )


def closest_column(
    field: ReturnField,
    unknown: Mapping[int, str],
    declared: Return,
    positions: Mapping[str, int],
) -> int | None:
    """The column whose heading is most like the field's name, title or a synonym, if any is; else
    the one that stands where the template has the field.

    ``unknown`` are squeezed headings by column, from 0; ``positions`` the columns that are known.
    """
    wordings = [squeezed(w) for w in (*_names(field), *_titles(field), *_synonyms(field))]
    scored = [
        (difflib.SequenceMatcher(None, heading, wording).ratio(), -column)
        for column, heading in unknown.items()
        for wording in wordings
    ]
    score, column = max(scored, default=(0.0, 0))
    if score >= _ALIKE:
        return -column
    names = [each.name for each in declared.fields]
    place = names.index(field.name)
    before = [positions[name] for name in names[:place] if name in positions]
    after = [positions[name] for name in names[place + 1 :] if name in positions]
    between = [
        each
        for each in unknown
        if before and after and before[-1] < each < after[0] and after[0] - before[-1] == 2
    ]
    return between[0] if between else None


def _names(field: ReturnField) -> tuple[str, ...]:
    return (field.name,)


def _titles(field: ReturnField) -> tuple[str, ...]:
    return (field.title.en, field.title.cy)


def _synonyms(field: ReturnField) -> tuple[str, ...]:
    return field.synonyms
