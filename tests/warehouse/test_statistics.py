"""Intervals, journeys and warnings against the slow way of getting them.

The formulas of ``macros/intervals.sql`` are held to the distributions they stand for, summed or
integrated here, and to numbers other people printed. Medians, waits and warnings are worked out
child by child from random returns, in fractions where a product would round.
"""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

import pytest

from pipelines.quarters import Quarter, quarters_between
from pipelines.settings import DBT_PROJECT
from pipelines.warehouse.quantiles import student_t
from tests.warehouse import twin
from tests.warehouse.conftest import ENGLAND, WALES, InventedReturns

NORMAL = statistics.NormalDist()
ONE_DAY = timedelta(days=1)

# --- the formulas --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def formula() -> Callable[..., list[float | None]]:
    """Run a macro of ``intervals.sql`` on rows of arguments, in the engine of the warehouse."""
    import duckdb
    import jinja2

    text = (DBT_PROJECT / "macros" / "intervals.sql").read_text(encoding="utf-8")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    macros = environment.from_string(text, globals={"var": lambda name, default: default}).module

    def run(name: str, rows: Iterable[tuple[int, ...]], *level: str) -> list[float | None]:
        listed = list(rows)
        arguments = [f"a{position}" for position in range(len(listed[0]))]
        sql = getattr(macros, name)(*arguments, *level)
        with duckdb.connect() as connection:
            columns = ", ".join(f"{argument} bigint" for argument in arguments)
            connection.execute(f"create table given (position bigint, {columns})")
            values = ", ".join(str((at, *row)) for at, row in enumerate(listed))
            insert = f"insert into given values {values}"  # noqa: S608
            connection.execute(insert)
            query = f"select {sql} from given order by position"  # noqa: S608
            return [value for (value,) in connection.execute(query).fetchall()]

    return run


@pytest.mark.parametrize(
    ("part", "whole", "lower", "upper"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3, to four places.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # 98 children matched in a region in 2018-19, 79 after more than six months.
        (79, 98, 0.7169, 0.8722),
    ],
)
def test_wilson_intervals_are_the_printed_ones(formula, part, whole, lower, upper) -> None:
    assert formula("wilson_lower", [(part, whole)], "95")[0] == pytest.approx(lower, abs=6e-5)
    assert formula("wilson_upper", [(part, whole)], "95")[0] == pytest.approx(upper, abs=6e-5)


@pytest.mark.parametrize(("level", "tail"), [("95", 0.025), ("99.8", 0.001)])
def test_a_wilson_bound_is_where_the_share_seen_is_just_not_surprising(
    formula, level, tail
) -> None:
    z = NORMAL.inv_cdf(1 - tail)
    cases = [(part, whole) for whole in (1, 2, 5, 30, 98, 4000) for part in range(whole + 1)]
    lower = formula("wilson_lower", cases, level)
    upper = formula("wilson_upper", cases, level)
    for (part, whole), low, high in zip(cases, lower, upper, strict=True):
        assert 0 <= low <= part / whole <= high <= 1
        for bound in (low, high):
            away = (part / whole - bound) ** 2
            assert away == pytest.approx(z * z * bound * (1 - bound) / whole, abs=1e-12)
        assert (low == 0) == (part == 0)
        assert (high == 1) == (part == whole)


def test_a_share_of_nobody_and_a_part_larger_than_the_whole_have_no_interval(formula) -> None:
    for name in ("wilson_lower", "wilson_upper"):
        assert formula(name, [(0, 0), (6, 5), (-1, 5)], "95") == [None, None, None]


def _student_tail(t: float, degrees: int) -> float:
    """P(T > t) by Simpson's rule, over the angle whose tangent is t / √degrees."""
    steps = 10_000
    start = math.atan(t / math.sqrt(degrees))
    width = (math.pi / 2 - start) / steps
    total = math.fsum(
        (1 if at in (0, steps) else 4 if at % 2 else 2)
        * math.cos(start + at * width) ** (degrees - 1)
        for at in range(steps + 1)
    )
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2))
    return scale / math.sqrt(math.pi) * total * width / 3


def test_the_quantiles_of_student_leave_one_fortieth_above_them() -> None:
    table = dict(student_t().iter_rows())
    assert list(table) == list(range(1, 10_001))
    for degrees in [*range(1, 61), 100, 400, 10_000]:
        # 3e-11 of it is the error of this sum of 10,000 terms, not of the table.
        assert _student_tail(table[degrees], degrees) == pytest.approx(0.025, abs=1e-10), degrees


def test_the_expansion_beyond_the_table_of_student_misses_by_less_than_a_ten_millionth() -> None:
    z = NORMAL.inv_cdf(0.975)
    assert student_t()["quantile"][-1] == pytest.approx(z + (z**3 + z) / (4 * 10_000), abs=3e-8)


def _exact_ranks(most: int) -> Iterator[int]:
    """For n from 1: the largest j with P(X < j) <= 0.025, X binomial (n, 1/2), in whole numbers."""
    j, below, last = 0, 0, 0  # last is "n over j - 1", below the sum up to there
    for n in range(1, most + 1):
        if j:
            below = 2 * below - last
            last = last * n // (n - j + 1)
        while True:
            following = last * (n - j + 1) // j if j else 1
            if 40 * (below + following) > 2**n:
                break
            j, below, last = j + 1, below + following, following
        yield j


def test_the_rank_that_bounds_a_median_is_the_exact_one(formula) -> None:
    most = 20_000
    ranks = formula("median_rank", [(n,) for n in range(1, most + 1)])
    assert ranks == list(_exact_ranks(most))
    # As printed in tables of the sign test: none below six cases.
    assert [ranks[n - 1] for n in (5, 6, 9, 10, 15, 20, 30)] == [0, 1, 2, 2, 4, 6, 10]


def _poisson_tail(events: int, mean: float) -> float:
    """P(X <= events) for X Poisson with this mean."""
    return math.fsum(
        math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(events + 1)
    )


def test_the_interval_of_a_count_is_exact_below_ten_and_close_above(formula) -> None:
    events = [*range(10), 10, 11, 25, 400]
    lower = formula("poisson_lower", [(n,) for n in events])
    upper = formula("poisson_upper", [(n,) for n in events])
    assert lower[0] == 0
    for count, low, high in zip(events, lower, upper, strict=True):
        allowed = 1e-8 if count < 10 else 6e-4
        assert _poisson_tail(count, high) == pytest.approx(0.025, abs=allowed), count
        if count:
            assert 1 - _poisson_tail(count - 1, low) == pytest.approx(0.025, abs=allowed), count


def test_a_deviation_from_sums_is_the_one_from_the_waits(formula) -> None:
    chance = random.Random(6)
    samples = [[chance.randint(0, 2000) for _ in range(n)] for n in (2, 3, 50, 3000)]
    rows = [(len(s), sum(s), sum(x * x for x in s)) for s in samples]
    for sample, deviation in zip(samples, formula("deviation_of_sums", rows), strict=True):
        assert deviation == pytest.approx(statistics.stdev(sample), rel=1e-12)
    assert formula("deviation_of_sums", [(1, 5, 25)]) == [None]


# --- random returns ------------------------------------------------------------------------

FIRST, LAST = Quarter(2018, 1), Quarter(2021, 2)  # 14: the cohort of 12 loses its first orders
QUARTERS = list(quarters_between(FIRST, LAST))
REGIONS = {"MIXED": 30, "NOBODY_MATCHED": 8, "EVERYBODY_MATCHED": 12, "ONE_CHILD": 1}
DELAYS = (-20, 0, 10, 30, 30, 30, 90, 91, 180, 365, 500)  # few, so that many days are tied
SLOW = (180, 240, 365, 365, 400, 500)


def _journey(
    chance: random.Random, fate: str, number: int, delays: tuple[int, ...]
) -> dict[Quarter, dict[str, Any]]:
    """The rows of one child, quarter by quarter, as far as each return knows."""
    born_into = chance.choice(QUARTERS[:-3])
    order = born_into.first_day + timedelta(days=chance.randrange(91))
    entered = order - timedelta(days=chance.randrange(90, 400))
    child: dict[str, Any] = {
        "child_pseudonym": f"child {number}",
        "entered_care_on": entered,
        "should_be_placed_decision_on": order - timedelta(days=chance.randrange(60)),
        "placement_order_on": order,
        "referred_to_register_on": order + timedelta(days=chance.randrange(40)),
    }
    if chance.random() < 0.1:
        child["authority_to_place"] = "consent"
    end: date | None = None
    if fate == "match":
        child["matched_on"] = order + timedelta(days=chance.choice(delays))
        child["placed_on"] = max(order, child["matched_on"]) + timedelta(chance.randrange(40))
        turn = chance.random()
        if turn < 0.15:  # lost, and perhaps found again
            lost = child["placed_on"] + timedelta(days=chance.randrange(1, 60))
            child["disrupted_on"] = lost
            if turn < 0.07:
                child["later"] = {"matched_on": lost + timedelta(days=80), "placed_on": None}
            end = lost + timedelta(days=300)
        elif turn < 0.2:
            del child["matched_on"]  # placed, and nobody noted the match
            end = child["placed_on"] + timedelta(days=100)
        else:
            end = child["placed_on"] + timedelta(days=200)
            child["adoption_order_on"] = end
    elif fate == "leave":
        end = order + timedelta(days=max(0, chance.choice(delays)))
        child[chance.choice(["plan_ended_on", "referral_withdrawn_on"])] = end
        if chance.random() < 0.2:  # a new plan, on the old order
            child["should_be_placed_decision_on"] = end + ONE_DAY
            end = None
    vanishes = chance.random() < 0.1
    late = chance.random() < 0.15
    rows: dict[Quarter, dict[str, Any]] = {}
    for quarter in QUARTERS:
        if quarter.last_day < order - timedelta(days=100) or (end and quarter.first_day > end):
            continue
        if vanishes and quarter.first_day > order + timedelta(days=150):
            continue
        known_by = quarter.last_day - timedelta(days=40 if late else 0)
        later = child.get("later") or {}
        row = {name: value for name, value in child.items() if name != "later"}
        if later and later["matched_on"] <= known_by:
            row |= later
        rows[quarter] = {
            name: value
            for name, value in row.items()
            if not isinstance(value, date)
            or value <= (quarter.last_day if name == "placement_order_on" else known_by)
        }
    if chance.random() < 0.08 and rows:  # a second order, and the first match long over
        last = max(rows)
        again = last.last_day - timedelta(days=chance.randrange(80))
        rows[last] = rows[last] | {"placement_order_on": again}
    return rows


class Invented(NamedTuple):
    returns: InventedReturns
    rows: dict[tuple[str, Quarter], list[dict[str, Any]]]  # accepted returns
    places: dict[tuple[str, Quarter], list[str]]


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Invented:
    """Random journeys in four Welsh regions and an English agency, built once."""
    chance = random.Random(20190331)
    returns = InventedReturns(tmp_path_factory.mktemp("statistics"))
    rows: dict[tuple[str, Quarter], list[dict[str, Any]]] = {}
    places: dict[tuple[str, Quarter], list[str]] = {}
    homes = [(name, WALES, "region") for name in REGIONS]
    homes.append(("AGENCY", ENGLAND, "regional_agency"))
    for home, nation, kind in homes:
        returns.place(home, kind, nation)
    for home, nation, _ in homes:
        size = 1 if home == "ONE_CHILD" else 2
        for number in range(size):
            sender = f"{home}_{number}"
            returns.place(sender, "authority", nation)
            moves = home == "MIXED" and number == 1
            moved_on = date(2019, 8, 15)
            returns.member(sender, home, until=moved_on - ONE_DAY if moves else None)
            if moves:
                returns.member(sender, "NOBODY_MATCHED", since=moved_on)
            returns.owes(sender, "child", *(quarter.label for quarter in QUARTERS))
            listed: dict[Quarter, list[dict[str, Any]]] = defaultdict(list)
            delays = SLOW if home == "EVERYBODY_MATCHED" else DELAYS
            for child in range(REGIONS.get(home, 40)):
                fate = {"NOBODY_MATCHED": "wait", "EVERYBODY_MATCHED": "match"}.get(
                    home, chance.choice(["match", "match", "match", "leave", "wait"])
                )
                for quarter, row in _journey(chance, fate, child, delays).items():
                    listed[quarter].append(row)
            for quarter in QUARTERS:
                at_home = "NOBODY_MATCHED" if moves and quarter.last_day >= moved_on else home
                places[sender, quarter] = [sender, at_home, nation]
                if size > 1 and chance.random() < 0.08:
                    continue  # nothing sent
                rows[sender, quarter] = listed[quarter]
                returns.submit(sender, quarter.label, child=listed[quarter] or None)
    returns.write(LAST.label)
    returns.dbt("run")
    return Invented(returns, rows, places)


# --- distributions -------------------------------------------------------------------------


def test_what_lies_behind_every_mean_is_what_the_mean_counts(warehouse, invented) -> None:
    for built in (warehouse, invented.returns):
        (found,) = built.query(
            """
            select
                count(*) as figures,
                sum(case when spread.denominator > 1 then 1 else 0 end) as of_several,
                sum(case
                    when figure.numerator is distinct from spread.numerator
                        or figure.denominator is distinct from spread.denominator
                        or abs(figure.value - spread.mean) > 1e-9 * figure.value
                        or (figure.value is null) <> (spread.mean is null)
                        then 1 else 0
                end) as different
            from marts.fct_indicator as figure
            inner join marts.dim_indicator as indicator
                on figure.indicator_id = indicator.indicator_id
            left join marts.fct_distribution as spread
                on figure.indicator_id = spread.indicator_id
                and figure.place_code = spread.place_code
                and figure.quarter = spread.quarter
                and figure.window_name = spread.window_name
            where figure.breakdown = 'total'
                and figure.membership_basis = 'at_the_time'
                and indicator.unit in ('months', 'days')
                and indicator.denominator is not null
            """
        )
        assert found["figures"] and not found["different"]
    assert found["of_several"] > 100


SPREAD = (
    "mean", "mean_lower_ci", "mean_upper_ci", "standard_deviation", "median", "median_lower_ci",
    "median_upper_ci", "lower_quartile", "upper_quartile",
)  # fmt: skip


def _waits_by_hand(invented: Invented, place: str, ending: Quarter, length: int) -> list[int]:
    """Days from authority to placement (W09) of the window, shortest first."""
    return sorted(
        twin.days(row["placement_order_on"], row["placed_on"])
        for quarter in quarters_between(ending.plus(1 - length), ending)
        for (sender, reported), rows in invented.rows.items()
        if reported == quarter and place in invented.places[sender, quarter]
        for row in rows
        if twin.in_quarter(row.get("placed_on"), quarter)
        and twin.clock(row.get("placement_order_on"), row["placed_on"]) is not None
    )


def test_medians_quartiles_and_intervals_are_those_of_the_waits_themselves(
    invented, formula
) -> None:
    to_months = 12 / 365.25
    ranks = list(_exact_ranks(400))
    quantiles = student_t()["quantile"]
    seen = set()
    for figure in invented.returns.query(
        """
        select * from marts.fct_distribution
        where indicator_id = 'W09' and window_name in ('quarter', 'rolling_4', 'rolling_12')
        """
    ):
        length = {"quarter": 1, "rolling_4": 4, "rolling_12": 12}[figure["window_name"]]
        ending = Quarter.parse(figure["quarter"])
        waits = [
            to_months * days
            for days in _waits_by_hand(invented, figure["place_code"], ending, length)
        ]
        n = len(waits)
        seen.add(n)
        assert (figure["denominator"] or 0) == n
        expected: dict[str, float | None] = dict.fromkeys(SPREAD)
        if n:
            expected["mean"] = statistics.fmean(waits)
            expected["median"] = statistics.median(waits)
            expected["lower_quartile"] = expected["upper_quartile"] = waits[0]
        if n > 1:
            low, _, high = statistics.quantiles(waits, n=4, method="inclusive")
            expected |= {"lower_quartile": low, "upper_quartile": high}
            expected["standard_deviation"] = statistics.stdev(waits)
            if waits[0] < waits[-1]:
                half = quantiles[n - 2] * statistics.stdev(waits) / math.sqrt(n)
                expected["mean_lower_ci"] = max(0, expected["mean"] - half)
                expected["mean_upper_ci"] = expected["mean"] + half
        if n and (rank := ranks[n - 1]):
            expected["median_lower_ci"] = waits[rank - 1]
            expected["median_upper_ci"] = waits[n - rank]
        for name, value in expected.items():
            shown = figure[name]
            assert (shown is None) == (value is None), (name, n)
            assert value is None or shown == pytest.approx(value, rel=1e-9, abs=1e-9), (name, n)
    assert {0, 1, 2} < seen and max(seen) > 30


# --- journeys ------------------------------------------------------------------------------


class Journey(NamedTuple):
    """One placement order: where and when it was granted, and what each later return knew."""

    sender: str
    granted: Quarter
    known: list[tuple[Quarter, str, int]]  # quarter of the return, outcome, days


def _outcome(row: dict[str, Any], order: date, last_day: date) -> tuple[str, int]:
    found = next(
        (row[n] for n in ("matched_on", "placed_on", "adoption_order_on") if row.get(n)), None
    )
    if found is not None and found <= last_day:
        lost = row.get("disrupted_on")
        if lost is not None and found <= lost <= order:
            found = None  # over before the order
    else:
        found = None
    decided = row.get("should_be_placed_decision_on") or date.min
    gone = [
        row[name]
        for name in ("plan_ended_on", "referral_withdrawn_on")
        if row.get(name) and row[name] <= last_day and not decided > row[name]
    ]
    left = min(gone, default=None)
    if found is not None and (left is None or found <= left):
        return "matched", max(0, (found - order).days)
    if left is not None:
        return "left", max(0, (left - order).days)
    return "waiting", (last_day - order).days


def _journeys(rows: dict[tuple[str, Quarter], list[dict[str, Any]]]) -> list[Journey]:
    reported: dict[tuple[str, str], dict[Quarter, dict[str, Any]]] = defaultdict(dict)
    for (sender, quarter), listed in rows.items():
        for row in listed:
            reported[sender, row["child_pseudonym"]][quarter] = row
    found = []
    for (sender, _), by_quarter in reported.items():
        granted = [
            quarter
            for quarter, row in sorted(by_quarter.items(), key=lambda item: item[0].index)
            if twin.in_quarter(twin.order_on(row), quarter)
        ]
        for start, following in itertools.zip_longest(granted, granted[1:]):
            order = by_quarter[start]["placement_order_on"]
            known = [
                (quarter, *_outcome(row, order, quarter.last_day))
                for quarter, row in sorted(by_quarter.items(), key=lambda item: item[0].index)
                if quarter.index >= start.index
                and (following is None or quarter.index < following.index)
            ]
            found.append(Journey(sender, start, known))
    return found


def _as_of(journey: Journey, quarter: Quarter) -> tuple[str, int]:
    """What is known by the quarter: the first end reported, or the last time seen waiting."""
    known = [entry for entry in journey.known if entry[0].index <= quarter.index]
    ends = [entry for entry in known if entry[1] != "waiting"]
    _, outcome, days = ends[0] if ends else known[-1]
    return outcome, days


class Step(NamedTuple):
    at_risk: int
    matched: int
    left: int
    waiting: int
    survival: Fraction
    greenwood: Fraction
    matched_by_then: Fraction
    left_by_then: Fraction


def _kaplan_meier(outcomes: list[tuple[str, int]]) -> dict[int, Step]:
    steps: dict[int, Step] = {}
    survival, neither, greenwood = Fraction(1), Fraction(1), Fraction(0)
    matched_by_then, left_by_then = Fraction(0), Fraction(0)
    for day in sorted({days for _, days in outcomes}):
        at_risk = sum(days >= day for _, days in outcomes)
        matched, left, waiting = (
            outcomes.count((outcome, day)) for outcome in ("matched", "left", "waiting")
        )
        matched_by_then += neither * Fraction(matched, at_risk)
        left_by_then += neither * Fraction(left, at_risk)
        neither *= 1 - Fraction(matched + left, at_risk)
        survival *= 1 - Fraction(matched, at_risk)
        if matched < at_risk:
            greenwood += Fraction(matched, at_risk * (at_risk - matched))
        steps[day] = Step(
            at_risk, matched, left, waiting, survival, greenwood, matched_by_then, left_by_then
        )
        assert neither + matched_by_then + left_by_then == 1
    return steps


def _bounds(step: Step) -> tuple[float | None, float | None]:
    """On the scale of log(-log), as printed in Kalbfleisch and Prentice."""
    if step.survival in (0, 1):
        return None, None
    survival = float(step.survival)
    theta = math.log(-math.log(survival))
    half = NORMAL.inv_cdf(0.975) * math.sqrt(step.greenwood) / abs(math.log(survival))
    return math.exp(-math.exp(theta + half)), math.exp(-math.exp(theta - half))


def _first_day(days: Iterable[tuple[int, float | Fraction | None]]) -> int | None:
    return next((day for day, share in days if share is not None and share <= 0.5), None)


def test_the_slow_way_gives_the_printed_survival_of_a_known_trial() -> None:
    # Freireich and others, Blood 21 (1963): weeks in remission on 6-mercaptopurine.
    relapsed = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    watched = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    steps = _kaplan_meier(
        [("matched", week) for week in relapsed] + [("waiting", week) for week in watched]
    )
    printed = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    errors = {6: 0.0764, 7: 0.0869, 10: 0.0963, 13: 0.1068, 16: 0.1141, 22: 0.1282, 23: 0.1346}
    for week, survival in printed.items():
        step = steps[week]
        assert float(step.survival) == pytest.approx(survival, abs=5e-4)
        error = float(step.survival) * math.sqrt(step.greenwood)
        assert error == pytest.approx(errors[week], abs=5e-5)
    assert _first_day((week, step.survival) for week, step in steps.items()) == 23


def test_every_journey_is_the_one_worked_out_child_by_child(invented) -> None:
    journeys = _journeys(invented.rows)
    expected: dict[tuple[str, str], dict[int, Step]] = {}
    for quarter in QUARTERS:
        cohort: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for journey in journeys:
            if quarter.index - 12 < journey.granted.index <= quarter.index:
                _, home, nation = invented.places[journey.sender, journey.granted]
                for place in (home, nation):
                    cohort[place].append(_as_of(journey, quarter))
        for place, outcomes in cohort.items():
            expected[place, quarter.label] = _kaplan_meier(outcomes)

    found: dict[tuple[str, str], dict[int, dict[str, Any]]] = defaultdict(dict)
    for row in invented.returns.query("select * from marts.fct_journey order by days"):
        assert row["days"] not in found[row["place_code"], row["quarter"]]
        found[row["place_code"], row["quarter"]][row["days"]] = row
    assert found.keys() == expected.keys()

    nothing_matched = everybody_matched = alone = ties = reached = 0
    for key, steps in expected.items():
        assert list(found[key]) == list(steps), key
        size = next(iter(steps.values())).at_risk
        bounds = {day: _bounds(step) for day, step in steps.items()}
        medians = (
            _first_day((day, step.survival) for day, step in steps.items()),
            _first_day((day, lower) for day, (lower, _) in bounds.items()),
            _first_day((day, upper) for day, (_, upper) in bounds.items()),
        )
        for day, step in steps.items():
            row = found[key][day]
            counts = ("at_risk", "matched", "left_without_match", "still_waiting")
            assert tuple(row[name] for name in counts) == step[:4], (key, day)
            assert row["children_ordered"] == size
            for name, value in {
                "survival": float(step.survival),
                "survival_lower_ci": bounds[day][0],
                "survival_upper_ci": bounds[day][1],
                "matched_by_then": float(step.matched_by_then),
                "left_by_then": float(step.left_by_then),
            }.items():
                assert (row[name] is None) == (value is None), (key, day, name)
                assert value is None or row[name] == pytest.approx(value, abs=2e-9), (key, name)
            shown = ("median_days", "median_days_lower_ci", "median_days_upper_ci")
            assert tuple(row[name] for name in shown) == medians, (key, day)
            ties += step.matched > 1
        last = list(steps.values())[-1]
        nothing_matched += last.survival == 1
        everybody_matched += last.survival == 0
        alone += size == 1
        reached += medians[0] is not None
    # The cases that break formulas are among them.
    assert min(nothing_matched, everybody_matched, alone, ties, reached) > 3
    assert reached < len(expected)


def test_the_cohort_is_every_order_granted_in_the_twelve_quarters(invented) -> None:
    different = invented.returns.query(
        """
        select journey.place_code, journey.quarter
        from (
            select place_code, quarter, max(children_ordered) as children_ordered
            from marts.fct_journey group by place_code, quarter
        ) as journey
        full join (
            select place_code, quarter, numerator from marts.fct_indicator
            where indicator_id in ('W04', 'G2') and window_name = 'rolling_12'
                and breakdown = 'total' and membership_basis = 'at_the_time' and numerator > 0
                and place_code in (
                    select place_code from marts.dim_place where kind <> 'authority'
                )
        ) as granted
            on journey.place_code = granted.place_code and journey.quarter = granted.quarter
        where journey.children_ordered is distinct from granted.numerator
        """
    )
    assert different == []


# --- early warning -------------------------------------------------------------------------

# Indicator → start of the clock, months, whether the limit itself is still within, who waits.
Clock = Callable[[dict[str, Any]], date | None]
WATCHED: dict[str, tuple[Clock, int, bool, bool]] = {
    "W11C_SIX_MONTHS": (twin.authority_on, 6, True, False),
    "W11E": (twin.authority_on, 9, False, False),
    "W11A": (lambda row: row.get("should_be_placed_decision_on"), 6, True, True),
    "W11D": (lambda row: row.get("referred_to_register_on"), 6, True, True),
    "W09": (twin.authority_on, 6, True, False),
    "W08": (lambda row: row.get("entered_care_on"), 13, True, False),
    "G4": (lambda row: row.get("entered_care_on"), 18, False, False),
    "G5": (twin.order_on, 12, False, False),
    "G6": (twin.order_on, 18, False, False),
}


def _warns_by_hand(indicator_id: str, row: dict[str, Any], last_day: date) -> date | None:
    """The first day past the limit, of a child on the clock on the quarter's last day."""
    start_of, months, is_within, until_match = WATCHED[indicator_id]
    start = start_of(row)
    decided = row.get("should_be_placed_decision_on") or date.min
    over = row.get("adoption_order_on") or any(
        row.get(name) and not decided > row[name]
        for name in ("plan_ended_on", "referral_withdrawn_on")
    )
    if start is None or start > last_day or over or twin.is_placed(row, last_day):
        return None
    if until_match and twin.is_matched(row, last_day):
        return None
    if indicator_id == "W08" and not (decided > date.min or row.get("placement_order_on")):
        return None
    if indicator_id == "G4" and twin.order_on(row) is None:
        return None
    return twin.months_after(start, months) + is_within * ONE_DAY


def test_every_warning_is_the_one_worked_out_child_by_child(invented) -> None:
    expected: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * 5)
    listed = set()
    for (sender, quarter), rows in invented.rows.items():
        last = quarter.last_day
        nation = invented.places[sender, quarter][-1]
        for indicator_id in WATCHED:
            if (indicator_id[0] == "G") != (nation == ENGLAND):
                continue
            for row in rows:
                passes_on = _warns_by_hand(indicator_id, row, last)
                days = None if passes_on is None else (passes_on - last).days
                for place in invented.places[sender, quarter]:
                    counts = expected[indicator_id, place, quarter.label]
                    counts[0] += days is not None
                    counts[1] += days is not None and days <= 0
                    for at, horizon in enumerate((30, 60, 90)):
                        counts[2 + at] += days is not None and 1 <= days <= horizon
                if days is not None and days <= 90:
                    listed.add((indicator_id, sender, quarter.label, row["child_pseudonym"], days))

    found = {
        (row["indicator_id"], row["place_code"], row["quarter"]): [
            row["children_waiting"],
            row["children_waiting_past"],
            *(row[f"children_waiting_within_{days}_days"] for days in (30, 60, 90)),
        ]
        for row in invented.returns.query("select * from marts.rpt_early_warning")
        if row["returns_accepted"]
    }
    assert {indicator_id for indicator_id, _, _ in found} == set(WATCHED)
    assert not [key for key, counts in found.items() if counts != expected.get(key, [0] * 5)]
    assert not [key for key, counts in expected.items() if any(counts) and key not in found]

    children = invented.returns.query(
        """
        select indicator_id, sender_code, quarter, child_pseudonym, days_until_passed, warning
        from marts.fct_early_warning_child
        """,
        database="restricted",
    )
    assert len(children) == len(listed)
    assert {tuple(list(row.values())[:5]) for row in children} == listed
    assert {row["warning"] for row in children} == {
        "past", "within 30 days", "within 60 days", "within 90 days",
    }  # fmt: skip


@pytest.mark.parametrize("built", ["warehouse", "invented"])
def test_those_past_a_limit_are_those_the_indicator_counts(built, request) -> None:
    returns = request.getfixturevalue(built)
    query = (returns.returns if built == "invented" else returns).query
    (found,) = query(
        """
        select
            sum(warning.children_waiting_past) as past,
            sum(case
                when warning.children_waiting_past is distinct from figure.numerator then 1 else 0
            end) as different
        from marts.rpt_early_warning as warning
        left join marts.fct_indicator as figure
            on warning.indicator_id = figure.indicator_id
            and warning.place_code = figure.place_code
            and warning.quarter = figure.quarter
            and figure.window_name = 'quarter'
            and figure.breakdown = 'total'
            and figure.membership_basis = 'at_the_time'
        where warning.indicator_id in ('W11C_SIX_MONTHS', 'W11D', 'W11E', 'G4', 'G5', 'G6')
        """
    )
    assert found["past"] > 10 and found["different"] == 0


# --- comparisons ---------------------------------------------------------------------------


def _word(
    direction: str, own: dict[str, Any] | None, other: dict[str, Any] | None, least: int
) -> str | None:
    if own is None or other is None:
        return None
    if min(own["cases"], other["cases"]) < least:
        return "too few to tell"
    if own["high"] is None or other["high"] is None:
        return None
    below, above = own["high"] < other["low"], own["low"] > other["high"]
    if not (below or above):
        return "no different"
    return "better" if below == (direction == "lower") else "worse"


def test_every_comparison_of_a_mean_or_share_follows_from_the_two_intervals(invented) -> None:
    directions = {
        row["indicator_id"]: row["direction"]
        for row in invented.returns.query("select * from marts.dim_indicator where is_headline")
    }
    figures: dict[tuple[str, str, int, str], dict[str, Any]] = {}
    for table, low, high in (
        ("fct_distribution", "mean_lower_ci", "mean_upper_ci"),
        ("fct_proportion_interval", "value_lower_ci", "value_upper_ci"),
    ):
        for row in invented.returns.query(f"select * from marts.{table}"):  # noqa: S608
            if row["denominator"] is not None:
                index = Quarter.parse(row["quarter"]).index
                key = (row["indicator_id"], row["place_code"], index, row["window_name"])
                figures[key] = {
                    "cases": row["denominator"], "low": row[low], "high": row[high],
                }  # fmt: skip
    homes = {
        (sender, quarter.index): home for (sender, quarter), (_, home, _) in invented.places.items()
    }
    nations = {
        row["place_code"]: row["nation_code"]
        for row in invented.returns.query("select * from marts.dim_place")
    }
    back = {"quarter": 4, "year_to_date": 4, "rolling_4": 4, "rolling_12": 12, "financial_year": 4}
    touched = {
        (
            row["indicator_id"],
            row["place_code"],
            Quarter.parse(row["quarter"]).index,
            row["window_name"],
        )
        for row in invented.returns.query(
            "select * from marts.fct_indicator_break where membership_basis = 'at_the_time'"
        )
    }
    words: set[str | None] = set()
    for row in invented.returns.query(
        "select * from marts.rpt_comparison where interval_method <> 'Poisson'"
    ):
        indicator_id, place, window = row["indicator_id"], row["place_code"], row["window_name"]
        index, direction = Quarter.parse(row["quarter"]).index, directions[indicator_id]
        own = figures.get((indicator_id, place, index, window))
        benchmark = row["benchmark"]
        bar = benchmark and {"cases": math.inf, "low": benchmark, "high": benchmark}
        nation = nations[place] if nations[place] != place else ""
        year = (indicator_id, place, index - 1, "rolling_4") if window == "quarter" else None
        others = {
            "benchmark": bar,
            "region": figures.get((indicator_id, homes.get((place, index), ""), index, window)),
            "nation": figures.get((indicator_id, nation, index, window)),
            "last_four_quarters": figures.get(year) if year else None,
            "previous": figures.get((indicator_id, place, index - back[window], window)),
        }
        for name, other in others.items():
            word = _word(direction, own, other, row["minimum_to_tell"])
            if word and name in ("previous", "last_four_quarters"):
                is_touched = (indicator_id, place, index, window) in touched
                word = "break in series" if is_touched else word
            assert row[f"compared_with_{name}"] == word, (indicator_id, place, index, window, name)
            words.add(word)
    told = {None, "better", "worse", "no different", "too few to tell", "break in series"}
    assert words == told


def test_context_is_neither_better_nor_worse(invented) -> None:
    found = invented.returns.query(
        """
        select distinct indicator.direction
        from marts.rpt_comparison as compared
        inner join marts.dim_indicator as indicator
            on compared.indicator_id = indicator.indicator_id
        """
    )
    assert {row["direction"] for row in found} == {"lower", "higher"}


def test_a_rebuild_gives_the_same_statistics_to_the_last_digit(invented) -> None:
    tables = ("fct_distribution", "fct_journey", "fct_proportion_interval", "rpt_comparison")

    def digests() -> list[Any]:
        return [
            invented.returns.query(f"select bit_xor(hash(t)) as digest from marts.{table} as t")  # noqa: S608
            for table in tables
        ]

    before = digests()
    invented.returns.dbt("run", "--select", *tables)
    assert digests() == before
