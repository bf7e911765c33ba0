"""How an indicator moved at a place: which chart its past allows, and what the chart shows."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from pipelines.pack.book import Book, Figure, Indicator, Place
from pipelines.pack.charts import Kind, Point
from pipelines.pack.control_charts import POINTS_FOR_LIMITS, ControlChart, Rule, control_chart
from pipelines.pack.words import Tongue

RULES: tuple[Rule, ...] = ("outside", "shift", "trend", "near_limit")
# Below that a quarter's value jumps between a few steps, and limits around the jumps say nothing.
CASES_A_QUARTER = 5
# A line needs some height: so many events in all, or so many children waiting at the most.
EVENTS_FOR_A_CHART, WAITING_FOR_A_CHART = 10, 5
_QUARTERS_NAMED = 3


@dataclass(frozen=True)
class Trend:
    """A series of quarters and, where limits make sense, its control chart."""

    indicator: Indicator
    figures: dict[str, Figure | None]
    points: list[Point]
    centre: float | None
    limits: tuple[float, float] | None
    chart: ControlChart | None
    charted: list[str]
    breaks: list[str]
    why_plain: tuple[str, dict[str, object]] | None

    def rules(self, quarter: str) -> frozenset[Rule]:
        """Which rules call a quarter special."""
        if self.chart is None or quarter not in self.charted:
            return frozenset()
        return self.chart.rules[self.charted.index(quarter)]

    def kind(self, quarter: str) -> Kind:
        return next(point.kind for point in self.points if point.quarter == quarter)


def trend(book: Book, place: Place, indicator: Indicator) -> Trend | None:
    """None where there are too few cases for any chart."""
    window, series = book.series(place.code, indicator.indicator_id)
    figures = dict(zip(book.quarters, series, strict=True))
    breaks = [one.since for one in book.breaks_of(place.code, [indicator.indicator_id])]
    with_value = [
        quarter for quarter, figure in figures.items() if figure and _measured(figure) is not None
    ]
    cases = [figure.cases or 0 for figure in series if figure]
    is_enough = (
        max(cases, default=0) >= WAITING_FOR_A_CHART
        if indicator.is_stock
        else sum(cases) >= EVENTS_FOR_A_CHART
    )
    if len(with_value) < 2 or not is_enough:
        return None
    since = max(with_value[0], *breaks) if breaks else with_value[0]
    of_now = [quarter for quarter in book.quarters if quarter >= since]
    comparable = [quarter for quarter in of_now if _is_comparable(indicator, figures[quarter])]
    values = [_measured(figures[quarter]) for quarter in comparable]
    why = _why_plain(window, of_now, comparable, figures, breaks)
    chart = None if why else control_chart([value for value in values if value is not None])
    numbers = [value for value in values if value is not None]
    centre = chart.mean if chart else median(numbers) if numbers else None
    return Trend(
        indicator=indicator,
        figures=figures,
        points=[
            Point(quarter, _measured(figure), _kind(indicator, chart, comparable, quarter, figure))
            for quarter, figure in figures.items()
            if quarter >= with_value[0]
        ],
        centre=centre,
        limits=_within_reach(indicator, chart),
        chart=chart,
        charted=comparable if chart else [],
        breaks=[quarter for quarter in dict.fromkeys(breaks) if quarter > with_value[0]],
        why_plain=why,
    )


def caption(tongue: Tongue, found: Trend) -> str:
    """Lines and signals of the chart in words."""
    indicator = found.indicator
    if found.chart is None or found.limits is None:
        word, values = found.why_plain or ("why_few_quarters", {})
        if found.centre is None:
            return tongue(word, **values)
        shown = tongue.line(indicator, found.centre)
        return tongue("run_caption", median=shown, why=tongue(word, **values))
    low, high = (tongue.line(indicator, limit) for limit in found.limits)
    said = [
        tongue(
            "control_caption",
            mean=tongue.line(indicator, found.centre or 0.0),
            lower=low,
            upper=high,
        ),
        signals(tongue, found) or tongue("no_signal"),
    ]
    if indicator.is_stock:
        said.append(tongue("stock_caution"))
    return " ".join(said)


def signals(tongue: Tongue, found: Trend, quarter: str | None = None) -> str:
    """The rules that found something, of all quarters or of those that hold in one."""
    said = []
    for rule in RULES:
        quarters = [one for one in found.charted if rule in found.rules(one)]
        if quarters and (quarter is None or quarter in quarters):
            said.append(tongue(f"rule_{rule}", quarters=_stretches(found.charted, quarters)))
    return tongue("signal", rules="; ".join(said)) if said else ""


def _measured(figure: Figure | None) -> float | None:
    """What statistics are made of."""
    return figure.unrounded if figure else None


def _is_comparable(indicator: Indicator, figure: Figure | None) -> bool:
    """A count without all its returns is smaller for that alone; a mean or a share is not."""
    if figure is None or _measured(figure) is None:
        return False
    return figure.is_complete or figure.denominator is not None


def _why_plain(
    window: str,
    of_now: list[str],
    comparable: list[str],
    figures: dict[str, Figure | None],
    breaks: list[str],
) -> tuple[str, dict[str, object]] | None:
    if window != "quarter":
        return "why_overlap", {}
    gaps = [quarter for quarter in of_now if quarter not in comparable]
    if len(of_now) < POINTS_FOR_LIMITS:
        counts: dict[str, object] = {"count": len(of_now), "needed": POINTS_FOR_LIMITS}
        if breaks and max(breaks) == of_now[0]:
            return "why_break", counts | {"quarter": max(breaks)}
        return "why_few_quarters", counts
    if gaps:
        more = ", …" if len(gaps) > _QUARTERS_NAMED else ""
        return "why_gap", {"quarters": ", ".join(gaps[:_QUARTERS_NAMED]) + more}
    cases = [figure.cases or 0 for quarter in comparable if (figure := figures[quarter])]
    if sum(cases) / len(cases) < CASES_A_QUARTER:
        return "why_small", {}
    return None


def _kind(
    indicator: Indicator,
    chart: ControlChart | None,
    charted: list[str],
    quarter: str,
    figure: Figure | None,
) -> Kind:
    if figure is not None and not figure.is_complete:
        return "incomplete"
    if chart is None or quarter not in charted or not chart.rules[charted.index(quarter)]:
        return "common"
    up = chart.directions[charted.index(quarter)] > 0
    return "better" if up == (indicator.direction == "higher") else "worse"


def _within_reach(indicator: Indicator, chart: ControlChart | None) -> tuple[float, float] | None:
    """Limits as they are drawn: no count is below nought, no share above a hundred."""
    if chart is None:
        return None
    return (
        max(0.0, chart.lower),
        min(100.0, chart.upper) if indicator.is_share else chart.upper,
    )


def _stretches(charted: list[str], quarters: list[str]) -> str:
    """``2018-19-Q1 to 2019-20-Q3``, single quarters by themselves."""
    runs: list[list[str]] = []
    for quarter in quarters:
        if runs and charted.index(quarter) == charted.index(runs[-1][-1]) + 1:
            runs[-1].append(quarter)
        else:
            runs.append([quarter])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} – {run[-1]}" for run in runs)
