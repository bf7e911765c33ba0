"""All equations among the numbers an attacker sees, from the declared relations alone."""

from __future__ import annotations

import polars as pl

from pipelines.disclosure.audit.numbers import QUANTITY, SeenNumbers
from pipelines.disclosure.cells import TOTAL


class EquationRows:
    """Rows of equations and inequalities, and the numbers that only differences of windows give.

    ``rows``: frames of row, number, sign, is_least (at least zero instead of equal).
    ``numbers`` are those seen, and behind them the differences (``is_difference``).
    """

    def __init__(self, seen: SeenNumbers):
        self.seen, self.relations = seen, seen.relations
        self.numbers, self.vintages, self.empty = seen.numbers, seen.vintages, seen.empty
        self._equations()

    def _equations(self) -> None:
        self.rows: list[pl.DataFrame] = []
        self.numbers = self.numbers.with_columns(pl.lit(False).alias("is_difference"))
        releases = self.vintages["release"].unique().sort().to_list()
        is_revised = self.numbers.select(QUANTITY).n_unique() < self.numbers.height
        # As each release stood when it came out. Where no number was ever revised the newest one
        # has all.
        for release in releases if is_revised else releases[-1:]:
            newest = (
                self.vintages.filter(pl.col("release") <= release)
                .sort("release", "number")
                .unique(subset=QUANTITY, keep="last", maintain_order=True)
                .drop("release")
                .join(
                    self.relations.measures.select("measure", "subject", "is_stock"), on="measure"
                )
            )
            self._place_rows(newest)
            self._breakdown_rows(newest)
            self._relation_rows(pl.concat([newest, self._window_rows(newest)]))

    def _add(self, entries: pl.DataFrame, missing: pl.DataFrame, by: list[str]) -> None:
        """Rows by key: whole (+1) less parts (-1); at least zero where a part is missing.

        ``entries``: by, number, sign. ``missing``: keys of rows that lack a part. A row of numbers
        of different releases that does not add up is left out: it says nothing.
        """
        if not len(entries):
            return
        keyed = entries.with_columns(pl.struct(by).rank("dense").cast(pl.Int64).alias("row"))
        lacking = keyed.join(missing.select(by).unique(), on=by, how="semi")["row"].unique()
        keyed = keyed.with_columns(pl.col("row").is_in(lacking.implode()).alias("is_least"))
        values = keyed.join(self.numbers.select("number", "value"), on="number", how="left")
        sums = values.group_by("row").agg(
            (pl.col("value") * pl.col("sign")).sum().alias("left"),
            pl.col("is_least").first(),
            pl.len().alias("length"),
        )
        # True values decide which rows hold; the attacker, who has the tables, sees it from the
        # totals.
        good = sums.filter(
            ((pl.col("left") == 0) & ~pl.col("is_least"))
            | ((pl.col("left") >= 0) & pl.col("is_least"))
        ).filter(pl.col("length") > 1)
        kept = keyed.join(good.select("row"), on="row", how="semi")
        self.rows.append(kept.select("row", "number", "sign", "is_least"))

    def _place_rows(self, newest: pl.DataFrame) -> None:
        wholes = newest.rename({"place": "parent"}).join(
            self.relations.places.rename({"first": "start", "last": "stop"}),
            on=["subject", "parent"],
        )
        wholes = wholes.with_columns(
            pl.max_horizontal("first", "start").alias("start"),
            pl.min_horizontal("last", "stop").alias("stop"),
        ).filter(pl.col("start") <= pl.col("stop"))
        if not len(wholes):
            return
        by = ["whole", "scheme"]
        wholes = wholes.rename({"number": "whole"})
        covered = (
            wholes.select(*by, "first", "last", "start", "stop")
            .unique()
            .group_by(*by, "first", "last")
            .agg((pl.col("stop") - pl.col("start") + 1).sum().alias("quarters"))
        )
        short = covered.filter(pl.col("quarters") < pl.col("last") - pl.col("first") + 1)
        order = [*by, "member", "start"]
        portions = (
            wholes.sort(order)
            .with_columns(
                # A member that left and came back is two portions, and their sum is in no table.
                (pl.col("start") - pl.col("stop").shift(1).over([*by, "member"]) > 1)
                .fill_null(False)
                .cum_sum()
                .over([*by, "member"])
                .alias("stretch")
            )
            .group_by(*by, "member", "stretch", "subject", "measure", "breakdown", "part")
            .agg(pl.col("start").min(), pl.col("stop").max())
            .join(
                self.relations.lives.rename({"place": "member", "first": "born", "last": "died"}),
                on=["subject", "member"],
                how="left",
            )
        )
        first, last = pl.max_horizontal("start", "born"), pl.min_horizontal("stop", "died")
        portions = portions.with_columns(
            pl.when(first <= last).then(first).otherwise("start").alias("first"),
            pl.when(first <= last).then(last).otherwise("stop").alias("last"),
            pl.col("member").alias("place"),
        )
        self._whole_and_parts(newest, portions, by, short)

    def _whole_and_parts(
        self, newest: pl.DataFrame, parts: pl.DataFrame, by: list[str], short: pl.DataFrame
    ) -> None:
        """Rows of ``whole`` less whatever is found for ``parts`` (keys of quantities)."""
        quantities = parts.select(*by, *QUANTITY).join(
            newest.select(*QUANTITY, "number"), on=QUANTITY, how="left"
        )
        # A part whose place sent nothing is no gap: it adds nothing to the whole.
        absent = quantities.filter(pl.col("number").is_null()).join(
            self.empty, on=QUANTITY, how="anti"
        )
        present = quantities.filter(pl.col("number").is_not_null())
        missing = pl.concat([absent.select(by), short.select(by)]).unique()
        entries = pl.concat(
            [
                present.select(*by, "number", pl.lit(-1).alias("sign")),
                present.select(by)
                .unique()
                .with_columns(pl.col("whole").alias("number"), pl.lit(1).alias("sign")),
            ]
        )
        self._add(entries, missing, by)

    def _breakdown_rows(self, newest: pl.DataFrame) -> None:
        parts = (
            newest.filter(pl.col("breakdown") == TOTAL)
            .drop("breakdown", "part")
            .rename({"number": "whole"})
            .join(self.relations.breakdowns, on="subject")
            .with_columns(pl.col("breakdown").alias("by"))
        )
        self._whole_and_parts(newest, parts, ["whole", "by"], _no_rows(["whole", "by"]))

    def _window_rows(self, newest: pl.DataFrame) -> pl.DataFrame:
        """Each window is the sum of the stretches of quarters between all days that windows begin.

        A stretch that no window covers by itself is a number that nobody shows, but that windows
        leave over. Returns these, in the shape of ``newest``.
        """
        series = ["measure", "place", "breakdown", "part"]
        flows = newest.filter(~pl.col("is_stock"))
        flows = flows.filter(pl.len().over(series) > 1).with_columns(
            pl.struct(series).rank("dense").alias("series")
        )
        if not len(flows):
            return newest.clear()
        days = pl.concat(
            [
                flows.select("series", pl.col("first").alias("day")),
                flows.select("series", (pl.col("last") + 1).alias("day")),
            ]
        )
        stretches = (
            days.unique()
            .sort("series", "day")
            .with_columns(pl.col("day").shift(-1).over("series").alias("next"))
            .filter(pl.col("next").is_not_null())
            .join(
                flows.select("series", pl.col("first").alias("day"), pl.col("last"), "number"),
                left_on=["series", "day", pl.col("next") - 1],
                right_on=["series", "day", "last"],
                how="left",
            )
        )
        # Numbers of nobody's table: the year to date less the quarter is the quarters before.
        fresh = stretches.filter(pl.col("number").is_null())
        start = self.numbers.height
        fresh = fresh.with_columns(pl.int_range(start, start + len(fresh)).alias("number"))
        stretches = pl.concat([stretches.filter(pl.col("number").is_not_null()), fresh])
        entries = (
            flows.rename({"number": "whole"})
            .join(stretches, on="series")
            .filter(
                (pl.col("day") >= pl.col("first"))
                & (pl.col("next") <= pl.col("last") + 1)
                & (pl.col("number") != pl.col("whole"))
            )
            .select("whole", "number", pl.lit(-1).alias("sign"))
        )
        wholes = entries.select("whole").unique()
        entries = pl.concat(
            [
                entries,
                wholes.select("whole", pl.col("whole").alias("number"), pl.lit(1).alias("sign")),
            ]
        ).with_columns(pl.col("whole").rank("dense").cast(pl.Int64).alias("row"))
        self.rows.append(entries.select("row", "number", "sign", pl.lit(False).alias("is_least")))
        return self._differences(newest, flows, fresh)

    def _differences(
        self, newest: pl.DataFrame, flows: pl.DataFrame, fresh: pl.DataFrame
    ) -> pl.DataFrame:
        """Note the stretches as numbers of their own, with their true values."""
        about = flows.unique("series").drop("first", "last", "number", "value", strict=False)
        valued = flows.join(self.numbers.select("number", "value"), on="number", how="left")
        since = _since_the_first_day(valued)
        differences = (
            fresh.join(since, on=["series", "day"], how="left")
            .join(since, left_on=["series", "next"], right_on=["series", "day"], how="left")
            .with_columns(
                # Two windows without a common day, directly or by others, leave no difference to
                # work out.
                pl.when(pl.col("island") == pl.col("island_right"))
                .then(pl.col("sum_right") - pl.col("sum"))
                .alias("value"),
                pl.col("day").alias("first"),
                (pl.col("next") - 1).alias("last"),
            )
            .join(about, on="series")
            .sort("number")
        )
        added = differences.with_columns(
            *(pl.lit(None, self.numbers.schema[name]).alias(name) for name in ("low", "high")),
            pl.lit(None, pl.String).alias("latest"),
            pl.lit(False).alias("is_now"),
            pl.lit(True).alias("is_difference"),
        )
        self.numbers = pl.concat([self.numbers, added.select(self.numbers.columns)])
        return differences.filter(pl.col("value").is_not_null()).select(newest.columns)

    def _relation_rows(self, newest: pl.DataFrame) -> None:
        subset_relations = self.relations.subset_relations
        measured = set(newest["measure"].unique())
        wholes = [(each.whole, each.parts, False) for each in subset_relations.partitions]
        wholes += [(each.whole, (each.part,), True) for each in subset_relations.subsets]
        for whole_measure, parts, is_only_part in wholes:
            if whole_measure not in measured or measured.isdisjoint(parts):
                continue
            whole = newest.filter(pl.col("measure") == whole_measure).rename({"number": "whole"})
            keys = whole.drop("measure").join(pl.DataFrame({"measure": list(parts)}), how="cross")
            short = whole.select("whole") if is_only_part else _no_rows(["whole"])
            self._whole_and_parts(newest, keys, ["whole"], short)
        for relation in subset_relations.slices:
            self._slice_rows(newest, relation, measured)
        self._cover_rows(newest)
        for relation in subset_relations.inclusions:
            within, part = relation.within
            whole = newest.filter((pl.col("breakdown") == within) & (pl.col("part") == part))
            whole = whole.rename({"number": "whole"}).drop("breakdown", "part")
            keys = whole.join(
                pl.DataFrame(
                    {
                        "breakdown": [relation.breakdown] * len(relation.parts),
                        "part": list(relation.parts),
                    }
                ),
                how="cross",
            )
            self._whole_and_parts(newest, keys, ["whole"], whole.select("whole"))

    def _cover_rows(self, newest: pl.DataFrame) -> None:
        """What several measures, or parts, count together is at least what they cover."""
        relations = self.relations.subset_relations
        for relation in relations.covers:
            of = pl.DataFrame({"measure": list(relation.by)})
            covered = newest.filter(pl.col("measure") == relation.covered)
            self._at_least(newest, covered, of, ["measure"])
        for relation in relations.part_covers:
            breakdown, part = relation.covered
            of = pl.DataFrame(relation.by, schema=["breakdown", "part"], orient="row")
            covered = newest.filter((pl.col("breakdown") == breakdown) & (pl.col("part") == part))
            self._at_least(newest, covered, of, ["breakdown", "part"])

    def _at_least(
        self, newest: pl.DataFrame, covered: pl.DataFrame, of: pl.DataFrame, named: list[str]
    ) -> None:
        keys = covered.rename({"number": "whole"}).drop(named).join(of, how="cross")
        found = keys.join(newest.select(*QUANTITY, "number"), on=QUANTITY)
        complete = found.group_by("whole").len().filter(pl.col("len") == of.height)
        found = found.join(complete, on="whole", how="semi")
        entries = pl.concat(
            [
                found.select("whole", "number", pl.lit(1).alias("sign")),
                found.select("whole")
                .unique()
                .select("whole", pl.col("whole").alias("number"), pl.lit(-1).alias("sign")),
            ]
        )
        self._add(entries, entries.select("whole"), ["whole"])

    def _slice_rows(self, newest: pl.DataFrame, relation, measured: set[str]) -> None:
        if relation.measure not in measured:
            return
        mine = newest.filter(pl.col("measure") == relation.measure)
        outside = mine.filter(
            (pl.col("breakdown") == relation.breakdown)
            & ~pl.col("part").is_in(list(relation.parts))
            & (pl.col("value") == 0)
        )
        zero = pl.col("number").is_in(outside["number"].implode())
        self.numbers = self.numbers.with_columns(
            pl.when(zero).then(0).otherwise("low").alias("low"),
            pl.when(zero).then(0).otherwise("high").alias("high"),
        )
        if relation.of is None or relation.of not in measured:
            return
        whole = (
            mine.filter(pl.col("breakdown") == TOTAL)
            .rename({"number": "whole"})
            .drop("measure", "breakdown", "part")
        )
        keys = whole.join(
            pl.DataFrame(
                {
                    "measure": [relation.of] * len(relation.parts),
                    "breakdown": [relation.breakdown] * len(relation.parts),
                    "part": list(relation.parts),
                }
            ),
            how="cross",
        )
        here = keys.join(newest.select(QUANTITY), on=QUANTITY, how="semi")
        complete = here.group_by("whole").len().filter(pl.col("len") == len(relation.parts))
        keys = keys.join(complete, on="whole", how="semi")
        self._whole_and_parts(newest, keys, ["whole"], _no_rows(["whole"]))


def _since_the_first_day(flows: pl.DataFrame) -> pl.DataFrame:
    """What each series counted from its first day to every other: series, day, island, sum.

    Days that no chain of windows joins lie on different islands; nothing is known between these.
    """
    edges: dict[int, list[tuple[int, int, int]]] = {}
    for series, first, last, value in flows.select("series", "first", "last", "value").iter_rows():
        edges.setdefault(series, []).append((first, last + 1, value))
    rows = []
    for series, windows in edges.items():
        steps: dict[int, list[tuple[int, int]]] = {}
        for start, stop, value in windows:
            steps.setdefault(start, []).append((stop, value))
            steps.setdefault(stop, []).append((start, -value))
        seen: dict[int, tuple[int, int]] = {}
        for island in sorted(steps):
            waiting = [] if island in seen else [(island, 0)]
            while waiting:
                day, total = waiting.pop()
                if day not in seen:
                    seen[day] = (island, total)
                    waiting += [(other, total + value) for other, value in steps[day]]
        rows += [(series, day, *since) for day, since in seen.items()]
    schema = {"series": flows.schema["series"], "day": pl.Int64, "island": pl.Int64}
    return pl.DataFrame(rows, schema={**schema, "sum": pl.Int64}, orient="row")


def _no_rows(columns: list[str]) -> pl.DataFrame:
    schema = {column: pl.Int64 if column == "whole" else pl.String for column in columns}
    return pl.DataFrame(schema=schema)
