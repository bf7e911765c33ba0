"""What a figure is counted from is declared, and decides what a return has to hold."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from pipelines.declarations import Declarations, ReturnField
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES
from tests.warehouse import twin

DECLARED = Declarations(SOURCES)
QUARTER = Quarter(2024, 1)
ROWS = 1500  # of which every branch of every count is taken


class Recorded(Mapping[str, Any]):
    """A row that notes which of its fields were looked at."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row
        self.seen: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.seen.add(name)
        return self.row.get(name)

    def __iter__(self) -> Iterator[str]:
        raise TypeError("a count that copies the row looks at every field of it")

    def __len__(self) -> int:
        return len(self.row)


def _value(field: ReturnField, chance: random.Random) -> Any:
    if chance.random() < 0.5:
        return None
    if field.type == "date":
        first, days = chance.choice([(-900, 90), (-10, 90)]), QUARTER.first_day
        return days + timedelta(days=chance.randint(*first))
    if field.type == "integer":
        return chance.randint(1, 3)
    if field.code_list:
        return chance.choice(DECLARED.codes(field.code_list, QUARTER))
    return chance.choice("AB")


@pytest.mark.parametrize("subject", ["child", "adopter", "support"])
def test_a_measure_declares_the_fields_that_the_twin_counts_it_from(subject: str) -> None:
    fields = DECLARED.returns[subject].fields
    name_of = {field.validated_name: field.name for field in fields}
    measures = [m for m in DECLARED.measures.values() if m.subject == subject]
    chance = random.Random(1)
    seen: dict[str, set[str]] = {measure.name: set() for measure in measures}
    for _ in range(ROWS):
        row = {field.name: _value(field, chance) for field in fields}
        for measure in measures:
            recorded = Recorded(row)
            twin.amount(subject, measure.name, [recorded], QUARTER)
            seen[measure.name] |= {name_of.get(name, name) for name in recorded.seen}
    assert {m.name: set(m.fields) for m in measures} == seen


def test_a_field_is_required_in_a_nation_exactly_where_a_figure_of_it_is_counted_from_it() -> None:
    checked = 0
    for name, declared in DECLARED.returns.items():
        for field in declared.fields:
            if field.constraints.required_in:
                checked += 1
                needing = {n for n in DECLARED.nations if DECLARED.figures_of(name, field.name, n)}
                assert set(field.constraints.required_in) == needing, (name, field.name)
            if field.constraints.required:
                assert field.name in declared.primary_key, "the key alone is required of everybody"
    assert checked == 11
