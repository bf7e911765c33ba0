"""Where a column comes from, read off SQL as dbt compiles it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.ui.column_lineage import ColumnLineage, in_a_few_words

STAGING = """
select child_pseudonym, matched_on, placed_on, 1 as one
from read_parquet('/data/validated/child/*/*.parquet', union_by_name = true)
"""
MEASURES = """
with stg_child as (select * from "work"."staging"."stg_child")
select
    child_pseudonym,
    date_diff('day', matched_on, placed_on) as days_to_placement,
    count(*) over () as children
from stg_child
"""


@pytest.fixture
def lineage(tmp_path: Path) -> ColumnLineage:
    found = ColumnLineage(tmp_path / "lineage.json")
    found.of("stg_child", STAGING)
    return found


def test_a_column_is_followed_to_the_file_that_is_read(tmp_path: Path) -> None:
    origins = ColumnLineage(tmp_path / "lineage.json").of("stg_child", STAGING)
    assert origins is not None
    assert origins["matched_on"] == [("child", "matched_on")]
    assert origins["one"] == []


def test_a_column_made_of_two_names_both_and_a_count_names_none(lineage: ColumnLineage) -> None:
    origins = lineage.of("int_child_measures", MEASURES)
    assert origins == {
        "child_pseudonym": [("stg_child", "child_pseudonym")],
        "days_to_placement": [("stg_child", "matched_on"), ("stg_child", "placed_on")],
        "children": [],
    }


def test_sql_that_nobody_can_read_is_no_fault(lineage: ColumnLineage) -> None:
    assert lineage.of("odd", "select from where )") is None


def test_what_was_found_is_remembered_until_a_parent_changes(tmp_path: Path) -> None:
    memory = tmp_path / "lineage.json"
    first = ColumnLineage(memory)
    first.of("stg_child", STAGING)
    first.of("copy", 'select * from "work"."staging"."stg_child"')
    first.keep()
    written = memory.read_bytes()
    same = ColumnLineage(memory)
    same.of("stg_child", STAGING)
    same.of("copy", 'select * from "work"."staging"."stg_child"')
    same.keep()
    assert memory.read_bytes() == written
    other = ColumnLineage(memory)
    other.of("stg_child", STAGING.replace("placed_on", "placed_on, sex"))
    found = other.of("copy", 'select * from "work"."staging"."stg_child"')
    assert found is not None and found["sex"] == [("stg_child", "sex")]


def test_a_memory_that_is_lost_or_damaged_is_made_anew(tmp_path: Path) -> None:
    memory = tmp_path / "lineage.json"
    memory.write_text('{"stg_child": {"se', encoding="utf-8")
    assert ColumnLineage(memory).of("stg_child", STAGING) is not None


def test_many_columns_of_a_table_are_counted_and_few_are_named() -> None:
    few = [("stg_child", "matched_on"), ("stg_child", "placed_on")]
    many = [("int_window", f"column_{number}") for number in range(12)]
    assert in_a_few_words([*few, *many]) == (
        "stg_child: matched_on, placed_on; int_window: 12 columns"
    )
    assert in_a_few_words([]) == "–"
