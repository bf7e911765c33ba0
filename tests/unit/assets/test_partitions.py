"""Quarters as partitions of assets and as ranges of a run."""

from __future__ import annotations

import warnings
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

from pipelines.quarters import Quarter

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pipelines.assets.partitions import QUARTERS, quarters_of, range_tags


def test_partitions_are_the_quarters_up_to_the_one_after_this() -> None:
    keys = QUARTERS.get_partition_keys()
    assert keys[0] == "2018-19-Q1"
    assert keys[-1] in {
        Quarter.containing(day).plus(1).label
        for day in (date.today(), date.today() - timedelta(days=1))
    }
    assert keys == sorted(set(keys))


def test_a_range_covers_a_stretch_of_quarters() -> None:
    tags = range_tags([Quarter(2019, 4), Quarter(2020, 1), Quarter(2020, 2)])
    assert sorted(tags.values()) == ["2019-20-Q4", "2020-21-Q2"]


def test_assets_are_asked_for_the_quarters_of_their_partitions() -> None:
    context: Any = SimpleNamespace(partition_keys=["2020-21-Q2", "2020-21-Q3"])
    assert quarters_of(context) == [Quarter(2020, 2), Quarter(2020, 3)]
