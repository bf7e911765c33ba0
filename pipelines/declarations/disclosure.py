"""What each national body asks of published numbers, and what every reader can work out.

Typed view of ``sources/disclosure/``: one YAML file per body, and ``subset_relations.yaml`` with
the relations between measures that follow from their definitions.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from pipelines.declarations.dated import ALWAYS_ONE, Dated
from pipelines.declarations.model import (
    DeclarationError,
    Declared,
    PublicStatus,
    Text,
    Words,
)
from pipelines.declarations.places import PlaceKind
from pipelines.quarters import Quarter

Count = Annotated[int, Field(ge=0)]
EVERY_BREAKDOWN, EVERYBODY = "*", "total"
# The windows of a figure; financial_year is the year to date of a fourth quarter.
Window = Literal["quarter", "year_to_date", "rolling_4", "rolling_12", "financial_year"]
Method = Literal["suppress", "suppress_then_round", "round"]


class Protection(Declared):
    """The least that an attacker must be unable to tell about a suppressed number.

    The whole numbers that fit everything published are at least ``values`` in all; those of a small
    number reach from at least ``below`` under the true one (or from zero) to at least ``above``
    over it. Three values or more, always: two would tell almost everything.
    """

    below: Count = 1
    above: Annotated[int, Field(ge=1)] = 1
    values: Annotated[int, Field(ge=3)] = 3


class Rounding(Declared):
    """Counts at these kinds of place are shown to the nearest ``base``, a half upwards."""

    kinds: tuple[PlaceKind, ...]
    base: Annotated[int, Field(ge=2)]


class Percentages(Declared):
    """A percentage is suppressed unless numerator and denominator reach these.

    ``decimals``: places it is shown with; without, the indicator's own.
    """

    smallest_numerator: Count = 0
    smallest_denominator: Count = 0
    decimals: Count | None = None


class Means(Declared):
    """A mean is suppressed unless it rests on ``fewest`` cases.

    A sum of days that is suppressed must be uncertain by ``days`` at least, either way; one that
    rests on fewer than ``fewest`` cases by ``percent`` of itself as well.
    """

    fewest: Annotated[int, Field(ge=2)]
    percent: Annotated[float, Field(gt=0, le=100)] = 10
    days: Annotated[float, Field(gt=0)] = 10


class Tier(Declared):
    """Some of the numbers a release shows: every cell that fits all the lists given.

    Tiers stand in order of importance: where something has to be left out, the last goes first. A
    cell belongs to the first tier that it fits, and one that fits none is not published.
    ``breakdowns``: ``total`` for totals, ``*`` for every breakdown but the total. ``quarters`` are
    those of the financial year, 1 to 4, that a release is for. ``exact``: never under secondary
    suppression.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    kinds: tuple[PlaceKind, ...]
    breakdowns: tuple[str, ...]
    windows: tuple[Window, ...]
    measures: tuple[str, ...] = ()
    quarters: tuple[Annotated[int, Field(ge=1, le=4)], ...] = ()
    exact: bool = False
    why: Text


class Participants(Declared):
    """Whom the numbers are protected from besides strangers.

    ``senders``: ``each``, everybody who sends returns, who knows the true numbers of their own.
    ``coalitions``: ``region_members``, all senders of a region but one, who put theirs together.
    """

    senders: Literal["each", "none"] = "none"
    coalitions: Literal["region_members", "none"] = "none"


class Revisions(Declared):
    """When a return that comes, changes or goes after a release is taken into figures.

    Only in a release of one of ``quarters`` (of the financial year), or in any where none are
    given; and only where every number that it changes shows no change below the threshold. What
    cannot be taken in yet waits for the next.
    """

    quarters: tuple[Annotated[int, Field(ge=1, le=4)], ...] = ()


class Weights(Declared):
    """What it costs to suppress a number, to choose between ways of protecting others.

    (1 + log2(1 + number)) x ``total`` for a total x ``level`` for each level of places below, over
    ``whole`` for a measure that counts part of what another one counts.
    """

    total: Annotated[float, Field(ge=1)] = 3
    level: Annotated[float, Field(ge=1)] = 20
    whole: Annotated[float, Field(ge=1)] = 3


class Symbols(Declared):
    """What stands in place of a number, in this body's own signs."""

    suppressed: Words
    low: str | None = None
    not_applicable: Words
    not_available: Words


class Fact(Declared):
    """Something the body says about its own practice, in public."""

    says: Words
    source: Words


class Rules(Dated):
    """How the numbers of quarters from ``since`` to ``until`` are protected.

    Without ``tiers`` everything is published.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: Text
    method: Method
    smallest_shown: Annotated[int, Field(ge=2)]
    zeros: Literal["shown", "suppressed_in_small_groups", "suppressed"] = "shown"
    zeros_may_be_secondary: bool = True
    differences: Literal["protected", "ignored"] = "protected"
    protection: Protection = Protection()
    rounding: tuple[Rounding, ...] = ()
    percentages: Percentages = Percentages()
    means: Means
    tiers: tuple[Tier, ...] = ()
    participants: Participants = Participants()
    revisions: Revisions = Revisions()
    weights: Weights = Weights()
    symbols: Symbols
    status: PublicStatus
    note: Text
    facts: tuple[Fact, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Rules:
        if (self.method == "suppress") == bool(self.rounding):
            raise ValueError(f"{self.id}: rounding is declared if and only if the method rounds")
        kinds = [kind for entry in self.rounding for kind in entry.kinds]
        if len(set(kinds)) < len(kinds):
            raise ValueError(f"{self.id}: a kind of place has two rounding bases")
        ids = [tier.id for tier in self.tiers]
        if len(set(ids)) < len(ids):
            raise ValueError(f"{self.id}: two tiers have one id")
        if self.status == "published" and not self.facts:
            raise ValueError(f"{self.id}: what is published has its source")
        return self

    def base(self, kind: str) -> int:
        """What counts at this kind of place are rounded to; 1 where they are not."""
        for entry in self.rounding:
            if kind in entry.kinds:
                return entry.base
        return 1


class DisclosurePolicy(Declared):
    """The rules of one national body: those in use, and practice known from what it published."""

    overridden: ClassVar[tuple[str, ...]] = ("rules",)

    body: Words
    nation_code: str
    title: Text
    rules: Annotated[tuple[Rules, ...], ALWAYS_ONE]
    practice: tuple[Rules, ...] = ()

    @model_validator(mode="after")
    def _ids_differ(self) -> DisclosurePolicy:
        ids = [rules.id for rules in (*self.rules, *self.practice)]
        for rules_id in ids:
            if ids.count(rules_id) > 1:
                raise ValueError(f"two sets of rules have the id {rules_id}; rename one")
        return self

    def rules_for(self, quarter: Quarter, rules_id: str | None = None) -> Rules:
        """The rules in force, or those asked for by id. Raises DeclarationError without any."""
        if rules_id is not None:
            for rules in (*self.rules, *self.practice):
                if rules.id == rules_id:
                    return rules
            raise DeclarationError(f"disclosure/: {self.body} has no rules called {rules_id}")
        for rules in self.rules:
            if rules.in_force(quarter):
                return rules
        raise DeclarationError(f"disclosure/: {self.body} has no rules in force in {quarter}")


# --- what follows from the definitions -----------------------------------------


class Partition(Declared):
    """Everyone counted by ``whole`` is counted by exactly one of ``parts``."""

    whole: str
    parts: tuple[str, ...]


class Subset(Declared):
    """Everyone counted by ``part`` is counted by ``whole``, at the same place and time."""

    part: str
    whole: str


class Slice(Declared):
    """``measure`` counts those in ``parts`` of a breakdown alone: of ``of``, if that is given."""

    measure: str
    breakdown: str
    parts: tuple[str, ...]
    of: str | None = None


class Inclusion(Declared):
    """Whoever is in one of ``parts`` of ``breakdown`` is in the part ``within`` of another one."""

    within: tuple[str, str]
    breakdown: str
    parts: tuple[str, ...]


class Cover(Declared):
    """Everyone counted by ``covered`` is counted by at least one of ``by``, perhaps by several."""

    covered: str
    by: tuple[str, ...]


class PartCover(Declared):
    """Whoever is in the part ``covered`` is in at least one of the parts ``by``.

    A part is named by its breakdown and itself.
    """

    covered: tuple[str, str]
    by: tuple[tuple[str, str], ...]


class SubsetRelations(Declared):
    """Relations between measures, and between parts of different breakdowns.

    ``subsets`` are those that the measures declare as ``part_of``, and those that the file lists
    where a measure is part of a second one.
    """

    partitions: tuple[Partition, ...] = ()
    subsets: tuple[Subset, ...] = ()
    slices: tuple[Slice, ...] = ()
    inclusions: tuple[Inclusion, ...] = ()
    covers: tuple[Cover, ...] = ()
    part_covers: tuple[PartCover, ...] = ()
