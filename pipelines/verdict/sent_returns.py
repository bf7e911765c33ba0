"""A return as its sender wrote it, for whoever answers the sender: rows, columns, repairs.

This is the one place outside the raw room from which an authority's own references are read. They
go back to that authority, in a file of its own, and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import polars as pl

from pipelines.declarations import Declarations
from pipelines.intake.pseudonyms import Pseudonymiser
from pipelines.lifecycle.ledger import Submission
from pipelines.quarters import Quarter
from pipelines.readers.casting import cast, raw_schema, repairs, validated_frame
from pipelines.readers.layout import LaidOut
from pipelines.readers.repairs import repair_of_cells
from pipelines.settings import Settings


@dataclass(frozen=True)
class SentReturn:
    """One file's rows. ``raw`` and ``typed`` are keyed by return; those without a row are absent.

    ``columns`` gives the column letters of each field found. ``present`` are the returns that the
    file answers for: with rows, or with the nil-return tick. A repair has sheet, field and a
    sentence in either language.
    """

    submission_id: str
    quarter: Quarter
    raw: Mapping[str, pl.DataFrame]
    typed: Mapping[str, pl.DataFrame]
    columns: Mapping[str, Mapping[str, str]]
    present: frozenset[str]
    repairs: tuple[dict[str, Any], ...]
    declarations: Declarations

    def reference(self, return_name: str | None, sheet_row: int | None) -> str | None:
        """What the sender calls the child or household of a row; None where there is none."""
        if return_name is None or sheet_row is None:
            return None
        return self._references.get(return_name, {}).get(sheet_row)

    @cached_property
    def _references(self) -> dict[str, dict[int, str]]:
        references: dict[str, dict[int, str]] = {}
        for name, frame in self.raw.items():
            key = self.declarations.returns[name].primary_key
            if key:
                pairs = frame.select("sheet_row", key[0]).drop_nulls().rows()
                references[name] = dict(pairs)
        return references

    def measured(
        self, pseudonymiser: Pseudonymiser, set_aside: Mapping[str, Iterable[int]]
    ) -> dict[str, pl.DataFrame]:
        """Validated frames by return, without the rows ``set_aside``; nil returns are empty."""
        frames = {}
        for name in sorted(self.present):
            declared = self.declarations.returns[name]
            typed = self.typed.get(name)
            if typed is None:
                empty = pl.DataFrame(schema=raw_schema(declared))
                typed = cast(empty, declared, self.quarter, self.declarations)
            rows = sorted(set_aside.get(name, ()))
            # As the warehouse would have them: rows with an error are in no figure.
            kept = typed.filter(~pl.col("sheet_row").is_in(rows))
            nobody = pl.DataFrame(schema={"submission_id": pl.String, "sheet_row": pl.Int64})
            frames[name] = validated_frame(kept, declared, pseudonymiser.of_column, nobody)
        return frames


def as_laid_out(
    laid_out: LaidOut,
    quarter: Quarter,
    typed: Mapping[str, pl.DataFrame],
    declarations: Declarations,
) -> SentReturn:
    """The return in a file that was read just now, with its rows as they were cast."""
    raw = {name: frame for name, frame in laid_out.frames.items() if frame.height}
    return SentReturn(
        submission_id=laid_out.submission_id,
        quarter=quarter,
        raw=raw,
        typed=typed,
        columns={name: layout.columns for name, layout in laid_out.returns.items()},
        present=frozenset(raw) | laid_out.cover.nil_returns,
        repairs=(
            *(asdict(repair) for repair in laid_out.repairs),
            *_repairs_of_cells(raw, quarter, declarations),
        ),
        declarations=declarations,
    )


def as_taken_in(
    settings: Settings, declarations: Declarations, submission: Submission
) -> SentReturn | None:
    """The return in a submission, from the raw room; None where it never got there."""
    if submission.quarter is None:
        return None
    quarter = Quarter.parse(submission.quarter)
    batch_and_layout = _layout(settings, quarter, submission.submission_id)
    if batch_and_layout is None:
        return None
    batch, layout = batch_and_layout
    raw, typed = {}, {}
    for name, declared in declarations.returns.items():
        path = settings.raw / name / quarter.label / f"{batch}.parquet"
        if not path.exists():
            continue
        rows = (
            pl.scan_parquet(path)
            .filter(pl.col("submission_id") == submission.submission_id)
            .collect()
        )
        if rows.height:
            raw[name] = rows
            typed[name] = cast(rows, declared, quarter, declarations)
    return SentReturn(
        submission_id=submission.submission_id,
        quarter=quarter,
        raw=raw,
        typed=typed,
        columns={name: each["columns"] for name, each in layout["returns"].items()},
        present=frozenset(raw) | frozenset(layout["nil_returns"]),
        repairs=(*layout["repairs"], *_repairs_of_cells(raw, quarter, declarations)),
        declarations=declarations,
    )


def _repairs_of_cells(
    raw: Mapping[str, pl.DataFrame], quarter: Quarter, declarations: Declarations
) -> Iterator[dict[str, Any]]:
    """Cells understood although not written as asked, counted by sheet, column and kind.

    They are found in the rows again rather than noted when these are taken in: only a report
    shows them, and its reader may ask for it years later, under the lists of that quarter.
    """
    for name, frame in raw.items():
        declared = declarations.returns[name]
        counted = repairs(frame, declared, quarter, declarations)
        for row in counted.iter_rows(named=True):
            title = declared.field(row["field"]).title
            yield asdict(
                repair_of_cells(row["kind"], row["sheet"], row["field"], title, row["cells"])
            )


def rows_set_aside(problems: Iterable[Mapping[str, Any]]) -> dict[str, set[int]]:
    """Rows with an error, by return: those that an accepted return goes on without."""
    rows: dict[str, set[int]] = {}
    for problem in problems:
        name, row = problem["return_name"], problem["sheet_row"]
        if problem["severity"] == "error" and name is not None and row is not None:
            rows.setdefault(name, set()).add(row)
    return rows


def _layout(
    settings: Settings, quarter: Quarter, submission_id: str
) -> tuple[str, dict[str, Any]] | None:
    """The batch that a submission was read in, and what the reader noted of it."""
    folder = settings.raw / "layout" / quarter.label
    for path in sorted(folder.glob("*.json")) if folder.exists() else ():
        noted = json.loads(path.read_text(encoding="utf-8"))
        if submission_id in noted:
            return path.stem, noted[submission_id]
    return None
