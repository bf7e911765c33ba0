"""Stored submissions validated once more by the rules as they stand; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from expectations.rule_catalogue import rule_set_hash
from expectations.suite import Engine
from pipelines.declarations import Declarations
from pipelines.intake.accepted_returns import AcceptedReturns
from pipelines.intake.batches import received_batches, stored_batches
from pipelines.intake.pseudonyms import Pseudonymiser
from pipelines.intake.validation import (
    holds_samples,
    problem_frame,
    run_rules,
    validate_submission,
)
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.settings import Settings


@dataclass(frozen=True)
class ValidatedAgain:
    """What would become of a stored submission today: the ledger's event, and every problem."""

    submission: Submission
    event: dict[str, Any]
    problems: pl.DataFrame


def validate_again(
    settings: Settings,
    declarations: Declarations,
    submissions: Sequence[Submission],
    engine: Engine = "polars",
) -> Iterator[ValidatedAgain]:
    """Validate submissions that have a verdict already, by the rules as they stand.

    Their rows are those of the raw room or, where they are not there any more, of the file as
    received; a submission of which neither is on disk is left out. They are compared with what is
    accepted now. Raises KeyFileError and RowConservationError.
    """
    if not submissions:
        return
    every = Ledger(settings.ledger).submissions()
    samples = holds_samples(settings)
    pseudonymiser = Pseudonymiser.from_settings(settings)
    accepted = AcceptedReturns(settings, declarations, every, pseudonymiser.of_column)
    for label in sorted({item.quarter for item in submissions if item.quarter}):
        quarter = Quarter.parse(label)
        rules_hash = rule_set_hash(declarations, quarter)
        mine = [item for item in submissions if item.quarter == label]
        batches = list(stored_batches(settings, declarations, quarter, mine))
        in_raw = {item.submission_id for batch in batches for item, _ in batch.submissions}
        gone = [item for item in mine if item.submission_id not in in_raw]
        batches += received_batches(settings, declarations, quarter, gone)
        for batch in batches:
            batch.reference_data = accepted.reference_data(quarter, batch.submitted, batch.typed)
            run_rules([batch], declarations, engine)
            validated = [
                validate_submission(declarations, batch, submission, layout, samples)
                for submission, layout in batch.submissions
            ]
            problems = problem_frame(batch, validated)
            by_submission = problems.partition_by("submission_id", as_dict=True)
            for outcome in validated:
                key = (outcome.submission.submission_id,)
                yield ValidatedAgain(
                    outcome.submission,
                    outcome.event(rules_hash, declarations),
                    by_submission.get(key, problems.clear()),
                )
