"""Rows of one return and quarter with a column for each check, ready to be looked at.

Whatever a rule is about, it becomes a column first, by polars. A rule that cannot be turned into
one has crashed, and is named; the others still run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from expectations.fields import Check, checks_in_force
from expectations.reference_columns import known_to, with_reference_columns
from expectations.reference_data import ReferenceData
from expectations.return_as_a_whole import returns_as_a_whole
from expectations.rule_counts import REASON_OF, RuleCounts
from expectations.rules import RULES
from expectations.rules.rule import Need
from pipelines.declarations import Declarations, Return
from pipelines.quarters import Quarter

PLACE = ("submission_id", "sender_code", "quarter", "sheet", "sheet_row")

# What polars raises where a rule does not fit the rows. PanicException is not
# an Exception; a rule that panics is a rule that crashed.
_RULE_FAILS = (Exception, pl.exceptions.PanicException)


@dataclass
class CheckedRows:
    """Rows with the checks of their level: the rows of a return, or one for each return.

    ``known`` are the submissions for which each need of a rule is met. ``derived`` has a
    column for each check that did not crash; ``crashes`` the kind of exception of the others,
    by column. ``failing`` is filled in when they have been looked at: row positions in
    ``typed``, by column.
    """

    return_name: str
    quarter: Quarter
    typed: pl.DataFrame
    checks: tuple[Check, ...]
    skipped: tuple[str, ...]
    known: Mapping[Need, frozenset[str]]
    derived: pl.DataFrame
    crashes: dict[str, str]
    failing: dict[str, pl.Series] = field(default_factory=dict)

    @property
    def suite_key(self) -> tuple[Any, ...]:
        """Equal for rows of different quarters that can share a batch."""
        return tuple((check.column, check.expectation, check.arguments) for check in self.checks)

    @property
    def ran(self) -> list[Check]:
        return [check for check in self.checks if check.column not in self.crashes]

    def failures(self) -> pl.DataFrame:
        """Position in ``typed`` and number of the check, for every failing row, in that order."""
        parts = [
            pl.DataFrame({"position": positions, "order": pl.Series([order], dtype=pl.Int64)})
            if positions.len() == 1
            else positions.to_frame("position").with_columns(order=pl.lit(order, pl.Int64))
            for order, check in enumerate(self.checks)
            if (positions := self.failing.get(check.column)) is not None and positions.len()
        ]
        if not parts:
            return pl.DataFrame(schema={"position": pl.Int64, "order": pl.Int64})
        return pl.concat(parts).sort("position", "order")

    def rule_counts(self, submission_id: str) -> RuleCounts:
        """Rules run, skipped and crashed for one submission that holds the return."""
        skipped: Counter[str] = Counter()
        for check in self.ran:
            if check.needs is not None and submission_id not in self.known[check.needs]:
                skipped[REASON_OF[check.needs]] += 1
        run = len(self.ran) - skipped.total()
        if self.skipped:
            skipped["NOT_IN_FORCE"] += len(self.skipped)
        return RuleCounts(run, dict(skipped), len(self.crashes))


def checked_rows(
    return_name: str,
    typed: pl.DataFrame,
    quarter: Quarter,
    declarations: Declarations,
    reference_data: ReferenceData | None,
) -> tuple[CheckedRows, CheckedRows]:
    """The rows, and the return as a whole, each with the columns of its checks."""
    checks, skipped = checks_in_force(return_name, quarter, declarations)
    declared = declarations.returns[return_name]
    frame, known = _with_reference_data(typed, declared, declarations, reference_data)
    whole = _whole(frame, declared, quarter, declarations, reference_data)
    levels = {rule.code: rule.level for rule in RULES[return_name]}

    def part(frame: pl.DataFrame, level: str) -> CheckedRows:
        mine = tuple(check for check in checks if check.level == level)
        out_of_force = tuple(code for code in skipped if levels[code] == level)
        derived, crashes = _derive(frame, mine)
        return CheckedRows(return_name, quarter, frame, mine, out_of_force, known, derived, crashes)

    return part(frame, "row"), part(whole, "return")


def _with_reference_data(
    typed: pl.DataFrame,
    declared: Return,
    declarations: Declarations,
    reference_data: ReferenceData | None,
) -> tuple[pl.DataFrame, Mapping[Need, frozenset[str]]]:
    """Rows with what they are compared with; alone where a frame lacks what that is made of.

    Then each rule that misses a column crashes by name.
    """
    try:
        frame = with_reference_columns(typed, declared, declarations, reference_data)
        return frame, known_to(frame, declared, reference_data)
    except _RULE_FAILS:
        # Nobody's return is accepted unchecked: a rule whose column is missing crashes, and a crash
        # refuses.
        return typed, known_to(typed, declared, None)


def _whole(
    frame: pl.DataFrame,
    declared: Return,
    quarter: Quarter,
    declarations: Declarations,
    reference_data: ReferenceData | None,
) -> pl.DataFrame:
    try:
        return returns_as_a_whole(frame, declared, quarter, declarations, reference_data)
    except _RULE_FAILS:
        return frame.select(PLACE).unique("submission_id", keep="first", maintain_order=True)


def _derive(typed: pl.DataFrame, checks: Sequence[Check]) -> tuple[pl.DataFrame, dict[str, str]]:
    """The column of each check; and the kind of exception of each that has none."""
    try:
        expressions = [check.derive().alias(check.column) for check in checks]
        derived = typed.select(expressions)
        if typed.height == derived.height and not _misfits(derived, checks):
            return derived.with_columns(_truths(checks)), {}
    except _RULE_FAILS:
        pass  # which check it was is seen below, where they are taken one by one
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
    kinds = derived.schema
    return {
        check.column: "NotBoolean"
        for check in checks
        if check.is_truth and kinds[check.column] != pl.Boolean
    }


def _truths(checks: Sequence[Check]) -> list[pl.Expr]:
    return [pl.col(check.column).fill_null(True) for check in checks if check.is_truth]
