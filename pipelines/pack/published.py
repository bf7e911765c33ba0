"""What a publishable pack is made from: the files of a release, and nothing behind them.

No warehouse is opened here, so no number can come from one. Beside the release's own files stand
declarations (names, directions, benchmarks, breaks in series) and earlier releases of the body.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.declarations import BreakInSeries, Declarations
from pipelines.pack.book import MAIN_WINDOWS, PACK_KINDS, REGION_KINDS, Indicator, Named, Place
from pipelines.quarters import Quarter
from pipelines.release.compare import figures_of_folder
from pipelines.release.content import TOTAL, ReleaseError, as_text
from pipelines.release.package import CATALOGUE, provenance_of_folder
from pipelines.release.versions import Version, folder_of, versions
from pipelines.settings import Settings

# This quarter and seven before it: eight values stay readable in a column of a table.
QUARTERS_IN_A_ROW = 8
# The longest window of a release.
QUARTERS_BEHIND = 12


@dataclass(frozen=True)
class Shown:
    """A figure of a release: a number or a flag, never both.

    ``key`` names its row: indicator, component, place, quarter and window.
    """

    key: str
    number: float | None
    decimals: int
    flag: str | None
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """``1,234``, ``8.3`` or ``[c]``."""
        if self.number is None:
            return f"[{self.flag}]"
        return f"{self.written:,.{self.decimals}f}"

    @property
    def written(self) -> float | None:
        """The number as readers have it, which is what a benchmark is held against."""
        return None if self.number is None else float(as_text(self.number, self.decimals))


@dataclass(frozen=True)
class Missing:
    """A return that was due within the quarters that figures cover, and is not in them."""

    sender_code: str
    return_name: str
    quarter: str
    why: str


Figures = Mapping[tuple[str, str, str, str], Shown]


@dataclass(frozen=True)
class Publication:
    """One version of a release as its readers have it.

    ``figures`` are totals by place, indicator, window and component; ``earlier`` the same of the
    quarters before that were released, by quarter.
    """

    name: str
    body: Named
    nation_code: str
    quarter: Quarter
    version: int
    is_synthetic: bool
    rules: Named
    rules_status: str
    has_open_returns: bool
    missing: Sequence[Missing]
    figures: Figures
    indicators: Sequence[Indicator]
    places: Mapping[str, Place]
    regions: Mapping[str, str]
    benchmarks: Mapping[str, float]
    breaks: Sequence[BreakInSeries]
    earlier: Mapping[str, Figures]
    earlier_names: Sequence[str]

    @property
    def nation(self) -> Place:
        return self.places[self.nation_code]

    @cached_property
    def _there(self) -> frozenset[tuple[str, str]]:
        return frozenset((place, indicator) for place, indicator, *_ in self.figures)

    def indicators_of(self, place: Place) -> list[Indicator]:
        return [one for one in self.indicators if (place.code, one.indicator_id) in self._there]

    def get(
        self, place: Place, indicator: Indicator, window: str, component: str = "value"
    ) -> Shown | None:
        return self.figures.get((place.code, indicator.indicator_id, window, component))

    def main_window(self, place: Place, indicator: Indicator) -> str | None:
        """A stock as it stands, a flow over the longest window that says something of now."""
        windows = ("quarter",) if indicator.is_stock else MAIN_WINDOWS
        return next((name for name in windows if self.get(place, indicator, name)), None)

    def main(self, place: Place, indicator: Indicator) -> Shown | None:
        window = self.main_window(place, indicator)
        return self.get(place, indicator, window) if window else None

    def before(self, place: Place, indicator: Indicator, quarter: str, window: str) -> Shown | None:
        """A figure as the release of an earlier quarter shows it."""
        return self.earlier.get(quarter, {}).get(
            (place.code, indicator.indicator_id, window, "value")
        )

    def places_with_a_pack(self) -> list[Place]:
        """The nation first, then regions and agencies, authorities, voluntary agencies."""
        codes = {place for place, _ in self._there}
        found = [one for one in self.places.values() if one.code in codes]
        return sorted(found, key=lambda one: (PACK_KINDS.index(one.kind), one.name.en))

    def region_of(self, place: Place) -> Place | None:
        return self.places.get(self.regions.get(place.code, ""))

    def members_of(self, place: Place) -> list[Place]:
        """Of a nation its regions and agencies, of a region its authorities."""
        kinds = (*REGION_KINDS, "voluntary_agency")
        return [
            one
            for one in self.places_with_a_pack()
            if (one.kind in kinds if place.kind == "nation" else self.region_of(one) == place)
        ]

    def missing_of(self, place: Place) -> list[Missing]:
        return [
            one
            for one in self.missing
            if place.kind == "nation"
            or place.code in (one.sender_code, self.regions.get(one.sender_code))
        ]

    def breaks_of(self, place: Place, indicators: Iterable[Indicator]) -> list[BreakInSeries]:
        """Breaks that lie within the quarters that some figure of the place covers."""
        asked = {one.indicator_id for one in indicators} | {"*"}
        first = self.quarter.plus(-QUARTERS_BEHIND)
        found = [
            one
            for one in self.breaks
            if asked & set(one.indicator_ids)
            and {place.code, "*"} & set(one.place_codes)
            and first < one.since <= self.quarter
        ]
        return sorted(found, key=lambda one: (one.since, one.break_id))


def publication(
    folder: Path, declarations: Declarations, earlier: Sequence[Path] = ()
) -> Publication:
    """The release in ``folder``, with those of the quarters before it.

    Raises ReleaseError where a folder is no release of a body that is declared.
    """
    told = provenance_of_folder(folder)
    bodies = {one.body: one for one in declarations.policies.values()}
    if told["body"] not in bodies:
        raise ReleaseError(f"{folder} is a release of {told['body']}, which is no body known here")
    policy = bodies[told["body"]]
    nation, quarter = policy.nation_code, Quarter.parse(told["quarter"])
    before = {path: provenance_of_folder(path) for path in earlier}
    places = {
        code: Place(code, Named(one.name_en, one.name_cy), one.kind, one.nation_code)
        for code, one in declarations.places.items()
        if one.nation_code == nation and one.kind in PACK_KINDS
    }
    indicators = _indicators(folder, declarations)
    control = told["disclosure_control"]
    return Publication(
        name=_name(told),
        body=Named(policy.title.en, policy.title.cy),
        nation_code=nation,
        quarter=quarter,
        version=told["version"],
        is_synthetic=told["is_synthetic"],
        rules=Named(control["title"]["en"], control["title"]["cy"]),
        rules_status=control["status"],
        has_open_returns=bool(told["returns_open"]),
        missing=[
            Missing(one["sender_code"], one["return_name"], one["quarter"], one["why"])
            for one in told["returns_not_used"]
        ],
        figures=_figures(figures_of_folder(folder), quarter.label),
        indicators=indicators,
        places=places,
        regions=_regions(declarations, quarter),
        benchmarks=_benchmarks(indicators, declarations, nation, quarter),
        breaks=declarations.breaks_in_series,
        earlier={
            one["quarter"]: _figures(figures_of_folder(path), one["quarter"])
            for path, one in before.items()
        },
        earlier_names=[_name(one) for one in before.values()],
    )


def earlier_releases(
    settings: Settings, body: str, quarter: Quarter, ledger_length: int
) -> list[Path]:
    """Folders of the newest releases of the quarters before, as the ledger stood then.

    Only what was entered before the line ``ledger_length`` counts, so that a page made again has
    the trend that it had.
    """
    first = quarter.plus(1 - QUARTERS_IN_A_ROW).label
    newest: dict[str, Version] = {}
    for one in versions(settings):
        is_known = one.body == body and one.ledger_length < ledger_length
        if is_known and first <= one.quarter.label < quarter.label:
            newest[one.quarter.label] = one
    return [folder_of(settings, newest[label]) for label in sorted(newest)]


def _name(told: Mapping[str, Any]) -> str:
    return f"{told['body']}/{told['quarter']}/{told['version']}"


def _figures(figures: pl.DataFrame, quarter: str) -> Figures:
    """Totals of the release's own quarter."""
    totals = figures.filter(pl.col("breakdown") == TOTAL, pl.col("quarter") == quarter)
    columns = ("place_code", "indicator_id", "window_name", "component")
    found = {}
    for row in totals.iter_rows(named=True):
        place, indicator, window, component = (row[name] for name in columns)
        notes = tuple(code for code in row["notes"].split(",") if code)
        found[place, indicator, window, component] = Shown(
            f"{indicator} {component} {place} {quarter} {window}",
            *(row["number"], row["decimals"], row["flag"], notes),
        )
    return found


def _indicators(folder: Path, declarations: Declarations) -> list[Indicator]:
    """Those of the release's catalogue, numbered ones in their published order first."""
    found = []
    for row in pl.read_csv(folder / CATALOGUE, infer_schema=False).iter_rows(named=True):
        declared = declarations.indicators.get(row["indicator_id"])
        found.append(
            Indicator(
                indicator_id=row["indicator_id"],
                title=Named(row["title_en"], row["title_cy"]),
                definition=Named(row["definition_en"], row["definition_cy"]),
                status_note=Named(row["status_note_en"], row["status_note_cy"]),
                definition_status=row["definition_status"],
                subject=row["subject"],
                timing=declared.timing if declared else "flow",
                unit=row["unit"],
                rounding=declared.rounding if declared else 0,
                direction=declared.direction if declared else "context",
                is_headline=declared.headline if declared else False,
            )
        )
    return sorted(found, key=lambda one: (not one.indicator_id[1:2].isdigit(), one.indicator_id))


def _benchmarks(
    indicators: Iterable[Indicator], declarations: Declarations, nation: str, quarter: Quarter
) -> dict[str, float]:
    found = {}
    for indicator in indicators:
        declared = declarations.indicators.get(indicator.indicator_id)
        for one in declared.benchmarks if declared else ():
            is_begun = one.since is None or one.since <= quarter
            if one.nation_code == nation and is_begun and (not one.until or quarter <= one.until):
                found[indicator.indicator_id] = one.value
    return found


def _regions(declarations: Declarations, quarter: Quarter) -> dict[str, str]:
    """The region or agency of each member on the quarter's last day."""
    day = quarter.last_day
    found: dict[str, str] = {}
    for one in declarations.memberships:
        parent = declarations.places[one.parent_code]
        is_then = (one.since or day) <= day <= (one.until or day)
        if one.role == "member" and parent.kind in REGION_KINDS and is_then:
            known = found.get(one.member_code, one.parent_code)
            found[one.member_code] = min(known, one.parent_code)
    return found
