"""Children waiting on each clock, and those who will pass its limit soon."""

from __future__ import annotations

from pipelines.pack import charts
from pipelines.pack.model import EarlyWarning, PackPlace
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.page_parts import Picture, PlainTable, Section
from pipelines.pack.sections.indicator_table import linked_title
from pipelines.pack.wording import Wording

# Bars of fewer children are no easier to read than the table below them.
_FEWEST_FOR_A_CHART = 5


def waiting_section(wording: Wording, data: NationQuarter, place: PackPlace) -> Section | None:
    """Children on each clock, as a table and as bars; None where nothing is known of any."""
    _ = wording.gettext
    warnings = [
        warning
        for warning in data.early_warnings.get(place.code, ())
        if warning.waiting is not None and warning.indicator_id in data.indicators
    ]
    if not warnings:
        return None
    has_chart = max(warning.waiting or 0 for warning in warnings) >= _FEWEST_FOR_A_CHART
    colours = [colour for colour, ink in charts.EARLY_WARNING_COLOURS]
    meanings = [
        _("Past the limit"),
        _("next 30 days"),
        _("31 to 60 days"),
        _("61 to 90 days"),
        _("later"),
    ]
    return Section(
        intro=[
            _(
                "Published figures on waits of more than six months use different clocks, with "
                "different start and end points. Each clock below is an indicator in its own right "
                "and should not be compared with another. The early warning counts children on the "
                "last day of the quarter: those already past the limit, and those who will pass it "
                "unless matched or placed."
            )
        ],
        pictures=[_bars(wording, warnings)] if has_chart else [],
        tables=[_table(wording, data, place, warnings)],
        notes=[
            _("The columns are cumulative: within 60 days includes within 30 days."),
            _(
                "Using the benchmark for a mean as a limit for each child is a proposal of this "
                "project."
            ),
        ],
        key=list(zip(colours, meanings, strict=True)) if has_chart else [],
    )


def _bars(wording: Wording, warnings: list[EarlyWarning]) -> Picture:
    _ = wording.gettext
    facts = [
        _("{code}: {waiting} waiting, {past} past {limit}, {soon} more within 90 days.").format(
            code=warning.indicator_id,
            waiting=warning.waiting,
            past=warning.past,
            limit=wording.limit(warning.limit_value, warning.limit_unit),
            soon=warning.within_90,
        )
        for warning in warnings
    ]
    return Picture(
        title="",
        unit="",
        source=charts.early_warning(
            [(warning.indicator_id, _stacked(warning)) for warning in warnings]
        ),
        alt=_(
            "Bar chart of children waiting on each clock, by when they pass the limit. {facts}"
        ).format(facts=" ".join(facts)),
        caption="",
    )


def _table(
    wording: Wording, data: NationQuarter, place: PackPlace, warnings: list[EarlyWarning]
) -> PlainTable:
    _ = wording.gettext
    horizons = [_("Within {days} days").format(days=days) for days in (30, 60, 90)]
    rows = []
    for warning in warnings:
        counts = (
            warning.waiting,
            warning.past,
            warning.within_30,
            warning.within_60,
            warning.within_90,
        )
        title = linked_title(wording, data, place, data.indicators[warning.indicator_id])
        limit = wording.limit(warning.limit_value, warning.limit_unit)
        rows.append([title, limit, *(f"{count or 0:,}" for count in counts)])
    return PlainTable(
        caption=_("Early warning on {day}").format(day=wording.day(data.quarter.last_day)),
        head=[_("Clock"), _("Limit"), _("Waiting"), _("Past the limit"), *horizons],
        rows=rows,
        numeric=frozenset(range(2, 7)),
    )


def _stacked(warning: EarlyWarning) -> list[int]:
    """Of the children on a clock: past, within 30, 31 to 60, 61 to 90 days, later."""
    past, first, second, third = (
        count or 0
        for count in (warning.past, warning.within_30, warning.within_60, warning.within_90)
    )
    return [past, first, second - first, third - second, (warning.waiting or 0) - past - third]
