"""Runs the rules over a quarter: one Great Expectations batch per return.

A run of Great Expectations costs 0.6–0.8 CPU s whatever the number of rows (8 ms
per expectation), so the rows of every sender go through together and the
problems are split by submission afterwards; one run per submission took a
hundred times as long.

Great Expectations stores failing values by default. Here its context lives in
memory, it sees derived columns without references or dates, and it is asked
for row numbers only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from expectations.fields import Check, checks_in_force
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter

if TYPE_CHECKING:
    import great_expectations
    import pandas

PROBLEM_SCHEMA: dict[str, Any] = {
    "submission_id": pl.String,
    "sender_code": pl.String,
    "quarter": pl.String,
    "return_name": pl.String,
    "sheet": pl.String,
    "sheet_row": pl.Int64,
    "field": pl.String,
    "code": pl.String,
    "severity": pl.String,
    "sentence_en": pl.String,
    "sentence_cy": pl.String,
}

_AGREED = "agreed"  # names the expectation on truths that look true throughout
_QUARTER = "quarter"  # of a derived row: its number within the batch
_PLACE = ("submission_id", "sender_code", "quarter", "sheet", "sheet_row")

_TRUTH_ONLY = {"result_format": "BOOLEAN_ONLY"}
_ROW_NUMBERS = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "exclude_unexpected_values": True,
    "include_unexpected_rows": False,
    "return_unexpected_index_query": False,
}


@dataclass(frozen=True)
class Crash:
    """A rule that could not be run. ``kind`` is the kind of exception, never its text."""

    code: str
    field: str
    kind: str


@dataclass(frozen=True)
class QuarterResult:
    """What the rules said of one return in one quarter, of all senders.

    ``problems`` has the columns of ``PROBLEM_SCHEMA``, one row per failing row
    and rule, in the order of the typed frame. A rule in ``crashes`` has been
    checked on no row: no submission with rows in this return may be accepted.
    """

    return_name: str
    quarter: Quarter
    problems: pl.DataFrame
    rows_read: Mapping[str, int]  # by submission
    rules_run: int
    rules_skipped: tuple[str, ...]
    crashes: tuple[Crash, ...]

    @property
    def crashed_rules(self) -> tuple[str, ...]:
        """What ``verdicts.judge`` wants: code and field, as the catalogue names them."""
        return tuple(f"{crash.code} {crash.field}" for crash in self.crashes)


def validate_quarter(
    return_name: str, typed: pl.DataFrame, quarter: Quarter, declarations: Declarations
) -> QuarterResult:
    """Check the typed rows of one return and quarter, of every sender together.

    ``typed`` is the typed frame: ``submission_id``, ``sender_code``,
    ``quarter``, ``sheet``, ``sheet_row``, the declared fields, and a
    ``readable__<field>`` for each date, integer and code. A column that a rule
    needs and that is not there makes that rule crash; nothing is raised.
    """
    return validate_quarters(return_name, {quarter: typed}, declarations)[quarter]


def validate_quarters(
    return_name: str, typed: Mapping[Quarter, pl.DataFrame], declarations: Declarations
) -> dict[Quarter, QuarterResult]:
    """``validate_quarter`` for several quarters, sharing a batch where the rules agree.

    Twelve quarters under one declaration cost what one costs.
    """
    prepared = {
        quarter: _prepare(return_name, frame, quarter, declarations)
        for quarter, frame in typed.items()
    }
    groups: dict[tuple[Any, ...], list[Quarter]] = {}
    for quarter, quarter_rows in prepared.items():
        groups.setdefault(quarter_rows.suite_key, []).append(quarter)
    for quarters in groups.values():
        _check_together([prepared[quarter] for quarter in quarters])
    return {quarter: quarter_rows.result() for quarter, quarter_rows in prepared.items()}


def rule_set_hash(declarations: Declarations, quarter: Quarter) -> str:
    """Hash of every rule and declaration a verdict of ``quarter`` rests on.

    Rules are hashed as code, so that a changed condition under an unchanged
    sentence shows. Returns, codes, places and policies are hashed as declared.
    """
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for module in sorted(here.rglob("*.py"), key=lambda path: path.relative_to(here).as_posix()):
        digest.update(module.relative_to(here).as_posix().encode())
        digest.update(module.read_text(encoding="utf-8").encode())
    digest.update(json.dumps(_declared(declarations, quarter), sort_keys=True).encode())
    return digest.hexdigest()


def _declared(declarations: Declarations, quarter: Quarter) -> dict[str, Any]:
    returns = declarations.returns
    lists = {
        field.code_list
        for declared in returns.values()
        for field in declared.fields_in_force(quarter)
        if field.code_list
    }
    return {
        "quarter": quarter.label,
        "returns": {
            name: {
                "primary_key": declared.primary_key,
                "fields": [repr(field) for field in declared.fields_in_force(quarter)],
            }
            for name, declared in returns.items()
        },
        "codes": {name: declarations.codes(name, quarter) for name in sorted(lists)},
        "places": sorted((code, place.kind) for code, place in declarations.places.items()),
        "policies": sorted(
            repr(policy.refusal_for(quarter)) for policy in declarations.policies.values()
        ),
    }


def catalogue_of_rules(declarations: Declarations, quarter: Quarter) -> pl.DataFrame:
    """One row per rule in force in ``quarter``, as the officer may read it.

    Columns: return_name, code, severity, field, fields (``, `` joined),
    sentence_en, sentence_cy, source.
    """
    rows = [
        {
            "return_name": return_name,
            "code": check.code,
            "severity": check.severity,
            "field": check.fields[0],
            "fields": ", ".join(check.fields),
            "sentence_en": check.sentence_en,
            "sentence_cy": check.sentence_cy,
            "source": check.source,
        }
        for return_name in declarations.returns
        for check in checks_in_force(return_name, quarter, declarations)[0]
    ]
    return pl.DataFrame(rows)


# --- one quarter's rows, ready to be checked ----------------------------------


@dataclass
class _QuarterRows:
    return_name: str
    quarter: Quarter
    typed: pl.DataFrame
    checks: tuple[Check, ...]
    skipped: tuple[str, ...]
    derived: pl.DataFrame  # a column per check that did not crash
    crashes: dict[str, str]  # by column: the kind of exception
    failing: dict[str, list[int]]  # by column: row positions in ``typed``

    @property
    def suite_key(self) -> tuple[Any, ...]:
        return tuple((check.column, check.expectation, check.arguments) for check in self.checks)

    def result(self) -> QuarterResult:
        counts = (
            self.typed.group_by("submission_id", maintain_order=True).len().rows()
            if self.typed.height
            else []
        )
        return QuarterResult(
            return_name=self.return_name,
            quarter=self.quarter,
            problems=self._problems(),
            rows_read=dict(counts),
            rules_run=len(self.checks) - len(self.crashes),
            rules_skipped=self.skipped,
            crashes=tuple(
                Crash(check.code, check.fields[0], self.crashes[check.column])
                for check in self.checks
                if check.column in self.crashes
            ),
        )

    def _problems(self) -> pl.DataFrame:
        found = [
            (position, order)
            for order, check in enumerate(self.checks)
            for position in self.failing.get(check.column, ())
        ]
        if not found:
            return pl.DataFrame(schema=PROBLEM_SCHEMA)
        found.sort()
        words = pl.DataFrame(
            [
                (check.fields[0], check.code, check.severity, check.sentence_en, check.sentence_cy)
                for check in self.checks
            ],
            schema=["field", "code", "severity", "sentence_en", "sentence_cy"],
            orient="row",
        )
        places = self.typed.select(_PLACE)[[position for position, _ in found]]
        return places.hstack(words[[order for _, order in found]]).select(
            pl.lit(self.return_name).alias(column) if column == "return_name" else pl.col(column)
            for column in PROBLEM_SCHEMA
        )


def _prepare(
    return_name: str, typed: pl.DataFrame, quarter: Quarter, declarations: Declarations
) -> _QuarterRows:
    checks, skipped = checks_in_force(return_name, quarter, declarations)
    derived, crashes = _derive(typed, checks)
    return _QuarterRows(return_name, quarter, typed, checks, skipped, derived, crashes, {})


# What polars raises where a rule does not fit the rows. PanicException is not
# an Exception; a rule that panics is a rule that crashed.
_RULE_FAILS = (Exception, pl.exceptions.PanicException)


def _derive(typed: pl.DataFrame, checks: Sequence[Check]) -> tuple[pl.DataFrame, dict[str, str]]:
    """The column of each check; and the kind of exception of each that has none."""
    try:
        expressions = [check.derive().alias(check.column) for check in checks]
        derived = typed.select(expressions)
        if typed.height == derived.height and not _misfits(derived, checks):
            return derived.with_columns(_truths(checks)), {}
    except _RULE_FAILS:
        pass  # found again one by one below
    columns: list[pl.Series] = []
    crashes: dict[str, str] = {}
    for check in checks:
        try:
            column = typed.with_columns(check.derive().alias(check.column)).select(check.column)
            if misfit := _misfits(column, [check]):
                crashes[check.column] = misfit[check.column]
            else:
                columns.append(column.with_columns(_truths([check])).to_series())
        except _RULE_FAILS as failure:
            crashes[check.column] = type(failure).__name__
    return pl.DataFrame(columns), crashes


def _misfits(derived: pl.DataFrame, checks: Sequence[Check]) -> dict[str, str]:
    """Rules that say neither yes nor no."""
    return {
        check.column: "NotBoolean"
        for check in checks
        if check.is_truth and derived.schema[check.column] != pl.Boolean
    }


def _truths(checks: Sequence[Check]) -> list[pl.Expr]:
    return [pl.col(check.column).fill_null(True) for check in checks if check.is_truth]


# --- Great Expectations -------------------------------------------------------


def _check_together(several: Sequence[_QuarterRows]) -> None:
    """Fill in ``failing`` and ``crashes`` of quarters that share a suite, from one batch."""
    with_rows = [rows for rows in several if rows.typed.height]
    if not with_rows:
        return
    checks = with_rows[0].checks
    # Keys are numbered within a quarter, so they are unique within their quarter only.
    derived = pl.concat(
        [
            pl.DataFrame({_QUARTER: [number] * rows.typed.height}).hstack(rows.derived)
            for number, rows in enumerate(with_rows)
        ],
        how="diagonal_relaxed",
    )
    checks = tuple(check for check in checks if check.column in derived.columns)
    failing, crashes = _run(derived, checks)
    start = 0
    for rows in with_rows:
        end = start + rows.typed.height
        for column, positions in failing.items():
            if column not in rows.crashes:
                rows.failing[column] = [at - start for at in positions if start <= at < end]
        rows.crashes.update(
            {column: kind for column, kind in crashes.items() if column not in rows.crashes}
        )
        start = end


def _run(
    derived: pl.DataFrame, checks: tuple[Check, ...]
) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Positions of failing rows, and kinds of crash, by column.

    Truths that look true throughout are put to Great Expectations as one sum
    over their columns, which is right on every row only if each of them is.
    The others are checked one by one, and row numbers, which double the cost of
    an expectation, are asked for in a second look at those that failed. On the
    same batch this takes 0.5 CPU s for 123 checks, one by one 1.2 to 2.1.
    """
    agreed = tuple(check for check in checks if check.is_truth and _all_true(derived, check))
    if len(agreed) < 2:  # no sum: the expectation wants two columns
        agreed = ()
    doubted = tuple(check for check in checks if check.is_truth and check not in agreed)
    others = tuple(check for check in checks if not check.is_truth)
    try:
        batch = _batch(derived)
        first = _outcomes(batch.validate(_suite(others, agreed), result_format=_TRUTH_ONLY))
        failed = tuple(check for check in others if not _holds(first, check.column))
        look_again = doubted + failed
        second = (
            _outcomes(batch.validate(_suite(look_again), result_format=_ROW_NUMBERS))
            if look_again
            else {}
        )
    except Exception as failure:  # its text may quote a value, so only its kind is kept
        kind = type(failure).__name__
        return {}, {check.column: kind for check in checks}
    crashes: dict[str, str] = {}
    if agreed and not _holds(first, _AGREED):
        crashes = {check.column: "NotEvaluated" for check in agreed}
    failing: dict[str, list[int]] = {}
    for check in look_again:
        found = second.get(check.column)
        if found is None or found.raised or found.success != (not found.positions):
            crashes[check.column] = "NotEvaluated"
        elif found.positions:
            failing[check.column] = found.positions
        elif check in failed:  # and yet it holds on every row
            crashes[check.column] = "NotEvaluated"
    return failing, crashes


def _all_true(derived: pl.DataFrame, check: Check) -> bool:
    column = derived[check.column]
    return column.null_count() == 0 and bool(column.all())


def _holds(outcomes: Mapping[str, _Outcome], column: str) -> bool:
    outcome = outcomes.get(column)
    return outcome is not None and outcome.success and not outcome.raised


@dataclass(frozen=True)
class _Outcome:
    success: bool
    raised: bool
    positions: list[int]


def _outcomes(validation: Any) -> dict[str, _Outcome]:
    return {
        result.expectation_config.meta["column"]: _Outcome(
            success=bool(result.success),
            raised=_raised(result.exception_info),
            positions=sorted(
                int(position) for position in result.result.get("unexpected_index_list") or ()
            ),
        )
        for result in validation.results
    }


def _raised(exception_info: Mapping[str, Any]) -> bool:
    """Great Expectations gives either one record or one per metric."""
    if "raised_exception" in exception_info:
        return bool(exception_info["raised_exception"])
    return any(record.get("raised_exception") for record in exception_info.values())


def _batch(derived: pl.DataFrame) -> Any:
    """A batch in a context of its own, in memory, which dies with it (20 ms).

    Without a configuration of our own the context would make a temporary folder
    for its documentation site.
    """
    gx = _great_expectations()
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        ),
    )
    return (
        context.data_sources.add_pandas("returns")
        .add_dataframe_asset("rows")
        .add_batch_definition_whole_dataframe("all")
        .get_batch(batch_parameters={"dataframe": _as_pandas(derived)})
    )


def _as_pandas(derived: pl.DataFrame) -> pandas.DataFrame:
    """NumPy columns: Arrow-backed pandas is slower under Great Expectations."""
    import pandas

    return pandas.DataFrame({column.name: column.to_numpy() for column in derived})


def _suite(
    checks: tuple[Check, ...], agreed: tuple[Check, ...] = ()
) -> great_expectations.ExpectationSuite:
    return _suite_of(
        tuple((check.column, check.expectation, check.arguments) for check in checks),
        tuple(check.column for check in agreed),
    )


@lru_cache(maxsize=64)
def _suite_of(
    wanted: tuple[tuple[str, str, tuple[tuple[str, Any], ...]], ...], agreed: tuple[str, ...]
) -> great_expectations.ExpectationSuite:
    gx = _great_expectations()
    expectations = [_expectation(gx.expectations, *one) for one in wanted]
    if agreed:
        expectations.append(
            gx.expectations.ExpectMulticolumnSumToEqual(
                column_list=list(agreed),
                sum_total=len(agreed),
                ignore_row_if="never",
                meta={"column": _AGREED},
            )
        )
    return gx.ExpectationSuite(name="rules in force", expectations=expectations)


def _expectation(
    expect: Any, column: str, kind: str, arguments: tuple[tuple[str, Any], ...]
) -> Any:
    meta = {"column": column}
    if kind == "unique":
        return expect.ExpectCompoundColumnsToBeUnique(
            column_list=[_QUARTER, column], ignore_row_if="any_value_is_missing", meta=meta
        )
    kinds = {
        "not_null": expect.ExpectColumnValuesToNotBeNull,
        "in_set": expect.ExpectColumnValuesToBeInSet,
        "between": expect.ExpectColumnValuesToBeBetween,
    }
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in arguments}
    return kinds[kind](column=column, meta=meta, **given)


def _great_expectations() -> Any:
    """The module, with its telemetry off, which it looks up when first imported."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations

    return great_expectations
