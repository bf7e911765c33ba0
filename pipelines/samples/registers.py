"""Referrals to the adoption register for Wales and to Adopting Together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from pipelines.samples.chance import Chance
from pipelines.samples.families import Family
from pipelines.samples.family_sums import days_of_year, families_with
from pipelines.samples.targets import GroupTargets


def refer_to_register(targets: GroupTargets, families: Iterable[Family]) -> None:
    """Wales only: a child is referred within a month of the order, mostly."""
    if not targets.group.nation_code.startswith("W"):
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


def refer_to_adopting_together(targets: GroupTargets, families: list[Family], years: range) -> None:
    """As many children referred in each year as were published."""
    for year in years:
        wanted = targets.exactly(year, "adopting_together_referred")
        if wanted is None:
            continue
        first, last = days_of_year(year)
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
        chosen = families_with(int(wanted) - already, [family for _, family, _ in able])
        for _, family, day in able:
            if family.key in chosen:
                family.adopting_together_referred_on = day


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
