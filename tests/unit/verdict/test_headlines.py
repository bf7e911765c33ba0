"""Headline figures of one return are those the catalogue works out, by the warehouse's own SQL."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.declarations import Indicator
from pipelines.quarters import Quarter
from pipelines.settings import DBT_PROJECT
from pipelines.verdict import headlines as module
from pipelines.verdict.headlines import (
    HeadlineFigures,
    NoHeadlines,
    VersionRows,
    headlines,
    measured_cases,
    model_sql,
)
from pipelines.warehouse.measures import MODELS
from pipelines.warehouse.tables import validated_schema
from tests.unit.returns_made import ANGLESEY, DECLARATIONS

HEADLINES = [indicator for indicator in DECLARATIONS.indicators.values() if indicator.headline]
IN_NATION = {"W92000004": ANGLESEY, "E92000001": "E08000026"}
KEYS = {"child": "child_pseudonym", "adopter": "household_pseudonym"}


def validated(subject: str, quarter: Quarter, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows in the shape of the validated room, blank where nothing is said."""
    schema = validated_schema(DECLARATIONS.returns[subject])
    common = {"submission_id": "S1", "sender_code": ANGLESEY, "quarter": quarter.label}
    filled = [
        dict.fromkeys(schema)
        | common
        | {"sheet_row": number, "row_status": "accepted"}
        | ({KEYS[subject]: f"{number:032x}"} if subject in KEYS else {})
        | row
        for number, row in enumerate(rows, start=2)
    ]
    return pl.DataFrame(filled, schema=schema, orient="row")


def of(found: list[HeadlineFigures], indicator_id: str) -> HeadlineFigures:
    return next(one for one in found if one.indicator.id == indicator_id)


@pytest.mark.parametrize("indicator", HEADLINES, ids=lambda indicator: indicator.id)
def test_every_headline_comes_to_its_worked_example(indicator: Indicator) -> None:
    example = indicator.example
    rows = VersionRows(
        example.quarter,
        {
            indicator.subject: validated(
                indicator.subject, example.quarter, [dict(row) for row in example.rows]
            )
        },
    )
    found = headlines({"counted": rows}, IN_NATION[indicator.nations[0]], DECLARATIONS)
    part = of(found, indicator.id).figures["counted"]
    assert (part.numerator, part.denominator) == (example.numerator, example.denominator)
    assert part.value == pytest.approx(example.value, abs=0.51 / 10**indicator.rounding)


def test_versions_stand_side_by_side_and_do_not_mix() -> None:
    quarter = Quarter(2020, 2)
    one = {"adoption_order_on": quarter.first_day}
    versions = {
        "counted": VersionRows(quarter, {"child": validated("child", quarter, [one])}),
        "as_sent": VersionRows(quarter, {"child": validated("child", quarter, [one, one, one])}),
        "quarter_before": VersionRows(
            quarter.plus(-1), {"child": validated("child", quarter.plus(-1), [one])}
        ),
    }
    adopted = of(headlines(versions, ANGLESEY, DECLARATIONS), "W07").figures
    assert {name: part.numerator for name, part in adopted.items()} == {
        "counted": 1,
        "as_sent": 3,
        "quarter_before": 0,  # the order is not of that quarter
    }


def test_a_nil_return_gives_nought_and_one_not_sent_gives_nothing() -> None:
    quarter = Quarter(2020, 2)
    nil = VersionRows(quarter, {"child": validated("child", quarter, [])})
    found = headlines({"counted": nil}, ANGLESEY, DECLARATIONS)
    assert of(found, "W07").figures["counted"].numerator == 0
    share = of(found, "W11A_PERCENT").figures["counted"]
    assert (share.numerator, share.denominator, share.value) == (0, 0, None)
    assert headlines({"counted": VersionRows(quarter, {})}, ANGLESEY, DECLARATIONS) == []


def test_only_headlines_of_the_senders_nation_are_told() -> None:
    quarter = Quarter(2020, 2)
    rows = {"counted": VersionRows(quarter, {"child": validated("child", quarter, [])})}
    for nation, sender in IN_NATION.items():
        told = {one.indicator.id for one in headlines(rows, sender, DECLARATIONS)}
        assert told == {i.id for i in HEADLINES if nation in i.nations and i.subject == "child"}


def test_text_that_would_break_out_of_the_query_is_only_text() -> None:
    quarter = Quarter(2020, 2)
    nasty = "'); drop table stg_child; --\\ ŵ \" {{ 1/0 }}"
    row = {"adoption_order_on": quarter.first_day, "plan_ended_reason": nasty}
    rows = VersionRows(quarter, {"child": validated("child", quarter, [row, row])})
    found = headlines({"counted": rows}, ANGLESEY, DECLARATIONS)
    assert of(found, "W07").figures["counted"].numerator == 2


@pytest.mark.parametrize("subject", MODELS)
def test_the_models_are_rendered_whole(subject: str) -> None:
    sql = measured_cases(subject)
    assert "{{" not in sql and "{%" not in sql
    assert re.search(rf"\bstg_{subject}\b", sql)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("select {{ run_query('select 1') }}", "run_query"),
        ("select {{ adapter.dispatch('x') }}", "adapter"),
        ("select {% endif %}", "endif"),
    ],
)
def test_a_model_that_asks_for_more_is_not_guessed_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, words: str
) -> None:
    models = tmp_path / "models" / "intermediate"
    models.mkdir(parents=True)
    (models / "int_child_flow_measures.sql").write_text(text, encoding="utf-8")
    monkeypatch.setattr(module, "DBT_PROJECT", tmp_path)
    with pytest.raises(NoHeadlines, match=words):
        model_sql("int_child_flow_measures")


def test_a_model_that_is_missing_or_fails_says_so_without_a_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    quarter = Quarter(2020, 2)
    row = {"plan_ended_reason": "SECRET"}
    rows = {"counted": VersionRows(quarter, {"child": validated("child", quarter, [row])})}
    monkeypatch.setattr(module, "DBT_PROJECT", tmp_path)
    with pytest.raises(NoHeadlines, match="is not there"):
        headlines(rows, ANGLESEY, DECLARATIONS)
    shutil.copytree(DBT_PROJECT / "macros", tmp_path / "macros")
    models = tmp_path / "models" / "intermediate"
    models.mkdir(parents=True)
    used = {name for i in HEADLINES for name in (i.numerator, i.denominator) if name}
    columns = ", ".join(f"cast(plan_ended_reason as bigint) as {name}" for name in sorted(used))
    text = f"select sender_code, quarter, child_pseudonym, {columns} from stg_child"  # noqa: S608
    (models / "int_child_flow_measures.sql").write_text(text, encoding="utf-8")
    text = "select sender_code, quarter, child_pseudonym from stg_child"
    (models / "int_child_stock_measures.sql").write_text(text, encoding="utf-8")
    module._environment.cache_clear()
    with pytest.raises(NoHeadlines, match="ConversionException") as caught:
        headlines(rows, ANGLESEY, DECLARATIONS)
    assert "SECRET" not in str(caught.value) and caught.value.__cause__ is None
