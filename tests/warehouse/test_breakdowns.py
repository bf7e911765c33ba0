"""Breakdowns, windows and estimates, in the small country of ``country.py``."""

from __future__ import annotations

import shutil
from typing import Any

import duckdb
import pytest

from tests.warehouse.conftest import ENGLAND, InventedReturns
from tests.warehouse.country import AGENCY, DECLARED, EVERYBODY, LAST, MATCHED, NOT_SENT, TELFORD

# --- breakdowns ----------------------------------------------------------------------------


def test_the_parts_of_every_breakdown_add_up_to_the_total_everywhere(country) -> None:
    (compared,) = country.query(
        """
        with
        part as (
            select
                indicator_id, place_code, quarter, window_name, membership_basis, breakdown,
                sum(numerator) as numerator, sum(denominator) as denominator
            from marts.rpt_indicator_breakdown
            group by all
        ),
        whole as (
            select f.*, b.breakdown as broken_by
            from marts.fct_indicator f
            join marts.dim_indicator i using (indicator_id)
            join (select distinct breakdown, subject from marts.dim_breakdown) b
                on b.subject = i.subject
            where coalesce(f.numerator, 0) <> 0 or coalesce(f.denominator, 0) <> 0
        )
        select
            count(*) filter (whole.indicator_id is null or part.indicator_id is null) as alone,
            count(*) filter (
                part.numerator is distinct from whole.numerator
                or part.denominator is distinct from whole.denominator
            ) as different,
            count(*) as compared,
            count(distinct broken_by) as breakdowns
        from whole full join part
            on part.indicator_id = whole.indicator_id and part.place_code = whole.place_code
            and part.quarter = whole.quarter and part.window_name = whole.window_name
            and part.membership_basis = whole.membership_basis
            and part.breakdown = whole.broken_by
        """
    )
    assert compared["alone"] == 0
    assert compared["different"] == 0
    assert compared["breakdowns"] == len(DECLARED.breakdowns) - 1
    assert compared["compared"] > 10_000


def _parts(country: InventedReturns, breakdown: str, indicator: str = "G7") -> dict[str, int]:
    rows = country.query(
        "select breakdown_value, numerator from marts.rpt_indicator_breakdown"
        " where indicator_id = ? and place_code = ?"
        " and quarter = '2020-21-Q1' and window_name = 'quarter' and breakdown = ?"
        " and membership_basis = 'at_the_time'",
        indicator,
        TELFORD if indicator == "G7" else AGENCY,
        breakdown,
    )
    return {row["breakdown_value"]: row["numerator"] for row in rows}


def test_what_is_not_known_is_a_part_of_its_own_and_an_empty_part_is_left_out(country) -> None:
    # Children 0 to 3 of Telford; the quarter ends in June, and they were born each May.
    assert _parts(country, "sex") == {"female": 2, "male": 1, "unknown": 1}
    assert _parts(country, "ethnicity_group") == {
        "white": 1,
        "mixed": 1,
        "not_stated": 1,
        "unknown": 1,
    }
    assert _parts(country, "age_band") == {"under_1": 1, "1": 1, "2": 1, "3": 1}
    assert _parts(country, "sibling_group") == {"single": 2, "sibling_group": 1, "unknown": 1}
    assert _parts(country, "is_disabled") == {"no": 2, "yes": 1, "unknown": 1}
    assert _parts(country, "additional_needs") == {"no": 2, "yes": 1, "unknown": 1}
    # The second is a sibling of mixed ethnicity; of the third much is unknown, but in Wales its
    # needs are known; of the fourth the ethnicity is unknown.
    assert _parts(country, "harder_to_place_england") == {"no": 1, "yes": 1, "unknown": 2}
    assert _parts(country, "harder_to_place_wales") == {"no": 1, "yes": 2, "unknown": 1}
    assert _parts(country, "placement_source") == {
        "in_region": 2,
        "outside_nation": 1,
        "unknown": 1,
    }
    assert _parts(country, "placement_provider") == {"PR1": 2, "unknown": 2}
    assert _parts(country, "early_permanence") == {"none": 2, "concurrent": 1, "unknown": 1}
    assert _parts(country, "adopting_together") == {"no": 2, "yes": 1, "unknown": 1}


def test_adopters_are_broken_down_by_what_is_known_of_the_household(country) -> None:
    approved = "A11"  # approved and waiting for a match, as all four are
    assert _parts(country, "adopters_in_household", approved) == {"unknown": 1, "1": 1, "2": 2}
    assert _parts(country, "is_fast_track", approved) == {"yes": 1, "no": 1, "unknown": 2}
    assert _parts(country, "is_willing_sibling_group", approved) == {"unknown": 4}


def test_the_parts_can_be_read_in_a_file_that_was_renamed_or_attached(country, tmp_path) -> None:
    """A view that named its database would break in both."""
    copy = tmp_path / "handed-out.duckdb"
    shutil.copyfile(country.settings.build / "warehouse.duckdb", copy)
    counting = "select count(*) from {}marts.rpt_indicator_breakdown"
    (expected,) = country.query("select count(*) as parts from marts.fct_indicator_part")
    with duckdb.connect(str(copy), read_only=True) as connection:
        assert connection.execute(counting.format("")).fetchone() == (expected["parts"],)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{copy.as_posix()}' as another (read_only)")
        assert connection.execute(counting.format("another.")).fetchone() == (expected["parts"],)


def test_every_part_has_names_and_the_coverage_of_its_figure(country) -> None:
    (compared,) = country.query(
        """
        select
            count(*) as parts,
            count(*) filter (
                part.title_en <> indicator.title_en or part.breakdown_label_cy is null
                or part.place_name_en is null or part.unit is null
            ) as nameless,
            count(*) filter (
                part.returns_expected <> figure.returns_expected
                or part.returns_accepted <> figure.returns_accepted
                or part.is_complete <> figure.is_complete
                or part.has_break_in_window <> figure.has_break_in_window
                or part.has_break_since_previous <> figure.has_break_since_previous
            ) as resting_on_something_else,
            count(*) filter (part.has_break_in_window) as with_a_break
        from marts.rpt_indicator_breakdown as part
        join marts.fct_indicator as figure
            using (indicator_id, place_code, quarter, window_name, membership_basis)
        join marts.dim_indicator as indicator using (indicator_id)
        """
    )
    (all_of_them,) = country.query("select count(*) as parts from marts.fct_indicator_part")
    assert compared["parts"] == all_of_them["parts"] > 10_000
    assert (compared["nameless"], compared["resting_on_something_else"]) == (0, 0)
    assert compared["with_a_break"] > 0


def test_the_value_of_a_part_divides_its_own_children(country) -> None:
    rows = country.query(
        "select numerator, denominator, value from marts.rpt_indicator_breakdown"
        " where indicator_id = 'ORDER_TO_MATCH'"
        " and place_code = ? and breakdown = 'sex' and breakdown_value = 'female'"
        " and quarter = '2020-21-Q1' and window_name = 'quarter'",
        TELFORD,
    )
    assert rows == [{"numerator": 200, "denominator": 2, "value": 100}]


def test_every_breakdown_is_declared_and_every_declared_one_is_computed(country) -> None:
    for subject in ("child", "adopter"):
        columns = country.query(
            "select column_name from information_schema.columns where table_name = ?"
            " and column_name not in ('sender_code', 'quarter')"
            " and column_name not like '%_pseudonym'",
            f"int_{subject}_breakdown",
            database="work",
        )
        declared = [b.id for b in DECLARED.breakdowns.values() if b.subject == subject]
        assert sorted(row["column_name"] for row in columns) == sorted(declared)
    unknown = country.query(
        "select distinct part_id from marts.fct_indicator_part anti join marts.dim_breakdown"
        " using (part_id)"
    )
    assert unknown == []


# --- windows -------------------------------------------------------------------------------


def test_the_financial_year_stands_with_the_fourth_quarter_and_is_its_year_to_date(country) -> None:
    years = country.query(
        "select quarter, indicator_id, place_code, membership_basis, numerator, denominator, value,"
        " returns_accepted, is_complete from marts.fct_indicator"
        " where window_name = 'financial_year' order by all"
    )
    to_date = country.query(
        "select quarter, indicator_id, place_code, membership_basis, numerator, denominator, value,"
        " returns_accepted, is_complete from marts.fct_indicator"
        " where window_name = 'year_to_date' and quarter like '%Q4' order by all"
    )
    assert years == to_date
    assert {row["quarter"][-2:] for row in years} == {"Q4"}


def test_a_stock_is_that_of_the_last_day_however_long_the_window(country) -> None:
    windows = country.query(
        "select distinct window_name from marts.rpt_indicator_breakdown"
        " join marts.dim_indicator using (indicator_id) where timing = 'stock'"
    )
    assert windows == [{"window_name": "quarter"}]


# --- estimates -----------------------------------------------------------------------------


def _national(country: InventedReturns, quarter: str, window: str, indicator: str = "G7") -> Any:
    (row,) = country.query(
        "select numerator, value, estimate, estimate_method, is_complete from marts.fct_indicator"
        " where indicator_id = ? and place_code = ? and quarter = ? and window_name = ?",
        indicator,
        ENGLAND,
        quarter,
        window,
    )
    return row


def test_a_missing_return_is_estimated_beside_the_value_and_never_in_it(country) -> None:
    sent = EVERYBODY - MATCHED[TELFORD]
    assert _national(country, NOT_SENT[1], "quarter") == {
        "numerator": sent,
        "value": sent,
        "estimate": EVERYBODY,  # Telford's own mean is four
        "estimate_method": "own_mean",
        "is_complete": False,
    }
    year = _national(country, NOT_SENT[1], "rolling_4")
    assert (year["value"], year["estimate"]) == (3 * EVERYBODY + sent, 4 * EVERYBODY)


def test_who_never_sent_a_return_is_estimated_by_the_mean_of_the_nation(country) -> None:
    last = _national(country, LAST.label, "quarter")
    assert last["value"] == EVERYBODY
    assert last["estimate"] == pytest.approx(EVERYBODY + EVERYBODY / len(MATCHED))
    assert last["estimate_method"] == "own_or_nation_mean"


def test_nothing_is_estimated_where_nothing_is_missing(country) -> None:
    complete = _national(country, "2021-22-Q4", "financial_year")
    assert complete["is_complete"]
    assert (complete["estimate"], complete["estimate_method"]) == (None, None)


def test_nothing_is_estimated_before_the_first_return_was_due(country) -> None:
    early = _national(country, "2018-19-Q2", "rolling_4")
    assert not early["is_complete"]
    assert early["estimate"] is None


def test_only_counts_of_nations_are_estimated(country) -> None:
    estimated = country.query(
        "select distinct kind, denominator is null as is_count, is_complete"
        " from marts.fct_indicator join marts.dim_place using (place_code)"
        " where estimate is not null"
    )
    assert estimated == [{"kind": "nation", "is_count": True, "is_complete": False}]
