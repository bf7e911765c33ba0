"""Publishable packs: a page per place and language, of figures that a release shows.

Every number of a figure stands in an element with ``data-figure``, the row it comes from; what a
page says beside that is made from shown numbers and flags alone. ``Shown`` has nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipelines.declarations import Declarations
from pipelines.files import CHECKSUMS, changed_files, sha256_of
from pipelines.pack.book import Indicator, Place
from pipelines.pack.edition import LANGUAGES, Language
from pipelines.pack.pages import file_name, in_css, place_among, template
from pipelines.pack.published import (
    QUARTERS_IN_A_ROW,
    Publication,
    Shown,
    earlier_releases,
    publication,
)
from pipelines.pack.published_words import PublishedTongue
from pipelines.pack.sections import PLACES_IN_A_TABLE, Section, Table, linked
from pipelines.pack.sparklines import SparkPoint, sparkline
from pipelines.quarters import quarters_between
from pipelines.release.content import FLAGS, NOTES, ReleaseError
from pipelines.release.versions import Version, folder_of
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.declarations import BreakInSeries

# Beside the quarter itself: a year, and three years for places so small that a year is kept back.
# The year to date stands for the year where four quarters are not released.
WINDOWS = ("quarter", "year_to_date", "rolling_4", "rolling_12")


@dataclass(frozen=True)
class Value:
    """A figure in a cell: its element, what a flag means, what it rests on, what to know of it."""

    element: Markup
    said: str
    rests_on: Markup
    notes: list[str]


@dataclass(frozen=True)
class Against:
    """A benchmark in words; ``met`` is empty where the figure is not shown."""

    benchmark: str
    met: str


@dataclass(frozen=True)
class Row:
    """An indicator in a table."""

    indicator_id: str
    title: str
    definition: str
    status: str
    status_note: str
    values: list[Value | None]
    against: Against | None
    spark: Markup


@dataclass(frozen=True)
class Statement:
    mark: str
    word: str
    text: Markup


@dataclass(frozen=True)
class Group:
    heading: str
    statements: list[Statement]


@dataclass(frozen=True)
class Side:
    """Places side by side: a row is the title of an indicator and a value for each place."""

    places: list[str]
    rows: list[tuple[str, list[Value | None]]]


def write_published_packs(
    folder: Path, declarations: Declarations, earlier: Sequence[Path] = ()
) -> list[Path]:
    """Write the packs of the release in ``folder`` beside its other files, two pages a place.

    ``earlier`` are folders of releases of the quarters before it. Raises ReleaseError where there
    is no release.
    """
    found = publication(folder, declarations, earlier)
    return [
        _write(folder, found, declarations, place, language)
        for place in found.places_with_a_pack()
        for language in LANGUAGES
    ]


def hand_out(
    settings: Settings,
    declarations: Declarations,
    one: Version,
    wanted: str | None,
    languages: Sequence[Language],
    folder: Path,
) -> list[Path]:
    """Put the packs of a released version into ``folder``: those of one place, or all of them.

    Pages are the version's own, byte for byte; one from before packs were part of a release is made
    from its figures. Raises ReleaseError where the version is not as it was released, PackError
    where it has no such place.
    """
    home = folder_of(settings, one)
    if changed_files(home) or sha256_of(home / CHECKSUMS) != one.checksums:
        raise ReleaseError(f"{home} is not as it was released: put it back from a copy")
    earlier = earlier_releases(settings, one.body, one.quarter, one.ledger_length)
    found = publication(home, declarations, earlier)
    places = found.places_with_a_pack()
    if wanted is not None:
        places = [place_among(places, wanted, f"{one.name} has no figures of {wanted!r}")]
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for place in places:
        for language in languages:
            released = home / file_name(found, place, language)
            if released.is_file():
                written.append(Path(copyfile(released, folder / released.name)))
            else:
                written.append(_write(folder, found, declarations, place, language))
    return written


def _write(
    folder: Path,
    found: Publication,
    declarations: Declarations,
    place: Place,
    language: Language,
) -> Path:
    path = folder / file_name(found, place, language)
    text = published_page(found, declarations, place, language)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def published_page(
    found: Publication, declarations: Declarations, place: Place, language: Language
) -> str:
    """The whole page of ``place`` as HTML."""
    tongue = PublishedTongue(language)
    indicators = found.indicators_of(place)
    headline = [one for one in indicators if one.is_headline]
    windows = [
        window
        for window in WINDOWS
        if any(found.get(place, one, window) is not None for one in indicators)
    ]
    if "rolling_4" in windows and "year_to_date" in windows:
        windows.remove("year_to_date")
    label = tongue("label", name=found.name, version=found.version)
    return template("published.html.jinja").render(
        language=language,
        t=tongue,
        found=found,
        place=place,
        name=place.name[language],
        quarter=found.quarter,
        title=f"{tongue('title')}: {place.name[language]}, {found.quarter}",
        label=label,
        rules=tongue(
            "rules",
            body=found.body[language],
            rules=found.rules[language],
            status=tongue.status(found.rules_status),
        ),
        on_every_sheet=in_css(_on_every_sheet(found, place, tongue, label)),
        region=found.region_of(place),
        returns=_returns_sentence(tongue, found, place),
        groups=_groups(tongue, found, place, headline),
        tail=_tail(tongue, found, place, headline),
        windows=windows,
        window_names=[_window(tongue, window) for window in windows],
        rows=[_row(tongue, found, place, one, windows) for one in headline],
        others=[
            _row(tongue, found, place, one, windows) for one in indicators if not one.is_headline
        ],
        has_trend=bool(found.earlier),
        lacks_adopters=place.kind == "authority"
        and not any(one.subject == "adopter" for one in indicators),
        sides=_sides(tongue, found, place, headline),
        missing=_missing(tongue, found, place, declarations),
        breaks=_breaks(tongue, found, place, indicators),
        signs="; ".join(f"[{code}]: {tongue(f'flag_{code}')}" for code in FLAGS) + ".",
        flags={f"[{code}]": getattr(text, language) for code, text in FLAGS.items()},
        notes={tongue(f"note_{code}"): getattr(text, language) for code, text in NOTES.items()},
    )


# --- a figure ------------------------------------------------------------------------------------


def element(shown: Shown, unit: str = "") -> Markup:
    """The figure as readers see it, in an element that says which row of the release it is."""
    text = shown.text + ("%" if unit == "percent" and shown.number is not None else "")
    return Markup('<span data-figure="{}">{}</span>').format(shown.key, text)


def _amount(tongue: PublishedTongue, indicator: Indicator, shown: Shown) -> Markup:
    """With the unit, where the title does not say it."""
    told = element(shown, indicator.unit)
    if indicator.unit in ("months", "days") and shown.number is not None:
        return told + f" {tongue.unit(indicator)}"
    return told


def _value(
    tongue: PublishedTongue, found: Publication, place: Place, indicator: Indicator, window: str
) -> Value | None:
    shown = found.get(place, indicator, window)
    if shown is None:
        return None
    return Value(
        element=_amount(tongue, indicator, shown),
        said=tongue(f"flag_{shown.flag}") if shown.flag else "",
        rests_on=_rests_on(tongue, found, place, indicator, window),
        notes=[tongue(f"note_{code}") for code in shown.notes],
    )


def _rests_on(
    tongue: PublishedTongue, found: Publication, place: Place, indicator: Indicator, window: str
) -> Markup:
    """``52 of 87``, ``mean of 23``; nothing where no part of it is shown, or it is nought."""
    below = found.get(place, indicator, window, "denominator")
    above = found.get(place, indicator, window, "numerator")
    if below is None or not below.number:
        return Markup("")
    if above is None:
        return tongue("mean_of", count=element(below))
    return tongue("of", numerator=element(above), denominator=element(below))


def _window(tongue: PublishedTongue, window: str) -> str:
    words = {
        "quarter": "this_quarter",
        "year_to_date": "so_far",
        "rolling_4": "year",
        "rolling_12": "three_years",
    }
    return tongue(words[window])


def _when(tongue: PublishedTongue, found: Publication, indicator: Indicator, window: str) -> Markup:
    if indicator.is_stock:
        return tongue("on_day", day=tongue.day(found.quarter.last_day))
    return tongue(f"in_{window}")


# --- in short ------------------------------------------------------------------------------------


def _returns_sentence(tongue: PublishedTongue, found: Publication, place: Place) -> Statement:
    lacks = any(one.quarter == found.quarter.label for one in found.missing_of(place))
    if lacks:
        return Statement("warn", tongue("incomplete"), tongue("returns_lacking"))
    return Statement("met", "", tongue("returns_in_all"))


def _groups(
    tongue: PublishedTongue, found: Publication, place: Place, headline: Sequence[Indicator]
) -> list[Group]:
    groups = [
        Group(tongue("against_benchmarks"), _benchmarks(tongue, found, place, headline)),
        Group(tongue("a_year_before"), _year_before(tongue, found, place, headline)),
        Group(tongue("in_figures"), _in_figures(tongue, found, place, headline)),
    ]
    return [group for group in groups if group.statements]


def _benchmarks(
    tongue: PublishedTongue, found: Publication, place: Place, headline: Sequence[Indicator]
) -> list[Statement]:
    statements = []
    for one in headline:
        shown, window = found.main(place, one), found.main_window(place, one)
        against = _against(tongue, found, one, shown)
        if shown and window and against and against.met:
            sentence = tongue(
                "said_benchmark",
                title=tongue.title(one),
                value=_amount(tongue, one, shown),
                when=_when(tongue, found, one, window),
                benchmark=against.benchmark,
            )
            mark = "met" if against.met == "met" else "not_met"
            statements.append(Statement(mark, tongue(against.met), sentence))
    return statements


def _against(
    tongue: PublishedTongue, found: Publication, indicator: Indicator, shown: Shown | None
) -> Against | None:
    """Met or not by the number that readers have: the unrounded one would say more than it."""
    benchmark = found.benchmarks.get(indicator.indicator_id)
    if benchmark is None:
        return None
    words = tongue.benchmark(indicator, benchmark)
    if shown is None or shown.written is None or indicator.direction == "context":
        return Against(words, "")
    is_met = (
        shown.written >= benchmark
        if indicator.direction == "higher"
        else shown.written <= benchmark
    )
    return Against(words, "met" if is_met else "not met")


def _year_before(
    tongue: PublishedTongue, found: Publication, place: Place, headline: Sequence[Indicator]
) -> list[Statement]:
    """Both numbers as they were released. A break in series between them: neither."""
    quarter = found.quarter.plus(-4).label
    statements = []
    for one in headline:
        shown, window = found.main(place, one), found.main_window(place, one)
        if shown is None or window is None or window == "rolling_12":
            continue
        was = found.before(place, one, quarter, window)
        if was is None:
            continue
        if shown.number is None or was.number is None or "b" in shown.notes:
            continue
        sentence = tongue(
            "said_before",
            title=tongue.title(one),
            value=_amount(tongue, one, shown),
            when=_when(tongue, found, one, window),
            quarter=quarter,
            previous=_amount(tongue, one, was),
        )
        statements.append(Statement("", "", sentence))
    return statements


def _in_figures(
    tongue: PublishedTongue, found: Publication, place: Place, headline: Sequence[Indicator]
) -> list[Statement]:
    """Counts, which say how much of everything there was; means and shares have benchmarks."""
    statements = []
    for one in headline:
        shown, window = found.main(place, one), found.main_window(place, one)
        if shown is None or window is None or shown.number is None:
            continue
        if one.unit in ("percent", "months", "days"):
            continue
        now = None if window == "quarter" else found.get(place, one, "quarter")
        sentence = tongue(
            "said_flow_quarter" if now is not None and now.number is not None else "said_flow",
            title=tongue.title(one),
            value=element(shown),
            when=_when(tongue, found, one, window),
            quarter=element(now) if now is not None else "",
        )
        statements.append(Statement("", "", sentence + "."))
    return statements


def _tail(
    tongue: PublishedTongue, found: Publication, place: Place, headline: Sequence[Indicator]
) -> list[str]:
    said: list[str] = []
    main = [(one, found.main(place, one)) for one in headline]
    hidden = [one for one, shown in main if shown is not None and shown.flag == "c"]
    if main and not any(shown and shown.number is not None for _, shown in main):
        said.append(tongue("no_main_shown"))
    elif hidden:
        said.append(tongue("kept_back_here", titles=tongue.titles(hidden)))
    if found.quarter.plus(-4).label not in found.earlier:
        said.append(tongue("no_year_before"))
    if found.earlier:
        said.append(tongue("as_released", names=", ".join(found.earlier_names)))
    if found.has_open_returns:
        said.append(tongue("open_returns"))
    if tongue.language == "cy":
        said.append(tongue("welsh_wording"))
    return said


# --- tables --------------------------------------------------------------------------------------


def _row(
    tongue: PublishedTongue,
    found: Publication,
    place: Place,
    indicator: Indicator,
    windows: Iterable[str],
) -> Row:
    return Row(
        indicator_id=indicator.indicator_id,
        title=tongue.title(indicator),
        definition=indicator.definition[tongue.language],
        status=tongue.status(indicator.definition_status),
        status_note=indicator.status_note[tongue.language],
        values=[_value(tongue, found, place, indicator, window) for window in windows],
        against=_against(tongue, found, indicator, found.main(place, indicator)),
        spark=_spark(tongue, found, place, indicator) if indicator.is_headline else Markup(""),
    )


def _spark(
    tongue: PublishedTongue, found: Publication, place: Place, indicator: Indicator
) -> Markup:
    """The line of what was released, quarter by quarter; a gap where nothing may be shown."""
    first = found.quarter.plus(1 - QUARTERS_IN_A_ROW)
    quarters = [one.label for one in quarters_between(first, found.quarter.plus(-1))]
    # Like with like: the year to date grows through the year, and four quarters may be released
    # once a year only. Then single quarters are the longer line.
    lines = [
        [
            *((quarter, found.before(place, indicator, quarter, window)) for quarter in quarters),
            (found.quarter.label, found.get(place, indicator, window)),
        ]
        for window in (("quarter",) if indicator.is_stock else ("rolling_4", "quarter"))
    ]
    series = max(lines, key=lambda line: sum(shown is not None for _, shown in line))
    while series and series[0][1] is None:
        series.pop(0)
    if len(series) < 2:
        return Markup("")
    points = [
        SparkPoint(
            quarter,
            shown.written if shown else None,
            shown.text if shown else "",
            shown is None or "p" not in shown.notes,
        )
        for quarter, shown in series
    ]
    facts = "; ".join(
        f"{quarter}: {tongue(f'flag_{shown.flag}') if shown.flag else shown.text}"
        for quarter, shown in series
        if shown is not None
    )
    return Markup(sparkline(points, f"{tongue.title(indicator)}. {facts}."))


def _sides(
    tongue: PublishedTongue, found: Publication, place: Place, headline: Sequence[Indicator]
) -> list[Side]:
    """The place beside its members, its region and nation; never in the order of a figure."""
    region = found.region_of(place)
    around = [one for one in (region, found.nation) if one is not None and one != place]
    members = found.members_of(place)
    # Voluntary agencies return nothing on children: apart, in a table without those rows.
    groups = [[one for one in members if one.kind != "voluntary_agency"] + around]
    groups.append([one for one in members if one.kind == "voluntary_agency"])
    room = PLACES_IN_A_TABLE - 1
    sides = []
    for group in groups:
        for at in range(0, len(group), room):
            beside = [place, *group[at : at + room]]
            rows = [
                (
                    linked(one.indicator_id, tongue.title(one)),
                    [_beside(tongue, found, place, other, one) for other in beside],
                )
                for one in headline
                if any(found.main(other, one) for other in beside[1:])
            ]
            if rows:
                sides.append(Side([one.name[tongue.language] for one in beside], rows))
    return sides


def _beside(
    tongue: PublishedTongue,
    found: Publication,
    place: Place,
    other: Place,
    indicator: Indicator,
) -> Value | None:
    """The figure of another place in the window that the page's own place is shown in."""
    window = found.main_window(place, indicator)
    return _value(tongue, found, other, indicator, window) if window else None


def _missing(
    tongue: PublishedTongue, found: Publication, place: Place, declarations: Declarations
) -> Section | None:
    missing = found.missing_of(place)
    if not missing:
        return None
    return Section(
        intro=[tongue("missing_intro")],
        tables=[
            Table(
                caption=tongue("missing"),
                head=[tongue("sender"), tongue("return"), tongue("quarter"), tongue("status")],
                rows=[
                    [
                        found.places[one.sender_code].name[tongue.language],
                        getattr(declarations.returns[one.return_name].title, tongue.language),
                        one.quarter,
                        tongue.status(one.why),
                    ]
                    for one in missing
                ],
            )
        ],
    )


def _breaks(
    tongue: PublishedTongue, found: Publication, place: Place, indicators: Sequence[Indicator]
) -> Section:
    breaks = found.breaks_of(place, indicators)
    if not breaks:
        return Section(notes=[tongue("no_breaks")])
    there = [one.indicator_id for one in indicators]
    return Section(
        intro=[tongue("breaks_intro")],
        tables=[
            Table(
                caption=tongue("breaks"),
                head=[tongue("since"), tongue("concerns"), tongue("what"), tongue("status")],
                rows=[
                    [
                        one.since.label,
                        tongue("whole_place")
                        if "*" in one.indicator_ids
                        else ", ".join(code for code in there if code in one.indicator_ids),
                        _explained(one, tongue.language),
                        tongue.status(one.status),
                    ]
                    for one in breaks
                ],
            )
        ],
    )


def _explained(one: BreakInSeries, language: Language) -> str:
    if language == "cy":
        return f"{one.title_cy}. {one.explanation_cy}"
    return f"{one.title_en}. {one.explanation_en}"


# --- the frame -----------------------------------------------------------------------------------


def _on_every_sheet(found: Publication, place: Place, tongue: PublishedTongue, label: str) -> str:
    """What a sheet of paper says of itself once it has left the others."""
    sample = str(tongue("synthetic")).partition(".")[0] if found.is_synthetic else ""
    name = place.name[tongue.language]
    parts = (f"{tongue('title')}, {name}, {found.quarter}", label, sample)
    return " · ".join(str(part) for part in parts if part)
