"""The first half page: what moved, against what, and whether that can be told from chance."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.pack.book import Book, Comparison, Figure, Indicator, Place
from pipelines.pack.trends import Trend, signals
from pipelines.pack.words import Tongue

TOLD = ("better", "worse")
# Places this small get a warning of their own: below it one child is a tenth of every figure.
FEW_CASES = 10


@dataclass(frozen=True)
class Statement:
    """A sentence with the shape and the word that stand before it."""

    mark: str
    word: str
    text: str


@dataclass(frozen=True)
class Group:
    """Statements under a heading; ``note`` where there are none."""

    heading: str
    statements: list[Statement]
    note: str = ""


@dataclass(frozen=True)
class Headline:
    """A headline indicator at the place with everything said of it."""

    indicator: Indicator
    figure: Figure
    comparison: Comparison | None
    of_quarter: Comparison | None
    now: Figure | None


def headlines(
    tongue: Tongue, book: Book, place: Place, trends: dict[str, Trend | None]
) -> list[Group]:
    """Groups in the order in which a board asks."""
    found = _found(book, place)
    groups = [*_moved(tongue, found), *_benchmarks(tongue, found)]
    differing = [
        *_differing(tongue, found, "nation", book.nation.name[tongue.language]),
        *_differing(tongue, found, "region", _region_name(tongue, book, place)),
    ]
    if differing:
        groups.append(Group(tongue("differs"), differing))
    groups += _signals(tongue, book, trends)
    groups += _waiting(tongue, book, place)
    return groups


def returns_sentence(tongue: Tongue, book: Book, place: Place) -> Statement | None:
    """Whether all that was due is in the quarter's figures."""
    senders = set(book.senders.get(place.code, ()))
    due = [item for item in book.returns if item.sender_code in senders]
    if not due:
        return None
    lacking = sum(item.status not in ("accepted", "nil") for item in due)
    if lacking:
        return Statement(
            "warn", tongue("incomplete"), tongue("returns_some", lacking=lacking, due=len(due))
        )
    if len(due) == 1:
        return Statement("met", "", tongue("returns_one"))
    return Statement("met", "", tongue("returns_all", due=len(due)))


def is_small(book: Book, place: Place) -> bool:
    """Whether hardly anything here rests on ten cases or more."""
    cases = [item.figure.cases or 0 for item in _found(book, place)]
    return bool(cases) and max(cases) < FEW_CASES


def tail(tongue: Tongue, book: Book, place: Place) -> list[str]:
    """What did not move, and what nobody can say."""
    with_word = [
        (item.indicator, item.comparison.compared_with_previous)
        for item in _found(book, place)
        if item.comparison and item.comparison.compared_with_previous
    ]
    said = []
    for word, sentence in (("no different", "as_before"), ("too few to tell", "too_few")):
        titles = [indicator for indicator, compared in with_word if compared == word]
        if titles:
            said.append(tongue(sentence, titles=tongue.titles(titles)))
    return said


def before(tongue: Tongue, figure: Figure) -> str:
    """How far back the figure lies that shares no quarter with this one."""
    return tongue("three_years_before" if figure.window_name == "rolling_12" else "year_before")


def _found(book: Book, place: Place) -> list[Headline]:
    found = []
    for indicator in book.indicators.values():
        figure = book.main(place.code, indicator) if indicator.is_headline else None
        if figure is not None:
            key = (place.code, indicator.indicator_id)
            windows = book.now(place.code)[indicator.indicator_id]
            found.append(
                Headline(
                    indicator,
                    figure,
                    book.comparisons.get((*key, figure.window_name)),
                    book.comparisons.get((*key, "quarter")),
                    windows.get("quarter"),
                )
            )
    return found


def _moved(tongue: Tongue, found: list[Headline]) -> list[Group]:
    statements = []
    compared = False
    for item in found:
        one, title = item.comparison, tongue.title(item.indicator)
        if one is not None and one.previous_value is not None:
            compared = compared or one.compared_with_previous in (*TOLD, "no different")
            if one.compared_with_previous in TOLD:
                statements.append(
                    _statement(
                        tongue,
                        one.compared_with_previous,
                        tongue(
                            "said_before",
                            title=title,
                            value=f"{tongue.full(item.indicator, item.figure)} "
                            f"{tongue.when(item.indicator, item.figure)}",
                            before=before(tongue, item.figure),
                            previous=tongue.amount(item.indicator, one.previous_value),
                        ),
                    )
                )
        of_quarter = item.of_quarter
        if (
            of_quarter is not None
            and of_quarter.compared_with_last_four_quarters in TOLD
            and of_quarter.last_four_quarters_value is not None
            and item.now is not None
        ):
            statements.append(
                _statement(
                    tongue,
                    of_quarter.compared_with_last_four_quarters or "",
                    tongue(
                        "said_quarter",
                        title=title,
                        value=tongue.full(item.indicator, item.now),
                        previous=tongue.amount(item.indicator, of_quarter.last_four_quarters_value),
                    ),
                )
            )
    if not statements and not compared:
        return []
    note = "" if statements else tongue("moved_nothing")
    return [Group(tongue("moved"), statements, note)]


def _benchmarks(tongue: Tongue, found: list[Headline]) -> list[Group]:
    statements = []
    for item in found:
        figure = item.figure
        if figure.benchmark is None or figure.benchmark_met is None:
            continue
        met = figure.benchmark_met
        chance = chance_word(tongue, item.comparison)
        statements.append(
            Statement(
                "met" if met == "met" else "not_met",
                tongue(met) + (f", {chance}" if chance else ""),
                tongue(
                    "said_benchmark",
                    title=tongue.title(item.indicator),
                    value=tongue.full(item.indicator, figure),
                    when=tongue.when(item.indicator, figure),
                    benchmark=tongue.benchmark(item.indicator, figure.benchmark),
                ),
            )
        )
    return [Group(tongue("against_benchmarks"), statements)] if statements else []


def chance_word(tongue: Tongue, comparison: Comparison | None) -> str:
    """Whether the distance from the benchmark can be told from chance."""
    compared = comparison.compared_with_benchmark if comparison else None
    if compared is None:
        return ""
    if compared in TOLD:
        return tongue("clear")
    return tongue("chance" if compared == "no different" else "too few to tell")


def _differing(
    tongue: Tongue, found: list[Headline], other: str, name: str | None
) -> list[Statement]:
    statements = []
    for item in found:
        if item.comparison is None or name is None:
            continue
        compared = getattr(item.comparison, f"compared_with_{other}")
        theirs = getattr(item.comparison, f"{other}_value")
        if compared in TOLD and theirs is not None:
            statements.append(
                _statement(
                    tongue,
                    compared,
                    tongue(
                        "said_other",
                        title=tongue.title(item.indicator),
                        value=tongue.full(item.indicator, item.figure),
                        when=tongue.when(item.indicator, item.figure),
                        other=name,
                        theirs=tongue.amount(item.indicator, theirs),
                    ),
                )
            )
    return statements


def _signals(tongue: Tongue, book: Book, trends: dict[str, Trend | None]) -> list[Group]:
    quarter = book.quarter.label
    statements = []
    for found in trends.values():
        if found is None or not found.rules(quarter):
            continue
        kind = found.kind(quarter)
        statements.append(
            Statement(
                kind,
                tongue(f"signal_{kind}"),
                f"{tongue.title(found.indicator)}: {signals(tongue, found, quarter)}",
            )
        )
    return [Group(tongue("signals"), statements)] if statements else []


def _waiting(tongue: Tongue, book: Book, place: Place) -> list[Group]:
    known = [one for one in book.warnings.get(place.code, ()) if one.waiting is not None]
    if not known:
        return []
    if not any(one.waiting for one in known):
        return [Group(tongue("waiting_now"), [], tongue("said_none_waiting"))]
    statements = [
        Statement(
            "waiting",
            "",
            tongue(
                "said_waiting" if one.within_90 else "said_waiting_no_more",
                title=tongue.title(book.indicators[one.indicator_id]),
                waiting=one.waiting,
                day=tongue.day(book.quarter.last_day),
                past=one.past or tongue("none_of"),
                limit=tongue.limit(one.limit_value, one.limit_unit),
                soon=one.within_90,
            ),
        )
        # Of the clocks those whose indicator counts who waits; the others are of waits that ended.
        for one in known
        if one.waiting
        and one.indicator_id in book.indicators
        and book.indicators[one.indicator_id].is_stock
    ]
    return [Group(tongue("waiting_now"), statements)] if statements else []


def _statement(tongue: Tongue, compared: str, text: str) -> Statement:
    return Statement(compared, tongue(compared), text)


def _region_name(tongue: Tongue, book: Book, place: Place) -> str | None:
    region = book.region_of(place.code)
    return region.name[tongue.language] if region else None
