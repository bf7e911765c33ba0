"""What a pack speaks of: places, indicators, their figures, and what stands beside a figure.

Plain rows, read once by ``nation_quarter`` (internal edition) or ``published_release``.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.text.catalogue import Language

# In the order in which packs are listed and places stand beside each other.
REGION_KINDS = ("region", "regional_agency", "partnership")
PACK_KINDS = ("nation", *REGION_KINDS, "authority", "voluntary_agency")

# Where the figure of a flow is looked for: the longest window that is still about the present.
MAIN_WINDOWS = ("rolling_4", "rolling_12", "year_to_date", "quarter")

# Of a comparison in the marts: more than chance would explain. Others are "no different", "too few
# to tell" and "break in series".
CLEAR_DIFFERENCES = ("better", "worse")
# Below that one case is more than a tenth of a figure.
FEW_CASES = 10


@dataclass(frozen=True)
class Bilingual:
    """A name or sentence that is declared in both languages: ``title["cy"]``."""

    en: str
    cy: str

    def __getitem__(self, language: Language) -> str:
        return self.cy if language == "cy" else self.en


@dataclass(frozen=True)
class PackPlace:
    """A place that can have a pack; ``kind`` is one of PACK_KINDS."""

    code: str
    name: Bilingual
    kind: str
    nation_code: str


@dataclass(frozen=True)
class PackIndicator:
    """An indicator as a page shows it; ``rounding`` is its number of decimals."""

    indicator_id: str
    title: Bilingual
    definition: Bilingual
    status_note: Bilingual
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
class IndicatorFigure:
    """An indicator at a place in a quarter and window: a row of fct_indicator.

    ``value`` is rounded, ``unrounded`` is what statistics are made of; both are None where nothing
    was returned or there was no case.
    """

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
        """What the figure is based on: children behind a mean or a percentage, or the count."""
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
class EarlyWarning:
    """A row of rpt_early_warning: children on a clock on the quarter's last day.

    ``within_60`` includes ``within_30``, and ``within_90`` both; none includes ``past``.
    """

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
    """A row of fct_journey; ``waiting`` is Kaplan-Meier's survival, a share from 0 to 1."""

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
class WaitDistribution:
    """A row of fct_distribution, in the unit of its indicator (months or days)."""

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
class DueReturn:
    """A return that was due for the quarter: a row of fct_return."""

    sender_code: str
    return_name: str
    status: str
    is_late: bool
    rows_accepted: int
    rows_quarantined: int
    queries: int


@dataclass(frozen=True)
class SeriesBreak:
    """A break in series; ``indicator_id`` or ``place_code`` is ``*`` where it concerns all."""

    indicator_id: str
    place_code: str
    since: str
    title: Bilingual
    explanation: Bilingual
    status: str


def published_order(indicator: PackIndicator) -> tuple[bool, str]:
    """Sorts indicators: numbered ones in their published order, then the project's own."""
    return not indicator.indicator_id[1:2].isdigit(), indicator.indicator_id
