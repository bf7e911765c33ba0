"""The rows of a worked example are ones that a return could hold: no rule sets them aside.

An example names only what matters to it, so the row is first filled up with what must come before
what it names. That something dated after the quarter does not count is shown by rows which the
rule FUTURE would set aside; that rule alone is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl
import pytest

from expectations import suite
from pipelines.declarations import Declarations, Indicator, Return, ReturnField
from pipelines.readers.casting import LEADING_COLUMNS
from pipelines.settings import SOURCES

DECLARED = Declarations(SOURCES)
TYPES = {"string": pl.String, "date": pl.Date, "integer": pl.Int64}
BORN_BEFORE = 400  # days before the first date of a row

# What an example leaves out because it does not matter to it.
LEFT_OUT: dict[str, dict[str, Any]] = {
    "child": {
        "sex": "female",
        "ethnicity_group": "white",
        "is_disabled": "no",
        "has_additional_needs": "no",
        "siblings_placed_together": 1,
        "siblings_placed_apart": 0,
        "early_permanence": "none",
    },
    "adopter": {"adopters_in_household": "2"},
    "support": {},
}
# A step that is missing has the date of the first of those that cannot come before it.
BEFORE: dict[str, dict[str, tuple[str, ...]]] = {
    "child": {
        "placed_on": ("adoption_order_on", "disrupted_on", "life_journey_materials_on"),
        "matched_on": ("placed_on",),
        "placement_order_on": ("placed_on", "disrupted_on"),
        "should_be_placed_decision_on": (
            *("placement_order_on", "matched_on", "adopting_together_referred_on"),
            *("plan_ended_on", "disrupted_on"),
        ),
    },
    "adopter": {
        "matched_on": ("placed_on",),
        "approved_on": ("matched_on", "referred_to_register_on"),
    },
    "support": {},
}
BESIDE = {  # what comes with what
    "placement_order_on": ("authority_to_place", "placement_order"),
    "plan_ended_on": ("plan_ended_reason", "RD4"),
    "left_on": ("left_reason", "other"),
}


def _filled_up(return_name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    row = dict(given)
    is_rematched = (
        row.get("matched_on") and row.get("disrupted_on")
        and row["disrupted_on"] <= row["matched_on"]
    )  # fmt: skip
    for step, later in BEFORE[return_name].items():
        days = [row[name] for name in later if row.get(name)]
        if step == "placed_on" and is_rematched:
            continue  # the disruption is that of the family before
        if row.get(step) is None and days:
            row[step] = min(days)
    for name, (other, code) in BESIDE.items():
        if row.get(name) and not row.get(other):
            row[other] = code
    if row.get("is_foster_carer_adoption") == "yes" and row.get("placed_on"):
        row.setdefault("foster_placement_started_on", row["placed_on"])
    if row.get("is_adopting_together_placement") == "yes" and row.get("matched_on"):
        row.setdefault("adopting_together_referred_on", row["matched_on"])
    return row


def _rows(indicator: Indicator, declarations: Declarations) -> pl.DataFrame:
    declared = declarations.returns[indicator.subject]
    return _typed(declared, indicator.example.rows, indicator.example.quarter.label)


def _typed(declared: Return, rows: tuple[Mapping[str, Any], ...], quarter: str) -> pl.DataFrame:
    schema: dict[str, Any] = dict.fromkeys(LEADING_COLUMNS, pl.String) | {"sheet_row": pl.Int64}
    schema |= {field.name: TYPES[field.type] for field in declared.fields}
    readable = {
        f"readable__{field.name}": True
        for field in declared.fields
        if field.type != "string" or field.code_list
    }
    records = []
    for number, row in enumerate(rows, start=2):
        unknown = row.keys() - {field.validated_name for field in declared.fields}
        assert not unknown, unknown
        given = {
            field.name: row[field.validated_name]
            for field in declared.fields
            if field.validated_name in row
        }
        given = _filled_up(declared.name, given)
        days = [day for day in given.values() if isinstance(day, date)]
        first = min(days, default=date(2019, 1, 1))
        record = LEFT_OUT[declared.name] | given | readable
        for field in declared.fields:
            if field.constraints.required and record.get(field.name) is None:
                record[field.name] = _required(field, number, first)
        leading = ("one", "E06000001", quarter, declared.sheet.en, number)
        records.append(dict(zip(LEADING_COLUMNS, leading, strict=True)) | record)
    return pl.DataFrame(records, schema=schema | dict.fromkeys(readable, pl.Boolean), orient="row")


def _required(field: ReturnField, number: int, first: date) -> Any:
    if field.privacy == "month":
        return date.fromordinal(first.toordinal() - BORN_BEFORE)
    if field.type == "date":
        return first
    return 0 if field.type == "integer" else f"R{number}"


def _errors(indicator: Indicator, declarations: Declarations) -> list[tuple[int, str, str]]:
    result = suite.validate_quarter(
        indicator.subject,
        _rows(indicator, declarations),
        indicator.example.quarter,
        declarations,
        engine="polars",
    )
    assert not result.crashes
    wrong = result.problems.filter((pl.col("severity") == "error") & (pl.col("code") != "FUTURE"))
    return wrong.select("sheet_row", "code", "field").rows()


@pytest.mark.parametrize("indicator", DECLARED.indicators.values(), ids=lambda one: one.id)
def test_no_rule_sets_a_row_of_a_worked_example_aside(indicator: Indicator) -> None:
    assert _errors(indicator, DECLARED) == []


def test_an_example_row_that_a_rule_refuses_is_found() -> None:
    """A9 once had a decision made after the plan had ended."""
    known = DECLARED.indicators["A9"]
    refused = {
        "should_be_placed_decision_on": date(2019, 6, 1),
        "plan_ended_on": date(2019, 5, 1),
        "plan_ended_reason": "RD1",
    }
    changed = known.example.model_copy(update={"rows": (refused, *known.example.rows)})
    found = _errors(known.model_copy(update={"example": changed}), DECLARED)
    assert found == [(2, "CH214", "plan_ended_on")]
