"""What the packs of one nation and quarter are made from, read once for all of its places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.pack.edition import FIGURE_COLUMNS, Edition, Language, first_shown
from pipelines.quarters import Quarter, quarters_between

if TYPE_CHECKING:
    import duckdb

# Where a figure is looked for: the longest window that says something of now.
MAIN_WINDOWS = ("rolling_4", "rolling_12", "year_to_date", "quarter")
REGION_KINDS = ("region", "regional_agency", "partnership")
PACK_KINDS = ("nation", *REGION_KINDS, "authority", "voluntary_agency")


@dataclass(frozen=True)
class Named:
    """Something with a name in both languages."""

    en: str
    cy: str

    def __getitem__(self, language: Language) -> str:
        return self.cy if language == "cy" else self.en


@dataclass(frozen=True)
class Place:
    code: str
    name: Named
    kind: str
    nation_code: str


@dataclass(frozen=True)
class Indicator:
    indicator_id: str
    title: Named
    definition: Named
    status_note: Named
    definition_status: str
    subject: str
    timing: str
    unit: str
    rounding: int
    direction: str
    is_headline: bool

    @property
    def is_stock(self) -> bool:
        return self.timing == "stock"

    @property
    def is_share(self) -> bool:
        return self.unit == "percent"


@dataclass(frozen=True)
class Figure:
    """An indicator at a place in a quarter and window."""

    place_code: str
    indicator_id: str
    quarter: str
    window_name: str
    numerator: float | None
    denominator: float | None
    value: float | None
    unrounded: float | None
    estimate: float | None
    benchmark: float | None
    benchmark_met: str | None
    returns_expected: int
    returns_accepted: int
    quarters_in_window: int
    quarters_covered: int
    is_complete: bool

    @property
    def cases(self) -> float | None:
        """How much it rests on: children behind a mean or a share, or the count itself."""
        return self.numerator if self.denominator is None else self.denominator


@dataclass(frozen=True)
class Comparison:
    """A row of rpt_comparison."""

    indicator_id: str
    place_code: str
    window_name: str
    compared_with_benchmark: str | None
    region_value: float | None
    compared_with_region: str | None
    nation_value: float | None
    compared_with_nation: str | None
    last_four_quarters_value: float | None
    compared_with_last_four_quarters: str | None
    previous_quarter: str | None
    previous_value: float | None
    compared_with_previous: str | None


@dataclass(frozen=True)
class Warned:
    """A row of rpt_early_warning."""

    indicator_id: str
    place_code: str
    limit_value: float
    limit_unit: str
    waiting: int | None
    past: int | None
    within_30: int | None
    within_60: int | None
    within_90: int | None


@dataclass(frozen=True)
class JourneyDay:
    """A row of fct_journey; ``waiting`` is Kaplan-Meier's survival."""

    place_code: str
    days: int
    children: int
    at_risk: int
    waiting: float
    waiting_lower: float | None
    waiting_upper: float | None
    left_by_then: float
    median: int | None
    median_lower: int | None
    median_upper: int | None
    returns_expected: int
    returns_accepted: int


@dataclass(frozen=True)
class Spread:
    """A row of fct_distribution."""

    indicator_id: str
    place_code: str
    window_name: str
    cases: int
    mean: float | None
    mean_lower: float | None
    mean_upper: float | None
    median: float | None
    median_lower: float | None
    median_upper: float | None
    lower_quartile: float | None
    upper_quartile: float | None


@dataclass(frozen=True)
class Returned:
    """A return that was due for the quarter."""

    sender_code: str
    return_name: str
    status: str
    is_late: bool
    rows_accepted: int
    rows_quarantined: int
    queries: int


@dataclass(frozen=True)
class Break:
    indicator_id: str
    place_code: str
    since: str
    title: Named
    explanation: Named
    status: str
    source: str


class Book:
    """Everything of one nation's quarter, found by place."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        edition: Edition,
        nation_code: str,
        quarter: Quarter,
    ) -> None:
        self.edition, self.nation_code, self.quarter = edition, nation_code, quarter
        self._connection = connection
        self._asked = {"nation": nation_code, "quarter": quarter.label}
        self.is_synthetic = holds_samples(connection)
        self.last_quarter = self._rows("select max(quarter) from marts.dim_quarter")[0][0]
        self.places = {
            row[0]: Place(row[0], Named(*row[1:3]), *row[3:]) for row in self._rows(_PLACES)
        }
        self.figures: dict[str, dict[str, dict[tuple[str, str], Figure]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        for row in edition.figures.select(*FIGURE_COLUMNS).iter_rows():
            figure = Figure(*row)
            key = (figure.window_name, figure.quarter)
            self.figures[figure.place_code][figure.indicator_id][key] = figure
        self._now: dict[str, dict[str, dict[str, Figure]]] = {}
        self.indicators = self._indicators()
        self.senders, self.regions = self._tree()
        self.breaks = [
            Break(*row[:3], Named(*row[3:5]), Named(*row[5:7]), *row[7:])
            for row in self._rows(_BREAKS)
        ]
        self.comparisons = {
            (item.place_code, item.indicator_id, item.window_name): item
            for item in (Comparison(*row) for row in self._rows(_COMPARISONS))
        }
        self.intervals = {row[:3]: row[3:] for row in self._rows(_INTERVALS)}
        self.warnings = _by_place(Warned(*row) for row in self._rows(_WARNINGS))
        self.journeys = _by_place(JourneyDay(*row) for row in self._rows(_JOURNEYS))
        self.spreads = {
            (item.place_code, item.indicator_id, item.window_name): item
            for item in (Spread(*row) for row in self._rows(_SPREADS))
        }
        self.returns = [Returned(*row) for row in self._rows(_RETURNS)]

    @cached_property
    def quarters(self) -> list[str]:
        """Labels of the quarters a trend covers, none left out, oldest first."""
        known = [
            quarter
            for of_place in self.figures.values()
            for of_indicator in of_place.values()
            for _, quarter in of_indicator
        ]
        first = max(min(known, default=self.quarter.label), first_shown(self.quarter))
        return [one.label for one in quarters_between(Quarter.parse(first), self.quarter)]

    @property
    def nation(self) -> Place:
        return self.places[self.nation_code]

    def region_of(self, place_code: str) -> Place | None:
        """The region or agency a place belongs to on the quarter's last day."""
        code = self.regions.get(place_code)
        return self.places[code] if code else None

    def members_of(self, place: Place) -> list[Place]:
        """Of a nation its regions and agencies, of a region its authorities; by English name."""
        if place.kind == "nation":
            kinds = (*REGION_KINDS, "voluntary_agency")
            found = [one for one in self.places.values() if one.kind in kinds]
        else:
            found = [
                self.places[code]
                for code in self.senders.get(place.code, ())
                if code != place.code and code in self.places
            ]
        with_figures = [one for one in found if self.now(one.code)]
        return sorted(with_figures, key=lambda one: (one.kind, one.name.en))

    def now(self, place_code: str) -> dict[str, dict[str, Figure]]:
        """Figures of the quarter at a place: by indicator, then window."""
        if place_code not in self._now:
            self._now[place_code] = {
                indicator_id: windows
                for indicator_id in self.indicators
                if (windows := self._in_the_quarter(place_code, indicator_id))
            }
        return self._now[place_code]

    def _in_the_quarter(self, place_code: str, indicator_id: str) -> dict[str, Figure]:
        of_indicator = self.figures.get(place_code, {}).get(indicator_id, {})
        return {
            window: figure
            for (window, quarter), figure in of_indicator.items()
            if quarter == self.quarter.label
        }

    def main(self, place_code: str, indicator: Indicator) -> Figure | None:
        """The figure that is compared: a stock as it stands, a flow over four quarters."""
        windows = self.now(place_code).get(indicator.indicator_id, {})
        if indicator.is_stock:
            return windows.get("quarter")
        return next((windows[name] for name in MAIN_WINDOWS if name in windows), None)

    def series(self, place_code: str, indicator_id: str) -> tuple[str, list[Figure | None]]:
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

    def breaks_of(self, place_code: str, indicator_ids: Iterable[str]) -> list[Break]:
        """Breaks of these indicators or of the place itself within the quarters shown."""
        asked = {*indicator_ids, "*"}
        return [
            one
            for one in self.breaks
            if one.indicator_id in asked
            and one.place_code in (place_code, "*")
            and self.quarters[0] < one.since <= self.quarter.label
        ]

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        named = {name: value for name, value in self._asked.items() if f"${name}" in sql}
        return self._connection.execute(sql, named).fetchall()

    def _indicators(self) -> dict[str, Indicator]:
        """Those with figures: numbered ones in their published order, then the project's own."""
        with_figures = {code for of_place in self.figures.values() for code in of_place}
        found = [
            Indicator(row[0], Named(*row[1:3]), Named(*row[3:5]), Named(*row[5:7]), *row[7:])
            for row in self._rows(_INDICATORS)
        ]
        found.sort(key=lambda one: (not one.indicator_id[1:2].isdigit(), one.indicator_id))
        return {one.indicator_id: one for one in found if one.indicator_id in with_figures}

    def _tree(self) -> tuple[Mapping[str, list[str]], dict[str, str]]:
        senders: dict[str, list[str]] = defaultdict(list)
        regions: dict[str, str] = {}
        for place_code, sender_code in self._rows(_TREE):
            senders[place_code].append(sender_code)
            place = self.places.get(place_code)
            if place and place.kind in REGION_KINDS and sender_code != place_code:
                regions[sender_code] = min(regions.get(sender_code, place_code), place_code)
        return senders, regions


def holds_samples(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any submission in force, of whatever quarter, says that its data is invented."""
    found = connection.execute(
        "select coalesce(bool_or(is_synthetic), false) from marts.fct_submission where is_in_force"
    ).fetchone()
    return bool(found and found[0])


_OfPlace = TypeVar("_OfPlace", Warned, JourneyDay)


def _by_place(items: Iterable[_OfPlace]) -> dict[str, list[_OfPlace]]:
    found: dict[str, list[_OfPlace]] = defaultdict(list)
    for item in items:
        found[item.place_code].append(item)
    return found


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
        status, source
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

_SPREADS = """
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
