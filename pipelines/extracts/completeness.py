"""How much a return holds of what its figures are counted from, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.declarations import Declarations, Extract, ReturnField
from pipelines.quarters import Quarter
from pipelines.text.catalogue import Language, translations

FIGURES_NAMED = 6  # of those that need a field; more are counted
NOT_KNOWN = "unknown"  # a code that says no more than a blank


@dataclass(frozen=True)
class FieldGiven:
    """One field: in how many of the rows that should have it, it is given.

    ``is_in_extract`` is False where no column of the extract says it. ``figures`` are the
    indicators of the sender's nation that are counted from it.
    """

    return_name: str
    field: ReturnField
    given: int
    expected: int
    is_in_extract: bool
    figures: tuple[str, ...]


def completeness(
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    sender_code: str,
    quarter: Quarter,
    declarations: Declarations,
    extract: Extract | None = None,
) -> tuple[FieldGiven, ...]:
    """Each field asked for in the quarter, of the returns in ``rows``.

    ``extract`` is what the rows were converted from, if they were.
    """
    nation = declarations.nation_of(sender_code) or ""
    found = []
    for name, entries in rows.items():
        filled = extract.fields("adopter" if name == "adopter" else "child") if extract else None
        for field in declarations.returns[name].fields_in_force(quarter):
            expected = [row for row in entries if is_expected(field, row)]
            found.append(
                FieldGiven(
                    return_name=name,
                    field=field,
                    given=sum(is_given(field, row) for row in expected),
                    expected=len(expected),
                    is_in_extract=filled is None or field.name in filled,
                    figures=declarations.figures_of(name, field.name, nation),
                )
            )
    return tuple(found)


def gap_in_words(each: FieldGiven, language: Language) -> str:
    """How often a field is given, and what comes of its gaps."""
    _ = translations(language).gettext
    title = each.field.title.en if language == "en" else each.field.title.cy
    if not each.is_in_extract:
        said = _("{field}: no column of the files says it.").format(field=title)
    else:
        said = _("{field}: given in {given} of {expected} rows.").format(
            field=title, given=each.given, expected=each.expected
        )
    if not each.figures:
        return f"{said} {_('No figure is counted from it.')}"
    named, more = each.figures[:FIGURES_NAMED], len(each.figures) - FIGURES_NAMED
    figures = ", ".join(named) + (f" (+{more})" if more > 0 else "")
    consequence = _("Without it a row is not, or not rightly, in {figures}.")
    return f"{said} {consequence.format(figures=figures)}"


def is_expected(field: ReturnField, row: Mapping[str, Any]) -> bool:
    """Whether a blank would be a gap: always, or where another field of the row is given."""
    if field.expected_with is None:
        return field.constraints.required
    return field.expected_with == "always" or row.get(field.expected_with) is not None


def is_given(field: ReturnField, row: Mapping[str, Any]) -> bool:
    """Said, and not only that it is not known."""
    return row.get(field.name) not in (None, NOT_KNOWN)
