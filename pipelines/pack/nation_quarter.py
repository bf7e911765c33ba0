"""What the packs of one nation and quarter are made from, read once for all of its places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.pack.edition import FIGURE_COLUMNS, Edition, first_shown
from pipelines.pack.model import (
    MAIN_WINDOWS,
    REGION_KINDS,
    Bilingual,
    Comparison,
    DueReturn,
    EarlyWarning,
    IndicatorFigure,
    JourneyDay,
    PackIndicator,
    PackPlace,
    SeriesBreak,
    WaitDistribution,
    published_order,
)
from pipelines.quarters import Quarter, quarters_between

if TYPE_CHECKING:
    import duckdb

QueryRows = list[tuple[Any, ...]]


class NationQuarter:
    """Everything of one nation's quarter, by place.

    Figures, comparisons and the rest are read when it is made; nothing is read afterwards, so the
    connection may be closed then.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        edition: Edition,
        nation_code: str,
        quarter: Quarter,
    ) -> None:
        self.edition, self.nation_code, self.quarter = edition, nation_code, quarter
        rows = _reader(connection, nation_code, quarter)
        self.is_synthetic = holds_samples(connection)
        self.last_quarter = rows("select max(quarter) from marts.dim_quarter")[0][0]
        self.places = {
            code: PackPlace(code, Bilingual(en, cy), kind, nation)
            for code, en, cy, kind, nation in rows(_PLACES)
        }
        self.figures: dict[str, dict[str, dict[tuple[str, str], IndicatorFigure]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        for row in edition.figures.select(*FIGURE_COLUMNS).iter_rows():
            figure = IndicatorFigure(*row)
            key = (figure.window_name, figure.quarter)
            self.figures[figure.place_code][figure.indicator_id][key] = figure
        self._now: dict[str, dict[str, dict[str, IndicatorFigure]]] = {}
        self.indicators = self._with_figures(rows(_INDICATORS))
        self.senders, self.regions = self._tree(rows(_TREE))
        self.breaks = [
            SeriesBreak(code, place, since, Bilingual(en, cy), Bilingual(why_en, why_cy), status)
            for code, place, since, en, cy, why_en, why_cy, status in rows(_BREAKS)
        ]
        self.comparisons = {
            (item.place_code, item.indicator_id, item.window_name): item
            for item in (Comparison(*row) for row in rows(_COMPARISONS))
        }
        self.intervals = {row[:3]: row[3:] for row in rows(_INTERVALS)}
        self.early_warnings = _by_place(EarlyWarning(*row) for row in rows(_WARNINGS))
        self.journeys = _by_place(JourneyDay(*row) for row in rows(_JOURNEYS))
        self.distributions = {
            (item.place_code, item.indicator_id, item.window_name): item
            for item in (WaitDistribution(*row) for row in rows(_DISTRIBUTIONS))
        }
        self.returns = [DueReturn(*row) for row in rows(_RETURNS)]

    @cached_property
    def quarters(self) -> list[str]:
        """Labels of the quarters a trend covers, none left out, oldest first."""
        with_figure = [
            quarter
            for of_place in self.figures.values()
            for of_indicator in of_place.values()
            for _, quarter in of_indicator
        ]
        first = max(min(with_figure, default=self.quarter.label), first_shown(self.quarter))
        return [each.label for each in quarters_between(Quarter.parse(first), self.quarter)]

    @property
    def nation(self) -> PackPlace:
        return self.places[self.nation_code]

    def region_of(self, place_code: str) -> PackPlace | None:
        """The region or agency a place belongs to on the quarter's last day."""
        code = self.regions.get(place_code)
        return self.places[code] if code else None

    def members_of(self, place: PackPlace) -> list[PackPlace]:
        """Of a nation its regions and agencies, of a region its authorities; by English name."""
        if place.kind == "nation":
            kinds = (*REGION_KINDS, "voluntary_agency")
            members = [member for member in self.places.values() if member.kind in kinds]
        else:
            members = [
                self.places[code]
                for code in self.senders.get(place.code, ())
                if code != place.code and code in self.places
            ]
        with_figures = [member for member in members if self.now(member.code)]
        return sorted(with_figures, key=lambda member: (member.kind, member.name.en))

    def returns_of(self, place: PackPlace) -> list[DueReturn]:
        """Returns that were due for the quarter from the place or its members."""
        senders = set(self.senders.get(place.code, ()))
        return [item for item in self.returns if item.sender_code in senders]

    def now(self, place_code: str) -> dict[str, dict[str, IndicatorFigure]]:
        """Figures of the quarter at a place: by indicator, then window."""
        if place_code not in self._now:
            self._now[place_code] = {
                indicator_id: windows
                for indicator_id in self.indicators
                if (windows := self._in_the_quarter(place_code, indicator_id))
            }
        return self._now[place_code]

    def _in_the_quarter(self, place_code: str, indicator_id: str) -> dict[str, IndicatorFigure]:
        of_indicator = self.figures.get(place_code, {}).get(indicator_id, {})
        return {
            window: figure
            for (window, quarter), figure in of_indicator.items()
            if quarter == self.quarter.label
        }

    def main(self, place_code: str, indicator: PackIndicator) -> IndicatorFigure | None:
        """The figure that is compared: a stock as it stands, a flow over four quarters."""
        windows = self.now(place_code).get(indicator.indicator_id, {})
        if indicator.is_stock:
            return windows.get("quarter")
        return next((windows[name] for name in MAIN_WINDOWS if name in windows), None)

    def series(
        self, place_code: str, indicator_id: str
    ) -> tuple[str, list[IndicatorFigure | None]]:
        """The window whose past is shown, and its figures in the order of ``quarters``."""
        of_indicator = self.figures.get(place_code, {}).get(indicator_id, {})
        window = "quarter" if any(name == "quarter" for name, _ in of_indicator) else "rolling_12"
        return window, [of_indicator.get((window, quarter)) for quarter in self.quarters]

    def passes_a_hundred(self, indicator_id: str) -> bool:
        """Whether it is a ratio of two counts and no share of one: somewhere it exceeds 100%."""
        return any(
            (figure.numerator or 0) > (figure.denominator or 0)
            for of_place in self.figures.values()
            for figure in of_place.get(indicator_id, {}).values()
        )

    def breaks_of(self, place_code: str, indicator_ids: Iterable[str]) -> list[SeriesBreak]:
        """Breaks of these indicators or of the place itself within the quarters shown."""
        codes = {*indicator_ids, "*"}
        return [
            series_break
            for series_break in self.breaks
            if series_break.indicator_id in codes
            and series_break.place_code in (place_code, "*")
            and self.quarters[0] < series_break.since <= self.quarter.label
        ]

    def _with_figures(self, rows: QueryRows) -> dict[str, PackIndicator]:
        """Indicators that have a figure at some place, in their published order."""
        with_figures = {code for of_place in self.figures.values() for code in of_place}
        indicators = [
            PackIndicator(
                row[0], Bilingual(*row[1:3]), Bilingual(*row[3:5]), Bilingual(*row[5:7]), *row[7:]
            )
            for row in rows
            if row[0] in with_figures
        ]
        return {
            indicator.indicator_id: indicator
            for indicator in sorted(indicators, key=published_order)
        }

    def _tree(self, rows: QueryRows) -> tuple[Mapping[str, list[str]], dict[str, str]]:
        """Senders of each place, itself among them; and the region or agency of each sender.

        Where a sender belongs to two regions, the first by code is its region.
        """
        senders: dict[str, list[str]] = defaultdict(list)
        regions: dict[str, str] = {}
        for place_code, sender_code in rows:
            senders[place_code].append(sender_code)
            place = self.places.get(place_code)
            if place and place.kind in REGION_KINDS and sender_code != place_code:
                regions[sender_code] = min(regions.get(sender_code, place_code), place_code)
        return senders, regions


def holds_samples(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any submission in force, of whatever quarter, says that its data is invented."""
    row = connection.execute(
        "select coalesce(bool_or(is_synthetic), false) from marts.fct_submission where is_in_force"
    ).fetchone()
    return bool(row and row[0])


def _reader(
    connection: duckdb.DuckDBPyConnection, nation_code: str, quarter: Quarter
) -> Callable[[str], QueryRows]:
    """Runs a query of this file; DuckDB refuses a parameter that the query does not name."""
    parameters = {"nation": nation_code, "quarter": quarter.label}

    def rows(sql: str) -> QueryRows:
        named = {name: value for name, value in parameters.items() if f"${name}" in sql}
        return connection.execute(sql, named).fetchall()

    return rows


_OfPlace = TypeVar("_OfPlace", EarlyWarning, JourneyDay)


def _by_place(items: Iterable[_OfPlace]) -> dict[str, list[_OfPlace]]:
    grouped: dict[str, list[_OfPlace]] = defaultdict(list)
    for item in items:
        grouped[item.place_code].append(item)
    return grouped


_PLACES = """
    select place_code, name_en, name_cy, kind, nation_code
    from marts.dim_place where nation_code = $nation order by place_code
"""

_INDICATORS = """
    select
        indicator_id, title_en, title_cy, definition_en, definition_cy, status_note_en,
        status_note_cy, definition_status, subject, timing, unit, rounding, direction, is_headline
    from marts.dim_indicator order by indicator_id
"""

_TREE = """
    select place_code, sender_code from marts.dim_place_sender
    where quarter = $quarter and membership_basis = 'at_the_time'
    order by place_code, sender_code
"""

_BREAKS = """
    select
        indicator_id, place_code, since, title_en, title_cy, explanation_en, explanation_cy,
        status
    from marts.dim_break_in_series where since <= $quarter
    order by since, break_id, indicator_id, place_code
"""

_COMPARISONS = """
    select
        c.indicator_id, c.place_code, c.window_name,
        c.compared_with_benchmark, c.region_value, c.compared_with_region,
        c.nation_value, c.compared_with_nation, c.last_four_quarters_value,
        c.compared_with_last_four_quarters, c.previous_quarter, c.previous_value,
        c.compared_with_previous
    from marts.rpt_comparison c join marts.dim_place p using (place_code)
    where c.quarter = $quarter and p.nation_code = $nation
"""

_INTERVALS = """
    select f.place_code, f.indicator_id, f.window_name, f.value_lower_ci, f.value_upper_ci
    from marts.fct_proportion_interval f join marts.dim_place p using (place_code)
    where f.quarter = $quarter and p.nation_code = $nation and f.value_lower_ci is not null
    union all
    select f.place_code, f.indicator_id, f.window_name, f.mean_lower_ci, f.mean_upper_ci
    from marts.fct_distribution f join marts.dim_place p using (place_code)
    where f.quarter = $quarter and p.nation_code = $nation and f.mean_lower_ci is not null
"""

_WARNINGS = """
    select
        w.indicator_id, w.place_code, w.limit_value, w.limit_unit, w.children_waiting,
        w.children_waiting_past, w.children_waiting_within_30_days,
        w.children_waiting_within_60_days, w.children_waiting_within_90_days
    from marts.rpt_early_warning w join marts.dim_place p using (place_code)
    where w.quarter = $quarter and p.nation_code = $nation
    order by w.place_code, w.indicator_id
"""

_JOURNEYS = """
    select
        j.place_code, j.days, j.children_ordered, j.at_risk, j.survival, j.survival_lower_ci,
        j.survival_upper_ci, j.left_by_then, j.median_days, j.median_days_lower_ci,
        j.median_days_upper_ci, j.returns_expected, j.returns_accepted
    from marts.fct_journey j join marts.dim_place p using (place_code)
    where j.quarter = $quarter and p.nation_code = $nation
    order by j.place_code, j.days
"""

_DISTRIBUTIONS = """
    select
        d.indicator_id, d.place_code, d.window_name, d.denominator, d.mean, d.mean_lower_ci,
        d.mean_upper_ci, d.median, d.median_lower_ci, d.median_upper_ci, d.lower_quartile,
        d.upper_quartile
    from marts.fct_distribution d join marts.dim_place p using (place_code)
    where d.quarter = $quarter and p.nation_code = $nation and d.denominator > 0
"""

_RETURNS = """
    select
        r.sender_code, r.return_name, r.status, coalesce(r.is_late, false),
        coalesce(r.rows_accepted, 0), coalesce(r.rows_quarantined, 0), coalesce(r.queries, 0)
    from marts.fct_return r join marts.dim_place p on r.sender_code = p.place_code
    where r.quarter = $quarter and r.is_due and p.nation_code = $nation
    order by p.kind, p.name_en, r.return_name
"""
