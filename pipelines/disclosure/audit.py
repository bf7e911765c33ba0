"""What an attacker can find out from a release: an audit that knows nothing of how it was made.

The attacker knows every shown number, percentage and mean, of this release and of all earlier
ones, and how they hang together: places, parts, windows, definitions. For each number that is
kept back, linear programs look for its least and its greatest possible value. Nothing here is
shared with the protection except the cells and the declared relations: the equations are put up
again, in another way.

1. *Rank*: numbers that the equations fix exactly, found without any linear program.
2. *Other worlds*: tables in whole numbers that fit everything shown, far away from the true one.
   Each shows for many numbers at once that they can be smaller or greater. That children come
   whole is no help to the attacker, then.
3. *Least and greatest* value of whatever is still open, one program each, in whole numbers too.

The report says how wide the intervals are, never where they lie.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from scipy import sparse
from scipy.sparse import csgraph

from pipelines.declarations.disclosure import Rules
from pipelines.disclosure.cells import KEY, TOTAL, Relations

QUANTITY = ["measure", "place", "breakdown", "part", "first", "last"]
CONCERNED = ["measure", "place", "breakdown"]
CLOSE = 1e-6
WORLDS = 60  # linear programs for all open numbers of a table before each is asked for by itself
NEAR = 1_500  # unknowns of a world that differs from the true one around a single number
NODES = 50  # of the search for such a world; if that is not enough, a wider one is made
MENDED = 5_000  # unknowns that a world of many numbers may round together: 6,600 took 5 s
FAR = 20.0  # how far from the truth other worlds may lie; real attackers have no such limit


@dataclass(frozen=True)
class AuditReport:
    """``failures`` names tables (never values); ``figures`` is ready for JSON.

    ``more_to_keep_back``: KEY of shown cells, one quantity for each failure, without which that
    number might not be told so closely. ``concerned``: measure, place and breakdown of every number
    in a failure.
    """

    passed: bool
    failures: tuple[str, ...]
    figures: dict
    more_to_keep_back: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=dict.fromkeys(KEY, pl.String))
    )
    concerned: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=dict.fromkeys(CONCERNED, pl.String))
    )

    def as_dict(self) -> dict:
        return {"passed": self.passed, "failures": list(self.failures), **self.figures}


@dataclass
class _Found:
    """Widths of one connected table, for the report."""

    widths: list[int] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    row_failures: list[int] = field(default_factory=list)
    exact: int = 0
    narrow: int = 0
    by_worlds: int = 0
    by_programs: int = 0
    programs: int = 0


def audit(
    cells: pl.DataFrame,
    shown: pl.DataFrame,
    relations: Relations,
    rules: Rules,
    known: pl.DataFrame | None = None,
    ratios: pl.DataFrame | None = None,
    shown_ratios: pl.DataFrame | None = None,
    threads: int = 1,
) -> AuditReport:
    """Audit what is ``shown`` (KEY, shown, symbol, and base for rounded ones) of true ``cells``.

    ``known``: what earlier releases told (KNOWN_SCHEMA). ``ratios``: the indicators (RATIO_SCHEMA),
    ``shown_ratios``: what is shown of them (indicator_id, place and time, shown, symbol).
    Fails if any number kept back, now or earlier, can be told more closely than the rules allow.
    """
    begun, wall = time.process_time(), time.perf_counter()
    view = _View(cells, shown, relations, rules, known, ratios, shown_ratios)
    tables = list(view.tables())
    work = [_Table(view, *table) for table in tables]
    work.sort(key=lambda table: -len(table.columns))  # so that no thread ends long after another
    if threads <= 1:
        found = [table.examine() for table in work]
    else:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(lambda table: table.examine(), work))
    names, given_away, concerned = [], [], []
    for table, result in zip(work, found, strict=True):
        names += [view.name(table.columns[number]) for number in result.failures]
        concerned += [int(table.columns[number]) for number in result.failures]
        given_away += [view.around(table.columns[number]) for number in result.failures]
        names += [
            f"{view.name(table.whole_of(number))}: what remains of it"
            for number in result.row_failures
        ]
        given_away += [view.least[table.least_rows[number]] for number in result.row_failures]
        for number in result.row_failures:
            concerned += view.least[table.least_rows[number]].tocoo().col.tolist()
    bare = view.bare_remainders()
    for row in bare:
        concerned += view.least[row].tocoo().col.tolist()
    names += [f"{view.name(view.whole_of(row))}: what remains of it" for row in bare]
    given_away += [view.least[row] for row in bare]
    widths = np.array([width for result in found for width in result.widths], dtype=float)
    figures = {
        "numbers_kept_back": len(widths),
        "kept_back_now": int(view.kept_back_now),
        "kept_back_earlier": int(view.kept_back_earlier),
        "told_exactly": sum(result.exact for result in found),
        "two_values_or_fewer": sum(result.narrow for result in found),
        "possible_values_at_least": _histogram(widths),
        "least_margin": None if not len(widths) else int(widths.min() - view.values_required),
        "remainders_examined": int(sum(len(table.secret_rows) for table in work)) + len(bare),
        "shown_wide_by_other_worlds": sum(result.by_worlds for result in found),
        "shown_wide_one_by_one": sum(result.by_programs for result in found),
        "tables": len(work),
        "equations": int(view.equal.shape[0]),
        "inequalities": int(view.least.shape[0]),
        "linear_programs": sum(result.programs for result in found),
        "cpu_seconds": round(time.process_time() - begun, 3),
        "seconds": round(time.perf_counter() - wall, 3),
    }
    about = view.numbers[sorted(set(concerned))].select(CONCERNED).unique().sort(CONCERNED)
    return AuditReport(not names, tuple(names), figures, view.cheapest_of(given_away), about)


def _histogram(widths: np.ndarray) -> dict[str, int]:
    """How many numbers have how many possible values, at least."""
    edges = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 10), (11, 20), (21, None))
    found = {}
    for low, high in edges:
        name = f"{low}" if low == high else f"{low} or more" if high is None else f"{low} to {high}"
        inside = (widths >= low) & ((widths <= high) if high is not None else True)
        found[name] = int(inside.sum())
    return found


# --- what the attacker sees ---------------------------------------------------


class _View:
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
        told = pl.concat(frames).filter(pl.col("value").is_not_null())
        # One number for each quantity and value: a revised one is another number.
        self.numbers = (
            told.group_by(*QUANTITY, "value")
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
            told.select(*QUANTITY, "value", "release")
            .unique()
            .join(self.numbers.select(*QUANTITY, "value", "number"), on=[*QUANTITY, "value"])
            .sort("release", "number")
        )
        empty = self._quantities(cells.filter(pl.col("value").is_null()).select(*KEY, "value"))
        self.empty = empty.select(QUANTITY).unique()
        self.kept_back_now = self.numbers.filter(pl.col("low").is_null() & pl.col("is_now")).height
        self.kept_back_earlier = self.numbers.filter(
            pl.col("low").is_null() & ~pl.col("is_now")
        ).height

    def _quantities(self, frame: pl.DataFrame) -> pl.DataFrame:
        """With the quarters that each row counts, within the life of its place."""
        relations = self.relations
        found = (
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
        return found.with_columns(
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
        told = (
            shown_ratios.filter(pl.col("shown").is_not_null() | (pl.col("symbol") == self._none))
            .join(ratios.select("indicator_id", "numerator", "denominator"), on="indicator_id")
            .filter(pl.col("numerator").is_in(sums))
        )
        where = ["place", "breakdown", "part", "window", "quarter"]
        counts = now.filter(pl.col("low") == pl.col("high")).select("measure", *where)
        told = (
            told.join(
                counts.rename({"measure": "denominator"}), on=["denominator", *where], how="semi"
            )
            .select(pl.col("numerator").alias("measure"), *where)
            .unique()
            .with_columns(pl.lit(True).alias("is_told"))
        )
        return (
            now.join(told, on=["measure", *where], how="left")
            .with_columns(
                pl.when("is_told").then("value").otherwise("low").alias("low"),
                pl.when("is_told").then("value").otherwise("high").alias("high"),
            )
            .drop("is_told")
        )

    @property
    def _none(self) -> str:
        return self.rules.symbols.not_applicable

    # --- equations ---

    def _equations(self) -> None:
        """Rows as (kind, row, number, coefficient); kind 0 is equal, 1 at least nought."""
        self.rows: list[pl.DataFrame] = []
        self.numbers = self.numbers.with_columns(pl.lit(False).alias("is_left_over"))
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
            self._tie_rows(pl.concat([newest, self._window_rows(newest)]))

    def _add(self, entries: pl.DataFrame, missing: pl.DataFrame, by: list[str]) -> None:
        """Rows by key: whole (+1) less parts (-1); at least nought where a part is missing.

        ``entries``: by, number, sign. ``missing``: keys of rows that lack a part. A row of numbers
        of different releases that does not add up is left out: it ties nothing.
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
        found = parts.select(*by, *QUANTITY).join(
            newest.select(*QUANTITY, "number"), on=QUANTITY, how="left"
        )
        absent = found.filter(pl.col("number").is_null()).join(self.empty, on=QUANTITY, how="anti")
        there = found.filter(pl.col("number").is_not_null())
        missing = pl.concat([absent.select(by), short.select(by)]).unique()
        entries = pl.concat(
            [
                there.select(*by, "number", pl.lit(-1).alias("sign")),
                there.select(by)
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
        return self._left_over(newest, flows, fresh)

    def _left_over(
        self, newest: pl.DataFrame, flows: pl.DataFrame, fresh: pl.DataFrame
    ) -> pl.DataFrame:
        """Note the stretches as numbers of their own, with their true values."""
        about = flows.unique("series").drop("first", "last", "number", "value", strict=False)
        valued = flows.join(self.numbers.select("number", "value"), on="number", how="left")
        since = _since_the_first_day(valued)
        found = (
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
        added = found.with_columns(
            *(pl.lit(None, self.numbers.schema[name]).alias(name) for name in ("low", "high")),
            pl.lit(None, pl.String).alias("latest"),
            pl.lit(False).alias("is_now"),
            pl.lit(True).alias("is_left_over"),
        )
        self.numbers = pl.concat([self.numbers, added.select(self.numbers.columns)])
        return found.filter(pl.col("value").is_not_null()).select(newest.columns)

    def _tie_rows(self, newest: pl.DataFrame) -> None:
        ties = self.relations.ties
        measured = set(newest["measure"].unique())
        for n, tie in enumerate((*ties.partitions, *ties.subsets)):
            parts = getattr(tie, "parts", None) or (tie.part,)
            there = [part for part in parts if part in measured]
            if tie.whole not in measured or not there:
                continue
            whole = newest.filter(pl.col("measure") == tie.whole).rename({"number": "whole"})
            keys = whole.drop("measure").join(pl.DataFrame({"measure": list(parts)}), how="cross")
            only_part = n >= len(ties.partitions)
            short = whole.select("whole") if only_part else _no_rows(["whole"])
            self._whole_and_parts(newest, keys, ["whole"], short)
        for tie in ties.slices:
            self._slice_rows(newest, tie, measured)
        for tie in ties.inclusions:
            within, part = tie.within
            whole = newest.filter((pl.col("breakdown") == within) & (pl.col("part") == part))
            whole = whole.rename({"number": "whole"}).drop("breakdown", "part")
            keys = whole.join(
                pl.DataFrame(
                    {"breakdown": [tie.breakdown] * len(tie.parts), "part": list(tie.parts)}
                ),
                how="cross",
            )
            self._whole_and_parts(newest, keys, ["whole"], whole.select("whole"))

    def _slice_rows(self, newest: pl.DataFrame, tie, measured: set[str]) -> None:
        if tie.measure not in measured:
            return
        mine = newest.filter(pl.col("measure") == tie.measure)
        outside = mine.filter(
            (pl.col("breakdown") == tie.breakdown)
            & ~pl.col("part").is_in(list(tie.parts))
            & (pl.col("value") == 0)
        )
        nought = pl.col("number").is_in(outside["number"].implode())
        self.numbers = self.numbers.with_columns(
            pl.when(nought).then(0).otherwise("low").alias("low"),
            pl.when(nought).then(0).otherwise("high").alias("high"),
        )
        if tie.of is None or tie.of not in measured:
            return
        whole = (
            mine.filter(pl.col("breakdown") == TOTAL)
            .rename({"number": "whole"})
            .drop("measure", "breakdown", "part")
        )
        keys = whole.join(
            pl.DataFrame(
                {
                    "measure": [tie.of] * len(tie.parts),
                    "breakdown": [tie.breakdown] * len(tie.parts),
                    "part": list(tie.parts),
                }
            ),
            how="cross",
        )
        here = keys.join(newest.select(QUANTITY), on=QUANTITY, how="semi")
        complete = here.group_by("whole").len().filter(pl.col("len") == len(tie.parts))
        keys = keys.join(complete, on="whole", how="semi")
        self._whole_and_parts(newest, keys, ["whole"], _no_rows(["whole"]))

    def _ratio_bounds(self, ratios, shown_ratios) -> None:
        """What a shown percentage or mean says of a part of it that is kept back.

        To within half of its last place: (ratio - half) x below <= above <= (ratio + half) x below.
        """
        self.bounds: list[tuple[int, int, float, float]] = []
        self.noughts: list[int] = []
        if ratios is None or shown_ratios is None:
            return
        where = ["place", "breakdown", "part", "window", "quarter"]
        told = shown_ratios.filter(
            pl.col("shown").is_not_null() | (pl.col("symbol") == self._none)
        ).join(ratios, on="indicator_id")
        parts = {}
        for role in ("numerator", "denominator"):
            keyed = told.select("indicator_id", pl.col(role).alias("measure"), *where)
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
            told.drop("numerator", "denominator")
            .join(parts["numerator"], on=["indicator_id", *where])
            .join(parts["denominator"], on=["indicator_id", *where])
        )
        both = both.filter(pl.col("numerator_open") | pl.col("denominator_open"))
        decimals = self.rules.percentages.decimals
        for row in both.sort("indicator_id", *where).iter_rows(named=True):
            if row["shown"] is None:
                self.noughts.append(row["denominator"])
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
        self.is_left_over = numbers["is_left_over"].to_numpy()
        self.is_hidden = np.isnan(low) & ~self.is_left_over
        self.is_sum = np.array(
            [self.contributors[measure] is not None for measure in numbers["measure"].to_list()],
            dtype=bool,
        )
        self.is_now = numbers["is_now"].to_numpy()
        self.rests_on_few = self._rests_on_few()
        floor = np.zeros(count)
        never_nought = self.rules.noughts == "shown" and not self.rules.noughts_may_cover
        if never_nought:  # readers know that noughts are always shown
            floor[self.is_hidden & ~self.is_sum] = 1
        self.low = np.where(np.isnan(low), floor, low)
        self.high = np.where(np.isnan(high), np.inf, high)
        for number in self.noughts:
            self.high[number] = 0
        self.equal, self.least = self._matrices(count)

    def _rests_on_few(self) -> np.ndarray:
        """Sums of days of fewer cases than a mean is shown for; also where cases are not told."""
        counted = pl.DataFrame(
            [pair for pair in self.contributors.items() if pair[1] is not None],
            schema={"measure": pl.String, "counted": pl.String},
            orient="row",
        )
        where = ["place", "breakdown", "part", "first", "last"]
        cases = self.numbers.filter(~pl.col("is_left_over")).group_by("measure", *where)
        cases = cases.agg(pl.col("value").min().alias("cases")).rename({"measure": "counted"})
        found = self.numbers.join(counted, on="measure", how="left", maintain_order="left").join(
            cases, on=["counted", *where], how="left", maintain_order="left"
        )
        few = pl.col("cases").fill_null(1).is_between(1, self.rules.means.fewest - 1)
        return found.select(pl.col("counted").is_not_null() & few).to_series().to_numpy()

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

    def bare_remainders(self) -> np.ndarray:
        """Inequalities among shown numbers alone that leave a small remainder: it is told."""
        rules = self.rules
        if rules.differences != "protected" or rules.method == "round":
            return np.zeros(0, dtype=np.int64)
        is_open = (self.high > self.low).astype(float)
        told = np.where(self.high > self.low, 0.0, self.low)
        rest = self.least @ told
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
        """Of each row the least number that is shown now and is not nought: KEY of its cells.

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
        """Those of them that are shown now and could be kept back instead."""
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
        """Under rounding nothing is kept back, but small numbers must be uncertain all the same."""
        value = self.value[columns]
        small = (value > 0) & (value < self.rules.smallest_shown) & ~self.is_sum[columns]
        if self.rules.method == "round":
            return small
        return small & self.is_left_over[columns] & (self.rules.differences == "protected")


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


# --- one connected table --------------------------------------------------------


class _Table:
    """Unknown numbers with the equations among them, what is known taken to the other side."""

    def __init__(self, view: _View, columns, equal_rows, least_rows):
        self.view, self.columns = view, columns
        fixed = np.where(view.high > view.low, 0.0, view.low)
        equal, least = view.equal[equal_rows], view.least[least_rows]
        self.equal, self.least = equal[:, columns].tocsr(), least[:, columns].tocsr()
        self.right = -(equal @ fixed)
        self.least_right = -(least @ fixed)
        self.value = view.value[columns]
        self.low, self.high = view.low[columns], view.high[columns]
        self.hidden = view.is_hidden[columns]
        self.is_sum = view.is_sum[columns]
        self.least_rows = least_rows
        self.both = sparse.vstack([self.equal, self.least], format="csc")
        self.links = abs(self.both).tocsr()
        self.whole_of_row = self._wholes()
        self._what_is_required(least)

    def _what_is_required(self, least: sparse.csr_matrix) -> None:
        rules, view = self.view.rules, self.view
        value = np.nan_to_num(self.value)
        below = np.minimum(rules.protection.below, value - self.low)
        need_low, need_high = value - below, value + rules.protection.above
        part = np.where(view.rests_on_few[self.columns], value * rules.means.percent / 100, 0.0)
        days = np.maximum(part, rules.means.days)
        need_low = np.where(self.is_sum, np.maximum(value - days, 0), need_low)
        need_high = np.where(self.is_sum, value + days, need_high)
        self.required = np.where(self.is_sum, 1, rules.protection.values)
        small = (value > 0) & (value < rules.smallest_shown) & ~self.is_sum
        left_over = view.is_left_over[self.columns] & (rules.differences == "protected")
        # Cover is no small number, and may be known not to be one, as where an earlier release
        # showed part of it; it must still have as many possible values, or days.
        is_small = np.where(self.is_sum, view.rests_on_few[self.columns], small)
        need_low = np.where(is_small, need_low, value)
        need_high = np.where(is_small, need_high, value)
        self.required = np.where(self.is_sum & ~is_small, rules.means.days, self.required)
        # Cover of an earlier release may come to light, and so may a nought where noughts are
        # shown; the small numbers they covered may not.
        is_secret = view.is_now[self.columns] & ((value > 0) | (rules.noughts != "shown"))
        self.target = (self.hidden & (is_secret | is_small)) | (small & left_over)
        if rules.method == "round":
            self.target = small
            need_low, need_high = value.copy(), value.copy()
        self.need_low, self.need_high = need_low, need_high
        known = np.isfinite(view.value)
        rest = least @ np.where(known, np.nan_to_num(view.value), 0.0)
        signed = np.abs(least.data - np.round(least.data)) < CLOSE
        whole_numbers = np.ones(least.shape[0], dtype=bool)
        whole_numbers[np.repeat(np.arange(least.shape[0]), np.diff(least.indptr))[~signed]] = False
        secret = (rest > 0) & (rest < rules.smallest_shown) & whole_numbers
        secret &= (rules.differences == "protected") & (rules.method != "round")
        secret &= ~self._is_of_sums(least)
        self.secret_rows = np.flatnonzero(secret & (np.diff(self.least.indptr) > 0))
        self.rest = rest

    def _wholes(self) -> np.ndarray:
        """For each inequality one unknown of it that is added, if there is any."""
        entries = self.least.tocoo()
        found = np.zeros(self.least.shape[0], dtype=np.int64)
        found[entries.row] = entries.col
        plus = entries.data > 0
        found[entries.row[plus]] = entries.col[plus]
        return found

    def _is_of_sums(self, least: sparse.csr_matrix) -> np.ndarray:
        return (abs(least) @ self.view.is_sum.astype(float)) > 0

    def whole_of(self, number: int) -> int:
        return self.view.whole_of(self.least_rows[number])

    # --- the three steps ---

    def examine(self) -> _Found:
        found = _Found()
        self.found = found
        self.reached_low = np.nan_to_num(self.value).copy()
        self.reached_high = np.nan_to_num(self.value).copy()
        self.row_low, self.row_high = self.rest.copy(), self.rest.copy()
        fixed = self._fixed_by_rank()
        self._other_worlds(~fixed)
        found.by_worlds = int((self.target & ~self._open()).sum())
        self._one_by_one()
        self._conclude()
        return found

    def _open(self) -> np.ndarray:
        """Numbers not shown to be wide enough yet."""
        enough = (self.reached_low <= self.need_low + CLOSE) & (
            self.reached_high >= self.need_high - CLOSE
        )
        enough &= self._possible() >= self.required
        return self.target & ~enough

    def _possible(self) -> np.ndarray:
        """How many whole numbers lie in each interval."""
        return np.floor(self.reached_high + CLOSE) - np.ceil(self.reached_low - CLOSE) + 1

    def _rows_open(self) -> np.ndarray:
        protection = self.view.rules.protection
        found = np.zeros(len(self.rest), dtype=bool)
        rows = self.secret_rows
        low, high, rest = self.row_low[rows], self.row_high[rows], self.rest[rows]
        enough = (low <= rest - np.minimum(protection.below, rest) + CLOSE) & (
            high >= rest + protection.above - CLOSE
        )
        enough &= np.floor(high + CLOSE) - np.ceil(low - CLOSE) + 1 >= protection.values
        found[rows] = ~enough
        return found

    def _fixed_by_rank(self) -> np.ndarray:
        """Numbers that the equations alone determine: no solution of ``equal @ d = 0`` moves them.

        A random vector is projected onto those solutions; where nothing is left of it, nothing
        can move. One sparse factorisation, no linear program.
        """
        from scipy.sparse.linalg import splu

        rows, count = self.equal.shape
        if not rows:
            return np.zeros(count, dtype=bool)
        tiny = 1e-9
        both = sparse.block_array(
            [[sparse.identity(count), self.equal.T], [self.equal, -tiny * sparse.identity(rows)]],
            format="csc",
        )
        solver = splu(both, permc_spec="COLAMD")
        fixed = np.ones(count, dtype=bool)
        for share in (0.6180339887498949, 0.4142135623730951):
            lot = 1.0 + np.arange(count) * share % 1.0
            moved = solver.solve(np.concatenate([lot, np.zeros(rows)]))[:count]
            fixed &= np.abs(moved) < 1e-5
        return fixed

    def _other_worlds(self, movable: np.ndarray) -> None:
        far = np.maximum(FAR, 2 * np.maximum(self.need_high - np.nan_to_num(self.value), 0))
        high = np.minimum(self.high, np.nan_to_num(self.value) + far.max(initial=FAR))
        high = np.where(np.isnan(self.value), self.high, high)
        dry = 0
        for turn in range(WORLDS):
            is_open, rows_open = self._open() & movable, self._rows_open()
            left = int(is_open.sum() + rows_open.sum())
            if not left or dry >= 4:
                return
            signs = self._signs(turn)
            goal = np.where(is_open, 1.0, 0.0) * signs
            goal += self.least.T @ (rows_open * signs[self.whole_of_row])
            world = self._world(-goal, high)
            if world is None:
                continue  # it could not be rounded, and nothing is learnt; the next is elsewhere
            self._learn(world)
            still = int((self._open() & movable).sum() + self._rows_open().sum())
            dry = dry + 1 if still > 0.98 * left else 0

    def _signs(self, turn: int) -> np.ndarray:
        """Up or down: all together, then by place, part, series, and so on, as if by lot."""
        if turn < 2:
            return np.full(len(self.columns), 1.0 if turn == 0 else -1.0)
        kinds = (("place",), ("breakdown", "part"), ("place", "breakdown", "part"), ("measure",))
        sign = np.ones(len(self.columns))
        of = np.minimum(self.columns, self.view.numbers.height - 1)
        keys = kinds[turn // 2 % len(kinds)]
        frame = self.view.numbers.select(keys)[of]
        codes = frame.select(pl.struct(keys).rank("dense"))[:, 0].to_numpy().astype(np.int64)
        mixed = (codes * 2654435761 + (turn // 2) * 40503 * 65537) & 0xFFFFFFFF
        mixed ^= mixed >> 15
        mixed = mixed * 2246822519 & 0xFFFFFFFF
        sign = np.where((mixed >> 13) & 1, 1.0, -1.0)
        return sign if turn % 2 == 0 else -sign

    def _world(self, cost: np.ndarray, high: np.ndarray, last: bool = False) -> np.ndarray | None:
        """A table in whole numbers, as far as it can be had, that fits everything shown.

        A linear program first. Where its answer cuts children in parts, those numbers and their
        neighbours are solved for again in whole numbers, all others standing still. ``last``: if
        that fails, the whole table is.
        """
        world = self._solve(cost, self.low, high, whole=False)
        if world is None:
            return None
        broken = self._broken(world)
        if not broken.any():
            return np.where(self.is_sum, world, np.round(world))
        for _ in range(3):
            rows = abs(self.both) @ broken.astype(float) > 0
            broken |= abs(self.both).T @ rows.astype(float) > 0
            if not last and broken.sum() > MENDED:
                return None
            still = np.where(self.is_sum, world, np.round(world))
            mended = self._solve(
                cost,
                np.where(broken, self.low, still),
                np.where(broken, high, still),
                whole=True,
            )
            if mended is not None:
                return np.where(self.is_sum, mended, np.round(mended))
        return self._solve(cost, self.low, high, whole=True) if last else None

    def _broken(self, world: np.ndarray) -> np.ndarray:
        return (np.abs(world - np.round(world)) > CLOSE) & ~self.is_sum

    def _solve(
        self, cost: np.ndarray, low: np.ndarray, high: np.ndarray, whole: bool
    ) -> np.ndarray | None:
        from scipy.optimize import Bounds, LinearConstraint, milp

        self.found.programs += 1
        right = np.concatenate([self.right, self.least_right])
        upper = np.concatenate([self.right, np.full(len(self.least_right), np.inf)])
        result = milp(
            cost,
            integrality=np.where(self.is_sum, 0, 1) if whole else None,
            constraints=LinearConstraint(self.both, right, upper),
            bounds=Bounds(low, high),
        )
        return result.x

    def _learn(self, world: np.ndarray) -> None:
        """Every number can be what it is in this world, if the world fits everything shown."""
        if (np.abs(self.equal @ world - self.right) > 1e-4).any() or (
            self.least @ world < self.least_right - 1e-4
        ).any():
            return
        self.reached_low = np.minimum(self.reached_low, world)
        self.reached_high = np.maximum(self.reached_high, world)
        row = self.least @ world - self.least_right
        self.row_low, self.row_high = np.minimum(self.row_low, row), np.maximum(self.row_high, row)

    def _one_by_one(self) -> None:
        """Nearby worlds for every number first, which are cheap; wide ones for what is left."""
        for explore in (self._world_nearby, self._world_anywhere):
            for number in np.flatnonzero(self._open()).tolist():
                cost = np.zeros(len(self.columns))
                cost[number] = 1.0
                self._explore(cost, lambda number=number: self._open()[number], explore)
                self.found.by_programs += int(not self._open()[number])
            for number in np.flatnonzero(self._rows_open()).tolist():
                cost = self.least[[number]].toarray().ravel()
                self._explore(cost, lambda number=number: self._rows_open()[number], explore)

    def _explore(self, cost: np.ndarray, is_open, explore) -> None:
        for sign in (1.0, -1.0):
            if is_open():
                world = explore(sign * cost)
                if world is not None:
                    self._learn(world)

    def _near(self, seeds: np.ndarray) -> np.ndarray:
        """The unknowns around some of them, as far as equations reach in a few steps."""
        found = seeds
        for _ in range(4):
            rows = self.links @ found.astype(float) > 0
            wider = (self.links.T @ rows.astype(float) > 0) | found
            if wider.sum() > NEAR:
                break
            found = wider
        return found | np.isnan(self.value)

    def _world_nearby(self, cost: np.ndarray) -> np.ndarray | None:
        """A world like the true one but for what lies around the unknowns that are asked for."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        self.found.programs += 1
        near = np.flatnonzero(self._near(cost != 0))
        reach = np.maximum(np.nan_to_num(self.value) + FAR, self.need_high)
        high = np.minimum(self.high, np.where(np.isnan(self.value), np.inf, reach))
        world = np.nan_to_num(self.value)
        world[near] = 0
        matrix = self.both[:, near].tocsr()
        rows = np.flatnonzero(np.diff(matrix.indptr) > 0)
        right = np.concatenate([self.right, self.least_right]) - self.both @ world
        upper = np.where(np.arange(len(right)) < len(self.right), right, np.inf)
        result = milp(
            cost[near],
            integrality=np.where(self.is_sum[near], 0, 1),
            constraints=LinearConstraint(matrix[rows], right[rows], upper[rows]),
            bounds=Bounds(self.low[near], high[near]),
            options={"node_limit": NODES},
        )
        if result.x is None:
            return None
        world[near] = np.where(self.is_sum[near], result.x, np.round(result.x))
        return world

    def _world_anywhere(self, cost: np.ndarray) -> np.ndarray | None:
        far = np.nan_to_num(self.value) * 2 + 10 * FAR
        high = np.minimum(self.high, np.where(np.isnan(self.value), np.inf, far))
        return self._world(cost, high, last=True)

    def _conclude(self) -> None:
        found = self.found
        possible = self._possible()
        found.widths = possible[self.target].astype(int).tolist()
        found.failures = np.flatnonzero(self._open()).tolist()
        found.row_failures = np.flatnonzero(self._rows_open()).tolist()
        found.exact = int((possible[self.target] <= 1).sum())
        found.narrow = int((possible[self.target] <= 2).sum())
