"""The columns of checks looked at by Great Expectations.

It stores failing values by default. Here its context lives in memory, it sees derived columns
without references or dates, and it is asked for row numbers only. A run costs 0.6 to 0.8 CPU s
whatever the number of rows (8 ms per expectation), and its import 2 to 3.5 CPU s.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import polars as pl

from expectations.fields import Check

if TYPE_CHECKING:
    import great_expectations
    import pandas
    from great_expectations.datasource.fluent.interfaces import Batch

QUARTER = "quarter"  # of a derived row: its number within the batch
_ALL_TRUE = "all true"  # names the expectation on columns that look true throughout

# Given to every run: set on an expectation alone it is ignored (great_expectations#8469, #8780),
# and with the default 20 to 40 names stood in the results of 200,000 rows.
_TRUTH_ONLY = {"result_format": "BOOLEAN_ONLY"}
_ROW_NUMBERS = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "exclude_unexpected_values": True,
    "include_unexpected_rows": False,
    "return_unexpected_index_query": False,
}


def failing_rows(
    derived: pl.DataFrame, checks: Sequence[Check]
) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Positions of failing rows, and kinds of crash, by column.

    ``derived`` has a column for each check, and ``QUARTER``. Truths that look true
    throughout are put to Great Expectations as one sum over their columns, which is
    right on every row only if each of them is. The others are checked one by one, and
    row numbers, which double the cost of an expectation, are asked for in a second
    look at those that failed. On the same batch this takes 0.5 CPU s for 123 checks,
    one by one 1.2 to 2.1. Raises nothing: what fails is a crash, by its kind.
    """
    # "Looks true" is polars' word; Great Expectations still confirms it, by the sum.
    all_true = tuple(
        check for check in checks if check.is_truth and _is_true_throughout(derived, check)
    )
    if len(all_true) < 2:  # no sum: the expectation wants two columns
        all_true = ()
    doubted = tuple(check for check in checks if check.is_truth and check not in all_true)
    others = tuple(check for check in checks if not check.is_truth)
    try:
        batch = _batch(derived)
        first = _outcomes(batch.validate(_suite(others, all_true), result_format=_TRUTH_ONLY))
        failed = tuple(check for check in others if not _holds(first, check.column))
        # COMPLETE is the only format with every row number; its values are switched off one by one,
        # since with them the results of 200,000 rows were 24 MB and took 54 s.
        looked_at_again = doubted + failed
        second = (
            _outcomes(batch.validate(_suite(looked_at_again), result_format=_ROW_NUMBERS))
            if looked_at_again
            else {}
        )
    except Exception as failure:  # its text may quote a value, so only its kind is kept
        kind = type(failure).__name__
        return {}, {check.column: kind for check in checks}
    crashes: dict[str, str] = {}
    if all_true and not _holds(first, _ALL_TRUE):
        # The two disagree about a column: no verdict may rest on either of them.
        crashes = {check.column: "NotEvaluated" for check in all_true}
    failing: dict[str, list[int]] = {}
    for check in looked_at_again:
        outcome = second.get(check.column)
        # A result that is missing or contradicts itself is a crash, never a pass.
        if outcome is None or outcome.raised or outcome.success != (not outcome.positions):
            crashes[check.column] = "NotEvaluated"
        elif outcome.positions:
            failing[check.column] = outcome.positions
        elif check in failed:  # and yet it holds on every row
            crashes[check.column] = "NotEvaluated"
    return failing, crashes


def _is_true_throughout(derived: pl.DataFrame, check: Check) -> bool:
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


def _batch(derived: pl.DataFrame) -> Batch:
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

    # In memory: a file context writes every validation result to disk, readable by everybody
    # (0644).
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
    checks: tuple[Check, ...], all_true: tuple[Check, ...] = ()
) -> great_expectations.ExpectationSuite:
    return _suite_of(
        tuple((check.column, check.expectation, check.arguments) for check in checks),
        tuple(check.column for check in all_true),
    )


# Kept, since the quarters of one run ask for the same suites again.
@lru_cache(maxsize=64)
def _suite_of(
    wanted: tuple[tuple[str, str, tuple[tuple[str, Any], ...]], ...], all_true: tuple[str, ...]
) -> great_expectations.ExpectationSuite:
    gx = _great_expectations()
    expectations = [_expectation(gx.expectations, *arguments) for arguments in wanted]
    if all_true:
        expectations.append(
            gx.expectations.ExpectMulticolumnSumToEqual(
                column_list=list(all_true),
                sum_total=len(all_true),
                ignore_row_if="never",
                meta={"column": _ALL_TRUE},
            )
        )
    return gx.ExpectationSuite(name="rules in force", expectations=expectations)


def _expectation(
    expect: Any, column: str, kind: str, arguments: tuple[tuple[str, Any], ...]
) -> Any:
    meta = {"column": column}
    if kind == "unique":
        return expect.ExpectCompoundColumnsToBeUnique(
            # Unique within its quarter: the same key in two quarters of a batch is one case,
            # reported twice.
            column_list=[QUARTER, column],
            ignore_row_if="any_value_is_missing",
            meta=meta,
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
