"""Runs the rules over a quarter: one Great Expectations batch per return.

A run of Great Expectations costs the same whatever the number of rows, so the rows of
every sender go through together and the problems are split by submission afterwards;
one run per submission took a hundred times as long.

Great Expectations looks at columns that polars has derived (``checked_rows.py``); for an
answer within two seconds polars looks at the same ones (``engine="polars"``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from expectations import great_expectations_engine, polars_engine
from expectations.checked_rows import PLACE, CheckedRows, checked_rows
from expectations.reference_data import ReferenceData
from expectations.return_as_a_whole import rows_in_words
from expectations.rule_counts import RuleCounts
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.readers.sentences import FileProblem
from pipelines.text.catalogue import Language

PROBLEM_SCHEMA: dict[str, Any] = {
    "submission_id": pl.String,
    "sender_code": pl.String,
    # What a problem never holds: a value of the row. Field, rule and place are enough to look it
    # up, and the frame is kept, counted and shown by Dagster.
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

Engine = Literal["great_expectations", "polars"]


@dataclass(frozen=True)
class Crash:
    """A rule that could not be run. ``kind`` is the kind of exception, never its text."""

    code: str
    field: str
    kind: str


@dataclass(frozen=True)
class QuarterResult:
    """What the rules say of one return in one quarter, of all senders.

    ``problems`` has the columns of ``PROBLEM_SCHEMA``, one row per failing row
    and rule, in the order of the typed frame. ``of_the_whole`` are the problems
    of a submission's return as a whole: which rows are missing, whether it is
    the right quarter's. A rule in ``crashes`` has been checked on no row: no
    submission with this return may be accepted.

    ``rules_run`` counts rules that were run for any submission, ``rules_skipped``
    those not in force; ``rule_counts`` gives both for one submission.
    """

    return_name: str
    quarter: Quarter
    problems: pl.DataFrame
    rows_read: Mapping[str, int]  # by submission
    rules_run: int
    rules_skipped: tuple[str, ...]
    crashes: tuple[Crash, ...]
    of_the_whole: Mapping[str, tuple[FileProblem, ...]] = field(default_factory=dict)
    counts_by_submission: Mapping[str, RuleCounts] = field(default_factory=dict)

    @property
    def crashed_rules(self) -> tuple[str, ...]:
        """What ``verdicts.decide_verdict`` wants: code and field, as the catalogue names them."""
        return tuple(f"{crash.code} {crash.field}" for crash in self.crashes)

    def rule_counts(self, submission_id: str) -> RuleCounts:
        """How many rules ran for a submission, how many were skipped and why, how many crashed.

        All zero for a submission that does not hold the return.
        """
        return self.counts_by_submission.get(submission_id, RuleCounts())


def validate_quarter(
    return_name: str,
    typed: pl.DataFrame,
    quarter: Quarter,
    declarations: Declarations,
    *,
    reference_data: ReferenceData | None = None,
    engine: Engine = "great_expectations",
) -> QuarterResult:
    """Check the typed rows of one return and quarter, of every sender together.

    ``typed`` is the typed frame: ``submission_id``, ``sender_code``,
    ``quarter``, ``sheet``, ``sheet_row``, the declared fields, and a
    ``readable__<field>`` for each date, integer and code. A column that a rule
    needs and that is not there makes that rule crash; nothing is raised.
    ``reference_data`` and ``engine`` as in ``validate_quarters``.
    """
    by_quarter = None if reference_data is None else {quarter: reference_data}
    return validate_quarters(
        return_name, {quarter: typed}, declarations, reference_data=by_quarter, engine=engine
    )[quarter]


def validate_quarters(
    return_name: str,
    typed: Mapping[Quarter, pl.DataFrame],
    declarations: Declarations,
    *,
    reference_data: Mapping[Quarter, ReferenceData] | None = None,
    engine: Engine = "great_expectations",
) -> dict[Quarter, QuarterResult]:
    """``validate_quarter`` for several quarters, sharing a batch where the rules agree.

    Twelve quarters under one declaration cost what one costs.

    ``reference_data`` is what the rows are compared with, by quarter: the prior returns, the
    other sheets. Make it with :func:`pipelines.intake.prior_period.reference_data_of_file` for a
    single file, with or without the file before it, and with
    :meth:`pipelines.intake.accepted_returns.AcceptedReturns.reference_data` for what was taken in.
    A rule for which something is not known is skipped for that submission, and
    ``QuarterResult.rule_counts`` says why. A return without rows (a nil return) is
    given as an empty typed frame; its rules as a whole then run if ``reference_data``
    is given.

    ``engine`` "polars" evaluates the very same columns without Great
    Expectations and pandas, which are then not imported.
    """
    by_quarter = reference_data or {}
    prepared = {
        quarter: checked_rows(return_name, frame, quarter, declarations, by_quarter.get(quarter))
        for quarter, frame in typed.items()
    }
    # Quarters whose rules agree share a batch: twelve quarters in one cost what one costs.
    # Splitting the problems by submission afterwards took less than 5 ms for 175 returns.
    same_suite: dict[tuple[Any, ...], list[CheckedRows]] = {}
    for pair in prepared.values():
        for rows in pair:
            same_suite.setdefault(rows.suite_key, []).append(rows)
    for together in same_suite.values():
        _check_together(together, engine)
    return {quarter: _result(*pair) for quarter, pair in prepared.items()}


def _check_together(together: Sequence[CheckedRows], engine: Engine) -> None:
    """Fill in ``failing`` and ``crashes`` of quarters that share a suite, from one batch."""
    # A return without rows has nothing to fail; its rules as a whole are a batch of their own.
    with_rows = [rows for rows in together if rows.typed.height]
    if not with_rows:
        return
    if engine == "polars":
        for rows in with_rows:
            rows.failing = polars_engine.failing_rows(rows.derived, rows.ran)
        return
    # Keys are numbered within a quarter, so they are unique within their quarter only.
    derived = pl.concat(
        [
            pl.DataFrame({great_expectations_engine.QUARTER: [number] * rows.typed.height}).hstack(
                rows.derived
            )
            for number, rows in enumerate(with_rows)
        ],
        how="diagonal_relaxed",
    )
    checks = [check for check in with_rows[0].checks if check.column in derived.columns]
    failing, crashes = great_expectations_engine.failing_rows(derived, checks)
    start = 0
    for rows in with_rows:
        end = start + rows.typed.height
        for column, positions in failing.items():
            if column not in rows.crashes:
                # Row numbers come back as positions in the batch, not in the quarter.
                mine = pl.Series([at - start for at in positions if start <= at < end])
                rows.failing[column] = mine.cast(pl.Int64)
        rows.crashes.update(
            {column: kind for column, kind in crashes.items() if column not in rows.crashes}
        )
        start = end


def _result(rows: CheckedRows, whole: CheckedRows) -> QuarterResult:
    rows_read = (
        dict(rows.typed.group_by("submission_id", maintain_order=True).len().rows())
        if rows.typed.height
        else {}
    )
    # Nil returns first: they have rules as a whole and no row.
    counts = {key: whole.rule_counts(key) for key in whole.typed["submission_id"].to_list()}
    for submission_id in rows_read:
        counts[submission_id] = counts.get(submission_id, RuleCounts()) + rows.rule_counts(
            submission_id
        )
    return QuarterResult(
        return_name=rows.return_name,
        quarter=rows.quarter,
        problems=_problems(rows),
        rows_read=rows_read,
        rules_run=len(rows.ran) + len(whole.ran),
        rules_skipped=rows.skipped + whole.skipped,
        crashes=tuple(
            Crash(check.code, check.fields[0], part.crashes[check.column])
            for part in (rows, whole)
            for check in part.checks
            if check.column in part.crashes
        ),
        of_the_whole=_problems_of_the_whole(whole),
        counts_by_submission=counts,
    )


def _problems(rows: CheckedRows) -> pl.DataFrame:
    failures = rows.failures()
    if failures.is_empty():
        return pl.DataFrame(schema=PROBLEM_SCHEMA)
    words = pl.DataFrame(
        [
            (check.fields[0], check.code, check.severity, check.sentence_en, check.sentence_cy)
            for check in rows.checks
        ],
        schema=["field", "code", "severity", "sentence_en", "sentence_cy"],
        orient="row",
    )
    places = rows.typed.select(PLACE)[failures["position"]]
    return places.hstack(words[failures["order"]]).select(
        pl.lit(rows.return_name).alias(column) if column == "return_name" else pl.col(column)
        for column in PROBLEM_SCHEMA
    )


def _problems_of_the_whole(whole: CheckedRows) -> dict[str, tuple[FileProblem, ...]]:
    """By submission. The sentences name counts, rows of the sheet and quarters, nothing else."""
    problems: dict[str, tuple[FileProblem, ...]] = {}
    for position, order in whole.failures().rows():
        check, row = whole.checks[order], whole.typed.row(position, named=True)
        problem = FileProblem(
            check.code,
            check.severity,
            row["sheet"],
            None,
            check.sentence_en.format_map(_in_words(row, "en")),
            check.sentence_cy.format_map(_in_words(row, "cy")),
            holds=check.holds,
        )
        submission_id = row["submission_id"]
        problems[submission_id] = (*problems.get(submission_id, ()), problem)
    return problems


def _in_words(row: Mapping[str, Any], language: Language) -> dict[str, Any]:
    return {
        name: rows_in_words(value, language) if isinstance(value, list) else value
        for name, value in row.items()
    }
