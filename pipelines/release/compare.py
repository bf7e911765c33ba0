"""What changed between two versions of a release, or between two releases."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.release.content import FIGURE_SCHEMA, KEY, ReleaseError, as_text
from pipelines.release.package import FIGURES, PARQUET

CHANGES = ("changed", "added", "removed", "newly suppressed", "no longer suppressed", "other flag")
SCHEMA = {
    "change": pl.String,
    **dict.fromkeys(KEY, pl.String),
    "before": pl.String,
    "after": pl.String,
}


def figures_of_folder(folder: Path) -> pl.DataFrame:
    """Figures of a release on disk: of the CSV that people read, or of Parquet where that is all.

    Raises ReleaseError when it holds none, or the file is not as a release writes it.
    """
    path = folder / FIGURES
    if not path.is_file():
        path = folder / PARQUET
    if not path.is_file():
        raise ReleaseError(f"{folder} is no release: it has no {FIGURES} and no {PARQUET}")
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        figures = pl.read_csv(path, schema=FIGURE_SCHEMA, null_values=[""])
        return figures.with_columns(pl.col("notes").fill_null(""))
    except (OSError, pl.exceptions.PolarsError) as error:
        columns = ", ".join(FIGURE_SCHEMA)
        raise ReleaseError(
            f"{path} is not as a release writes it: its columns are {columns}, with numbers in "
            "number and decimals. Put the file back from a copy"
        ) from error


def compare(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """One row per figure that differs: change (one of CHANGES), its key, what was and is shown.

    Notes are left out: that a figure was revised is what this says.
    """
    shown = [
        _shown(figures).rename({"shown": name})
        for figures, name in ((before, "before"), (after, "after"))
    ]
    # As shown, not as counted: a reader compares what is in the two files.
    joined = shown[0].join(shown[1], on=KEY, how="full", coalesce=True)
    was, now = pl.col("before"), pl.col("after")
    return (
        joined.filter(was.ne_missing(now))
        .with_columns(
            change=pl.when(was.is_null())
            .then(pl.lit("added"))
            .when(now.is_null())
            .then(pl.lit("removed"))
            .when(_is_flag(was) & _is_flag(now))
            .then(pl.lit("other flag"))
            .when(now == "[c]")
            .then(pl.lit("newly suppressed"))
            .when(was == "[c]")
            .then(pl.lit("no longer suppressed"))
            .otherwise(pl.lit("changed"))
        )
        .select(list(SCHEMA))
        .sort(KEY)
    )


def _is_flag(shown: pl.Expr) -> pl.Expr:
    return shown.str.starts_with("[")


def _shown(figures: pl.DataFrame) -> pl.DataFrame:
    texts = [
        f"[{flag}]" if flag else as_text(number, decimals)
        for number, decimals, flag in figures.select("number", "decimals", "flag").iter_rows()
    ]
    return figures.select(KEY).with_columns(shown=pl.Series(texts, dtype=pl.String))


def with_revisions_marked(figures: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Figures that differ from the version before carry the note ``r``."""
    revised = compare(before, figures).filter(pl.col("change") != "removed").select(KEY)
    marked = figures.join(revised.with_columns(is_revised=pl.lit(True)), on=KEY, how="left")
    notes = pl.col("notes")
    return marked.with_columns(
        pl.when(pl.col("is_revised"))
        .then(pl.when(notes == "").then(pl.lit("r")).otherwise(notes + pl.lit(",r")))
        .otherwise(notes)
        .alias("notes")
    ).drop("is_revised")
