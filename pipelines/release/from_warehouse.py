"""The parts of a release that are not figures, read from the warehouse: names, parts, coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.declarations import Text
from pipelines.quarters import Quarter, windows_ending
from pipelines.release.content import KEY, TOTAL, Content

if TYPE_CHECKING:
    import duckdb

INDICATORS = """
    select indicator_id, title_en, title_cy, definition_en, definition_cy, subject, unit,
        denominator is not null as is_ratio, definition_status, status_note_en, status_note_cy,
        sources
    from marts.dim_indicator
    order by subject = 'adopter', subject = 'support', indicator_id
"""
# A region, agency or partnership before its members, the nation before all of them.
PLACES = """
    with parent as (
        select membership.member_code, min(membership.parent_code) as parent_code
        from marts.dim_membership as membership
        join marts.dim_place as place on place.place_code = membership.parent_code
        where membership.role = 'member' and place.kind in ('region', 'regional_agency')
            and coalesce(membership.since, $day) <= $day
            and coalesce(membership.until, $day) >= $day
        group by membership.member_code
    )
    select place.place_code, place.name_en, place.name_cy, place.kind,
        case when place.kind = 'nation' then ''
            else coalesce(parent.parent_code, place.nation_code) end as parent_code
    from marts.dim_place as place
    left join parent on parent.member_code = place.place_code
    where place.nation_code = $nation
    order by place.kind <> 'nation', place.kind = 'voluntary_agency', place.kind = 'authority',
        place.name_en
"""
CATEGORIES = """
    select breakdown, breakdown_value, title_en, title_cy, label_en, label_cy, position
    from marts.dim_breakdown
    order by breakdown <> 'total', breakdown, position
"""
COVERAGE = """
    select distinct figure.place_code, indicator.subject, figure.window_name,
        figure.returns_expected, figure.returns_accepted, figure.is_complete
    from marts.fct_indicator as figure
    join marts.dim_indicator as indicator using (indicator_id)
    join marts.dim_place as place using (place_code)
    where figure.quarter = $quarter and place.nation_code = $nation
        and figure.membership_basis = 'at_the_time'
    order by all
"""


def content_of(
    connection: duckdb.DuckDBPyConnection,
    *,
    body: str,
    nation_code: str,
    title: Text,
    quarter: Quarter,
    version: int,
    figures: pl.DataFrame,
    is_synthetic: bool,
    open_returns: int = 0,
    waiting: pl.DataFrame | None = None,
) -> Content:
    """A release of ``figures``, with the names, parts and definitions they need and no others.

    ``waiting``: measure and quarter of changes that are not in the figures yet.
    """
    nation = {"nation": nation_code}
    places = connection.execute(PLACES, nation | {"day": quarter.last_day}).pl()
    coverage = connection.execute(COVERAGE, nation | {"quarter": quarter.label}).pl()
    indicators = connection.execute(INDICATORS).pl()
    categories = connection.execute(CATEGORIES).pl()
    used = figures.select("breakdown", "breakdown_value").unique()
    late = without_changes(connection, quarter, waiting)
    return Content(
        body=body,
        nation_code=nation_code,
        title=title,
        quarter=quarter,
        version=version,
        figures=_provisional(figures, indicators, coverage, late).sort(KEY),
        indicators=indicators.filter(pl.col("indicator_id").is_in(set(figures["indicator_id"]))),
        places=places.filter(pl.col("place_code").is_in({*figures["place_code"], nation_code})),
        categories=categories.join(used, on=["breakdown", "breakdown_value"], how="semi").sort(
            pl.col("breakdown") != TOTAL, "breakdown", "position"
        ),
        coverage=coverage,
        is_synthetic=is_synthetic,
        open_returns=open_returns,
    )


def without_changes(
    connection: duckdb.DuckDBPyConnection, quarter: Quarter, waiting: pl.DataFrame | None
) -> pl.DataFrame:
    """Indicators and windows with a quarter whose changes wait: every place alike, since a mark at
    some would tell whose they are."""
    schema = {"indicator_id": pl.String, "window_name": pl.String}
    if waiting is None or waiting.is_empty():
        return pl.DataFrame(schema=schema)
    measures = waiting["measure"].unique().to_list()
    parts = connection.execute(
        "select indicator_id, numerator, denominator from marts.dim_indicator"
    )
    rows = []
    for indicator, *of in parts.fetchall():
        quarters = waiting.filter(pl.col("measure").is_in([m for m in of if m in measures]))
        for window, length in windows_ending(quarter).items():
            first = quarter.plus(1 - length).label
            if quarters["quarter"].is_between(pl.lit(first), pl.lit(quarter.label)).any():
                rows.append((indicator, window))
    return pl.DataFrame(rows, schema=schema, orient="row")


def _provisional(
    figures: pl.DataFrame, indicators: pl.DataFrame, coverage: pl.DataFrame, late: pl.DataFrame
) -> pl.DataFrame:
    """Numbers that lack a return, a change of one or a quarter carry the note ``p``."""
    about = (
        figures.join(indicators.select("indicator_id", "subject"), on="indicator_id")
        .join(
            coverage.select("place_code", "subject", "window_name", "is_complete"),
            on=["place_code", "subject", "window_name"],
            how="left",
        )
        .join(
            late.with_columns(is_late=pl.lit(True)), on=["indicator_id", "window_name"], how="left"
        )
    )
    lacks = ~pl.col("is_complete").fill_null(False) | pl.col("is_late").fill_null(False)
    lacks &= pl.col("number").is_not_null()
    notes = pl.col("notes")
    return about.with_columns(
        pl.when(lacks)
        .then(pl.when(notes == "").then(pl.lit("p")).otherwise(pl.lit("p,") + notes))
        .otherwise(notes)
        .alias("notes")
    ).select(figures.columns)
