"""Seven services find their own figures in the sample warehouse.

Public figures that the sample is made to equal are named with their source; everything else in it
is synthetic and is tested for how it hangs together, not for its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.warehouse.published import open_warehouse
from tests.conftest import Sample

WALES, ENGLAND = "W92000004", "E92000001"
REGIONS = ("NWAS", "AMWW", "WBAS", "VVC", "SEWAS")
VOLUNTARY = ("ST_DAVIDS", "BARNARDOS_CYMRU")
ADOPTION_WEST = {
    *("E06000022", "E06000023", "E06000024", "E06000025", "E06000054", "E10000013"),
}
KNOWSLEY, LIVERPOOL, SEFTON, WIRRAL = "E08000011", "E08000012", "E08000014", "E08000015"
HEREFORDSHIRE, WORCESTERSHIRE = "E06000019", "E10000034"
SHROPSHIRE, TELFORD = "E06000051", "E06000020"
LAST = "2020-21-Q4"

Figures = Callable[..., tuple[Any, ...]]


@pytest.fixture(scope="module")
def warehouse(sample: Sample) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(sample.settings) as connection:
        connection.execute(
            f"attach '{sample.settings.restricted.as_posix()}' as restricted (read_only)"
        )
        yield connection


@pytest.fixture
def figure(warehouse: duckdb.DuckDBPyConnection) -> Figures:
    def find(
        indicator: str,
        place: str,
        quarter: str = LAST,
        window: str = "rolling_4",
        basis: str = "at_the_time",
    ) -> tuple[Any, ...]:
        """numerator, denominator, value as shown, whether complete; of nothing: Nones."""
        row = warehouse.execute(
            "select numerator, denominator, value_rounded, is_complete from marts.fct_indicator"
            " where indicator_id = ? and place_code = ? and quarter = ? and window_name = ?"
            " and membership_basis = ? and breakdown = 'total'",
            [indicator, place, quarter, window, basis],
        ).fetchone()
        return row or (None, None, None, None)

    return find


@pytest.fixture
def parts(warehouse: duckdb.DuckDBPyConnection) -> Callable[..., dict[str, tuple[Any, ...]]]:
    def find(
        indicator: str, place: str, breakdown: str, quarter: str = LAST, window: str = "rolling_12"
    ) -> dict[str, tuple[Any, ...]]:
        """Part → numerator, denominator, value."""
        rows = warehouse.execute(
            "select breakdown_value, numerator, denominator, value"
            " from marts.rpt_indicator_breakdown"
            " where indicator_id = ? and place_code = ? and breakdown = ? and quarter = ?"
            " and window_name = ? and membership_basis = 'at_the_time'",
            [indicator, place, breakdown, quarter, window],
        ).fetchall()
        return {name: tuple(numbers) for name, *numbers in rows}

    return find


@pytest.fixture
def senders(warehouse: duckdb.DuckDBPyConnection) -> Callable[..., set[str]]:
    def find(place: str, quarter: str, basis: str = "at_the_time") -> set[str]:
        return {
            code
            for (code,) in warehouse.execute(
                "select sender_code from marts.dim_place_sender"
                " where place_code = ? and quarter = ? and membership_basis = ?",
                [place, quarter, basis],
            ).fetchall()
        }

    return find


def ask(sample: Sample, monkeypatch: pytest.MonkeyPatch, *question: str) -> tuple[int, str]:
    monkeypatch.setenv("ADOPTION_DATA", str(sample.settings.data))
    monkeypatch.setenv("COLUMNS", "80")
    result = CliRunner().invoke(main, ["explain", *question])
    return result.exit_code, " ".join(result.output.split())


# --- 1. The National Adoption Service for Wales --------------------------------------------------


@pytest.mark.parametrize("indicator", ["W01", "W05", "W06", "W07", "W12", "W26"])
def test_children_of_wales_are_those_of_its_five_regions(figure, indicator: str) -> None:
    wales = figure(indicator, WALES, window="rolling_12")[0]
    assert wales == sum(figure(indicator, region, window="rolling_12")[0] for region in REGIONS) > 0


def test_all_22_authorities_stand_in_the_figures_of_wales(figure, senders) -> None:
    authorities = {code for code in senders(WALES, LAST) if code.startswith("W06")}
    assert len(authorities) == 22
    placed = [figure("W06", code, window="rolling_12")[0] for code in authorities]
    assert sum(placed) == figure("W06", WALES, window="rolling_12")[0]


def test_adopters_of_wales_are_those_of_regions_and_voluntary_agencies(figure) -> None:
    agencies = sum(figure("W16", code, window="rolling_12")[0] for code in REGIONS + VOLUNTARY)
    assert figure("W16", WALES, window="rolling_12")[0] == agencies > 0


def test_the_two_public_benchmarks_of_wales_stand_beside_its_waits(warehouse, figure) -> None:
    rows = warehouse.execute(
        "select indicator_id, benchmark, benchmark_met, value_rounded from marts.fct_indicator"
        " where place_code = ? and quarter = ? and window_name = 'rolling_4'"
        " and breakdown = 'total' and indicator_id in ('W08', 'W09') order by 1",
        [WALES, LAST],
    ).fetchall()
    assert [row[:2] for row in rows] == [("W08", 13), ("W09", 6)]
    for _, benchmark, met, value in rows:
        assert met == ("met" if value <= benchmark else "not met")


def test_the_service_asks_for_its_figures_by_the_name_of_wales(sample, monkeypatch) -> None:
    code, said = ask(sample, monkeypatch, "W06", "NAS", LAST)
    assert (code, "ask for its nation, Wales (W92000004)" in said) == (2, True)
    code, said = ask(sample, monkeypatch, "W06", "Cymru", LAST, "--window", "rolling_4")
    assert (code, "the returns add up to this figure" in said) == (0, True)


# --- 2. Vale, Valleys and Cardiff ----------------------------------------------------------------


def test_vvc_reads_98_matched_and_79_of_them_after_more_than_six_months(figure) -> None:
    """Vale of Glamorgan Cabinet, 12 April 2021, Adopting Together Service."""
    year = ("VVC", "2019-20-Q4", "financial_year")
    assert figure("W05", *year)[0] == 98
    assert figure("W11A_PERCENT", *year) == (79, 98, 80.6, True)


def test_vvc_reads_where_its_children_were_placed(figure) -> None:
    """65, 9 and 26 per cent in 2018-19: democracy.merthyr.gov.uk mgAi ID=38026."""
    year = ("VVC", "2018-19-Q4", "financial_year")
    names = ("W13_IN_REGION", "W13_IN_WALES", "W13_OUTSIDE_WALES", "W13_UNKNOWN")
    shares = [figure(name, *year) for name in names]
    assert [round(share[2]) for share in shares] == [65, 9, 26, 0]
    assert sum(share[0] for share in shares) == shares[0][1]


def test_vvc_reads_its_life_journey_work(figure) -> None:
    """44 and 60 per cent: rctcbc.moderngov.co.uk ieDecisionDetails ID=331."""
    assert round(figure("W22", "VVC", "2018-19-Q4", "financial_year")[2]) == 44
    assert round(figure("W22", "VVC", "2019-20-Q4", "financial_year")[2]) == 60


def test_vvc_sees_each_of_its_four_authorities_in_its_figure(figure, senders) -> None:
    four = {"W06000014", "W06000015", "W06000016", "W06000024"}
    assert senders("VVC", LAST) == four | {"VVC"}
    assert sum(figure("W05", code)[0] for code in four) == figure("W05", "VVC")[0]


def test_vvc_explains_the_79_of_98_by_name_and_in_welsh(sample, monkeypatch) -> None:
    name = "Cydweithrediad Mabwysiadu'r Fro, y Cymoedd a Chaerdydd"
    question = ("W11A_PERCENT", name, "2019-20-Q4", "--window", "year_to_date")
    code, said = ask(sample, monkeypatch, *question, "--language", "cy", "--children")
    assert code == 0
    assert "80.6% = 79 o 98 plentyn" in said
    assert "mae'r ffurflenni, a'r 98 plentyn a restrir isod, yn adio i'r ffigur hwn" in said


# --- 3. Adopting Together ------------------------------------------------------------------------

THREE_YEARS = {"window": "rolling_12"}


def test_adopting_together_reads_referred_and_placed(figure) -> None:
    """More than 30 and eight: Vale of Glamorgan Cabinet, 12 April 2021."""
    assert figure("AT_REFERRED", "VVC", **THREE_YEARS)[0] > 30
    assert figure("AT_PLACED", "VVC", **THREE_YEARS)[0] == 8


def test_adopting_together_reads_matches_that_are_not_placements_yet(figure, parts) -> None:
    for quarter in ("2018-19-Q4", "2019-20-Q4", LAST):
        matched = parts("W05", "VVC", "adopting_together", quarter)
        placed = figure("AT_PLACED", "VVC", quarter, **THREE_YEARS)[0]
        assert matched["yes"][0] >= placed > 0
        whole = figure("W05", "VVC", quarter, **THREE_YEARS)[0]
        assert sum(numbers[0] for numbers in matched.values()) == whole


@pytest.mark.parametrize("indicator", ["W08", "W09", "ORDER_TO_MATCH"])
def test_adopting_together_reads_how_long_its_children_waited(
    figure, parts, indicator: str
) -> None:
    found = parts(indicator, "VVC", "adopting_together")
    days, children, value = found["yes"]
    assert children == 8
    assert value > 0
    assert days + found["no"][0] == figure(indicator, "VVC", **THREE_YEARS)[0]


def test_support_through_adopting_together_is_not_computed(
    warehouse, sample: Sample, declarations: Declarations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Support is counted on the support returns of regions, which do not say who gave it, and the
    service sends no return: three years of its support are in no figure. Neither are the waits of
    children who were referred to it and for whom another family, or none, was found."""
    due = {row.return_name for row in declarations.returns_due if row.sender_code in VOLUNTARY}
    assert due == {"adopter"}
    broken_down = warehouse.execute(
        "select distinct indicator.subject from marts.rpt_indicator_breakdown"
        " join marts.dim_indicator as indicator using (indicator_id)"
        " where breakdown = 'adopting_together' or indicator.subject = 'support'"
    ).fetchall()
    assert broken_down == [("child",)]
    code, said = ask(sample, monkeypatch, "AT_PLACED", "Adopting Together Service", LAST)
    assert (code, "has no figures of its own" in said) == (2, True)


# --- 4. Adoption West ----------------------------------------------------------------------------


def test_adoption_west_begins_with_the_quarter_it_was_founded_in(figure, senders) -> None:
    assert senders("ADOPTION_WEST", "2018-19-Q3") == set()
    assert senders("ADOPTION_WEST", "2018-19-Q4") == ADOPTION_WEST
    assert figure("G8", "ADOPTION_WEST", "2018-19-Q3", "quarter") == (None, None, None, None)
    first = figure("G8", "ADOPTION_WEST", "2018-19-Q4", "financial_year")
    assert (first[0], first[3]) == (
        figure("G8", "ADOPTION_WEST", "2018-19-Q4", "quarter")[0],
        False,
    )


def test_adoption_west_reads_the_year_before_it_by_todays_membership(figure) -> None:
    year = ("2018-19-Q4", "financial_year")
    today = figure("G8", "ADOPTION_WEST", *year, basis="today")
    six = [figure("G8", code, *year)[0] for code in sorted(ADOPTION_WEST)]
    assert (today[0], today[3]) == (sum(six), True)


def test_adopters_of_its_authorities_become_adopters_of_adoption_west_once(warehouse) -> None:
    """Until March 2019 the authorities return their adopters, from April the agency does."""
    rows = warehouse.execute(
        "select quarter, list_sort(list(sender_code)) from marts.fct_return"
        " where return_name = 'adopter' and is_due"
        " and sender_code in (select sender_code from marts.dim_place_sender"
        " where place_code = 'ADOPTION_WEST' and membership_basis = 'today') group by quarter"
    ).fetchall()
    by_quarter = dict(rows)
    assert set(by_quarter["2018-19-Q4"]) == ADOPTION_WEST
    assert by_quarter["2019-20-Q1"] == ["ADOPTION_WEST"]


# --- 5. Adoption in Merseyside -------------------------------------------------------------------

FOUR = (KNOWSLEY, LIVERPOOL, SEFTON, WIRRAL)


def test_four_case_systems_make_one_agency(sample: Sample, figure, senders) -> None:
    """The four write their case numbers in four ways; no row is lost on the way to the agency."""
    raw = pl.read_parquet(sample.settings.raw / "child" / "*" / "*.parquet")
    shapes = {
        code: set(
            raw.filter(pl.col("sender_code") == code)["child_reference"]
            .drop_nulls()
            .str.replace_all(r"\d+", "9")
            .to_list()
        )
        for code in FOUR
    }
    assert len(set.union(*shapes.values())) == 4
    assert senders("AIM", LAST) == {*FOUR, "AIM"}
    for indicator in ("G1", "G2", "G7", "G8", "G9"):
        whole = figure(indicator, "AIM", window="rolling_12")
        assert whole[0] == sum(figure(indicator, code, window="rolling_12")[0] for code in FOUR) > 0
        assert whole[3] is True


@pytest.mark.parametrize("indicator", ["A1", "A2", "A10"])
def test_the_management_board_reads_the_national_scorecard(figure, indicator: str) -> None:
    """Days over children of the four together, never a mean of four means."""
    whole = figure(indicator, "AIM", window="rolling_12")
    parts = [figure(indicator, code, window="rolling_12") for code in FOUR]
    assert whole[0] == sum(part[0] for part in parts)
    assert whole[1] == sum(part[1] for part in parts) > 0
    assert whole[2] == int(whole[0] / whole[1] + 0.5)
    assert len({part[2] for part in parts}) > 1


def test_the_management_board_sees_every_quarterly_headline(warehouse) -> None:
    asked = warehouse.execute(
        "select indicator_id from marts.dim_indicator where indicator_id similar to 'G[1-9]'"
    ).fetchall()
    found = warehouse.execute(
        "select distinct indicator_id from marts.fct_indicator where place_code = 'AIM'"
        " and quarter = ? and value is not null",
        [LAST],
    ).fetchall()
    assert len(asked) == 9
    assert set(asked) <= set(found)


# --- 6. West Mercia ------------------------------------------------------------------------------


def test_west_mercia_shrinks_as_its_authorities_join_agencies(senders) -> None:
    three = {HEREFORDSHIRE, SHROPSHIRE, TELFORD}
    assert senders("WEST_MERCIA", "2018-19-Q1") == three  # Worcestershire left on 31 January 2018
    assert senders("WEST_MERCIA", "2020-21-Q1") == three
    assert senders("WEST_MERCIA", "2020-21-Q2") == {HEREFORDSHIRE}
    assert senders("WEST_MERCIA", "2018-19-Q1", "today") == {HEREFORDSHIRE}


def test_shropshire_and_telford_go_from_the_partnership_to_together4children(senders) -> None:
    assert not {SHROPSHIRE, TELFORD} & senders("TOGETHER4CHILDREN", "2020-21-Q1")
    assert {SHROPSHIRE, TELFORD} <= senders("TOGETHER4CHILDREN", "2020-21-Q2")
    assert WORCESTERSHIRE in senders("ACE", "2018-19-Q1")


def test_a_year_across_the_change_adds_each_quarter_where_it_belonged(figure) -> None:
    """2020-21: one quarter of three authorities and three of Herefordshire alone."""
    quarters = [f"2020-21-Q{number}" for number in (1, 2, 3, 4)]
    parts = [figure("G8", "WEST_MERCIA", quarter, "quarter")[0] for quarter in quarters]
    three = [
        figure("G8", c, quarters[0], "quarter")[0] for c in (HEREFORDSHIRE, SHROPSHIRE, TELFORD)
    ]
    alone = [figure("G8", HEREFORDSHIRE, quarter, "quarter")[0] for quarter in quarters[1:]]
    assert parts == [sum(three), *alone]
    assert figure("G8", "WEST_MERCIA", LAST, "financial_year")[0] == sum(parts)


def test_the_partnership_has_no_adopter_return_of_its_own(warehouse, figure) -> None:
    """Its functions were hosted in phases; recruiting stayed with the authorities, who return
    their adopters until their agency does."""
    due = warehouse.execute(
        "select sender_code, max(quarter) from marts.fct_return"
        " where return_name = 'adopter' and is_due and sender_code in (?, ?, ?, ?, ?)"
        " group by sender_code order by sender_code",
        ["WEST_MERCIA", HEREFORDSHIRE, SHROPSHIRE, TELFORD, WORCESTERSHIRE],
    ).fetchall()
    assert dict(due) == {HEREFORDSHIRE: LAST, TELFORD: "2020-21-Q2", SHROPSHIRE: "2020-21-Q2"}
    before = [
        figure("A11", c, "2020-21-Q1", "quarter")[0] for c in (HEREFORDSHIRE, SHROPSHIRE, TELFORD)
    ]
    assert figure("A11", "WEST_MERCIA", "2020-21-Q1", "quarter")[0] == sum(before)


def test_herefordshire_is_never_in_two_bodies_and_joins_the_agency_in_2023(
    declarations: Declarations,
) -> None:
    def bodies(quarter: Quarter) -> list[str]:
        day = quarter.last_day
        return [
            row.parent_code
            for row in declarations.memberships
            if row.member_code == HEREFORDSHIRE
            and row.role == "member"
            and (row.since is None or row.since <= day)
            and (row.until is None or day <= row.until)
        ]

    assert bodies(Quarter(2018, 1)) == ["WEST_MERCIA"]
    assert bodies(Quarter(2023, 2)) == ["WEST_MERCIA"]
    assert bodies(Quarter(2023, 3)) == ["ACE"]


def test_nobody_counts_twice_in_england_for_belonging_to_a_partnership(figure, senders) -> None:
    authorities = {code for code in senders(ENGLAND, "2019-20-Q2") if code.startswith("E0")}
    authorities |= {code for code in senders(ENGLAND, "2019-20-Q2") if code.startswith("E1")}
    year = ("2019-20-Q2", "quarter")
    placed = [figure("G8", code, *year)[0] for code in authorities]
    assert figure("G8", ENGLAND, *year)[0] == sum(placed)


# --- 7. Voluntary agencies -----------------------------------------------------------------------


def test_a_voluntary_agencys_adopters_count_with_it_and_once_in_its_nation(senders) -> None:
    for region in REGIONS:
        assert not set(VOLUNTARY) & senders(region, LAST)
    assert set(VOLUNTARY) <= senders(WALES, LAST)
    for agency in VOLUNTARY:
        assert senders(agency, LAST) == {agency}


def test_no_household_is_approved_twice(warehouse) -> None:
    approved, households = warehouse.execute(
        "select sum(amount), count(distinct household_pseudonym)"
        " from restricted.marts.fct_adopter_measure where measure = 'households_approved'"
    ).fetchone()
    assert approved == households > 500


@pytest.fixture(scope="module")
def interagency(sample: Sample) -> pl.DataFrame:
    """Accepted rows of children placed with a household of a voluntary agency."""
    rows = pl.read_parquet(sample.settings.validated / "child" / "*" / "*.parquet")
    return rows.filter(
        pl.col("adopter_agency_code").is_in(VOLUNTARY),
        pl.col("row_status") == "accepted",
        pl.col("placed_on").is_not_null(),
    )


def test_a_child_placed_with_a_voluntary_agencys_family_counts_at_its_authority_alone(
    warehouse, interagency: pl.DataFrame
) -> None:
    placed = warehouse.execute(
        "select child_pseudonym, sender_code, quarter from restricted.marts.fct_child_measure"
        " where measure = 'children_placed'"
    ).pl()
    assert not set(VOLUNTARY) & set(placed["sender_code"])
    children = interagency.select("child_pseudonym", "sender_code").unique()
    theirs = placed.join(children, on="child_pseudonym", how="inner", suffix="_of_child")
    assert theirs["child_pseudonym"].n_unique() > 30
    assert theirs.filter(pl.col("sender_code") != pl.col("sender_code_of_child")).is_empty()
    # Nobody is placed twice in one quarter, by an authority and an agency or by two authorities.
    assert theirs.select("child_pseudonym", "quarter").is_duplicated().sum() == 0


def test_the_household_of_an_interagency_placement_counts_at_its_agency_alone(
    sample: Sample, interagency: pl.DataFrame
) -> None:
    adopters = pl.read_parquet(sample.settings.validated / "adopter" / "*" / "*.parquet")
    who_reports = adopters.select("household_pseudonym", reported_by="sender_code").unique()
    families = interagency.select(
        "adopter_agency_code", household_pseudonym="adopter_household_pseudonym"
    ).unique()
    found = families.join(who_reports, on="household_pseudonym", how="left")
    assert found.height == families.height > 30
    assert found.filter(pl.col("reported_by") != pl.col("adopter_agency_code")).is_empty()
    assert found["reported_by"].null_count() == 0


def test_placements_with_voluntary_agencies_are_a_share_of_placements_and_add_none(
    figure, parts
) -> None:
    for indicator, nation in (("W06", WALES), ("G8", ENGLAND)):
        by_provider = parts(indicator, nation, "placement_provider")
        whole = figure(indicator, nation, window="rolling_12")[0]
        assert sum(numbers[0] for numbers in by_provider.values()) == whole
        assert len(by_provider) > 1


def test_a_voluntary_agency_has_its_own_wait_beside_the_benchmark(sample, monkeypatch) -> None:
    question = ("W17", "St David's Children Society", LAST, "--window", "rolling_12")
    code, said = ask(sample, monkeypatch, *question, "--children")
    assert code == 0
    assert "Benchmark 8 months" in said
    assert "households listed below, add up to this figure" in said
