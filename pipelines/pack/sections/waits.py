"""How long completed waits took: middle half, median and mean."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.pack import charts
from pipelines.pack.model import FEW_CASES, PackIndicator, PackPlace, WaitDistribution
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.page_parts import Picture, Section
from pipelines.pack.wording import Wording, capital, uncapital


@dataclass(frozen=True)
class _Wait:
    """A row of a picture: whose waits of which window, and its four numbers."""

    place: PackPlace
    window_name: str
    distribution: WaitDistribution
    low: float
    median: float
    high: float
    mean: float


def waits_section(wording: Wording, data: NationQuarter, place: PackPlace) -> Section | None:
    """What lies behind the means: middle half, median and mean, beside region and nation."""
    _ = wording.gettext
    headlines = [
        indicator
        for indicator in data.indicators.values()
        if indicator.is_headline
        and indicator.unit in ("months", "days")
        and indicator.indicator_id in data.now(place.code)
    ]
    if not headlines or not data.distributions:
        return None
    pictures = [
        picture
        for headline in headlines
        if (picture := _picture(wording, data, place, headline)) is not None
    ]
    if not pictures:
        return Section(notes=[_("No waits ended here in the quarters covered.")])
    return Section(
        intro=[
            _(
                "Completed waits only. The box shows the middle half of the waits, the line in it "
                "is the median and the diamond is the mean. A mean well above the median reflects "
                "a few long waits."
            )
        ],
        pictures=pictures,
    )


def _picture(
    wording: Wording, data: NationQuarter, place: PackPlace, indicator: PackIndicator
) -> Picture | None:
    """None where no wait of the place itself ended in any window."""
    _ = wording.gettext
    main = data.main(place.code, indicator)
    if main is None:
        return None
    region = data.region_of(place.code)
    rows = [(place, window) for window in ("quarter", "rolling_4", "rolling_12")]
    rows += [
        (compared, main.window_name)
        for compared in (region, data.nation)
        if compared and compared != place
    ]
    waits = [
        wait
        for compared, window in rows
        if (wait := _wait(data, compared, window, indicator)) is not None
    ]
    if not any(wait.place == place for wait in waits):
        return None
    facts = [
        _fact(wording, indicator, wait)
        for number, wait in enumerate(waits)
        # Of the place itself two windows; a third says little more to who listens.
        if number < 2 or wait.place != place
    ]
    caption = []
    if main.benchmark is not None:
        benchmark = wording.benchmark(indicator, main.benchmark)
        caption.append(_("Dashed line: benchmark, {benchmark}.").format(benchmark=benchmark))
    if any(wait.distribution.cases < FEW_CASES for wait in waits):
        caption.append(
            _(
                "A box based on fewer than ten cases says little; the number of cases is in "
                "brackets."
            )
        )
    title = wording.title(indicator)
    return Picture(
        title=f"{indicator.indicator_id} {title}",
        unit=wording.unit(indicator),
        source=charts.waits([_box(wording, place, region, wait) for wait in waits], main.benchmark),
        alt=_("Box plot of {title}, {unit}. {facts}").format(
            title=title, unit=wording.unit(indicator), facts=" ".join(facts)
        ),
        caption=" ".join(caption),
        head=[_("Place and period"), _("Cases"), _("Median"), _("Middle half"), _("Mean")],
        rows=[_row(wording, indicator, wait) for wait in waits],
        definition_of=indicator.indicator_id,
        status=wording.definition_status(indicator.definition_status),
    )


def _wait(
    data: NationQuarter, place: PackPlace, window_name: str, indicator: PackIndicator
) -> _Wait | None:
    """None where there was no wait, or one of its four numbers is missing."""
    spread = data.distributions.get((place.code, indicator.indicator_id, window_name))
    if spread is None or spread.mean is None or spread.median is None:
        return None
    if spread.lower_quartile is None or spread.upper_quartile is None:
        return None
    return _Wait(
        place,
        window_name,
        spread,
        low=spread.lower_quartile,
        median=spread.median,
        high=spread.upper_quartile,
        mean=spread.mean,
    )


def _box(wording: Wording, place: PackPlace, region: PackPlace | None, wait: _Wait) -> charts.Box:
    """Names of regions are long: the picture says region, the table says which."""
    _ = wording.gettext
    label = wording.window(wait.window_name)
    if wait.place != place:
        name = _("region") if wait.place == region else wait.place.name[wording.language]
        label = f"{capital(name)}, {uncapital(label)}"
    return charts.Box(
        f"{label} ({wait.distribution.cases:,})",
        wait.low,
        wait.median,
        wait.high,
        wait.mean,
        is_own=wait.place == place,
    )


def _fact(wording: Wording, indicator: PackIndicator, wait: _Wait) -> str:
    return wording.gettext(
        "{who}: median {median}, middle half {low} to {high}, mean {mean}, {cases} cases."
    ).format(
        who=_who(wording, wait),
        median=wording.number(indicator, wait.median),
        low=wording.number(indicator, wait.low),
        high=wording.number(indicator, wait.high),
        mean=wording.number(indicator, wait.mean),
        cases=f"{wait.distribution.cases:,}",
    )


def _row(wording: Wording, indicator: PackIndicator, wait: _Wait) -> list[str]:
    spread = wait.distribution
    return [
        _who(wording, wait),
        f"{spread.cases:,}",
        wording.number(indicator, wait.median)
        + _bounds(wording, indicator, spread.median_lower, spread.median_upper),
        wording.interval(indicator, wait.low, wait.high),
        wording.number(indicator, wait.mean)
        + _bounds(wording, indicator, spread.mean_lower, spread.mean_upper),
    ]


def _who(wording: Wording, wait: _Wait) -> str:
    """``Cardiff, last four quarters``."""
    return f"{wait.place.name[wording.language]}, {uncapital(wording.window(wait.window_name))}"


def _bounds(
    wording: Wording, indicator: PackIndicator, low: float | None, high: float | None
) -> str:
    if low is None or high is None:
        return ""
    return f" ({wording.interval(indicator, low, high)})"
