"""Submissions of one quarter that were read together, and their rows as the raw room holds them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from expectations.reference_data import ReferenceData
from expectations.suite import QuarterResult
from pipelines.declarations import Declarations
from pipelines.intake.accepted_returns import SubmittedReturns
from pipelines.intake.landing import stored_file
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.readers.casting import cast, raw_schema
from pipelines.readers.child_process import read_each
from pipelines.readers.content import Unreadable
from pipelines.readers.layout import LaidOut, lay_out
from pipelines.readers.sentences import FileProblem
from pipelines.settings import Settings


@dataclass
class Batch:
    """Submissions of one quarter that were read together.

    ``submissions`` pairs each with the record of its layout (:func:`layout_record`); ``typed`` are
    the typed rows of all of them, by return. ``reference_data`` and ``results``, by return, are
    filled in on the way.
    """

    quarter: Quarter
    name: str
    submissions: list[tuple[Submission, dict[str, Any]]]
    typed: dict[str, pl.DataFrame]
    results: dict[str, QuarterResult] = field(default_factory=dict)
    reference_data: ReferenceData | None = None

    @property
    def submitted(self) -> list[SubmittedReturns]:
        """Each submission with the returns that it holds, with rows or as nil."""
        return [
            SubmittedReturns(submission, tuple(_returns_in(layout)))
            for submission, layout in self.submissions
        ]

    def rows_of(self, name: str, declarations: Declarations) -> pl.DataFrame:
        """Typed rows of a return; a frame without rows where all that hold it are nil."""
        if name in self.typed:
            return self.typed[name]
        declared = declarations.returns[name]
        no_rows = pl.DataFrame(schema=raw_schema(declared))
        return cast(no_rows, declared, self.quarter, declarations)

    @cached_property
    def problems(self) -> dict[str, pl.DataFrame]:
        """Problems of rows by submission, once the rules have run.

        Looking each submission up among the problems of all takes the square of their number.
        """
        frames = [result.problems for result in self.results.values()]
        if not frames:
            return {}
        parts = pl.concat(frames).partition_by("submission_id", as_dict=True, maintain_order=True)
        return {str(key[0]): part for key, part in parts.items()}


def _returns_in(layout: dict[str, Any]) -> Iterator[str]:
    with_rows = [name for name, sheet in layout["returns"].items() if sheet["rows"]]
    yield from with_rows
    yield from (name for name in layout["nil_returns"] if name not in with_rows)


def stored_batches(
    settings: Settings,
    declarations: Declarations,
    quarter: Quarter,
    submissions: Sequence[Submission],
) -> Iterator[Batch]:
    """What the raw room holds of some submissions of a quarter."""
    wanted = {item.submission_id: item for item in submissions}
    for path in layout_files(settings, quarter):
        layouts = read_layouts(path)
        mine = [(wanted[key], layout) for key, layout in layouts.items() if key in wanted]
        if not mine:
            continue
        ids = [submission.submission_id for submission, _ in mine]
        typed = {}
        for name, declared in declarations.returns.items():
            rows = settings.raw / name / quarter.label / f"{path.stem}.parquet"
            if rows.exists():
                raw = pl.read_parquet(rows).filter(pl.col("submission_id").is_in(ids))
                typed[name] = cast(raw, declared, quarter, declarations)
        yield Batch(quarter, path.stem, mine, typed)


def received_batches(
    settings: Settings,
    declarations: Declarations,
    quarter: Quarter,
    submissions: Sequence[Submission],
) -> Iterator[Batch]:
    """The files of some submissions of a quarter, each read again as it was received.

    A file that is not on disk any more is left out.
    """
    on_disk = [item for item in submissions if stored_file(settings, item).exists()]
    # Read from the stored copy under its hash, never under the name it came with: readers take
    # LA[1].csv for a pattern and open LA1.csv.
    contents = read_each(stored_file(settings, item) for item in on_disk)
    for submission, content in zip(on_disk, contents, strict=True):
        # A file that cannot be opened has a verdict like any other; its batch mates go on.
        if isinstance(content, Unreadable):
            yield Batch(quarter, "", [(submission, unreadable_record(content))], {})
            continue
        laid_out = lay_out(content, declarations, submission.submission_id)
        typed = typed_rows(laid_out, declarations, quarter)
        yield Batch(quarter, "", [(submission, layout_record(laid_out))], typed)


def typed_rows(
    laid_out: LaidOut, declarations: Declarations, quarter: Quarter
) -> dict[str, pl.DataFrame]:
    """Typed frames of the returns of one file that have rows."""
    return {
        name: cast(frame, declarations.returns[name], quarter, declarations)
        for name, frame in laid_out.frames.items()
        if frame.height
    }


def layout_record(laid_out: LaidOut) -> dict[str, Any]:
    """What the rules need to know of a file besides its rows; no cell's content is in it."""
    return {
        "nil_returns": sorted(laid_out.cover.nil_returns),
        "returns": {
            name: {"rows": sheet.frame.height, "columns": sheet.columns}
            for name, sheet in laid_out.returns.items()
        },
        "problems": [asdict(problem) for problem in laid_out.problems],
        "repairs": [asdict(repair) for repair in laid_out.repairs],
    }


def unreadable_record(content: Unreadable) -> dict[str, Any]:
    """:func:`layout_record` of a file that could not be opened."""
    problem = FileProblem(
        content.code, "error", None, None, content.sentence_en, content.sentence_cy
    )
    return {"nil_returns": [], "returns": {}, "problems": [asdict(problem)], "repairs": []}


def waiting_submissions(settings: Settings, quarter: Quarter) -> list[Submission]:
    """Submissions of a quarter that have no verdict yet, in the order of arrival."""
    return [
        item
        for item in Ledger(settings.ledger).submissions()
        if item.is_waiting and item.quarter == quarter.label
    ]


def batch_name(submissions: Sequence[Submission]) -> str:
    """The same submissions give the same name, so that a repeated batch replaces itself."""
    ids = "\n".join(item.submission_id for item in submissions)
    # The number sorts batches by arrival; the hash tells apart those that begin with the same file.
    first = submissions[0].delivery_number
    return f"{first:06d}-{hashlib.sha256(ids.encode('utf-8')).hexdigest()[:12]}"


def layout_files(settings: Settings, quarter: Quarter) -> list[Path]:
    """One file for each batch of a quarter in the raw room."""
    folder = settings.raw / "layout" / quarter.label
    return sorted(folder.glob("*.json")) if folder.exists() else []


def read_layouts(path: Path) -> dict[str, dict[str, Any]]:
    """The layout records of a batch, by submission."""
    return json.loads(path.read_text(encoding="utf-8"))
