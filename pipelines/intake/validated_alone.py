"""One return validated by itself, in memory, as ``adoption check`` does on a sender's machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from expectations.rule_catalogue import rule_set_hash
from expectations.suite import Engine
from pipelines.declarations import Declarations
from pipelines.intake.batches import Batch, layout_record, typed_rows
from pipelines.intake.prior_period import reference_data_of_file
from pipelines.intake.problems import in_sheet_order
from pipelines.intake.validation import problem_frame, run_rules, validate_submission
from pipelines.lifecycle.ledger import Submission
from pipelines.quarters import Quarter
from pipelines.readers.layout import LaidOut


@dataclass(frozen=True)
class ValidatedAlone:
    """What would become of one return: the ledger's event, every problem, the typed rows."""

    event: dict[str, Any]
    problems: list[dict[str, Any]]
    typed: dict[str, pl.DataFrame]


def validate_alone(
    declarations: Declarations,
    submission: Submission,
    laid_out: LaidOut,
    *,
    prior_return: Mapping[str, pl.DataFrame] | None = None,
    engine: Engine = "polars",
) -> ValidatedAlone:
    """Validate one return, as :func:`pipelines.intake.validated.to_validated` those that wait.

    ``submission`` has a sender and a quarter. ``prior_return`` are typed frames of the sender's
    file for the quarter before, as :func:`pipelines.intake.prior_period.reference_data_of_file`
    wants them. Nothing is written and no key is needed. Whether the collection holds sample returns
    is not known here, so that is never a reason to refuse. Raises NotThePriorReturn.
    """
    assert submission.quarter and submission.sender_code
    quarter = Quarter.parse(submission.quarter)
    layout = layout_record(laid_out)
    typed = typed_rows(laid_out, declarations, quarter)
    batch = Batch(quarter, submission.submission_id, [(submission, layout)], typed)
    batch.reference_data = reference_data_of_file(
        declarations,
        quarter,
        submission.sender_code,
        {
            name: batch.rows_of(name, declarations)
            for submitted in batch.submitted
            for name in submitted.returns
        },
        prior_return=prior_return,
        submission_id=submission.submission_id,
        nil=layout["nil_returns"],
    )
    run_rules([batch], declarations, engine)
    outcome = validate_submission(declarations, batch, submission, layout, samples=None)
    return ValidatedAlone(
        outcome.event(rule_set_hash(declarations, quarter), declarations),
        in_sheet_order(problem_frame(batch, [outcome])).to_dicts(),
        typed,
    )
