"""What a publishable pack is made from: the files of a release, and nothing behind them.

No warehouse is opened here, so no number can come from one. Besides the release's own files there
are declarations (names, directions, benchmarks, breaks in series) and earlier releases of the body.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.declarations import BreakInSeries, Declarations
from pipelines.pack.model import (
    MAIN_WINDOWS,
    PACK_KINDS,
    REGION_KINDS,
    Bilingual,
    PackIndicator,
    PackPlace,
    published_order,
)
from pipelines.pack.page_parts import QUARTERS_IN_A_ROW
from pipelines.pack.places import pack_order
from pipelines.quarters import Quarter
from pipelines.release.compare import figures_of_folder
from pipelines.release.content import TOTAL, ReleaseError, as_text
from pipelines.release.package import CATALOGUE, provenance_of_folder
from pipelines.release.versions import Version, folder_of, versions
from pipelines.settings import Settings

# The longest window of a release.
QUARTERS_BEHIND = 12


@dataclass(frozen=True)
class PublishedFigure:
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
        """The number as readers have it, which decides whether a benchmark is met."""
        return None if self.number is None else float(as_text(self.number, self.decimals))


@dataclass(frozen=True)
class MissingReturn:
    """A return that was due within the quarters that figures cover, and is not in them; ``why`` is
    its status."""

    sender_code: str
    return_name: str
    quarter: str
    why: str


Figures = Mapping[tuple[str, str, str, str], PublishedFigure]


@dataclass(frozen=True)
class PublishedRelease:
    """One version of a release as its readers have it.

    ``figures`` are totals by place, indicator, window and component; ``earlier`` the same of the
    quarters before that were released, by quarter.
    """

    name: str
    body: Bilingual
    nation_code: str
    quarter: Quarter
    version: int
    is_synthetic: bool
    rules: Bilingual
    rules_status: str
    has_open_returns: bool
    missing: Sequence[MissingReturn]
    figures: Figures
    indicators: Sequence[PackIndicator]
    places: Mapping[str, PackPlace]
    regions: Mapping[str, str]
    benchmarks: Mapping[str, float]
    breaks: Sequence[BreakInSeries]
    earlier: Mapping[str, Figures]
    earlier_names: Sequence[str]

    @property
    def nation(self) -> PackPlace:
        return self.places[self.nation_code]

    @cached_property
    def _there(self) -> frozenset[tuple[str, str]]:
        return frozenset((place, indicator) for place, indicator, *_ in self.figures)

    def indicators_of(self, place: PackPlace) -> list[PackIndicator]:
        return [
            indicator
            for indicator in self.indicators
            if (place.code, indicator.indicator_id) in self._there
        ]

    def get(
        self, place: PackPlace, indicator: PackIndicator, window: str, component: str = "value"
    ) -> PublishedFigure | None:
        return self.figures.get((place.code, indicator.indicator_id, window, component))

    def main_window(self, place: PackPlace, indicator: PackIndicator) -> str | None:
        """A stock as it stands, a flow over the longest window that says something of now."""
        windows = ("quarter",) if indicator.is_stock else MAIN_WINDOWS
        return next((name for name in windows if self.get(place, indicator, name)), None)

    def main(self, place: PackPlace, indicator: PackIndicator) -> PublishedFigure | None:
        window = self.main_window(place, indicator)
        return self.get(place, indicator, window) if window else None

    def before(
        self, place: PackPlace, indicator: PackIndicator, quarter: str, window: str
    ) -> PublishedFigure | None:
        """A figure as the release of an earlier quarter shows it."""
        return self.earlier.get(quarter, {}).get(
            (place.code, indicator.indicator_id, window, "value")
        )

    def places_with_a_pack(self) -> list[PackPlace]:
        """The nation first, then regions and agencies, authorities, voluntary agencies."""
        codes = {place for place, _ in self._there}
        places = [each_place for each_place in self.places.values() if each_place.code in codes]
        return sorted(places, key=pack_order)

    def region_of(self, place: PackPlace) -> PackPlace | None:
        return self.places.get(self.regions.get(place.code, ""))

    def members_of(self, place: PackPlace) -> list[PackPlace]:
        """Of a nation its regions and agencies, of a region its authorities."""
        kinds = (*REGION_KINDS, "voluntary_agency")
        return [
            member
            for member in self.places_with_a_pack()
            if (member.kind in kinds if place.kind == "nation" else self.region_of(member) == place)
        ]

    def missing_of(self, place: PackPlace) -> list[MissingReturn]:
        return [
            missing_return
            for missing_return in self.missing
            if place.kind == "nation"
            or place.code
            in (missing_return.sender_code, self.regions.get(missing_return.sender_code))
        ]

    def breaks_of(
        self, place: PackPlace, indicators: Iterable[PackIndicator]
    ) -> list[BreakInSeries]:
        """Breaks that lie within the quarters that some figure of the place covers."""
        codes = {series_break.indicator_id for series_break in indicators} | {"*"}
        first = self.quarter.plus(-QUARTERS_BEHIND)
        breaks = [
            series_break
            for series_break in self.breaks
            if codes & set(series_break.indicator_ids)
            and {place.code, "*"} & set(series_break.place_codes)
            and first < series_break.since <= self.quarter
        ]
        return sorted(breaks, key=lambda series_break: (series_break.since, series_break.break_id))


def read_release(
    folder: Path, declarations: Declarations, earlier: Sequence[Path] = ()
) -> PublishedRelease:
    """The release in ``folder``, with those of the quarters before it.

    Raises ReleaseError where a folder is no release of a body that is declared.
    """
    provenance = provenance_of_folder(folder)
    policies = {policy.body: policy for policy in declarations.policies.values()}
    policy = policies.get(provenance["body"])
    if policy is None:
        body = provenance["body"]
        raise ReleaseError(f"{folder} is a release of {body}, which is not a body declared here")
    nation, quarter = policy.nation_code, Quarter.parse(provenance["quarter"])
    before = {path: provenance_of_folder(path) for path in earlier}
    places = {
        code: PackPlace(code, Bilingual(each.name_en, each.name_cy), each.kind, each.nation_code)
        for code, each in declarations.places.items()
        if each.nation_code == nation and each.kind in PACK_KINDS
    }
    indicators = _indicators(folder, declarations)
    control = provenance["disclosure_control"]
    return PublishedRelease(
        name=_name(provenance),
        body=Bilingual(policy.title.en, policy.title.cy),
        nation_code=nation,
        quarter=quarter,
        version=provenance["version"],
        is_synthetic=provenance["is_synthetic"],
        rules=Bilingual(control["title"]["en"], control["title"]["cy"]),
        rules_status=control["status"],
        has_open_returns=bool(provenance["returns_open"]),
        missing=[
            MissingReturn(each["sender_code"], each["return_name"], each["quarter"], each["why"])
            for each in provenance["returns_not_used"]
        ],
        figures=_figures(figures_of_folder(folder), quarter.label),
        indicators=indicators,
        places=places,
        regions=_regions(declarations, quarter),
        benchmarks=_benchmarks(indicators, declarations, nation, quarter),
        breaks=declarations.breaks_in_series,
        earlier={
            each["quarter"]: _figures(figures_of_folder(path), each["quarter"])
            for path, each in before.items()
        },
        earlier_names=[_name(each) for each in before.values()],
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
    for version in versions(settings):
        is_known = version.body == body and version.ledger_length < ledger_length
        if is_known and first <= version.quarter.label < quarter.label:
            newest[version.quarter.label] = version
    return [folder_of(settings, newest[label]) for label in sorted(newest)]


def _name(provenance: Mapping[str, Any]) -> str:
    """``NAS/2020-21-Q4/1``."""
    return f"{provenance['body']}/{provenance['quarter']}/{provenance['version']}"


def _figures(figures: pl.DataFrame, quarter: str) -> Figures:
    """Totals of the release's own quarter; ``figures`` follow FIGURE_SCHEMA."""
    totals = figures.filter(pl.col("breakdown") == TOTAL, pl.col("quarter") == quarter)
    by_key = {}
    for row in totals.iter_rows(named=True):
        place, indicator = row["place_code"], row["indicator_id"]
        window, component = row["window_name"], row["component"]
        by_key[place, indicator, window, component] = PublishedFigure(
            key=f"{indicator} {component} {place} {quarter} {window}",
            number=row["number"],
            decimals=row["decimals"],
            flag=row["flag"],
            notes=tuple(code for code in row["notes"].split(",") if code),
        )
    return by_key


def _indicators(folder: Path, declarations: Declarations) -> list[PackIndicator]:
    """Those of the release's catalogue, in their published order."""
    indicators = []
    for row in pl.read_csv(folder / CATALOGUE, infer_schema=False).iter_rows(named=True):
        # None for an indicator that was released and is declared no longer.
        declared = declarations.indicators.get(row["indicator_id"])
        indicators.append(
            PackIndicator(
                indicator_id=row["indicator_id"],
                title=Bilingual(row["title_en"], row["title_cy"]),
                definition=Bilingual(row["definition_en"], row["definition_cy"]),
                status_note=Bilingual(row["status_note_en"], row["status_note_cy"]),
                definition_status=row["definition_status"],
                subject=row["subject"],
                timing=declared.timing if declared else "flow",
                unit=row["unit"],
                rounding=declared.rounding if declared else 0,
                direction=declared.direction if declared else "context",
                is_headline=declared.headline if declared else False,
            )
        )
    return sorted(indicators, key=published_order)


def _benchmarks(
    indicators: Iterable[PackIndicator], declarations: Declarations, nation: str, quarter: Quarter
) -> dict[str, float]:
    """The nation's benchmark of each indicator that has one in the quarter."""
    in_force = {}
    for indicator in indicators:
        declared = declarations.indicators.get(indicator.indicator_id)
        for benchmark in declared.benchmarks if declared else ():
            has_begun = benchmark.since is None or benchmark.since <= quarter
            has_ended = benchmark.until is not None and benchmark.until < quarter
            if benchmark.nation_code == nation and has_begun and not has_ended:
                in_force[indicator.indicator_id] = benchmark.value
    return in_force


def _regions(declarations: Declarations, quarter: Quarter) -> dict[str, str]:
    """The region or agency of each member on the quarter's last day."""
    day = quarter.last_day
    regions: dict[str, str] = {}
    for membership in declarations.memberships:
        parent = declarations.places[membership.parent_code]
        is_then = (membership.since or day) <= day <= (membership.until or day)
        if membership.role == "member" and parent.kind in REGION_KINDS and is_then:
            known = regions.get(membership.member_code, membership.parent_code)
            regions[membership.member_code] = min(known, membership.parent_code)
    return regions
