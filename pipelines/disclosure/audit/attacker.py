"""What an attacker sees of releases: every number, what is known of it, and all equations.

The equations are put up again here, in another way than for protection, from the cells and the
declared relations alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from scipy import sparse
from scipy.sparse import csgraph

from pipelines.disclosure.cells import KEY, TOTAL

QUANTITY = ["measure", "place", "breakdown", "part", "first", "last"]
CONCERNED = ["measure", "place", "breakdown"]
CLOSE = 1e-6


class AttackerView:
    """Numbers, what is known of each, and all equations among them."""

    def __init__(self, cells, shown, relations, rules, known, ratios, shown_ratios):
        self.relations, self.rules = relations, rules
        self.values_required = rules.protection.values
        self.contributors = {
            measure: counted
            for measure, counted in relations.measures.select("measure", "contributors").iter_rows()
        }
        self._collect(cells, shown, known, ratios, shown_ratios)
        self._equations()
        self._ratio_bounds(ratios, shown_ratios)
        self._assemble()

    # --- numbers ---

    def _collect(self, cells, shown, known, ratios, shown_ratios) -> None:
        now = self._quantities(cells.select(*KEY, "value")).join(
            shown.select(*KEY, "shown", "symbol", "base")
            if "base" in shown.columns
            else shown.select(*KEY, "shown", "symbol", pl.lit(1, dtype=pl.Int64).alias("base")),
            on=list(KEY),
            how="inner",
        )
        base = pl.col("base") if self.rules.method == "round" else pl.lit(1, dtype=pl.Int64)
        is_open = pl.col("symbol").is_null() & pl.col("shown").is_not_null()
        exact = is_open & (base == 1)
        now = now.with_columns(
            pl.when(exact)
            .then("value")
            .when(is_open)
            .then(pl.max_horizontal(pl.col("shown") - base // 2, pl.lit(0)))
            .alias("low"),
            pl.when(exact)
            .then("value")
            .when(is_open)
            .then(pl.col("shown") + (base - 1) // 2)
            .alias("high"),
        )
        now = self._sums_by_their_means(now, ratios, shown_ratios)
        self.now_cells = now.select(*KEY, "first", "last")
        frames = [now.select(*QUANTITY, "value", "low", "high", pl.lit("~now").alias("release"))]
        if known is not None and len(known):
            before = self._quantities(
                known.select(*KEY, "value", "shown_from", "shown_to", "release")
            )
            frames.append(
                before.select(
                    *QUANTITY,
                    "value",
                    pl.col("shown_from").alias("low"),
                    pl.col("shown_to").alias("high"),
                    "release",
                )
            )
        released = pl.concat(frames).filter(pl.col("value").is_not_null())
        # One number for each quantity and value: a revised one is another number.
        self.numbers = (
            released.group_by(*QUANTITY, "value")
            .agg(
                pl.col("low").max(),
                pl.col("high").min(),
                pl.col("release").max().alias("latest"),
                (pl.col("release") == "~now").any().alias("is_now"),
            )
            .sort(*QUANTITY, "value")
            .with_row_index("number")
            .with_columns(pl.col("number").cast(pl.Int64))
        )
        self.vintages = (
            released.select(*QUANTITY, "value", "release")
            .unique()
            .join(self.numbers.select(*QUANTITY, "value", "number"), on=[*QUANTITY, "value"])
            .sort("release", "number")
        )
        empty = self._quantities(cells.filter(pl.col("value").is_null()).select(*KEY, "value"))
        self.empty = empty.select(QUANTITY).unique()
        self.suppressed_now = self.numbers.filter(pl.col("low").is_null() & pl.col("is_now")).height
        self.suppressed_earlier = self.numbers.filter(
            pl.col("low").is_null() & ~pl.col("is_now")
        ).height

    def _quantities(self, frame: pl.DataFrame) -> pl.DataFrame:
        """With the quarters that each row counts, within the life of its place."""
        relations = self.relations
        joined = (
            frame.join(relations.windows, on=["window", "quarter"], how="left")
            .join(relations.measures.select("measure", "subject"), on="measure", how="left")
            .join(
                relations.lives.rename({"first": "born", "last": "died"}),
                on=["subject", "place"],
                how="left",
            )
        )
        first = pl.max_horizontal("first", "born")
        last = pl.min_horizontal("last", "died")
        inside = first <= last
        return joined.with_columns(
            pl.when(inside).then(first).otherwise("first").alias("first"),
            pl.when(inside).then(last).otherwise("last").alias("last"),
        )

    def _sums_by_their_means(self, now, ratios, shown_ratios):
        """A sum of days is known where its mean is shown and the number of cases is."""
        sums = [measure for measure, counted in self.contributors.items() if counted is not None]
        now = now.with_columns(
            pl.when(pl.col("measure").is_in(sums)).then(None).otherwise(pl.col("low")).alias("low"),
            pl.when(pl.col("measure").is_in(sums))
            .then(None)
            .otherwise(pl.col("high"))
            .alias("high"),
        )
        if ratios is None or shown_ratios is None or not sums:
            return now
        with_mean = (
            shown_ratios.filter(pl.col("shown").is_not_null() | (pl.col("symbol") == self._none))
            .join(ratios.select("indicator_id", "numerator", "denominator"), on="indicator_id")
            .filter(pl.col("numerator").is_in(sums))
        )
        where = ["place", "breakdown", "part", "window", "quarter"]
        counts = now.filter(pl.col("low") == pl.col("high")).select("measure", *where)
        known = (
            with_mean.join(
                counts.rename({"measure": "denominator"}), on=["denominator", *where], how="semi"
            )
            .select(pl.col("numerator").alias("measure"), *where)
            .unique()
            .with_columns(pl.lit(True).alias("is_known"))
        )
        return (
            now.join(known, on=["measure", *where], how="left")
            .with_columns(
                pl.when("is_known").then("value").otherwise("low").alias("low"),
                pl.when("is_known").then("value").otherwise("high").alias("high"),
            )
            .drop("is_known")
        )

    @property
    def _none(self) -> str:
        return self.rules.symbols.not_applicable

    # --- equations ---

    def _equations(self) -> None:
        """Rows as (kind, row, number, coefficient); kind 0 is equal, 1 at least zero."""
        self.rows: list[pl.DataFrame] = []
        self.numbers = self.numbers.with_columns(pl.lit(False).alias("is_difference"))
        releases = self.vintages["release"].unique().sort().to_list()
        seen = self.numbers.select(QUANTITY).n_unique() == self.numbers.height
        for release in releases[-1:] if seen else releases:
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
        of different releases that does not add up is left out: it subset_relations nothing.
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
        for n, relation in enumerate((*subset_relations.partitions, *subset_relations.subsets)):
            parts = getattr(relation, "parts", None) or (relation.part,)
            there = [part for part in parts if part in measured]
            if relation.whole not in measured or not there:
                continue
            whole = newest.filter(pl.col("measure") == relation.whole).rename({"number": "whole"})
            keys = whole.drop("measure").join(pl.DataFrame({"measure": list(parts)}), how="cross")
            only_part = n >= len(subset_relations.partitions)
            short = whole.select("whole") if only_part else _no_rows(["whole"])
            self._whole_and_parts(newest, keys, ["whole"], short)
        for relation in subset_relations.slices:
            self._slice_rows(newest, relation, measured)
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

    def _ratio_bounds(self, ratios, shown_ratios) -> None:
        """What a shown percentage or mean says of a part of it that is suppressed.

        To within half of its last place: (ratio - half) x below <= above <= (ratio + half) x below.
        """
        self.bounds: list[tuple[int, int, float, float]] = []
        self.zeros: list[int] = []
        if ratios is None or shown_ratios is None:
            return
        where = ["place", "breakdown", "part", "window", "quarter"]
        visible = shown_ratios.filter(
            pl.col("shown").is_not_null() | (pl.col("symbol") == self._none)
        ).join(ratios, on="indicator_id")
        parts = {}
        for role in ("numerator", "denominator"):
            keyed = visible.select("indicator_id", pl.col(role).alias("measure"), *where)
            parts[role] = (
                self._quantities(keyed.with_columns(pl.lit(0).alias("value")))
                .join(
                    self.numbers.filter("is_now").select(*QUANTITY, "number", "low", "high"),
                    on=QUANTITY,
                )
                .select(
                    "indicator_id",
                    *where,
                    pl.col("number").alias(role),
                    (pl.col("low").is_null() | (pl.col("low") < pl.col("high"))).alias(
                        f"{role}_open"
                    ),
                )
            )
        both = (
            visible.drop("numerator", "denominator")
            .join(parts["numerator"], on=["indicator_id", *where])
            .join(parts["denominator"], on=["indicator_id", *where])
        )
        both = both.filter(pl.col("numerator_open") | pl.col("denominator_open"))
        decimals = self.rules.percentages.decimals
        for row in both.sort("indicator_id", *where).iter_rows(named=True):
            if row["shown"] is None:
                self.zeros.append(row["denominator"])
                continue
            is_percent = row["unit"] == "percent" and decimals is not None
            half = 0.5 * 10.0 ** -(decimals if is_percent else row["rounding"])
            low = (row["shown"] - half) / row["multiplier"]
            high = (row["shown"] + half) / row["multiplier"]
            self.bounds.append((row["numerator"], row["denominator"], low, high))

    # --- the system ---

    def _assemble(self) -> None:
        numbers = self.numbers
        count = numbers.height
        self.value = numbers["value"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        low = numbers["low"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        high = numbers["high"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        self.is_difference = numbers["is_difference"].to_numpy()
        self.is_hidden = np.isnan(low) & ~self.is_difference
        self.is_sum = np.array(
            [self.contributors[measure] is not None for measure in numbers["measure"].to_list()],
            dtype=bool,
        )
        self.is_now = numbers["is_now"].to_numpy()
        self.rests_on_few = self._rests_on_few()
        floor = np.zeros(count)
        never_zero = self.rules.zeros == "shown" and not self.rules.zeros_may_be_secondary
        if never_zero:  # readers know that zeros are always shown
            floor[self.is_hidden & ~self.is_sum] = 1
        self.low = np.where(np.isnan(low), floor, low)
        self.high = np.where(np.isnan(high), np.inf, high)
        for number in self.zeros:
            self.high[number] = 0
        self.equal, self.least = self._matrices(count)

    def _rests_on_few(self) -> np.ndarray:
        """Sums of days of fewer cases than a mean is shown for; also where cases are not shown."""
        counted = pl.DataFrame(
            [pair for pair in self.contributors.items() if pair[1] is not None],
            schema={"measure": pl.String, "counted": pl.String},
            orient="row",
        )
        where = ["place", "breakdown", "part", "first", "last"]
        cases = self.numbers.filter(~pl.col("is_difference")).group_by("measure", *where)
        cases = cases.agg(pl.col("value").min().alias("cases")).rename({"measure": "counted"})
        joined = self.numbers.join(counted, on="measure", how="left", maintain_order="left").join(
            cases, on=["counted", *where], how="left", maintain_order="left"
        )
        few = pl.col("cases").fill_null(1).is_between(1, self.rules.means.fewest - 1)
        return joined.select(pl.col("counted").is_not_null() & few).to_series().to_numpy()

    def _matrices(self, count: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        pieces: dict[bool, list] = {False: [], True: []}
        starts = {False: 0, True: 0}
        for frame in self.rows:
            for is_least in (False, True):
                part = frame.filter(pl.col("is_least") == is_least)
                if not len(part):
                    continue
                row = part["row"].rank("dense").cast(pl.Int64).to_numpy() - 1 + starts[is_least]
                starts[is_least] = int(row.max()) + 1
                pieces[is_least].append((row, part["number"].to_numpy(), part["sign"].to_numpy()))
        for above, below, low, high in self.bounds:
            for sign, edge in ((1.0, low), (-1.0, high)):
                row = np.full(2, starts[True])
                starts[True] += 1
                entries = np.array([sign, -sign * edge])
                pieces[True].append((row, np.array([above, below]), entries))
        matrices = []
        for is_least in (False, True):
            if not pieces[is_least]:
                matrices.append(sparse.csr_matrix((0, count)))
                continue
            row, column, sign = (
                np.concatenate(parts) for parts in zip(*pieces[is_least], strict=True)
            )
            matrices.append(
                sparse.csr_matrix(
                    (sign.astype(float), (row, column)), shape=(starts[is_least], count)
                )
            )
        return matrices[0], matrices[1]

    def name(self, number: int) -> str:
        row = self.numbers.row(int(number), named=True)
        part = "" if row["breakdown"] == TOTAL else f", {row['breakdown']} {row['part']}"
        quarters = row["last"] - row["first"] + 1
        return f"{row['measure']}, {row['place']}{part}, {quarters} quarters"

    def whole_of(self, least_row: int) -> int:
        row = self.least[least_row].tocoo()
        return int(row.col[row.data > 0][0])

    def shown_differences(self) -> np.ndarray:
        """Inequalities among shown numbers alone that leave a small number as their difference."""
        rules = self.rules
        if rules.differences != "protected" or rules.method == "round":
            return np.zeros(0, dtype=np.int64)
        is_open = (self.high > self.low).astype(float)
        shown = np.where(self.high > self.low, 0.0, self.low)
        rest = self.least @ shown
        small = (rest > CLOSE) & (rest < rules.smallest_shown - CLOSE)
        small &= abs(self.least) @ is_open == 0
        small &= abs(self.least) @ self.is_sum.astype(float) == 0
        return np.array(
            [
                row
                for row in np.flatnonzero(small)
                if np.allclose(self.least[row].data, np.round(self.least[row].data))
            ],
            dtype=np.int64,
        )

    def around(self, number: int) -> sparse.csr_matrix:
        """Everything that shares an equation or inequality with a number, as one row."""
        both = sparse.vstack([self.equal, self.least], format="csr")
        rows = np.flatnonzero(np.asarray(both[:, [number]].todense()).ravel() != 0)
        return sparse.csr_matrix(abs(both[rows]).sum(axis=0))

    def cheapest_of(self, rows: list[sparse.csr_matrix]) -> pl.DataFrame:
        """Of each row the least number that is shown now and is not zero: KEY of its cells.

        Where a row has none, as among stretches that windows leave over, of what its numbers share
        an equation with.
        """
        chosen: set[int] = set()
        for row in rows:
            there = np.unique(row.tocoo().col)
            free = self._free(there)
            if not len(free):
                near = [self.around(number).tocoo().col for number in there.tolist()]
                free = self._free(np.unique(np.concatenate(near)))
            if len(free) and not chosen & set(free.tolist()):
                chosen.add(int(free[np.lexsort((free, self.value[free]))[0]]))
        wanted = self.numbers[sorted(chosen)].select(QUANTITY)
        return self.now_cells.join(wanted, on=QUANTITY, how="semi").select(KEY).sort(KEY)

    def _free(self, numbers: np.ndarray) -> np.ndarray:
        """Those of them that are shown now and could be suppressed instead."""
        is_now = self.is_now[numbers]
        is_shown = self.high[numbers] <= self.low[numbers]
        counts = (self.value[numbers] > 0) & ~self.is_sum[numbers]
        return numbers[is_now & is_shown & counts]

    def tables(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Connected unknowns: numbers, equations, inequalities."""
        is_open = self.high > self.low
        columns = np.flatnonzero(is_open)
        both = sparse.vstack([self.equal, self.least], format="csr")[:, columns]
        graph = sparse.block_array([[None, abs(both)], [abs(both).T, None]], format="csr")
        count, labels = csgraph.connected_components(graph, directed=False)
        of_row, of_column = labels[: both.shape[0]], labels[both.shape[0] :]
        hidden = np.bincount(of_column[self.is_hidden[columns]], minlength=count) > 0
        small = np.zeros(count, dtype=bool)
        small[of_column[self._has_to_hide(columns)]] = True
        row_order, start = _sorted(of_row, count)
        order, begin = _sorted(of_column, count)
        exact = self.equal.shape[0]
        for table in np.flatnonzero(hidden | small):
            rows = row_order[start[table] : start[table + 1]]
            mine = columns[order[begin[table] : begin[table + 1]]]
            yield mine, rows[rows < exact], rows[rows >= exact] - exact

    def _has_to_hide(self, columns: np.ndarray) -> np.ndarray:
        """Rounding suppresses nothing, but small numbers must be uncertain all the same."""
        value = self.value[columns]
        small = (value > 0) & (value < self.rules.smallest_shown) & ~self.is_sum[columns]
        if self.rules.method == "round":
            return small
        return small & self.is_difference[columns] & (self.rules.differences == "protected")


def _sorted(labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(labels, kind="stable")
    return order, np.searchsorted(labels[order], np.arange(count + 1))


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
        rows += [(series, day, *found) for day, found in seen.items()]
    schema = {"series": flows.schema["series"], "day": pl.Int64, "island": pl.Int64}
    return pl.DataFrame(rows, schema={**schema, "sum": pl.Int64}, orient="row")


def _no_rows(columns: list[str]) -> pl.DataFrame:
    schema = {column: pl.Int64 if column == "whole" else pl.String for column in columns}
    return pl.DataFrame(schema=schema)
