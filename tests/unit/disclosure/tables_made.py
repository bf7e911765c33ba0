"""Small tables made by hand: counts of children by place, part and quarter, and all their sums.

A *base* count is (measure, smallest place, part, quarter). Every published cell is a sum of these,
which is all that the attackers of :mod:`attackers` know of how tables hang together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

import polars as pl

from pipelines.declarations.disclosure import Rules, Subset, SubsetRelations
from pipelines.disclosure.cells import (
    CELL_SCHEMA,
    RATIO_SCHEMA,
    TOTAL,
    Relations,
    window_relations,
)
from pipelines.quarters import Quarter

Base = tuple[str, str, str, Quarter]
Key = tuple[str, str, str, str, str, str]

LENGTHS = {"quarter": lambda q: 1, "year_to_date": lambda q: q.number, "rolling_4": lambda q: 4}


@dataclass(frozen=True)
class Tables:
    """What is counted, and where. ``schemes``: parent -> scheme -> members.

    ``days``: a measure that is a sum of days, and the measure whose children they are.
    """

    counts: dict[Base, int]
    schemes: Mapping[str, Mapping[str, tuple[str, ...]]]
    breakdown: str = "sex"
    windows: tuple[str, ...] = ("quarter",)
    subsets: tuple[tuple[str, str], ...] = ()
    days: dict[str, str] = field(default_factory=dict)
    percentages: tuple[tuple[str, str, str], ...] = ()

    @property
    def measures(self) -> list[str]:
        return sorted({measure for measure, *_ in self.counts})

    @property
    def leaves(self) -> list[str]:
        return sorted({leaf for _, leaf, _, _ in self.counts})

    @property
    def parts(self) -> list[str]:
        return sorted({part for _, _, part, _ in self.counts})

    @property
    def quarters(self) -> list[Quarter]:
        return sorted({quarter for *_, quarter in self.counts})

    def leaves_of(self, place: str) -> set[str]:
        if place not in self.schemes:
            return {place}
        members = next(iter(self.schemes[place].values()))
        return set().union(*(self.leaves_of(member) for member in members))

    def bases_of(self, key: Key) -> list[Base]:
        """The base counts that a cell is the sum of."""
        measure, place, breakdown, part, window, label = key
        quarter = Quarter.parse(label)
        first = quarter.index - LENGTHS[window](quarter) + 1
        inside = self.leaves_of(place)
        return [
            base
            for base in self.counts
            if base[0] == measure
            and base[1] in inside
            and (breakdown == TOTAL or base[2] == part)
            and first <= base[3].index <= quarter.index
        ]

    def cells(self, quarter: Quarter) -> pl.DataFrame:
        places = sorted({*self.leaves, *self.schemes})
        parts = [(TOTAL, TOTAL)]
        if len(self.parts) > 1:
            parts += [(self.breakdown, part) for part in self.parts]
        rows = []
        for measure, place, (breakdown, part), window in product(
            self.measures, places, parts, self.windows
        ):
            key = (measure, place, breakdown, part, window, quarter.label)
            rows.append((*key, sum(self.counts[base] for base in self.bases_of(key))))
        return pl.DataFrame(rows, schema=CELL_SCHEMA, orient="row")

    def relations(self, *quarters: Quarter) -> Relations:
        everything = (0, 10_000)
        names = {"schema": pl.String}
        places = [
            ("child", parent, scheme, member, *everything)
            for parent, found in sorted(self.schemes.items())
            for scheme, members in sorted(found.items())
            for member in members
        ]
        text = names["schema"]
        quarter_columns = {"first": pl.Int64, "last": pl.Int64}
        kinds = [(leaf, "authority") for leaf in self.leaves]
        kinds += [
            (parent, "nation" if parent == "nation" else "region")
            for parent in sorted(self.schemes)
            if parent not in self.leaves
        ]
        return Relations(
            measures=pl.DataFrame(
                [(m, "child", False, self.days.get(m)) for m in self.measures],
                schema={
                    "measure": text,
                    "subject": text,
                    "is_stock": pl.Boolean,
                    "contributors": text,
                },
                orient="row",
            ),
            places=pl.DataFrame(
                places,
                schema={
                    **dict.fromkeys(("subject", "parent", "scheme", "member"), text),
                    **quarter_columns,
                },
                orient="row",
            ),
            lives=pl.DataFrame(schema={"subject": text, "place": text, **quarter_columns}),
            breakdowns=pl.DataFrame(
                [("child", self.breakdown, p) for p in self.parts] if len(self.parts) > 1 else [],
                schema={"subject": text, "breakdown": text, "part": text},
                orient="row",
            ),
            windows=window_relations(list(self.windows), list(quarters)),
            kinds=pl.DataFrame(kinds, schema={"place": text, "kind": text}, orient="row"),
            subset_relations=SubsetRelations(
                subsets=tuple(Subset(part=part, whole=whole) for part, whole in self.subsets)
            ),
        )

    def ratios(self) -> pl.DataFrame:
        rows = [(f"mean_{m}", m, counted, "days", 1.0, 1) for m, counted in self.days.items()]
        rows += [(name, top, bottom, "percent", 100.0, 0) for name, top, bottom in self.percentages]
        return pl.DataFrame(rows, schema=RATIO_SCHEMA, orient="row")


def rules(**changes) -> Rules:
    """Rules like the proposed ones: below five is suppressed."""
    plain = {
        "id": "for-tests",
        "title": {"en": "For tests", "cy": "I brofion"},
        "method": "suppress",
        "smallest_shown": 5,
        "means": {"fewest": 5, "percent": 10, "days": 10},
        "percentages": {"smallest_numerator": 0, "smallest_denominator": 5},
        "symbols": {"suppressed": "c", "not_applicable": "z", "not_available": "x"},
        "status": "proposed",
        "note": {"en": "Made up.", "cy": "Dychmygol."},
    }
    return Rules.model_validate({**plain, **changes})


Q1, Q2, Q3 = Quarter(2020, 1), Quarter(2020, 2), Quarter(2020, 3)


def counted(
    rows: Mapping[str, tuple[int, ...]],
    parts: tuple[str, ...] = ("boys", "girls"),
    quarter: Quarter = Q1,
    measure: str = "children_placed",
) -> dict[Base, int]:
    """Base counts of one quarter: a place with one number per part."""
    return {
        (measure, place, part, quarter): number
        for place, numbers in rows.items()
        for part, number in zip(parts, numbers, strict=True)
    }
