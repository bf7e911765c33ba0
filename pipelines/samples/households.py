"""Households who enquire about adopting: those matched with a child, and the many who are not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.quarters import Quarter
from pipelines.samples.calibration import Calibration
from pipelines.samples.chance import Chance, spread
from pipelines.samples.families import Family, Match
from pipelines.samples.family_sums import DAYS_A_MONTH
from pipelines.samples.journeys import FIRST_COHORT, LAST_COHORT

# Adoption Agencies (Wales) (Amendment) Regulations 2020: no stages in Wales before then.
WALES_STAGES_SINCE = date(2020, 4, 1)
_SHORTEST_ASSESSMENT = 150  # days from enquiry to approval


@dataclass
class Household:
    """One household. ``home`` is the authority, or voluntary agency, that first knew it."""

    key: str
    home: str
    reference: str
    adopters_in_household: str
    enquired_on: date
    initial_meeting_on: date | None = None
    registered_on: date | None = None
    stage_one_started_on: date | None = None
    stage_one_completed_on: date | None = None
    stage_two_started_on: date | None = None
    approved_on: date | None = None
    register_on: date | None = None
    matched_on: date | None = None
    placed_on: date | None = None
    left_on: date | None = None
    left_reason: str | None = None
    is_fast_track: bool = False
    is_willing_sibling_group: str = "unknown"
    is_willing_aged_five_and_over: str = "unknown"
    is_willing_additional_needs: str = "unknown"
    is_willing_early_permanence: str = "unknown"

    def is_active(self, first_day: date, last_day: date) -> bool:
        return self.enquired_on <= last_day and (self.left_on is None or self.left_on >= first_day)


class HouseholdNumbers:
    """References of one home's households; the home's digits keep them apart in a shared agency."""

    def __init__(self, home: str) -> None:
        digits = "".join(character for character in home if character.isdigit())
        self._prefix = f"SYN-H{digits[:2]}{digits[-2:]}" if digits else f"SYN-{home[:2]}"
        self._given: dict[int, int] = {}

    def next(self, block: int) -> str:
        """The next reference of ``block``, a number for the year and the kind of household."""
        serial = self._given[block] = self._given.get(block, 0) + 1
        return f"{self._prefix}/{(block * 1000 + serial) * 618_033 % 1_000_003:07d}"


Numbers = dict[str, HouseholdNumbers]  # by home


def build_households(
    calibration: Calibration,
    groups: dict[str, dict[str, float]],
    families: Iterable[Family],
    last_year: int,
) -> list[Household]:
    """Every household of ``groups`` (home weights by calibration name); links matches to theirs.

    Sets ``household_reference`` of every match of ``families``.
    """
    group_of = {home: name for name, weights in groups.items() for home in weights}
    numbers = {home: HouseholdNumbers(home) for home in group_of}
    households: list[Household] = []
    for family in families:
        for match in family.matches:
            number = numbers[match.home].next((match.matched_on.year - 2010) * 3)
            household = _matched(family, match, number)
            match.household_reference = household.reference
            households.append(household)
    years = range(FIRST_COHORT, max(LAST_COHORT, last_year + 3) + 1)
    approved: dict[tuple[str, int], list[Household]] = {}
    for household in households:
        assert household.approved_on
        year = Quarter.containing(household.approved_on).starting_year
        approved.setdefault((group_of[household.home], year), []).append(household)
    for name, weights in groups.items():
        for year in years:
            known = approved.setdefault((name, year), [])
            wanted = int(calibration.near(name, year, "households_approved"))
            unmatched = _unmatched(name, year, weights, max(0, wanted - len(known)), numbers)
            known += unmatched
            households += unmatched
            percent = calibration.near(name, year, "percent_enquiries_without_approval")
            households += _not_approved(
                name, year, weights, int(wanted * percent / 100 + 0.5), numbers
            )
    for (name, year), known in approved.items():
        mean = calibration.near(name, year, "months_enquiry_to_approval") * DAYS_A_MONTH
        _date_assessments(Chance("assessments", name, year), known, mean)
    return households


def _matched(family: Family, match: Match, reference: str) -> Household:
    chance = Chance("household", match.key)
    known_by = match.matched_on
    if family.early_permanence_on and match is family.matches[0]:
        known_by = min(known_by, family.early_permanence_on)
    shortest, longest = (10, 90) if family.is_foster_carer_adoption else (15, 330)
    household = Household(
        key=match.key,
        home=match.home,
        reference=reference,
        adopters_in_household=chance.weighted((("2", 87), ("1", 13))),
        enquired_on=known_by,
        approved_on=known_by - timedelta(days=chance.between(shortest, longest)),
        matched_on=match.matched_on,
        placed_on=match.placed_on,
        is_fast_track=family.is_foster_carer_adoption or chance.happens(8),
    )
    _set_willingness(chance, household)
    if family.size > 1:
        household.is_willing_sibling_group = "yes"
    if family.early_permanence != "none":
        household.is_willing_early_permanence = "yes"
    if match.disrupted_on is None:
        if family.adopted_on:
            household.left_on = family.adopted_on + timedelta(days=chance.between(0, 60))
            household.left_reason = "placed_and_completed"
    else:
        # The child's return names this household until the child is matched again.
        index = family.matches.index(match)
        released_on = (
            family.matches[index + 1].matched_on
            if index + 1 < len(family.matches)
            else family.plan_ended_on
        )
        if released_on:
            household.left_on = released_on + timedelta(days=chance.between(5, 120))
            household.left_reason = chance.weighted((("withdrew", 70), ("approval_ended", 30)))
    return household


def _unmatched(
    name: str, year: int, weights: dict[str, float], count: int, numbers: Numbers
) -> list[Household]:
    """Households approved in ``year`` who were not matched: waiting, or left after a while."""
    made = []
    for home, share in spread(count, weights, {}).items():
        for number in range(share):
            chance = Chance("unmatched", name, home, year, number)
            approved_on = chance.day(Quarter(year, 1).first_day, Quarter(year, 4).last_day)
            household = Household(
                key=f"{home} {year} unmatched {number}",
                home=home,
                reference=numbers[home].next((year - 2010) * 3 + 1),
                adopters_in_household=chance.weighted((("2", 84), ("1", 16))),
                enquired_on=approved_on,
                approved_on=approved_on,
                is_fast_track=chance.happens(6),
            )
            _set_willingness(chance, household)
            household.left_on = approved_on + timedelta(days=chance.between(150, 800))
            household.left_reason = chance.weighted(
                (("withdrew", 62), ("approval_ended", 30), ("other", 8))
            )
            made.append(household)
    return made


def _not_approved(
    name: str, year: int, weights: dict[str, float], count: int, numbers: Numbers
) -> list[Household]:
    """Enquiries of ``year`` that came to nothing, most of them before registration."""
    made = []
    for home, share in spread(count, weights, {}).items():
        for number in range(share):
            chance = Chance("not approved", name, home, year, number)
            enquired_on = chance.day(Quarter(year, 1).first_day, Quarter(year, 4).last_day)
            household = Household(
                key=f"{home} {year} not approved {number}",
                home=home,
                reference=numbers[home].next((year - 2010) * 3 + 2),
                adopters_in_household=chance.weighted((("2", 80), ("1", 20))),
                enquired_on=enquired_on,
            )
            _leave_early(chance, household)
            made.append(household)
    return made


def _leave_early(chance: Chance, household: Household) -> None:
    stage = chance.weighted((("enquiry", 60), ("stage one", 25), ("stage two", 10), ("panel", 5)))
    met_on = household.enquired_on + timedelta(days=chance.between(3, 24))
    if stage == "enquiry":
        if chance.happens(65):
            household.initial_meeting_on = met_on
        household.left_on = met_on + timedelta(days=chance.between(10, 80))
        household.left_reason = chance.weighted((("withdrew", 90), ("other", 10)))
        return
    household.initial_meeting_on = met_on
    household.registered_on = met_on + timedelta(days=chance.between(15, 70))
    _set_stages(chance, household, household.registered_on + timedelta(days=300))
    if stage == "stage one":
        # Left before the first stage was over, so nothing after its start is known.
        household.stage_one_completed_on = household.stage_two_started_on = None
        household.left_on = household.registered_on + timedelta(days=chance.between(20, 60))
        household.left_reason = chance.weighted((("withdrew", 65), ("agency_declined", 35)))
        return
    _set_willingness(chance, household)
    household.left_on = household.registered_on + timedelta(days=chance.between(150, 290))
    household.left_reason = (
        "not_approved"
        if stage == "panel"
        else chance.weighted((("withdrew", 70), ("agency_declined", 30)))
    )


def _date_assessments(chance: Chance, households: list[Household], mean: float) -> None:
    """Date enquiry to approval so that it takes ``mean`` days on average."""
    in_order = chance.shuffled(sorted(households, key=lambda household: household.key))
    count = len(in_order)
    stretch = max(0.0, mean - _SHORTEST_ASSESSMENT)
    for place, household in enumerate(in_order):
        # Evenly from nothing to twice the stretch: the mean over the year is the one asked for.
        days = _SHORTEST_ASSESSMENT + int(2 * stretch * (place + 0.5) / count + 0.5)
        assert household.approved_on
        household.enquired_on = household.approved_on - timedelta(days=days)
        household.initial_meeting_on = household.enquired_on + timedelta(
            days=chance.between(3, 14) if chance.happens(78) else chance.between(15, 30)
        )
        assessed = min(chance.between(110, 200), days - 35)
        household.registered_on = household.approved_on - timedelta(days=assessed)
        _set_stages(chance, household, household.approved_on)
        if _is_welsh(household):
            referred = household.approved_on + timedelta(
                days=chance.between(2, 30) if chance.happens(70) else chance.between(31, 80)
            )
            stops_on = household.matched_on or household.left_on
            if stops_on is None or referred < stops_on:
                household.register_on = referred


def _set_stages(chance: Chance, household: Household, ends_on: date) -> None:
    """Stage dates between registration and ``ends_on``; none in Wales before the regulations."""
    started_on = household.registered_on
    assert started_on
    if _is_welsh(household) and started_on < WALES_STAGES_SINCE:
        return
    available = (ends_on - started_on).days
    stage_one = min(chance.between(40, 75), available // 2)
    pause = min(chance.between(0, 30), available // 8)
    if household.is_fast_track:
        household.stage_two_started_on = started_on + timedelta(days=pause)
        return
    household.stage_one_started_on = started_on
    household.stage_one_completed_on = started_on + timedelta(days=stage_one)
    household.stage_two_started_on = started_on + timedelta(days=stage_one + pause)


def _set_willingness(chance: Chance, household: Household) -> None:
    for name, percent in (
        ("is_willing_sibling_group", 30),
        ("is_willing_aged_five_and_over", 12),
        ("is_willing_additional_needs", 24),
        ("is_willing_early_permanence", 20),
    ):
        setattr(household, name, "yes" if chance.happens(percent) else "no")


def _is_welsh(household: Household) -> bool:
    # Homes are Welsh authorities (W…) or the voluntary agencies, which are Welsh in this sample.
    return not household.home.startswith("E")
