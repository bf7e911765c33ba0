"""Journeys of children from care to adoption, a financial year and a region at a time.

A year's families are made from the number placed (or matched) that ``calibration.csv`` asks for,
then dated backwards: placement, match, placement order, decision, referral, care, birth. The
years before and after the sample are made as well, so that the first quarter begins with
children already waiting and the last one ends with children whose match nobody knows yet.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.quarters import Quarter
from pipelines.samples.calibration import Calibration
from pipelines.samples.chance import Chance, spread
from pipelines.samples.families import (
    CaseNumbers,
    Family,
    Match,
    difficulty,
    family_sizes,
    make_children,
)

# Journeys take up to three and a half years, so the first cohort lies three years before the
# sample. It is fixed: the sample must not change when somebody asks for fewer or more quarters.
FIRST_COHORT = 2015
LAST_COHORT = 2023
DAYS_A_MONTH = 365.25 / 12

# How the waits over six months spread above their minimum: mean 1, longest 2.4 times the mean.
_TAIL = (0.1, 0.22, 0.34, 0.46, 0.59, 0.72, 0.86, 1.0, 1.17, 1.36, 1.6, 1.95, 2.4)

_WITHIN = (30, 172)  # days from placement order to placement of those who wait under six months
_WITHIN_OF_DECISION = (45, 165)  # the same from decision to match; 165 is clear of any six months
_OVER = 190  # shortest wait of the others, clear of the 184 days six months can have
_CARE_TO_ORDER = 130  # shortest time from care to placement order


@dataclass(frozen=True)
class Group:
    """Authorities calibrated together. ``elsewhere`` and ``abroad`` can lend them adopters."""

    name: str
    nation_code: str
    weights: dict[str, float]
    elsewhere: dict[str, tuple[str, ...]]  # by authority: other agencies' homes in the nation
    abroad: tuple[str, ...]
    voluntary: tuple[str, ...]


def build_journeys(calibration: Calibration, group: Group, last_year: int) -> list[Family]:
    """Every family of ``group``: placed, plan ended, referral withdrawn, still waiting."""
    return _Region(calibration, group, max(LAST_COHORT, last_year + 3)).families()


class _Region:
    def __init__(self, calibration: Calibration, group: Group, last_cohort: int) -> None:
        self.calibration = calibration
        self.group = group
        self.years = range(FIRST_COHORT, last_cohort + 1)
        self.numbers = {code: CaseNumbers(code) for code in group.weights}

    def families(self) -> list[Family]:
        cohorts = {year: self._placed(year) for year in self.years}
        for year, cohort in cohorts.items():
            self._set_waits(year, cohort)
            self._choose_adopting_together(year, cohort)
        for year, placed_in_year in _by_year_placed(cohorts).items():
            self._choose_homes(year, placed_in_year)
            self._give_life_journey_materials(year, placed_in_year)
        for year in self.years[:-1]:
            self._rematch(year, cohorts)
        for year, cohort in cohorts.items():
            self._end_placements(year, cohort)
        self._meet_adoptions(cohorts)
        placed = [family for year in self.years for family in cohorts[year]]
        ended = [family for year in self.years for family in self._plans_ended(year)]
        self._refer_to_adopting_together(placed + ended)
        self._refer_to_register(placed + ended)
        withdrawn = [
            family for year in self.years for family in self._withdrawn(year, placed + ended)
        ]
        kept = self._without_quiet_quarters(placed + ended + withdrawn)
        self._assert_published_matches(kept)
        return kept

    # --- targets -----------------------------------------------------------

    def _target(self, year: int, what: str) -> float:
        return self.calibration.near(self.group.name, year, what)

    @property
    def _counts_matches(self) -> bool:
        return self.calibration.knows(self.group.name, "children_matched")

    def _children_a_year(self, year: int) -> int:
        counted = "children_matched" if self._counts_matches else "children_placed"
        return int(self._target(year, counted))

    def _shares(self, year: int, total: int, what: str) -> dict[str, int]:
        fixed = {
            code: int(value)
            for code in self.group.weights
            if (value := self.calibration.exactly(code, year, what)) is not None
        }
        return spread(total, self.group.weights, fixed)

    # --- families who are placed -------------------------------------------

    def _placed(self, year: int) -> list[Family]:
        shares = self._shares(year, self._children_a_year(year), "children_placed")
        return [
            family
            for code, children in shares.items()
            for family in self._placed_in(code, year, children)
        ]

    def _placed_in(self, code: str, year: int, children: int) -> list[Family]:
        chance = Chance("placed", code, year)
        families = []
        for number, size in enumerate(family_sizes(chance, children)):
            day = chance.day(*_days_of(year))
            family = self._family(chance, code, year, "placed", number, size, day)
            is_foster = chance.happens(self._target(year, "percent_foster_carer_adoptions"))
            is_early = chance.happens(self._target(year, "percent_early_permanence"))
            if size < 3 and is_foster:
                family.is_foster_carer_adoption = True
            elif size < 3 and is_early:
                family.early_permanence = chance.weighted(
                    (("fostering_for_adoption", 80), ("concurrent", 20))
                )
            # Both days are the one that is counted; _set_waits moves the other.
            family.matches = [Match(f"{family.key} match 1", day, day)]
            families.append(family)
        return families

    def _family(
        self, chance: Chance, code: str, year: int, kind: str, number: int, size: int, day: date
    ) -> Family:
        """A family of ``size`` whose children are made as if they entered care on ``day``."""
        references = [self.numbers[code].next(year, kind) for _ in range(size)]
        percent_minority = self.calibration.near(code, year, "percent_minority_ethnic")
        return Family(
            key=f"{code} {year} {kind} {number}",
            authority_code=code,
            children=make_children(chance, references, day, percent_minority),
            referred_on=day,
            entered_care_on=day,
            sibling_reference=f"SIB-{references[0]}" if size > 1 else None,
            siblings_placed_apart=1 if chance.happens(6) else 0,
            authority_to_place="consent" if chance.happens(3) else "placement_order",
        )

    def _set_waits(self, year: int, cohort: list[Family]) -> None:
        """Date a year's families so that they wait, on average, as long as they should."""
        chance = Chance("waits", self.group.name, year)
        order_mean = self._target(year, "months_order_to_placed") * DAYS_A_MONTH
        care_mean = self._target(year, "months_care_to_placed") * DAYS_A_MONTH
        ranked = sorted(
            ((difficulty(family, chance), family) for family in cohort),
            key=lambda pair: (pair[0], pair[1].key),
        )
        families = [family for _, family in ranked]
        to_order = [chance.between(20, 60) for _ in families]  # decision to order
        to_placed = [self._match_to_placed(chance, family) for family in families]
        mean = order_mean
        if self._counts_matches:
            mean += _mean([a - b for a, b in zip(to_order, to_placed, strict=True)], families)
        waits = self._waits(year, families, mean)
        steps = chance.shuffled(_quantiles(len(families)))
        care = _stretched(_CARE_TO_ORDER, steps, families, care_mean - order_mean)
        for family, wait, decision, placed, before in zip(
            families, waits, to_order, to_placed, care, strict=True
        ):
            self._date_backwards(chance, family, wait, decision, placed, before)

    @staticmethod
    def _match_to_placed(chance: Chance, family: Family) -> int:
        if family.is_foster_carer_adoption or family.early_permanence != "none":
            return chance.between(2, 12)
        return chance.between(14, 42)

    def _waits(self, year: int, families: list[Family], mean: float) -> list[int]:
        """Days each family waits, easiest first: an exact share under six months, and ``mean``."""
        children = sum(family.size for family in families)
        over = self.calibration.exactly(self.group.name, year, "children_matched_over_six_months")
        within = (
            children * self._target(year, "percent_within_six_months") / 100
            if over is None
            else children - over
        )
        chosen = _families_of(int(within + 0.5), families)
        if over is not None and sum(f.size for f in families if f.key in chosen) != within:
            place = f"{self.group.name} {year}"
            raise ValueError(f"{place}: no families add up to {within:.0f} children")
        lowest, highest = _WITHIN_OF_DECISION if self._counts_matches else _WITHIN
        steps = iter(_quantiles(len(chosen)))
        short = {
            family.key: lowest + int((highest - lowest) * next(steps))
            for family in families
            if family.key in chosen
        }
        longer = [family for family in families if family.key not in chosen]
        left = mean * children - sum(short[f.key] * f.size for f in families if f.key in chosen)
        waiting = sum(family.size for family in longer)
        long = _stretched(_OVER, _quantiles(len(longer)), longer, left / waiting if waiting else 0)
        days = short | {family.key: wait for family, wait in zip(longer, long, strict=True)}
        return [days[family.key] for family in families]

    def _date_backwards(
        self, chance: Chance, family: Family, wait: int, to_order: int, to_placed: int, care: int
    ) -> None:
        match = family.matches[0]
        is_early = family.early_permanence != "none"
        if self._counts_matches:
            match.placed_on = match.matched_on + timedelta(days=to_placed)
            to_order = min(to_order, wait - 5)
            order_to_placed = wait + to_placed - to_order
        else:
            order_to_placed = wait
            if is_early and self.group.nation_code.startswith("E") and chance.happens(30):
                # Matched before the court order: counts as zero days in indicator A2.
                to_placed = wait + chance.between(1, 15)
            else:
                to_placed = min(to_placed, wait)
            match.matched_on = match.placed_on - timedelta(days=to_placed)
        family.order_on = match.placed_on - timedelta(days=order_to_placed)
        family.decision_on = family.order_on - timedelta(days=to_order)
        _enter_care(chance, family, family.order_on - timedelta(days=care), family.decision_on)
        if is_early:
            family.early_permanence_on = chance.day(
                family.referred_on + timedelta(days=3), family.order_on - timedelta(days=3)
            )
        if family.is_foster_carer_adoption:
            family.foster_placement_started_on = family.entered_care_on + timedelta(
                days=chance.between(0, 90)
            )
        if not is_early and wait > 240 and chance.happens(20):
            family.on_hold_from = family.order_on + timedelta(days=chance.between(10, 60))
            family.on_hold_until = family.on_hold_from + timedelta(days=chance.between(30, 100))

    # --- where the adopters come from --------------------------------------

    def _choose_adopting_together(self, year: int, cohort: list[Family]) -> None:
        """The children placed through Adopting Together: eight in all, as published.

        The true eight were placed from 2016 on; the sample begins in 2018 and has them all.
        """
        wanted = int(
            self.calibration.exactly(self.group.name, year, "adopting_together_placed") or 0
        )
        if not wanted or not self.group.voluntary:
            return
        chance = Chance("adopting together", self.group.name, year)
        earliest = _days_of(year)[0] + timedelta(days=150)
        latest = _days_of(year)[1]
        able = [
            family
            for family in chance.shuffled(cohort)
            if _days(family.decision_on, family.matches[0].matched_on) > 280
            and earliest <= family.matches[0].matched_on
            and family.matches[0].placed_on <= latest
        ]
        chosen = _families_of(wanted, able)
        for family in able:
            if family.key in chosen:
                match = family.matches[0]
                match.is_adopting_together = True
                match.placement_source = "in_nation"
                match.home = chance.pick(self.group.voluntary)
                family.adopting_together_referred_on = match.matched_on - timedelta(
                    days=chance.between(50, 140)
                )

    def _choose_homes(self, year: int, cohort: list[Family]) -> None:
        chance = Chance("homes", self.group.name, year)
        sources = ("in_region", "in_nation", "outside_nation")
        children = sum(family.size for family in cohort)
        missing = {
            source: children * self._target(year, f"percent_{source}") / 100 for source in sources
        }
        for family in cohort:
            if family.matches[0].placement_source:
                missing[family.matches[0].placement_source] -= family.size
        in_order = sorted(
            chance.shuffled(cohort),
            key=lambda f: not (f.is_foster_carer_adoption or f.early_permanence != "none"),
        )
        for family in in_order:
            match = family.matches[0]
            if match.placement_source:
                continue
            stays = family.is_foster_carer_adoption or family.early_permanence != "none"
            source = "in_region" if stays else max(sources, key=lambda name: (missing[name], name))
            missing[source] -= family.size
            match.placement_source = source
            match.home = self._home(chance, family.authority_code, source)

    def _home(self, chance: Chance, authority_code: str, source: str) -> str:
        if source == "in_region":
            return authority_code
        if source == "outside_nation":
            return chance.pick(self.group.abroad)
        if self.group.voluntary and chance.happens(60):
            return chance.pick(self.group.voluntary)
        return chance.pick(self.group.elsewhere[authority_code])

    def _give_life_journey_materials(self, year: int, cohort: list[Family]) -> None:
        chance = Chance("life journey", self.group.name, year)
        mixed = chance.shuffled(cohort)
        children = sum(family.size for family in cohort)
        percent = self._target(year, "percent_life_journey")
        chosen = _families_of(int(children * percent / 100 + 0.5), mixed)
        for family in mixed:
            if family.key in chosen:
                # In time for the placement, or soon after; the return of that quarter shows it.
                placed_on = family.matches[0].placed_on
                latest = Quarter.containing(placed_on).last_day
                family.matches[0].life_journey_on = min(
                    placed_on + timedelta(days=chance.between(0, 21)), latest
                )

    # --- how placements end -------------------------------------------------

    def _rematch(self, year: int, cohorts: dict[int, list[Family]]) -> None:
        """Some placements break down and the child is matched again the year after.

        A later single child gives up its place, so the year's numbers stay as asked.
        """
        wanted = int(self._target(year, "rematches"))
        chance = Chance("rematch", self.group.name, year)
        for family in chance.shuffled(cohorts[year]):
            if not wanted:
                return
            later = [other for other in cohorts[year + 1] if _can_follow(family, other)]
            if not later or not _is_ordinary(family):
                continue
            other = chance.pick(later)
            first, second = family.matches[0], other.matches[0]
            latest = min(200, _days(first.placed_on, second.matched_on) - 70)
            first.disrupted_on = first.placed_on + timedelta(days=chance.between(50, latest))
            family.matches.append(second)
            cohorts[year + 1].remove(other)
            wanted -= 1

    def _end_placements(self, year: int, cohort: list[Family]) -> None:
        chance = Chance("orders", self.group.name, year)
        percent = self._target(year, "percent_disrupted")
        for family in cohort:
            last = family.matches[-1]
            breaks = chance.happens(percent)
            if breaks and _is_ordinary(family) and len(family.matches) == 1:
                last.disrupted_on = last.placed_on + timedelta(days=chance.between(40, 220))
                family.plan_ended_on = last.disrupted_on + timedelta(days=chance.between(60, 400))
                family.plan_ended_reason = chance.weighted((("RD1", 60), ("RD3", 25), ("RD4", 15)))
            else:
                soonest = 120 if family.is_foster_carer_adoption else 150
                days = chance.between(soonest, soonest + 240)
                family.adopted_on = last.placed_on + timedelta(days=days)

    def _meet_adoptions(self, cohorts: dict[int, list[Family]]) -> None:
        """Move adoption orders across the end of a year until a published number is met."""
        everyone = [family for year in self.years for family in cohorts[year] if family.adopted_on]
        for year in self.years:
            wanted = self.calibration.exactly(self.group.name, year, "children_adopted")
            if wanted is None:
                continue
            first, last = _days_of(year)
            inside = sum(f.size for f in everyone if first <= f.adopted_on <= last)
            excess = inside - int(wanted)
            singles = sorted(
                (f for f in everyone if f.size == 1 and (f.adopted_on <= last) == (excess > 0)),
                key=lambda f: (abs((f.adopted_on - last).days), f.key),
            )
            for number, family in enumerate(singles[: abs(excess)]):
                days = 1 + number % 25
                family.adopted_on = last + timedelta(days=days if excess > 0 else -days)

    # --- families who are not placed ----------------------------------------

    def _plans_ended(self, year: int) -> list[Family]:
        percent = self._target(year, "percent_plans_ended")
        total = int(self._children_a_year(year) * percent / 100 + 0.5)
        return [
            self._plan_ended(code, year, number, size)
            for code, children in spread(total, self.group.weights, {}).items()
            for number, size in enumerate(family_sizes(Chance("ended", code, year), children))
        ]

    def _plan_ended(self, code: str, year: int, number: int, size: int) -> Family:
        chance = Chance("ended", code, year, number)
        decision_on = chance.day(*_days_of(year))
        family = self._family(chance, code, year, "plan ended", number, size, decision_on)
        reason = chance.weighted((("RD1", 35), ("RD2", 20), ("RD3", 30), ("RD4", 15)))
        family.decision_on = decision_on
        family.plan_ended_reason = reason
        if reason == "RD2":
            family.authority_to_place = "placement_order"
            waited = chance.between(50, 150)
        else:
            family.order_on = decision_on + timedelta(days=chance.between(20, 60))
            waited = chance.between(330, 700) if reason == "RD3" else chance.between(100, 450)
        family.plan_ended_on = decision_on + timedelta(days=waited)
        entered_care_on = decision_on - timedelta(days=chance.between(80, 260))
        _enter_care(chance, family, entered_care_on, decision_on)
        return family

    def _withdrawn(self, year: int, others: list[Family]) -> list[Family]:
        first, last = _days_of(year)
        referred = dict.fromkeys(self.group.weights, 0)
        for family in others:
            if first <= family.referred_on <= last:
                referred[family.authority_code] += family.size
        fixed = {
            code: max(0, int(value) - count)
            for code, count in referred.items()
            if (value := self.calibration.exactly(code, year, "children_referred")) is not None
        }
        percent = self._target(year, "percent_referrals_withdrawn")
        open_referred = sum(count for code, count in referred.items() if code not in fixed)
        total = int(open_referred * percent / (100 - percent) + 0.5) + sum(fixed.values())
        return [
            self._referral_withdrawn(code, year, number, size)
            for code, children in spread(total, self.group.weights, fixed).items()
            for number, size in enumerate(family_sizes(Chance("withdrawn", code, year), children))
        ]

    def _referral_withdrawn(self, code: str, year: int, number: int, size: int) -> Family:
        chance = Chance("withdrawn", code, year, number)
        referred_on = chance.day(*_days_of(year))
        family = self._family(chance, code, year, "withdrawn", number, size, referred_on)
        _move_births(family, referred_on - timedelta(days=chance.between(10, 150)))
        family.withdrawn_on = referred_on + timedelta(days=chance.between(25, 150))
        return family

    # --- registers ------------------------------------------------------------

    def _refer_to_register(self, families: Iterable[Family]) -> None:
        """Wales only: a child is referred within a month of the order, mostly."""
        if not self.group.nation_code.startswith("W"):
            return
        for family in families:
            if family.order_on is None:
                continue
            chance = Chance("register", family.key)
            days = chance.between(3, 30) if chance.happens(74) else chance.between(31, 75)
            referred_on = family.order_on + timedelta(days=days)
            stops_on = family.matches[0].matched_on if family.matches else family.plan_ended_on
            if stops_on is None or referred_on < stops_on:
                family.register_on = referred_on

    def _refer_to_adopting_together(self, families: list[Family]) -> None:
        for year in self.years:
            wanted = self.calibration.exactly(self.group.name, year, "adopting_together_referred")
            if wanted is None:
                continue
            first, last = _days_of(year)
            already = sum(
                family.size
                for family in families
                if family.adopting_together_referred_on
                and first <= family.adopting_together_referred_on <= last
            )
            # A draw of its own for each family, so that more families change nothing for these.
            able: list[tuple[float, Family, date]] = []
            for family in families:
                chance = Chance("adopting together referral", family.key, year)
                day = _could_be_referred_on(chance, family)
                if day and first <= day <= last:
                    able.append((chance.share(), family, day))
            able.sort(key=lambda item: (item[0], item[1].key))
            chosen = _families_of(int(wanted) - already, [family for _, family, _ in able])
            for _, family, day in able:
                if family.key in chosen:
                    family.adopting_together_referred_on = day

    def _without_quiet_quarters(self, families: list[Family]) -> list[Family]:
        """Leave out families of an authority that has no child in a quarter it names."""
        kept = families
        for code in self.group.weights:
            for year in self.years:
                number = self.calibration.exactly(code, year, "quarter_without_children")
                if number is not None:
                    quarter = Quarter(year, int(number))
                    kept = [
                        family
                        for family in kept
                        if family.authority_code != code
                        or not family.is_active(quarter.first_day, quarter.last_day)
                    ]
        return kept

    def _assert_published_matches(self, families: list[Family]) -> None:
        """Count the finished journeys again where matches over six months were published."""
        for year in self.years:
            wanted = self.calibration.exactly(
                self.group.name, year, "children_matched_over_six_months"
            )
            if wanted is None:
                continue
            first, last = _days_of(year)
            matched = [
                (family, match)
                for family in families
                for match in family.matches
                if first <= match.matched_on <= last
            ]
            found = sum(family.size for family, _ in matched)
            over = sum(
                family.size
                for family, match in matched
                if family.decision_on and match.matched_on > six_months_after(family.decision_on)
            )
            if (found, over) != (self._children_a_year(year), int(wanted)):
                place = f"{self.group.name} {year}"
                raise ValueError(f"{place}: {found} children matched, {over} after six months")


# --- small sums over families ---------------------------------------------------


def _by_year_placed(cohorts: dict[int, list[Family]]) -> dict[int, list[Family]]:
    """Families by the financial year of their placement; a year's matches can end in the next."""
    found: dict[int, list[Family]] = {}
    for cohort in cohorts.values():
        for family in cohort:
            year = Quarter.containing(family.matches[0].placed_on).starting_year
            found.setdefault(year, []).append(family)
    return found


def six_months_after(day: date) -> date:
    """The same day six calendar months on, or the last day of that month."""
    months = day.month + 5
    year, month = day.year + months // 12, months % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _days_of(year: int) -> tuple[date, date]:
    return Quarter(year, 1).first_day, Quarter(year, 4).last_day


def _days(first: date | None, last: date) -> int:
    return (last - first).days if first else 0


def _quantiles(count: int) -> list[float]:
    return [(place + 0.5) / count for place in range(count)]


def _mean(days: Sequence[float], families: Sequence[Family]) -> float:
    """Average over children, so that three brothers count three times."""
    children = sum(family.size for family in families)
    return sum(day * f.size for day, f in zip(days, families, strict=True)) / max(1, children)


def _stretched(
    lowest: int, steps: Sequence[float], families: Sequence[Family], mean: float
) -> list[int]:
    """Days from ``lowest`` upwards along ``_TAIL`` whose average over children is ``mean``."""
    if not families:
        return []
    shape = [_tail(step) for step in steps]
    stretch = max(0.0, (mean - lowest) / _mean(shape, families))
    return [lowest + int(stretch * value + 0.5) for value in shape]


def _tail(step: float) -> float:
    place = step * (len(_TAIL) - 1)
    below = int(place)
    return _TAIL[below] + (_TAIL[below + 1] - _TAIL[below]) * (place - below)


def _families_of(children: int, families: Iterable[Family]) -> set[str]:
    """Keys of the first families that together have exactly ``children``, if there are any."""
    chosen: set[str] = set()
    for family in families:
        if family.size <= children:
            chosen.add(family.key)
            children -= family.size
    return chosen


def _enter_care(chance: Chance, family: Family, entered_care_on: date, decision_on: date) -> None:
    _move_births(family, entered_care_on)
    family.referred_on = max(
        entered_care_on + timedelta(days=12), decision_on - timedelta(days=chance.between(40, 120))
    )


def _move_births(family: Family, entered_care_on: date) -> None:
    """Keep the ages the children were made with, at the true day of entering care."""
    for child in family.children:
        child.born_on += entered_care_on - family.entered_care_on
    family.entered_care_on = entered_care_on


def _is_ordinary(family: Family) -> bool:
    return not (
        family.is_foster_carer_adoption
        or family.early_permanence != "none"
        or family.matches[0].is_adopting_together
    )


def _can_follow(family: Family, other: Family) -> bool:
    """Whether ``family`` (one child) could take the match of ``other`` after a disruption."""
    return (
        family.size == other.size == 1
        and family.authority_code == other.authority_code
        and _is_ordinary(other)
        and len(other.matches) == 1
        and len(family.matches) == 1
        and _days(family.matches[0].placed_on, other.matches[0].matched_on) >= 300
        # Only a long wait gives up its place, so that the share over six months stays as asked.
        and _days(other.decision_on, other.matches[0].matched_on) > 184
        and _days(other.order_on, other.matches[0].placed_on) > 184
    )


def _could_be_referred_on(chance: Chance, family: Family) -> date | None:
    """A day on which a family that waits long might be referred to Adopting Together."""
    days = chance.between(120, 200)
    if family.decision_on is None or family.order_on is None:
        return None
    if family.adopting_together_referred_on or family.is_foster_carer_adoption:
        return None
    day = family.decision_on + timedelta(days=days)
    stops_on = family.matches[0].matched_on if family.matches else family.plan_ended_on
    return day if stops_on is None or day + timedelta(days=40) < stops_on else None
