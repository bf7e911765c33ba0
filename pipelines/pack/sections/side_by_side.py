"""A place beside its members, its region and its nation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.pack.model import CLEAR_DIFFERENCES, PackIndicator, PackPlace
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.page_parts import PLACES_IN_A_TABLE, FigureCell, Remark
from pipelines.pack.sections.indicator_table import linked_title
from pipelines.pack.wording import Wording


@dataclass(frozen=True)
class SideBySide:
    """A table of places side by side.

    ``places`` are names with a warning or an empty string; a row is a title and, for each place, a
    cell and a remark on it.
    """

    places: list[tuple[str, str]]
    rows: list[tuple[str, list[tuple[FigureCell | None, Remark | None]]]]


def side_by_side_tables(
    wording: Wording, data: NationQuarter, place: PackPlace
) -> list[SideBySide]:
    """The place, its members, its region and nation: one column each, in as many tables as fit."""
    around = [
        member for member in (data.region_of(place.code), data.nation) if member and member != place
    ]
    members = [] if place.kind == "authority" else data.members_of(place)
    # Voluntary agencies return nothing on children: apart, in a table without those rows.
    groups = [
        [member for member in members if member.kind != "voluntary_agency"] + around,
        [member for member in members if member.kind == "voluntary_agency"],
    ]
    headlines = [
        indicator
        for indicator in data.indicators.values()
        if indicator.is_headline and indicator.indicator_id in data.now(place.code)
    ]
    if not headlines:
        return []
    room = PLACES_IN_A_TABLE - 1
    return [
        _table(wording, data, place, group[at : at + room], headlines)
        for group in groups
        for at in range(0, len(group), room)
    ]


def _table(
    wording: Wording,
    data: NationQuarter,
    place: PackPlace,
    others: list[PackPlace],
    headlines: list[PackIndicator],
) -> SideBySide:
    columns = [place, *others]
    return SideBySide(
        places=[
            (column.name[wording.language], _missing(wording, data, column, headlines))
            for column in columns
        ],
        rows=[
            (
                linked_title(wording, data, place, indicator),
                [_cell(wording, data, column, indicator) for column in columns],
            )
            for indicator in headlines
            if any(data.main(column.code, indicator) for column in others)
        ],
    )


def _cell(
    wording: Wording, data: NationQuarter, place: PackPlace, indicator: PackIndicator
) -> tuple[FigureCell | None, Remark | None]:
    figure = data.main(place.code, indicator)
    if figure is None:
        return None, None
    comparison = data.comparisons.get((place.code, indicator.indicator_id, figure.window_name))
    compared = comparison.compared_with_nation if comparison else None
    remark = None
    if compared in CLEAR_DIFFERENCES:
        remark = Remark(compared, wording.comparison(compared), "")
    cell = FigureCell(
        value=wording.shown(indicator, figure),
        based_on=wording.based_on(indicator, figure),
        warning=wording.missing(figure),
    )
    return cell, remark


def _missing(
    wording: Wording, data: NationQuarter, place: PackPlace, indicators: Iterable[PackIndicator]
) -> str:
    """What most figures of a column are missing, shown once at its head."""
    warnings = [
        wording.missing(figure)
        for indicator in indicators
        if (figure := data.main(place.code, indicator)) and not figure.is_complete
    ]
    return max(warnings, key=warnings.count) if warnings else ""
