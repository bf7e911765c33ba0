"""How long families wait: a year's families are dated so that the published waits hold.

A year's waits are set from the easiest family to the hardest: the published share within six months
exactly, and the published mean.
"""

from __future__ import annotations

from datetime import timedelta

from pipelines.samples.chance import Chance
from pipelines.samples.families import Family, difficulty, enter_care
from pipelines.samples.family_sums import (
    DAYS_A_MONTH,
    families_with,
    mean_over_children,
    quantiles,
    stretched,
)
from pipelines.samples.targets import GroupTargets

# Days that those wait who wait under six months: from placement order to placement, and from
# decision to match, where 165 is clear of any six months.
_SHORT_WAITS_FROM_ORDER = (30, 172)
_SHORT_WAITS_FROM_DECISION = (45, 165)
_SHORTEST_LONG_WAIT = 190  # of the others, clear of the 184 days that six months can have
_SHORTEST_CARE_TO_ORDER = 130  # days


def set_waits(targets: GroupTargets, year: int, cohort: list[Family]) -> None:
    """Date a year's families so that they wait, on average, as long as they should.

    Raises ValueError where no families add up to the children that a published number asks for.
    """
    chance = Chance("waits", targets.group.name, year)
    order_mean = targets.near(year, "months_order_to_placed") * DAYS_A_MONTH
    care_mean = targets.near(year, "months_care_to_placed") * DAYS_A_MONTH
    ranked = sorted(
        ((difficulty(family, chance), family) for family in cohort),
        key=lambda pair: (pair[0], pair[1].key),
    )
    families = [family for _, family in ranked]
    to_order = [chance.between(20, 60) for _ in families]  # decision to order
    to_placed = [_match_to_placed(chance, family) for family in families]
    mean = order_mean
    if targets.counts_matches:
        sooner = [order - placed for order, placed in zip(to_order, to_placed, strict=True)]
        mean += mean_over_children(sooner, families)
    waits = _waits(targets, year, families, mean)
    # Evenly spread quantiles, shuffled: independent draws would miss the published mean.
    steps = chance.shuffled(quantiles(len(families)))
    care = stretched(_SHORTEST_CARE_TO_ORDER, steps, families, care_mean - order_mean)
    for family, wait, decision, placed, before in zip(
        families, waits, to_order, to_placed, care, strict=True
    ):
        _date_backwards(targets, chance, family, wait, decision, placed, before)


def _match_to_placed(chance: Chance, family: Family) -> int:
    if family.is_foster_carer_adoption or family.early_permanence != "none":
        return chance.between(2, 12)
    return chance.between(14, 42)


def _waits(targets: GroupTargets, year: int, families: list[Family], mean: float) -> list[int]:
    """Days each family waits, easiest first: an exact share under six months, and ``mean``."""
    children = sum(family.size for family in families)
    over = targets.exactly(year, "children_matched_over_six_months")
    within = (
        children * targets.near(year, "percent_within_six_months") / 100
        if over is None
        else children - over
    )
    chosen = families_with(int(within + 0.5), families)
    if over is not None and sum(f.size for f in families if f.key in chosen) != within:
        place = f"{targets.group.name} {year}"
        raise ValueError(f"{place}: no families add up to {within:.0f} children")
    lowest, highest = (
        _SHORT_WAITS_FROM_DECISION if targets.counts_matches else _SHORT_WAITS_FROM_ORDER
    )
    steps = iter(quantiles(len(chosen)))
    short = {
        family.key: lowest + int((highest - lowest) * next(steps))
        for family in families
        if family.key in chosen
    }
    longer = [family for family in families if family.key not in chosen]
    left = mean * children - sum(short[f.key] * f.size for f in families if f.key in chosen)
    waiting = sum(family.size for family in longer)
    mean_of_longer = left / waiting if waiting else 0
    long = stretched(_SHORTEST_LONG_WAIT, quantiles(len(longer)), longer, mean_of_longer)
    days = short | {family.key: wait for family, wait in zip(longer, long, strict=True)}
    return [days[family.key] for family in families]


def _date_backwards(
    targets: GroupTargets,
    chance: Chance,
    family: Family,
    wait: int,
    to_order: int,
    to_placed: int,
    care: int,
) -> None:
    """The dates of one family from its match back to care; the numbers are days."""
    match = family.matches[0]
    is_early = family.early_permanence != "none"
    if targets.counts_matches:
        match.placed_on = match.matched_on + timedelta(days=to_placed)
        to_order = min(to_order, wait - 5)
        order_to_placed = wait + to_placed - to_order
    else:
        order_to_placed = wait
        if is_early and targets.group.nation_code.startswith("E") and chance.happens(30):
            # Matched before the court order: counts as zero days in indicator A2.
            to_placed = wait + chance.between(1, 15)
        else:
            to_placed = min(to_placed, wait)
        match.matched_on = match.placed_on - timedelta(days=to_placed)
    family.order_on = match.placed_on - timedelta(days=order_to_placed)
    family.decision_on = family.order_on - timedelta(days=to_order)
    enter_care(chance, family, family.order_on - timedelta(days=care), family.decision_on)
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
