"""XmR limits and rules against hand-worked numbers and a slow twin that knows no shortcut."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.pack.control_charts import control_chart

# Mean 129 / 12 = 10.75. Moving ranges 2 3 2 2 3 2 4 1 1 2 1: together 23, mean 23 / 11 = 2.0909.
# 2.66 × 2.0909 = 5.5618.
STEADY = [10, 12, 9, 11, 13, 10, 8, 12, 11, 10, 12, 11]


def rules(values: Sequence[float]) -> list[set[str]]:
    return [set(point) for point in control_chart(values).rules]


def marked(values: Sequence[float], rule: str) -> list[int]:
    return [number for number, applying in enumerate(rules(values)) if rule in applying]


def test_limits_are_the_mean_and_2_66_mean_moving_ranges_on_either_side() -> None:
    chart = control_chart(STEADY)
    assert chart.mean == pytest.approx(10.75)
    assert chart.mean_moving_range == pytest.approx(23 / 11)
    assert (chart.lower, chart.upper) == (pytest.approx(5.18818, abs=1e-5), pytest.approx(16.31182))
    assert not any(chart.rules)


def test_the_factor_is_three_standard_deviations_of_a_range_of_two() -> None:
    chart = control_chart(STEADY)
    three_sigma = 3 * chart.mean_moving_range / 1.128
    assert chart.upper - chart.mean == pytest.approx(three_sigma, rel=2e-4)


def test_an_outlier_counts_in_the_limits_as_in_the_spreadsheet() -> None:
    """The series in the documentation of NHSRplotthedots on treating outliers: all 17 moving ranges
    1 1 1 8 9 1 … 1 count there when none is screened: 32 / 17, and 2.66 times that is 5.007."""
    values = [1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]
    chart = control_chart(values)
    assert chart.mean == pytest.approx(35 / 18)
    assert chart.mean_moving_range == pytest.approx(32 / 17)
    assert chart.upper == pytest.approx(35 / 18 + 2.66 * 32 / 17)
    assert marked(values, "outside") == [4]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 1, 1, 1, 1, 1, 1, 9, 9, 9, 9, 9, 9, 9], list(range(14))),
        ([1, 2, 1, 2, 1, 2, 1, 9, 8, 9, 8, 9, 8, 9], list(range(14))),
        ([1, 1, 1, 1, 1, 1, 9, 9, 9, 9, 9, 9], []),  # six and six
        ([1, 1, 1, 5, 1, 1, 1, 1, 9, 9, 5, 9, 9, 9, 9, 9], []),  # on the mean is on no side
    ],
)
def test_a_shift_is_seven_in_a_row_on_one_side(values: list[float], expected: list[int]) -> None:
    assert marked(values, "shift") == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([5, 1, 2, 3, 4, 5, 6, 7, 5, 4], [1, 2, 3, 4, 5, 6, 7]),
        ([5, 9, 8, 7, 6, 5, 4, 3, 5, 6], [1, 2, 3, 4, 5, 6, 7]),
        ([5, 1, 2, 3, 4, 5, 6, 5, 4, 3], []),  # six
        ([1, 2, 3, 4, 4, 5, 6, 7], []),  # a tie is no rise
    ],
)
def test_a_trend_is_seven_in_a_row_all_rising_or_falling(
    values: list[float], expected: list[int]
) -> None:
    assert marked(values, "trend") == expected


def test_points_of_a_trend_have_its_direction_and_others_their_side() -> None:
    chart = control_chart([5, 9, 8, 7, 6, 5, 4, 3, 9, 2])
    assert chart.directions == (-1, -1, -1, -1, -1, -1, -1, -1, 1, -1)
    # The first is below the mean of 5.8; the second to eighth fall, though four lie above it.


@pytest.mark.parametrize(
    ("near", "expected"),
    [
        ([14.5, 11.0, 14.5], [30, 32]),
        ([14.5, 14.5, 11.0], [30, 31]),
        ([14.5, 9.0, 14.5], []),  # the second lies on the other side
        ([14.5, 11.0, 11.0], []),  # one of three
    ],
)
def test_two_of_three_near_a_limit_on_one_side(near: list[float], expected: list[int]) -> None:
    values = [9, 11] * 15 + near + [9, 11] * 5
    chart = control_chart(values)
    outer_third = chart.mean + 2 / 3 * (chart.upper - chart.mean)
    assert chart.mean < 11 < outer_third < 14.5 < chart.upper
    assert marked(values, "near_limit") == expected


@pytest.mark.parametrize("value", [0.0, 0.1, 7.3, 1e6 / 3])
def test_a_series_that_never_moves_has_no_signal(value: float) -> None:
    """The mean of twelve times 0.1 is not 0.1 to the last bit."""
    chart = control_chart([value] * 12)
    assert chart.mean == pytest.approx(value)
    assert not any(chart.rules)


def test_one_point_has_no_moving_range() -> None:
    with pytest.raises(ValueError, match="two points"):
        control_chart([1.0])


def _twin(values: list[int]) -> list[set[str]]:
    """Every stretch looked at, in exact fractions: whole numbers times the count of everything."""
    n = len(values)
    total, ranges = sum(values), sum(abs(b - a) for a, b in pairwise(values))
    # Compared without division: x - mean = (n·x - total) / n, margin = 2.66·ranges / (n - 1).
    away = [(n * value - total) * (n - 1) * 100 for value in values]
    margin = 266 * ranges * n
    special: list[set[str]] = [set() for _ in values]
    near = [abs(d) <= margin and 3 * abs(d) > 2 * margin for d in away]
    for i in range(n):
        if abs(away[i]) > margin:
            special[i].add("outside")
        for start in range(max(0, i - 6), min(i, n - 7) + 1):
            run = range(start, start + 7)
            if all(away[j] > 0 for j in run) or all(away[j] < 0 for j in run):
                special[i].add("shift")
            steps = [values[j + 1] - values[j] for j in run[:-1]]
            if all(step > 0 for step in steps) or all(step < 0 for step in steps):
                special[i].add("trend")
        for start in range(max(0, i - 2), min(i, n - 3) + 1):
            three = range(start, start + 3)
            on_one_side = all(away[j] > 0 for j in three) or all(away[j] < 0 for j in three)
            if near[i] and on_one_side and sum(near[j] for j in three) >= 2:
                special[i].add("near_limit")
    return special


@given(st.lists(st.integers(0, 12), min_size=2, max_size=40))
def test_the_rules_agree_with_a_twin_in_whole_numbers(values: list[int]) -> None:
    assert rules([float(value) for value in values]) == _twin(values)


@given(st.lists(st.integers(0, 3), min_size=7, max_size=24).map(sorted))
def test_the_rules_agree_with_the_twin_where_there_are_runs(values: list[int]) -> None:
    series = [*values, *reversed(values)]
    assert rules([float(value) for value in series]) == _twin(series)
