"""Problems of returns as the validated room holds them."""

from __future__ import annotations

import polars as pl

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
