"""Yearly files of looked-after children, as returns of each quarter."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.declarations import Declarations
from pipelines.extracts.conversion import Conversion, convert
from pipelines.extracts.folders import files_of
from pipelines.extracts.sentences import CannotConvert
from pipelines.quarters import Quarter
from tests.unit.extracts.extracts_made import (
    BATH,
    EPISODES,
    HEADER,
    STORIES,
    day,
    write_csv,
    write_ssda903,
)
from tests.warehouse import twin

PUBLIC = Path(__file__).parents[2] / "data" / "extracts" / "ssda903_public"
YEARS = (2022, 2023, 2024)
Files = Callable[..., Path]


@pytest.fixture(scope="module")
def three_years(tmp_path_factory: pytest.TempPathFactory, declarations: Declarations) -> Conversion:
    folder = write_ssda903(tmp_path_factory.mktemp("years"), YEARS, STORIES)
    return convert(files_of([folder]), declarations, BATH)


def _rows(conversion: Conversion, label: str) -> dict[str, dict[str, Any]]:
    (found,) = [each for each in conversion.returns if each.quarter.label == label]
    return {row["child_reference"]: row for row in found.rows["child"]}


@pytest.mark.parametrize(
    ("label", "child", "expected"),
    [
        (
            "2023-24-Q3",
            "A",
            {
                "date_of_birth": day("11/03/2022"),
                "sex": "female",
                "ethnicity_group": "white",
                "entered_care_on": day("01/05/2022"),
                "should_be_placed_decision_on": day("05/12/2022"),
                "authority_to_place": "placement_order",
                "placement_order_on": day("10/01/2023"),
                "matched_on": day("01/03/2023"),
                "placed_on": day("20/03/2023"),
                "adoption_order_on": day("15/12/2023"),
                "early_permanence": "none",
                "is_foster_carer_adoption": "no",
                "placement_provider": "PR1",
            },
        ),
        (
            "2022-23-Q4",  # before the adoption, and what is known of it only later
            "A",
            {
                "date_of_birth": day("11/03/2022"),
                "sex": "female",
                "ethnicity_group": "white",
                "entered_care_on": day("01/05/2022"),
                "should_be_placed_decision_on": day("05/12/2022"),
                "authority_to_place": "placement_order",
                "placement_order_on": day("10/01/2023"),
                "matched_on": day("01/03/2023"),
                "placed_on": day("20/03/2023"),
                "early_permanence": "none",
                "is_foster_carer_adoption": "no",
                "placement_provider": "PR1",
            },
        ),
        (
            "2023-24-Q4",
            "B",
            {
                "date_of_birth": day("02/02/2022"),
                "sex": "male",
                "ethnicity_group": "mixed",
                "entered_care_on": day("10/06/2022"),
                "should_be_placed_decision_on": day("15/01/2023"),
                "authority_to_place": "placement_order",
                "placement_order_on": day("01/02/2023"),
                "matched_on": day("20/06/2023"),
                "placed_on": day("01/07/2023"),
                "adoption_order_on": day("20/02/2024"),
                "early_permanence": "none",
                "is_foster_carer_adoption": "yes",
                "foster_placement_started_on": day("10/06/2022"),
                "placement_provider": "PR1",
            },
        ),
        (
            "2023-24-Q4",
            "C",
            {
                "date_of_birth": day("20/03/2023"),
                "sex": "female",
                "ethnicity_group": "asian",
                "entered_care_on": day("03/04/2023"),
                "should_be_placed_decision_on": day("01/08/2023"),
                "authority_to_place": "placement_order",
                "placement_order_on": day("04/09/2023"),
                "placed_on": day("04/09/2023"),
                "early_permanence": "unknown",
                "early_permanence_placed_on": day("03/04/2023"),
                "is_foster_carer_adoption": "no",
                "placement_provider": "PR1",
            },
        ),
        (
            "2023-24-Q3",
            "D",
            {
                "date_of_birth": day("14/11/2020"),
                "sex": "male",
                "ethnicity_group": "unknown",
                "entered_care_on": day("01/07/2022"),
                "should_be_placed_decision_on": day("01/02/2023"),
                "authority_to_place": "placement_order",
                "placement_order_on": day("15/02/2023"),
                "placed_on": day("01/06/2023"),
                "disrupted_on": day("01/10/2023"),
                "early_permanence": "none",
                "is_foster_carer_adoption": "no",
                "placement_provider": "PR1",
            },
        ),
        (
            "2023-24-Q3",
            "E",
            {
                "date_of_birth": day("09/09/2019"),
                "sex": "female",
                "ethnicity_group": "black",
                "entered_care_on": day("02/08/2022"),
                "should_be_placed_decision_on": day("10/03/2023"),
                "plan_ended_on": day("12/11/2023"),
                "plan_ended_reason": "RD3",
                "early_permanence": "none",
            },
        ),
        (
            "2023-24-Q1",
            "F",
            {
                "date_of_birth": day("30/06/2021"),
                "sex": "male",
                "ethnicity_group": "white",
                "entered_care_on": day("05/09/2022"),
                "should_be_placed_decision_on": day("20/03/2023"),
                "authority_to_place": "placement_order",
                "placement_order_on": day("01/04/2023"),
                "plan_ended_on": day("30/06/2023"),
                "early_permanence": "none",
            },
        ),
        (
            "2024-25-Q1",
            "G",
            {
                "date_of_birth": day("01/01/2024"),
                "sex": "female",
                "ethnicity_group": "asian",
                "entered_care_on": day("01/02/2024"),
                "should_be_placed_decision_on": day("01/05/2024"),
                "authority_to_place": "consent",
                "placed_on": day("10/06/2024"),
                "early_permanence": "none",
                "is_foster_carer_adoption": "no",
                "placement_provider": "PR1",
            },
        ),
        (
            "2022-23-Q2",
            "I",
            {
                "date_of_birth": day("01/02/2020"),
                "sex": "female",
                "ethnicity_group": "white",
                "should_be_placed_decision_on": day("01/09/2021"),
                "authority_to_place": "placement_order",
                "matched_on": day("10/04/2022"),
                "placed_on": day("05/05/2022"),
                "adoption_order_on": day("01/09/2022"),
                "is_foster_carer_adoption": "no",
                "placement_provider": "PR1",
            },
        ),
    ],
)
def test_a_child_is_reported_as_it_stood_at_the_end_of_the_quarter(
    three_years: Conversion, label: str, child: str, expected: dict[str, Any]
) -> None:
    assert _rows(three_years, label)[child] == {"child_reference": child} | expected


def test_a_child_is_on_the_returns_from_the_plan_to_its_end(three_years: Conversion) -> None:
    on = {
        child: [
            r.quarter.label
            for r in three_years.returns
            if child in _rows(three_years, r.quarter.label)
        ]
        for child in STORIES
    }
    assert (on["A"][0], on["A"][-1]) == ("2022-23-Q3", "2023-24-Q3")
    assert (on["E"][0], on["E"][-1]) == ("2022-23-Q4", "2023-24-Q3")
    assert (on["F"][0], on["F"][-1]) == ("2022-23-Q4", "2023-24-Q1")
    assert on["I"] == ["2022-23-Q1", "2022-23-Q2"]
    assert (on["D"][0], on["D"][-1]) == ("2022-23-Q4", "2024-25-Q4")
    assert on["H"] == []


def test_three_years_are_history_for_the_figures_of_adopted_children(
    three_years: Conversion,
) -> None:
    def summed(measure: str) -> int:
        return sum(
            twin.amount("child", measure, each.rows["child"], each.quarter)
            for each in three_years.returns
        )

    assert three_years.is_history
    assert len(three_years.returns) == 12
    a_waited = (day("20/03/2023") - day("01/05/2022")).days
    b_waited = (day("01/07/2023") - day("10/06/2022")).days
    assert summed("children_adopted") == 3
    # A1 and A3; of I nobody knows when care began.
    assert summed("children_adopted_after_placement") == 2
    assert summed("days_from_entering_care_to_placement_of_adopted") == a_waited + b_waited
    assert summed("children_adopted_placed_under_fourteen_months") == 2
    # A10: the foster carers had B from the first day.
    assert summed("days_from_entering_care_to_moving_in_of_adopted") == a_waited
    assert summed("children_adopted_after_moving_in") == 2
    # A2; of I nobody knows the day of the order.
    a_matched = (day("01/03/2023") - day("10/01/2023")).days
    b_matched = (day("20/06/2023") - day("01/02/2023")).days
    assert summed("children_adopted_with_placement_order") == 2
    assert summed("days_from_placement_order_to_match_of_adopted") == a_matched + b_matched


def _by_hand(child: str, quarter: Quarter) -> dict[str, date]:
    """The days of one child of the public files, read day by day in plain Python."""
    with (PUBLIC / "episodes.csv").open(encoding="utf-8") as file:
        mine = [row for row in csv.DictReader(file) if row["CHILD"] == child]
    last = quarter.last_day
    found: dict[str, date] = {}
    inside = None
    for row in sorted(mine, key=lambda row: day(row["DECOM"])):
        began = day(row["DECOM"])
        if began > last:
            break
        if row["RNE"] == "S":
            found = {"entered_care_on": began}
            inside = None
        adoptive = row["PLACE"] in ("A3", "A4", "A5", "A6")
        moved = row["RNE"] in ("S", "P", "B")
        if inside and (moved or not adoptive):
            found["disrupted_on"] = began
            inside = None
        if adoptive and inside is None:
            inside = row
            found.pop("placed_on", None)
            if row["RNE"] != "L":
                found["placed_on"] = began
        if row["DEC"] and day(row["DEC"]) <= last and row["REC"] in ("E11", "E12"):
            found["adoption_order_on"] = day(row["DEC"])
    return found


def test_public_fake_files_are_converted_as_an_independent_reading_has_them(
    tmp_path: Path, declarations: Declarations
) -> None:
    folder = shutil.copytree(PUBLIC, tmp_path / "public")
    decisions = folder / "placed_for_adoption.csv"
    # The public files have XXX for every reason, which is no code of the return.
    decisions.write_text(decisions.read_text().replace("XXX", "RD4"))
    conversion = convert(files_of([folder]), declarations, BATH)
    compared = 0
    names = ("entered_care_on", "placed_on", "disrupted_on", "adoption_order_on")
    for converted in conversion.returns:
        for row in converted.rows["child"]:
            by_hand = _by_hand(row["child_reference"], converted.quarter)
            if not by_hand:  # only a decision is known of the child
                continue
            assert {n: row[n] for n in names if n in row} == by_hand, row["child_reference"]
            compared += 1
    assert compared >= 60
    with (PUBLIC / "header.csv").open(encoding="utf-8") as file:
        people = {row["CHILD"]: row for row in csv.DictReader(file)}
    for row in conversion.returns[0].rows["child"]:
        person = people[row["child_reference"]]
        assert row["date_of_birth"] == day(person["DOB"])
        assert row["sex"] == {"1": "male", "2": "female"}[person["SEX"]]


def test_a_code_that_the_return_does_not_have_stops_everything(declarations: Declarations) -> None:
    with pytest.raises(CannotConvert) as error:
        convert(files_of([PUBLIC]), declarations, BATH)
    (line,) = error.value.text("en").splitlines()
    assert "placed_for_adoption.csv: REASON_PLACED_CEASED" in line
    assert "rows 2, 3, 4" in line and "XXX" not in line


def _broken(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / "2024" / f"{name}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "quarters", "said"),
    [
        (lambda f: (f / "2024" / "header.csv").unlink(), [], None),
        (
            lambda f: [p.unlink() for p in f.rglob("ad1.csv")],
            [],
            "The file or list ad1 is missing, without which SSDA903",
        ),
        (
            lambda f: shutil.rmtree(f / "2024"),
            [],
            "The files of 2023-24 are missing between those of 2022-23–2024-25",
        ),
        (lambda f: None, [Quarter(2025, 1)], "and 2025-26-Q1 is not in it"),
        (
            lambda f: _broken(f, "header", "11/03/2022", "12/03/2022"),
            [],
            "header.csv: rows 2 have one CHILD and two dates of birth",
        ),
        (
            lambda f: _broken(f, "episodes", "A,20/03/2023,P", "A,01/05/2022,P"),
            [],
            None,
        ),
        (
            lambda f: _broken(f, "episodes", "20/03/2023,P,E1,N1,A6", "20/03/2023,P,E1,N1,A9"),
            [],
            "episodes.csv: PLACE has a code that SSDA903",
        ),
        (
            lambda f: _broken(f, "episodes", "20/03/2023", "2003/2023"),
            [],
            "episodes.csv: DECOM is not a date that can be read in rows 2",
        ),
        (
            lambda f: _broken(f, "placed_adoption", "C,", "X,"),
            [],
            "placed_adoption.csv: rows 4 are about children whom header does not have",
        ),
        (
            lambda f: shutil.copy(f / "2024" / "episodes.csv", f / "2024" / "again.csv"),
            [],
            "There are two files of episodes of 2023-24",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_and_nothing_is_converted(
    tmp_path: Path,
    declarations: Declarations,
    damage: Callable[[Path], object],
    quarters: list[Quarter],
    said: str | None,
) -> None:
    folder = write_ssda903(tmp_path, YEARS, STORIES)
    damage(folder)
    if said is None:  # what another year's file says as well is no mistake
        assert convert(files_of([folder]), declarations, BATH, quarters).returns
        return
    with pytest.raises(CannotConvert) as error:
        convert(files_of([folder]), declarations, BATH, quarters)
    lines = error.value.text("en").splitlines()
    assert [line for line in lines if said in line], lines
    assert len(lines) == len(error.value.text("cy").splitlines()) <= 2
    assert "WBRI" not in error.value.text("en")


def test_an_extract_of_another_collection_is_said_to_be_none(
    tmp_path: Path, declarations: Declarations
) -> None:
    path = write_csv(tmp_path / "cin.csv", ("LAchildID", "CINreferralDate"), [{"LAchildID": "1"}])
    with pytest.raises(CannotConvert, match="none of the extracts that can be converted"):
        convert([path], declarations, BATH, [Quarter(2024, 1)])


def test_a_welsh_sender_has_no_such_extract(tmp_path: Path, declarations: Declarations) -> None:
    folder = write_ssda903(tmp_path, YEARS, STORIES)
    with pytest.raises(CannotConvert, match="not of the nation of this sender"):
        convert(files_of([folder]), declarations, "W06000015")


def test_one_year_alone_does_not_know_when_care_began_before_it(
    tmp_path: Path, declarations: Declarations
) -> None:
    folder = write_ssda903(tmp_path, [2023], STORIES)
    conversion = convert(files_of([folder]), declarations, BATH)
    rows = _rows(conversion, "2023-24-Q1")
    assert "entered_care_on" not in rows["A"]
    assert "placement_order_on" not in rows["A"], "the order is older than the file"
    assert rows["A"]["authority_to_place"] == "placement_order"
    assert rows["A"]["placed_on"] == day("20/03/2023"), "the episode went on, with its first day"
    assert "early_permanence" not in rows["A"]
    assert _rows(conversion, "2023-24-Q2")["C"]["entered_care_on"] == day("03/04/2023")


def test_headings_may_stand_below_a_title_and_in_another_order(
    tmp_path: Path, declarations: Declarations
) -> None:
    folder = write_ssda903(tmp_path, [2023], STORIES)
    path = folder / "2024" / "episodes.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    write_csv(path, tuple(reversed(EPISODES)), rows)
    path.write_text("Episodes of 2023-24\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert HEADER[0] == "CHILD"
    assert _rows(convert(files_of([folder]), declarations, BATH), "2023-24-Q2")["C"]
