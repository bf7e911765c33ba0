"""The parts of a page as plain rows and pictures, so that the template holds no decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from pipelines.declarations import Declarations
from pipelines.pack import charts
from pipelines.pack.book import (
    REGION_KINDS,
    Book,
    Break,
    Figure,
    Indicator,
    JourneyDay,
    Place,
    Spread,
    Warned,
)
from pipelines.pack.funnels import position_in_funnel
from pipelines.pack.headlines import FEW_CASES, TOLD, before, chance_word
from pipelines.pack.sparklines import SparkPoint, sparkline
from pipelines.pack.trends import Trend, caption
from pipelines.pack.words import Tongue

# Two years: eight values stay readable in a column of a table.
QUARTERS_IN_A_ROW = 8
# England could have thirty agencies; seven columns fit A4 landscape and a screen of 1,100 pixels.
PLACES_IN_A_TABLE = 7
FEWEST_PEERS = 3
FEWEST_WAITING = 5
_LONGEST_LABEL = 22
DAYS_SHOWN = (0, 91, 182, 273, 364, 546, 728)


@dataclass(frozen=True)
class Cell:
    """A value with what it rests on, and a warning where something lacks."""

    value: str
    rests_on: str = ""
    interval: str = ""
    estimate: str = ""
    warning: str = ""
    few: str = ""


@dataclass(frozen=True)
class Remark:
    """A shape, its word, and what it is about."""

    mark: str
    word: str
    about: str


@dataclass(frozen=True)
class Row:
    """A row of the table of indicators."""

    indicator_id: str
    title: str
    definition: str
    status: str
    status_note: str
    breaks: list[str]
    quarter: Cell | None
    main: Cell | None
    main_window: str
    compared: list[Remark]
    benchmark: str
    benchmark_remark: Remark | None
    spark: str
    spark_note: str


@dataclass(frozen=True)
class Picture:
    """A chart: its data address, what it shows to who cannot see it, and the words under it."""

    title: str
    unit: str
    source: str
    alt: str
    caption: str
    head: list[str]
    rows: list[list[str]]
    definition_of: str = ""
    status: str = ""


@dataclass(frozen=True)
class Table:
    """A plain table; the first column names the row."""

    caption: str
    head: list[str]
    rows: list[list[str]]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Side:
    """A table of places side by side: columns are places, cells may have a remark."""

    places: list[tuple[str, str]]
    rows: list[tuple[str, list[tuple[Cell | None, Remark | None]]]]


@dataclass(frozen=True)
class Section:
    """A section with an intro; parts that are empty are left out by the template."""

    intro: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    key: list[tuple[str, str]] = field(default_factory=list)


def indicator_rows(tongue: Tongue, book: Book, place: Place, is_headline: bool) -> list[Row]:
    """Every indicator with a figure here: the headline ones, or all the others."""
    return [
        _row(tongue, book, place, indicator)
        for indicator in book.indicators.values()
        if indicator.is_headline is is_headline and indicator.indicator_id in book.now(place.code)
    ]


def waiting(tongue: Tongue, book: Book, place: Place) -> Section | None:
    """Children on each clock, and who will pass its limit soon."""
    known = [
        one
        for one in book.warnings.get(place.code, ())
        if one.waiting is not None and one.indicator_id in book.indicators
    ]
    if not known:
        return None
    day = tongue.day(book.quarter.last_day)
    facts = " ".join(
        tongue(
            "waiting_fact",
            code=one.indicator_id,
            waiting=one.waiting,
            past=one.past,
            limit=tongue.limit(one.limit_value, one.limit_unit),
            soon=one.within_90,
        )
        for one in known
    )
    table = Table(
        caption=tongue("waiting_table", day=day),
        head=[
            *(tongue("clock"), tongue("limit"), tongue("waiting_count"), tongue("past")),
            *(tongue("within", days=days) for days in (30, 60, 90)),
        ],
        rows=[
            [
                _linked(tongue, book, place, book.indicators[one.indicator_id]),
                tongue.limit(one.limit_value, one.limit_unit),
                *(
                    f"{count or 0:,}"
                    for count in (
                        one.waiting,
                        one.past,
                        one.within_30,
                        one.within_60,
                        one.within_90,
                    )
                ),
            ]
            for one in known
        ],
        numeric=frozenset(range(2, 7)),
    )
    pictures = []
    if max(one.waiting or 0 for one in known) >= FEWEST_WAITING:
        picture = Picture(
            title="",
            unit="",
            source=charts.early_warning([(one.indicator_id, _stacked(one)) for one in known]),
            alt=tongue("waiting_alt", facts=facts),
            caption="",
            head=[],
            rows=[],
        )
        pictures.append(picture)
    words = ("past", "next_30", "next_60", "next_90", "later")
    return Section(
        intro=[tongue("waiting_intro")],
        pictures=pictures,
        tables=[table],
        notes=[tongue("cumulative"), tongue("waiting_proposed")],
        key=[
            (colour, tongue(word))
            for (colour, _), word in zip(charts.EARLY_WARNING_COLOURS, words, strict=True)
            if pictures
        ],
    )


def over_time(tongue: Tongue, book: Book, trends: dict[str, Trend | None]) -> Section | None:
    """A chart of each headline indicator that has a better direction and cases enough."""
    if not trends:
        return None
    drawn = [_trend_picture(tongue, found) for found in trends.values() if found]
    without = [book.indicators[code] for code, found in trends.items() if found is None]
    if not drawn:
        return Section(notes=[tongue("no_charts")])
    notes = [tongue("no_chart_for", titles=tongue.titles(without))] if without else []
    return Section(intro=[tongue("over_time_intro")], pictures=drawn, notes=notes)


def funnels(tongue: Tongue, book: Book, place: Place) -> Section | None:
    """Shares of this place among its peers; of a nation, its authorities or agencies."""
    pictures = []
    peers_named: set[str] = set()
    for indicator in book.indicators.values():
        if not indicator.is_share or indicator.direction == "context":
            continue
        if book.passes_a_hundred(indicator.indicator_id):
            continue
        peers = _peers(book, place, indicator)
        found = _funnel(tongue, book, place, indicator, peers)
        if found is not None:
            pictures.append(found)
            is_authority = peers[0].kind == "authority"
            peers_named.add("peers_authority" if is_authority else "peers_region")
    if not pictures:
        return None
    nation = book.nation.name[tongue.language]
    named = " / ".join(tongue(word, nation=nation) for word in sorted(peers_named))
    key = "funnel_key_all" if place.kind == "nation" else "funnel_key"
    return Section(
        intro=[tongue("funnels_intro", peers=named)],
        pictures=pictures,
        notes=[f"{tongue('funnel_axis')} {tongue('key')}: {tongue(key)}."],
    )


def side_by_side(tongue: Tongue, book: Book, place: Place) -> list[Side]:
    """The place, its members, its region and nation: one column each."""
    around = [one for one in (book.region_of(place.code), book.nation) if one and one != place]
    members = [] if place.kind == "authority" else book.members_of(place)
    # Voluntary agencies return nothing on children: apart, in a table without those rows.
    groups = [[one for one in members if one.kind != "voluntary_agency"] + around]
    groups.append([one for one in members if one.kind == "voluntary_agency"])
    headlines = [
        indicator
        for indicator in book.indicators.values()
        if indicator.is_headline and indicator.indicator_id in book.now(place.code)
    ]
    room = PLACES_IN_A_TABLE - 1
    return [
        Side(
            places=[
                (one.name[tongue.language], _lacking(tongue, book, one, headlines))
                for one in (place, *others)
            ],
            rows=[
                (
                    _linked(tongue, book, place, indicator),
                    [_beside(tongue, book, one, indicator) for one in (place, *others)],
                )
                for indicator in headlines
                if any(book.main(one.code, indicator) for one in others)
            ],
        )
        for group in groups
        for others in (group[at : at + room] for at in range(0, len(group), room))
        if headlines
    ]


def linked(indicator_id: str, title: str) -> Markup:
    """Code and title of an indicator; the code leads to its definition in the table."""
    return Markup('<a href="#i-{0}">{0}</a> {1}').format(indicator_id, title)


def _linked(tongue: Tongue, book: Book, place: Place, indicator: Indicator) -> str:
    title = tongue.title(indicator)
    if indicator.indicator_id not in book.now(place.code):
        return f"{indicator.indicator_id} {title}"
    return linked(indicator.indicator_id, title)


def journey(tongue: Tongue, book: Book, place: Place) -> Section | None:
    """The curve of the place, or of its region where it has none of its own."""
    if not book.journeys or place.kind == "voluntary_agency":
        return None
    whose = place
    intro = [tongue("journey_intro", quarter=book.quarter.label)]
    if place.kind == "authority":
        whose = book.region_of(place.code) or book.nation
        intro.append(tongue("journey_of_region", place=whose.name[tongue.language]))
    name = whose.name[tongue.language]
    days = book.journeys.get(whose.code, [])
    if not days:
        return Section(notes=[tongue("journey_none", place=name)])
    if days[0].children < FEW_CASES:
        return Section(notes=[tongue("journey_few", place=name)])
    facts = _journey_facts(tongue, days)
    curves = [charts.Curve(_steps(days), is_own=True)]
    note = tongue("journey_axis")
    nation_days = book.journeys.get(book.nation_code, [])
    if whose.code != book.nation_code and nation_days:
        curves.append(charts.Curve(_steps(nation_days), is_own=False))
        note += f" {tongue('key')}: " + tongue(
            "journey_other", place=book.nation.name[tongue.language]
        )
        note += "."
    picture = Picture(
        title=name,
        unit=tongue("not_matched") + ", %",
        source=charts.journey(curves),
        alt=tongue("journey_alt", place=name, facts=facts),
        caption=facts,
        head=[],
        rows=[],
    )
    table = Table(
        caption=tongue("journey_table", place=name),
        head=[tongue("days"), tongue("at_risk"), tongue("not_matched"), tongue("interval_head")],
        rows=[_journey_row(tongue, days, day) for day in DAYS_SHOWN if day <= days[-1].days],
        numeric=frozenset({1, 2, 3}),
    )
    notes = [note]
    if days[0].returns_accepted < days[0].returns_expected:
        notes.append(
            tongue(
                "journey_returns",
                accepted=days[0].returns_accepted,
                expected=days[0].returns_expected,
            )
        )
    return Section(intro=intro, pictures=[picture], tables=[table], notes=notes)


def distribution(tongue: Tongue, book: Book, place: Place) -> Section | None:
    """What lies behind the means: middle half, median and mean, beside region and nation."""
    headlines = [
        indicator
        for indicator in book.indicators.values()
        if indicator.is_headline
        and indicator.unit in ("months", "days")
        and indicator.indicator_id in book.now(place.code)
    ]
    if not headlines or not book.spreads:
        return None
    pictures = [found for one in headlines if (found := _waits_picture(tongue, book, place, one))]
    if not pictures:
        return Section(notes=[tongue("distribution_none")])
    return Section(intro=[tongue("distribution_intro")], pictures=pictures)


def returns(tongue: Tongue, book: Book, place: Place, declarations: Declarations) -> Section | None:
    """Every return due from the place and its members; of a nation those with something amiss."""
    senders = set(book.senders.get(place.code, ()))
    due = [item for item in book.returns if item.sender_code in senders]
    if not due:
        return Section(notes=[tongue("no_returns")])
    told = due
    caption = tongue("returns_table", quarter=book.quarter.label)
    if place.kind == "nation":
        told = [
            item
            for item in due
            if item.status not in ("accepted", "nil") or item.rows_quarantined or item.is_late
        ]
        caption = tongue("not_in_table", quarter=book.quarter.label)
    table = Table(
        caption=caption,
        head=[
            *(tongue("sender"), tongue("return"), tongue("status"), tongue("rows")),
            *(tongue("aside"), tongue("queries")),
        ],
        rows=[
            [
                book.places[item.sender_code].name[tongue.language],
                getattr(declarations.returns[item.return_name].title, tongue.language),
                tongue.status(item.status) + (f", {tongue('late')}" if item.is_late else ""),
                *(f"{n:,}" for n in (item.rows_accepted, item.rows_quarantined, item.queries)),
            ]
            for item in told
        ],
        numeric=frozenset({3, 4, 5}),
    )
    has_aside = any(item.rows_quarantined for item in told)
    return Section(
        tables=[table] if told else [],
        notes=[tongue("set_aside_note")] if has_aside else [],
    )


def breaks(tongue: Tongue, book: Book, place: Place) -> Section:
    """From when on what is no longer comparable, within the quarters shown."""
    found: dict[tuple[str, str, str], list[str]] = {}
    told: dict[tuple[str, str, str], Break] = {}
    for one in book.breaks_of(place.code, book.now(place.code)):
        key = (one.since, one.title.en, one.place_code)
        found.setdefault(key, []).append(one.indicator_id)
        told[key] = one
    if not found:
        return Section(notes=[tongue("no_breaks")])
    return Section(
        intro=[tongue("breaks_intro")],
        tables=[
            Table(
                caption=tongue("breaks"),
                head=[tongue("since"), tongue("concerns"), tongue("what"), tongue("status")],
                rows=[
                    [
                        key[0],
                        tongue("whole_place") if "*" in codes else ", ".join(codes),
                        f"{told[key].title[tongue.language]}. "
                        f"{told[key].explanation[tongue.language]}",
                        tongue.status(told[key].status),
                    ]
                    for key, codes in found.items()
                ],
            )
        ],
    )


# --- rows of the table of indicators -------------------------------------------------------------


def _row(tongue: Tongue, book: Book, place: Place, indicator: Indicator) -> Row:
    windows = book.now(place.code)[indicator.indicator_id]
    main = book.main(place.code, indicator)
    now = windows.get("quarter")
    spark, spark_note = (
        _spark(tongue, book, place, indicator) if indicator.is_headline else ("", "")
    )
    has_main = main is not None and main.window_name != "quarter"
    return Row(
        indicator_id=indicator.indicator_id,
        title=tongue.title(indicator),
        definition=indicator.definition[tongue.language],
        status=tongue.status(indicator.definition_status),
        status_note=indicator.status_note[tongue.language],
        breaks=[
            tongue("break_since", quarter=since)
            for since in dict.fromkeys(
                one.since for one in book.breaks_of(place.code, [indicator.indicator_id])
            )
        ],
        quarter=_cell(tongue, book, indicator, now) if now else None,
        main=_cell(tongue, book, indicator, main) if main and has_main else None,
        main_window=tongue.window(main.window_name)
        if main and main.window_name not in ("quarter", "rolling_4")
        else "",
        compared=_compared(tongue, book, place, indicator, main),
        benchmark=tongue.benchmark(indicator, main.benchmark)
        if main and main.benchmark is not None
        else "",
        benchmark_remark=_benchmark_remark(tongue, book, place, indicator, main),
        spark=spark,
        spark_note=spark_note,
    )


def _cell(tongue: Tongue, book: Book, indicator: Indicator, figure: Figure) -> Cell:
    key = (figure.place_code, indicator.indicator_id, figure.window_name)
    low, high = book.intervals.get(key, (None, None))
    has_few = (
        figure.denominator is not None
        and 0 < figure.denominator < FEW_CASES
        and figure.value is not None
    )
    return Cell(
        value=tongue.shown(indicator, figure),
        rests_on=tongue.rests_on(indicator, figure),
        interval=tongue.interval(indicator, low, high)
        if low is not None and high is not None
        else "",
        estimate=tongue("estimate", value=tongue.number(indicator, figure.estimate))
        if figure.estimate is not None
        else "",
        warning=tongue.lacks(figure),
        few=tongue("fewer_than_ten") if has_few else "",
    )


def _compared(
    tongue: Tongue, book: Book, place: Place, indicator: Indicator, main: Figure | None
) -> list[Remark]:
    if main is None:
        return []
    one = book.comparisons.get((place.code, indicator.indicator_id, main.window_name))
    if one is None:
        return []
    others = (
        (before(tongue, main), one.previous_value, one.compared_with_previous),
        (tongue("region"), one.region_value, one.compared_with_region),
        (book.nation.name[tongue.language], one.nation_value, one.compared_with_nation),
    )
    return [
        Remark(compared, tongue(compared), f"{name} {tongue.number(indicator, value)}")
        for name, value, compared in others
        if compared and value is not None
    ]


def _benchmark_remark(
    tongue: Tongue, book: Book, place: Place, indicator: Indicator, main: Figure | None
) -> Remark | None:
    if main is None or main.benchmark_met is None:
        return None
    one = book.comparisons.get((place.code, indicator.indicator_id, main.window_name))
    return Remark(
        "met" if main.benchmark_met == "met" else "not_met",
        tongue(main.benchmark_met),
        chance_word(tongue, one),
    )


def _spark(tongue: Tongue, book: Book, place: Place, indicator: Indicator) -> tuple[str, str]:
    window, series = book.series(place.code, indicator.indicator_id)
    quarters = book.quarters[-QUARTERS_IN_A_ROW:]
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
    said = ", ".join(f"{point.quarter} {point.shown}" for point in points)
    said = f"{tongue.title(indicator)}, {tongue.unit(indicator)}: {said}"
    return sparkline(points, said), tongue("trend_three_years") if window != "quarter" else ""


def _short(indicator: Indicator, figure: Figure | None) -> str:
    """A value in 33 pixels: no unit, and no decimal where there are hundreds."""
    if figure is None or figure.value is None:
        return "–"
    decimals = 0 if figure.value >= 100 else indicator.rounding
    return f"{figure.value:,.{decimals}f}"


# --- waiting ---------------------------------------------------------------------------------


def _stacked(one: Warned) -> list[int]:
    """Of the children on a clock: past, within 30, 31 to 60, 61 to 90 days, later."""
    past, first, second, third = (
        count or 0 for count in (one.past, one.within_30, one.within_60, one.within_90)
    )
    return [past, first, second - first, third - second, (one.waiting or 0) - past - third]


# --- charts over time ------------------------------------------------------------------------


def _trend_picture(tongue: Tongue, found: Trend) -> Picture:
    indicator = found.indicator
    title = tongue.title(indicator)
    shown = [
        (point, found.figures[point.quarter])
        for point in sorted(found.points, key=lambda point: point.quarter)
    ]
    values = ", ".join(
        f"{point.quarter} "
        + (tongue.number(indicator, point.value) if point.value is not None else "–")
        for point, _ in shown
    )
    described = caption(tongue, found)
    return Picture(
        title=f"{indicator.indicator_id} {title}",
        unit=tongue.unit(indicator),
        source=charts.over_time(
            found.points, found.centre, found.limits, found.breaks, indicator.rounding
        ),
        alt=tongue(
            "chart_alt",
            title=title,
            unit=tongue.unit(indicator),
            first=shown[0][0].quarter,
            last=shown[-1][0].quarter,
            values=values,
        ),
        caption=described,
        head=[tongue("quarter"), tongue("value"), tongue("cases"), tongue("marked")],
        rows=[
            [
                point.quarter,
                tongue.shown(indicator, figure) if figure else "–",
                f"{figure.cases:,.0f}" if figure and figure.cases is not None else "–",
                "" if point.kind == "common" else tongue(_KIND_WORDS[point.kind]),
            ]
            for point, figure in shown
        ],
        definition_of=indicator.indicator_id,
        status=tongue.status(indicator.definition_status),
    )


_KIND_WORDS = {
    "better": "signal_better",
    "worse": "signal_worse",
    "incomplete": "incomplete",
}


# --- funnels ---------------------------------------------------------------------------------


def _peers(book: Book, place: Place, indicator: Indicator) -> list[Place]:
    """Places of one level: those that return the indicator, or the place's own kind."""
    if place.kind != "nation":
        kinds = ("authority",) if place.kind == "authority" else (*REGION_KINDS, "voluntary_agency")
    elif indicator.subject == "child":
        kinds = ("authority",)
    else:
        kinds = (*REGION_KINDS, "voluntary_agency")
    return [
        one
        for one in book.places.values()
        if one.kind in kinds and indicator.indicator_id in book.now(one.code)
    ]


def _funnel(
    tongue: Tongue, book: Book, place: Place, indicator: Indicator, places: Sequence[Place]
) -> Picture | None:
    counted = []
    for one in places:
        figure = book.main(one.code, indicator)
        if figure is None or not figure.denominator or figure.numerator is None:
            continue
        counted.append((one, figure, int(figure.numerator), int(figure.denominator)))
    own = next((item for item in counted if item[0].code == place.code), None)
    if len(counted) < FEWEST_PEERS or (own is None and place.kind != "nation"):
        return None
    average = sum(count for *_, count, _ in counted) / sum(cases for *_, cases in counted)
    rows, peers, outside = [], [], []
    for one, figure, count, cases in sorted(counted, key=lambda item: -item[3]):
        is_judged = cases >= FEW_CASES
        position = position_in_funnel(average, count, cases) if is_judged else "few"
        name = one.name[tongue.language]
        is_own = one.code == place.code
        is_outside = position not in ("inside", "few")
        if is_outside and not is_own:
            outside.append(f"{name} ({tongue(f'position_{position}')})")
        # The place itself is the square, and in the words below.
        label = _in_the_picture(name) if is_outside and not is_own else ""
        peers.append(charts.Peer(cases, count / cases, is_own, is_judged, label))
        rows.append(
            [
                name,
                tongue.shown(indicator, figure),
                tongue.rests_on(indicator, figure),
                tongue(f"position_{position}"),
            ]
        )
    facts = [tongue("funnel_average", average=tongue.number(indicator, 100 * average))]
    if own is not None:
        of_own = next(row for row in rows if row[0] == place.name[tongue.language])
        facts.append(
            tongue("funnel_own", place=of_own[0], value=of_own[1], of=of_own[2], position=of_own[3])
        )
    if outside:
        facts.append(tongue("funnel_outside", places=", ".join(outside)))
    else:
        facts.append(tongue("funnel_outside_none" if own else "funnel_nobody_outside"))
    described = " ".join(facts)
    title = tongue.title(indicator)
    return Picture(
        title=f"{indicator.indicator_id} {title}",
        unit="%",
        source=charts.funnel(peers, average),
        alt=tongue("funnel_alt", title=title, count=len(peers), facts=described),
        caption=described,
        head=[tongue("place"), tongue("share"), tongue("cases"), tongue("position")],
        rows=rows,
        definition_of=indicator.indicator_id,
        status=tongue.status(indicator.definition_status),
    )


def _in_the_picture(name: str) -> str:
    """A name that leaves room for the points: some agencies' are wider than the funnel."""
    return name if len(name) <= _LONGEST_LABEL else f"{name[:_LONGEST_LABEL].rstrip()}…"


# --- side by side ----------------------------------------------------------------------------


def _beside(
    tongue: Tongue, book: Book, place: Place, indicator: Indicator
) -> tuple[Cell | None, Remark | None]:
    figure = book.main(place.code, indicator)
    if figure is None:
        return None, None
    one = book.comparisons.get((place.code, indicator.indicator_id, figure.window_name))
    compared = one.compared_with_nation if one else None
    remark = Remark(compared, tongue(compared), "") if compared in TOLD and compared else None
    return (
        Cell(
            value=tongue.shown(indicator, figure),
            rests_on=tongue.rests_on(indicator, figure),
            warning=tongue.lacks(figure),
        ),
        remark,
    )


def _lacking(tongue: Tongue, book: Book, place: Place, indicators: Iterable[Indicator]) -> str:
    """What most of a column's figures lack, told once at its head."""
    told = [
        tongue.lacks(figure)
        for indicator in indicators
        if (figure := book.main(place.code, indicator)) and not figure.is_complete
    ]
    return max(told, key=told.count) if told else ""


# --- journey ---------------------------------------------------------------------------------


def _steps(
    days: Iterable[JourneyDay],
) -> list[tuple[int, float, float | None, float | None]]:
    steps = [(day.days, day.waiting, day.waiting_lower, day.waiting_upper) for day in days]
    return steps if steps and steps[0][0] == 0 else [(0, 1.0, None, None), *steps]


def _journey_facts(tongue: Tongue, days: Sequence[JourneyDay]) -> str:
    last = days[-1]
    said = []
    if last.median is None:
        said.append(tongue("journey_no_median"))
    elif last.median_lower is None:
        said.append(tongue("journey_median_bare", median=last.median))
    elif last.median_upper is None:
        said.append(tongue("journey_median_open", median=last.median, low=last.median_lower))
    else:
        said.append(
            tongue(
                "journey_median",
                median=last.median,
                low=last.median_lower,
                high=last.median_upper,
            )
        )
    said.append(
        tongue(
            "journey_facts",
            children=f"{last.children:,}",
            waiting=_percent(_waiting_after(days, 365)[0]),
            left=_percent(last.left_by_then),
        )
    )
    return " ".join(said)


def _journey_row(tongue: Tongue, days: Sequence[JourneyDay], at: int) -> list[str]:
    at_risk = next((day.at_risk for day in days if day.days >= at), 0)
    waiting, low, high = _waiting_after(days, at)
    interval = ""
    if low is not None and high is not None:
        interval = tongue("interval_short", low=_percent(low), high=_percent(high))
    return [str(at), f"{at_risk:,}", _percent(waiting), interval]


def _waiting_after(days: Sequence[JourneyDay], at: int) -> tuple[float, float | None, float | None]:
    """Share not matched once that many days have passed."""
    past = [day for day in days if day.days <= at]
    if not past:
        return 1.0, None, None
    return past[-1].waiting, past[-1].waiting_lower, past[-1].waiting_upper


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


# --- distribution ----------------------------------------------------------------------------


def _waits_picture(
    tongue: Tongue, book: Book, place: Place, indicator: Indicator
) -> Picture | None:
    region = book.region_of(place.code)
    main = book.main(place.code, indicator)
    if main is None:
        return None
    windows = ("quarter", "rolling_4", "rolling_12")
    asked = [(place, window) for window in windows]
    asked += [(one, main.window_name) for one in (region, book.nation) if one and one != place]
    boxes, rows, facts = [], [], []
    has_few = False
    for one, window in asked:
        spread = book.spreads.get((one.code, indicator.indicator_id, window))
        numbers = _complete(spread)
        if spread is None or numbers is None:
            continue
        low, mid, high, mean = numbers
        has_few = has_few or spread.cases < FEW_CASES
        period = tongue.window(window)
        who = f"{one.name[tongue.language]}, {period[0].lower()}{period[1:]}"
        short = tongue("region") if one == region else one.name[tongue.language]
        label = f"{short[0].upper()}{short[1:]}, {period[0].lower()}{period[1:]}"
        label = f"{period if one == place else label} ({spread.cases:,})"
        boxes.append(charts.Box(label, low, mid, high, mean, is_own=one == place))
        said = {
            name: tongue.number(indicator, value)
            for name, value in (("median", mid), ("low", low), ("high", high), ("mean", mean))
        }
        if len(facts) < 2 or one != place:
            facts.append(tongue("distribution_fact", who=who, cases=f"{spread.cases:,}", **said))
        rows.append(
            [
                who,
                f"{spread.cases:,}",
                said["median"]
                + _bounds(tongue, indicator, spread.median_lower, spread.median_upper),
                tongue("interval_short", low=said["low"], high=said["high"]),
                said["mean"] + _bounds(tongue, indicator, spread.mean_lower, spread.mean_upper),
            ]
        )
    if not any(box.is_own for box in boxes):
        return None
    title = tongue.title(indicator)
    line = ""
    if main.benchmark is not None:
        line = tongue("benchmark_line", benchmark=tongue.benchmark(indicator, main.benchmark))
    return Picture(
        title=f"{indicator.indicator_id} {title}",
        unit=tongue.unit(indicator),
        source=charts.waits(boxes, main.benchmark),
        alt=tongue(
            "distribution_alt", title=title, unit=tongue.unit(indicator), facts=" ".join(facts)
        ),
        caption=" ".join(
            [
                *([f"{line[0].upper()}{line[1:]}."] if line else []),
                *([tongue("distribution_few")] if has_few else []),
            ]
        ),
        head=[
            *(tongue("who"), tongue("cases"), tongue("median"), tongue("middle_half")),
            tongue("mean"),
        ],
        rows=rows,
        definition_of=indicator.indicator_id,
        status=tongue.status(indicator.definition_status),
    )


def _complete(spread: Spread | None) -> tuple[float, float, float, float] | None:
    if spread is None or spread.mean is None or spread.median is None:
        return None
    if spread.lower_quartile is None or spread.upper_quartile is None:
        return None
    return spread.lower_quartile, spread.median, spread.upper_quartile, spread.mean


def _bounds(tongue: Tongue, indicator: Indicator, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f" ({tongue.interval(indicator, low, high)})"
