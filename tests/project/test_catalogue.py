"""The catalogue as it stands: nothing that services report is forgotten."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from pipelines.declarations import Declarations, Indicator
from pipelines.quarters import Quarter, quarters_between
from pipelines.settings import SOURCES

DECLARED = Declarations(SOURCES)  # reads nothing until asked
GROUPS = ("region", "regional_agency", "partnership")

# Every measure that Welsh and English services are known to report, by the number under which the
# public sources were collected. W11 is the family of waits over six months.
KNOWN = [
    *(f"W{number:02d}" for number in range(1, 29)),
    *(f"A{number}" for number in (1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 16, 20)),
    *(f"G{number}" for number in range(1, 24)),
]

# The sources and the providers of placements: shares that add up to 100.
MIXES = (
    ("W13_IN_REGION", "W13_IN_WALES", "W13_OUTSIDE_WALES", "W13_UNKNOWN"),
    ("G13_OWN", "G13_OTHER_AUTHORITY", "G13_VOLUNTARY", "G13_OTHER", "G13_UNKNOWN"),
)


@pytest.fixture(scope="module")
def indicators() -> dict[str, Indicator]:
    return DECLARED.indicators


@pytest.mark.parametrize("known", KNOWN)
def test_every_measure_that_services_report_is_computed_or_says_why_not(known: str) -> None:
    listed = [*DECLARED.indicators, *DECLARED.not_computed]
    families = [name for name in listed if name == known or name.startswith(f"{known}_")]
    families += [name for name in listed if known == "W11" and name.startswith("W11")]
    assert families


def test_what_is_not_computed_names_its_source_or_says_that_none_was_found() -> None:
    for row in DECLARED.not_computed.values():
        assert row.source or "was found in public" in row.reason_en, row.indicator_id
        assert row.status != "published", row.indicator_id


def test_every_definition_was_reviewed_on_a_day_that_has_been(indicators) -> None:
    reviewed = [row.reviewed_on for row in (*indicators.values(), *DECLARED.not_computed.values())]
    assert min(reviewed) > date(2026, 1, 1)


def test_a_figure_with_a_clock_names_both_ends(indicators) -> None:
    for indicator in indicators.values():
        assert (indicator.clock_start is None) == (indicator.clock_stop is None), indicator.id
        if indicator.unit in ("months", "days"):
            assert indicator.clock_start, indicator.id


def test_a_clock_runs_between_fields_of_the_return(indicators) -> None:
    for indicator in indicators.values():
        fields = {field.name for field in DECLARED.returns[indicator.subject].fields}
        for end in filter(None, (indicator.clock_start, indicator.clock_stop)):
            assert set(end.split(" or ")) <= fields, indicator.id


def test_an_example_gives_fields_of_the_return_and_nothing_else(indicators) -> None:
    for indicator in indicators.values():
        fields = DECLARED.returns[indicator.subject].fields
        known = {field.validated_name for field in fields} | {field.name for field in fields}
        for row in indicator.example.rows:
            assert set(row) <= known, indicator.id


@pytest.mark.parametrize("parts", MIXES, ids=lambda parts: parts[0])
def test_the_shares_of_a_mix_are_of_one_whole_and_add_up_to_it(indicators, parts) -> None:
    shares = [indicators[name] for name in parts]
    assert {share.denominator for share in shares} == {"children_placed"}
    assert sum(share.example.value or 0 for share in shares) == pytest.approx(100, abs=0.001)


def test_the_counts_of_family_finding_cover_its_whole_list(indicators) -> None:
    codes = {code.code for code in DECLARED.code_lists["family_finding_status"]}
    parts = {name for name in indicators if name.startswith("G15_")}
    assert parts == {f"G15_{code.upper()}" for code in codes | {"unknown"}}


@pytest.mark.parametrize("name", ["indicators_not_computed.csv", "breaks_in_series.csv"])
def test_no_cell_of_the_lists_has_spaces_around_it_or_two_lines(name: str) -> None:
    with (SOURCES / name).open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            for column, cell in row.items():
                assert cell == " ".join(cell.split()), f"{name}: {column}"


# --- breaks in series ----------------------------------------------------------------------


def _members(group: str, quarter: Quarter) -> set[str]:
    """Who counts with the group in the quarter, by the membership of its last day."""
    return {
        row.member_code
        for row in DECLARED.memberships
        if row.parent_code == group
        and row.role == "member"
        and (row.since is None or row.since <= quarter.last_day)
        and (row.until is None or quarter.last_day <= row.until)
    }


def _has_only_another_code(member: str, quarter: Quarter) -> bool:
    """The place itself began or ended with the quarter: the same authority under another code."""
    place = DECLARED.places[member]
    began = place.since is not None and place.since == quarter.first_day
    return began or (place.until is not None and place.until == quarter.plus(-1).last_day)


def _changes_of_membership() -> set[tuple[str, Quarter]]:
    groups = [code for code, place in DECLARED.places.items() if place.kind in GROUPS]
    return {
        (group, quarter)
        for quarter in quarters_between(Quarter(2018, 2), Quarter(2026, 4))
        for group in groups
        for moved in [_members(group, quarter) ^ _members(group, quarter.plus(-1))]
        if any(not _has_only_another_code(member, quarter) for member in moved)
    }


def test_every_change_of_membership_is_declared_as_a_break_and_no_other() -> None:
    declared = {
        (place, row.since)
        for row in DECLARED.breaks_in_series
        if row.kind == "membership"
        for place in row.place_codes
    }
    assert declared == _changes_of_membership()


def test_what_is_uncertain_about_a_change_of_membership_is_uncertain_about_its_break() -> None:
    for row in DECLARED.breaks_in_series:
        if row.kind != "membership":
            continue
        changed = {
            membership.status
            for membership in DECLARED.memberships
            if membership.parent_code in row.place_codes and membership.role == "member"
            for day in (membership.since, membership.until)
            if day and row.since.plus(-1).last_day <= day <= row.since.last_day
        }
        assert changed, row.break_id
        assert (row.status == "unverified") == ("unverified" in changed), row.break_id


def test_a_new_code_is_a_break_at_the_place_that_has_it() -> None:
    (somerset,) = (row for row in DECLARED.breaks_in_series if row.break_id == "SOMERSET_2023")
    (code,) = somerset.place_codes
    assert DECLARED.places[code].since == somerset.since.first_day


def test_a1_breaks_where_a10_takes_its_place() -> None:
    breaks = {row.indicator_ids: row.since for row in DECLARED.breaks_in_series}
    assert (breaks[("A10",)], breaks[("A1",)]) == (Quarter(2020, 3), Quarter(2021, 1))


def test_stages_have_a_benchmark_in_wales_only_since_there_are_stages(indicators) -> None:
    (stages,) = (row for row in DECLARED.breaks_in_series if row.break_id == "WALES_STAGES_2020")
    for name in ("W18", "W19"):
        assert name in stages.indicator_ids
        assert {benchmark.since for benchmark in indicators[name].benchmarks} == {stages.since}
