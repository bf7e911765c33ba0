"""Invented children and the brothers and sisters they travel with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from pipelines.samples.chance import Chance

KINDS = ("placed", "plan ended", "withdrawn")

# Case numbers as different case systems write them; SYN shows that they are invented.
_CASE_NUMBERS = (
    "SYN/{number:07d}",
    "{number:07d}-SYN",
    "SYN-{number:08d}",
    "CF/SYN/{number:07d}",
    "{number:07d}/SYN",
    "LAC{number:07d}SYN",
    "SYN {number:07d}",
)

# Days old on entering care, and how many in a hundred: many at birth, few over five.
_AGES_AT_ENTRY = (
    ((0, 15), 30),
    ((16, 364), 22),
    ((365, 1094), 24),
    ((1095, 1824), 15),
    ((1825, 2300), 9),
)


@dataclass
class Child:
    """An invented child: what is on its row whatever its journey."""

    reference: str
    born_on: date
    sex: str
    ethnicity_group: str
    is_disabled: str
    has_additional_needs: str

    @property
    def is_minority_ethnic(self) -> bool:
        return self.ethnicity_group in ("mixed", "asian", "black", "other")


@dataclass
class Match:
    """One match of a family with one household of adopters, and what came of it."""

    key: str
    matched_on: date
    placed_on: date
    home: str = ""  # authority or voluntary agency whose household it is
    household_reference: str = ""
    placement_source: str = ""
    is_adopting_together: bool = False
    life_journey_on: date | None = None
    disrupted_on: date | None = None


@dataclass
class Family:
    """A child, or brothers and sisters placed together, with every date of their journey."""

    key: str
    authority_code: str
    children: list[Child]
    referred_on: date
    entered_care_on: date
    sibling_reference: str | None = None
    siblings_placed_apart: int = 0
    withdrawn_on: date | None = None
    decision_on: date | None = None
    authority_to_place: str = "placement_order"
    order_on: date | None = None
    on_hold_from: date | None = None
    on_hold_until: date | None = None
    register_on: date | None = None
    adopting_together_referred_on: date | None = None
    matches: list[Match] = field(default_factory=list)
    adopted_on: date | None = None
    plan_ended_on: date | None = None
    plan_ended_reason: str | None = None
    early_permanence: str = "none"
    early_permanence_on: date | None = None
    is_foster_carer_adoption: bool = False
    foster_placement_started_on: date | None = None

    @property
    def size(self) -> int:
        return len(self.children)

    @property
    def ended_on(self) -> date | None:
        """The day after which the family is no longer reported, or None while it waits."""
        return self.withdrawn_on or self.adopted_on or self.plan_ended_on

    def is_active(self, first_day: date, last_day: date) -> bool:
        return self.referred_on <= last_day and (
            self.ended_on is None or self.ended_on >= first_day
        )


class CaseNumbers:
    """References in the style of one authority's case system, the same on every run."""

    def __init__(self, authority_code: str) -> None:
        self._style = _CASE_NUMBERS[int(authority_code[-3:]) % len(_CASE_NUMBERS)]
        self._given: dict[tuple[int, int], int] = {}

    def next(self, year: int, kind: str) -> str:
        """The next reference of children of ``kind`` (see ``KINDS``) who joined in ``year``."""
        block = (year, KINDS.index(kind))
        serial = self._given[block] = self._given.get(block, 0) + 1
        running = ((year - 2010) * len(KINDS) + block[1]) * 1000 + serial
        # 1,000,003 is prime, so no two running numbers meet after the multiplication.
        return self._style.format(number=running * 618_033 % 1_000_003)


def family_sizes(chance: Chance, children: int) -> list[int]:
    """Sizes of families that add up to ``children``; about one in four has brothers or sisters."""
    sizes: list[int] = []
    while (left := children - sum(sizes)) > 0:
        sizes.append(min(left, chance.weighted(((1, 73), (2, 21), (3, 6)))))
    return sizes


def make_children(
    chance: Chance, references: list[str], entered_care_on: date, percent_minority: float
) -> list[Child]:
    """Brothers and sisters who entered care on the same day, eldest first."""
    ages = _ages_in_days(chance, len(references))
    ethnicity_group = _ethnicity_group(chance, percent_minority)
    return [
        Child(
            reference,
            entered_care_on - timedelta(days=age),
            chance.weighted((("male", 52), ("female", 48))),
            ethnicity_group,
            chance.weighted((("no", 91), ("yes", 7), ("unknown", 2))),
            chance.weighted((("no", 76), ("yes", 21), ("unknown", 3))),
        )
        for reference, age in zip(references, ages, strict=True)
    ]


def difficulty(family: Family, chance: Chance) -> float:
    """How long a family is likely to wait; larger is longer.

    Those named as harder to place: aged over four, sibling groups, disabled, additional needs,
    minority ethnic (Cardiff mgAi ID=27682; narrativecare.org). Luck is about as large.
    """
    if family.is_foster_carer_adoption or family.early_permanence != "none":
        return -1.0 + chance.share()
    eldest = max((family.entered_care_on - child.born_on).days for child in family.children) / 365
    return (
        0.7 * eldest
        + 1.6 * (family.size - 1)
        + 2.0 * any(child.is_disabled == "yes" for child in family.children)
        + 1.5 * any(child.has_additional_needs == "yes" for child in family.children)
        + 1.3 * family.children[0].is_minority_ethnic
        + 4.0 * chance.share()
    )


def enter_care(chance: Chance, family: Family, entered_care_on: date, decision_on: date) -> None:
    """Date a family's care and referral, its children as old on entering care as they were made."""
    move_births(family, entered_care_on)
    family.referred_on = max(
        entered_care_on + timedelta(days=12), decision_on - timedelta(days=chance.between(40, 120))
    )


def move_births(family: Family, entered_care_on: date) -> None:
    """Keep the ages the children were made with, at the true day of entering care."""
    for child in family.children:
        child.born_on += entered_care_on - family.entered_care_on
    family.entered_care_on = entered_care_on


def is_ordinary(family: Family) -> bool:
    """Neither by foster carers nor early permanence nor Adopting Together."""
    return not (
        family.is_foster_carer_adoption
        or family.early_permanence != "none"
        or family.matches[0].is_adopting_together
    )


def _ages_in_days(chance: Chance, size: int) -> list[int]:
    if size == 1:
        lowest, highest = chance.weighted(_AGES_AT_ENTRY)
        return [chance.between(lowest, highest)]
    ages = [chance.between(450 * (size - 1), 2300)]
    for still_to_come in reversed(range(size - 1)):
        # At least 300 days apart, and room left for the younger ones.
        widest = ages[-1] - 330 * still_to_come
        ages.append(max(0, ages[-1] - chance.between(300, min(1100, widest))))
    return ages


def _ethnicity_group(chance: Chance, percent_minority: float) -> str:
    if chance.happens(percent_minority):
        return chance.weighted((("mixed", 58), ("asian", 16), ("black", 17), ("other", 9)))
    return chance.weighted((("white", 97), ("not_stated", 2), ("unknown", 1)))
