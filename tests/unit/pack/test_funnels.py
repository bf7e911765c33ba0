"""Funnel limits against published ones, and against the Wilson interval solved by search."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import pytest
from scipy import optimize, stats

from pipelines.pack.funnels import funnel_limits, position_in_funnel

# Of the test data of PHEindicatormethods, the package behind Fingertips (testdata_funnel_prop_*):
# size, lower and upper 95 per cent, lower and upper 99.8 per cent limit around 80.642448.
AVERAGE = 0.80642448
PUBLISHED = [
    (1, 3.204264, 100, 0, 100),
    (3, 35.933491, 100, 10.150815, 100),
    (10, 56.154344, 100, 42.03259, 100),
    (18, 62.390093, 98.894803, 51.864359, 100),
    (41, 68.548635, 92.73626, 61.574398, 99.710497),
    (102, 72.974925, 88.309971, 68.553233, 92.731663),
    (539, 77.306949, 83.977947, 75.38344, 85.901456),
    (5936, 79.63735, 81.647545, 79.057733, 82.227163),
    (110000, 80.408963, 80.875933, 80.274317, 81.010578),
]


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: str(row[0]))
def test_limits_are_the_published_ones(row: tuple[float, ...]) -> None:
    size, low, high, very_low, very_high = row
    limits = [100 * limit for limit in funnel_limits(AVERAGE, int(size))]
    assert limits == pytest.approx([very_low, low, high, very_high], abs=2e-5)


@pytest.mark.parametrize("average", [0.05, 0.4375, 0.8])
@pytest.mark.parametrize("cases", [10, 37, 400])
@pytest.mark.parametrize("level", [0.95, 0.998])
def test_a_limit_is_the_share_whose_wilson_interval_touches_the_average(
    average: float, cases: int, level: float
) -> None:
    z = stats.norm.ppf(1 - (1 - level) / 2)

    def wilson(share: float, sign: int) -> float:
        middle = share + z**2 / (2 * cases)
        half = z * sqrt(share * (1 - share) / cases + z**2 / (4 * cases**2))
        return (middle + sign * half) / (1 + z**2 / cases)

    limits = funnel_limits(average, cases)
    lower, upper = (limits[1], limits[2]) if level == 0.95 else (limits[0], limits[3])
    if lower > 0:
        bound = optimize.brentq(lambda share: wilson(share, 1) - average, 1e-9, average)
        assert lower == pytest.approx(bound, abs=1e-8)
    if upper < 1:
        bound = optimize.brentq(lambda share: wilson(share, -1) - average, average, 1 - 1e-9)
        assert upper == pytest.approx(bound, abs=1e-8)


def test_the_interval_used_above_is_scipys() -> None:
    """So that the search compares with a Wilson interval and not with our idea of one."""
    theirs = stats.binomtest(25, 36).proportion_ci(0.95, method="wilson")
    z, n, share = NormalDist().inv_cdf(0.975), 36, 25 / 36
    half = z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    assert (theirs.low, theirs.high) == pytest.approx((middle - half, middle + half))


# Average 0.4 of 20: limits 0.0615, 0.1853, 0.6147 and 0.7385, or 1.23, 3.71, 12.29 and 14.77.
@pytest.mark.parametrize(
    ("count", "position"),
    [
        (1, "very low"),
        (2, "low"),
        (3, "low"),
        (4, "inside"),
        (12, "inside"),
        (13, "high"),
        (14, "high"),
        (15, "very high"),
    ],
)
def test_a_place_is_where_its_share_lies(count: int, position: str) -> None:
    assert position_in_funnel(0.4, count, 20) == position


def test_on_a_limit_is_inside() -> None:
    """Where everybody has it, or nobody, the limits are the average itself."""
    assert position_in_funnel(1.0, 5, 5) == "inside"
    assert position_in_funnel(0.0, 0, 5) == "inside"
    assert position_in_funnel(1.0, 4, 5) == "very low"


@pytest.mark.parametrize(("average", "cases"), [(1.2, 5), (-0.1, 5), (0.5, 0)])
def test_what_is_no_share_of_anything_is_refused(average: float, cases: int) -> None:
    with pytest.raises(ValueError, match=r"share|case"):
        funnel_limits(average, cases)
