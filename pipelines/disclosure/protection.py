"""Cells in, what may be shown out: small suppressed numbers, and whatever would give them away.

    protected = protect(cells, relations, rules, known, ratios)

The order is always the same: what is not published at all is left out; counts that are too small,
and numerators of percentages that rest on too few, are suppressed; then whatever else it takes
(:mod:`pipelines.disclosure.suppression`); sums of days follow the counts whose days they are; and
last, what is shown is rounded, if the rules round. Whether that is enough is not judged here but
by :mod:`pipelines.disclosure.audit`, which shares none of this code.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse

from pipelines.declarations.disclosure import EVERY_BREAKDOWN, Rules, Tier
from pipelines.disclosure.cells import (
    KEY,
    KNOWN_SCHEMA,
    RATIO_SCHEMA,
    TOTAL,
    DisclosureError,
    Relations,
)
from pipelines.disclosure.equations import System, build, connected_tables
from pipelines.disclosure.shown import PRIMARY, SECONDARY, SHOWN, shown_cells, shown_ratios
from pipelines.disclosure.suppression import Outcome, Task, suppress


@dataclass(frozen=True)
class Protected:
    """What a release may show.

    ``cells``: KEY, ``shown`` (whole number, null where suppressed), ``symbol`` (null where shown),
    ``reason``: shown, primary, secondary or not_available. Sums of days are never shown;
    for them ``reason`` says whether their mean may be. ``ratios``: indicator_id, place and time,
    ``shown``, ``symbol``, ``reason``. Reasons are for the body itself: to publish which cells are
    primary and which secondary tells that the latter are not small.
    ``report``: counts and seconds, nothing about a single cell.
    """

    cells: pl.DataFrame
    ratios: pl.DataFrame
    report: dict


def protect(
    cells: pl.DataFrame,
    relations: Relations,
    rules: Rules,
    known: pl.DataFrame | None = None,
    ratios: pl.DataFrame | None = None,
    threads: int = 1,
    also: pl.DataFrame | None = None,
    strict: bool = True,
) -> Protected:
    """Protect the ``cells`` (CELL_SCHEMA) of one release under the ``rules``.

    ``known``: what earlier releases showed (KNOWN_SCHEMA); it stays known and hides nothing.
    ``ratios`` (RATIO_SCHEMA): the indicators that divide one measure by another. The answer does
    not depend on the order of the rows nor on ``threads``. ``also``: KEY of cells that are kept
    back besides, as if they were too small.

    Raises DisclosureError, naming the table, where no way was found to keep the rules; if it is not
    ``strict`` the audit is left to say so, which looks further.
    """
    begun = time.process_time()
    ratios = pl.DataFrame(schema=RATIO_SCHEMA) if ratios is None else ratios
    cells = published(cells, relations, rules).sort(KEY)
    system = build(cells, relations, known, zeros_are_shown=rules.zeros != "suppressed")
    plan = _Plan(system, relations, rules, ratios)
    plan.keep_exact(_of_cells(system, cells["tier"].to_numpy(), rules))
    plan.suppress_cells(_chosen(cells, system, also))
    counts, sums = plan.counts(), None
    outcomes = _solve(counts, threads)
    plan.take(outcomes, strict)
    # Sums of days come second: their own need depends on which counts are shown.
    if rules.method != "round":
        sums = _solve(plan.sums(), threads)
        plan.take(sums, strict)
    reasons = plan.reasons()
    shown = shown_cells(cells, system, reasons, relations, rules)
    solved = [outcome for _, outcome in (*outcomes, *(sums or ()))]
    report = {
        **plan.report(reasons),
        "tiers": tier_report(cells, shown, relations, rules),
        "given_back": sum(outcome.given_back for outcome in solved),
        "linear_programs": sum(outcome.programs for outcome in solved),
        "seconds": round(time.process_time() - begun, 3),
    }
    return Protected(shown, shown_ratios(cells, shown, ratios, rules), report)


def tier_report(
    cells: pl.DataFrame, shown: pl.DataFrame, relations: Relations, rules: Rules
) -> list[dict]:
    """For each tier how many numbers it has and suppresses, and of an exact tier which ones.

    Sums of days are no numbers of a table; zeros are no loss, so the share is of the others.
    """
    counts = relations.measures.filter(pl.col("contributors").is_null())
    joined = (
        cells.join(shown.select(*KEY, "reason"), on=list(KEY))
        .join(counts, on="measure", how="semi")
        .filter(pl.col("value").is_not_null())
    )
    found = []
    for number, tier in enumerate(rules.tiers):
        mine = joined.filter(pl.col("tier") == number)
        some = mine.filter(pl.col("value") > 0)
        gone = pl.col("reason") != SHOWN
        entry: dict[str, Any] = {
            "tier": tier.id,
            "numbers": mine.height,
            "suppressed": mine.filter(gone).height,
            "share_of_nonzero_numbers_suppressed": _share(some.filter(gone).height, some.height),
        }
        if tier.exact:
            lost = some.filter(gone).sort(KEY).select("measure", "place", "window")
            entry["lost"] = [", ".join(row) for row in lost.iter_rows()]
        found.append(entry)
    return found


def as_known(cells: pl.DataFrame, protected: Protected, rules: Rules, release: str) -> pl.DataFrame:
    """What this release tells its readers for ever (KNOWN_SCHEMA), to protect later ones.

    Holds true values, so it is kept with the warehouse, not with the release. ``release`` names
    it; names sort in the order of publication. A mean that is shown tells its sum of days.
    """
    joined = protected.cells.join(cells.select(*KEY, "value"), on=list(KEY), how="left")
    is_shown = pl.col("reason") == SHOWN
    base = pl.col("base") if rules.method == "round" else pl.lit(1, dtype=pl.Int64)
    low = pl.max_horizontal(pl.col("shown") - base // 2, pl.lit(0)).fill_null(pl.col("value"))
    high = (pl.col("shown") + (base - 1) // 2).fill_null(pl.col("value"))
    exact = base == 1
    return (
        joined.filter(pl.col("value").is_not_null())
        .select(
            *KEY,
            "value",
            pl.when(is_shown).then(pl.when(exact).then("value").otherwise(low)).alias("shown_from"),
            pl.when(is_shown).then(pl.when(exact).then("value").otherwise(high)).alias("shown_to"),
            pl.lit(release).alias("release"),
        )
        .cast(pl.Schema(KNOWN_SCHEMA))
    )


def published(cells: pl.DataFrame, relations: Relations, rules: Rules) -> pl.DataFrame:
    """The cells that a tier of the rules publishes, with ``tier``: its position among them."""
    if not rules.tiers:
        return cells.with_columns(tier=pl.lit(0, dtype=pl.Int64))
    tier = pl.coalesce(
        pl.when(_fits(tier)).then(pl.lit(number, dtype=pl.Int64))
        for number, tier in enumerate(rules.tiers)
    )
    found = cells.join(relations.kinds, on="place", how="left").with_columns(tier=tier)
    return found.filter(pl.col("tier").is_not_null()).drop("kind")


def _fits(tier: Tier) -> pl.Expr:
    conditions = [pl.col("kind").is_in(tier.kinds), pl.col("window").is_in(tier.windows)]
    if tier.breakdowns == (EVERY_BREAKDOWN,):
        conditions.append(pl.col("breakdown") != TOTAL)
    else:
        conditions.append(pl.col("breakdown").is_in(tier.breakdowns))
    if tier.quarters:
        conditions.append(pl.col("quarter").str.slice(-1).cast(pl.Int64).is_in(tier.quarters))
    if tier.measures:
        conditions.append(pl.col("measure").is_in(tier.measures))
    return pl.all_horizontal(conditions).fill_null(False)


def _chosen(cells: pl.DataFrame, system: System, also: pl.DataFrame | None) -> np.ndarray:
    """The variables of some cells."""
    chosen = np.zeros(len(system.value), dtype=bool)
    if also is not None:
        numbered = cells.select(KEY).with_row_index("at")
        at = numbered.join(also.select(KEY), on=list(KEY), how="semi")["at"].to_numpy()
        of = system.of_cell[at]
        chosen[of[of >= 0]] = True
    return chosen


# --- what is too small, and what it takes ---------------------------------------


class _Plan:
    """The variables of a release: which are suppressed, and what each would cost."""

    def __init__(self, system: System, relations: Relations, rules: Rules, ratios: pl.DataFrame):
        self.system, self.rules, self.relations = system, rules, relations
        names = system.names
        contributors = dict(relations.measures.select("measure", "contributors").iter_rows())
        self.is_sum = _by(names.measures, lambda m: contributors[m] is not None)[system.measure]
        self.contributors = contributors
        self.parents = _parents(relations, names.places)
        self.parts: list[sparse.csr_matrix] = [system.equal, system.remain]
        self.primary = self._too_small() | self._of_small_percentages(ratios)
        self.hidden = self.primary | ~(system.is_published | system.is_shown_before)
        self.hidden &= ~system.is_shown_before
        self.is_exact = np.zeros(len(system.value), dtype=bool)
        self.attackers = _attackers(relations, rules, names.places)
        self.already_public = int((self.primary & system.is_shown_before).sum())

    def keep_exact(self, variables: np.ndarray) -> None:
        """These are never suppressed to protect others."""
        self.is_exact = variables

    def suppress_cells(self, variables: np.ndarray) -> None:
        variables &= self.system.is_published & ~self.system.is_shown_before & ~self.is_exact
        self.primary |= variables
        self.hidden |= variables

    def _too_small(self) -> np.ndarray:
        system, rules = self.system, self.rules
        small = (system.value > 0) & (system.value < rules.smallest_shown)
        zeros = (system.value == 0) & ~system.is_nothing
        if rules.zeros == "suppressed":
            small |= zeros
        elif rules.zeros == "suppressed_in_small_groups":
            # A zero tells something of every member of a small group: that none of them was
            # matched.
            for _ in range(8):  # a group within a group within a group
                inside = zeros & ~small & self._within(small)
                if not inside.any():
                    break
                small |= inside
        return small & system.is_published & ~self.is_sum

    def _within(self, wholes: np.ndarray) -> np.ndarray:
        """Variables that count part of what one of ``wholes`` counts."""
        is_within = np.zeros(len(wholes), dtype=bool)
        for matrix in self.parts:
            entries = matrix.tocoo()
            plus = entries.data > 0
            alone = np.bincount(entries.row[plus], minlength=matrix.shape[0]) == 1
            whole = np.zeros(matrix.shape[0], dtype=bool)
            whole[entries.row[plus]] = wholes[entries.col[plus]]
            # Only where a row has a single whole: with two, a part belongs to neither by itself.
            is_within[entries.col[~plus & (alone & whole)[entries.row]]] = True
        return is_within

    def _of_small_percentages(self, ratios: pl.DataFrame) -> np.ndarray:
        """Numerators that would tell a percentage which rests on too few."""
        system, rules = self.system, self.rules
        is_small = np.zeros(len(system.value), dtype=bool)
        for _, top, bottom, unit, *_ in ratios.iter_rows():
            if unit != "percent":
                continue
            tops, bottoms = self._pairs(top, bottom)
            numerator, denominator = system.value[tops], system.value[bottoms]
            small = (denominator > 0) & (denominator < rules.percentages.smallest_denominator)
            # The numerator carries the suppression, not the percentage: with the denominator shown,
            # a percentage is its numerator.
            small |= numerator < rules.percentages.smallest_numerator
            is_small[tops[small & (numerator > 0)]] = True  # a published zero hides no percentage
        return is_small & system.is_published

    def _pairs(
        self, measure: str, other: str, and_earlier: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Published variables of two measures for the same place, part and span."""
        system, names = self.system, self.system.names.measures
        if measure not in names or other not in names:
            none = np.zeros(0, dtype=np.int64)
            return none, none
        sides = []
        for name in (measure, other):
            chosen = np.flatnonzero(
                (system.measure == names.index(name)) & (system.is_published | and_earlier)
            )
            sides.append(
                pl.DataFrame(
                    {
                        "variable": chosen,
                        "place": system.place[chosen],
                        "part": system.part[chosen],
                        "first": system.first[chosen],
                        "last": system.last[chosen],
                    }
                )
            )
        both = sides[0].join(sides[1], on=["place", "part", "first", "last"], suffix="_other")
        both = both.sort("variable")
        return both["variable"].to_numpy(), both["variable_other"].to_numpy()

    def counts(self) -> list[tuple[np.ndarray, np.ndarray, Task]]:
        """One task per connected table of counts, the largest first."""
        if self.rules.method == "round":
            return []
        protection = self.rules.protection
        value = self.system.value
        down = np.minimum(value, protection.below)
        # As many values as the policy asks for, above if there is no room below: 1 can only fall to
        # 0.
        up = np.maximum(protection.above, protection.values - 1 - down)
        # What an earlier release suppressed only to protect others may come to light; the small
        # numbers that it protected may not.
        asked = self.system.is_published | ((value > 0) & (value < self.rules.smallest_shown))
        down, up = np.where(asked, down, 0.0), np.where(asked, up, 0.0)
        return self._tasks(~self.is_sum, down, up, float(up.max(initial=1.0)), whole=True)

    def sums(self) -> list[tuple[np.ndarray, np.ndarray, Task]]:
        """The same for sums of days, once it is known which counts are shown."""
        system, means = self.system, self.rules.means
        rests_on_few = np.zeros(len(system.value), dtype=bool)
        for measure, counted in sorted(self.contributors.items()):
            if counted is None:
                continue
            days, cases = self._pairs(measure, counted, and_earlier=True)
            few = (system.value[cases] > 0) & (system.value[cases] < means.fewest)
            rests_on_few[days[few]] = True
            now = system.is_published[days]
            self.primary[days[few & now]] = True
            self.hidden[days[(few | self.hidden[cases]) & now]] = True
        self.hidden &= ~system.is_shown_before
        # A sum that rests on enough cases is no secret of anybody's: it must not be known exactly,
        # and that is all. Were a tenth of it asked for, a part of 6,000 days beside one of 300
        # would have the region's and the nation's sums suppressed: 40 of 48 in the sample.
        part = np.where(rests_on_few, system.value * means.percent / 100, 0.0)
        need = np.maximum(part, means.days)
        need[~system.is_published & ~rests_on_few] = 0.0  # secondary in an earlier release
        return self._tasks(
            self.is_sum,
            np.minimum(need, system.value),
            need,
            float(need.max(initial=1.0)),
            whole=False,
        )

    def _tasks(
        self, of_kind: np.ndarray, down: np.ndarray, up: np.ndarray, reach: float, whole: bool
    ) -> list[tuple[np.ndarray, np.ndarray, Task]]:
        system, rules = self.system, self.rules
        candidate = of_kind & system.is_published & ~self.hidden & ~system.is_shown_before
        # Readers know these zeros by the definitions: suppressing them would hide nothing.
        candidate &= ~system.is_nothing & ~self.is_exact
        if not rules.zeros_may_be_secondary:
            candidate &= system.value > 0
        movable = candidate | (self.hidden & of_kind & ~system.is_nothing)
        tasks = []
        for columns, equal_rows, remain_rows in connected_tables(system, movable):
            # Nothing of this table is a secret, neither a number nor what is left between numbers.
            if not self.hidden[columns].any() and not len(remain_rows):
                continue
            difference = system.remain[remain_rows] @ system.value
            secret = (difference > 0) & (difference < rules.smallest_shown)
            secret &= (rules.differences == "protected") & ~self.is_sum[columns[0]]
            if not self.hidden[columns].any() and not secret.any():
                continue
            low = np.minimum(difference, rules.protection.below)
            high = np.maximum(rules.protection.above, rules.protection.values - 1 - low)
            task = Task(
                value=system.value[columns],
                hidden=self.hidden[columns],
                candidate=candidate[columns],
                cost=self._cost(columns),
                need_down=down[columns],
                need_up=up[columns],
                reach=reach,
                whole=whole,
                difference=difference,
                row_need_down=np.where(secret, low, 0.0),
                row_need_up=np.where(secret, high, 0.0),
                equal=system.equal[equal_rows][:, columns],
                remain=system.remain[remain_rows][:, columns],
                place=system.place[columns],
                part=system.part[columns],
                attackers=self.attackers,
            )
            tasks.append((columns, remain_rows, task))
        return sorted(tasks, key=lambda entry: (-len(entry[0]), entry[0][0]))

    def _cost(self, columns: np.ndarray) -> np.ndarray:
        system, weights = self.system, self.rules.weights
        levels = _heights(len(system.names.places), self.parents)[system.place[columns]]
        # By the logarithm 1,000 children cost eleven times what a zero costs, not a thousand times:
        # else the search would suppress a hundred authorities to spare one nation.
        cost = (1 + np.log2(1 + system.value[columns])) * weights.level**levels
        # Headlines are totals, and the nation's own: parts go first.
        cost = np.where(system.part[columns] == 0, weights.total * cost, cost)
        # Rather the children matched with a placement order than all the children matched.
        subset_relations = self.relations.subset_relations
        within = {relation.part for relation in subset_relations.subsets}
        within |= {part for relation in subset_relations.partitions for part in relation.parts}
        is_within = _by(system.names.measures, lambda measure: measure in within)
        return np.where(is_within[system.measure[columns]], cost / weights.whole, cost)

    def take(self, outcomes: list[tuple[tuple, Outcome]], strict: bool) -> None:
        """Note what is to be suppressed. Raises DisclosureError where that is not enough."""
        for (columns, remain_rows, _), outcome in outcomes:
            if not strict:
                self.hidden[columns] = outcome.hidden
                continue
            for number in outcome.open_cells[:1]:
                raise DisclosureError(
                    f"{self.system.name(columns[number])}: cannot be suppressed: whatever else is"
                    " suppressed, the numbers that are known already give it away"
                )
            for number in outcome.open_rows[:1]:
                row = self.system.remain[remain_rows[number]].tocoo()
                whole = row.col[row.data > 0][0]
                raise DisclosureError(
                    f"{self.system.name(whole)}: what remains of it without its published parts"
                    " is too small and cannot be hidden: they are known already"
                )
            self.hidden[columns] = outcome.hidden

    # --- what came of it ---

    def reasons(self) -> np.ndarray:
        """The reason of each variable that the release publishes."""
        reasons = np.full(len(self.hidden), SHOWN, dtype=object)
        reasons[self.hidden] = SECONDARY
        reasons[self.primary] = PRIMARY
        return reasons

    def report(self, reasons: np.ndarray) -> dict:
        system = self.system
        counted = system.is_published & ~self.is_sum
        kept = counted & (reasons != SHOWN)
        children = system.value[counted].sum()
        return {
            "published_numbers": int(counted.sum()),
            "primary": int((counted & (reasons == PRIMARY)).sum()),
            "secondary": int((counted & (reasons == SECONDARY)).sum()),
            "share_of_numbers_suppressed": _share(kept.sum(), counted.sum()),
            "share_of_nonzero_numbers_suppressed": _share(
                (kept & (system.value > 0)).sum(), (counted & (system.value > 0)).sum()
            ),
            "share_of_people_suppressed": _share(system.value[kept].sum(), children),
            "too_small_but_public_already": self.already_public,
            "sums_of_days": int((system.is_published & self.is_sum).sum()),
            "sums_of_days_suppressed": int(
                (system.is_published & self.is_sum & (reasons != SHOWN)).sum()
            ),
        }


def _of_cells(system: System, tier: np.ndarray, rules: Rules) -> np.ndarray:
    """The variables that an exact tier publishes."""
    exact = [number for number, tier in enumerate(rules.tiers) if tier.exact]
    chosen = np.zeros(len(system.value), dtype=bool)
    of = system.of_cell[np.isin(tier, exact)]
    chosen[of[of >= 0]] = True
    return chosen


def _attackers(relations: Relations, rules: Rules, places: list[str]) -> tuple[np.ndarray, ...]:
    """Places whose true numbers each attacker knows, by number: senders, and their coalitions."""
    at = {place: number for number, place in enumerate(places)}
    parents = set(relations.places["parent"])
    known: set[tuple[int, ...]] = set()
    if rules.participants.senders == "each":
        known |= {(at[place],) for place in at if place not in parents}
    if rules.participants.coalitions == "region_members":
        for _, _, members in sorted(
            relations.places.group_by("parent", "scheme")
            .agg(pl.col("member").unique().sort())
            .iter_rows()
        ):
            there = [at[member] for member in members if member in at and member not in parents]
            known |= {tuple(o for o in there if o != one) for one in there if len(there) > 1}
    return tuple(np.array(places) for places in sorted(known))


def _solve(tasks: list, threads: int) -> list[tuple[tuple, Outcome]]:
    """Every task, side by side: the solver leaves Python alone while it works."""
    if threads <= 1:
        return [(entry, suppress(entry[2])) for entry in tasks]
    with ThreadPoolExecutor(threads) as pool:
        return list(zip(tasks, pool.map(lambda entry: suppress(entry[2]), tasks), strict=True))


def _parents(relations: Relations, places: list[str]) -> dict[int, tuple[int, ...]]:
    numbers = {place: number for number, place in enumerate(places)}
    parents_of: dict[int, set[int]] = {}
    for parent, member in relations.places.select("parent", "member").iter_rows():
        if parent in numbers and member in numbers and parent != member:
            parents_of.setdefault(numbers[member], set()).add(numbers[parent])
    return {member: tuple(sorted(above)) for member, above in parents_of.items()}


def _heights(places: int, parents: dict[int, tuple[int, ...]]) -> np.ndarray:
    """Levels of places below each one."""
    heights = np.zeros(places)
    for _ in range(places):
        before = heights.copy()
        for member, above in parents.items():
            for parent in above:
                heights[parent] = max(heights[parent], heights[member] + 1)
        if (heights == before).all():
            break
    return heights


def _by(names: list[str], test) -> np.ndarray:
    return np.array([test(name) for name in names], dtype=bool)


def _share(part: float, whole: float) -> float:
    return round(float(part) / float(whole), 4) if whole else 0.0
