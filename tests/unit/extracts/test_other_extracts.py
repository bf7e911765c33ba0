"""Annex A, the Standard Safeguarding Dataset and the daily JSON; and whether returns made of an
extract are accepted."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipelines.declarations import Declarations
from pipelines.extracts.conversion import Conversion, convert
from pipelines.extracts.folders import files_of
from pipelines.extracts.sentences import CannotConvert
from pipelines.extracts.written import write_converted
from pipelines.quarters import Quarter
from pipelines.samples.population import population
from pipelines.verdict.check import CheckedFile, check_files
from tests.unit.extracts.extracts_made import (
    BATH,
    LIST_10,
    STORIES,
    day,
    list_10,
    write_csv,
    write_ssd,
    write_ssda903,
)

PUBLIC = Path(__file__).parents[2] / "data" / "extracts"
WARWICKSHIRE = "E10000031"  # in no agency in 2017-18: it owed the return of adopters as well
QUARTER = Quarter(2020, 4)
CHILD_DAYS = ("entered_care_on", "should_be_placed_decision_on", "placement_order_on", "matched_on",
              "placed_on", "adoption_order_on", "plan_ended_on")  # fmt: skip


@pytest.fixture(scope="module")
def sample(declarations: Declarations) -> list[Mapping[str, Any]]:
    """The child return of an English authority with many children, from the sample."""
    people = population(declarations, Quarter(2018, 1), QUARTER)
    owed = [
        sender
        for sender in declarations.senders
        if declarations.nation_of(sender) == "E92000001"
        and declarations.due_from(sender, QUARTER) == ("child",)
    ]
    returns = {sender: people.rows(sender, QUARTER)["child"] for sender in owed}
    largest = max(returns, key=lambda sender: len(returns[sender]))
    rows: list[Mapping[str, Any]] = [dict(row) | {"_sender": largest} for row in returns[largest]]
    assert len(rows) > 15
    return rows


def _checked(folder: Path, conversion: Conversion, declarations: Declarations) -> list[CheckedFile]:
    paths = write_converted(folder, conversion, declarations)
    return check_files(paths, declarations, datetime(2025, 7, 10, tzinfo=UTC))


def _annex_a(folder: Path, rows: list[Mapping[str, Any]]) -> list[Path]:
    return [write_csv(folder / "list 10.csv", LIST_10, list_10(rows))]


def _ssd(folder: Path, rows: list[Mapping[str, Any]]) -> list[Path]:
    return files_of([write_ssd(folder / "ssd", rows)])


@pytest.mark.parametrize("extract", [_annex_a, _ssd], ids=["annex_a", "ssd"])
def test_a_sample_return_cut_to_what_an_extract_holds_is_accepted(
    tmp_path: Path,
    declarations: Declarations,
    sample: list[Mapping[str, Any]],
    extract: Callable[[Path, list[Mapping[str, Any]]], list[Path]],
) -> None:
    # Children who were only referred are on no extract.
    planned = [row for row in sample if row.get("should_be_placed_decision_on")]
    sender = sample[0]["_sender"]
    conversion = convert(extract(tmp_path, planned), declarations, sender, [QUARTER])
    (converted,) = conversion.returns
    made = {row["child_reference"]: row for row in converted.rows["child"]}
    as_sent = {row["child_reference"]: row for row in planned}
    assert made.keys() == {
        name
        for name, row in as_sent.items()
        if not (row.get("plan_ended_on") and row["plan_ended_on"] < QUARTER.first_day)
    }
    for name, row in made.items():
        for field in ("date_of_birth", "sex", "is_disabled", *CHILD_DAYS):
            if field in row or field != "is_disabled":
                assert row.get(field) == as_sent[name].get(field), field
    (file,) = _checked(tmp_path / "made", conversion, declarations)
    assert not file.is_refused
    assert [p for p in file.problems if p["severity"] == "error"] == []
    assert file.submission.made_from == conversion.extract.name
    given = {each.field.name: (each.given, each.expected) for each in converted.completeness}
    assert given["has_additional_needs"] == (0, len(made))
    assert given["entered_care_on"] == (len(made), len(made))


def test_history_of_yearly_files_is_accepted_without_the_returns_it_does_not_hold(
    tmp_path: Path, declarations: Declarations
) -> None:
    folder = write_ssda903(tmp_path / "years", (2022, 2023, 2024), STORIES)
    quarters = [Quarter(2023, number) for number in (1, 3, 4)]  # each with another end of a case
    conversion = convert(files_of([folder]), declarations, BATH, quarters)
    checked = _checked(tmp_path / "made", conversion, declarations)
    assert len(checked) == 3
    for file in checked:
        assert not file.is_refused, file.submission.refusal_sentence_en
        assert [p for p in file.problems if p["severity"] == "error"] == []
        assert file.submission.is_history


# --- Annex A ---------------------------------------------------------------------------------


def test_the_public_sample_of_annex_a_is_converted_row_by_row(declarations: Declarations) -> None:
    folder = PUBLIC / "annex_a_public"
    quarter = Quarter(2014, 3)
    conversion = convert(files_of([folder]), declarations, WARWICKSHIRE, [quarter])
    (converted,) = conversion.returns
    with (folder / "list_10.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    # Of the five only one was adopted as late as that; the others' cases had ended.
    (line,) = [row for row in lines if day(row["Date of Adoption Order"]) >= quarter.first_day]
    (row,) = converted.rows["child"]
    assert row == {
        "child_reference": line["Child Unique ID"],
        "date_of_birth": day(line["Date of Birth"]),
        "sex": "female",
        "ethnicity_group": "asian",
        "is_disabled": "yes",
        "entered_care_on": day(line["Date the Child Entered Care"]),
        "should_be_placed_decision_on": day(line[LIST_10[8]]),
        "placement_order_on": day(line["Date of Placement Order"]),
        "authority_to_place": "placement_order",
        "matched_on": day(line[LIST_10[10]]),
        "placed_on": day(line["Date Placed for Adoption"]),
        "adoption_order_on": day(line["Date of Adoption Order"]),
        "plan_ended_on": day(line[LIST_10[13]]),
        "plan_ended_reason": "RD2",
    } | ({"adopter_household_reference": "4836911", "adopter_agency_code": WARWICKSHIRE}
         if "adopter" in converted.rows else {})  # fmt: skip


def _adopter(number: int, family: str, **days: str) -> dict[str, str]:
    return {
        "Individual adopter identifier": f"P{number}",
        "Family identifier": family,
        "Date enquiry received": "01/02/2019",
        "Date application approved": "10/11/2019",
    } | days


def _lists(folder: Path, adopters: list[dict[str, str]]) -> list[Path]:
    """A workbook as authorities keep it, with both lists and another."""
    book = openpyxl.Workbook()
    sheets = {
        "List 10": [LIST_10, ("7", "F1", "b) Female", "a) WBRI", date(2018, 5, 1), 2, "b) No",
                              date(2018, 6, 1), date(2018, 12, 1), date(2019, 2, 1),
                              date(2020, 2, 1), date(2020, 3, 1))],
        "List 11": [
            ("Individual adopter identifier", "Family identifier", "Gender",
             "Date enquiry received", "Date application approved",
             "Date of leaving adoption process", "Reason for leaving adoption process"),
            *(
                [
                    a.get(name)
                    for name in (
                        "Individual adopter identifier", "Family identifier", "Gender",
                        "Date enquiry received", "Date application approved",
                        "Date of leaving adoption process", "Reason for leaving adoption process",
                    )
                ]
                for a in adopters
            ),
        ],
        "List 1": [("Child Unique ID", "Date of Contact")],
    }  # fmt: skip
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    path = folder / "annex a.xlsx"
    book.save(path)
    return [path]


@pytest.fixture(scope="module")
def alone(declarations: Declarations) -> str:
    """An English authority that owes the return of adopters itself."""
    return next(
        sender
        for sender in declarations.senders
        if declarations.nation_of(sender) == "E92000001"
        and "adopter" in declarations.due_from(sender, Quarter(2019, 4))
        and "child" in declarations.due_from(sender, Quarter(2019, 4))
    )


def test_two_adopters_of_a_family_are_one_household_and_the_child_is_theirs(
    tmp_path: Path, declarations: Declarations, alone: str
) -> None:
    adopters = [_adopter(1, "F1"), _adopter(2, "F1"), _adopter(3, "")]
    left = {"Date of leaving adoption process": "05/02/2020",
            "Reason for leaving adoption process": "1 - Adopter withdrew from process"}  # fmt: skip
    adopters.append(_adopter(4, "F4", **left))
    conversion = convert(_lists(tmp_path, adopters), declarations, alone, [Quarter(2019, 4)])
    (converted,) = conversion.returns
    households = {row["household_reference"]: row for row in converted.rows["adopter"]}
    assert households.keys() == {"F1", "P3", "F4"}
    assert [h["adopters_in_household"] for h in households.values()] == ["2", "1", "1"]
    assert households["F1"]["approved_on"] == date(2019, 11, 10)
    assert (households["F4"]["left_on"], households["F4"]["left_reason"]) == (
        date(2020, 2, 5),
        "withdrew",
    )
    (child,) = converted.rows["child"]
    assert (child["adopter_household_reference"], child["adopter_agency_code"]) == ("F1", alone)
    assert any("List 1" in note.text("en") for note in conversion.notes)


@pytest.mark.parametrize(
    ("adopters", "said"),
    [
        (
            [_adopter(1, "F1"), _adopter(2, "F1", **{"Date enquiry received": "02/02/2019"})],
            "List 11: rows 2, 3 are two adopters of one family with different dates",
        ),
        ([_adopter(n, "F1") for n in range(3)], "rows 2, 3, 4 share their Family identifier"),
        (
            [_adopter(1, "F1", **{"Reason for leaving adoption process": "moved to Mars"})],
            "Reason for leaving adoption process has a code that Annex A",
        ),
    ],
)
def test_what_adopters_rows_contradict_is_one_sentence(
    tmp_path: Path,
    declarations: Declarations,
    alone: str,
    adopters: list[dict[str, str]],
    said: str,
) -> None:
    with pytest.raises(CannotConvert) as error:
        convert(_lists(tmp_path, adopters), declarations, alone, [Quarter(2019, 4)])
    (line,) = error.value.text("en").splitlines()
    assert said in line and "Mars" not in line


def test_a_list_of_another_year_is_not_converted(
    tmp_path: Path, declarations: Declarations, alone: str
) -> None:
    files = _lists(tmp_path, [_adopter(1, "F1")])
    with pytest.raises(CannotConvert, match="more than half a year before 2021-22-Q1"):
        convert(files, declarations, alone, [Quarter(2021, 1)])
    with pytest.raises(CannotConvert, match="made more than 12 months after 2018-19-Q1"):
        convert(files, declarations, alone, [Quarter(2018, 1)])
    with pytest.raises(CannotConvert, match="which quarter"):
        convert(files, declarations, alone)


# --- Standard Safeguarding Dataset -----------------------------------------------------------

_PERSON = {"pers_person_id": "9", "pers_sex": "F", "pers_ethnicity": "WBRI"}
_PLAN = {"perm_person_id": "9", "perm_adm_decision_date": "2024-05-01 00:00:00",
         "perm_placed_for_adoption_date": "2024-06-01"}  # fmt: skip
_SSD = {
    "ssd_person": ("pers_person_id", "pers_sex", "pers_ethnicity", "pers_dob"),
    "ssd_permanence": ("perm_person_id", "perm_adm_decision_date",
                       "perm_placed_for_adoption_date", "perm_placed_foster_carer_date",
                       "perm_permanence_order_date", "perm_permanence_order_type"),
    "ssd_cla_episodes": ("clae_person_id", "clae_entered_care_date"),
}  # fmt: skip


def _tables(folder: Path, **rows: list[dict[str, str]]) -> list[Path]:
    given = {
        "ssd_person": [_PERSON | {"pers_dob": "2020-01-02"}],
        "ssd_permanence": [_PLAN],
        "ssd_cla_episodes": [{"clae_person_id": "9", "clae_entered_care_date": "2023-02-03"}],
    } | rows
    return [write_csv(folder / f"{n}.csv", _SSD[n], given[n]) for n in _SSD]


def test_a_placeholder_is_nothing_and_another_order_ends_the_plan(
    tmp_path: Path, declarations: Declarations
) -> None:
    plan = _PLAN | {
        "perm_placed_foster_carer_date": "1900-01-01",
        "perm_permanence_order_date": "2024-08-05",
        "perm_permanence_order_type": "Special Guardianship Order",
    }
    files = _tables(tmp_path, ssd_permanence=[plan])
    (converted,) = convert(files, declarations, BATH, [Quarter(2024, 2)]).returns
    assert converted.rows["child"] == [
        {
            "child_reference": "9",
            "date_of_birth": date(2020, 1, 2),
            "sex": "female",
            "ethnicity_group": "white",
            "entered_care_on": date(2023, 2, 3),
            "should_be_placed_decision_on": date(2024, 5, 1),
            "placed_on": date(2024, 6, 1),
            "plan_ended_on": date(2024, 8, 5),
        }
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            {"ssd_person": [_PERSON | {"pers_dob": d} for d in ("2020-01-02", "2019-01-02")]},
            "rows 2, 3 have one pers_person_id and two dates of birth",
        ),
        ({"ssd_person": []}, "rows 2 are about children whom ssd_person does not have"),
        ({"ssd_permanence": [_PLAN, _PLAN]}, "rows 2, 3 are about one perm_person_id twice"),
        (
            {"ssd_permanence": [_PLAN | {"perm_permanence_order_type": "Wardship"}]},
            "perm_permanence_order_type has a code",
        ),
    ],
)
def test_what_the_dataset_contradicts_is_said(
    tmp_path: Path, declarations: Declarations, rows: dict[str, list[dict[str, str]]], said: str
) -> None:
    with pytest.raises(CannotConvert) as error:
        convert(_tables(tmp_path, **rows), declarations, BATH, [Quarter(2024, 1)])
    assert any(said in line for line in error.value.text("en").splitlines())


def test_files_of_two_extracts_are_not_mixed(tmp_path: Path, declarations: Declarations) -> None:
    files = [*_tables(tmp_path), *_annex_a(tmp_path, [])]
    with pytest.raises(CannotConvert, match="more than one extract"):
        convert(files, declarations, BATH, [Quarter(2024, 1)])


# --- daily JSON --------------------------------------------------------------------------------


def _json(path: Path, content: object) -> list[Path]:
    path.write_text(json.dumps(content), encoding="utf-8")
    return [path]


@pytest.fixture
def record() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((PUBLIC / "csc_api_public.json").read_text())
    return content


def test_the_public_sample_record_is_converted(declarations: Declarations) -> None:
    files = [PUBLIC / "csc_api_public.json"]
    (converted,) = convert(files, declarations, BATH, [Quarter(2022, 1)]).returns
    assert converted.rows["child"] == [
        {
            "child_reference": "Child1234",
            "date_of_birth": date(2022, 6, 14),
            "sex": "male",
            "ethnicity_group": "white",
            "is_disabled": "yes",
            "entered_care_on": date(2022, 6, 14),
            "should_be_placed_decision_on": date(2022, 6, 14),
            "matched_on": date(2022, 6, 14),
            "placed_on": date(2022, 6, 14),
            "early_permanence": "none",
            # The record leaves care on its one day, for another reason than adoption.
            "plan_ended_on": date(2022, 6, 14),
        }
    ]


def test_placements_say_how_care_ended(
    tmp_path: Path, declarations: Declarations, record: dict[str, Any]
) -> None:
    episode = record["social_care_episodes"][0]
    first = {"start_date": "2022-06-14", "start_reason": "S", "placement_type": "U5",
             "end_date": "2022-09-01", "end_reason": "X1"}  # fmt: skip
    second = {"start_date": "2022-09-01", "start_reason": "T", "placement_type": "A6",
              "end_date": "2023-02-02", "end_reason": "E12"}  # fmt: skip
    episode["child_looked_after_placements"] = [first, second, second | {"purge": True}]
    episode["adoption"]["placed_date"] = None
    files = _json(tmp_path / "day.json", {"la_code": 800, "Children": [record]})
    (converted,) = convert(files, declarations, BATH, [Quarter(2022, 4)]).returns
    (row,) = converted.rows["child"]
    assert row["placed_on"] == date(2022, 9, 1)
    assert row["adoption_order_on"] == date(2023, 2, 2)
    assert row["early_permanence_placed_on"] == date(2022, 6, 14)
    assert "plan_ended_on" not in row and "disrupted_on" not in row


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("no json {", "is not JSON, or is damaged"),
        ("[" * 100_000, "is not JSON, or is damaged"),
        ('{"a": 1}', "has no record of a child"),
        ('[{"la_child_id": "1"}]', "hold no date at all"),
    ],
)
def test_json_that_is_something_else_is_said_to_be(
    tmp_path: Path, declarations: Declarations, content: str, said: str
) -> None:
    path = tmp_path / "day.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CannotConvert, match=said):
        convert([path], declarations, BATH, [Quarter(2022, 1)])


def test_another_authoritys_json_is_not_converted(
    tmp_path: Path, declarations: Declarations, record: dict[str, Any]
) -> None:
    files = _json(tmp_path / "day.json", {"la_code": 801, "Children": record})
    with pytest.raises(CannotConvert, match=r"of another authority \(code 801\)"):
        convert(files, declarations, BATH, [Quarter(2022, 1)])
