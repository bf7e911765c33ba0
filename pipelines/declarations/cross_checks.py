"""What one declaration says of another: whether everything that is named is there.

Each check raises DeclarationError with file and line, through the file it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from pipelines.declarations.breakdowns import Breakdown
from pipelines.declarations.disclosure import (
    EVERY_BREAKDOWN,
    EVERYBODY,
    DisclosurePolicy,
    Inclusion,
    Slice,
    SubsetRelations,
)
from pipelines.declarations.extracts import FURTHER_COLUMNS, Extract
from pipelines.declarations.indicators import Indicator
from pipelines.declarations.loading import Location, SourceFile, YamlFile, no_overlaps
from pipelines.declarations.measures import Measure
from pipelines.declarations.returns import Return


class NamesDeclared(Protocol):
    """What the checks look names up in."""

    @property
    def returns(self) -> Mapping[str, Return]: ...
    @property
    def nations(self) -> frozenset[str]: ...
    @property
    def measures(self) -> Mapping[str, Measure]: ...
    @property
    def breakdowns(self) -> Mapping[str, Breakdown]: ...


class CrossChecks:
    """Checks of one declaration against all that are ``declared``, each loaded when looked up."""

    def __init__(self, declared: NamesDeclared) -> None:
        self._declared = declared

    def measure(self, file: YamlFile, position: int, measure: Measure, names: list[str]) -> None:
        """The measures and fields that a measure names are there."""
        for key in ("part_of", "event"):
            other = getattr(measure, key)
            if other is not None and other not in names:
                raise file.mistake(
                    ("measures", position, key),
                    f"no measure of the {measure.subject} return is called {other}; correct the "
                    "name",
                )
        fields = [field.name for field in self._declared.returns[measure.subject].fields]
        if measure.subject == "support" and measure.name not in fields:
            raise file.mistake(
                measure_name(position),
                f"no field of the support return is called {measure.name}; a count of support "
                "is the field of the same name",
            )
        for number, name in enumerate(measure.fields):
            if name not in fields:
                raise file.mistake(
                    ("measures", position, "fields", number),
                    f"no field of the {measure.subject} return is called {name}; correct the name",
                )

    def extract(self, file: YamlFile, extract: Extract) -> None:
        """Its columns and what is derived fill fields of a return, or are parts of an episode."""
        returns = self._declared.returns
        fields = {name: {field.name for field in returns[name].fields} for name in returns}
        for position, table in enumerate(extract.tables):
            known = fields["adopter" if table.role == "adopter" else "child"] | FURTHER_COLUMNS
            for column in table.columns:
                if column not in known:
                    raise file.mistake(
                        ("tables", position, "columns", column),
                        f"{column} is neither a field of the return nor a part of an episode",
                    )
        for position, derived in enumerate(extract.derived):
            if derived.field not in fields["child"]:
                raise file.mistake(
                    ("derived", position, "field"),
                    f"no field of the child return is called {derived.field}; correct the name",
                )

    def indicator(self, file: YamlFile, indicator: Indicator) -> None:
        """Its nations, measures, clocks and benchmarks are those that are declared."""
        for position, code in enumerate(indicator.nations):
            self.nation(file, ("nations", position), code)
        for side in ("numerator", "denominator"):
            name = getattr(indicator, side)
            measure = self._declared.measures.get(name)
            if name and (measure is None or measure.subject != indicator.subject):
                raise file.mistake(
                    (side,),
                    f"no measure of the {indicator.subject} return is called {name}; declare it in "
                    f"measures/{indicator.subject}.yaml, or correct the name",
                )
        fields = {field.name for field in self._declared.returns[indicator.subject].fields}
        for clock in ("clock_start", "clock_stop"):
            for name in (getattr(indicator, clock) or "").split(" or "):
                if name and name not in fields:
                    raise file.mistake(
                        (clock,), f"the {indicator.subject} return has no field called {name}"
                    )
        for position, benchmark in enumerate(indicator.benchmarks):
            if benchmark.nation_code not in indicator.nations:
                raise file.mistake(
                    ("benchmarks", position, "nation_code"),
                    f"{benchmark.nation_code} is none of the nations of this indicator",
                )
        no_overlaps(
            file,
            indicator.benchmarks,
            lambda benchmark: f"a benchmark of {benchmark.nation_code}",
            lambda position: ("benchmarks", position),
        )

    def disclosure_policy(self, file: YamlFile, policy: DisclosurePolicy) -> None:
        """Breakdowns and measures of every tier are declared."""
        for name in ("rules", "practice"):
            for position, rules in enumerate(getattr(policy, name)):
                for number, tier in enumerate(rules.tiers):
                    at: Location = (name, position, "tiers", number)
                    for breakdown in tier.breakdowns:
                        if breakdown not in (EVERY_BREAKDOWN, EVERYBODY):
                            self._breakdown(file, (*at, "breakdowns"), breakdown)
                    for measure in tier.measures:
                        self._measure(file, (*at, "measures"), measure)

    def subset_relations(self, file: YamlFile, relations: SubsetRelations) -> None:
        """Every measure, breakdown and part that relations name is declared."""
        for position, partition in enumerate(relations.partitions):
            at: Location = ("partitions", position)
            self._measure(file, (*at, "whole"), partition.whole)
            for part in partition.parts:
                self._measure(file, at, part)
        for position, subset in enumerate(relations.subsets):
            for measure in (subset.part, subset.whole):
                self._measure(file, ("subsets", position), measure)
        for position, relation in enumerate(relations.slices):
            at = ("slices", position)
            self._measure(file, (*at, "measure"), relation.measure)
            if relation.of is not None:
                self._measure(file, (*at, "of"), relation.of)
            self._parts(file, at, relation)
        for position, relation in enumerate(relations.inclusions):
            at = ("inclusions", position)
            self._parts(file, at, relation)
            self._part(file, (*at, "within"), *relation.within)
        for position, cover in enumerate(relations.covers):
            for measure in (cover.covered, *cover.by):
                self._measure(file, ("covers", position), measure)
        for position, cover in enumerate(relations.part_covers):
            for part in (cover.covered, *cover.by):
                self._part(file, ("part_covers", position), *part)

    def _parts(self, file: YamlFile, at: Location, relation: Slice | Inclusion) -> None:
        self._breakdown(file, (*at, "breakdown"), relation.breakdown)
        for part in relation.parts:
            self._part(file, (*at, "parts"), relation.breakdown, part)

    def _part(self, file: YamlFile, at: Location, breakdown: str, part: str) -> None:
        self._breakdown(file, at, breakdown)
        parts = [category.code for category in self._declared.breakdowns[breakdown].categories]
        if part not in parts:
            raise file.mistake(at, f"{breakdown} has no part {part}; it has {', '.join(parts)}")

    def _breakdown(self, file: YamlFile, at: Location, breakdown: str) -> None:
        if breakdown not in self._declared.breakdowns:
            raise file.mistake(at, f"no breakdown {breakdown}; they are in breakdowns.yaml")

    def _measure(self, file: SourceFile, at: Location, measure: str) -> None:
        if measure not in self._declared.measures:
            raise file.mistake(at, f"no measure called {measure}; correct the name")

    def nation(self, file: SourceFile, at: Location, nation_code: str) -> None:
        """The code is that of a nation."""
        if nation_code not in self._declared.nations:
            raise file.mistake(
                at,
                f"{nation_code} is no nation in places/nations.yaml; known are "
                f"{', '.join(sorted(self._declared.nations))}",
            )


def named_after(file: SourceFile, name: str, at: Location = ()) -> None:
    """A file is found by its name, so the name has to be that of what it declares."""
    if file.path.stem != name:
        raise file.mistake(
            at, f"{name} belongs in a file called {name}{file.path.suffix}; rename one of them"
        )


def column_of(name: str) -> Callable[[int], Location]:
    """The location of that column in the nth row."""
    return lambda position: (position, name)


def measure_name(position: int) -> Location:
    """The location of the name of the nth measure of a file."""
    return ("measures", position, "name")
