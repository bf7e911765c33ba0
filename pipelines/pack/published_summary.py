"""The summary of a publishable page: benchmarks, the year before, and counts of the period."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.pack.model import PackIndicator, PackPlace
from pipelines.pack.page_parts import Statement, StatementGroup
from pipelines.pack.published_figures import amount, benchmark_result, element, filled
from pipelines.pack.published_release import PublishedFigure, PublishedRelease
from pipelines.pack.wording import Wording


def returns_sentence(wording: Wording, release: PublishedRelease, place: PackPlace) -> Statement:
    """Whether every return that was due is in; never how many, which would be no figure."""
    _ = wording.gettext
    if any(
        missing_return.quarter == release.quarter.label
        for missing_return in release.missing_of(place)
    ):
        sentence = _(
            "Some returns due for the quarter are not included in these figures, so a change may "
            "not be a change in performance."
        )
        return Statement("warn", _("returns missing"), sentence)
    return Statement("met", "", _("All returns due for the quarter are included in these figures."))


def summary(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    headlines: Sequence[PackIndicator],
) -> list[StatementGroup]:
    """Groups of statements in the order in which a board asks; none that would be empty."""
    _ = wording.gettext
    groups = [
        (_("Compared with benchmarks"), _benchmarks),
        (_("Compared with a year earlier"), _year_before),
        (_("The period in figures"), _counts),
    ]
    found = [
        StatementGroup(title, list(statements(wording, release, place, headlines)))
        for title, statements in groups
    ]
    return [group for group in found if group.statements]


def tail(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    headlines: Sequence[PackIndicator],
) -> list[str]:
    """What is not shown and why, and what to know of the figures that are."""
    _ = wording.gettext
    sentences: list[str] = []
    main = {indicator: release.main(place, indicator) for indicator in headlines}
    suppressed = [indicator for indicator, figure in main.items() if figure and figure.flag == "c"]
    if main and not any(figure and figure.number is not None for figure in main.values()):
        sentences.append(_("No headline figure can be shown for this place for the quarter."))
    elif suppressed:
        sentence = _("Suppressed to protect people: {titles}.")
        sentences.append(sentence.format(titles=wording.titles(suppressed)))
    return sentences + _on_earlier_quarters(wording, release)


def _on_earlier_quarters(wording: Wording, release: PublishedRelease) -> list[str]:
    _ = wording.gettext
    sentences = []
    if release.quarter.plus(-4).label not in release.earlier:
        sentences.append(
            _(
                "The same quarter of the previous year was never released, so there is no "
                "comparison with it."
            )
        )
    if release.earlier:
        sentences.append(
            _("Figures for earlier quarters are as released at the time: {names}.").format(
                names=", ".join(release.earlier_names)
            )
        )
    if release.has_open_returns:
        sentences.append(
            _(
                "These figures include returns that the national team has not yet accepted: not "
                "signed off, with open queries, or with rows set aside."
            )
        )
    if wording.language == "cy":
        sentences.append(_("The Welsh wording is awaiting review by a translator."))
    return sentences


def _released(
    release: PublishedRelease, place: PackPlace, headlines: Sequence[PackIndicator]
) -> Iterator[tuple[PackIndicator, PublishedFigure, str]]:
    """Headlines of which the release has a figure at the place, with its main window."""
    for indicator in headlines:
        figure, window = release.main(place, indicator), release.main_window(place, indicator)
        if figure is not None and window is not None:
            yield indicator, figure, window


def _benchmarks(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    headlines: Sequence[PackIndicator],
) -> Iterator[Statement]:
    _ = wording.gettext
    for indicator, figure, window in _released(release, place, headlines):
        result = benchmark_result(wording, release, indicator, figure)
        if result and result.word:
            text = filled(
                _("{title}: {value} {when} (benchmark: {benchmark})."),
                title=wording.title(indicator),
                value=amount(wording, indicator, figure),
                when=wording.period(indicator, release.quarter, window),
                benchmark=result.benchmark,
            )
            yield Statement("met" if result.is_met else "not_met", result.word, text)


def _year_before(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    headlines: Sequence[PackIndicator],
) -> Iterator[Statement]:
    """Both numbers as they were released. A break in series between them: neither."""
    _ = wording.gettext
    quarter = release.quarter.plus(-4).label
    for indicator, figure, window in _released(release, place, headlines):
        # Three years share two with those of a year before: hardly a change would be seen.
        if window == "rolling_12":
            continue
        previous = release.before(place, indicator, quarter, window)
        if previous is None or previous.number is None:
            continue
        if figure.number is None or "b" in figure.notes:
            continue
        text = filled(
            _("{title}: {value} {when}, compared with {previous} for {quarter}."),
            title=wording.title(indicator),
            value=amount(wording, indicator, figure),
            when=wording.period(indicator, release.quarter, window),
            quarter=quarter,
            previous=amount(wording, indicator, previous),
        )
        yield Statement("", "", text)


def _counts(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    headlines: Sequence[PackIndicator],
) -> Iterator[Statement]:
    """How much of everything there was; means and percentages have benchmarks instead."""
    _ = wording.gettext
    for indicator, figure, window in _released(release, place, headlines):
        if figure.number is None or indicator.unit in ("percent", "months", "days"):
            continue
        of_quarter = None if window == "quarter" else release.get(place, indicator, "quarter")
        sentence, quarter_element = _("{title}: {value} {when}."), ""
        if of_quarter is not None and of_quarter.number is not None:
            sentence = _("{title}: {value} {when}, {quarter} of them in the quarter.")
            quarter_element = element(of_quarter)
        text = filled(
            sentence,
            title=wording.title(indicator),
            value=element(figure),
            when=wording.period(indicator, release.quarter, window),
            quarter=quarter_element,
        )
        yield Statement("", "", text)
