"""Rounding: as published figures were rounded, and so that tables still add up where they can."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.declarations import Declarations
from pipelines.disclosure.protection import protect
from pipelines.disclosure.rounding import nearest
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES
from tests.unit.disclosure.tables_made import Q1, Tables, counted, rules

PLACES = {"nation": {"senders": ("a", "b", "c")}}
EVERYWHERE = ["authority", "region", "nation"]


def test_a_published_welsh_figure_is_rounded_as_it_was_published():
    """Children adopted in the year to March 2012: 246, shown as 245 to the nearest five."""
    assert nearest(np.array([246.0]), np.array([5])).tolist() == [245.0]


@pytest.mark.parametrize(
    ("value", "base", "shown"),
    [
        (0, 5, 0),
        (2, 5, 0),
        (3, 5, 5),
        (7, 5, 5),
        (8, 5, 10),
        (5, 10, 10),
        (14, 10, 10),
        (15, 10, 20),
    ],
)
def test_a_half_is_rounded_upwards(value, base, shown):
    assert nearest(np.array([float(value)]), np.array([base])).tolist() == [shown]


def shown(tables: Tables, **changes) -> dict[tuple[str, str], int | None]:
    cells = tables.cells(Q1)
    found = protect(cells, tables.relations(Q1), rules(**changes), ratios=tables.ratios())
    return {(row["place"], row["part"]): row["shown"] for row in found.cells.iter_rows(named=True)}


def test_small_numbers_are_kept_back_first_and_the_rest_rounded_then():
    tables = Tables(counted({"a": (3, 41), "b": (17, 22), "c": (12, 13)}), PLACES)
    found = shown(
        tables, method="suppress_then_round", rounding=[{"kinds": EVERYWHERE, "base": 10}]
    )
    assert found["a", "boys"] is None
    assert found["nation", "total"] == 110  # 108
    assert all(value is None or value % 10 == 0 for value in found.values())


def test_together_rounded_tables_add_up():
    tables = Tables(counted({"a": (11, 13), "b": (12, 14), "c": (21, 32)}), PLACES)
    found = shown(tables, method="round", rounding=[{"kinds": EVERYWHERE, "base": 5}])
    numbers = {key: value for key, value in found.items() if value is not None}
    assert numbers == found
    for part in ("boys", "girls", "total"):
        assert numbers["nation", part] == sum(numbers[place, part] for place in "abc")
    for place in ("a", "b", "c", "nation"):
        assert numbers[place, "total"] == numbers[place, "boys"] + numbers[place, "girls"]


def test_each_kind_of_place_has_its_own_base():
    tables = Tables(counted({"a": (33,), "b": (42,), "c": (51,)}, parts=("all",)), PLACES)
    found = shown(
        tables,
        method="suppress_then_round",
        rounding=[{"kinds": ["authority"], "base": 5}, {"kinds": ["nation"], "base": 10}],
    )
    assert found == {
        ("a", "total"): 35,
        ("b", "total"): 40,
        ("c", "total"): 50,
        ("nation", "total"): 130,
    }


def test_a_percentage_is_of_unrounded_figures():
    tables = Tables(
        counted({"a": (14,), "b": (23,), "c": (36,)}, parts=("all",))
        | counted({"a": (7,), "b": (11,), "c": (13,)}, parts=("all",), measure="late"),
        PLACES,
        subsets=(("late", "children_placed"),),
        percentages=(("A9", "late", "children_placed"),),
    )
    cells = tables.cells(Q1)
    rounding = rules(
        method="suppress_then_round",
        rounding=[{"kinds": EVERYWHERE, "base": 10}],
        percentages={"decimals": 0},
    )
    found = protect(cells, tables.relations(Q1), rounding, ratios=tables.ratios())
    shares = {row["place"]: row["shown"] for row in found.ratios.iter_rows(named=True)}
    assert shares == {"a": 50, "b": 48, "c": 36, "nation": 42}  # of rounded ones: 100, 50, 25, 43


def test_published_practice_can_be_applied_by_name():
    policy = Declarations(SOURCES).disclosure_policy_of("DFE")
    ten = policy.rules_for(Quarter(2025, 1), "dfe-rounded-to-ten")
    tables = Tables(counted({"a": (246,), "b": (98,), "c": (51,)}, parts=("all",)), PLACES)
    found = protect(tables.cells(Q1), tables.relations(Q1), ten)
    numbers = dict(found.cells.select("place", "shown").iter_rows())
    assert numbers == {"a": 250, "b": 100, "c": 50, "nation": 400}
