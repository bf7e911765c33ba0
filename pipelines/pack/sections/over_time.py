"""Charts of how headline indicators changed."""

from __future__ import annotations

from pipelines.pack import charts
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.page_parts import Picture, Section
from pipelines.pack.trends import Trend, caption
from pipelines.pack.wording import Wording


def over_time_section(
    wording: Wording, data: NationQuarter, trends: dict[str, Trend | None]
) -> Section | None:
    """A chart of each headline indicator that has a better direction and cases enough.

    ``trends`` are by indicator, None where there are too few cases.
    """
    _ = wording.gettext
    if not trends:
        return None
    pictures = [_picture(wording, trend) for trend in trends.values() if trend]
    without = [data.indicators[code] for code, trend in trends.items() if trend is None]
    if not pictures:
        sentence = _(
            "Too few cases for a chart over time; the values are in the table of indicators."
        )
        return Section(notes=[sentence])
    notes = []
    if without:
        sentence = _(
            "Too few cases for a chart over time: {titles}. The values are in the table of "
            "indicators."
        )
        notes.append(sentence.format(titles=wording.titles(without)))
    return Section(
        intro=[
            _(
                "A control chart (XmR) shows the mean and the limits within which a stable process "
                "normally varies. A highlighted marker is a quarter that normal variation would "
                "not explain. Where limits would not be meaningful, a run chart with the median is "
                "shown instead, and the reason is given."
            )
        ],
        pictures=pictures,
        notes=notes,
    )


def _picture(wording: Wording, trend: Trend) -> Picture:
    _ = wording.gettext
    indicator = trend.indicator
    title = wording.title(indicator)
    notes = {
        "common": "",
        "better": _("better than usual"),
        "worse": _("worse than usual"),
        "incomplete": _("returns missing"),
    }
    points = sorted(trend.points, key=lambda point: point.quarter)
    values, rows = [], []
    for point in points:
        value = "–" if point.value is None else wording.number(indicator, point.value)
        values.append(f"{point.quarter} {value}")
        figure = trend.figures[point.quarter]
        rows.append(
            [
                point.quarter,
                wording.shown(indicator, figure) if figure else "–",
                f"{figure.cases:,.0f}" if figure and figure.cases is not None else "–",
                notes[point.kind],
            ]
        )
    return Picture(
        title=f"{indicator.indicator_id} {title}",
        unit=wording.unit(indicator),
        source=charts.over_time(
            trend.points, trend.centre, trend.limits, trend.breaks, indicator.rounding
        ),
        alt=_("Line chart of {title}, {unit}, {first} to {last}: {values}.").format(
            title=title,
            unit=wording.unit(indicator),
            first=points[0].quarter,
            last=points[-1].quarter,
            values=", ".join(values),
        ),
        caption=caption(wording, trend),
        head=[_("Quarter"), _("Value"), _("Cases"), _("Note")],
        rows=rows,
        definition_of=indicator.indicator_id,
        status=wording.definition_status(indicator.definition_status),
    )
