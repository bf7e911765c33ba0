"""Who counts where: members that came and went, hosts that moved, families found elsewhere.

In the small country of ``country.py``. Every test reads figures of the warehouse.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from pipelines.quarters import Quarter, quarters_between
from tests.warehouse.conftest import WALES, InventedReturns
from tests.warehouse.country import (
    AFTER,
    AGENCY,
    BEFORE,
    CORNWALL,
    DECLARED,
    DEVON,
    HEREFORDSHIRE,
    MATCHED,
    SHROPSHIRE,
    TELFORD,
    WORCESTERSHIRE,
)


def _figure(
    country: InventedReturns,
    indicator: str,
    place: str,
    quarter: str,
    window: str = "quarter",
    basis: str = "at_the_time",
) -> dict[str, Any] | None:
    rows = country.query(
        "select * from marts.fct_indicator where indicator_id = ? and place_code = ?"
        " and quarter = ? and window_name = ? and membership_basis = ?",
        *(indicator, place, quarter, window, basis),
    )
    assert len(rows) <= 1
    return rows[0] if rows else None


def _known(
    country: InventedReturns,
    indicator: str,
    place: str,
    quarter: str,
    window: str = "quarter",
    basis: str = "at_the_time",
) -> dict[str, Any]:
    """A figure that has to be there."""
    figure = _figure(country, indicator, place, quarter, window, basis)
    assert figure is not None, (indicator, place, quarter)
    return figure


def _matched(
    country: InventedReturns, place: str, quarter: str, basis: str, window: str = "quarter"
) -> int | None:
    figure = _figure(country, "G7", place, quarter, window, basis)
    return figure["numerator"] if figure else None


# --- membership ----------------------------------------------------------------------------


def test_west_mercia_loses_its_members_when_they_join_other_agencies(country) -> None:
    for quarter, members in (
        ("2020-21-Q1", HEREFORDSHIRE + " " + SHROPSHIRE + " " + TELFORD),
        ("2020-21-Q2", HEREFORDSHIRE),  # Together4Children began two days before its end
        ("2023-24-Q2", HEREFORDSHIRE),  # a member to the last day
    ):
        expected = sum(MATCHED[code] for code in members.split())
        assert _matched(country, "WEST_MERCIA", quarter, "at_the_time") == expected, quarter
    assert _matched(country, "WEST_MERCIA", "2023-24-Q3", "at_the_time") is None
    assert _matched(country, "WEST_MERCIA", "2020-21-Q1", "today") is None


def test_who_joined_is_counted_from_then_on_or_by_todays_membership_always(country) -> None:
    joined = MATCHED[SHROPSHIRE] + MATCHED[TELFORD]
    assert _matched(country, "TOGETHER4CHILDREN", "2020-21-Q1", "at_the_time") is None
    assert _matched(country, "TOGETHER4CHILDREN", "2020-21-Q1", "today") == joined
    for basis in ("at_the_time", "today"):
        assert _matched(country, "TOGETHER4CHILDREN", "2020-21-Q2", basis) == joined
    at_first = MATCHED[WORCESTERSHIRE]
    assert _matched(country, "ACE", "2023-24-Q2", "at_the_time") == at_first
    assert _matched(country, "ACE", "2023-24-Q2", "today") == at_first + MATCHED[HEREFORDSHIRE]
    assert (
        _matched(country, "ACE", "2023-24-Q3", "at_the_time") == at_first + MATCHED[HEREFORDSHIRE]
    )


def test_cornwall_is_in_its_agency_from_april_2024_and_today_ever_since_the_beginning(
    country,
) -> None:
    alone, both = MATCHED[DEVON], MATCHED[DEVON] + MATCHED[CORNWALL]
    assert _matched(country, AGENCY, "2018-19-Q3", "at_the_time") == alone
    assert _matched(country, AGENCY, "2023-24-Q4", "at_the_time") == alone
    assert _matched(country, AGENCY, "2024-25-Q1", "at_the_time") == both
    assert _matched(country, AGENCY, "2018-19-Q3", "today") == both


def test_a_window_over_a_change_sums_each_quarter_by_its_own_membership(country) -> None:
    joined = MATCHED[SHROPSHIRE] + MATCHED[TELFORD]
    year = ("2020-21-Q4", "at_the_time", "rolling_4")
    assert _matched(country, "TOGETHER4CHILDREN", *year) == 3 * joined
    assert _matched(country, "TOGETHER4CHILDREN", "2020-21-Q4", "today", "rolling_4") == 4 * joined
    # Three years from 2021-22-Q2: ten quarters of the partnership of three, two of one member.
    expected = 7 * (MATCHED[HEREFORDSHIRE] + joined) + 5 * MATCHED[HEREFORDSHIRE]
    assert _matched(country, "WEST_MERCIA", "2021-22-Q2", "at_the_time", "rolling_12") == expected


def test_only_regions_and_agencies_have_a_series_by_todays_membership(country) -> None:
    kinds = country.query(
        "select distinct kind from marts.fct_indicator join marts.dim_place using (place_code)"
        " where membership_basis = 'today'"
    )
    assert {row["kind"] for row in kinds} == {"region", "regional_agency"}


def test_both_bases_cover_the_returns_of_their_own_members(country) -> None:
    rows = country.query(
        "select membership_basis, returns_expected from marts.fct_indicator"
        " where indicator_id = 'G7' and place_code = ? and quarter = '2023-24-Q4'"
        " and window_name = 'quarter'",
        AGENCY,
    )
    assert {row["membership_basis"]: row["returns_expected"] for row in rows} == {
        "at_the_time": 1,
        "today": 2,
    }


# --- roles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("quarter", [BEFORE, AFTER])
def test_hosting_overseeing_and_finding_families_count_nobody_a_second_time(
    country, quarter: str
) -> None:
    """HOST is member, host and commissioner of the east; the agency is member and provider of a
    service that the east oversees."""
    for place, placed in (("HOST", 2), ("PARTNER", 1), ("EAST", 3), ("WEST", 1), (WALES, 4)):
        assert _known(country, "W06", place, quarter)["numerator"] == placed, place
    assert _figure(country, "W06", "SERVICE", quarter) is None
    senders = country.query(
        "select place_code, sender_code from marts.dim_place_sender where quarter = ?"
        " and membership_basis = 'at_the_time' and place_code in ('EAST', 'SERVICE')",
        quarter,
    )
    assert sorted(tuple(row.values()) for row in senders) == [
        ("EAST", "EAST"),
        ("EAST", "HOST"),
        ("EAST", "PARTNER"),
    ]


def test_a_host_that_moved_changes_codes_and_no_figure(country) -> None:
    """The same region is own provision for its host's child and another authority's for its
    partner's, so the two change sides while the region places as many as before."""
    own = {
        (place, quarter): {
            row["breakdown_value"]: row["numerator"]
            for row in country.query(
                "select breakdown_value, numerator from marts.rpt_indicator_breakdown"
                " where indicator_id = 'W06' and breakdown = 'placement_provider'"
                " and window_name = 'quarter' and membership_basis = 'at_the_time'"
                " and place_code = ? and quarter = ?",
                *(place, quarter),
            )
        }
        for place in ("HOST", "PARTNER", "EAST")
        for quarter in (BEFORE, AFTER)
    }
    assert own["HOST", BEFORE] == {"PR1": 1, "PR2": 1}
    assert own["HOST", AFTER] == {"PR2": 2}
    assert (own["PARTNER", BEFORE], own["PARTNER", AFTER]) == ({"PR2": 1}, {"PR1": 1})
    assert own["EAST", BEFORE] == own["EAST", AFTER] == {"PR1": 1, "PR2": 2}
    for quarter in (BEFORE, AFTER):
        in_region = _known(country, "W13_IN_REGION", "EAST", quarter)
        assert (in_region["numerator"], in_region["denominator"]) == (2, 3)
    roles = country.query(
        "select member_code, since, until from marts.dim_membership"
        " where parent_code = 'EAST' and role = 'host' order by since nulls first"
    )
    assert [row["member_code"] for row in roles] == ["HOST", "PARTNER"]
    assert (roles[1]["since"] - roles[0]["until"]).days == 1


# --- families found elsewhere ------------------------------------------------------------------


@pytest.mark.parametrize("quarter", [BEFORE, AFTER])
def test_an_interagency_placement_counts_its_child_and_its_family_once_each(
    country, quarter: str
) -> None:
    """HOST's second child lives with a family that the west approved."""
    children = {place: _known(country, "W06", place, quarter) for place in ("EAST", "WEST", WALES)}
    families = {place: _known(country, "W16", place, quarter) for place in ("EAST", "WEST", WALES)}
    assert {place: figure["numerator"] for place, figure in children.items()} == {
        "EAST": 3,
        "WEST": 1,
        WALES: 4,
    }
    assert {place: figure["numerator"] for place, figure in families.items()} == {
        "EAST": 2,
        "WEST": 1,
        WALES: 4,
    }
    cases = country.query(
        "select sum(amount) as placed, count(distinct child_pseudonym) as children,"
        " count(*) filter (sender_code in ('EAST', 'WEST', 'VOLUNTARY')) as at_agencies"
        " from marts.fct_child_measure where measure = 'children_placed' and quarter = ?"
        " and sender_code in ('HOST', 'PARTNER', 'ALONE', 'EAST', 'WEST', 'VOLUNTARY')",
        quarter,
        database="restricted",
    )
    assert cases == [{"placed": 4, "children": 4, "at_agencies": 0}]


@pytest.mark.parametrize("quarter", [BEFORE, AFTER])
def test_a_voluntary_agencys_adopters_count_with_it_and_in_the_nation_and_nowhere_else(
    country, quarter: str
) -> None:
    places = country.query(
        "select place_code from marts.dim_place_sender where sender_code = 'VOLUNTARY'"
        " and quarter = ?",
        quarter,
    )
    assert sorted(row["place_code"] for row in places) == ["VOLUNTARY", WALES]
    approved = [_known(country, "W16", code, quarter) for code in ("EAST", "WEST", "VOLUNTARY")]
    assert [figure["numerator"] for figure in approved] == [2, 1, 1]
    assert _known(country, "W16", WALES, quarter)["numerator"] == 4
    # The child that lives with them is the authority's alone.
    assert _figure(country, "W06", "VOLUNTARY", quarter) is None
    assert _known(country, "W06", "ALONE", quarter)["numerator"] == 1


def test_adopters_that_an_authority_sends_beside_its_region_are_in_no_figure(country) -> None:
    sent = country.query(
        "select is_due, status from marts.fct_return"
        " where return_name = 'adopter' and sender_code in ('HOST', 'PARTNER')"
    )
    assert len(sent) == 4
    assert {(row["is_due"], row["status"]) for row in sent} == {(False, "accepted")}
    assert _figure(country, "W16", "HOST", BEFORE) is None
    assert _known(country, "W16", "EAST", BEFORE)["returns_expected"] == 1


# --- breaks in series --------------------------------------------------------------------------


def _breaks(country: InventedReturns, place: str, quarter: str, basis: str) -> dict[str, bool]:
    rows = country.query(
        "select break_id, is_in_window from marts.fct_indicator_break where indicator_id = 'G7'"
        " and place_code = ? and quarter = ? and window_name = 'rolling_4'"
        " and membership_basis = ?",
        *(place, quarter, basis),
    )
    return {row["break_id"]: row["is_in_window"] for row in rows}


def test_members_that_join_flag_the_agency_and_not_its_series_of_today(country) -> None:
    joined = {"CORNWALL_2024": True}
    assert _breaks(country, AGENCY, "2024-25-Q1", "at_the_time") == joined
    assert _breaks(country, AGENCY, "2024-25-Q1", "today") == {}
    assert _breaks(country, AGENCY, "2023-24-Q4", "at_the_time") == {}
    flagged = _known(country, "G7", AGENCY, "2024-25-Q1", "rolling_4")
    assert (flagged["has_break_in_window"], flagged["has_break_since_previous"]) == (True, True)
    today = _known(country, "G7", AGENCY, "2024-25-Q1", "rolling_4", "today")
    assert (today["has_break_in_window"], today["has_break_since_previous"]) == (False, False)


def test_a_membership_that_moved_flags_the_body_left_and_the_body_joined(country) -> None:
    for place in ("WEST_MERCIA", "ACE"):
        for quarter, is_in_window in (("2023-24-Q3", True), ("2023-24-Q4", True)):
            found = _breaks(country, place, quarter, "at_the_time")
            # West Mercia has lost its last member: there is nothing left to flag.
            expected = {} if place == "WEST_MERCIA" else {"HEREFORDSHIRE_2023": is_in_window}
            assert found == expected, (place, quarter)
    left = {quarter: _breaks(country, "WEST_MERCIA", quarter, "at_the_time") for quarter in (
        "2020-21-Q1", "2020-21-Q2", "2021-22-Q1", "2021-22-Q4", "2022-23-Q1"
    )}  # fmt: skip
    assert left == {
        "2020-21-Q1": {},
        "2020-21-Q2": {"WEST_MERCIA_2020": True},
        "2021-22-Q1": {"WEST_MERCIA_2020": False},  # four whole quarters without them
        "2021-22-Q4": {"WEST_MERCIA_2020": False},  # the year before still had them at first
        "2022-23-Q1": {},
    }
    assert _breaks(country, HEREFORDSHIRE, "2023-24-Q4", "at_the_time") == {}


def test_a_figure_compared_across_a_change_of_members_gets_no_verdict(country) -> None:
    words = country.query(
        "select indicator_id, quarter, previous_value, compared_with_previous"
        " from marts.rpt_comparison where place_code = ? and window_name = 'rolling_4'"
        " and quarter >= '2023-24-Q1' and compared_with_previous is not null",
        AGENCY,
    )
    last = [row for row in words if row["quarter"] == "2024-25-Q1"]
    assert {row["compared_with_previous"] for row in last} == {"break in series"}
    assert all(row["previous_value"] is not None for row in last)
    earlier = {row["compared_with_previous"] for row in words if row not in last}
    assert earlier == {"no different"}


def test_every_change_of_members_since_the_collection_began_is_declared_as_a_break() -> None:
    """Figures at the time would otherwise move without a word."""
    places, groups = DECLARED.places, ("region", "regional_agency", "partnership")

    def members(body: str, quarter: Quarter) -> frozenset[str]:
        day = quarter.last_day
        return frozenset(
            # One authority under two codes is one member.
            {"E10000027": "E06000066"}.get(row.member_code, row.member_code)
            for row in DECLARED.memberships
            if (row.parent_code, row.role) == (body, "member")
            and (row.since is None or row.since <= day)
            and (row.until is None or day <= row.until)
        )

    known = list(quarters_between(Quarter(2018, 1), Quarter(2026, 4)))
    changed = {
        (body, after)
        for body, place in places.items()
        if place.kind in groups
        for before, after in pairwise(known)
        if members(body, before) != members(body, after)
    }
    declared = {
        (body, row.since)
        for row in DECLARED.breaks_in_series
        if row.kind == "membership"
        for body in row.place_codes
    }
    assert changed == declared
    assert len(changed) > 5
