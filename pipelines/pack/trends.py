"""How an indicator moved at a place: which chart its past allows, and what the chart shows."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Literal

from pipelines.pack.charts import Kind, Point
from pipelines.pack.control_charts import POINTS_FOR_LIMITS, ControlChart, Rule, control_chart
from pipelines.pack.model import IndicatorFigure, PackIndicator, PackPlace
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.wording import Wording
from pipelines.text.catalogue import N_

# In the order in which they are named; the keys are those of a control chart.
_RULES: dict[Rule, str] = {
    "outside": N_("outside the limits in {quarters}"),
    "shift": N_("seven or more in a row on one side of the mean, {quarters}"),
    "trend": N_("seven or more in a row rising or falling, {quarters}"),
    "near_limit": N_("two of three close to a limit, {quarters}"),
}
# Below that a quarter's value jumps between a few steps, and limits around the jumps say nothing.
CASES_A_QUARTER = 5
# A line needs some height: so many events in all, or so many children waiting at the most.
EVENTS_FOR_A_CHART, WAITING_FOR_A_CHART = 10, 5
_QUARTERS_NAMED = 3


@dataclass(frozen=True)
class WhyPlain:
    """Why a chart has no limits: so many quarters where few are the reason, which ones are missing
    (``gap``) or began a new series (``break``)."""

    reason: Literal["overlap", "break", "few_quarters", "gap", "small"]
    count: int = 0
    quarters: str = ""


@dataclass(frozen=True)
class Trend:
    """A series of quarters and, where limits make sense, its control chart."""

    indicator: PackIndicator
    figures: dict[str, IndicatorFigure | None]
    points: list[Point]
    centre: float | None
    limits: tuple[float, float] | None
    chart: ControlChart | None
    charted: list[str]
    breaks: list[str]
    why_plain: WhyPlain | None

    def rules(self, quarter: str) -> frozenset[Rule]:
        """Which rules call a quarter special."""
        if self.chart is None or quarter not in self.charted:
            return frozenset()
        return self.chart.rules[self.charted.index(quarter)]

    def kind(self, quarter: str) -> Kind:
        return next(point.kind for point in self.points if point.quarter == quarter)


def trend(data: NationQuarter, place: PackPlace, indicator: PackIndicator) -> Trend | None:
    """None where there are too few cases for any chart."""
    window, series = data.series(place.code, indicator.indicator_id)
    figures = dict(zip(data.quarters, series, strict=True))
    breaks = [
        series_break.since for series_break in data.breaks_of(place.code, [indicator.indicator_id])
    ]
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
    # What changed by definition is no change of performance, so limits begin anew with each break.
    since = max(with_value[0], *breaks) if breaks else with_value[0]
    of_now = [quarter for quarter in data.quarters if quarter >= since]
    comparable = [quarter for quarter in of_now if _is_comparable(indicator, figures[quarter])]
    values = [_measured(figures[quarter]) for quarter in comparable]
    why = _why_plain(window, of_now, comparable, figures, breaks)
    chart = None if why else control_chart([value for value in values if value is not None])
    numbers = [value for value in values if value is not None]
    # A run chart has a median: among few values one outlier would move the mean.
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


def caption(wording: Wording, trend: Trend) -> str:
    """Lines and signals of the chart in words."""
    _ = wording.gettext
    indicator = trend.indicator
    if trend.chart is None or trend.limits is None:
        why = _why(wording, trend.why_plain)
        if trend.centre is None:
            return why
        centre = wording.chart_line(indicator, trend.centre)
        return _("Median {median}. Run chart without limits: {why}.").format(median=centre, why=why)
    lower, upper = (wording.chart_line(indicator, limit) for limit in trend.limits)
    sentences = [
        _("Mean {mean}; limits {lower} to {upper}.").format(
            mean=wording.chart_line(indicator, trend.centre or 0.0), lower=lower, upper=upper
        ),
        signals(wording, trend) or _("No signal: normal variation."),
    ]
    if indicator.is_stock:
        sentences.append(
            _(
                "Many of the same children are waiting from one quarter to the next, so the limits "
                "are too narrow."
            )
        )
    return " ".join(sentences)


def signals(wording: Wording, trend: Trend, quarter: str | None = None) -> str:
    """The rules that apply, of all quarters or of those that apply in one; empty for none."""
    _ = wording.gettext
    applying = []
    for rule, sentence in _RULES.items():
        quarters = [charted for charted in trend.charted if rule in trend.rules(charted)]
        if quarters and (quarter is None or quarter in quarters):
            applying.append(_(sentence).format(quarters=_stretches(trend.charted, quarters)))
    return _("Signal: {rules}.").format(rules="; ".join(applying)) if applying else ""


def _why(wording: Wording, why: WhyPlain | None) -> str:
    """Why a chart has no limits, within a sentence."""
    _ = wording.gettext
    if why is None:
        return ""
    if why.reason == "overlap":
        return _("each value covers three years, so neighbouring values share most of their cases")
    if why.reason == "small":
        return _("fewer than five cases a quarter on average")
    if why.reason == "gap":
        return _(
            "returns or cases are missing in {quarters}; limits need an unbroken series"
        ).format(quarters=why.quarters)
    if why.reason == "break":
        sentence = wording.ngettext(
            "only {count} quarter since the break in series of {quarter}; limits need {needed}",
            "only {count} quarters since the break in series of {quarter}; limits need {needed}",
            why.count,
        )
    else:
        sentence = wording.ngettext(
            "only {count} quarter has a value; limits need {needed}",
            "only {count} quarters have a value; limits need {needed}",
            why.count,
        )
    return sentence.format(count=why.count, quarter=why.quarters, needed=POINTS_FOR_LIMITS)


def _measured(figure: IndicatorFigure | None) -> float | None:
    """What statistics are made of."""
    return figure.unrounded if figure else None


def _is_comparable(indicator: PackIndicator, figure: IndicatorFigure | None) -> bool:
    """A count without all its returns is smaller for that alone; a mean or a share is not."""
    if figure is None or _measured(figure) is None:
        return False
    return figure.is_complete or figure.denominator is not None


def _why_plain(
    window: str,
    of_now: list[str],
    comparable: list[str],
    figures: dict[str, IndicatorFigure | None],
    breaks: list[str],
) -> WhyPlain | None:
    """None where limits make sense."""
    # Neighbouring windows of four or twelve quarters share most of their cases, so their moving
    # range is far too small and everything would be a signal.
    if window != "quarter":
        return WhyPlain("overlap")
    gaps = [quarter for quarter in of_now if quarter not in comparable]
    if len(of_now) < POINTS_FOR_LIMITS:
        if breaks and max(breaks) == of_now[0]:
            return WhyPlain("break", len(of_now), max(breaks))
        return WhyPlain("few_quarters", len(of_now))
    # A moving range across a gap is not one of neighbours.
    if gaps:
        more = ", …" if len(gaps) > _QUARTERS_NAMED else ""
        return WhyPlain("gap", quarters=", ".join(gaps[:_QUARTERS_NAMED]) + more)
    cases = [figure.cases or 0 for quarter in comparable if (figure := figures[quarter])]
    if sum(cases) / len(cases) < CASES_A_QUARTER:
        return WhyPlain("small")
    return None


def _kind(
    indicator: PackIndicator,
    chart: ControlChart | None,
    charted: list[str],
    quarter: str,
    figure: IndicatorFigure | None,
) -> Kind:
    if figure is not None and not figure.is_complete:
        return "incomplete"
    if chart is None or quarter not in charted or not chart.rules[charted.index(quarter)]:
        return "common"
    up = chart.directions[charted.index(quarter)] > 0
    return "better" if up == (indicator.direction == "higher") else "worse"


def _within_reach(
    indicator: PackIndicator, chart: ControlChart | None
) -> tuple[float, float] | None:
    """Limits as they are drawn: no count is below zero, no percentage above a hundred."""
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
