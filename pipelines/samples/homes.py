"""Where the adopters of a year's children come from, and what goes with the child."""

from __future__ import annotations

from datetime import timedelta

from pipelines.quarters import Quarter
from pipelines.samples.chance import Chance
from pipelines.samples.families import Family
from pipelines.samples.family_sums import days_between, days_of_year, families_with
from pipelines.samples.targets import GroupTargets


def choose_adopting_together(targets: GroupTargets, year: int, cohort: list[Family]) -> None:
    """The children placed through Adopting Together: eight in all, as published.

    The true eight were placed from 2016 on; the sample begins in 2018 and has them all.
    """
    wanted = int(targets.exactly(year, "adopting_together_placed") or 0)
    if not wanted or not targets.group.voluntary:
        return
    chance = Chance("adopting together", targets.group.name, year)
    earliest = days_of_year(year)[0] + timedelta(days=150)
    latest = days_of_year(year)[1]
    able = [
        family
        for family in chance.shuffled(cohort)
        if days_between(family.decision_on, family.matches[0].matched_on) > 280
        and earliest <= family.matches[0].matched_on
        and family.matches[0].placed_on <= latest
    ]
    chosen = families_with(wanted, able)
    for family in able:
        if family.key in chosen:
            match = family.matches[0]
            match.is_adopting_together = True
            match.placement_source = "in_nation"
            match.home = chance.pick(targets.group.voluntary)
            family.adopting_together_referred_on = match.matched_on - timedelta(
                days=chance.between(50, 140)
            )


def choose_homes(targets: GroupTargets, year: int, cohort: list[Family]) -> None:
    """Give each match of the families placed in ``year`` its source and its home."""
    chance = Chance("homes", targets.group.name, year)
    sources = ("in_region", "in_nation", "outside_nation")
    children = sum(family.size for family in cohort)
    missing = {
        source: children * targets.near(year, f"percent_{source}") / 100 for source in sources
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
        match.home = _home(targets, chance, family.authority_code, source)


def _home(targets: GroupTargets, chance: Chance, authority_code: str, source: str) -> str:
    if source == "in_region":
        return authority_code
    if source == "outside_nation":
        return chance.pick(targets.group.abroad)
    if targets.group.voluntary and chance.happens(60):
        return chance.pick(targets.group.voluntary)
    return chance.pick(targets.group.elsewhere[authority_code])


def give_life_journey_materials(targets: GroupTargets, year: int, cohort: list[Family]) -> None:
    """Date the materials of as many children placed in ``year`` as the calibration asks for."""
    chance = Chance("life journey", targets.group.name, year)
    mixed = chance.shuffled(cohort)
    children = sum(family.size for family in cohort)
    percent = targets.near(year, "percent_life_journey")
    chosen = families_with(int(children * percent / 100 + 0.5), mixed)
    for family in mixed:
        if family.key in chosen:
            # In time for the placement, or soon after; the return of that quarter shows it.
            placed_on = family.matches[0].placed_on
            latest = Quarter.containing(placed_on).last_day
            family.matches[0].life_journey_on = min(
                placed_on + timedelta(days=chance.between(0, 21)), latest
            )
