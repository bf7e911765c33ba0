"""Case-level files that are past their time, as ``sources/policies`` declares it, are removed.

Ledger, validated rows and whatever was published stay.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.declarations import Declarations, Policy
from pipelines.files import write_whole
from pipelines.intake.batches import layout_files, read_layouts
from pipelines.intake.conservation import files_of_batch
from pipelines.intake.erasure import Erased, enter_erasure, finish_erasure, staging
from pipelines.intake.landing import stored_file
from pipelines.lifecycle.days import local_day
from pipelines.lifecycle.decisions import refuse_a_role
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.settings import Settings

REASON = "Held for as long as sources/policies declares"


@dataclass(frozen=True)
class PastTheirTime:
    """Submissions whose received files, and whose raw rows, are past their time; counts by quarter.

    A file refused on arrival has the quarter in which it came.
    """

    received: tuple[str, ...]
    raw: tuple[str, ...]
    files_by_quarter: dict[str, int]
    rows_by_quarter: dict[str, int]


def past_their_time(settings: Settings, declarations: Declarations, today: date) -> PastTheirTime:
    """What is due to be removed on ``today``; nothing of a file without a verdict."""
    received: list[str] = []
    files: dict[str, int] = {}
    raw: dict[str, set[str]] = {}
    for item in Ledger(settings.ledger).submissions():
        if item.is_waiting or item.status == "duplicate":
            continue
        quarter = Quarter.parse(item.quarter) if item.quarter else _came_in(item)
        for room in ("landing", "raw"):
            if not _is_past(_policies(declarations, item), quarter, room, today):
                continue
            if room == "raw":
                raw.setdefault(quarter.label, set()).add(item.submission_id)
            elif stored_file(settings, item).exists():
                received.append(item.submission_id)
                files[quarter.label] = files.get(quarter.label, 0) + 1
    rows = {label: _raw_rows(settings, label, ids) for label, ids in raw.items()}
    rows = {label: count for label, count in sorted(rows.items()) if count}
    ids = sorted(submission_id for label in rows for submission_id in raw[label])
    return PastTheirTime(tuple(received), tuple(ids), dict(sorted(files.items())), rows)


def remove_past_their_time(
    settings: Settings, declarations: Declarations, today: date, role: str
) -> PastTheirTime:
    """Remove what is due; the caller holds the ledger.

    Raises NotAllowed for a role that may not erase, and OSError. May be killed and done again.
    """
    for policy in declarations.policies.values():
        refuse_a_role(policy, "erase", role)
    finish_erasure(settings)
    due = past_their_time(settings, declarations, today)
    if not due.received and not due.raw:
        return due
    shutil.rmtree(staging(settings), ignore_errors=True)
    erased = Erased(received=list(due.received))
    for label in due.rows_by_quarter:
        for layout in layout_files(settings, Quarter.parse(label)):
            _stage_without_raw_rows(settings, label, layout.stem, due.raw, erased)
    enter_erasure(settings, Ledger(settings.ledger).submissions(), erased, role, REASON)
    finish_erasure(settings)
    return due


def _stage_without_raw_rows(
    settings: Settings, quarter: str, batch: str, ids: tuple[str, ...], erased: Erased
) -> None:
    layout = settings.raw / "layout" / quarter / f"{batch}.json"
    layouts = read_layouts(layout)
    if not layouts.keys() & set(ids):
        return
    erased.batches.append((quarter, batch))
    for path in files_of_batch(settings, quarter, batch):
        target = staging(settings) / path.relative_to(settings.data)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path == layout:
            kept = {key: value for key, value in layouts.items() if key not in ids}
            text = json.dumps(kept, ensure_ascii=False)
            write_whole(target, lambda place, text=text: place.write_text(text, encoding="utf-8"))
        elif path.is_relative_to(settings.raw):
            rows = pl.read_parquet(path).filter(~pl.col("submission_id").is_in(ids))
            write_whole(target, rows.write_parquet)
        else:
            shutil.copyfile(path, target)


def _raw_rows(settings: Settings, quarter: str, ids: set[str]) -> int:
    files = [*settings.raw.glob(f"*/{quarter}/*.parquet")]
    return sum(
        pl.read_parquet(path, columns=["submission_id"])
        .filter(pl.col("submission_id").is_in(list(ids)))
        .height
        for path in files
    )


def _policies(declarations: Declarations, item: Submission) -> list[Policy]:
    if item.sender_code in declarations.senders:
        return [declarations.policy_for(item.sender_code)]
    return list(declarations.policies.values())  # nobody's file: the longest time of all


def _is_past(policies: list[Policy], quarter: Quarter, room: str, today: date) -> bool:
    declared = [policy.retention_for(quarter) for policy in policies]
    return all(
        each is not None
        and today
        > quarter.plus(each.landing_quarters if room == "landing" else each.raw_quarters).last_day
        for each in declared
    )


def _came_in(item: Submission) -> Quarter:
    return Quarter.containing(local_day(item.received_at))
