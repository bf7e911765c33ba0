"""From the raw room to the validated room: rules, verdicts and pseudonyms, quarter by quarter.

A batch is everything of one quarter that has no verdict yet. The step may be killed and run again:
files are renamed into place whole and the verdicts reach the ledger last, so a batch without
verdicts is simply done once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from expectations.rule_catalogue import rule_set_hash
from expectations.suite import Engine
from pipelines.declarations import Declarations
from pipelines.files import write_whole
from pipelines.intake.accepted_returns import AcceptedReturns
from pipelines.intake.batches import Batch, stored_batches, waiting_submissions
from pipelines.intake.conservation import stored_event
from pipelines.intake.made_with import made_with
from pipelines.intake.pseudonyms import Pseudonymiser
from pipelines.intake.validation import (
    NO_ROWS_SET_ASIDE,
    ValidatedSubmission,
    holds_samples,
    problem_frame,
    run_rules,
    validate_submission,
)
from pipelines.lifecycle.ledger import HELD_FOR_CONFIRMATION, Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.readers.casting import validated_frame
from pipelines.settings import Settings

# A batch, and each of its submissions with its verdict.
ValidatedBatch = tuple[Batch, list[ValidatedSubmission]]


@dataclass(frozen=True)
class ValidationCounts:
    """Counts of what one quarter's batches came to; nothing in it is about a child.

    ``held`` are accepted after the quarter was locked: in no figure before a revision;
    ``to_confirm`` are in none before somebody confirms them.
    """

    quarter: Quarter
    accepted: int
    held: int
    to_confirm: int
    refused: int
    rows: dict[str, int]
    quarantined: int
    queries: int
    rules_run: int
    rules_crashed: int


def to_validated(
    settings: Settings, declarations: Declarations, quarters: Sequence[Quarter]
) -> list[ValidationCounts]:
    """Validate every waiting submission of ``quarters``, and write its rows with pseudonyms.

    Quarters whose rules agree share a batch of Great Expectations: twelve cost what one costs.
    A quarter in which nothing waits has no counts. Raises nothing for a bad return: that is a
    verdict. Raises KeyFileError, RowConservationError and OSError.
    """
    batches = [
        batch
        for quarter in quarters
        for batch in stored_batches(
            settings, declarations, quarter, waiting_submissions(settings, quarter)
        )
    ]
    reading_hash = made_with(declarations)
    key_id = Pseudonymiser.from_settings(settings).key_id if batches else None
    locked = _locked(settings)
    counts = []
    by_quarter: dict[Quarter, list[ValidatedBatch]] = {}
    for batch, validated in validate_batches(settings, declarations, batches):
        by_quarter.setdefault(batch.quarter, []).append((batch, validated))
    for quarter, mine in by_quarter.items():
        rules_hash = rule_set_hash(declarations, quarter)
        events, stored = [], []
        for batch, validated in mine:
            set_aside = {
                outcome.submission.submission_id: rows_set_aside(outcome) for outcome in validated
            }
            # Rows first, verdicts after: a verdict in the ledger is never without its rows, and a
            # batch that is killed in between is written again under the same name.
            write_validated(settings, declarations, batch, validated, set_aside)
            events += [
                outcome.event(rules_hash, declarations, reading_hash) | {"key_id": key_id}
                for outcome in validated
            ]
            stored.append(stored_event(settings, quarter.label, batch.name, set_aside, set_aside))
        # In one write, so that a crash leaves all verdicts of the quarter or none.
        Ledger(settings.ledger).append(*events, *stored)
        validated = [outcome for _, outcomes in mine for outcome in outcomes]
        held = sum(
            outcome.verdict.is_accepted
            and (_nation(outcome.submission, declarations), quarter.label) in locked
            for outcome in validated
        )
        counts.append(_counts(quarter, [batch for batch, _ in mine], validated, held))
    return counts


def validate_batches(
    settings: Settings,
    declarations: Declarations,
    batches: list[Batch],
    engine: Engine = "great_expectations",
) -> list[ValidatedBatch]:
    """Run the rules over batches and decide the verdict on each submission; nothing is written.

    They are compared with what the ledger of ``settings`` has accepted, and with each other.
    """
    samples = holds_samples(settings)
    returned = _returned(settings)
    _add_reference_data(batches, settings, declarations, samples, returned)
    run_rules(batches, declarations, engine)
    validated_batches = []
    for quarter in sorted({batch.quarter for batch in batches}):
        for batch in (batch for batch in batches if batch.quarter == quarter):
            of_batch = []
            for submission, layout in batch.submissions:
                outcome = validate_submission(
                    declarations,
                    batch,
                    submission,
                    layout,
                    samples,
                    is_returned=_of(submission) in returned,
                )
                if outcome.verdict.is_accepted and not submission.is_history:
                    returned.add(_of(submission))
                # The first that is accepted decides whether this is a collection of samples.
                if samples is None and outcome.verdict.is_accepted:
                    samples = submission.is_synthetic
                of_batch.append(outcome)
            validated_batches.append((batch, of_batch))
    return validated_batches


def rows_set_aside(outcome: ValidatedSubmission) -> dict[str, list[int]]:
    """Sheet rows in error of a submission, by return."""
    rows: dict[str, list[int]] = {}
    for name, row in outcome.verdict.quarantined:
        rows.setdefault(name, []).append(row)
    return {name: sorted(of_return) for name, of_return in sorted(rows.items())}


def _of(submission: Submission) -> tuple[str | None, str | None]:
    return submission.sender_code, submission.quarter


def _returned(settings: Settings) -> set[tuple[str | None, str | None]]:
    """Sender and quarter of every return of their own that was accepted and not withdrawn."""
    return {
        _of(item)
        for item in Ledger(settings.ledger).submissions()
        if item.is_accepted and not item.is_history and item.withdrawn_at is None
    }


def _add_reference_data(
    batches: list[Batch],
    settings: Settings,
    declarations: Declarations,
    samples: bool | None,
    returned: set[tuple[str | None, str | None]],
) -> None:
    """Give each batch its reference data, in which the others count that are validated with it.

    Which of them will be in force is seen from a first run of the rules by polars, quarter after
    quarter (0.1 CPU s each): Great Expectations then looks at all quarters at once. Rules across
    the sheets are queries, so that they change nothing of who is accepted.
    """
    if not batches:
        return
    pseudonymiser = Pseudonymiser.from_settings(settings)
    submissions = Ledger(settings.ledger).submissions()
    accepted = AcceptedReturns(settings, declarations, submissions, pseudonymiser.of_column)
    for quarter in sorted({batch.quarter for batch in batches}):
        mine = [batch for batch in batches if batch.quarter == quarter]
        for batch in mine:
            batch.reference_data = accepted.reference_data(quarter, batch.submitted, batch.typed)
            # Results of the first look are thrown away: verdicts come from the engine that was
            # asked for.
            first_look = replace(batch, results={})
            run_rules([first_look], declarations, engine="polars")
            newly_accepted, set_aside = [], [NO_ROWS_SET_ASIDE]
            for submitted, (submission, layout) in zip(
                batch.submitted, batch.submissions, strict=True
            ):
                outcome = validate_submission(
                    declarations,
                    first_look,
                    submission,
                    layout,
                    samples,
                    is_returned=_of(submission) in returned,
                )
                if outcome.verdict.is_accepted:
                    samples = submission.is_synthetic if samples is None else samples
                    newly_accepted.append(submitted)
                    set_aside.append(outcome.rows_set_aside)
            accepted.add(newly_accepted, batch.reference_data, pl.concat(set_aside))
        # After all batches of the quarter, since rules across sheets need the other senders'
        # returns of it.
        for batch in mine:
            assert batch.reference_data
            batch.reference_data = accepted.with_newly_accepted(quarter, batch.reference_data)


def write_validated(
    settings: Settings,
    declarations: Declarations,
    batch: Batch,
    validated: Sequence[ValidatedSubmission],
    set_aside: Mapping[str, Mapping[str, Sequence[int]]],
) -> None:
    """Write the rows and the problems of a batch, with pseudonyms.

    ``set_aside`` are the sheet rows that count in no figure, by submission and return.
    """
    pseudonymiser = Pseudonymiser.from_settings(settings)
    for name, frame in batch.typed.items():
        quarantined = pl.DataFrame(
            [
                (submission_id, row)
                for submission_id, of_submission in set_aside.items()
                for row in of_submission.get(name, ())
            ],
            schema={"submission_id": pl.String, "sheet_row": pl.Int64},
            orient="row",
        )
        rows = validated_frame(
            frame, declarations.returns[name], pseudonymiser.of_column, quarantined
        )
        _write_parquet(settings, name, batch, rows)
    _write_parquet(settings, "problems", batch, problem_frame(batch, validated))


def _write_parquet(settings: Settings, name: str, batch: Batch, frame: pl.DataFrame) -> None:
    folder = settings.validated / name / batch.quarter.label
    write_whole(folder / f"{batch.name}.parquet", frame.write_parquet)


def _locked(settings: Settings) -> set[tuple[str, str]]:
    """Nation and quarter of every lock in place."""
    locked: set[tuple[str, str]] = set()
    for event in Ledger(settings.ledger).events():
        if event["event"] == "locked":
            locked.add((event["nation_code"], event["quarter"]))
        elif event["event"] == "unlocked":
            locked.discard((event["nation_code"], event["quarter"]))
    return locked


def _nation(submission: Submission, declarations: Declarations) -> str:
    assert submission.sender_code
    return declarations.places[submission.sender_code].nation_code


def _counts(
    quarter: Quarter,
    batches: Sequence[Batch],
    validated: Sequence[ValidatedSubmission],
    held: int,
) -> ValidationCounts:
    accepted = [outcome.verdict for outcome in validated if outcome.verdict.is_accepted]
    results = [result for batch in batches for result in batch.results.values()]
    rows: dict[str, int] = {}
    for batch in batches:
        for name, frame in batch.typed.items():
            rows[name] = rows.get(name, 0) + frame.height
    return ValidationCounts(
        quarter=quarter,
        accepted=len(accepted) - held,
        held=held,
        to_confirm=sum(outcome.verdict.status == HELD_FOR_CONFIRMATION for outcome in validated),
        refused=sum(bool(outcome.verdict.refusals) for outcome in validated),
        rows=rows,
        quarantined=sum(
            of_return.rows_quarantined
            for verdict in accepted
            for of_return in verdict.returns.values()
        ),
        queries=sum(
            of_return.queries
            for outcome in validated
            for of_return in outcome.verdict.returns.values()
        ),
        rules_run=sum(result.rules_run for result in results),
        rules_crashed=sum(len(result.crashes) for result in results),
    )
