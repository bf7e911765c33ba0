"""Figures of the published warehouse, ready to be shown in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.quarters import Quarter
from pipelines.text.catalogue import Language, translations
from pipelines.text.labels import with_unit

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Figure:
    """One indicator at one place over one window, with what a reader needs to interpret it."""

    indicator_id: str
    title_en: str
    title_cy: str
    definition_en: str
    definition_cy: str
    status_note_en: str
    status_note_cy: str
    definition_status: str
    unit: str
    rounding: int
    timing: str
    place_code: str
    place_name_en: str
    place_name_cy: str
    place_kind: str
    nation_code: str
    window_name: str
    numerator: float | None
    denominator: float | None
    value: float | None
    benchmark: float | None
    benchmark_met: str | None
    returns_expected: int
    returns_accepted: int
    quarters_in_window: int
    quarters_covered: int
    is_complete: bool


_FIGURES = """
    select
        f.indicator_id, i.title_en, i.title_cy, i.definition_en, i.definition_cy,
        i.status_note_en, i.status_note_cy, f.definition_status, i.unit, i.rounding, i.timing,
        f.place_code, p.name_en, p.name_cy, p.kind, p.nation_code, f.window_name,
        f.numerator, f.denominator, f.value_rounded, f.benchmark, f.benchmark_met,
        f.returns_expected, f.returns_accepted, f.quarters_in_window, f.quarters_covered,
        f.is_complete
    from marts.fct_indicator f
    join marts.dim_indicator i using (indicator_id)
    join marts.dim_place p using (place_code)
    where f.quarter = ? and f.breakdown = 'total' and i.is_headline
      and f.membership_basis = 'at_the_time'
      -- The financial year equals its year to date, which is shown already.
      and f.window_name <> 'financial_year'
      and p.kind in ('nation', 'region', 'regional_agency', 'partnership', 'voluntary_agency')
    order by p.nation_code desc, p.kind, p.place_code, f.indicator_id, f.window_name
"""


def headline_figures(connection: duckdb.DuckDBPyConnection, quarter: Quarter) -> list[Figure]:
    """Headline figures of nations, regions and agencies for ``quarter``, all windows."""
    figures = [Figure(*row) for row in connection.execute(_FIGURES, [quarter.label]).fetchall()]
    # Stable: numbered indicators first, in their published order, then the project's own.
    return sorted(figures, key=lambda figure: not figure.indicator_id[1:2].isdigit())


def shown_value(figure: Figure, language: Language = "en") -> str:
    """Value as a reader sees it: ``80.6 % (79 of 98)``, a star where returns are missing."""
    catalogue = translations(language)
    _, pgettext = catalogue.gettext, catalogue.pgettext
    star = "" if figure.is_complete else " *"
    if figure.value is None:
        # Nobody to divide by is an answer; a dash says that nothing was accepted.
        none = pgettext("instead of a share or a mean", "none")
        return (none if figure.denominator == 0 else "–") + star
    if figure.denominator is None:  # a count, of whatever it counts
        return f"{figure.value:,.0f}{star}"
    number = f"{figure.value:,.{figure.rounding}f}"
    denominator = f"{figure.denominator:,.0f}"
    if figure.unit == "percent":
        shown = _("{number} % ({numerator} of {denominator})").format(
            number=number, numerator=f"{figure.numerator:,.0f}", denominator=denominator
        )
    else:
        shown = f"{with_unit(number, figure.unit, language)} (n {denominator})"
    return shown + star
