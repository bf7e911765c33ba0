"""How much of what figures are counted from a converted return holds, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.declarations import Declarations, Extract, ReturnField
from pipelines.quarters import Quarter

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
    extract: Extract,
    sender_code: str,
    quarter: Quarter,
    declarations: Declarations,
) -> tuple[FieldGiven, ...]:
    """Each field asked for in the quarter that some row should have or no column says."""
    nation = declarations.nation_of(sender_code) or ""
    found = []
    for name, entries in rows.items():
        filled = extract.fields("adopter" if name == "adopter" else "child")
        for field in declarations.returns[name].fields_in_force(quarter):
            expected = [row for row in entries if is_expected(field, row)]
            found.append(
                FieldGiven(
                    return_name=name,
                    field=field,
                    given=sum(is_given(field, row) for row in expected),
                    expected=len(expected),
                    is_in_extract=field.name in filled,
                    figures=declarations.figures_of(name, field.name, nation),
                )
            )
    return tuple(found)


def is_expected(field: ReturnField, row: Mapping[str, Any]) -> bool:
    """Whether a blank would be a gap: always, or where another field of the row is given."""
    if field.expected_with is None:
        return field.constraints.required
    return field.expected_with == "always" or row.get(field.expected_with) is not None


def is_given(field: ReturnField, row: Mapping[str, Any]) -> bool:
    """Said, and not only that it is not known."""
    return row.get(field.name) not in (None, NOT_KNOWN)
