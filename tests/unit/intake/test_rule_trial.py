"""Changed rules tried on what was taken in: who would newly fail, and nothing is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from expectations.rules import RULES
from pipelines.cli import main as program
from pipelines.declarations import Declarations
from pipelines.intake.landing import Arrival, receive, stored_file
from pipelines.intake.raw import to_raw
from pipelines.intake.rule_trial import RuleChange, RuleTrial, try_rules
from pipelines.intake.validated import to_validated
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES, Settings
from pipelines.templates.workbook import write_return
from tests.unit.returns_made import child

Q1, Q2 = Quarter(2020, 1), Quarter(2020, 2)


_child = partial(child, referred_on=date(2020, 4, 3))  # in the first quarter


def _send(
    settings: Settings, sender: str, quarter: Quarter, rows: list[dict[str, Any]], version: int = 1
) -> None:
    declarations = Declarations(SOURCES)
    cover = {
        "sender_code": sender,
        "quarter": quarter.label,
        "version": version,
        "signed_off_by_role": "Head of service",
        "signed_off_on": quarter.last_day.replace(day=30),
        "is_synthetic": "yes",
    }
    path = settings.inbox / f"{sender}.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_return(path, declarations, quarter, cover, {"child": rows})
    when = datetime.combine(quarter.plus(1).first_day, datetime.min.time(), UTC)
    receive(settings, declarations, [Arrival(path, when.replace(day=10, hour=version))])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two senders, two quarters: one row set aside, one return refused, one file at the door."""
    home = tmp_path_factory.mktemp("trial")
    settings = Settings(data=home / "data", key_file=home / "keys" / "key")
    _send(settings, "W06000001", Q1, [_child("A1"), _child("A2", sex="unheard of")])
    _send(settings, "W06000002", Q1, [_child(f"B{n}", referred_on=None) for n in range(3)])
    _send(settings, "W06000002", Q1, [_child(f"B{n}") for n in range(3)], version=2)
    _send(settings, "W06000001", Q2, [_child("A1", referred_on=date(2020, 4, 4)), _child("A2")])
    broken = settings.inbox / "broken.xlsx"
    broken.write_bytes(b"no workbook")
    receive(settings, Declarations(SOURCES), [Arrival(broken, datetime(2020, 7, 12, tzinfo=UTC))])
    for quarter in (Q1, Q2):
        to_raw(settings, Declarations(SOURCES), quarter)
    to_validated(settings, Declarations(SOURCES), [Q1, Q2])
    return settings


@pytest.fixture
def collected(kept: Settings, tmp_path: Path) -> Settings:
    """A copy that a test may damage."""
    shutil.copytree(kept.data, tmp_path / "data")
    shutil.copytree(kept.key_file.parent, tmp_path / "keys")
    return Settings(data=tmp_path / "data", key_file=tmp_path / "keys" / "key")


def _submissions(settings: Settings) -> dict[str, Submission]:
    found = Ledger(settings.ledger).submissions()
    return {f"{one.sender_code} {one.quarter} v{one.version}": one for one in found if one.quarter}


def _change(found: RuleTrial, code: str) -> RuleChange:
    (change,) = [one for one in found.rules if one.rule.code == code]
    return change


def _with_rule(monkeypatch: pytest.MonkeyPatch, **change: Any) -> None:
    rule = replace(RULES["child"][0], code="CH999", **change)
    monkeypatch.setitem(RULES, "child", (*RULES["child"], rule))


def _content(settings: Settings) -> dict[str, bytes]:
    folders = (settings.data, settings.key_file.parent)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {path.as_posix(): path.read_bytes() for path in files}


def test_the_collection_is_as_the_tests_below_take_it_to_be(kept: Settings) -> None:
    assert {name: one.status for name, one in _submissions(kept).items()} == {
        "W06000001 2020-21-Q1 v1": "accepted with errors quarantined",
        "W06000002 2020-21-Q1 v1": "refused",
        "W06000002 2020-21-Q1 v2": "accepted",
        "W06000001 2020-21-Q2 v1": "accepted with queries",
    }


@pytest.mark.parametrize("engine", ["polars", "great_expectations"])
def test_rules_that_did_not_change_find_what_they_found(kept: Settings, engine: Any) -> None:
    """The verdicts were given by Great Expectations: the two engines agree."""
    found = try_rules(kept, Declarations(SOURCES), engine=engine)
    assert (found.rules, found.verdicts, found.not_on_disk, found.counts_only) == ((), (), (), ())
    assert (found.tried, found.same_rules, found.crashed) == (4, 4, 0)
    assert found.quarters == (Q1, Q2)


def test_a_stricter_rule_names_who_would_newly_fail(
    kept: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_rule(
        monkeypatch,
        severity="error",
        passes=lambda rows: pl.col("child_reference").str.starts_with("A"),
    )
    found = try_rules(kept, Declarations(SOURCES))
    change = _change(found, "CH999")
    assert (change.before, change.after, change.newly_passing) == (0, 6, ())
    sent = _submissions(kept)
    assert {one.submission.submission_id: one.rows for one in change.newly_failing} == {
        sent[f"W06000002 2020-21-Q1 v{version}"].submission_id: (2, 3, 4) for version in (1, 2)
    }
    (verdict,) = found.verdicts
    assert verdict.submission.submission_id == sent["W06000002 2020-21-Q1 v2"].submission_id
    assert (verdict.before, verdict.after) == ("accepted", "refused")
    assert verdict.reasons == ("TOO_MANY_ERRORS",)


def test_a_rule_that_is_gone_names_who_would_newly_pass(
    kept: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tuple(rule for rule in RULES["child"] if rule.code != "CH612")
    assert len(left) == len(RULES["child"]) - 1
    monkeypatch.setitem(RULES, "child", left)
    change = _change(try_rules(kept, Declarations(SOURCES)), "CH612")
    assert (change.before, change.after, change.newly_failing) == (1, 0, ())
    (who,) = change.newly_passing
    assert (who.submission.sender_code, who.submission.quarter) == ("W06000001", Q2.label)
    assert who.rows == (2,)


def test_changed_declarations_can_be_tried(kept: Settings, tmp_path: Path) -> None:
    shutil.copytree(SOURCES, tmp_path / "sources")
    codes = tmp_path / "sources" / "code_lists" / "sex.csv"
    text = codes.read_text(encoding="utf-8")
    assert "female,Female,Benyw,,," in text
    codes.write_text(
        text.replace("female,Female,Benyw,,,", "female,Female,Benyw,,2020-21-Q1,"),
        encoding="utf-8",
    )
    found = try_rules(kept, Declarations(tmp_path / "sources"))
    (change,) = found.rules
    assert (change.rule.code, change.rule.field) == ("CODE", "sex")
    assert {one.submission.quarter for one in change.newly_failing} == {Q2.label}
    assert found.same_rules == 3, "in the quarter before nothing changed"


def test_only_the_quarters_asked_about_are_tried(
    kept: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_rule(monkeypatch, passes=lambda rows: pl.lit(False))
    found = try_rules(kept, Declarations(SOURCES), [Q2])
    assert found.tried == 1
    assert {one.submission.quarter for one in _change(found, "CH999").newly_failing} == {Q2.label}


def test_nothing_is_written(collected: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _content(collected)
    assert len(before) > 10
    _with_rule(monkeypatch, severity="error", passes=lambda rows: pl.lit(False))
    assert try_rules(collected, Declarations(SOURCES)).verdicts
    assert _content(collected) == before


def test_a_rule_that_crashes_is_counted_and_refuses_everybody(
    kept: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_rule(monkeypatch, passes=lambda rows: pl.col("no such column") > 0)
    found = try_rules(kept, Declarations(SOURCES))
    assert found.crashed == 1
    assert {one.reasons for one in found.verdicts} == {("RULE_CRASHED",), ("RULE_CRASHED",)}
    assert {one.after for one in found.verdicts} == {"refused"}


def test_rows_that_are_gone_are_read_from_the_file_as_received(collected: Settings) -> None:
    shutil.rmtree(collected.raw)
    found = try_rules(collected, Declarations(SOURCES))
    assert (found.tried, found.rules, found.verdicts) == (4, (), ())
    gone = _submissions(collected)["W06000001 2020-21-Q2 v1"]
    stored_file(collected, gone).unlink()
    found = try_rules(collected, Declarations(SOURCES))
    assert (found.tried, found.not_on_disk) == (3, (gone.submission_id,))


def test_without_the_list_of_problems_only_verdicts_are_compared(collected: Settings) -> None:
    shutil.rmtree(collected.validated / "problems")
    found = try_rules(collected, Declarations(SOURCES))
    sent = _submissions(collected)
    # Two returns had problems of rows; that the others had none is known from their counts.
    assert found.counts_only == (
        sent["W06000001 2020-21-Q1 v1"].submission_id,
        sent["W06000002 2020-21-Q1 v1"].submission_id,
        sent["W06000001 2020-21-Q2 v1"].submission_id,
    )
    assert (found.rules, found.verdicts) == ((), ())


def test_where_nothing_was_taken_in_there_is_nothing_to_try(settings: Settings) -> None:
    found = try_rules(settings, Declarations(SOURCES))
    assert (found.tried, found.rules, found.quarters) == (0, (), ())
    assert not settings.data.exists() and not settings.key_file.exists()


# --- the command ------------------------------------------------------------------


@pytest.fixture
def call(kept: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("ADOPTION_DATA", str(kept.data))
    monkeypatch.setenv("ADOPTION_KEY_FILE", str(kept.key_file))
    return lambda *words: CliRunner().invoke(program, ["try-rules", *words])


def test_the_command_tells_who_would_newly_fail(
    call: Callable[..., Result], kept: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = call()
    assert calm.exit_code == 0
    assert "No return would newly fail or newly pass." in calm.output
    _with_rule(monkeypatch, severity="error", passes=lambda rows: pl.lit(False))
    told = call(Q2.label)
    assert told.exit_code == 0, "what would be refused is no failure of the command"
    one = _submissions(kept)["W06000001 2020-21-Q2 v1"]
    assert f"would newly fail: {one.submission_id} (W06000001, 2020-21-Q2), 2 rows" in told.output
    assert "accepted with queries -> refused (NO_ROW_LEFT)" in told.output
    assert "Nothing was written." in told.output


def test_the_command_gives_json_for_programs(
    call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_rule(monkeypatch, severity="query", passes=lambda rows: pl.col("child_reference") != "A2")
    result = call("--json")
    assert result.exit_code == 0
    told = json.loads(result.output)
    assert told["tried"] == 4 and told["quarters"] == [Q1.label, Q2.label]
    (rule,) = told["rules"]
    assert (rule["code"], rule["before"], rule["after"]) == ("CH999", 0, 2)
    assert [one["rows"] for one in rule["newly_failing"]] == [[3], [3]]
    assert told["verdicts"] == []
    assert "A2" not in result.output, "no reference of a child"


@pytest.mark.parametrize("words", [("2020-21-Q5",), ("--sources", "no/such/folder"), ("--colour",)])
def test_a_wrong_call_ends_with_two(call: Callable[..., Result], words: tuple[str, ...]) -> None:
    assert call(*words).exit_code == 2


def test_declarations_that_do_not_fit_end_with_one_clear_line(
    call: Callable[..., Result], tmp_path: Path
) -> None:
    shutil.copytree(SOURCES, tmp_path / "sources")
    (tmp_path / "sources" / "rule_limits.csv").write_text("limit\nx\n", encoding="utf-8")
    result = call("--sources", str(tmp_path / "sources"))
    assert result.exit_code == 1
    assert "rule_limits.csv" in result.stderr and len(result.stderr.strip().splitlines()) == 1
