"""What an attacker sees of single numbers: each as shown, as bounds, or not at all."""

from __future__ import annotations

import polars as pl

from pipelines.disclosure.cells import KEY, Relations

QUANTITY = ["measure", "place", "breakdown", "part", "first", "last"]


class SeenNumbers:
    """Every number of this release and of earlier ones, one for each quantity and value.

    ``numbers``: number, QUANTITY, value, low and high (null where suppressed), latest release,
    ``is_now``. ``vintages``: which releases showed each. ``empty``: quantities of places that sent
    nothing. ``now_cells``: KEY and the quarters that each cell of this release counts.
    """

    def __init__(self, cells, shown, relations: Relations, rules, known, ratios, shown_ratios):
        self.relations, self.rules = relations, rules
        self.contributors = {
            measure: counted
            for measure, counted in relations.measures.select("measure", "contributors").iter_rows()
        }
        self._collect(cells, shown, known, ratios, shown_ratios)

    def _collect(self, cells, shown, known, ratios, shown_ratios) -> None:
        now = self.quantities_of(cells.select(*KEY, "value")).join(
            shown.select(*KEY, "shown", "symbol", "base")
            if "base" in shown.columns
            else shown.select(*KEY, "shown", "symbol", pl.lit(1, dtype=pl.Int64).alias("base")),
            on=list(KEY),
            how="inner",
        )
        # Where the rules suppress and then round, the attacker is given the unrounded number:
        # rounding is for readers then, and protection must not rest on it.
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
        # No table shows a sum of days; a mean times its cases is one.
        now = self._sums_by_their_means(now, ratios, shown_ratios)
        self.now_cells = now.select(*KEY, "first", "last")
        frames = [now.select(*QUANTITY, "value", "low", "high", pl.lit("~now").alias("release"))]
        if known is not None and len(known):
            before = self.quantities_of(
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
        # An empty cell says that no return came; nobody's number can be worked out from it.
        released = pl.concat(frames).filter(pl.col("value").is_not_null())
        # One number for each quantity and value: a revised one is another number.
        self.numbers = (
            released.group_by(*QUANTITY, "value")
            .agg(
                # What several releases say of one number is put together: a reader has all of them.
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
        empty = self.quantities_of(cells.filter(pl.col("value").is_null()).select(*KEY, "value"))
        self.empty = empty.select(QUANTITY).unique()
        self.suppressed_now = self.numbers.filter(pl.col("low").is_null() & pl.col("is_now")).height
        self.suppressed_earlier = self.numbers.filter(
            pl.col("low").is_null() & ~pl.col("is_now")
        ).height

    def quantities_of(self, frame: pl.DataFrame) -> pl.DataFrame:
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
        # The symbol for "nobody" tells as much as a number: the sum is zero.
        with_mean = (
            shown_ratios.filter(
                pl.col("shown").is_not_null() | (pl.col("symbol") == self.not_applicable)
            )
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
    def not_applicable(self) -> str:
        """The symbol of a percentage or mean of nobody."""
        return self.rules.symbols.not_applicable
