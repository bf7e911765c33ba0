"""Runs the rules over a quarter: one Great Expectations batch per return.

A run of Great Expectations costs 0.6–0.8 CPU s whatever the number of rows (8 ms
per expectation), so the rows of every sender go through together and the
problems are split by submission afterwards; one run per submission took a
hundred times as long.

Whatever a rule is about, it becomes a column first, by polars. Great
Expectations then looks at the columns; for an answer within two seconds polars
looks at the same ones (``engine="polars"``), without the import of 2 to 3.5
CPU s. A test holds the two to the same problems.

Great Expectations stores failing values by default. Here its context lives in
memory, it sees derived columns without references or dates, and it is asked
for row numbers only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from expectations.fields import Check, checks_in_force
from expectations.reference_data import (
    REASON_OF,
    Beside,
    known_to,
    rows_said,
    wholes,
    with_columns_beside,
)
from expectations.rules import RULES
from expectations.rules.rule import Need
from expectations.verdicts import RulesTold
from pipelines.declarations import Declarations, Return
from pipelines.quarters import Quarter
from pipelines.readers.sentences import FileProblem

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

Engine = Literal["great_expectations", "polars"]

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
    and rule, in the order of the typed frame. ``of_the_whole`` are the problems
    of a submission's return as a whole: which rows are missing, whether it is
    the right quarter's. A rule in ``crashes`` has been checked on no row: no
    submission with this return may be accepted.

    ``rules_run`` counts rules that were run for any submission, ``rules_skipped``
    those not in force; ``told`` says both of one submission.
    """

    return_name: str
    quarter: Quarter
    problems: pl.DataFrame
    rows_read: Mapping[str, int]  # by submission
    rules_run: int
    rules_skipped: tuple[str, ...]
    crashes: tuple[Crash, ...]
    of_the_whole: Mapping[str, tuple[FileProblem, ...]] = field(default_factory=dict)
    accounts: Mapping[str, RulesTold] = field(default_factory=dict)

    @property
    def crashed_rules(self) -> tuple[str, ...]:
        """What ``verdicts.judge`` wants: code and field, as the catalogue names them."""
        return tuple(f"{crash.code} {crash.field}" for crash in self.crashes)

    def told(self, submission_id: str) -> RulesTold:
        """How many rules ran for a submission, how many were skipped and why, how many crashed.

        Nothing of a submission that does not hold the return.
        """
        return self.accounts.get(submission_id, RulesTold())


def validate_quarter(
    return_name: str,
    typed: pl.DataFrame,
    quarter: Quarter,
    declarations: Declarations,
    *,
    beside: Beside | None = None,
    engine: Engine = "great_expectations",
) -> QuarterResult:
    """Check the typed rows of one return and quarter, of every sender together.

    ``typed`` is the typed frame: ``submission_id``, ``sender_code``,
    ``quarter``, ``sheet``, ``sheet_row``, the declared fields, and a
    ``readable__<field>`` for each date, integer and code. A column that a rule
    needs and that is not there makes that rule crash; nothing is raised.
    ``beside`` and ``engine`` as in ``validate_quarters``.
    """
    several = None if beside is None else {quarter: beside}
    return validate_quarters(
        return_name, {quarter: typed}, declarations, beside=several, engine=engine
    )[quarter]


def validate_quarters(
    return_name: str,
    typed: Mapping[Quarter, pl.DataFrame],
    declarations: Declarations,
    *,
    beside: Mapping[Quarter, Beside] | None = None,
    engine: Engine = "great_expectations",
) -> dict[Quarter, QuarterResult]:
    """``validate_quarter`` for several quarters, sharing a batch where the rules agree.

    Twelve quarters under one declaration cost what one costs.

    ``beside`` says what is known besides the rows: the last returns, the other
    sheets (:class:`expectations.reference_data.Beside`). Make it with
    :func:`pipelines.intake.prior_period.beside_one_file` for a single file, with or
    without the file before it, and with
    :meth:`pipelines.intake.prior_period.Known.beside` for what was taken in. A rule
    for which something is not known is skipped for that submission, and
    ``QuarterResult.told`` says why. A return without rows (a nil return) is
    given as an empty typed frame; its rules as a whole then run if ``beside``
    is given.

    ``engine`` "polars" evaluates the very same columns without Great
    Expectations and pandas, which are then not imported.
    """
    besides = beside or {}
    prepared = {
        quarter: _prepare(return_name, frame, quarter, declarations, besides.get(quarter))
        for quarter, frame in typed.items()
    }
    parts = [part for pair in prepared.values() for part in pair]
    groups: dict[tuple[Any, ...], list[_QuarterRows]] = {}
    for part in parts:
        groups.setdefault(part.suite_key, []).append(part)
    for several in groups.values():
        _check_together(several, engine)
    return {quarter: _result(*pair) for quarter, pair in prepared.items()}


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
        "limits": [repr(limit) for limit in declarations.rule_limits if limit.in_force(quarter)],
        "policies": sorted(
            repr(policy.refusal_for(quarter)) for policy in declarations.policies.values()
        ),
    }


def catalogue_of_rules(declarations: Declarations, quarter: Quarter) -> pl.DataFrame:
    """One row per rule in force in ``quarter``, as the officer may read it.

    Columns: return_name, code, severity, field, fields (``, `` joined),
    sentence_en, sentence_cy, source. A rule of a return as a whole is of no
    sheet's field: as in its problems, return_name and field are blank. What its
    sentence says of one return is an ellipsis here.
    """
    rows = [
        {
            "return_name": return_name if check.level == "row" else "",
            "code": check.code,
            "severity": check.severity,
            "field": check.fields[0] if check.level == "row" else "",
            "fields": ", ".join(check.fields),
            "sentence_en": _without_places(check.sentence_en),
            "sentence_cy": _without_places(check.sentence_cy),
            "source": check.source,
        }
        for return_name in declarations.returns
        for check in checks_in_force(return_name, quarter, declarations)[0]
    ]
    return pl.DataFrame(rows)


def _without_places(sentence: str) -> str:
    return sentence.format_map(defaultdict(lambda: "…"))


# --- one quarter's rows, ready to be checked ----------------------------------


@dataclass
class _QuarterRows:
    """Rows with the checks of their level: the rows of a return, or one for each return."""

    return_name: str
    quarter: Quarter
    typed: pl.DataFrame
    checks: tuple[Check, ...]
    skipped: tuple[str, ...]
    known: Mapping[Need, frozenset[str]]
    derived: pl.DataFrame  # a column per check that did not crash
    crashes: dict[str, str]  # by column: the kind of exception
    failing: dict[str, pl.Series]  # by column: row positions in ``typed``

    @property
    def suite_key(self) -> tuple[Any, ...]:
        return tuple((check.column, check.expectation, check.arguments) for check in self.checks)

    @property
    def ran(self) -> list[Check]:
        return [check for check in self.checks if check.column not in self.crashes]

    def found(self) -> pl.DataFrame:
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

    def told(self, submission_id: str) -> RulesTold:
        skipped: Counter[str] = Counter()
        for check in self.ran:
            if check.needs is not None and submission_id not in self.known[check.needs]:
                skipped[REASON_OF[check.needs]] += 1
        run = len(self.ran) - skipped.total()
        if self.skipped:
            skipped["NOT_IN_FORCE"] += len(self.skipped)
        return RulesTold(run, dict(skipped), len(self.crashes))


def _result(rows: _QuarterRows, whole: _QuarterRows) -> QuarterResult:
    counts = (
        rows.typed.group_by("submission_id", maintain_order=True).len().rows()
        if rows.typed.height
        else []
    )
    accounts = {key: whole.told(key) for key in whole.typed["submission_id"].to_list()}
    for submission_id, _ in counts:
        accounts[submission_id] = accounts.get(submission_id, RulesTold()) + rows.told(
            submission_id
        )
    return QuarterResult(
        return_name=rows.return_name,
        quarter=rows.quarter,
        problems=_problems(rows),
        rows_read=dict(counts),
        rules_run=len(rows.ran) + len(whole.ran),
        rules_skipped=rows.skipped + whole.skipped,
        crashes=tuple(
            Crash(check.code, check.fields[0], part.crashes[check.column])
            for part in (rows, whole)
            for check in part.checks
            if check.column in part.crashes
        ),
        of_the_whole=_of_the_whole(whole),
        accounts=accounts,
    )


def _problems(rows: _QuarterRows) -> pl.DataFrame:
    found = rows.found()
    if found.is_empty():
        return pl.DataFrame(schema=PROBLEM_SCHEMA)
    words = pl.DataFrame(
        [
            (check.fields[0], check.code, check.severity, check.sentence_en, check.sentence_cy)
            for check in rows.checks
        ],
        schema=["field", "code", "severity", "sentence_en", "sentence_cy"],
        orient="row",
    )
    places = rows.typed.select(_PLACE)[found["position"]]
    return places.hstack(words[found["order"]]).select(
        pl.lit(rows.return_name).alias(column) if column == "return_name" else pl.col(column)
        for column in PROBLEM_SCHEMA
    )


def _of_the_whole(whole: _QuarterRows) -> dict[str, tuple[FileProblem, ...]]:
    """By submission. The sentences name counts, rows of the sheet and quarters, nothing else."""
    told: dict[str, tuple[FileProblem, ...]] = {}
    for position, order in whole.found().rows():
        check, row = whole.checks[order], whole.typed.row(position, named=True)
        problem = FileProblem(
            check.code,
            check.severity,
            row["sheet"],
            None,
            check.sentence_en.format_map(_said(row, "en")),
            check.sentence_cy.format_map(_said(row, "cy")),
        )
        told[row["submission_id"]] = (*told.get(row["submission_id"], ()), problem)
    return told


def _said(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    return {
        name: rows_said(value, language) if isinstance(value, list) else value
        for name, value in row.items()
    }


def _prepare(
    return_name: str,
    typed: pl.DataFrame,
    quarter: Quarter,
    declarations: Declarations,
    beside: Beside | None,
) -> tuple[_QuarterRows, _QuarterRows]:
    """The rows, and the return as a whole, each with the columns of its checks."""
    checks, skipped = checks_in_force(return_name, quarter, declarations)
    declared = declarations.returns[return_name]
    frame, known = _with_beside(typed, declared, declarations, beside)
    whole = _whole(frame, declared, quarter, beside)
    levels = {rule.code: rule.level for rule in RULES[return_name]}

    def part(frame: pl.DataFrame, level: str) -> _QuarterRows:
        mine = tuple(check for check in checks if check.level == level)
        out_of_force = tuple(code for code in skipped if levels[code] == level)
        derived, crashes = _derive(frame, mine)
        return _QuarterRows(
            return_name, quarter, frame, mine, out_of_force, known, derived, crashes, {}
        )

    return part(frame, "row"), part(whole, "return")


def _with_beside(
    typed: pl.DataFrame, declared: Return, declarations: Declarations, beside: Beside | None
) -> tuple[pl.DataFrame, Mapping[Need, frozenset[str]]]:
    """Rows with what is known beside them; alone where a frame has not what that is made of.

    Then each rule that misses a column crashes by name.
    """
    try:
        frame = with_columns_beside(typed, declared, declarations, beside)
        return frame, known_to(frame, declared, beside)
    except _RULE_FAILS:
        return typed, known_to(typed, declared, None)


def _whole(
    frame: pl.DataFrame, declared: Return, quarter: Quarter, beside: Beside | None
) -> pl.DataFrame:
    try:
        return wholes(frame, declared, quarter, beside)
    except _RULE_FAILS:
        return frame.select(_PLACE).unique("submission_id", keep="first", maintain_order=True)


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
    kinds = derived.schema
    return {
        check.column: "NotBoolean"
        for check in checks
        if check.is_truth and kinds[check.column] != pl.Boolean
    }


def _truths(checks: Sequence[Check]) -> list[pl.Expr]:
    return [pl.col(check.column).fill_null(True) for check in checks if check.is_truth]


# --- looking at the columns ---------------------------------------------------


def _check_together(several: Sequence[_QuarterRows], engine: Engine) -> None:
    """Fill in ``failing`` and ``crashes`` of quarters that share a suite, from one batch."""
    with_rows = [rows for rows in several if rows.typed.height]
    if not with_rows:
        return
    if engine == "polars":
        for rows in with_rows:
            rows.failing = _failing(rows.derived, rows.ran)
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
                mine = pl.Series([at - start for at in positions if start <= at < end])
                rows.failing[column] = mine.cast(pl.Int64)
        rows.crashes.update(
            {column: kind for column, kind in crashes.items() if column not in rows.crashes}
        )
        start = end


def _failing(derived: pl.DataFrame, checks: Sequence[Check]) -> dict[str, pl.Series]:
    """Positions of failing rows by column, as Great Expectations would have it."""
    fails = derived.select(_fails(check).fill_null(False).alias(check.column) for check in checks)
    counts = fails.sum().row(0) if fails.width else ()
    return {
        name: fails[name].arg_true().cast(pl.Int64)
        for name, count in zip(fails.columns, counts, strict=True)
        if count
    }


def _fails(check: Check) -> pl.Expr:
    """Null holds, but for ``not_null``."""
    column, arguments = pl.col(check.column), dict(check.arguments)
    match check.expectation:
        case "not_null":
            return column.is_null()
        case "in_set":
            return ~column if check.is_truth else ~column.is_in(list(arguments["value_set"]))
        case "between":
            low, high = arguments.get("min_value"), arguments.get("max_value")
            outside = [column < low] if low is not None else []
            outside += [column > high] if high is not None else []
            return pl.any_horizontal(outside)
        case "unique":
            return column.is_duplicated() & column.is_not_null()


# --- Great Expectations -------------------------------------------------------


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
