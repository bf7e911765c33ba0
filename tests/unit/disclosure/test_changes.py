"""A return that comes late, is corrected or withdrawn: two versions tell nobody's small numbers.

The attacker here subtracts one released table from another, and knows who moved.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pytest

from pipelines.disclosure.audit import audit
from pipelines.disclosure.cells import KEY, TOTAL, ReleaseCells
from pipelines.disclosure.changes import QUARTER_SCHEMA, Settled, settled
from pipelines.disclosure.proof import Proof, proved
from pipelines.disclosure.protection import as_known
from pipelines.quarters import Quarter
from tests.unit.disclosure.tables_made import Q1, Q2, Key, Tables, counted, rules
from tests.unit.disclosure.test_proof import tier

REGIONS = {
    "nation": {"regions": ("north", "south")},
    "north": {"senders": ("a", "b", "c")},
    "south": {"senders": ("d", "e", "f")},
}
PLACED = {"a": (12, 9), "b": (7, 8), "c": (12, 13), "d": (16, 16), "e": (8, 11), "f": (15, 7)}
# Nation and regions by part as well: every difference of two versions is there to be read.
TIERS = [
    tier(["nation"], ["quarter", "year_to_date"], breakdowns=["total", "sex"]),
    tier(["region"], ["quarter", "year_to_date"], breakdowns=["total", "sex"]),
]
RULES = rules(tiers=TIERS, participants={"senders": "each"})
Children = Mapping[str, tuple[int, ...] | None]


def children_of(placed: Children, quarter: Quarter = Q1) -> Tables:
    """``None`` stands for a sender without a return."""
    there = {place: numbers or (0, 0) for place, numbers in placed.items()}
    return Tables(counted(there, quarter=quarter), REGIONS, windows=("quarter", "year_to_date"))


def joined(*tables: Tables) -> Tables:
    counts = {base: number for table in tables for base, number in table.counts.items()}
    return Tables(counts, REGIONS, windows=("quarter", "year_to_date"))


class House:
    """Releases one after the other, each protected against those before."""

    def __init__(self) -> None:
        self.known: pl.DataFrame | None = None
        self.before: pl.DataFrame | None = None
        self.shown: list[dict[Key, int | None]] = []

    def release(self, tables: Tables, quarter: Quarter, settle: bool = True) -> Settled:
        quarters = sorted({each for each in (Q1, Q2) if each.index <= quarter.index})
        relations = tables.relations(*quarters)
        made = ReleaseCells(tables.cells(quarter), relations, tables.ratios())
        now = pl.concat([tables.cells(each) for each in quarters if each in tables.quarters])
        now = now.filter(pl.col("window") == "quarter").select(list(QUARTER_SCHEMA))
        found = settled(made, now, self.before if settle else None, self.known, RULES)
        made = ReleaseCells(found.cells, relations, tables.ratios())
        known = found.known if settle else None
        proof = proved(made, RULES, known)
        if settle:
            assert proof.audit.passed, proof.audit.failures
        self.remember(made, proof, found)
        return found

    def remember(self, made: ReleaseCells, proof: Proof, found: Settled) -> None:
        name = f"{len(self.shown):03}"
        fresh = as_known(made.cells, proof.protected, proof.rules, name)
        self.known = fresh if self.known is None else pl.concat([self.known, fresh])
        self.before = found.quarters
        cells = proof.protected.cells.select(*KEY, "shown")
        self.shown.append({tuple(row[:6]): row[6] for row in cells.iter_rows()})


def told_by_subtraction(house: House) -> set[int]:
    """Every small change that two released tables show, and the year so far less its quarters."""
    told: set[int] = set()
    tables = house.shown
    for number, later in enumerate(tables):
        for earlier in tables[:number]:
            for key in set(later) & set(earlier):
                was, now = earlier[key], later[key]
                if was is not None and now is not None:
                    told.add(abs(now - was))
    everything = {key: value for table in tables for key, value in table.items()}
    for key, year in everything.items():
        measure, place, breakdown, part, window, quarter = key
        if window != "year_to_date" or quarter != Q2.label:
            continue
        parts = [(measure, place, breakdown, part, "quarter", each.label) for each in (Q1, Q2)]
        numbers = [everything.get(each) for each in parts]
        if year is not None and None not in numbers:
            told.add(abs(year - sum(number for number in numbers if number is not None)))
    return {change for change in told if 0 < change < 5}


LATE: dict[str, tuple[Children, Children]] = {
    "a return that came late": (PLACED | {"f": None}, PLACED | {"f": (3, 2)}),
    "a correction without two children": (PLACED, PLACED | {"a": (10, 9)}),
    "a child of another sex": (PLACED, PLACED | {"a": (11, 10)}),
    "a withdrawal": (PLACED | {"d": (1, 3)}, PLACED | {"d": None}),
    "two at once, one of which knows its own": (
        PLACED | {"a": None, "b": None},
        PLACED | {"a": (3, 9), "b": (7, 8)},
    ),
}


@pytest.mark.parametrize("what", LATE)
def test_no_difference_of_two_versions_tells_a_small_number(what: str) -> None:
    first, then = LATE[what]
    house, control = House(), House()
    house.release(children_of(first), Q1)
    found = house.release(children_of(then), Q1)
    assert found.waiting.select("measure", "quarter").rows() == [("children_placed", Q1.label)]
    assert found.taken.is_empty()
    assert told_by_subtraction(house) == set()
    control.release(children_of(first), Q1, settle=False)
    control.release(children_of(then), Q1, settle=False)
    if "knows its own" not in what:  # a stranger subtracts 12 and 15, one of the two 12 less 12
        assert told_by_subtraction(control)
    # What was shown stays as it was: nobody can tell that a return moved.
    assert house.shown[0] == house.shown[1]


@pytest.mark.parametrize("what", LATE)
def test_what_waits_is_in_no_later_window_either(what: str) -> None:
    first, then = LATE[what]
    house, control = House(), House()
    for one, settle in ((house, True), (control, False)):
        one.release(children_of(first), Q1, settle)
        later = joined(children_of(then), children_of(PLACED, Q2))
        one.release(later, Q2, settle)
    assert told_by_subtraction(house) == set()
    if "knows its own" not in what:
        assert told_by_subtraction(control)
    key = ("children_placed", "nation", TOTAL, TOTAL, "year_to_date", Q2.label)
    quarters = sum(sum(numbers or ()) for placed in (first, PLACED) for numbers in placed.values())
    assert house.shown[-1][key] == quarters


def test_a_change_that_tells_nothing_small_is_taken_in() -> None:
    house = House()
    house.release(children_of(PLACED | {"a": None, "f": None}), Q1)
    found = house.release(children_of(PLACED), Q1)
    assert found.waiting.is_empty()
    assert found.taken.rows() == [("children_placed", Q1.label)]
    key = ("children_placed", "nation", TOTAL, TOTAL, "quarter", Q1.label)
    assert house.shown[1][key] == sum(sum(numbers) for numbers in PLACED.values())
    assert told_by_subtraction(house) == set()


def test_what_waited_is_taken_in_with_others_once_nothing_small_shows() -> None:
    """North's late 3 and 2 wait; with 9 and 8 more of the same region the whole is told by none."""
    house = House()
    first: Children = PLACED | {"a": None, "b": None, "c": None}
    house.release(children_of(first), Q1)
    late = first | {"a": (3, 2)}
    assert not house.release(children_of(late), Q1).waiting.is_empty()
    found = house.release(children_of(late | {"b": (9, 8), "c": (8, 9)}), Q1)
    assert found.waiting.is_empty() and found.taken.height == 1
    assert told_by_subtraction(house) == set()


def test_the_audit_sees_a_small_change_by_itself() -> None:
    """It is given what was released as it is, without what should have waited."""
    first, then = (children_of(placed) for placed in LATE["a return that came late"])
    house = House()
    house.release(first, Q1)
    cells = then.cells(Q1).filter(pl.col("place").is_in(["nation", "north", "south"]))
    shown = cells.with_columns(shown=pl.col("value"), symbol=pl.lit(None, pl.String))
    report = audit(cells, shown.drop("value"), then.relations(Q1), RULES, house.known)
    assert not report.passed
    assert any("the change since an earlier release" in failure for failure in report.failures)
