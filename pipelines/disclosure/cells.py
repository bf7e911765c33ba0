"""The cells of a release and what ties them together, read from the warehouse.

A *cell* is one published number: so many children (``value``) counted by a ``measure`` at a
``place``, in one ``part`` of a ``breakdown``, over a ``window`` that ends with a ``quarter``.
:class:`Relations` says which cells add up to which. Everything here is plain data: the protection
and the audit each make their own equations of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipelines.quarters import Quarter, windows_ending

if TYPE_CHECKING:
    import duckdb

    from pipelines.declarations.disclosure import SubsetRelations

KEY = ("measure", "place", "breakdown", "part", "window", "quarter")
CELL_SCHEMA = {**dict.fromkeys(KEY, pl.String), "value": pl.Int64}
KNOWN_SCHEMA = {
    **CELL_SCHEMA,
    "shown_from": pl.Int64,
    "shown_to": pl.Int64,
    "release": pl.String,
}
RATIO_SCHEMA = {
    "indicator_id": pl.String,
    "numerator": pl.String,
    "denominator": pl.String,
    "unit": pl.String,
    "multiplier": pl.Float64,
    "rounding": pl.Int64,
}
TOTAL = "total"
OWN = " (own return)"
REGIONS, SENDERS = "regions", "senders"


class DisclosureError(Exception):
    """Cells cannot be protected, or do not pass; the message names the table and why."""


@dataclass(frozen=True)
class Relations:
    """What adds up to what. All frames are small; none holds a count.

    ``measures``: measure, subject, is_stock (Boolean: not summed over quarters), contributors
    (null for a count; for a sum of days, the measure that counts whose days they are).
    ``places``: subject, parent, scheme, member, first, last: in every quarter whose index lies
    from first to last, parent = sum of the members of the scheme. A parent may have several
    schemes, and a member several parents.
    ``lives``: subject, place, first, last: quarter indexes of the first and the last quarter for
    which somebody there owes a return; a window reaches no further.
    ``breakdowns``: subject, breakdown, part: total = sum of the parts of each breakdown.
    ``windows``: window, quarter, first, last: quarter indexes that the window covers.
    ``kinds``: place, kind (authority, region, nation and so on).
    ``subset_relations``: relations between measures and between parts of different breakdowns.
    """

    measures: pl.DataFrame
    places: pl.DataFrame
    lives: pl.DataFrame
    breakdowns: pl.DataFrame
    windows: pl.DataFrame
    kinds: pl.DataFrame
    subset_relations: SubsetRelations


@dataclass(frozen=True)
class ReleaseCells:
    """Cells of one release, their relations, and the indicators that are made of them.

    ``ratios`` has one row per indicator with a denominator (RATIO_SCHEMA).
    """

    cells: pl.DataFrame
    relations: Relations
    ratios: pl.DataFrame


def window_relations(names: list[str], quarters: list[Quarter]) -> pl.DataFrame:
    """Quarter indexes that each window covers at each quarter: window, quarter, first, last."""
    rows = []
    for quarter in quarters:
        lengths = windows_ending(quarter)
        for name in names:
            length = lengths.get(name)
            if length is not None:
                rows.append((name, quarter.label, quarter.index - length + 1, quarter.index))
    schema = {"window": pl.String, "quarter": pl.String, "first": pl.Int64, "last": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


_CELLS = """
    with used as (
        select indicator_id, numerator as measure, true as is_numerator from marts.dim_indicator
        union all
        select indicator_id, denominator, false from marts.dim_indicator
        where denominator is not null
    ),
    figure as (
        select f.indicator_id, f.place_code, f.quarter, f.window_name, f.breakdown,
            f.breakdown_value, f.numerator, f.denominator
        from marts.fct_indicator as f
        join marts.dim_place as p using (place_code)
        where f.quarter = $quarter and f.membership_basis = 'at_the_time'
            and p.nation_code = $nation
        union all
        select indicator_id, place_code, quarter, window_name, breakdown, breakdown_value,
            numerator, denominator
        from marts.rpt_indicator_breakdown
        where quarter = $quarter and membership_basis = 'at_the_time' and nation_code = $nation
    )
    select distinct
        u.measure,
        f.place_code as place,
        f.breakdown,
        f.breakdown_value as part,
        f.window_name as "window",
        f.quarter,
        cast(case when u.is_numerator then f.numerator else f.denominator end as bigint) as value
    from figure as f
    join used as u using (indicator_id)
"""

_MEASURES = """
    select distinct m.measure, m.subject, m.timing = 'stock' as is_stock,
        i.denominator as contributors
    from marts.dim_measure as m
    left join marts.dim_indicator as i
        on i.numerator = m.measure and i.unit in ('days', 'months')
    order by m.measure
"""

_PLACES = """
    select distinct r.return_name as subject, t.place_code, t.sender_code, p.kind,
        q.quarter_index
    from marts.dim_place_sender as t
    join marts.dim_quarter as q using (quarter)
    join marts.dim_place as p on p.place_code = t.place_code
    join marts.fct_return as r
        on r.sender_code = t.sender_code and r.quarter = t.quarter and r.is_due
    where t.membership_basis = 'at_the_time' and p.nation_code = $nation
        and q.quarter_index <= $last
    order by subject, place_code, quarter_index, sender_code
"""


def cells_of(
    connection: duckdb.DuckDBPyConnection,
    nation_code: str,
    quarter: Quarter,
    subset_relations: SubsetRelations,
    known: pl.DataFrame | None = None,
) -> ReleaseCells:
    """Every cell of one nation that the release of ``quarter`` would publish, zeros included.

    ``known`` is what earlier releases showed (KNOWN_SCHEMA): the relations reach over its quarters
    and windows as well, be they earlier or later ones.

    A cell is there for each measure of an indicator in force, in every place where a return of
    its subject is due, by every part of every breakdown. ``value`` is null where no return was
    accepted. Membership is that of the time.
    """
    counted = connection.execute(_CELLS, {"quarter": quarter.label, "nation": nation_code}).pl()
    measures = connection.execute(_MEASURES).pl()
    parts = connection.execute(
        "select subject, breakdown, breakdown_value as part from marts.dim_breakdown"
        " where breakdown <> 'total' order by all"
    ).pl()
    measures = measures.filter(pl.col("measure").is_in(counted["measure"].unique()))
    _check_one_row_each(measures)
    # Zeros are published too, and a reader reckons with them; the warehouse stores only parts in
    # which somebody is, a thirtieth of all.
    cells = _with_zeros(counted, measures, parts)
    windows, quarters = set(cells["window"]), {quarter}
    if known is not None:
        # Earlier releases may have shown windows that this one does not, and their differences
        # still hold.
        windows |= set(known["window"])
        quarters |= {Quarter.parse(label) for label in known["quarter"].unique()}
    places, lives = _place_relations(connection, nation_code, max(quarters))
    relations = Relations(
        measures=measures,
        places=places,
        lives=lives,
        breakdowns=parts,
        windows=window_relations(sorted(windows), sorted(quarters)),
        kinds=connection.execute(
            "select place_code as place, kind from marts.dim_place order by place_code"
        ).pl(),
        subset_relations=subset_relations,
    )
    ratios = connection.execute(
        "select indicator_id, numerator, denominator, unit, multiplier, rounding"
        " from marts.dim_indicator where denominator is not null order by indicator_id"
    ).pl()
    ratios = ratios.filter(pl.col("numerator").is_in(measures["measure"]))
    return ReleaseCells(cells.sort(KEY), relations, ratios)


def _check_one_row_each(measures: pl.DataFrame) -> None:
    twice = measures.filter(pl.col("measure").is_duplicated())["measure"].unique().sort()
    if len(twice):
        raise DisclosureError(f"{', '.join(twice)}: two measures count whose days these are")


def _with_zeros(counted: pl.DataFrame, measures: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """The warehouse keeps no row for a part in which nobody is: it is a published zero."""
    totals = counted.filter(pl.col("breakdown") == TOTAL)
    every = (
        totals.join(measures.select("measure", "subject"), on="measure")
        .drop("breakdown", "part")
        .rename({"value": "total"})
        .join(parts, on="subject")
        .drop("subject")
    )
    key = list(KEY)
    filled = every.join(counted, on=key, how="left").with_columns(
        pl.when(pl.col("total").is_null())
        .then(None)
        .otherwise(pl.col("value").fill_null(0))
        .alias("value")
    )
    columns = [*key, "value"]
    return pl.concat([totals.select(columns), filled.select(columns)]).cast(pl.Schema(CELL_SCHEMA))


def _place_relations(
    connection: duckdb.DuckDBPyConnection, nation_code: str, quarter: Quarter
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Places as sums of smaller ones over stretches of quarters, and how long each place lives.

    A nation is the sum of its regions and agencies and of the senders in none of them, and, where
    these changed, also of all senders.
    """
    rows = connection.execute(_PLACES, {"nation": nation_code, "last": quarter.index}).fetchall()
    senders: dict[tuple[str, str, int], set[str]] = {}
    kinds: dict[str, str] = {}
    # A place lives as long as a return of its subject is due from somebody there.
    lives: dict[tuple[str, str], tuple[int, int]] = {}
    for subject, place, sender, kind, index in rows:
        senders.setdefault((subject, place, index), set()).add(sender)
        kinds[place] = kind
        first, last = lives.get((subject, place), (index, index))
        lives[subject, place] = (min(first, index), max(last, index))
    stretches: dict[tuple[str, str, str], list[tuple[int, int, frozenset[str]]]] = {}
    for (subject, place, index), members in sorted(senders.items()):
        for scheme, parts in _schemes(subject, place, index, members, senders, kinds):
            if parts != {place}:
                # A body's own return beside its members' is in its figure and in no other cell.
                # Without a cell of its own that part is never shown, so the sum of the members only
                # bounds the body.
                named = frozenset(f"{place}{OWN}" if part == place else part for part in parts)
                _lengthen(stretches.setdefault((subject, place, scheme), []), index, named)
    quarters = {"first": pl.Int64, "last": pl.Int64}
    places = pl.DataFrame(
        [
            (subject, parent, scheme, member, first, last)
            for (subject, parent, scheme), stretches_of_parent in stretches.items()
            if scheme != SENDERS
            or kinds[parent] != "nation"
            or _changes(stretches, subject, parent)
            for first, last, members in stretches_of_parent
            for member in sorted(members)
        ],
        schema={
            **dict.fromkeys(("subject", "parent", "scheme", "member"), pl.String),
            **quarters,
        },
        orient="row",
    )
    alive = pl.DataFrame(
        [(*key, *life) for key, life in sorted(lives.items())],
        schema={"subject": pl.String, "place": pl.String, **quarters},
        orient="row",
    )
    return places, alive


def _changes(stretches: dict, subject: str, nation: str) -> bool:
    return len(stretches.get((subject, nation, REGIONS), ())) > 1


def _schemes(
    subject: str,
    place: str,
    index: int,
    members: set[str],
    senders: dict[tuple[str, str, int], set[str]],
    kinds: dict[str, str],
) -> list[tuple[str, frozenset[str]]]:
    if kinds[place] != "nation":
        return [(SENDERS, frozenset(members))]
    rest = set(members)
    whole: set[str] = set()
    groups = sorted(
        group
        for group, kind in kinds.items()
        if kind in ("region", "regional_agency") and (subject, group, index) in senders
    )
    for group in groups:
        inside = senders[subject, group, index]
        if inside <= rest:
            rest -= inside
            whole.add(group)
    return [(REGIONS, frozenset(whole | rest)), (SENDERS, frozenset(members))]


def _lengthen(
    stretches: list[tuple[int, int, frozenset[str]]], index: int, members: frozenset[str]
) -> None:
    if stretches and stretches[-1][1] == index - 1 and stretches[-1][2] == members:
        stretches[-1] = (stretches[-1][0], index, members)
    else:
        stretches.append((index, index, frozenset(members)))
