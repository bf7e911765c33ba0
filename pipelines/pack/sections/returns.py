"""Returns that were due, and breaks in series."""

from __future__ import annotations

from collections import defaultdict

from pipelines.declarations import Declarations
from pipelines.pack.model import PackPlace, SeriesBreak
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.page_parts import PlainTable, Section
from pipelines.pack.wording import Wording


def returns_section(
    wording: Wording, data: NationQuarter, place: PackPlace, declarations: Declarations
) -> Section:
    """Every return due from the place and its members.

    Of a nation (England has hundreds) only those that are late, not accepted or have rows set
    aside.
    """
    _ = wording.gettext
    listed = data.returns_of(place)
    if not listed:
        return Section(notes=[_("No return was due from this place.")])
    caption = _("Returns due for {quarter}")
    if place.kind == "nation":
        listed = [
            item
            for item in listed
            if item.status not in ("accepted", "nil") or item.rows_quarantined or item.is_late
        ]
        caption = _("Returns for {quarter} that are late, not accepted or have rows set aside")
    rows = []
    for item in listed:
        status = wording.return_status(item.status)
        if item.is_late:
            status += ", " + _("late")
        rows.append(
            [
                data.places[item.sender_code].name[wording.language],
                getattr(declarations.returns[item.return_name].title, wording.language),
                status,
                f"{item.rows_accepted:,}",
                f"{item.rows_quarantined:,}",
                f"{item.queries:,}",
            ]
        )
    table = PlainTable(
        caption=caption.format(quarter=data.quarter.label),
        head=[
            _("Authority or agency"),
            _("Return"),
            _("Status"),
            _("Rows accepted"),
            _("Rows set aside"),
            _("Queries"),
        ],
        rows=rows,
        numeric=frozenset({3, 4, 5}),
    )
    note = _(
        "Rows set aside contain an error and are not included in any figure until they are "
        "corrected."
    )
    return Section(
        tables=[table] if listed else [],
        notes=[note] if any(item.rows_quarantined for item in listed) else [],
    )


def breaks_section(wording: Wording, data: NationQuarter, place: PackPlace) -> Section:
    """From when on what is no longer comparable, within the quarters shown."""
    _ = wording.gettext
    # One row for a break, however many indicators it concerns.
    alike: dict[tuple[str, str, str], list[SeriesBreak]] = defaultdict(list)
    for series_break in data.breaks_of(place.code, data.now(place.code)):
        alike[series_break.since, series_break.title.en, series_break.place_code].append(
            series_break
        )
    if not alike:
        return Section(notes=[_("There are no known breaks in series in the quarters shown.")])
    rows = []
    for breaks in alike.values():
        codes = [series_break.indicator_id for series_break in breaks]
        last = breaks[-1]
        rows.append(
            [
                last.since,
                _("all indicators") if "*" in codes else ", ".join(codes),
                f"{last.title[wording.language]}. {last.explanation[wording.language]}",
                wording.definition_status(last.status),
            ]
        )
    return Section(
        intro=[_("From these quarters onwards, figures are not comparable with earlier ones.")],
        tables=[
            PlainTable(
                caption=_("Breaks in series"),
                head=[_("From"), _("Affects"), _("What changed"), _("Status")],
                rows=rows,
            )
        ],
    )
