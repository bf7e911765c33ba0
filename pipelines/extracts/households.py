"""Adopters of a list, one row for each of them, as households."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pipelines.extracts.sentences import Sentence, some
from pipelines.extracts.values import Entry
from pipelines.quarters import Quarter
from pipelines.text.catalogue import N_

MOST_ADOPTERS = 2

TOO_MANY = N_(
    "{sheet}: rows {rows} share their {column} with more than one other adopter: give each family "
    "one of its own."
)
DIFFERENT_DAYS = N_(
    "{sheet}: rows {rows} are two adopters of one family with different dates or reasons: give "
    "both the family's."
)


def gather(read: Sequence[Entry]) -> tuple[dict[str, dict[str, Any]], list[Sentence]]:
    """Households by reference: what their adopters' rows say, and what contradicts itself.

    An adopter without a family is a household by himself, under his own reference.
    """
    families: dict[str, list[Entry]] = {}
    for entry in read:
        if entry.sheet.table.role == "adopter":
            family = entry.values.get("household_reference", entry.reference)
            families.setdefault(family, []).append(entry)
    too_many = [e for each in families.values() if len(each) > MOST_ADOPTERS for e in each]
    different = [
        entry
        for each in families.values()
        if any(entry.values != each[0].values for entry in each)
        for entry in each
    ]
    wrong = [
        _sentence(template, entries)
        for template, entries in ((TOO_MANY, too_many), (DIFFERENT_DAYS, different))
        if entries
    ]
    households = {
        family: {
            **each[0].values,
            "household_reference": family,
            "adopters_in_household": str(len(each)),
        }
        for family, each in families.items()
    }
    return households, wrong


def _sentence(template: str, entries: Sequence[Entry]) -> Sentence:
    sheet = entries[0].sheet
    return Sentence(
        template,
        {
            "sheet": sheet.shown,
            "rows": some(entry.number for entry in entries),
            "column": sheet.table.columns["household_reference"],
        },
    )


def row_of(household: Mapping[str, Any], quarter: Quarter) -> dict[str, Any] | None:
    """The household's row as it stood at the end of a quarter; None where it is on no return."""
    row = {
        name: value
        for name, value in household.items()
        if not isinstance(value, date) or value <= quarter.last_day
    }
    if "left_on" not in row:
        row.pop("left_reason", None)
    if not any(isinstance(value, date) for value in row.values()):
        return None
    left = row.get("left_on")
    return None if left is not None and left < quarter.first_day else row
