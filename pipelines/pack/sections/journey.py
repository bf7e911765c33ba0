"""From placement order to match: Kaplan-Meier curves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelines.pack import charts
from pipelines.pack.model import FEW_CASES, JourneyDay, PackPlace
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.page_parts import Picture, PlainTable, Section
from pipelines.pack.wording import Wording

# Each quarter of the first year, then each half year.
_DAYS_SHOWN = (0, 91, 182, 273, 364, 546, 728)
_DAYS_OF_A_YEAR = 365


def journey_section(wording: Wording, data: NationQuarter, place: PackPlace) -> Section | None:
    """The curve of the place; of an authority that of its region, since its own orders are few.

    None for voluntary agencies, which place no child, and where no curve was computed.
    """
    _ = wording.gettext
    if not data.journeys or place.kind == "voluntary_agency":
        return None
    whose = place
    intro = [
        _(
            "Of the children whose placement order was granted in the twelve quarters to "
            "{quarter}, the percentage not yet matched after a given number of days. Children "
            "still waiting are counted for as long as they were followed (Kaplan-Meier). The "
            "definition is proposed by this project."
        ).format(quarter=data.quarter.label)
    ]
    if place.kind == "authority":
        whose = data.region_of(place.code) or data.nation
        intro.append(
            _(
                "A single authority has too few orders for a curve of its own, so this one is for "
                "{place}."
            ).format(place=whose.name[wording.language])
        )
    name = whose.name[wording.language]
    days = data.journeys.get(whose.code, [])
    if not days:
        sentence = _("No placement order was granted in {place} in the twelve quarters.")
        return Section(notes=[sentence.format(place=name)])
    if days[0].children < FEW_CASES:
        sentence = _(
            "Fewer than ten placement orders in {place} in the twelve quarters, so no curve is "
            "drawn."
        )
        return Section(notes=[sentence.format(place=name)])
    curves = [charts.Curve(_steps(days), is_own=True)]
    note = _(
        "Horizontal axis: days since the placement order. Vertical axis: percentage not matched. "
        "Shaded band: 95% confidence interval."
    )
    nation_days = data.journeys.get(data.nation_code, [])
    if whose.code != data.nation_code and nation_days:
        curves.append(charts.Curve(_steps(nation_days), is_own=False))
        key = _("dashed: {place}").format(place=data.nation.name[wording.language])
        note += " " + _("Key: {key}.").format(key=key)
    notes = [note]
    accepted, expected = days[0].returns_accepted, days[0].returns_expected
    if accepted < expected:
        sentence = _(
            "{accepted} of the {expected} returns for these quarters are included in the curve."
        )
        notes.append(sentence.format(accepted=accepted, expected=expected))
    return Section(
        intro=intro,
        pictures=[_picture(wording, name, curves, _facts(wording, days))],
        tables=[_table(wording, name, days)],
        notes=notes,
    )


def _picture(wording: Wording, name: str, curves: Sequence[charts.Curve], facts: str) -> Picture:
    _ = wording.gettext
    return Picture(
        title=name,
        unit=_("Not matched") + ", %",
        source=charts.journey(curves),
        alt=_(
            "Curve of the percentage of children not matched by days since the placement order, "
            "{place}. {facts}"
        ).format(place=name, facts=facts),
        caption=facts,
    )


def _table(wording: Wording, name: str, days: Sequence[JourneyDay]) -> PlainTable:
    _ = wording.gettext
    rows = []
    for day in (day for day in _DAYS_SHOWN if day <= days[-1].days):
        at_risk = next((step.at_risk for step in days if step.days >= day), 0)
        waiting, low, high = _waiting_after(days, day)
        interval = ""
        if low is not None and high is not None:
            interval = wording.range(_percent(low), _percent(high))
        rows.append([str(day), f"{at_risk:,}", _percent(waiting), interval])
    return PlainTable(
        caption=_("Children waiting, {place}").format(place=name),
        head=[_("Days"), _("Still waiting then"), _("Not matched"), _("95% confidence interval")],
        rows=rows,
        numeric=frozenset({1, 2, 3}),
    )


def _facts(wording: Wording, days: Sequence[JourneyDay]) -> str:
    """The median, and what became of the children."""
    _ = wording.gettext
    last = days[-1]
    if last.median is None:
        median = _("Fewer than half have been matched so far.")
    elif last.median_lower is None:
        median = _("Half were matched within {median} days.")
    elif last.median_upper is None:
        median = _(
            "Half were matched within {median} days (95% confidence interval from {low}, no upper "
            "bound yet)."
        )
    else:
        median = _(
            "Half were matched within {median} days (95% confidence interval {low} to {high})."
        )
    children = _(
        "{children} children. After a year {waiting} had not been matched; by the end {left} had "
        "left without a match."
    )
    return " ".join(
        [
            median.format(median=last.median, low=last.median_lower, high=last.median_upper),
            children.format(
                children=f"{last.children:,}",
                waiting=_percent(_waiting_after(days, _DAYS_OF_A_YEAR)[0]),
                left=_percent(last.left_by_then),
            ),
        ]
    )


def _steps(days: Iterable[JourneyDay]) -> list[charts.Step]:
    """Of a curve, from day 0, when every child waits."""
    steps = [(day.days, day.waiting, day.waiting_lower, day.waiting_upper) for day in days]
    return steps if steps and steps[0][0] == 0 else [(0, 1.0, None, None), *steps]


def _waiting_after(days: Sequence[JourneyDay], at: int) -> tuple[float, float | None, float | None]:
    """Share not matched once that many days have passed, with its bounds."""
    past = [day for day in days if day.days <= at]
    if not past:
        return 1.0, None, None
    return past[-1].waiting, past[-1].waiting_lower, past[-1].waiting_upper


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
