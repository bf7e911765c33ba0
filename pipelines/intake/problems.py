"""Problems of returns as the validated room holds them."""

from __future__ import annotations

from typing import Any

import polars as pl

from pipelines.lifecycle.ledger import Submission
from pipelines.settings import Settings

# A row for each problem; of a file as a whole without ``return_name``, ``sheet_row`` and ``cell``.
PROBLEM_SCHEMA = {
    "submission_id": pl.String,
    "sender_code": pl.String,
    "quarter": pl.String,
    "return_name": pl.String,
    "sheet": pl.String,
    "sheet_row": pl.Int64,
    "cell": pl.String,
    "field": pl.String,
    "code": pl.String,
    "severity": pl.String,
    "sentence_en": pl.String,
    "sentence_cy": pl.String,
}


def problems_of(settings: Settings, submission: Submission) -> list[dict[str, Any]]:
    """Every problem of one submission, in the order of its sheets and rows.

    Each with the columns of ``PROBLEM_SCHEMA``. Empty where the validated room has none.
    """
    folder = settings.validated / "problems" / (submission.quarter or "none")
    files = sorted(folder.glob("*.parquet")) if folder.exists() else []
    if not files:
        return []
    mine = pl.scan_parquet(files).filter(pl.col("submission_id") == submission.submission_id)
    return in_sheet_order(mine.collect()).to_dicts()


def in_sheet_order(problems: pl.DataFrame) -> pl.DataFrame:
    """Problems of the file first, then sheet by sheet and row by row."""
    return problems.sort("return_name", "sheet_row", "code", nulls_last=False, maintain_order=True)
