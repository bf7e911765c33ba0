"""Warehouse and slow twin agree, figure by figure.

A failing message names indicator, place, quarter and window and the two figures, nothing of a row.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from pipelines.declarations import Declarations, Indicator
from pipelines.quarters import Quarter, quarters_between
from pipelines.settings import SOURCES
from tests.warehouse import twin
from tests.warehouse.conftest import ENGLAND, WALES, InventedReturns

INDICATORS = list(Declarations(SOURCES).indicators.values())
SHOWN = 15  # differences in a message; the rest are counted

FIGURES = """
    select
        indicator_id, place_code, quarter, window_name,
        numerator, denominator, value, returns_expected, returns_accepted, quarters_covered
    from marts.fct_indicator
    where
        breakdown = 'total' and membership_basis = 'at_the_time'
        and window_name <> 'financial_year'
"""


# --- comparing -----------------------------------------------------------------------------


def same(by_hand: twin.Figure, warehouse: twin.Figure) -> bool:
    """Counts and days exactly; values to nine figures, being divided in another order."""
    if by_hand._replace(value=None) != warehouse._replace(value=None):
        return False
    if by_hand.value is None or warehouse.value is None:
        return by_hand.value is warehouse.value
    return math.isclose(by_hand.value, warehouse.value, rel_tol=1e-9)


def disagreement(by_hand: dict[twin.Key, twin.Figure], rows: Iterable[tuple[Any, ...]]) -> str:
    """What differs, in both directions; empty if nothing does."""
    warehouse: dict[twin.Key, twin.Figure] = {}
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        key = twin.Key(*row[:4])
        if key in warehouse:
            found[key.indicator_id].append(f"{_name(key)}: twice in the warehouse")
        warehouse[key] = twin.Figure(*row[4:])
    for key in by_hand.keys() | warehouse.keys():
        mine, theirs = by_hand.get(key), warehouse.get(key)
        if mine is None or theirs is None or not same(mine, theirs):
            found[key.indicator_id].append(
                f"{_name(key)}: by hand {_shown(mine)}, warehouse {_shown(theirs)}"
            )
    lines = sorted(line for of_one in found.values() for line in sorted(of_one)[:SHOWN])
    counts = ", ".join(f"{name} {len(of_one)}" for name, of_one in sorted(found.items()))
    return "\n".join([f"differences: {counts}", *lines]) if found else ""


def _name(key: twin.Key) -> str:
    return f"{key.indicator_id}, {key.place_code}, {key.quarter}, {key.window}"


def _shown(figure: twin.Figure | None) -> str:
    if figure is None:
        return "no figure"
    return (
        f"{figure.numerator} / {figure.denominator} = {figure.value} "
        f"({figure.returns_accepted} of {figure.returns_expected} returns, "
        f"{figure.quarters_covered} quarters)"
    )


# --- worked examples -----------------------------------------------------------------------


def test_the_twin_knows_every_indicator() -> None:
    assert set(twin.BY_HAND) == {indicator.id for indicator in INDICATORS}


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.id)
def test_the_twin_agrees_with_every_worked_example(indicator: Indicator) -> None:
    example = indicator.example
    numerator, denominator = twin.total(indicator.id, example.rows, example.quarter)
    assert (numerator, denominator) == (example.numerator, example.denominator)
    value = twin.value_of(indicator, numerator, denominator)
    assert value == pytest.approx(example.value, abs=0.0001)


def test_the_twin_reads_a_day_however_it_was_typed() -> None:
    leap_day = date(2020, 2, 29)
    for text in ("2020-02-29", " 2020-02-29 00:00:00", "29/02/2020", "29/2/2020", "43890"):
        assert twin.read_day(text) == leap_day
    for text in ("29/02/2019", "2019-02-29", "n/a", "soon"):
        assert twin.read_day(text) is None


def test_a_month_that_lacks_the_day_ends_on_its_last() -> None:
    assert twin.months_after(date(2019, 8, 31), 6) == date(2020, 2, 29)
    assert twin.months_after(date(2020, 2, 29), 12) == date(2021, 2, 28)
    assert twin.months_after(date(2019, 3, 30), -6) == date(2018, 9, 30)


# --- the sample ----------------------------------------------------------------------------


def test_the_twin_agrees_with_every_figure_of_the_sample(sample) -> None:
    from pipelines.warehouse import open_warehouse

    declarations = Declarations(SOURCES)
    by_hand = twin.figures(twin.collect(sample.settings, declarations), INDICATORS)
    with open_warehouse(sample.settings) as connection:
        rows = connection.execute(FIGURES).fetchall()
    assert {key.indicator_id for key in by_hand} == {indicator.id for indicator in INDICATORS}
    message = disagreement(by_hand, rows)
    if message:
        pytest.fail(message, pytrace=False)


# --- random journeys -----------------------------------------------------------------------

FIRST, LAST = Quarter(2018, 1), Quarter(2020, 4)  # the leap day of 2020 lies in the middle
STEPS = (
    "entered_care_on", "should_be_placed_decision_on", "placement_order_on",
    "matched_on", "placed_on", "adoption_order_on",
)  # fmt: skip
FAMILIES = 2  # for each quarter, step in it and step reached: 504 in all
MOVED_ON = date(2019, 8, 15)  # within a quarter: the whole quarter belongs to the new region
_ONE_DAY = timedelta(days=1)


@st.composite
def _days_of(draw: st.DrawFn, quarter: Quarter) -> date:
    """A day in or beside the quarter, its edges more often than not."""
    first, last = quarter.first_day, quarter.last_day
    edges = [last, first, last + _ONE_DAY, first - _ONE_DAY]
    if first.month == 1:
        edges.append(twin.months_after(first, 2) - _ONE_DAY)  # 28 or 29 February
    return draw(st.one_of(st.sampled_from(edges), st.dates(first, last)))


@st.composite
def _later(draw: st.DrawFn, day: date, *, back: bool = False) -> date:
    """A day on or after (``back``: before) ``day``, often a whole number of months away."""
    sign = -1 if back else 1
    if draw(st.sampled_from([False, False, True])):
        return day + sign * timedelta(days=draw(st.integers(0, 400)))
    months = draw(st.sampled_from([6, 0, 1, 6, 9, 12, 18]))
    other = twin.months_after(day, sign * months) + draw(st.sampled_from([0, 1, -1])) * _ONE_DAY
    return min(day, other) if back else max(day, other)


_YES_NO = st.sampled_from(["yes", "no", "unknown", None])


@st.composite
def _child(draw: st.DrawFn, quarter: Quarter, here: int, reached: int) -> dict[str, Any]:
    """A journey that has ``reached`` a step; the step ``here`` is in or beside the quarter,
    or some months before its last day."""
    long_ago = draw(st.sampled_from([False, False, True]))
    day = draw(_later(quarter.last_day, back=True) if long_ago else _days_of(quarter))
    child: dict[str, Any] = {STEPS[here]: day}
    for at in range(here - 1, -1, -1):
        child[STEPS[at]] = draw(_later(child[STEPS[at + 1]], back=True))
    for at in range(here + 1, reached + 1):
        child[STEPS[at]] = draw(_later(child[STEPS[at - 1]]))

    if "matched_on" in child and draw(st.sampled_from([False, False, True])):
        child |= {  # matched before the order; between decision and placement both may lie
            "matched_on": child["placement_order_on"],
            "placement_order_on": child["matched_on"],
        }
    decided = child.get("should_be_placed_decision_on")
    if decided is None:
        if draw(st.booleans()):
            child["referral_withdrawn_on"] = draw(_days_of(quarter))
        if draw(st.booleans()):  # a parent may consent before the agency has decided
            child["placement_order_on"] = draw(_later(child["entered_care_on"]))
    elif "adoption_order_on" not in child and draw(st.sampled_from([False, False, False, True])):
        latest = max(day for day in child.values())
        child["plan_ended_on"] = draw(_later(latest))
    elif "placed_on" in child and draw(st.sampled_from([False, True])):
        child |= draw(_disruption(child))
    # Re-entry: the referral may be older than the latest period of care.
    withdrawn = child.get("referral_withdrawn_on")
    child["referred_on"] = draw(
        _later(withdrawn, back=True)
        if withdrawn
        else st.one_of(_days_of(quarter), _later(child["entered_care_on"], back=True))
    )

    if "placement_order_on" in child:
        child["authority_to_place"] = draw(
            st.sampled_from(
                ["placement_order", "placement_order", "consent", None] if decided else ["consent"]
            )
        )
        if draw(st.booleans()):
            child["referred_to_register_on"] = draw(_later(child["placement_order_on"]))
    if draw(st.booleans()):
        child["adopting_together_referred_on"] = draw(_days_of(quarter))
    child["is_adopting_together_placement"] = draw(_YES_NO)
    child["is_foster_carer_adoption"] = draw(_YES_NO)
    if child.get("placed_on") and draw(st.booleans()):
        child["foster_placement_started_on"] = draw(_later(child["placed_on"], back=True))
    if draw(st.integers(0, 9)) == 0:
        unknown = draw(st.sampled_from(["entered_care_on", "should_be_placed_decision_on"]))
        child[unknown] = None
    return child


@st.composite
def _disruption(draw: st.DrawFn, child: dict[str, Any]) -> dict[str, Any]:
    """The placement ended: for good, with a new match, or with a new family moved in with."""
    if draw(st.booleans()):
        ended = draw(_later(child["placed_on"] + _ONE_DAY))
        return {"disrupted_on": ended, "adoption_order_on": None}
    # The dates of match and placement are the new family's.
    ended = draw(_later(child["matched_on"], back=True))
    ended = max(ended, child["placement_order_on"])
    if ended > child["matched_on"] or ended == child["placed_on"]:
        return {}  # lost, matched and placed on one day: which came first is declared nowhere
    if draw(st.booleans()):
        return {"disrupted_on": ended}
    return {"disrupted_on": ended, "placed_on": None, "adoption_order_on": None}


@st.composite
def _families(draw: st.DrawFn, quarter: Quarter, here: int, reached: int) -> dict[str, Any]:
    """Returns with one to three brothers and sisters, an adopting household, a support count."""
    oldest = draw(_child(quarter, here, reached))
    children = [oldest]
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        alike = draw(st.booleans())
        children.append(dict(oldest) if alike else draw(_child(quarter, here, reached)))
    if len(children) > 1:
        children = [child | {"sibling_group_pseudonym": "group"} for child in children]
    approved = draw(st.one_of(st.none(), _days_of(quarter)))
    enquired = draw(_later(approved, back=True) if approved else _days_of(quarter))
    return {
        "child": children,
        "adopter": [{"enquired_on": enquired, "approved_on": approved}],
        "support": [{"support_requests": draw(st.integers(0, 40))}],
    }


def _drawn(strategy: st.SearchStrategy[Any], count: int, number: int) -> list[Any]:
    """``count`` examples, the same in every run: ``number`` is the seed."""
    found: list[Any] = []

    @seed(number)
    @settings(
        max_examples=count + 1,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found[1:]  # the first is the plainest there is, the same for every seed


def _drawn_families() -> dict[tuple[int, str], dict[str, Any]]:
    """Returns by number of the sender and quarter.

    Left to choose quarter and step itself, hypothesis drew some never; one dbt build for all
    takes seconds, one for each example would take hours.
    """
    returns: dict[tuple[int, str], dict[str, Any]] = {}
    stages = [(here, reached) for reached in range(len(STEPS)) for here in range(reached + 1)]
    for quarter in quarters_between(FIRST, LAST):
        families = [
            family
            for number, (here, reached) in enumerate(stages)
            for family in _drawn(
                _families(quarter, here, reached), FAMILIES, 100 * quarter.index + number
            )
        ]
        # Every seventh return is left out, in another quarter for another sender.
        returns |= {
            (number, quarter.label): family
            for number, family in enumerate(families)
            if (number + quarter.index) % 7
        }
    return returns


def _nth_of(nation: str, number: int) -> str:
    return f"{'WELSH' if nation == WALES else 'ENGLISH'}_{number}"


def _invent(folder: Path) -> InventedReturns:
    """Each family at a Welsh and an English sender, the only family of its return.

    A sender without a family for a quarter sends nothing (even numbers) or a nil (odd ones).
    Of three senders, one stays in its first region, one moves, one belongs to none.
    """
    invented = InventedReturns(folder)
    returns = _drawn_families()
    labels = [quarter.label for quarter in quarters_between(FIRST, LAST)]
    for nation, kind in ((WALES, "region"), (ENGLAND, "regional_agency")):
        old, new = f"OLD_{kind.upper()}", f"NEW_{kind.upper()}"
        invented.place(old, kind, nation)
        invented.place(new, kind, nation)
        for number in sorted({number for number, _ in returns}):
            sender = _nth_of(nation, number)
            invented.place(sender, "authority", nation)
            if number % 3 == 0:
                invented.member(sender, old)
            elif number % 3 == 1:
                invented.member(sender, old, until=MOVED_ON - _ONE_DAY)
                invented.member(sender, new, since=MOVED_ON)
            for name in ("child", "adopter", "support"):
                invented.owes(sender, name, *labels)
            for label in labels:
                if (number, label) in returns:
                    invented.submit(sender, label, **returns[number, label])
                elif number % 2:
                    invented.submit(sender, label, child=None, adopter=None, support=None)
    invented.write(LAST.label)
    return invented


def _collected(invented: InventedReturns) -> twin.Collection:
    """The invented returns as the twin takes them. They are typed already: nothing to read."""
    rows: dict[tuple[str, str, str], list[twin.Row]] = defaultdict(list)
    for name, listed in invented.rows.items():
        for row in listed:
            rows[row["sender_code"], name, row["quarter"]].append(row)
    submissions = {s["submission_id"]: s for s in invented.submissions}
    return twin.Collection(
        list(quarters_between(FIRST, LAST)),
        nation_of={p["place_code"]: p["nation_code"] for p in invented.places},
        belongings=[
            twin.Belonging(m["member_code"], m["parent_code"], m["since"], m["until"])
            for m in invented.memberships
        ],
        due={(d["sender_code"], d["return_name"], d["quarter"]) for d in invented.due},
        accepted={
            (
                submissions[r["submission_id"]]["sender_code"],
                r["return_name"],
                submissions[r["submission_id"]]["quarter"],
            )
            for r in invented.submission_returns
        },
        rows=rows,
    )


def test_the_twin_agrees_with_the_warehouse_on_random_journeys(tmp_path: Path) -> None:
    invented = _invent(tmp_path)
    by_hand = twin.figures(_collected(invented), INDICATORS)
    counted = Counter(key.indicator_id for key, figure in by_hand.items() if figure.numerator)
    assert set(counted) == set(twin.BY_HAND), "an indicator that is always nought proves nothing"
    invented.dbt("run")
    rows = [tuple(row.values()) for row in invented.query(FIGURES)]
    message = disagreement(by_hand, rows)
    if message:
        pytest.fail(message, pytrace=False)
