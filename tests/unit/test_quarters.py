"""Quarters: what they are called, where they begin and end, and what is not one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.quarters import Quarter, quarters_between, stretches

# The years a return may name.
years = st.integers(min_value=1900, max_value=2199)
quarters = st.builds(Quarter, years, st.integers(min_value=1, max_value=4))
days = st.dates(min_value=date(1900, 4, 1), max_value=date(2200, 3, 31))


@pytest.mark.parametrize(
    ("label", "first_day", "last_day"),
    [
        ("2025-26-Q1", date(2025, 4, 1), date(2025, 6, 30)),
        ("2025-26-Q2", date(2025, 7, 1), date(2025, 9, 30)),
        ("2025-26-Q3", date(2025, 10, 1), date(2025, 12, 31)),
        ("2025-26-Q4", date(2026, 1, 1), date(2026, 3, 31)),
        ("1999-00-Q4", date(2000, 1, 1), date(2000, 3, 31)),
    ],
)
def test_a_quarter_has_the_days_its_label_says(label, first_day, last_day):
    quarter = Quarter.parse(label)
    assert (quarter.first_day, quarter.last_day) == (first_day, last_day)


@pytest.mark.parametrize(("label", "length"), [("2019-20-Q4", 91), ("2020-21-Q4", 90)])
def test_the_last_quarter_is_a_day_longer_in_a_leap_year(label, length):
    quarter = Quarter.parse(label)
    assert (quarter.last_day - quarter.first_day).days + 1 == length


def test_the_leap_day_falls_into_the_fourth_quarter():
    assert Quarter.containing(date(2020, 2, 29)).label == "2019-20-Q4"


def test_the_year_turns_between_31_march_and_1_april():
    assert Quarter.containing(date(2026, 3, 31)).label == "2025-26-Q4"
    assert Quarter.containing(date(2026, 4, 1)).label == "2026-27-Q1"


@pytest.mark.parametrize(
    "label",
    [
        "",
        "2025",
        "2025-26",
        "2025-26-Q0",
        "2025-26-Q5",
        "2025-27-Q1",
        "2025-25-Q1",
        "2025-2026-Q1",
        "Q1 2025/26",
        "2025/26-Q1",
        "2025-26-q1",
        " 2025-26-Q1",
        "2025-26-Q1 ",
        "2025-26-Q1\n",
        "٢٠٢٥-٢٦-Q١",
        "1899-00-Q1",
        "2200-01-Q1",
        "9999-00-Q4",
        "../2025-26-Q1",
    ],
)
def test_what_is_no_quarter_is_refused_with_the_expected_form(label):
    with pytest.raises(ValueError, match="write it like 2025-26-Q1"):
        Quarter.parse(label)


@pytest.mark.parametrize("number", [0, 5, -1])
def test_a_year_has_four_quarters(number):
    with pytest.raises(ValueError, match="1 to 4"):
        Quarter(2025, number)


def test_no_quarters_lie_between_a_later_and_an_earlier_one():
    assert list(quarters_between(Quarter(2025, 2), Quarter(2025, 1))) == []


def test_both_ends_belong_to_the_quarters_between():
    labels = [quarter.label for quarter in quarters_between(Quarter(2024, 3), Quarter(2025, 2))]
    assert labels == ["2024-25-Q3", "2024-25-Q4", "2025-26-Q1", "2025-26-Q2"]


@given(quarters)
def test_a_label_reads_back_as_the_same_quarter(quarter):
    assert Quarter.parse(quarter.label) == quarter
    assert str(quarter) == quarter.label


@given(days)
def test_every_day_lies_in_the_quarter_that_contains_it(day):
    quarter = Quarter.containing(day)
    assert quarter.first_day <= day <= quarter.last_day


@given(quarters)
def test_a_quarter_begins_the_day_after_the_one_before_it_ends(quarter):
    assert quarter.first_day == quarter.plus(-1).last_day + timedelta(days=1)


@given(quarters)
def test_a_quarter_is_three_whole_months(quarter):
    assert 90 <= (quarter.last_day - quarter.first_day).days + 1 <= 92
    assert Quarter.containing(quarter.first_day) == Quarter.containing(quarter.last_day) == quarter


@given(quarters, st.integers(min_value=-200, max_value=200))
def test_going_forth_and_back_returns_to_the_same_quarter(quarter, steps):
    assert quarter.plus(steps).plus(-steps) == quarter
    assert quarter.plus(steps).index - quarter.index == steps


@given(quarters, quarters)
def test_labels_sort_as_text_like_the_quarters_in_time(one, other):
    assert (one < other) == (one.label < other.label) == (one.first_day < other.first_day)


def test_stretches_are_cut_where_a_quarter_is_left_out():
    q1, q2, q4 = Quarter(2019, 1), Quarter(2019, 2), Quarter(2019, 4)
    next_year = Quarter(2020, 1)
    assert stretches([q4, q1, q2, q1, next_year]) == [[q1, q2], [q4, next_year]]
    assert stretches([]) == []
