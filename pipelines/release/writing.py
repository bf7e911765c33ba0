"""How the files of a release are written: the same content gives the same bytes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import polars as pl

from pipelines.exports import write_csv

CHECKSUMS = "SHA256SUMS"


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """CSV whose empty texts are empty cells, which Polars would write as two quotation marks."""
    text = pl.col(pl.String)
    write_csv(frame.with_columns(pl.when(text != "").then(text).name.keep()), path)


def write_json(path: Path, content: object) -> None:
    """JSON with sorted keys."""
    path.write_text(
        json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n",
        encoding="utf-8",
        newline="\n",
    )


def write_checksums(folder: Path) -> None:
    """``SHA256SUMS`` of every file there is, as ``sha256sum --check`` reads it."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
        if path.name != CHECKSUMS
    ]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8", newline="\n")
