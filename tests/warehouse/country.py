"""A small country: real authorities and agencies with their declared memberships, and a corner of
Wales whose bodies are invented. Every child and household is.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter, quarters_between
from pipelines.settings import SOURCES
from tests.warehouse.conftest import ENGLAND, InventedReturns

DECLARED = Declarations(SOURCES)
FIRST, LAST = Quarter(2018, 1), Quarter(2024, 1)

# Children matched in each quarter's return: no two sums of these are equal.
HEREFORDSHIRE, SHROPSHIRE, TELFORD = "E06000019", "E06000051", "E06000020"
WORCESTERSHIRE, CORNWALL, DEVON = "E10000034", "E06000052", "E10000008"
MATCHED = {
    HEREFORDSHIRE: 1,
    SHROPSHIRE: 2,
    TELFORD: 4,
    WORCESTERSHIRE: 8,
    CORNWALL: 16,
    DEVON: 32,
}
EVERYBODY = sum(MATCHED.values())
NOT_SENT = (TELFORD, "2022-23-Q2")  # after a history of its own: four children in each quarter
AGENCY = "ADOPT_SOUTH_WEST"


def _child(number: int, quarter: Quarter) -> dict[str, Any]:
    """A child matched in the quarter; every attribute runs through its codes, and is missing
    now and then."""
    day = quarter.first_day + timedelta(days=number)
    return {
        "matched_on": day,
        "placed_on": day + timedelta(days=20),
        "should_be_placed_decision_on": day - timedelta(days=150 + 20 * number),
        "placement_order_on": day - timedelta(days=100 + 2 * (number % 3)),
        "authority_to_place": "placement_order",
        "entered_care_on": day - timedelta(days=400),
        "birth_month": None if number % 7 == 6 else date(quarter.starting_year - number % 13, 5, 1),
        "sex": ("female", "male", None)[number % 3],
        "ethnicity_group": ("white", "mixed", "not_stated", None)[number % 4],
        "is_disabled": ("no", "yes", None)[number % 3],
        "has_additional_needs": ("no", None, "yes", "no")[number % 4],
        "siblings_placed_together": (1, 2, None)[number % 3],
        "placement_source": ("in_region", "outside_nation", None)[number % 3],
        "placement_provider": ("PR1", None)[number % 2],
        "early_permanence": ("none", "concurrent", None)[number % 3],
        "is_adopting_together_placement": ("no", "yes", None)[number % 3],
    }


def small_country(folder: Path) -> None:
    """Returns of every quarter from FIRST to LAST, built in ``folder``."""
    invented = InventedReturns(folder)
    parents = {
        m.parent_code
        for m in DECLARED.memberships
        if m.member_code in MATCHED and m.role == "member"
    }
    for code in (*MATCHED, *sorted(parents)):
        invented.place(code, DECLARED.places[code].kind, ENGLAND)
    for membership in DECLARED.memberships:
        if membership.member_code in MATCHED and membership.role == "member":
            invented.member(
                membership.member_code,
                membership.parent_code,
                membership.since,
                membership.until,
            )
    invented.place("NEVER_SENT", "authority", ENGLAND)
    invented.owes("NEVER_SENT", "child", LAST.label)
    labels = [quarter.label for quarter in quarters_between(FIRST, LAST)]
    for sender, matched in MATCHED.items():
        invented.owes(sender, "child", *labels)
        for quarter in quarters_between(FIRST, LAST):
            if (sender, quarter.label) != NOT_SENT:
                children = [_child(number, quarter) for number in range(matched)]
                invented.submit(sender, quarter.label, child=children)
    invented.owes(AGENCY, "adopter", *labels)
    for quarter in quarters_between(FIRST, LAST):
        invented.submit(
            AGENCY,
            quarter.label,
            adopter=[
                {
                    "enquired_on": quarter.first_day,
                    "approved_on": quarter.last_day,
                    "adopters_in_household": (None, "1", "2", "2")[number],
                    "is_fast_track": ("yes", "no", None, "unknown")[number],
                }
                for number in range(4)
            ],
        )
    _east_and_west(invented)
    invented.write(LAST.label)
    invented.dbt("build", "--exclude-resource-type", "unit_test")


# --- a corner of Wales ---------------------------------------------------------------------

BEFORE, AFTER = "2019-20-Q2", "2019-20-Q3"  # the host moves between them
MOVED_ON = date(2019, 10, 1)


def _east_and_west(invented: InventedReturns) -> None:
    """Two regions, a voluntary agency and a service, with every role there is.

    HOST hosts EAST until the end of September 2019 and PARTNER from October on; HOST oversees it,
    too. ALONE is all there is of WEST. The voluntary agency finds families for the SERVICE.
    """
    for region in ("EAST", "WEST"):
        invented.place(region, "region")
    invented.place("VOLUNTARY", "voluntary_agency")
    invented.place("SERVICE", "service")
    for authority, region in (("HOST", "EAST"), ("PARTNER", "EAST"), ("ALONE", "WEST")):
        invented.place(authority)
        invented.member(authority, region)
        invented.owes(authority, "child", BEFORE, AFTER)
    last_day = MOVED_ON - timedelta(days=1)
    invented.member("HOST", "EAST", role="host", until=last_day)
    invented.member("PARTNER", "EAST", role="host", since=MOVED_ON)
    invented.member("HOST", "EAST", role="commissioner")
    invented.member("EAST", "SERVICE", role="commissioner")
    for role in ("member", "provider"):
        invented.member("VOLUNTARY", "SERVICE", role=role)
    for agency in ("EAST", "WEST", "VOLUNTARY"):
        invented.owes(agency, "adopter", BEFORE, AFTER)
    for label, codes in ((BEFORE, ("PR1", "PR2")), (AFTER, ("PR2", "PR1"))):
        quarter = Quarter.parse(label)
        day = quarter.first_day + timedelta(days=10)
        # Of each authority in the east a child placed with a family of its own region ...
        for authority, code, household in zip(
            ("HOST", "PARTNER"), codes, ("in east 1", "in east 2"), strict=True
        ):
            children = [_placed(day, "EAST", household, code, "in_region")]
            # ... and of one another, placed with a family of the west.
            if authority == "HOST":
                children.append(_placed(day, "WEST", "in west", "PR2", "in_nation"))
            # The region returns adopters for its authorities: what one of them sends is not due.
            also = [_approved(day, f"{household}, {label}")]
            invented.submit(authority, label, child=children, adopter=also)
        alone = _placed(day, "VOLUNTARY", "of the charity", "PR5", "in_nation")
        invented.submit("ALONE", label, child=[alone])
        families = {"EAST": ["in east 1", "in east 2"], "WEST": ["in west"]}
        families["VOLUNTARY"] = ["of the charity"]
        for agency, households in families.items():
            rows = [_approved(day, f"{household}, {label}") for household in households]
            invented.submit(agency, label, adopter=rows)


def _placed(day: date, agency: str, household: str, provider: str, source: str) -> dict[str, Any]:
    return {
        "should_be_placed_decision_on": day - timedelta(days=200),
        "placement_order_on": day - timedelta(days=150),
        "matched_on": day,
        "placed_on": day + timedelta(days=5),
        "placement_provider": provider,
        "placement_source": source,
        "adopter_agency_code": agency,
        "adopter_household_pseudonym": household,
    }


def _approved(day: date, household: str) -> dict[str, Any]:
    """Approved in the quarter, and matched with and lived with by a child of another return."""
    return {
        "household_pseudonym": household,
        "enquired_on": day - timedelta(days=200),
        "approved_on": day - timedelta(days=1),
        "matched_on": day,
        "placed_on": day + timedelta(days=5),
    }
