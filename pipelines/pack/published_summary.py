"""The summary of a publishable page: benchmarks, the year before, and counts of the period."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.pack.model import PackIndicator, PackPlace
from pipelines.pack.page_parts import Statement, StatementGroup
from pipelines.pack.published_figures import amount, benchmark_result, element, filled
from pipelines.pack.published_release import PublishedRelease
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
        StatementGroup(
            _("Compared with benchmarks"), _benchmarks(wording, release, place, headlines)
        ),
        StatementGroup(
            _("Compared with a year earlier"), _year_before(wording, release, place, headlines)
        ),
        StatementGroup(_("The period in figures"), _counts(wording, release, place, headlines)),
    ]
    return [group for group in groups if group.statements]


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


def _benchmarks(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    headlines: Sequence[PackIndicator],
) -> list[Statement]:
    _ = wording.gettext
    statements = []
    for indicator in headlines:
        figure, window = release.main(place, indicator), release.main_window(place, indicator)
        result = benchmark_result(wording, release, indicator, figure)
        if figure and window and result and result.word:
            text = filled(
                _("{title}: {value} {when} (benchmark: {benchmark})."),
                title=wording.title(indicator),
                value=amount(wording, indicator, figure),
                when=wording.period(indicator, release.quarter, window),
                benchmark=result.benchmark,
            )
            statements.append(Statement("met" if result.is_met else "not_met", result.word, text))
    return statements


def _year_before(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    headlines: Sequence[PackIndicator],
) -> list[Statement]:
    """Both numbers as they were released. A break in series between them: neither."""
    _ = wording.gettext
    quarter = release.quarter.plus(-4).label
    statements = []
    for indicator in headlines:
        figure, window = release.main(place, indicator), release.main_window(place, indicator)
        # Three years share two with those of a year before: hardly a change would be seen.
        if figure is None or window is None or window == "rolling_12":
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
        statements.append(Statement("", "", text))
    return statements


def _counts(
    wording: Wording,
    release: PublishedRelease,
    place: PackPlace,
    headlines: Sequence[PackIndicator],
) -> list[Statement]:
    """How much of everything there was; means and percentages have benchmarks instead."""
    _ = wording.gettext
    statements = []
    for indicator in headlines:
        figure, window = release.main(place, indicator), release.main_window(place, indicator)
        if figure is None or window is None or figure.number is None:
            continue
        if indicator.unit in ("percent", "months", "days"):
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
        statements.append(Statement("", "", text))
    return statements
