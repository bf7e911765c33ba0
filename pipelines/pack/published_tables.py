"""Tables of a publishable page: indicators with their trend, places, missing returns, breaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipelines.declarations import BreakInSeries, Declarations
from pipelines.pack.model import PackIndicator, PackPlace
from pipelines.pack.page_parts import (
    PLACES_IN_A_TABLE,
    QUARTERS_IN_A_ROW,
    PlainTable,
    Section,
    linked,
)
from pipelines.pack.published_figures import (
    FLAG_WORDS,
    BenchmarkResult,
    PublishedValue,
    benchmark_result,
    value,
)
from pipelines.pack.published_release import PublishedFigure, PublishedRelease
from pipelines.pack.sparklines import SparkPoint, sparkline
from pipelines.pack.wording import Wording
from pipelines.quarters import quarters_between
from pipelines.text.catalogue import Language


@dataclass(frozen=True)
class PublishedRow:
    """An indicator in a table; ``values`` has one entry for each window of the table."""

    indicator_id: str
    title: str
    definition: str
    status: str
    status_note: str
    values: list[PublishedValue | None]
    benchmark: BenchmarkResult | None
    spark: Markup


@dataclass(frozen=True)
class PublishedSideBySide:
    """Places side by side: a row is the title of an indicator and a value for each place."""

    places: list[str]
    rows: list[tuple[str, list[PublishedValue | None]]]


def published_row(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    indicator: PackIndicator,
    windows: Iterable[str],
) -> PublishedRow:
    """One indicator of the place over ``windows``."""
    main = release.main(place, indicator)
    has_spark = indicator.is_headline
    return PublishedRow(
        indicator_id=indicator.indicator_id,
        title=wording.title(indicator),
        definition=indicator.definition[wording.language],
        status=wording.definition_status(indicator.definition_status),
        status_note=indicator.status_note[wording.language],
        values=[value(wording, release, place, indicator, window) for window in windows],
        benchmark=benchmark_result(wording, release, indicator, main),
        spark=_spark(wording, release, place, indicator) if has_spark else Markup(""),
    )


def side_by_side(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    headlines: Sequence[PackIndicator],
) -> list[PublishedSideBySide]:
    """The place beside its members, its region and nation; never in the order of a figure."""
    region = release.region_of(place)
    around = [
        column for column in (region, release.nation) if column is not None and column != place
    ]
    members = release.members_of(place)
    # Voluntary agencies return nothing on children: apart, in a table without those rows.
    groups = [
        [column for column in members if column.kind != "voluntary_agency"] + around,
        [column for column in members if column.kind == "voluntary_agency"],
    ]
    room = PLACES_IN_A_TABLE - 1
    tables: list[PublishedSideBySide] = []
    for group in groups:
        for at in range(0, len(group), room):
            columns = [place, *group[at : at + room]]
            rows: list[tuple[str, list[PublishedValue | None]]] = [
                (
                    linked(indicator.indicator_id, wording.title(indicator)),
                    [_value_beside(wording, release, place, other, indicator) for other in columns],
                )
                for indicator in headlines
                if any(release.main(other, indicator) for other in columns[1:])
            ]
            if rows:
                names = [column.name[wording.language] for column in columns]
                tables.append(PublishedSideBySide(names, rows))
    return tables


def missing_section(
    wording: Wording, release: PublishedRelease, place: PackPlace, declarations: Declarations
) -> Section | None:
    """Returns of the place and its members that are not in the figures; None where all are."""
    _ = wording.gettext
    missing = release.missing_of(place)
    if not missing:
        return None
    table = PlainTable(
        caption=_("Returns not included in these figures"),
        head=[_("Authority or agency"), _("Return"), _("Quarter"), _("Status")],
        rows=[
            [
                release.places[missing_return.sender_code].name[wording.language],
                getattr(declarations.returns[missing_return.return_name].title, wording.language),
                missing_return.quarter,
                wording.return_status(missing_return.why),
            ]
            for missing_return in missing
        ],
    )
    intro = _("For the quarters covered by the figures on this page.")
    return Section(intro=[intro], tables=[table])


def breaks_section(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    indicators: Sequence[PackIndicator],
) -> Section:
    """From when on what is no longer comparable, within the quarters that a figure covers."""
    _ = wording.gettext
    breaks = release.breaks_of(place, indicators)
    if not breaks:
        return Section(notes=[_("There are no known breaks in series in the quarters shown.")])
    codes = [indicator.indicator_id for indicator in indicators]
    rows = []
    for series_break in breaks:
        affected = _("all indicators")
        if "*" not in series_break.indicator_ids:
            affected = ", ".join(code for code in codes if code in series_break.indicator_ids)
        status = wording.definition_status(series_break.status)
        rows.append(
            [series_break.since.label, affected, _explained(series_break, wording.language), status]
        )
    table = PlainTable(
        caption=_("Breaks in series"),
        head=[_("From"), _("Affects"), _("What changed"), _("Status")],
        rows=rows,
    )
    intro = _("From these quarters onwards, figures are not comparable with earlier ones.")
    return Section(intro=[intro], tables=[table])


def _spark(
    wording: Wording, release: PublishedRelease, place: PackPlace, indicator: PackIndicator
) -> Markup:
    """The line of what was released, quarter by quarter; a gap where nothing may be shown."""
    _ = wording.gettext
    # Like with like: the year to date grows through the year, and four quarters may be released
    # once a year only. Then single quarters are the longer line.
    windows = ("quarter",) if indicator.is_stock else ("rolling_4", "quarter")
    lines = [_released(release, place, indicator, window) for window in windows]
    series = max(lines, key=lambda line: sum(figure is not None for _, figure in line))
    while series and series[0][1] is None:
        series.pop(0)
    if len(series) < 2:
        return Markup("")
    points, facts = [], []
    for quarter, figure in series:
        if figure is None:
            points.append(SparkPoint(quarter, None, "", True))
            continue
        is_complete = "p" not in figure.notes
        points.append(SparkPoint(quarter, figure.written, figure.text, is_complete))
        text = _(FLAG_WORDS[figure.flag]) if figure.flag else figure.text
        facts.append(f"{quarter}: {text}")
    return Markup(sparkline(points, f"{wording.title(indicator)}. {'; '.join(facts)}."))


def _released(
    release: PublishedRelease, place: PackPlace, indicator: PackIndicator, window: str
) -> list[tuple[str, PublishedFigure | None]]:
    """Quarters of the trend and the figure of each, as it was released then."""
    first = release.quarter.plus(1 - QUARTERS_IN_A_ROW)
    quarters = [earlier.label for earlier in quarters_between(first, release.quarter.plus(-1))]
    return [
        *((quarter, release.before(place, indicator, quarter, window)) for quarter in quarters),
        (release.quarter.label, release.get(place, indicator, window)),
    ]


def _value_beside(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    other: PackPlace,
    indicator: PackIndicator,
) -> PublishedValue | None:
    """The figure of another place in the window that the page's own place is shown in."""
    window = release.main_window(place, indicator)
    return value(wording, release, other, indicator, window) if window else None


def _explained(series_break: BreakInSeries, language: Language) -> str:
    if language == "cy":
        return f"{series_break.title_cy}. {series_break.explanation_cy}"
    return f"{series_break.title_en}. {series_break.explanation_en}"
