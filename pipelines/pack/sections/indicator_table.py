"""The table of indicators: value, comparisons, benchmark and short trend of each."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.pack.model import FEW_CASES, IndicatorFigure, PackIndicator, PackPlace
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.page_parts import QUARTERS_IN_A_ROW, FigureCell, Remark, linked
from pipelines.pack.sparklines import SparkPoint, sparkline
from pipelines.pack.wording import Wording


@dataclass(frozen=True)
class IndicatorRow:
    """A row of the table of indicators; ``main`` is empty where the quarter's is the only figure.

    ``spark`` is SVG, or empty.
    """

    indicator_id: str
    title: str
    definition: str
    status: str
    status_note: str
    breaks: list[str]
    quarter: FigureCell | None
    main: FigureCell | None
    main_window: str
    compared: list[Remark]
    benchmark: str
    benchmark_remark: Remark | None
    spark: str
    spark_note: str


def indicator_rows(
    wording: Wording, data: NationQuarter, place: PackPlace, is_headline: bool
) -> list[IndicatorRow]:
    """Every indicator with a figure here: the headline ones, or all the others."""
    return [
        _row(wording, data, place, indicator)
        for indicator in data.indicators.values()
        if indicator.is_headline is is_headline and indicator.indicator_id in data.now(place.code)
    ]


def linked_title(
    wording: Wording, data: NationQuarter, place: PackPlace, indicator: PackIndicator
) -> str:
    """Code and title, as a link where the indicator has a row in the place's table."""
    title = wording.title(indicator)
    if indicator.indicator_id not in data.now(place.code):
        return f"{indicator.indicator_id} {title}"
    return linked(indicator.indicator_id, title)


def _row(
    wording: Wording, data: NationQuarter, place: PackPlace, indicator: PackIndicator
) -> IndicatorRow:
    _ = wording.gettext
    quarter = data.now(place.code)[indicator.indicator_id].get("quarter")
    main = data.main(place.code, indicator)
    spark, spark_note = (
        _spark(wording, data, place, indicator) if indicator.is_headline else ("", "")
    )
    has_main = main is not None and main.window_name != "quarter"
    main_window = ""
    if main is not None and main.window_name not in ("quarter", "rolling_4"):
        main_window = wording.window(main.window_name)
    breaks = data.breaks_of(place.code, [indicator.indicator_id])
    return IndicatorRow(
        indicator_id=indicator.indicator_id,
        title=wording.title(indicator),
        definition=indicator.definition[wording.language],
        status=wording.definition_status(indicator.definition_status),
        status_note=indicator.status_note[wording.language],
        breaks=[
            _("break in series from {quarter}").format(quarter=since)
            for since in dict.fromkeys(series_break.since for series_break in breaks)
        ],
        quarter=_cell(wording, data, indicator, quarter) if quarter else None,
        main=_cell(wording, data, indicator, main) if main and has_main else None,
        main_window=main_window,
        compared=_comparisons(wording, data, place, indicator, main),
        benchmark=wording.benchmark(indicator, main.benchmark)
        if main and main.benchmark is not None
        else "",
        benchmark_remark=_benchmark_remark(wording, data, place, indicator, main),
        spark=spark,
        spark_note=spark_note,
    )


def _cell(
    wording: Wording, data: NationQuarter, indicator: PackIndicator, figure: IndicatorFigure
) -> FigureCell:
    _ = wording.gettext
    key = (figure.place_code, indicator.indicator_id, figure.window_name)
    low, high = data.intervals.get(key, (None, None))
    interval, estimate = "", ""
    if low is not None and high is not None:
        interval = wording.interval(indicator, low, high)
    if figure.estimate is not None:
        value = wording.number(indicator, figure.estimate)
        estimate = _("estimated total: {value}").format(value=value)
    has_few = (
        figure.denominator is not None
        and 0 < figure.denominator < FEW_CASES
        and figure.value is not None
    )
    return FigureCell(
        value=wording.shown(indicator, figure),
        based_on=wording.based_on(indicator, figure),
        interval=interval,
        estimate=estimate,
        warning=wording.missing(figure),
        few=_("fewer than ten cases") if has_few else "",
    )


def _comparisons(
    wording: Wording,
    data: NationQuarter,
    place: PackPlace,
    indicator: PackIndicator,
    main: IndicatorFigure | None,
) -> list[Remark]:
    """With the past, the region and the nation, where the marts compare."""
    _ = wording.gettext
    if main is None:
        return []
    comparison = data.comparisons.get((place.code, indicator.indicator_id, main.window_name))
    if comparison is None:
        return []
    others = (
        (wording.earlier(main), comparison.previous_value, comparison.compared_with_previous),
        (_("region"), comparison.region_value, comparison.compared_with_region),
        (
            data.nation.name[wording.language],
            comparison.nation_value,
            comparison.compared_with_nation,
        ),
    )
    return [
        Remark(
            compared, wording.comparison(compared), f"{name}: {wording.number(indicator, value)}"
        )
        for name, value, compared in others
        if compared and value is not None
    ]


def _benchmark_remark(
    wording: Wording,
    data: NationQuarter,
    place: PackPlace,
    indicator: PackIndicator,
    main: IndicatorFigure | None,
) -> Remark | None:
    if main is None or main.benchmark_met is None:
        return None
    comparison = data.comparisons.get((place.code, indicator.indicator_id, main.window_name))
    return Remark(
        "met" if main.benchmark_met == "met" else "not_met",
        wording.comparison(main.benchmark_met),
        wording.chance(comparison),
    )


def _spark(
    wording: Wording, data: NationQuarter, place: PackPlace, indicator: PackIndicator
) -> tuple[str, str]:
    """The short line as SVG, and a note where its values are not those of single quarters."""
    _ = wording.gettext
    window, series = data.series(place.code, indicator.indicator_id)
    quarters = data.quarters[-QUARTERS_IN_A_ROW:]
    figures = series[-QUARTERS_IN_A_ROW:]
    if not any(figures):
        return "", ""
    points = [
        SparkPoint(
            quarter,
            figure.value if figure else None,
            _short(indicator, figure),
            figure is None or figure.is_complete,
        )
        for quarter, figure in zip(quarters, figures, strict=True)
    ]
    values = ", ".join(f"{point.quarter} {point.shown}" for point in points)
    description = f"{wording.title(indicator)}, {wording.unit(indicator)}: {values}"
    note = _("each over three years") if window != "quarter" else ""
    return sparkline(points, description), note


def _short(indicator: PackIndicator, figure: IndicatorFigure | None) -> str:
    """A value in 33 pixels: no unit, and no decimal where there are hundreds."""
    if figure is None or figure.value is None:
        return "–"
    decimals = 0 if figure.value >= 100 else indicator.rounding
    return f"{figure.value:,.{decimals}f}"
