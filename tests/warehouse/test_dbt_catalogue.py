"""What is not computed, and where series break, stands in the warehouse as it is declared."""

from __future__ import annotations


def test_what_is_not_computed_is_a_mart_with_its_reason_in_both_languages(warehouse) -> None:
    rows = warehouse.query("select * from marts.dim_indicator_not_computed")
    declared = warehouse.declarations.not_computed
    assert {row["indicator_id"] for row in rows} == set(declared)
    for row in rows:
        known = declared[row["indicator_id"]]
        assert (row["reason_en"], row["reason_cy"]) == (known.reason_en, known.reason_cy)
        assert (row["definition_status"], row["source"]) == (known.status, known.source)


def test_nothing_that_is_not_computed_has_a_figure(warehouse) -> None:
    found = warehouse.query(
        "select f.indicator_id from marts.fct_indicator f"
        " join marts.dim_indicator_not_computed using (indicator_id)"
    )
    assert found == []


def test_a_break_reaches_the_warehouse_for_each_indicator_and_place(warehouse) -> None:
    rows = warehouse.query("select * from marts.dim_break_in_series")
    declared = {
        (row.break_id, indicator, place, row.since.label)
        for row in warehouse.declarations.breaks_in_series
        for indicator in row.indicator_ids
        for place in row.place_codes
    }
    keys = [(r["break_id"], r["indicator_id"], r["place_code"], r["since"]) for r in rows]
    assert sorted(keys) == sorted(declared)


def test_a_reader_finds_the_breaks_of_one_figure(warehouse) -> None:
    """As the description of the mart says: its own or every, and the window crosses ``since``."""
    found = warehouse.query(
        """
        select break_id from marts.dim_break_in_series
        where indicator_id in (?, '*') and place_code in (?, '*')
            and ? < since and since <= ?
        order by break_id
        """,
        *("A1", "TOGETHER4CHILDREN", "2018-19-Q2", "2021-22-Q1"),
    )
    assert [row["break_id"] for row in found] == ["A1_REMOVED_2021", "TOGETHER4CHILDREN_2020"]
