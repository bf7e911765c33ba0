"""Changes of returns after a release: which may show in figures now, and which wait.

A return that comes late, is corrected or withdrawn changes every released number by its own share,
and whoever subtracts the two versions has that share: a table of one sender that is never
published. So figures rest on the numbers of each quarter as they were released first, until a
change can be taken in without telling a small number. Measures that are related wait together, so
that tables always add up and no share is of other returns than its denominator.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipelines.disclosure.cells import CELL_SCHEMA, KEY, KNOWN_SCHEMA, TOTAL, Relations

if TYPE_CHECKING:
    import duckdb

    from pipelines.declarations.disclosure import Rules
    from pipelines.disclosure.cells import ReleaseCells

SERIES = ["measure", "place", "breakdown", "part"]
QUARTER_SCHEMA = {**dict.fromkeys((*SERIES, "quarter"), pl.String), "value": pl.Int64}
UNIT = ["group", "quarter"]
LATEST = "~"  # sorts behind every release that was made
_QUARTERS = """
    with used as (
        select indicator_id, numerator as measure, true as is_numerator from marts.dim_indicator
        union all
        select indicator_id, denominator, false from marts.dim_indicator
        where denominator is not null
    ),
    figure as (
        select f.indicator_id, f.place_code, f.quarter, f.breakdown, f.breakdown_value,
            f.numerator, f.denominator
        from marts.fct_indicator as f
        join marts.dim_place as p using (place_code)
        where f.window_name = 'quarter' and f.quarter <= $last
            and f.membership_basis = 'at_the_time' and p.nation_code = $nation
        union all
        select indicator_id, place_code, quarter, breakdown, breakdown_value,
            numerator, denominator
        from marts.rpt_indicator_breakdown
        where window_name = 'quarter' and quarter <= $last
            and membership_basis = 'at_the_time' and nation_code = $nation
    )
    select distinct u.measure, f.place_code as place, f.breakdown, f.breakdown_value as part,
        f.quarter, cast(case when u.is_numerator then f.numerator else f.denominator end as bigint)
        as value
    from figure as f
    join used as u using (indicator_id)
    order by all
"""


@dataclass(frozen=True)
class Settled:
    """Cells of a release without the changes that wait.

    ``quarters``: the numbers of each quarter that the figures rest on (QUARTER_SCHEMA).
    ``known``: what earlier releases showed, and what these numbers are now. ``waiting`` and
    ``taken``: measure and quarter of changes since a release. Where nothing was released yet there
    are none.
    """

    cells: pl.DataFrame
    quarters: pl.DataFrame
    known: pl.DataFrame | None
    waiting: pl.DataFrame
    taken: pl.DataFrame


def quarters_of(connection: duckdb.DuckDBPyConnection, nation_code: str, last: str) -> pl.DataFrame:
    """The true number of every measure, place and part in each quarter up to ``last``: it is
    QUARTER_SCHEMA. A place without a return has null totals; a part without anybody has no row."""
    found = connection.execute(_QUARTERS, {"nation": nation_code, "last": last}).pl()
    return found.cast(pl.Schema(QUARTER_SCHEMA))


def settled(
    release: ReleaseCells,
    now: pl.DataFrame,
    before: pl.DataFrame | None,
    known: pl.DataFrame | None,
    rules: Rules,
) -> Settled:
    """What a release rests on. ``now``: the numbers of each quarter as returns have them;
    ``before``: as the release before rested on them, None where there is none."""
    now = now.filter(pl.col("measure").is_in(release.relations.measures["measure"].implode()))
    none = pl.DataFrame(schema={"measure": pl.String, "quarter": pl.String})
    if before is None or known is None:
        return Settled(release.cells, now, known, none, none)
    before = before.filter(pl.col("measure").is_in(now["measure"].unique().implode()))
    groups = _groups(release)
    changed = _changed(before, now).with_columns(
        group=pl.col("measure").replace_strict(groups, return_dtype=pl.Int64)
    )
    telling = _telling(changed, before, known, release, rules)
    units = changed.select(UNIT).unique()
    held = units.join(telling, on=UNIT, how="semi")
    basis = _mixed(before, now, held, groups)
    keys = list(KEY)
    cells = release.cells.select(keys).join(
        windowed(release.cells.select(keys), basis, release.relations), on=keys, how="left"
    )
    moved = changed.select("measure", "quarter", "group").unique()
    return Settled(
        cells=cells.cast(pl.Schema(CELL_SCHEMA)).sort(KEY),
        quarters=basis,
        known=_as_they_are_now(known, basis, release.relations),
        waiting=moved.join(held, on=UNIT, how="semi").select(none.columns).sort(none.columns),
        taken=moved.join(held, on=UNIT, how="anti").select(none.columns).sort(none.columns),
    )


def windowed(keys: pl.DataFrame, quarters: pl.DataFrame, relations: Relations) -> pl.DataFrame:
    """The value of each cell (KEY) by the numbers of its quarters: KEY and ``value``.

    A stock is that of the last quarter. Null where no quarter of the window has a return.
    """
    index = quarters.select("quarter").unique()
    index = index.with_columns(at=_index_of("quarter"))
    numbers = quarters.join(index, on="quarter").drop("quarter")
    spans = (
        keys.select(KEY)
        .unique()
        .join(relations.windows, on=["window", "quarter"])
        .join(relations.measures.select("measure", "is_stock"), on="measure")
        .with_columns(first=pl.when("is_stock").then("last").otherwise("first"))
    )
    # Whether anybody sent anything is told by the totals: a part without anybody has no row.
    totals = numbers.filter(pl.col("breakdown") == TOTAL, pl.col("value").is_not_null())
    sent = (
        spans.select("measure", "place", "window", "quarter", "first", "last")
        .unique()
        .join(totals.select("measure", "place", "at"), on=["measure", "place"])
        .filter(pl.col("at").is_between(pl.col("first"), pl.col("last")))
        .select("measure", "place", "window", "quarter")
        .unique()
        .with_columns(is_sent=pl.lit(True))
    )
    sums = (
        spans.join(numbers, on=SERIES)
        .filter(pl.col("at").is_between(pl.col("first"), pl.col("last")))
        .group_by(KEY)
        .agg(pl.col("value").sum())
    )
    return (
        spans.select(KEY)
        .join(sums, on=list(KEY), how="left")
        .join(sent, on=["measure", "place", "window", "quarter"], how="left")
        .with_columns(value=pl.when("is_sent").then(pl.col("value").fill_null(0)))
        .drop("is_sent")
    )


def _index_of(column: str) -> pl.Expr:
    """The index of a quarter by its label, such as 2020-21-Q4."""
    year = pl.col(column).str.slice(0, 4).cast(pl.Int64)
    return year * 4 + pl.col(column).str.slice(-1).cast(pl.Int64) - 1


def _changed(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Numbers that differ, of quarters that were released: SERIES, quarter, ``by``."""
    released = before["quarter"].unique()
    both = before.join(
        now.filter(pl.col("quarter").is_in(released.implode())),
        on=[*SERIES, "quarter"],
        how="full",
        coalesce=True,
        suffix="_now",
    )
    return (
        both.filter(pl.col("value").ne_missing(pl.col("value_now")))
        .with_columns(by=pl.col("value_now").fill_null(0) - pl.col("value").fill_null(0))
        .select(*SERIES, "quarter", "by")
        # A part that was nobody and has no row now is no change; a total that came or went is.
        .filter((pl.col("by") != 0) | (pl.col("breakdown") == TOTAL))
    )


def _groups(release: ReleaseCells) -> dict[str, int]:
    """Measures that some relation, percentage or mean joins have one number."""
    relations, subset = release.relations, release.relations.subset_relations
    names = relations.measures["measure"].to_list()
    of = {name: number for number, name in enumerate(sorted(names))}

    def join(several: Iterable[str | None]) -> None:
        there = [name for name in several if name in of]
        numbers = {of[name] for name in there if name is not None}
        for name, number in of.items():
            if number in numbers:
                of[name] = min(numbers)

    for partition in subset.partitions:
        join((partition.whole, *partition.parts))
    for relation in subset.subsets:
        join((relation.whole, relation.part))
    for part in subset.slices:
        join((part.measure, part.of))
    for cover in subset.covers:
        join((cover.covered, *cover.by))
    for top, bottom in release.ratios.select("numerator", "denominator").iter_rows():
        join((top, bottom))
    return of


def _telling(
    changed: pl.DataFrame,
    before: pl.DataFrame,
    known: pl.DataFrame,
    release: ReleaseCells,
    rules: Rules,
) -> pl.DataFrame:
    """Groups and quarters of which some change, or difference of changes, is small: UNIT."""
    relations = release.relations
    seen = _seen(changed, known, relations)
    sums = relations.measures.filter(pl.col("contributors").is_not_null())
    counts = seen.join(sums, on="measure", how="anti")
    # A sum of days moves with the cases it is of, or it tells of a date that was corrected.
    days = (
        seen.join(sums.select("measure", "contributors"), on="measure")
        .join(
            counts.select(pl.col("measure").alias("contributors"), *SERIES[1:], "quarter", "by"),
            on=["contributors", *SERIES[1:], "quarter"],
            how="left",
            suffix="_cases",
        )
        .with_columns(by=pl.col("by_cases").fill_null(1))
    )
    of_all = changed.join(sums, on="measure", how="anti")
    differences = [
        counts.select(*UNIT, "by"),
        days.select(*UNIT, "by"),
        *_pairs(counts, of_all, release, rules),
    ]
    small = pl.col("by").abs().is_between(1, rules.smallest_shown - 1)
    return pl.concat(differences).filter(small).select(UNIT).unique()


def _seen(changed: pl.DataFrame, known: pl.DataFrame, relations: Relations) -> pl.DataFrame:
    """Changes of numbers that earlier releases counted somewhere, suppressed or not."""
    index = changed.select("quarter").unique().with_columns(at=_index_of("quarter"))
    spans = (
        known.select(*SERIES, "window", "quarter")
        .unique()
        .join(relations.windows, on=["window", "quarter"])
    )
    reached = (
        changed.join(index, on="quarter")
        .join(spans.select(*SERIES, "first", "last").unique(), on=SERIES)
        .filter(pl.col("at").is_between(pl.col("first"), pl.col("last")))
        .select(*SERIES, "quarter")
        .unique()
    )
    return changed.join(reached, on=[*SERIES, "quarter"], how="semi")


def _pairs(
    seen: pl.DataFrame, changed: pl.DataFrame, release: ReleaseCells, rules: Rules
) -> list[pl.DataFrame]:
    """What is left of a change without a part of it: UNIT and ``by``."""
    relations = release.relations
    columns = [*SERIES, "quarter", "by"]
    part = seen.select(columns)
    found = []
    # A measure without one that it contains.
    subsets = [(each.whole, each.part) for each in relations.subset_relations.subsets]
    subsets += [
        (each.whole, one) for each in relations.subset_relations.partitions for one in each.parts
    ]
    names = dict.fromkeys(("measure", "measure_of_part"), pl.String)
    wholes = pl.DataFrame(subsets, schema=names, orient="row")
    on = ["place", "breakdown", "part", "quarter"]
    found.append(
        seen.join(wholes, on="measure").join(
            part.rename({"measure": "measure_of_part", "by": "less"}),
            on=[*on, "measure_of_part"],
            how="left",
        )
    )
    # A total without one of its parts.
    totals = seen.filter(pl.col("breakdown") == TOTAL).drop("breakdown", "part")
    parts = part.filter(pl.col("breakdown") != TOTAL).rename({"by": "less"})
    found.append(totals.join(parts, on=["measure", "place", "quarter"]))
    # A place without one of those in it; and, before a sender, without its own.
    members = relations.places.select("parent", "member").unique()
    of_members = seen if rules.participants.senders == "none" else changed
    inside = of_members.select(columns).rename({"place": "member", "by": "less"})
    above = seen.rename({"place": "parent"}).join(members, on="parent")
    found.append(
        above.join(inside, on=["measure", "member", "breakdown", "part", "quarter"], how="inner")
    )
    if rules.participants.senders == "each":
        # A nation has its regions as members, and their senders below.
        deep = members.rename({"member": "between"}).join(
            members.rename({"parent": "between"}), on="between"
        )
        below = seen.rename({"place": "parent"}).join(
            deep.select("parent", "member").unique(), on="parent"
        )
        found.append(below.join(inside, on=["measure", "member", "breakdown", "part", "quarter"]))
    return [each.select(*UNIT, by=pl.col("by") - pl.col("less").fill_null(0)) for each in found]


def _mixed(
    before: pl.DataFrame, now: pl.DataFrame, held: pl.DataFrame, groups: dict[str, int]
) -> pl.DataFrame:
    """The numbers of each quarter: as before where a change waits, else as they are now."""
    group = pl.col("measure").replace_strict(groups, return_dtype=pl.Int64, default=None)
    old = before.with_columns(group=group).join(held, on=UNIT, how="semi")
    new = now.with_columns(group=group).join(held, on=UNIT, how="anti")
    return pl.concat([old, new]).select(list(QUARTER_SCHEMA)).sort(*SERIES, "quarter")


def _as_they_are_now(
    known: pl.DataFrame, basis: pl.DataFrame, relations: Relations
) -> pl.DataFrame:
    """What is known, and the numbers behind it that have changed since, shown by nobody yet."""
    latest = known.sort("release").unique(subset=list(KEY), keep="last", maintain_order=True)
    fresh = (
        latest.join(windowed(latest, basis, relations), on=list(KEY), suffix="_now")
        .filter(pl.col("value_now").is_not_null(), pl.col("value") != pl.col("value_now"))
        .with_columns(
            value=pl.col("value_now"),
            shown_from=pl.lit(None, pl.Int64),
            shown_to=pl.lit(None, pl.Int64),
            release=pl.lit(LATEST),
        )
        .select(list(KNOWN_SCHEMA))
    )
    return pl.concat([known, fresh.cast(pl.Schema(KNOWN_SCHEMA))])
