"""What each national body asks of published numbers, and what every reader can work out.

Typed view of ``sources/disclosure/``: one YAML file per body, and ``subset_relations.yaml`` with
the relations between measures that follow from their definitions.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from pipelines.declarations.declarations import Declarations
from pipelines.declarations.model import (
    DeclarationError,
    Declared,
    OptionalQuarter,
    PublicStatus,
    Text,
    Words,
)
from pipelines.quarters import Quarter

Count = Annotated[int, Field(ge=0)]
EVERY_BREAKDOWN = "*"
Method = Literal["suppress", "suppress_then_round", "round"]


class Protection(Declared):
    """The least that an attacker must be unable to tell about a number that is kept back.

    The whole numbers that fit everything published are at least ``values`` in all; those of a small
    number reach from at least ``below`` under the true one (or from nought) to at least ``above``
    over it. Three values or more, always: two would tell almost everything.
    """

    below: Count = 1
    above: Annotated[int, Field(ge=1)] = 1
    values: Annotated[int, Field(ge=3)] = 3


class Rounding(Declared):
    """Counts at these kinds of place are shown to the nearest ``base``, a half upwards."""

    kinds: tuple[str, ...]
    base: Annotated[int, Field(ge=2)]


class Percentages(Declared):
    """A percentage is kept back unless numerator and denominator reach these.

    ``decimals``: places it is shown with; without, the indicator's own.
    """

    smallest_numerator: Count = 0
    smallest_denominator: Count = 0
    decimals: Count | None = None


class Means(Declared):
    """A mean is kept back unless it rests on ``fewest`` cases.

    A sum of days that is kept back must be uncertain by ``days`` at least, either way; one that
    rests on fewer than ``fewest`` cases by ``percent`` of itself as well.
    """

    fewest: Annotated[int, Field(ge=2)]
    percent: Annotated[float, Field(gt=0, le=100)] = 10
    days: Annotated[float, Field(gt=0)] = 10


class Never(Declared):
    """What is not published at all: every cell that fits all the lists given.

    ``*`` as the only breakdown is every one but the total. ``quarters`` are those of the financial
    year, 1 to 4, that a release is for.
    """

    kinds: tuple[str, ...] = ()
    breakdowns: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    quarters: tuple[Annotated[int, Field(ge=1, le=4)], ...] = ()
    why: Text

    @model_validator(mode="after")
    def _not_everything(self) -> Never:
        if not (self.kinds or self.breakdowns or self.windows or self.measures):
            raise ValueError("this would publish nothing at all")
        return self


class Weights(Declared):
    """What it costs to keep a number back, to choose between ways of protecting others.

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


class Rules(Declared):
    """How the numbers of quarters from ``since`` to ``until`` are protected."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: Text
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    method: Method
    smallest_shown: Annotated[int, Field(ge=2)]
    noughts: Literal["shown", "unsafe_in_small_groups", "unsafe"] = "shown"
    noughts_may_cover: bool = True
    differences: Literal["protected", "ignored"] = "protected"
    protection: Protection = Protection()
    rounding: tuple[Rounding, ...] = ()
    percentages: Percentages = Percentages()
    means: Means
    never: tuple[Never, ...] = ()
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
        if self.status == "published" and not self.facts:
            raise ValueError(f"{self.id}: what is published has its source")
        return self

    def base(self, kind: str) -> int:
        """What counts at this kind of place are rounded to; 1 where they are not."""
        for entry in self.rounding:
            if kind in entry.kinds:
                return entry.base
        return 1

    def in_force(self, quarter: Quarter) -> bool:
        return (self.since is None or self.since <= quarter) and (
            self.until is None or quarter <= self.until
        )


class DisclosurePolicy(Declared):
    """The rules of one national body: those in use, and practice known from what it published."""

    body: Words
    nation_code: str
    title: Text
    rules: tuple[Rules, ...]
    practice: tuple[Rules, ...] = ()

    @model_validator(mode="after")
    def _one_at_a_time(self) -> DisclosurePolicy:
        names = [rules.id for rules in (*self.rules, *self.practice)]
        if len(set(names)) < len(names):
            raise ValueError("two sets of rules have the same id")
        lives = sorted(
            (
                rules.since.index if rules.since else -1,
                rules.until.index if rules.until else 10**9,
            )
            for rules in self.rules
        )
        for (_, until), (since, _) in pairwise(lives):
            if since <= until:
                raise ValueError("two sets of rules are in force in one quarter")
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


class SubsetRelations(Declared):
    """Relations between measures, and between parts of different breakdowns.

    ``not_subsets``: numerators of percentages that count others than the denominator does.
    """

    partitions: tuple[Partition, ...] = ()
    subsets: tuple[Subset, ...] = ()
    slices: tuple[Slice, ...] = ()
    inclusions: tuple[Inclusion, ...] = ()
    not_subsets: tuple[Subset, ...] = ()


class DisclosureDeclarations:
    """Everything in ``sources/disclosure/``, read when asked for."""

    def __init__(self, sources: Path):
        self.folder = sources / "disclosure"
        self.declarations = Declarations(sources)

    @cached_property
    def policies(self) -> dict[str, DisclosurePolicy]:
        """The policy of each body, by its code."""
        found: dict[str, DisclosurePolicy] = {}
        for path in sorted(self.folder.glob("*.yaml")):
            if path.name == "subset_relations.yaml":
                continue
            policy = _read(path, DisclosurePolicy)
            where = f"disclosure/{path.name}"
            if policy.body in found:
                raise DeclarationError(f"{where}: {policy.body} is declared twice")
            place = self.declarations.places.get(policy.nation_code)
            if place is None or place.kind != "nation":
                raise DeclarationError(f"{where}: {policy.nation_code} is no nation")
            self._check_names(policy, where)
            found[policy.body] = policy
        return found

    def _check_names(self, policy: DisclosurePolicy, where: str) -> None:
        breakdowns = set(self.declarations.breakdowns)
        for rules in (*policy.rules, *policy.practice):
            for never in rules.never:
                unknown = set(never.breakdowns) - breakdowns - {EVERY_BREAKDOWN}
                if unknown:
                    raise DeclarationError(f"{where}: {rules.id}: no breakdown {min(unknown)}")

    def policy_of(self, body: str) -> DisclosurePolicy:
        if body not in self.policies:
            known = ", ".join(self.policies)
            raise DeclarationError(f"disclosure/: no policy of {body}; there are {known}")
        return self.policies[body]

    @cached_property
    def subset_relations(self) -> SubsetRelations:
        ties = _read(self.folder / "subset_relations.yaml", SubsetRelations)
        declared = {(tie.part, tie.whole) for tie in (*ties.subsets, *ties.not_subsets)}
        inside = {(part, tie.whole) for tie in ties.partitions for part in tie.parts}
        for indicator in self.declarations.indicators.values():
            pair = (indicator.numerator, indicator.denominator)
            if indicator.unit == "percent" and pair not in declared | inside:
                raise DeclarationError(
                    f"disclosure/subset_relations.yaml: {indicator.id}: say whether {pair[0]} "
                    f"is part of {pair[1]}"
                )
        return ties


def _read(path: Path, kind):
    try:
        with path.open(encoding="utf-8") as file:
            return kind.model_validate(yaml.safe_load(file))
    except (OSError, yaml.YAMLError) as error:
        raise DeclarationError(f"disclosure/{path.name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = " > ".join(str(step) for step in first["loc"]) or "the file"
        raise DeclarationError(f"disclosure/{path.name}: {place}: {first['msg']}") from error
