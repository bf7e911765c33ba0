"""Small invented returns, for tests of what their senders are told. All of it is synthetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES
from pipelines.templates.csv_files import write_csv_return
from pipelines.templates.workbook import write_return
from pipelines.text.catalogue import Language

DECLARATIONS = Declarations(SOURCES)
Q1, Q2 = Quarter(2020, 1), Quarter(2020, 2)  # April to June, July to September 2020
ANGLESEY = "W06000001"  # owes the child return alone

COVER: dict[str, Any] = {
    "sender_code": ANGLESEY,
    "quarter": Q2.label,
    "version": 1,
    "signed_off_by_role": "Head of service",
    "signed_off_on": date(2020, 10, 9),
    "is_synthetic": "yes",
}


SUPPORT = {
    "support_requests": 9,
    "support_assessments_started": 5,
    "support_assessments_completed": 4,
    "support_plans_agreed": 3,
    "families_receiving_support": 20,
    "birth_parents_offered_support": 6,
    "birth_parents_taking_up_support": 2,
    "contact_arrangements_active": 15,
    "contact_exchanges": 7,
}


def child(reference: str, **fields: Any) -> dict[str, Any]:
    """A child newly referred, about whom no rule has a word to say."""
    return {
        "child_reference": reference,
        "date_of_birth": date(2017, 3, 17),
        "sex": "female",
        "ethnicity_group": "white",
        "is_disabled": "no",
        "has_additional_needs": "no",
        "siblings_placed_together": 1,
        "siblings_placed_apart": 0,
        "entered_care_on": date(2020, 1, 6),
        "referred_on": date(2020, 8, 3),
        "early_permanence": "none",
        "family_finding_status": "not_started",
    } | fields


def children(count: int, start: int = 1) -> list[dict[str, Any]]:
    born = date(2017, 3, 17)  # each on another day: many on one would be asked about
    return [
        child(f"REF-{number:04d}", date_of_birth=born - timedelta(days=number - start))
        for number in range(start, start + count)
    ]


def workbook(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    quarter: Quarter = Q2,
    language: Language = "en",
    **cover: Any,
) -> Path:
    """An xlsx return of children."""
    answers = COVER | {"quarter": quarter.label} | cover
    write_return(path, DECLARATIONS, quarter, answers, {"child": rows}, language)
    return path


def csv_zip(path: Path, rows: Sequence[Mapping[str, Any]], **cover: Any) -> Path:
    """The same as CSV files in a zip."""
    write_csv_return(path, DECLARATIONS, Q2, COVER | cover, {"child": rows})
    return path


def last_quarter(count: int) -> list[dict[str, Any]]:
    """Children of the quarter before, referred in it."""
    return [row | {"referred_on": date(2020, 5, 4)} for row in children(count)]
