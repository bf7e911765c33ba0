"""Funnel plots: which places differ from the average of all by more than their size explains.

Limits are those of Fingertips (the Office for Health Improvement and Disparities): 95 and 99.8 per
cent around the average share of the places together, the shares at which the Wilson interval of a
place of that size would just touch the average. Solved for the share, that is
average ± z × √(average × (1 - average) / n), cut at 0 and 1.
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import Literal

Position = Literal["inside", "low", "high", "very low", "very high"]

_Z_95 = NormalDist().inv_cdf(0.975)
_Z_998 = NormalDist().inv_cdf(0.999)


def funnel_limits(average: float, cases: int) -> tuple[float, float, float, float]:
    """Limits for a place of ``cases``, as shares: lower 99.8, lower 95, upper 95, upper 99.8.

    Raises ValueError when the average is no share or there is no case.
    """
    if not 0 <= average <= 1:
        raise ValueError("an average share lies between 0 and 1")
    if cases < 1:
        raise ValueError("a place without a case has no place in a funnel")
    # From the average, not from the place's own share, which is what is in question.
    error = sqrt(average * (1 - average) / cases)
    return (
        max(0.0, average - _Z_998 * error),
        max(0.0, average - _Z_95 * error),
        min(1.0, average + _Z_95 * error),
        min(1.0, average + _Z_998 * error),
    )


def position_in_funnel(average: float, count: int, cases: int) -> Position:
    """Where ``count`` of ``cases`` lies: outside a limit, not on it, is what tells."""
    very_low, low, high, very_high = funnel_limits(average, cases)
    share = count / cases
    # Strictly outside: a share on the limit is what its size explains.
    if share < very_low:
        return "very low"
    if share < low:
        return "low"
    if share > very_high:
        return "very high"
    return "high" if share > high else "inside"
