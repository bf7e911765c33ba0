"""One batch per return and quarter: what comes out, what it costs, what a crash does."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from expectations import great_expectations_engine, rule_catalogue, suite
from expectations.reference_data import ReferenceData
from expectations.rules import RULES
from expectations.rules.rule import Rows, Rule
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.samples.population import population, senders_due
from pipelines.settings import CHECKOUT, SOURCES

Typed = Callable[..., pl.DataFrame]


def _add_rule(monkeypatch: pytest.MonkeyPatch, passes: Callable[[Rows], Any]) -> Rule:
    rule = replace(RULES["support"][0], code="SU999", passes=passes)
    monkeypatch.setitem(RULES, "support", (*RULES["support"], rule))
    return rule


def _support_checks(declarations: Declarations, quarter: Quarter) -> pl.DataFrame:
    """The checks of the support return, from the catalogue: a new rule is in it by itself."""
    catalogue = rule_catalogue.catalogue_of_rules(declarations, quarter)
    return catalogue.filter(pl.col("return_name") == "support")


def _named(checks: pl.DataFrame) -> list[tuple[str, str]]:
    return sorted(checks.select("code", "field").rows())


def _crashed(result: Any) -> list[tuple[str, str]]:
    return sorted((crash.code, crash.field) for crash in result.crashes)


def _raise(_: Rows) -> pl.Expr:
    raise ValueError("CANARY-TEXT")


@pytest.mark.parametrize(
    ("passes", "kind"),
    [
        (lambda rows: pl.col("no_such_column") > 0, "ColumnNotFoundError"),
        (lambda rows: pl.col("support_requests"), "NotBoolean"),
        (lambda rows: pl.col("support_requests").str.len_chars() > 0, "SchemaError"),
        (lambda rows: pl.col("support_requests").filter(pl.lit(False)) > 0, None),
        (_raise, "ValueError"),
    ],
    ids=["no such column", "no yes or no", "wrong type", "wrong length", "raises"],
)
def test_a_rule_that_crashes_is_named_and_the_others_still_run(
    passes: Callable[[Rows], Any],
    kind: str | None,
    monkeypatch: pytest.MonkeyPatch,
    typed: Typed,
    declarations: Declarations,
    quarter: Quarter,
) -> None:
    frame = typed("support", {"a": [{"birth_parents_taking_up_support": 21}], "b": [{}]})
    before = suite.validate_quarter("support", frame, quarter, declarations)
    rule = _add_rule(monkeypatch, passes)
    result = suite.validate_quarter("support", frame, quarter, declarations)
    (crash,) = result.crashes
    assert (crash.code, crash.field) == ("SU999", rule.fields[0])
    assert kind is None or crash.kind == kind
    assert result.crashed_rules == (f"SU999 {rule.fields[0]}",)
    assert result.rules_run == before.rules_run
    assert result.problems["code"].to_list() == ["SU101"]
    assert "CANARY" not in repr(result)


def test_a_missing_field_crashes_every_rule_that_needs_it_and_no_other(
    typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    frame = typed("support", {"a": [{}]}).drop("contact_exchanges", "readable__contact_exchanges")
    result = suite.validate_quarter("support", frame, quarter, declarations)
    needing = _support_checks(declarations, quarter).filter(
        pl.col("fields").str.split(", ").list.contains("contact_exchanges")
    )
    assert {"RANGE", "SU105"} <= set(needing["code"])
    assert _crashed(result) == _named(needing)


def test_without_any_column_every_rule_crashes(
    typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    frame = typed("support", {"a": [{}]}).select(
        "submission_id", "sender_code", "quarter", "sheet", "sheet_row"
    )
    result = suite.validate_quarter("support", frame, quarter, declarations)
    assert result.rules_run == 0
    assert _crashed(result) == _named(_support_checks(declarations, quarter))


def test_an_expectation_great_expectations_cannot_run_is_a_crash(
    monkeypatch: pytest.MonkeyPatch, typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    genuine = great_expectations_engine._expectation

    def misdirected(expect: Any, column: str, *rest: Any) -> Any:
        made = genuine(expect, column, *rest)
        if column == "RANGE__contact_exchanges":
            made.column = "no such column"
        return made

    great_expectations_engine._suite_of.cache_clear()
    monkeypatch.setattr(great_expectations_engine, "_expectation", misdirected)
    frame = typed("support", {"a": [{}]})
    result = suite.validate_quarter("support", frame, quarter, declarations)
    great_expectations_engine._suite_of.cache_clear()
    assert [(crash.code, crash.field) for crash in result.crashes] == [
        ("RANGE", "contact_exchanges")
    ]


def test_a_sum_of_truths_that_does_not_come_out_is_a_crash_of_them_all(
    monkeypatch: pytest.MonkeyPatch, typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    monkeypatch.setattr(
        great_expectations_engine, "_is_true_throughout", lambda derived, check: True
    )
    frame = typed("support", {"a": [{"birth_parents_taking_up_support": 21}]})
    result = suite.validate_quarter("support", frame, quarter, declarations)
    assert "SU101" in {crash.code for crash in result.crashes}


@pytest.mark.parametrize("holding", [0, 1, 2])
def test_rules_that_hold_are_confirmed_however_few_they_are(
    holding: int,
    monkeypatch: pytest.MonkeyPatch,
    typed: Typed,
    declarations: Declarations,
    quarter: Quarter,
) -> None:
    genuine = great_expectations_engine._is_true_throughout
    columns = ["SU101", "SU102"][:holding]
    monkeypatch.setattr(
        great_expectations_engine,
        "_is_true_throughout",
        lambda derived, check: check.column in columns and genuine(derived, check),
    )
    frame = typed("support", {"a": [{"support_plans_agreed": 31}]})
    result = suite.validate_quarter("support", frame, quarter, declarations)
    assert (result.crashes, result.problems["code"].to_list()) == ((), ["SU104"])


def test_great_expectations_failing_as_a_whole_crashes_every_rule(
    monkeypatch: pytest.MonkeyPatch, typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    def broken(_: Any) -> Any:
        raise RuntimeError("CANARY-TEXT")

    monkeypatch.setattr(great_expectations_engine, "_batch", broken)
    frame = typed("support", {"a": [{}]})
    result = suite.validate_quarter("support", frame, quarter, declarations)
    assert (result.rules_run, {crash.kind for crash in result.crashes}) == (0, {"RuntimeError"})
    assert "CANARY" not in repr(result)


def test_problems_keep_the_place_of_every_row_however_many_fail(
    typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    wrong = {"referred_on": None, "placed_on": date(2024, 1, 31), "child_reference": "SAME"}
    frame = typed("child", {"a": [wrong] * 700, "b": [{}, wrong]})
    problems = suite.validate_quarter("child", frame, quarter, declarations).problems
    assert problems.columns == list(suite.PROBLEM_SCHEMA)
    assert dict(problems.schema) == suite.PROBLEM_SCHEMA
    for code in ("REQUIRED", "CH208", "UNIQUE"):
        own = problems.filter((pl.col("code") == code) & (pl.col("submission_id") == "a"))
        assert own["sheet_row"].to_list() == list(range(2, 702))
    assert problems.filter(pl.col("submission_id") == "b").select("sheet_row", "code").rows() == [
        (3, "REQUIRED"),
        (3, "CH208"),
    ]
    assert set(problems["sheet"]) == {"Children"}
    assert set(problems["quarter"]) == {"2025-26-Q1"}


def test_several_quarters_in_one_batch_give_what_each_gives_alone(
    typed: Typed, declarations: Declarations
) -> None:
    frames = {
        Quarter(2025, number): typed(
            "child",
            {
                "a": [
                    {"child_reference": "SAME"},
                    {"placed_on": date(2024, 1, 31), "life_journey_materials_on": None},
                ],
                "b": [{"adoption_order_on": date(2025, 6, 30)}],
            },
            Quarter(2025, number),
        )
        for number in (1, 2, 3)
    } | {Quarter(2024, 4): typed("child", {"a": [{"adoption_order_on": date(2025, 6, 30)}]})}
    together = suite.validate_quarters("child", frames, declarations)
    for quarter, frame in frames.items():
        alone = suite.validate_quarter("child", frame, quarter, declarations)
        assert_frame_equal(together[quarter].problems, alone.problems)
        assert together[quarter].rules_run == alone.rules_run
        assert together[quarter].rows_read == alone.rows_read
    assert together[Quarter(2024, 4)].problems["code"].to_list() == ["FUTURE"]


# --- the same columns, looked at by polars ----------------------------------------


def _spoilt(rows: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    """About every fourth row with a cell blanked, moved, garbled or given twice."""
    spoilt = []
    for row in rows:
        row = dict(row)
        if chance.random() < (0.25 if len(rows) > 1 else 0.8):
            name = chance.choice(sorted(row))
            value = row[name]
            row[name] = None
            if isinstance(value, date):
                row[name] = value + timedelta(days=chance.choice((-400, -1, 1, 400, 3000)))
            elif isinstance(value, int):
                row[name] = chance.choice((-1, 0, 500, None))
            elif isinstance(value, str) and chance.random() < 0.3:
                row[name] = "x" * 31
        spoilt += [row] * (2 if chance.random() < 0.03 else 1)
    return spoilt


@pytest.mark.parametrize("return_name", ["child", "adopter", "support"])
def test_both_engines_find_the_same_problems_in_sample_returns(
    return_name: str, typed: Typed, reference_data_of: Callable[..., ReferenceData]
) -> None:
    """Two quarters of many senders of the sample, spoilt at random (seed 903)."""
    sample = Declarations(SOURCES)
    chance = random.Random(903)
    last, quarter = Quarter(2020, 1), Quarter(2020, 2)
    people = population(sample, last, quarter)
    frames = {}
    for of in (last, quarter):
        sent = {
            sender: _spoilt(people.rows(sender, of)[return_name], chance)
            for sender, due in senders_due(sample, of)[:40]
            if return_name in due
        }
        assert len(sent) > 3
        parts = [
            typed(return_name, {f"{sender} {of}": rows}, of).with_columns(
                sender_code=pl.lit(sender)
            )
            for sender, rows in sent.items()
        ]
        frames[of] = pl.concat(parts)
    reference_data = {
        quarter: reference_data_of({return_name: frames[quarter]}, {return_name: frames[last]}),
        last: reference_data_of({return_name: frames[last]}),
    }
    slow, quick = (
        suite.validate_quarters(
            return_name, frames, sample, reference_data=reference_data, engine=engine
        )
        for engine in ("great_expectations", "polars")
    )
    for of in (last, quarter):
        assert_frame_equal(slow[of].problems, quick[of].problems)
        assert slow[of].of_the_whole == quick[of].of_the_whole
        assert slow[of].counts_by_submission == quick[of].counts_by_submission
        assert slow[of].rows_read == quick[of].rows_read
        assert slow[of].crashes == quick[of].crashes == ()
    found = {*quick[quarter].problems["code"]}
    assert len(found) > {"child": 25, "adopter": 12, "support": 2}[return_name]


def test_both_engines_name_a_rule_that_crashed(
    monkeypatch: pytest.MonkeyPatch, typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    _add_rule(monkeypatch, lambda rows: pl.col("no_such_column") > 0)
    frame = typed("support", {"a": [{"birth_parents_taking_up_support": 21}]})
    slow, quick = (
        suite.validate_quarter("support", frame, quarter, declarations, engine=engine)
        for engine in ("great_expectations", "polars")
    )
    assert slow.crashes == quick.crashes and quick.crashes[0].code == "SU999"
    assert_frame_equal(slow.problems, quick.problems)


WITHOUT_GX = """
import sys
from pathlib import Path
import polars as pl
from expectations.suite import validate_quarter
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("great_expectations", "pandas"):
            raise ImportError(f"{name} is not wanted here")

sys.meta_path.insert(0, Refuse())
frame = pl.read_parquet(sys.argv[2])
declarations = Declarations(Path(sys.argv[1]))
result = validate_quarter("support", frame, Quarter(2025, 1), declarations, engine="polars")
assert result.problems["code"].to_list() == ["SU101"], result
assert not result.crashes
print("DONE")
"""


def test_polars_needs_neither_great_expectations_nor_pandas(
    tmp_path: Path, sources: Path, typed: Typed
) -> None:
    given = tmp_path / "given.parquet"
    typed("support", {"a": [{"birth_parents_taking_up_support": 21}]}).write_parquet(given)
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_GX, str(sources), str(given)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.stdout.split() == ["DONE"], run.stderr[-3000:]


def test_a_quarter_without_rows_has_no_problem_and_needs_no_great_expectations(
    monkeypatch: pytest.MonkeyPatch, typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    monkeypatch.setattr(
        great_expectations_engine, "_great_expectations", lambda: pytest.fail("asked for")
    )
    result = suite.validate_quarter("child", typed("child", {}), quarter, declarations)
    assert result.problems.is_empty()
    assert dict(result.problems.schema) == suite.PROBLEM_SCHEMA
    assert (result.rows_read, result.crashes) == ({}, ())


def test_the_hash_changes_with_a_declaration_and_not_with_the_weather(
    sources: Path, tmp_path: Path, declarations: Declarations, quarter: Quarter
) -> None:
    import shutil

    first = rule_catalogue.rule_set_hash(declarations, quarter)
    assert rule_catalogue.rule_set_hash(Declarations(sources), quarter) == first
    assert rule_catalogue.rule_set_hash(declarations, quarter.plus(1)) != first
    shutil.copytree(sources, tmp_path / "sources")
    path = tmp_path / "sources" / "returns" / "child.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("maximum: 12", "maximum: 13", 1), encoding="utf-8")
    assert rule_catalogue.rule_set_hash(Declarations(tmp_path / "sources"), quarter) != first


def test_the_catalogue_lists_every_rule_once(declarations: Declarations, quarter: Quarter) -> None:
    catalogue = rule_catalogue.catalogue_of_rules(declarations, quarter)
    assert catalogue.select("return_name", "code", "field").is_unique().all()
    codes = set(catalogue["code"])
    assert codes.issuperset(rule.code for rules in RULES.values() for rule in rules)
    assert set(catalogue["severity"]) == {"error", "query"}
    assert catalogue.null_count().sum_horizontal().item() == 0


# --- what Great Expectations sees and keeps ------------------------------------

CANARIES = {
    "child_reference": "CANARY-CHILD",
    "sibling_group_reference": "CANARY-SIBLINGS",
    "adopter_household_reference": "CANARY-HOUSEHOLD",
    "adopter_agency_code": "CANARY-AGENCY",
    "date_of_birth": date(2019, 9, 19),
    "placed_on": date(2018, 8, 18),
    "siblings_placed_together": 10977,
    "sex": "CANARY-CODE",
}
TRACES = ("CANARY", "2019-09-19", "2018-08-18", "19/09/2019", "10977")


def test_no_value_is_kept_in_a_result_a_problem_a_log_or_on_the_screen(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    typed: Typed,
    declarations: Declarations,
    quarter: Quarter,
) -> None:
    kept: list[str] = []
    genuine = great_expectations_engine._outcomes

    def listening(validation: Any) -> Any:
        kept.append(str(validation.to_json_dict()))
        kept.append(repr([result.result for result in validation.results]))
        return genuine(validation)

    monkeypatch.setattr(great_expectations_engine, "_outcomes", listening)
    caplog.set_level("DEBUG")
    frame = typed("child", {"a": [CANARIES, CANARIES | {"sheet_row": 3}]})
    result = suite.validate_quarter("child", frame, quarter, declarations)
    found = set(result.problems["code"])
    assert {"UNIQUE", "CODE", "RANGE", "CH209", "CH404"} <= found
    assert len(kept) == 8, "two looks at the rows and two at the return as a whole, in two forms"
    printed = capfd.readouterr()
    assert printed.out == "" and printed.err == "", "progress bars are off"
    everything = " ".join([*kept, repr(result), result.problems.write_csv(), caplog.text])
    for trace in TRACES:
        assert trace not in everything


def test_no_reference_and_no_date_reaches_great_expectations(
    monkeypatch: pytest.MonkeyPatch, typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    seen: list[Any] = []
    genuine = great_expectations_engine._as_pandas

    def listening(derived: pl.DataFrame) -> Any:
        seen.append(derived)
        return genuine(derived)

    monkeypatch.setattr(great_expectations_engine, "_as_pandas", listening)
    frame = typed("child", {"a": [CANARIES | {"sex": "female"}]})
    suite.validate_quarter("child", frame, quarter, declarations)
    assert len(seen) == 2, "the rows, and the return as a whole"
    text: set[str] = set()
    for derived in seen:
        assert not [name for name, kind in derived.schema.items() if kind.is_temporal()]
        text |= {name for name, kind in derived.schema.items() if kind == pl.String}
        assert "CANARY" not in derived.write_csv()
    assert text and all(name.startswith("CODE__") for name in text)


ALONE = """
import os, socket, sys
from pathlib import Path

def refuse(*args, **kwargs):
    print("CONNECTED")
    raise OSError("no network in this test")

socket.socket.connect = refuse
socket.getaddrinfo = refuse
import expectations.rules, expectations.verdicts
from expectations.suite import validate_quarter
assert not {"great_expectations", "pandas"} & sys.modules.keys(), "imported too early"
import polars as pl
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter

frame = pl.read_parquet(sys.argv[2])
result = validate_quarter("support", frame, Quarter(2025, 1), Declarations(Path(sys.argv[1])))
assert result.problems["code"].to_list() == ["SU101"], result
assert not result.crashes
assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
print("DONE")
"""


def test_a_run_writes_no_file_and_makes_no_connection(
    tmp_path: Path, sources: Path, typed: Typed
) -> None:
    given = tmp_path / "given.parquet"
    typed("support", {"a": [{"birth_parents_taking_up_support": 21}]}).write_parquet(given)
    folders = {name: tmp_path / name for name in ("home", "here", "temporary")}
    for folder in folders.values():
        folder.mkdir()
    home = str(folders["home"])
    environment = {
        **os.environ,
        "HOME": home,
        "USERPROFILE": home,
        "XDG_CONFIG_HOME": home,
        "XDG_CACHE_HOME": home,
        "TMPDIR": str(folders["temporary"]),
        "TEMP": str(folders["temporary"]),
        "TMP": str(folders["temporary"]),
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("GX_ANALYTICS_ENABLED", None)
    run = subprocess.run(
        [sys.executable, "-c", ALONE, str(sources), str(given)],
        cwd=folders["here"],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.stdout.split() == ["DONE"], run.stderr[-3000:]
    left = [path for folder in folders.values() for path in folder.rglob("*")]
    assert left == []
