"""Rules run over batches, and what becomes of each submission in them.

The same steps for what waits (``validated.py``), for one return on its sender's own machine
(``validated_alone.py``) and for a trial of rules (``validated_again.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from expectations.rule_counts import RuleCounts
from expectations.suite import Engine, validate_quarters
from expectations.verdicts import ReturnSent, Verdict, decide_verdict
from pipelines.declarations import Declarations
from pipelines.intake.batches import Batch
from pipelines.intake.consequences import fold_consequences
from pipelines.intake.problems import PROBLEM_SCHEMA
from pipelines.lifecycle.days import LOCAL
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.lifecycle.records import WHOLE_FILE
from pipelines.quarters import Quarter
from pipelines.readers.return_sheet import RowConservationError
from pipelines.readers.sentences import FileProblem, of_the_collection
from pipelines.settings import Settings

NO_ROWS_SET_ASIDE = pl.DataFrame(
    schema={"submission_id": pl.String, "return_name": pl.String, "sheet_row": pl.Int64}
)


@dataclass(frozen=True)
class ValidatedSubmission:
    """One submission with its problems and its verdict. ``layout`` is its record in the batch."""

    submission: Submission
    layout: dict[str, Any]
    file_problems: tuple[FileProblem, ...]
    row_problems: pl.DataFrame
    verdict: Verdict
    rules: RuleCounts

    @property
    def rows_set_aside(self) -> pl.DataFrame:
        """submission_id, return_name and sheet_row of every row in error."""
        rows = [(self.submission.submission_id, *row) for row in self.verdict.quarantined]
        return pl.DataFrame(rows, schema=NO_ROWS_SET_ASIDE.schema, orient="row")

    def event(
        self,
        rules_hash: str,
        declarations: Declarations,
        reading_hash: str | None = None,
    ) -> dict[str, Any]:
        """The verdict as the ledger keeps it: counts, codes and sentences, no value of a row.

        ``rules_hash`` is :func:`expectations.rule_catalogue.rule_set_hash`, ``reading_hash``
        :func:`pipelines.intake.made_with.made_with`, or None where nothing is kept.
        """
        verdict = self.verdict
        return {
            "event": "judged",
            "submission_id": self.submission.submission_id,
            "status": verdict.status,
            "refusal_code": verdict.refusal_code,
            "refusal_sentence_en": verdict.refusal_sentence_en,
            "refusal_sentence_cy": verdict.refusal_sentence_cy,
            "refusals": [asdict(refusal) for refusal in verdict.refusals],
            "held_for": [asdict(reason) for reason in verdict.held_for],
            "status_once_confirmed": verdict.status_once_confirmed,
            "queries": self.rows_by_rule("query"),
            "errors": self.rows_by_rule("error"),
            "is_late": is_late(self.submission, declarations),
            "rule_set_hash": rules_hash,
            "made_with": reading_hash,
            "rules": self.rules.as_json(),
            "returns": {
                name: {
                    "is_nil": counts.is_nil,
                    "rows_read": counts.rows_read,
                    "rows_accepted": counts.rows_accepted,
                    "rows_quarantined": counts.rows_quarantined,
                    "errors": counts.errors,
                    "queries": counts.queries,
                }
                for name, counts in verdict.returns.items()
            },
        }

    def rows_by_rule(self, severity: str) -> dict[str, dict[str, int]]:
        """Rows with a problem of this severity, by return and rule code.

        Of the file as a whole each cell that is named counts, and what names none counts once.
        """
        rows: dict[str, dict[str, set[object]]] = {}
        wanted = self.row_problems.filter(pl.col("severity") == severity)
        for name, code, row in wanted.select("return_name", "code", "sheet_row").iter_rows():
            rows.setdefault(name or WHOLE_FILE, {}).setdefault(code, set()).add(row)
        for problem in self.file_problems:
            if problem.severity == severity:
                cells = {(problem.sheet, problem.field, cell) for cell in problem.cells or ("",)}
                rows.setdefault(WHOLE_FILE, {}).setdefault(problem.code, set()).update(cells)
        return {
            name: {code: len(places) for code, places in sorted(by_code.items())}
            for name, by_code in sorted(rows.items())
        }


def is_late(submission: Submission, declarations: Declarations) -> bool:
    """Received after the deadline's end of day in Wales and England."""
    assert submission.sender_code and submission.quarter
    # By the day in Wales and England: at 00:30 in summer it is still the day before in UTC, and a
    # file of the day after the deadline would pass for one in time.
    deadline = declarations.policy_for(submission.sender_code).deadline(
        Quarter.parse(submission.quarter)
    )
    return submission.received_at.astimezone(LOCAL).date() > deadline


def holds_samples(settings: Settings) -> bool | None:
    """Whether the collection holds sample returns; None before the first was accepted."""
    submissions = Ledger(settings.ledger).submissions()
    return next((item.is_synthetic for item in submissions if item.is_accepted), None)


def run_rules(
    batches: Sequence[Batch], declarations: Declarations, engine: Engine = "great_expectations"
) -> None:
    """Fill in the results of batches, which have their reference data.

    Batches of different quarters go through Great Expectations together; a second one of the same
    quarter goes through after them, since keys are unique within a quarter's batch only.
    """
    # One Great Expectations run costs 0.6 to 0.8 CPU s whatever the rows: 175 returns of a quarter
    # took about 1 s in one batch and 84 to 106 s one by one.
    turn_of: dict[Quarter, int] = {}
    turns: dict[int, list[Batch]] = {}
    for batch in batches:
        turn = turn_of.get(batch.quarter, 0)
        turn_of[batch.quarter] = turn + 1
        turns.setdefault(turn, []).append(batch)
    for together in turns.values():
        reference_data = {
            batch.quarter: batch.reference_data for batch in together if batch.reference_data
        }
        for name in declarations.returns:
            typed = {
                batch.quarter: batch.rows_of(name, declarations)
                for batch in together
                if name in batch.typed or any(name in each.returns for each in batch.submitted)
            }
            if not typed:
                continue
            results = validate_quarters(
                name, typed, declarations, reference_data=reference_data, engine=engine
            )
            for batch in together:
                if batch.quarter in results:
                    batch.results[name] = results[batch.quarter]


def validate_submission(
    declarations: Declarations,
    batch: Batch,
    submission: Submission,
    layout: dict[str, Any],
    samples: bool | None,
    *,
    is_returned: bool = False,
) -> ValidatedSubmission:
    """The problems and the verdict of one submission of a batch whose rules have run.

    ``samples`` is :func:`holds_samples`, or None where that is not known; ``is_returned`` whether
    the sender's own return for the quarter has been accepted, which history never replaces. Raises
    RowConservationError where the rules did not see every row that was read.
    """
    assert submission.sender_code
    quarter, results = batch.quarter, batch.results
    row_problems = batch.problems.get(submission.submission_id)
    if row_problems is None:
        row_problems = pl.DataFrame(schema=PROBLEM_SCHEMA)
    rows = _rows_checked(batch, submission, layout)
    nil = set(layout["nil_returns"])
    due = declarations.due_from(submission.sender_code, quarter)
    if submission.is_history:
        # What yearly files do not hold stays missing; it is no reason to refuse what they do.
        due = tuple(name for name in due if rows.get(name) or name in nil)
    file_problems: Sequence[FileProblem] = (
        *(_file_problem(problem) for problem in layout["problems"]),
        *_collection_problems(submission, quarter, due, samples, is_returned),
        *(
            problem
            for result in results.values()
            for problem in result.of_the_whole.get(submission.submission_id, ())
        ),
    )
    row_problems, file_problems = fold_consequences(row_problems, file_problems)
    verdict = decide_verdict(
        submission.submission_id,
        due=due,
        returns={
            name: ReturnSent(name, rows.get(name, 0), name in nil)
            for name in declarations.returns
            if rows.get(name) or name in nil or name in due
        },
        file_problems=file_problems,
        row_problems=row_problems,
        limits=declarations.policy_for(submission.sender_code).refusal_for(quarter),
        crashed_rules=[
            rule
            for name, result in results.items()
            if rows.get(name) or name in nil
            for rule in result.crashed_rules
        ],
    )
    counts = [result.rule_counts(submission.submission_id) for result in results.values()]
    rules = sum(counts, start=RuleCounts())
    return ValidatedSubmission(
        submission, layout, tuple(file_problems), row_problems, verdict, rules
    )


def _file_problem(record: Mapping[str, Any]) -> FileProblem:
    """A problem as its record in the layout of a batch has it."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in record.items()
    }
    return FileProblem(**values)


def _rows_checked(batch: Batch, submission: Submission, layout: dict[str, Any]) -> dict[str, int]:
    """Rows that the rules saw, by return. Raises RowConservationError if not all that were read."""
    rows = {}
    for name, sheet in layout["returns"].items():
        result = batch.results.get(name)
        rows[name] = result.rows_read.get(submission.submission_id, 0) if result else 0
        # Rows conserved: an English health agency lost 15,841 results in 2020 to a row limit that
        # nobody counted against. Here each step accounts for every row.
        if rows[name] != sheet["rows"]:
            raise RowConservationError(
                f"{submission.submission_id}, {name}: {sheet['rows']} rows read, "
                f"{rows[name]} checked"
            )
    return rows


def _collection_problems(
    submission: Submission,
    quarter: Quarter,
    due: tuple[str, ...],
    samples: bool | None,
    is_returned: bool,
) -> list[FileProblem]:
    """What only the collection knows: is the quarter over, is anything due, is it a sample."""
    codes = []
    if submission.received_at.astimezone(LOCAL).date() <= quarter.last_day:
        codes.append("QUARTER_NOT_OVER")
    if not due:
        codes.append("NOTHING_DUE")
    if submission.is_history and is_returned:
        codes.append("HISTORY_REPLACES_RETURN")
    # One sample return in a real total would go unnoticed, so the two never share a data folder.
    if samples is not None and samples != submission.is_synthetic:
        codes.append("SYNTHETIC_AMONG_REAL" if submission.is_synthetic else "REAL_AMONG_SYNTHETIC")
    return [of_the_collection(code, quarter.label) for code in codes]


def problem_frame(batch: Batch, validated: Sequence[ValidatedSubmission]) -> pl.DataFrame:
    """Problems of the files, then of the rows, each with its cell's address: ``PROBLEM_SCHEMA``."""
    of_files = pl.DataFrame(
        [
            {
                "submission_id": each.submission.submission_id,
                "sender_code": each.submission.sender_code,
                "quarter": batch.quarter.label,
                "sheet": problem.sheet,
                "field": problem.field,
                "code": problem.code,
                "severity": problem.severity,
                "sentence_en": problem.sentence_en,
                "sentence_cy": problem.sentence_cy,
            }
            for each in validated
            for problem in each.file_problems
        ],
        schema=PROBLEM_SCHEMA,
    )
    letters = pl.DataFrame(
        [
            (each.submission.submission_id, name, field, letter)
            for each in validated
            for name, sheet in each.layout["returns"].items()
            for field, letter in sheet["columns"].items()
        ],
        schema=dict.fromkeys(("submission_id", "return_name", "field", "letter"), pl.String),
        orient="row",
    )
    of_rows = [
        each.row_problems.join(letters, on=["submission_id", "return_name", "field"], how="left")
        .with_columns(cell=pl.col("letter") + pl.col("sheet_row").cast(pl.String))
        .select(*PROBLEM_SCHEMA)
        for each in validated
        if each.row_problems.height
    ]
    return pl.concat([of_files, *of_rows])
