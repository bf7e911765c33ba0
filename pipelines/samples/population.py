"""Who sends which rows: the invented families and households as the returns of each quarter."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache

from pipelines.declarations import Declarations, Membership
from pipelines.quarters import Quarter
from pipelines.samples.calibration import Calibration
from pipelines.samples.families import Child, Family, Match
from pipelines.samples.households import Household, build_households
from pipelines.samples.journeys import build_journeys
from pipelines.samples.support import support_counts
from pipelines.samples.targets import CalibrationGroup

Row = dict[str, object]


class Population:
    """Families and households, and what each sender's return of a quarter says about them."""

    def __init__(
        self,
        declarations: Declarations,
        families: list[Family],
        households: list[Household],
        children_a_year: dict[str, float],
    ) -> None:
        self._declarations = declarations
        self._children_a_year = children_a_year
        self.families: dict[str, list[Family]] = {}
        for family in sorted(families, key=lambda item: (item.referred_on, item.key)):
            self.families.setdefault(family.authority_code, []).append(family)
        self.households: dict[str, list[Household]] = {}
        for household in sorted(households, key=lambda item: (item.enquired_on, item.key)):
            self.households.setdefault(household.home, []).append(household)
        self._agencies: dict[tuple[str, str, Quarter], str | None] = {}
        self._providers: dict[tuple[str, str, Quarter], str] = {}

    def agency_for(self, home: str, return_name: str, quarter: Quarter) -> str | None:
        """Who sends ``return_name`` on behalf of ``home`` in ``quarter``, if anybody does."""
        key = (home, return_name, quarter)
        if key not in self._agencies:
            self._agencies[key] = self._find_agency(home, return_name, quarter)
        return self._agencies[key]

    def _find_agency(self, home: str, return_name: str, quarter: Quarter) -> str | None:
        declared = self._declarations
        if return_name in declared.due_from(home, quarter):
            return home
        return min(
            (
                membership.parent_code
                for membership in declared.memberships
                if membership.member_code == home
                and membership.role == "member"
                and _in_force(membership, quarter)
                and return_name in declared.due_from(membership.parent_code, quarter)
            ),
            default=None,
        )

    def rows(self, sender_code: str, quarter: Quarter) -> dict[str, list[Row]]:
        """Rows of every return ``sender_code`` owes for ``quarter``, by return and field name.

        Dates are ``datetime.date``, counts are int, all else is text; what is not known at the
        end of the quarter is None.
        """
        made = {
            "child": self._child_rows,
            "adopter": self._adopter_rows,
            "support": self._support_rows,
        }
        return {
            name: made[name](sender_code, quarter)
            for name in self._declarations.due_from(sender_code, quarter)
        }

    def _child_rows(self, sender_code: str, quarter: Quarter) -> list[Row]:
        first_day, last_day = quarter.first_day, quarter.last_day
        return [
            self._child_row(child, family, quarter, last_day)
            for family in self.families.get(sender_code, ())
            if family.is_active(first_day, last_day)
            for child in family.children
        ]

    def _child_row(self, child: Child, family: Family, quarter: Quarter, last_day: date) -> Row:
        def known(day: date | None) -> date | None:
            return day if day is not None and day <= last_day else None

        matches = [match for match in family.matches if match.matched_on <= last_day]
        match = matches[-1] if matches else None
        is_early = bool(known(family.early_permanence_on))
        is_matched_first = match is not None and match is family.matches[0]
        row: Row = {
            "child_reference": child.reference,
            "date_of_birth": child.born_on,
            "sex": child.sex,
            "ethnicity_group": child.ethnicity_group,
            "is_disabled": child.is_disabled,
            "has_additional_needs": child.has_additional_needs,
            "sibling_group_reference": family.sibling_reference,
            "siblings_placed_together": family.size,
            "siblings_placed_apart": family.siblings_placed_apart,
            "entered_care_on": family.entered_care_on,
            "referred_on": family.referred_on,
            "referral_withdrawn_on": known(family.withdrawn_on),
            "should_be_placed_decision_on": known(family.decision_on),
            "authority_to_place": family.authority_to_place if known(family.order_on) else None,
            "placement_order_on": known(family.order_on),
            "family_finding_status": _family_finding(family, last_day),
            "referred_to_register_on": known(family.register_on),
            "adopting_together_referred_on": known(family.adopting_together_referred_on),
            "matched_on": match.matched_on if match else None,
            "placed_on": known(match.placed_on) if match else None,
            "adoption_order_on": known(family.adopted_on),
            "plan_ended_on": known(family.plan_ended_on),
            "plan_ended_reason": family.plan_ended_reason if known(family.plan_ended_on) else None,
            "disrupted_on": max(
                (day for item in matches if (day := known(item.disrupted_on))), default=None
            ),
            "early_permanence": family.early_permanence if is_early else "none",
            "early_permanence_placed_on": known(family.early_permanence_on),
            "is_foster_carer_adoption": None,
            "foster_placement_started_on": None,
            "placement_source": None,
            "placement_provider": None,
            "adopter_agency_code": None,
            "adopter_household_reference": None,
            "is_adopting_together_placement": None,
            "life_journey_materials_on": known(match.life_journey_on) if match else None,
        }
        if match is not None:
            is_foster = family.is_foster_carer_adoption and is_matched_first
            row["is_foster_carer_adoption"] = "yes" if is_foster else "no"
            row["foster_placement_started_on"] = (
                family.foster_placement_started_on if is_foster else None
            )
            row |= self._adopters_of(family, match, quarter)
        return row

    def _adopters_of(self, family: Family, match: Match, quarter: Quarter) -> Row:
        agency = self.agency_for(match.home, "adopter", quarter)
        is_welsh = self._declarations.places[family.authority_code].nation_code == "W92000004"
        return {
            "placement_source": match.placement_source,
            "placement_provider": self._provider(family.authority_code, agency, quarter),
            "adopter_agency_code": agency,
            "adopter_household_reference": match.household_reference if agency else None,
            "is_adopting_together_placement": (
                ("yes" if match.is_adopting_together else "no") if is_welsh else None
            ),
        }

    def _provider(self, authority_code: str, agency: str | None, quarter: Quarter) -> str | None:
        """PR1 is also an agency the child's authority hosts, or owns where nobody hosts it."""
        if agency is None:
            return None
        key = (authority_code, agency, quarter)
        if key not in self._providers:
            self._providers[key] = self._find_provider(authority_code, agency, quarter)
        return self._providers[key]

    def _find_provider(self, authority_code: str, agency: str, quarter: Quarter) -> str:
        if self._declarations.places[agency].kind == "voluntary_agency":
            return "PR5"
        if agency != self.agency_for(authority_code, "adopter", quarter):
            return "PR2"
        hosts = [
            membership.member_code
            for membership in self._declarations.memberships
            if membership.role == "host"
            and membership.parent_code == agency
            and _in_force(membership, quarter)
        ]
        return "PR1" if not hosts or authority_code in hosts else "PR2"

    def _adopter_rows(self, sender_code: str, quarter: Quarter) -> list[Row]:
        first_day, last_day = quarter.first_day, quarter.last_day
        return [
            _adopter_row(household, last_day)
            for home in sorted(self.households)
            if self.agency_for(home, "adopter", quarter) == sender_code
            for household in self.households[home]
            if household.is_active(first_day, last_day)
        ]

    def _support_rows(self, sender_code: str, quarter: Quarter) -> list[Row]:
        counts: Counter[str] = Counter()
        for home, children in sorted(self._children_a_year.items()):
            if self.agency_for(home, "support", quarter) == sender_code:
                counts.update(support_counts(home, quarter, children))
        return [dict(counts)] if counts else []


def population(declarations: Declarations, first: Quarter, last: Quarter) -> Population:
    """The invented families and households whose returns run from ``first`` to ``last``.

    The sample holds the same children whichever quarters are asked for, up to three years
    beyond the last calibrated one; ``first`` may not lie before 2018-19-Q1, because the
    years before it are only there to fill the first quarter's stock.
    """
    if first < Quarter(2018, 1):
        raise ValueError("the sample begins with 2018-19-Q1")
    return _population(declarations, max(last.starting_year, 2020))


@cache
def _population(declarations: Declarations, last_year: int) -> Population:
    calibration = Calibration()
    groups = _groups(declarations, calibration)
    families = [
        family for group in groups for family in build_journeys(calibration, group, last_year)
    ]
    homes = {group.name: group.weights for group in groups}
    voluntary = sorted({code for group in groups for code in group.voluntary})
    households = build_households(
        calibration, homes | {code: {code: 1.0} for code in voluntary}, families, last_year
    )
    children_a_year = {
        code: _children_a_year(calibration, group.name) * weight / sum(group.weights.values())
        for group in groups
        for code, weight in group.weights.items()
    }
    return Population(declarations, families, households, children_a_year)


def _children_a_year(calibration: Calibration, name: str) -> float:
    counted = "matched" if calibration.knows(name, "children_matched") else "placed"
    return calibration.near(name, 2018, f"children_{counted}")


def _groups(declarations: Declarations, calibration: Calibration) -> list[CalibrationGroup]:
    """Authorities that send child returns, as they are calibrated together."""
    authorities = sorted(
        {due.sender_code for due in declarations.returns_due if due.return_name == "child"}
    )
    weights: dict[str, dict[str, float]] = {
        name: {code: weight for code, weight in members.items() if code in authorities}
        for name, members in calibration.weights.items()
    }
    listed = {code for members in weights.values() for code in members}
    weights |= {code: {code: 1.0} for code in authorities if code not in listed}
    group_of = {code: name for name, members in weights.items() for code in members}
    parents: dict[str, set[str]] = {code: set() for code in authorities}
    for membership in declarations.memberships:
        if membership.member_code in parents and membership.role == "member":
            parents[membership.member_code].add(membership.parent_code)
    nation = {code: declarations.places[code].nation_code for code in authorities}
    voluntary = sorted(
        {
            due.sender_code
            for due in declarations.returns_due
            if due.return_name == "adopter"
            and declarations.places[due.sender_code].kind == "voluntary_agency"
        }
    )

    def elsewhere(code: str) -> tuple[str, ...]:
        return tuple(
            other
            for other in authorities
            if nation[other] == nation[code]
            and group_of[other] != group_of[code]
            and not parents[other] & parents[code]
        )

    return [
        CalibrationGroup(
            name,
            nation[min(members)],
            members,
            {code: elsewhere(code) for code in members},
            tuple(other for other in authorities if nation[other] != nation[min(members)]),
            tuple(
                code
                for code in voluntary
                if declarations.places[code].nation_code == nation[min(members)]
            ),
        )
        for name, members in sorted(weights.items())
        if members
    ]


def _in_force(membership: Membership, quarter: Quarter) -> bool:
    return (membership.since is None or membership.since <= quarter.last_day) and (
        membership.until is None or membership.until >= quarter.last_day
    )


def _family_finding(family: Family, last_day: date) -> str:
    if family.ended_on and family.ended_on <= last_day:
        return "ended"
    if family.decision_on is None or family.decision_on > last_day:
        return "not_started"
    passed = [match for match in family.matches if match.matched_on <= last_day]
    if passed and not (passed[-1].disrupted_on and passed[-1].disrupted_on <= last_day):
        return "ended"
    if (
        family.on_hold_from
        and family.on_hold_until
        and family.on_hold_from <= last_day < family.on_hold_until
    ):
        return "on_hold"
    upcoming = family.matches[len(passed)] if len(passed) < len(family.matches) else None
    if upcoming and (upcoming.matched_on - last_day).days <= 40:
        return "link_identified"
    return "active"


def _adopter_row(household: Household, last_day: date) -> Row:
    def known(day: date | None) -> date | None:
        return day if day is not None and day <= last_day else None

    is_assessed = bool(known(household.approved_on) or known(household.stage_two_started_on))

    def willing(answer: str) -> str:
        return answer if is_assessed else "unknown"

    return {
        "household_reference": household.reference,
        "adopters_in_household": household.adopters_in_household,
        "enquired_on": household.enquired_on,
        "initial_meeting_on": known(household.initial_meeting_on),
        "registered_on": known(household.registered_on),
        "stage_one_started_on": known(household.stage_one_started_on),
        "stage_one_completed_on": known(household.stage_one_completed_on),
        "stage_two_started_on": known(household.stage_two_started_on),
        "approved_on": known(household.approved_on),
        "referred_to_register_on": known(household.register_on),
        "matched_on": known(household.matched_on),
        "placed_on": known(household.placed_on),
        "left_on": known(household.left_on),
        "left_reason": household.left_reason if known(household.left_on) else None,
        "is_fast_track": "yes" if household.is_fast_track else "no",
        "is_willing_sibling_group": willing(household.is_willing_sibling_group),
        "is_willing_aged_five_and_over": willing(household.is_willing_aged_five_and_over),
        "is_willing_additional_needs": willing(household.is_willing_additional_needs),
        "is_willing_early_permanence": willing(household.is_willing_early_permanence),
    }


def senders_due(declarations: Declarations, quarter: Quarter) -> list[tuple[str, tuple[str, ...]]]:
    """Everybody who owes a return for ``quarter``, with what they owe, in the order declared."""
    return [
        (sender, due)
        for sender in declarations.senders
        if (due := declarations.due_from(sender, quarter))
    ]
