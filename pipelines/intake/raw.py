"""From stored files to the raw room: every row as the text that was sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from pipelines.declarations import Declarations
from pipelines.files import write_whole
from pipelines.intake.batches import (
    batch_name,
    layout_files,
    layout_record,
    read_layouts,
    unreadable_record,
    waiting_submissions,
)
from pipelines.intake.landing import stored_file
from pipelines.lifecycle.ledger import Submission
from pipelines.quarters import Quarter
from pipelines.readers.child_process import read_each
from pipelines.readers.content import Unreadable
from pipelines.readers.layout import lay_out
from pipelines.settings import Settings


def to_raw(settings: Settings, declarations: Declarations, quarter: Quarter) -> dict[str, int]:
    """Write the rows of every waiting submission of ``quarter`` as text; rows by return name.

    May be killed and run again: files are renamed into place whole, the layout last, and a batch
    without a layout is read once more. The caller holds the ledger.
    """
    every_one_waiting = waiting_submissions(settings, quarter)
    _remove_unfinished(settings, quarter, every_one_waiting)
    batched = {
        submission_id
        for path in layout_files(settings, quarter)
        for submission_id in read_layouts(path)
    }
    waiting = [item for item in every_one_waiting if item.submission_id not in batched]
    if not waiting:
        return {}
    return write_raw_batch(settings, declarations, quarter, batch_name(waiting), waiting)


def _remove_unfinished(settings: Settings, quarter: Quarter, waiting: Sequence[Submission]) -> None:
    """Remove rows that a killed run left without a layout: another file that came since makes it a
    batch of another name, and these would stay as rows that nobody knows."""
    finished = {path.stem for path in layout_files(settings, quarter)}
    numbers = {f"{item.delivery_number:06d}" for item in waiting}
    for path in settings.raw.glob(f"*/{quarter.label}/*.parquet"):
        if path.stem not in finished and path.stem.partition("-")[0] in numbers:
            path.unlink()


def write_raw_batch(
    settings: Settings,
    declarations: Declarations,
    quarter: Quarter,
    batch: str,
    submissions: Sequence[Submission],
) -> dict[str, int]:
    """Read the stored files of ``submissions`` and write them as a batch; rows by return name."""
    frames: dict[str, list[pl.DataFrame]] = {name: [] for name in declarations.returns}
    layouts: dict[str, Any] = {}
    contents = read_each(stored_file(settings, item) for item in submissions)
    for submission, content in zip(submissions, contents, strict=True):
        # It could be read on arrival: the machine is at fault, and the verdict says what to do.
        if isinstance(content, Unreadable):
            layouts[submission.submission_id] = unreadable_record(content)
            continue
        laid_out = lay_out(content, declarations, submission.submission_id)
        layouts[submission.submission_id] = layout_record(laid_out)
        for name, frame in laid_out.frames.items():
            if frame.height:
                frames[name].append(frame)
    rows = {}
    for name, parts in frames.items():
        if parts:
            frame = pl.concat(parts)
            rows[name] = frame.height
            write_whole(
                settings.raw / name / quarter.label / f"{batch}.parquet", frame.write_parquet
            )
    write_whole(
        settings.raw / "layout" / quarter.label / f"{batch}.json",
        lambda path: path.write_text(json.dumps(layouts, ensure_ascii=False), encoding="utf-8"),
    )
    return rows
