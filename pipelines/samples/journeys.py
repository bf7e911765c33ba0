"""Journeys of children from care to adoption, a financial year and a region at a time.

A year's families are made from the number placed (or matched) that ``calibration.csv`` asks for,
then dated backwards: placement, match, placement order, decision, referral, care, birth. The
years before and after the sample are made as well, so that the first quarter begins with
children already waiting and the last one ends with children whose match nobody knows yet.
"""

from __future__ import annotations

from datetime import date, timedelta

from pipelines.quarters import Quarter
from pipelines.samples.calibration import Calibration
from pipelines.samples.chance import Chance, spread
from pipelines.samples.families import (
    CaseNumbers,
    Family,
    Match,
    enter_care,
    family_sizes,
    is_ordinary,
    make_children,
    move_births,
)
from pipelines.samples.family_sums import (
    by_year_placed,
    days_between,
    days_of_year,
    six_months_after,
)
from pipelines.samples.homes import (
    choose_adopting_together,
    choose_homes,
    give_life_journey_materials,
)
from pipelines.samples.registers import refer_to_adopting_together, refer_to_register
from pipelines.samples.targets import CalibrationGroup, GroupTargets
from pipelines.samples.waits import set_waits

# Journeys take up to three and a half years, so the first cohort lies three years before the
# sample. It is fixed: the sample must not change when somebody asks for fewer or more quarters.
FIRST_COHORT = 2015
LAST_COHORT = 2023


def build_journeys(
    calibration: Calibration, group: CalibrationGroup, last_year: int
) -> list[Family]:
    """Every family of ``group``: placed, plan ended, referral withdrawn, still waiting.

    Raises ValueError where the finished journeys miss a published number.
    """
    targets = GroupTargets(calibration, group)
    return _GroupJourneys(targets, max(LAST_COHORT, last_year + 3)).families()


class _GroupJourneys:
    """Makes a group's families, cohort by cohort; the order of the draws decides the sample."""

    def __init__(self, targets: GroupTargets, last_cohort: int) -> None:
        self.targets = targets
        self.years = range(FIRST_COHORT, last_cohort + 1)
        self.numbers = {code: CaseNumbers(code) for code in targets.group.weights}

    def families(self) -> list[Family]:
        cohorts = {year: self._placed(year) for year in self.years}
        for year, cohort in cohorts.items():
            set_waits(self.targets, year, cohort)
            choose_adopting_together(self.targets, year, cohort)
        for year, placed_in_year in by_year_placed(cohorts).items():
            choose_homes(self.targets, year, placed_in_year)
            give_life_journey_materials(self.targets, year, placed_in_year)
        for year in self.years[:-1]:
            self._rematch(year, cohorts)
        for year, cohort in cohorts.items():
            self._end_placements(year, cohort)
        self._meet_adoptions(cohorts)
        placed = [family for year in self.years for family in cohorts[year]]
        ended = [family for year in self.years for family in self._plans_ended(year)]
        refer_to_adopting_together(self.targets, placed + ended, self.years)
        refer_to_register(self.targets, placed + ended)
        withdrawn = [
            family for year in self.years for family in self._withdrawn(year, placed + ended)
        ]
        kept = self._without_quiet_quarters(placed + ended + withdrawn)
        self._assert_published_matches(kept)
        return kept

    # --- families who are placed -------------------------------------------

    def _placed(self, year: int) -> list[Family]:
        shares = self.targets.shares(year, self.targets.children_a_year(year), "children_placed")
        return [
            family
            for code, children in shares.items()
            for family in self._placed_in(code, year, children)
        ]

    def _placed_in(self, code: str, year: int, children: int) -> list[Family]:
        chance = Chance("placed", code, year)
        families = []
        for number, size in enumerate(family_sizes(chance, children)):
            day = chance.day(*days_of_year(year))
            family = self._family(chance, code, year, "placed", number, size, day)
            is_foster = chance.happens(self.targets.near(year, "percent_foster_carer_adoptions"))
            is_early = chance.happens(self.targets.near(year, "percent_early_permanence"))
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
        percent_minority = self.targets.calibration.near(code, year, "percent_minority_ethnic")
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

    # --- how placements end -------------------------------------------------

    def _rematch(self, year: int, cohorts: dict[int, list[Family]]) -> None:
        """Some placements break down and the child is matched again the year after.

        A later single child gives up its place, so the year's numbers stay as asked.
        """
        wanted = int(self.targets.near(year, "rematches"))
        chance = Chance("rematch", self.targets.group.name, year)
        for family in chance.shuffled(cohorts[year]):
            if not wanted:
                return
            later = [other for other in cohorts[year + 1] if can_take_the_match_of(family, other)]
            if not later or not is_ordinary(family):
                continue
            other = chance.pick(later)
            first, second = family.matches[0], other.matches[0]
            latest = min(200, days_between(first.placed_on, second.matched_on) - 70)
            first.disrupted_on = first.placed_on + timedelta(days=chance.between(50, latest))
            family.matches.append(second)
            cohorts[year + 1].remove(other)
            wanted -= 1

    def _end_placements(self, year: int, cohort: list[Family]) -> None:
        chance = Chance("orders", self.targets.group.name, year)
        percent = self.targets.near(year, "percent_disrupted")
        for family in cohort:
            last = family.matches[-1]
            breaks = chance.happens(percent)
            if breaks and is_ordinary(family) and len(family.matches) == 1:
                last.disrupted_on = last.placed_on + timedelta(days=chance.between(40, 220))
                family.plan_ended_on = last.disrupted_on + timedelta(days=chance.between(60, 400))
                family.plan_ended_reason = chance.weighted((("RD1", 60), ("RD3", 25), ("RD4", 15)))
            else:
                soonest = 120 if family.is_foster_carer_adoption else 150
                days = chance.between(soonest, soonest + 240)
                family.adopted_on = last.placed_on + timedelta(days=days)

    def _meet_adoptions(self, cohorts: dict[int, list[Family]]) -> None:
        """Move adoption orders across the end of a year until a published number is met."""
        for year in self.years:
            wanted = self.targets.exactly(year, "children_adopted")
            if wanted is None:
                continue
            first, last = days_of_year(year)
            adopted = [
                (family, family.adopted_on)
                for cohort in cohorts.values()
                for family in cohort
                if family.adopted_on
            ]
            inside = sum(family.size for family, day in adopted if first <= day <= last)
            # Orders are moved by days, across the end of the year, and nothing else of a journey
            # changes.
            excess = inside - int(wanted)
            # Single children only, those nearest to the end of the year first.
            singles = sorted(
                (
                    (abs((day - last).days), family.key, family)
                    for family, day in adopted
                    if family.size == 1 and (day <= last) == (excess > 0)
                ),
                key=lambda single: single[:2],
            )
            for number, (_, _, family) in enumerate(singles[: abs(excess)]):
                days = 1 + number % 25
                family.adopted_on = last + timedelta(days=days if excess > 0 else -days)

    # --- families who are not placed ----------------------------------------

    def _plans_ended(self, year: int) -> list[Family]:
        percent = self.targets.near(year, "percent_plans_ended")
        total = int(self.targets.children_a_year(year) * percent / 100 + 0.5)
        return [
            self._plan_ended(code, year, number, size)
            for code, children in spread(total, self.targets.group.weights, {}).items()
            for number, size in enumerate(family_sizes(Chance("ended", code, year), children))
        ]

    def _plan_ended(self, code: str, year: int, number: int, size: int) -> Family:
        chance = Chance("ended", code, year, number)
        decision_on = chance.day(*days_of_year(year))
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
        enter_care(chance, family, entered_care_on, decision_on)
        return family

    def _withdrawn(self, year: int, others: list[Family]) -> list[Family]:
        calibration = self.targets.calibration
        first, last = days_of_year(year)
        referred = dict.fromkeys(self.targets.group.weights, 0)
        for family in others:
            if first <= family.referred_on <= last:
                referred[family.authority_code] += family.size
        fixed = {
            code: max(0, int(value) - count)
            for code, count in referred.items()
            if (value := calibration.exactly(code, year, "children_referred")) is not None
        }
        percent = self.targets.near(year, "percent_referrals_withdrawn")
        open_referred = sum(count for code, count in referred.items() if code not in fixed)
        total = int(open_referred * percent / (100 - percent) + 0.5) + sum(fixed.values())
        return [
            self._referral_withdrawn(code, year, number, size)
            for code, children in spread(total, self.targets.group.weights, fixed).items()
            for number, size in enumerate(family_sizes(Chance("withdrawn", code, year), children))
        ]

    def _referral_withdrawn(self, code: str, year: int, number: int, size: int) -> Family:
        chance = Chance("withdrawn", code, year, number)
        referred_on = chance.day(*days_of_year(year))
        family = self._family(chance, code, year, "withdrawn", number, size, referred_on)
        move_births(family, referred_on - timedelta(days=chance.between(10, 150)))
        family.withdrawn_on = referred_on + timedelta(days=chance.between(25, 150))
        return family

    def _without_quiet_quarters(self, families: list[Family]) -> list[Family]:
        """Leave out families of an authority that has no child in a quarter it names."""
        kept = families
        for code in self.targets.group.weights:
            for year in self.years:
                number = self.targets.calibration.exactly(code, year, "quarter_without_children")
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
            wanted = self.targets.calibration.exactly(
                self.targets.group.name, year, "children_matched_over_six_months"
            )
            if wanted is None:
                continue
            first, last = days_of_year(year)
            matched = [
                (family, match)
                for family in families
                for match in family.matches
                if first <= match.matched_on <= last
            ]
            children = sum(family.size for family, _ in matched)
            over = sum(
                family.size
                for family, match in matched
                if family.decision_on and match.matched_on > six_months_after(family.decision_on)
            )
            if (children, over) != (self.targets.children_a_year(year), int(wanted)):
                place = f"{self.targets.group.name} {year}"
                raise ValueError(f"{place}: {children} children matched, {over} after six months")


def can_take_the_match_of(family: Family, other: Family) -> bool:
    """Whether ``family`` (one child) could take the match of ``other`` after a disruption."""
    return (
        family.size == other.size == 1
        and family.authority_code == other.authority_code
        and is_ordinary(other)
        and len(other.matches) == 1
        and len(family.matches) == 1
        and days_between(family.matches[0].placed_on, other.matches[0].matched_on) >= 300
        # Only a long wait gives up its place, so that the share over six months stays as asked.
        and days_between(other.decision_on, other.matches[0].matched_on) > 184
        and days_between(other.order_on, other.matches[0].placed_on) > 184
    )
