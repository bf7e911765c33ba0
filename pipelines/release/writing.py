"""How the files of a release are written: the same content gives the same bytes."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.exports import write_csv


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """CSV whose empty texts are empty cells, which Polars would write as two quotation marks."""
    text = pl.col(pl.String)
    write_csv(frame.with_columns(pl.when(text != "").then(text).name.keep()), path)
