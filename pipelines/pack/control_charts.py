"""XmR charts: whether a series varies as it always did, or something special happened.

Limits and rules are those of NHS England's *Making Data Count*, as its spreadsheet and the package
NHSRplotthedots apply them: mean ± 2.66 × the mean moving range, all moving ranges counted (the
spreadsheet leaves no outlier out), and four rules for a special cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Rule = Literal["outside", "shift", "trend", "near_limit"]

# 3 / 1.128, where 1.128 is what the mean range of two values is in standard deviations.
LIMIT_FACTOR = 2.66
# The package locks its limits after twelve points and calls those of fewer points trial limits.
POINTS_FOR_LIMITS = 12
RUN_LENGTH = 7
# Sums of decimals differ from the value they stand for in the sixteenth place: twelve times 0.1
# must be twelve points on the mean, not twelve points on one side of it.
_NOTHING = 1e-9


@dataclass(frozen=True)
class ControlChart:
    """The lines of an XmR chart and, for each point, which rules call it special."""

    mean: float
    lower: float
    upper: float
    mean_moving_range: float
    rules: tuple[frozenset[Rule], ...]
    # 1 above the mean, -1 below, 0 on it; of a trend's points the direction of the trend.
    directions: tuple[int, ...]


def control_chart(values: Sequence[float]) -> ControlChart:
    """Chart of ``values``, consecutive and without a gap. Raises ValueError below two."""
    if len(values) < 2:
        raise ValueError("a moving range needs two points")
    mean = sum(values) / len(values)
    ranges = [abs(later - earlier) for earlier, later in pairwise(values)]
    # Of neighbours, not the standard deviation of all: a step in the series would widen its own
    # limits.
    moving_range = sum(ranges) / len(ranges)
    margin = LIMIT_FACTOR * moving_range
    nothing = _NOTHING * max(1.0, *(abs(value) for value in values))
    sides = [_sign(value - mean, nothing) for value in values]
    outside = [abs(value - mean) > margin + nothing for value in values]
    # Near a limit is the outer third between mean and limit; what is past it is outside.
    near = [
        abs(value - mean) > margin * 2 / 3 + nothing and not is_outside
        for value, is_outside in zip(values, outside, strict=True)
    ]
    steps = [_sign(later - earlier, nothing) for earlier, later in pairwise(values)]
    trend = _in_trend(steps)
    marked: dict[Rule, Sequence[bool]] = {
        "outside": outside,
        "shift": _in_shift(sides),
        "trend": [direction != 0 for direction in trend],
        "near_limit": _in_two_of_three(near, sides),
    }
    return ControlChart(
        mean=mean,
        lower=mean - margin,
        upper=mean + margin,
        mean_moving_range=moving_range,
        rules=tuple(
            frozenset(rule for rule, points in marked.items() if points[number])
            for number in range(len(values))
        ),
        directions=tuple(of_trend or side for of_trend, side in zip(trend, sides, strict=True)),
    )


def _sign(difference: float, nothing: float) -> int:
    return 0 if abs(difference) <= nothing else 1 if difference > 0 else -1


def _in_shift(sides: Sequence[int]) -> list[bool]:
    """Points of a run of seven or more on one side of the mean."""
    marked = [False] * len(sides)
    for end in range(RUN_LENGTH, len(sides) + 1):
        # A point on the mean, side 0, ends a run: it is on neither side.
        run = set(sides[end - RUN_LENGTH : end])
        if run in ({1}, {-1}):
            marked[end - RUN_LENGTH : end] = [True] * RUN_LENGTH
    return marked


def _in_trend(steps: Sequence[int]) -> list[int]:
    """1 or -1 for points of seven or more that rise or fall all the way, else 0."""
    marked = [0] * (len(steps) + 1)
    for end in range(RUN_LENGTH - 1, len(steps) + 1):
        run = set(steps[end - RUN_LENGTH + 1 : end])
        if run in ({1}, {-1}):
            marked[end - RUN_LENGTH + 1 : end + 1] = [run.pop()] * RUN_LENGTH
    return marked


def _in_two_of_three(near: Sequence[bool], sides: Sequence[int]) -> list[bool]:
    """Points near a limit that have another such point among three on the same side."""
    marked = [False] * len(near)
    for start in range(len(near) - 2):
        three = range(start, start + 3)
        # All three on one side; the third need not be near the limit.
        if abs(sum(sides[i] for i in three)) == 3 and sum(near[i] for i in three) >= 2:
            for i in three:
                marked[i] = marked[i] or near[i]
    return marked
