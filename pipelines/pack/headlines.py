"""The first half page: what changed, against what, and whether that may be chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.pack.model import (
    CLEAR_DIFFERENCES,
    FEW_CASES,
    Comparison,
    EarlyWarning,
    IndicatorFigure,
    PackIndicator,
    PackPlace,
)
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.page_parts import Statement, StatementGroup
from pipelines.pack.trends import Trend, signals
from pipelines.pack.wording import Wording


@dataclass(frozen=True)
class HeadlineFigure:
    """A headline indicator at the place: its main figure and the quarter's, each with what the
    marts compare it with."""

    indicator: PackIndicator
    figure: IndicatorFigure
    comparison: Comparison | None
    quarter_figure: IndicatorFigure | None
    quarter_comparison: Comparison | None


def headlines(
    wording: Wording, data: NationQuarter, place: PackPlace, trends: dict[str, Trend | None]
) -> list[StatementGroup]:
    """Groups in the order in which a board asks."""
    _ = wording.gettext
    figures = _headline_figures(data, place)
    groups = [*_changes(wording, figures), *_benchmarks(wording, figures)]
    differing = _differing(wording, figures, "nation", data.nation.name[wording.language])
    region = data.region_of(place.code)
    if region is not None:
        differing += _differing(wording, figures, "region", region.name[wording.language])
    if differing:
        heading = _("Different from elsewhere by more than chance would explain")
        groups.append(StatementGroup(heading, differing))
    groups += _signals(wording, data, trends)
    groups += _waiting(wording, data, place)
    return groups


def returns_sentence(wording: Wording, data: NationQuarter, place: PackPlace) -> Statement | None:
    """Whether all that was due is in the quarter's figures; None where nothing was due."""
    _ = wording.gettext
    due = data.returns_of(place)
    if not due:
        return None
    lacking = sum(item.status not in ("accepted", "nil") for item in due)
    if lacking:
        sentence = wording.ngettext(
            "{lacking} of the {due} returns due for the quarter is not included in these figures, "
            "so a change may not be a change in performance.",
            "{lacking} of the {due} returns due for the quarter are not included in these figures, "
            "so a change may not be a change in performance.",
            lacking,
        )
        return Statement(
            "warn", _("returns missing"), sentence.format(lacking=lacking, due=len(due))
        )
    sentence = wording.ngettext(
        "The one return due for the quarter is included in these figures.",
        "All {due} returns due for the quarter are included in these figures.",
        len(due),
    )
    return Statement("met", "", sentence.format(due=len(due)))


def is_small(data: NationQuarter, place: PackPlace) -> bool:
    """Whether no headline figure here is based on ten cases or more."""
    cases = [item.figure.cases or 0 for item in _headline_figures(data, place)]
    return bool(cases) and max(cases) < FEW_CASES


def tail(wording: Wording, data: NationQuarter, place: PackPlace) -> list[str]:
    """What did not change, and what has too few cases to tell."""
    _ = wording.gettext

    def titles(word: str) -> str:
        return wording.titles(
            [
                item.indicator
                for item in _headline_figures(data, place)
                if item.comparison and item.comparison.compared_with_previous == word
            ]
        )

    sentences = []
    if unchanged := titles("no different"):
        sentences.append(
            _("No clear change from a year earlier: {titles}.").format(titles=unchanged)
        )
    if too_few := titles("too few to tell"):
        sentences.append(_("Too few cases to tell: {titles}.").format(titles=too_few))
    return sentences


def _headline_figures(data: NationQuarter, place: PackPlace) -> list[HeadlineFigure]:
    figures = []
    for indicator in data.indicators.values():
        figure = data.main(place.code, indicator) if indicator.is_headline else None
        if figure is not None:
            key = (place.code, indicator.indicator_id)
            figures.append(
                HeadlineFigure(
                    indicator,
                    figure,
                    data.comparisons.get((*key, figure.window_name)),
                    data.now(place.code)[indicator.indicator_id].get("quarter"),
                    data.comparisons.get((*key, "quarter")),
                )
            )
    return figures


def _changes(wording: Wording, figures: list[HeadlineFigure]) -> list[StatementGroup]:
    """No group where nothing could be compared; a note where nothing changed clearly."""
    _ = wording.gettext
    statements = []
    for item in figures:
        statements += _change_since_earlier(wording, item)
        statements += _change_in_the_quarter(wording, item)
    heading = _("Changed by more than chance would explain")
    if statements:
        return [StatementGroup(heading, statements)]
    was_compared = any(
        item.comparison is not None
        and item.comparison.previous_value is not None
        and item.comparison.compared_with_previous in (*CLEAR_DIFFERENCES, "no different")
        for item in figures
    )
    if not was_compared:
        return []
    note = _("No figure changed by more than chance would explain.")
    return [StatementGroup(heading, [], note)]


def _change_since_earlier(wording: Wording, item: HeadlineFigure) -> list[Statement]:
    """Against the same window a year (of three years: three years) before."""
    _ = wording.gettext
    comparison = item.comparison
    if comparison is None or comparison.previous_value is None:
        return []
    if comparison.compared_with_previous not in CLEAR_DIFFERENCES:
        return []
    sentence = _("{title}: {value}, compared with {previous} a year earlier.")
    if item.figure.window_name == "rolling_12":
        sentence = _("{title}: {value}, compared with {previous} three years earlier.")
    value = wording.full(item.indicator, item.figure)
    when = wording.when(item.indicator, item.figure)
    text = sentence.format(
        title=wording.title(item.indicator),
        value=f"{value} {when}",
        previous=wording.amount(item.indicator, comparison.previous_value),
    )
    return [_statement(wording, comparison.compared_with_previous, text)]


def _change_in_the_quarter(wording: Wording, item: HeadlineFigure) -> list[Statement]:
    """Of the single quarter, against the four quarters before it."""
    _ = wording.gettext
    comparison = item.quarter_comparison
    if comparison is None or item.quarter_figure is None:
        return []
    before = comparison.last_four_quarters_value
    compared = comparison.compared_with_last_four_quarters
    if before is None or compared not in CLEAR_DIFFERENCES:
        return []
    text = _(
        "{title}: {value} in the quarter, compared with {previous} over the previous four quarters."
    ).format(
        title=wording.title(item.indicator),
        value=wording.full(item.indicator, item.quarter_figure),
        previous=wording.amount(item.indicator, before),
    )
    return [_statement(wording, compared, text)]


def _benchmarks(wording: Wording, figures: list[HeadlineFigure]) -> list[StatementGroup]:
    _ = wording.gettext
    statements = []
    for item in figures:
        figure = item.figure
        if figure.benchmark is None or figure.benchmark_met is None:
            continue
        words = [wording.comparison(figure.benchmark_met), wording.chance(item.comparison)]
        text = _("{title}: {value} {when} (benchmark: {benchmark}).").format(
            title=wording.title(item.indicator),
            value=wording.full(item.indicator, figure),
            when=wording.when(item.indicator, figure),
            benchmark=wording.benchmark(item.indicator, figure.benchmark),
        )
        mark = "met" if figure.benchmark_met == "met" else "not_met"
        statements.append(Statement(mark, ", ".join(word for word in words if word), text))
    return [StatementGroup(_("Compared with benchmarks"), statements)] if statements else []


def _differing(
    wording: Wording,
    figures: list[HeadlineFigure],
    other: Literal["nation", "region"],
    name: str,
) -> list[Statement]:
    """Figures that differ clearly from that of the nation or region called ``name``."""
    _ = wording.gettext
    statements = []
    for item in figures:
        if item.comparison is None:
            continue
        if other == "nation":
            compared, theirs = item.comparison.compared_with_nation, item.comparison.nation_value
        else:
            compared, theirs = item.comparison.compared_with_region, item.comparison.region_value
        if compared not in CLEAR_DIFFERENCES or theirs is None:
            continue
        text = _("{title}: {value} {when}, compared with {theirs} for {other}.").format(
            title=wording.title(item.indicator),
            value=wording.full(item.indicator, item.figure),
            when=wording.when(item.indicator, item.figure),
            other=name,
            theirs=wording.amount(item.indicator, theirs),
        )
        statements.append(_statement(wording, compared, text))
    return statements


def _signals(
    wording: Wording, data: NationQuarter, trends: dict[str, Trend | None]
) -> list[StatementGroup]:
    _ = wording.gettext
    quarter = data.quarter.label
    words = {"better": _("better than usual"), "worse": _("worse than usual")}
    statements = []
    for trend in trends.values():
        if trend is None or not trend.rules(quarter):
            continue
        kind = trend.kind(quarter)
        text = f"{wording.title(trend.indicator)}: {signals(wording, trend, quarter)}"
        # A count that is not complete is not charted, a mean or percentage is.
        statements.append(Statement(kind, words.get(kind, _("returns missing")), text))
    return (
        [StatementGroup(_("Control chart signals in this quarter"), statements)]
        if statements
        else []
    )


def _waiting(wording: Wording, data: NationQuarter, place: PackPlace) -> list[StatementGroup]:
    """Of the clocks whose indicator counts who waits; the others are of waits that ended."""
    _ = wording.gettext
    heading = _("Children waiting")
    warnings = [
        warning
        for warning in data.early_warnings.get(place.code, ())
        if warning.waiting is not None
    ]
    if not warnings:
        return []
    if not any(warning.waiting for warning in warnings):
        note = _("No children are waiting on any of the clocks.")
        return [StatementGroup(heading, [], note)]
    statements = []
    for warning in warnings:
        indicator = data.indicators.get(warning.indicator_id)
        if warning.waiting and indicator is not None and indicator.is_stock:
            text = _waiting_sentence(wording, data, indicator, warning)
            statements.append(Statement("waiting", "", text))
    return [StatementGroup(heading, statements)] if statements else []


def _waiting_sentence(
    wording: Wording, data: NationQuarter, indicator: PackIndicator, warning: EarlyWarning
) -> str:
    _ = wording.gettext
    if warning.within_90:
        sentence = _(
            "{title}: {waiting} waiting on {day}, {past} of them past the limit of {limit}. {soon} "
            "more will pass it within 90 days unless matched or placed."
        )
    else:
        sentence = _(
            "{title}: {waiting} waiting on {day}, {past} of them past the limit of {limit}. No "
            "others will pass it within 90 days."
        )
    return sentence.format(
        title=wording.title(indicator),
        waiting=warning.waiting,
        day=wording.day(data.quarter.last_day),
        past=warning.past or _("none"),
        limit=wording.limit(warning.limit_value, warning.limit_unit),
        soon=warning.within_90,
    )


def _statement(wording: Wording, compared: str, text: str) -> Statement:
    return Statement(compared, wording.comparison(compared), text)
