"""A released figure on a publishable page: as an element, in words, and against its benchmark.

Every number of a figure stands in an element with ``data-figure``, the row of the release that it
comes from; what a page says besides is made from shown numbers and flags alone. ``PublishedFigure``
holds nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from pipelines.pack.model import PackIndicator, PackPlace
from pipelines.pack.published_release import PublishedFigure, PublishedRelease
from pipelines.pack.wording import Wording
from pipelines.text.catalogue import N_

# In short, under the symbol; the whole meaning of each is at the end of the page.
FLAG_WORDS = {
    "c": N_("suppressed"),
    "x": N_("not available"),
    "z": N_("not applicable"),
    "low": N_("rounds to zero"),
}
NOTE_WORDS = {
    "p": N_("provisional"),
    "r": N_("revised"),
    "b": N_("break in series"),
}


@dataclass(frozen=True)
class PublishedValue:
    """A figure in a cell: its element, its flag in words, what it is based on, notes on it."""

    element: Markup
    flag: str
    based_on: Markup
    notes: list[str]


@dataclass(frozen=True)
class BenchmarkResult:
    """A benchmark in words; ``word`` is empty where the figure is not shown."""

    benchmark: str
    word: str = ""
    is_met: bool = False


def filled(sentence: str, **values: object) -> Markup:
    """A translated sentence with figures in it; values that are not markup are escaped."""
    return Markup(sentence).format(**values)


def element(figure: PublishedFigure, unit: str = "") -> Markup:
    """The figure as readers see it, in an element that says which row of the release it is."""
    text = figure.text + ("%" if unit == "percent" and figure.number is not None else "")
    return Markup('<span data-figure="{}">{}</span>').format(figure.key, text)


def amount(wording: Wording, indicator: PackIndicator, figure: PublishedFigure) -> Markup:
    """With the unit, where the title does not say it."""
    if indicator.unit not in ("months", "days") or figure.number is None:
        return element(figure, indicator.unit)
    _ = wording.gettext
    sentences = {"months": _("{value} months"), "days": _("{value} days")}
    return filled(sentences[indicator.unit], value=element(figure))


def value(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    indicator: PackIndicator,
    window: str,
) -> PublishedValue | None:
    """None where the release has no such row."""
    _ = wording.gettext
    figure = release.get(place, indicator, window)
    if figure is None:
        return None
    return PublishedValue(
        element=amount(wording, indicator, figure),
        flag=_(FLAG_WORDS[figure.flag]) if figure.flag else "",
        based_on=_based_on(wording, release, place, indicator, window),
        notes=[_(NOTE_WORDS[code]) for code in figure.notes],
    )


def benchmark_result(
    wording: Wording,
    release: PublishedRelease,
    indicator: PackIndicator,
    figure: PublishedFigure | None,
) -> BenchmarkResult | None:
    """Met or not by the number that readers have: the unrounded one would say more than it."""
    benchmark = release.benchmarks.get(indicator.indicator_id)
    if benchmark is None:
        return None
    words = wording.benchmark(indicator, benchmark)
    if figure is None or figure.written is None or indicator.direction == "context":
        return BenchmarkResult(words)
    is_met = (
        figure.written >= benchmark
        if indicator.direction == "higher"
        else figure.written <= benchmark
    )
    return BenchmarkResult(words, wording.comparison("met" if is_met else "not met"), is_met)


def _based_on(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    indicator: PackIndicator,
    window: str,
) -> Markup:
    """``52 of 87``, ``mean of 23``; nothing where no part of it is shown, or it is zero."""
    _ = wording.gettext
    denominator = release.get(place, indicator, window, "denominator")
    numerator = release.get(place, indicator, window, "numerator")
    if denominator is None or not denominator.number:
        return Markup("")
    if numerator is None:
        return filled(_("mean of {count}"), count=element(denominator))
    return filled(
        _("{numerator} of {denominator}"),
        numerator=element(numerator),
        denominator=element(denominator),
    )
