"""Every rule a declaration implies has a row it fails and a near miss it passes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from expectations import suite
from expectations.fields import Check, checks_in_force
from expectations.rules import RULES
from pipelines.declarations import Declarations, ReturnField
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES

Typed = Callable[..., pl.DataFrame]
RETURNS = ("child", "adopter", "support")


def _twins(
    code: str, field: ReturnField, quarter: Quarter, earliest: int
) -> tuple[list[Any], list[Any]]:
    """Rows that fail the rule, rows that pass it; each a submission of its own."""
    name, limits = field.name, field.constraints
    garbled = {name: None, f"readable__{name}": False}
    match code:
        case "REQUIRED" | "BLANK":
            blank: list[Any] = [{name: None}]
            if field.type == "string" and not field.code_list:
                return [*blank, {name: "  "}], [{name: "x"}]
            return blank, [garbled]
        case "CODE":
            return [garbled, {name: "no such code"}], [{name: None}]
        case "DATE" | "NUMBER":
            return [garbled], [{name: None}]
        case "EARLY":
            return [{name: date(earliest - 1, 12, 31)}], [{name: date(earliest, 1, 1)}]
        case "FUTURE":
            day = quarter.last_day
            return [{name: day + timedelta(days=1)}], [{name: day}]
        case "LENGTH":
            longest = "x" * (limits.maxLength or 0)
            return [{name: longest + "x"}], [{name: longest}]
        case "RANGE":
            low, high = limits.minimum, limits.maximum
            assert low is not None and high is not None
            return [{name: low - 1}, {name: high + 1}], [{name: low}, {name: high}]
        case "UNIQUE":
            return [[{name: "a1"}, {name: "A1 "}]], [[{name: "a1"}, {name: "a2"}]]
    raise AssertionError(f"no twins for {code}")


def _derived_checks(return_name: str, quarter: Quarter, declarations: Declarations) -> list[Check]:
    crossing = {rule.code for rule in RULES[return_name]}
    checks, _ = checks_in_force(return_name, quarter, declarations)
    return [check for check in checks if check.code not in crossing]


@pytest.mark.parametrize("return_name", RETURNS)
def test_a_field_rule_finds_the_cell_that_breaks_it_and_leaves_its_near_miss(
    return_name: str, typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    declared = declarations.returns[return_name]
    earliest = declarations.rule_limit("earliest_year", quarter).value
    submissions: dict[str, list[Any]] = {}
    expected: dict[str, tuple[str, str, int]] = {}
    for check in _derived_checks(return_name, quarter, declarations):
        field = declared.field(check.fields[0])
        failing, passing = _twins(check.code, field, quarter, int(earliest))
        for verdict, changes in (("fails", failing), ("passes", passing)):
            for number, change in enumerate(changes):
                rows = change if isinstance(change, list) else [change]
                submission = f"{check.column} {verdict} {number}"
                submissions[submission] = rows
                expected[submission] = (
                    check.code,
                    field.name,
                    len(rows) if verdict == "fails" else 0,
                )
    frame = typed(return_name, submissions)
    result = suite.validate_quarter(return_name, frame, quarter, declarations)
    assert not result.crashes
    found = {
        (submission, code, field): count
        for submission, code, field, count in result.problems.group_by(
            "submission_id", "code", "field"
        )
        .len()
        .rows()
    }
    wrong = {
        submission: found.get((submission, code, field), 0)
        for submission, (code, field, count) in expected.items()
        if found.get((submission, code, field), 0) != count
    }
    assert wrong == {}


@pytest.mark.parametrize("return_name", RETURNS)
def test_every_constraint_of_every_field_has_its_rule(
    return_name: str, declarations: Declarations, quarter: Quarter
) -> None:
    have = {
        (check.code, check.fields[0])
        for check in _derived_checks(return_name, quarter, declarations)
    }
    want = set()
    for field in declarations.returns[return_name].fields:
        limits = field.constraints
        want |= {("REQUIRED", field.name)} if limits.required or limits.required_in else set()
        want |= {("BLANK", field.name)} if limits.queried_if_blank else set()
        want |= {("LENGTH", field.name)} if limits.maxLength else set()
        want |= {("RANGE", field.name)} if limits.minimum is not None else set()
        want |= {("CODE", field.name)} if field.code_list else set()
        if field.type == "date":
            want |= {(code, field.name) for code in ("DATE", "EARLY", "FUTURE")}
        want |= {("NUMBER", field.name)} if field.type == "integer" else set()
    key = declarations.returns[return_name].primary_key
    want |= {("UNIQUE", key[0])} if key else set()
    assert have == want


def test_a_garbled_required_cell_is_reported_once(
    typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    garbled = {"entered_care_on": None, "readable__entered_care_on": False}
    frame = typed("child", {"a": [garbled]})
    problems = suite.validate_quarter("child", frame, quarter, declarations).problems
    assert problems["code"].to_list() == ["DATE"]


def test_only_a_date_that_is_not_required_may_be_left_blank(
    declarations: Declarations, quarter: Quarter
) -> None:
    seen = set()
    for name, declared in declarations.returns.items():
        for check in _derived_checks(name, quarter, declarations):
            if check.code not in ("DATE", "FUTURE"):
                continue
            may_be_blank = not declared.field(check.fields[0]).constraints.is_required_in(None)
            seen.add((check.code, may_be_blank))
            assert ("leave the cell blank" in check.sentence_en) == may_be_blank
            assert ("gadewch y gell yn wag" in check.sentence_cy) == may_be_blank
    assert len(seen) == 4


def test_the_same_reference_in_two_submissions_is_no_duplicate(
    typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    one = [{"child_reference": "A1"}]
    frame = typed("child", {"a": one, "b": one})
    assert suite.validate_quarter("child", frame, quarter, declarations).problems.is_empty()


def test_rows_without_a_reference_are_missing_it_and_not_duplicates(
    typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    frame = typed("child", {"a": [{"child_reference": None}] * 2})
    problems = suite.validate_quarter("child", frame, quarter, declarations).problems
    assert problems["code"].to_list() == ["REQUIRED", "REQUIRED"]


def _changed(sources: Path, tmp_path: Path, file: str, old: str, new: str) -> Declarations:
    shutil.copytree(sources, tmp_path / "sources")
    path = tmp_path / "sources" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return Declarations(tmp_path / "sources")


def test_a_code_is_accepted_until_its_last_quarter(
    sources: Path, tmp_path: Path, typed: Typed, quarter: Quarter
) -> None:
    changed = _changed(
        sources,
        tmp_path,
        "code_lists/sex.csv",
        "female,Female,Benyw,,,",
        "female,Female,Benyw,,2025-26-Q1,",
    )
    frame = typed("child", {"a": [{"sex": "female"}]})
    assert suite.validate_quarter("child", frame, quarter, changed).problems.is_empty()
    later = suite.validate_quarter("child", frame, quarter.plus(1), changed).problems
    assert later.select("code", "field").rows() == [("CODE", "sex")]


def test_a_field_is_checked_from_its_first_quarter(
    sources: Path, tmp_path: Path, typed: Typed, quarter: Quarter
) -> None:
    changed = _changed(
        sources,
        tmp_path,
        "returns/child.yaml",
        "- name: entered_care_on\n",
        "- name: entered_care_on\n  since: 2025-26-Q2\n",
    )
    frame = typed("child", {"a": [{"entered_care_on": None}]})
    assert suite.validate_quarter("child", frame, quarter, changed).problems.is_empty()
    later = suite.validate_quarter("child", frame, quarter.plus(1), changed).problems
    assert later.select("code", "field").rows() == [("BLANK", "entered_care_on")]


def test_a_pattern_must_fit_the_whole_text(
    sources: Path, tmp_path: Path, typed: Typed, quarter: Quarter
) -> None:
    changed = _changed(
        sources,
        tmp_path,
        "returns/child.yaml",
        "    maxLength: 30\n",
        "    maxLength: 30\n    pattern: '[A-Z]|[A-Z][0-9]+'\n",
    )
    rows = [{"child_reference": text} for text in ("A", "B12", "xA", "B12x", None)]
    frame = typed("child", {"a": rows})
    result = suite.validate_quarter("child", frame, quarter, changed)
    wrong = result.problems.filter(pl.col("code") == "PATTERN")["sheet_row"].to_list()
    assert (wrong, result.crashes) == ([4, 5], ())


@pytest.mark.parametrize(
    ("sender_code", "code"),
    [("W06000001", ["REQUIRED"]), ("E06000022", [])],
    ids=["Wales", "England"],
)
def test_a_field_is_required_only_where_a_figure_of_the_nation_needs_it(
    typed: Typed, quarter: Quarter, sender_code: str, code: list[str]
) -> None:
    blank = typed("child", {"a": [{"referred_on": None}]})
    frame = blank.with_columns(sender_code=pl.lit(sender_code))
    found = suite.validate_quarter("child", frame, quarter, Declarations(SOURCES)).problems
    required = found.filter(pl.col("code") == "REQUIRED")
    assert required["code"].to_list() == code
    assert required["field"].unique().to_list() == ["referred_on"][: len(code)]


def test_where_adopters_came_from_is_asked_of_welsh_senders_alone(
    typed: Typed, quarter: Quarter
) -> None:
    blank = typed("child", {"a": [{"placement_source": None}]})
    for sender_code, found in (("W06000001", True), ("E06000022", False)):
        frame = blank.with_columns(sender_code=pl.lit(sender_code))
        problems = suite.validate_quarter("child", frame, quarter, Declarations(SOURCES)).problems
        assert ("CH401" in problems["code"].to_list()) == found


def test_what_no_figure_needs_may_be_left_blank(
    typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    optional = dict.fromkeys(
        ("sex", "ethnicity_group", "is_disabled", "has_additional_needs", "early_permanence")
    )
    frame = typed("child", {"a": [optional | {"siblings_placed_together": None}]})
    assert suite.validate_quarter("child", frame, quarter, declarations).problems.is_empty()
