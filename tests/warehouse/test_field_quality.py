"""How good a return is, field by field."""

from __future__ import annotations

from typing import Any

from pipelines.declarations import Declarations
from pipelines.extracts.completeness import completeness
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES
from tests.warehouse.conftest import InventedReturns


def _by_hand(
    country: InventedReturns, name: str, declared: Declarations
) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Rows that should have a field and those that do, of the returns in force."""
    by_return: dict[tuple[str, str], list[dict[str, Any]]] = {}
    named = {field.validated_name: field.name for field in declared.returns[name].fields}
    for row in country.query(f"select * from staging.stg_{name}", database="work"):  # noqa: S608
        known = {named.get(key, key): value for key, value in row.items()}
        by_return.setdefault((row["sender_code"], row["quarter"]), []).append(known)
    return {
        (sender, quarter, each.field.name): (each.expected, each.given)
        for (sender, quarter), rows in by_return.items()
        for each in completeness({name: rows}, "E06000022", Quarter.parse(quarter), declared)
        if each.expected and each.field.expected_with is not None
    }


def test_completeness_is_what_the_report_tells_the_sender(warehouse: InventedReturns) -> None:
    declared = Declarations(SOURCES)
    found = warehouse.query("select * from marts.fct_field_quality")
    assert len(found) > 100
    for name in ("child", "adopter"):
        mart = {
            (row["sender_code"], row["quarter"], row["field"]): (
                row["rows_expected"],
                row["rows_given"],
            )
            for row in found
            if row["return_name"] == name
        }
        assert mart == _by_hand(warehouse, name, declared)
    for row in found:
        assert row["percent_given"] == 100 * row["rows_given"] / row["rows_expected"]


def test_the_nation_is_the_sum_of_its_senders(warehouse: InventedReturns) -> None:
    wrong = warehouse.query(
        """
        select quarter, field from marts.fct_field_quality as quality
        join marts.dim_place on place_code = sender_code
        group by nation_code, quarter, return_name, field
        having sum(rows_given) <> max(nation_rows_given)
            or sum(rows_expected) <> max(nation_rows_expected)
        """
    )
    assert wrong == []
