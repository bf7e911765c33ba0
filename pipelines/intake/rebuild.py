"""Raw and validated made again from the received files, the ledger and the key.

Batches are read and validated in the order in which the ledger got their verdicts, each against a
copy of the ledger as it was then, so that every return is compared with what was there at the time.
The verdicts of the ledger stand, and so do the rows that it set aside; where today's rules would
decide otherwise that is reported. Everything is made beside the rooms, compared with the hashes
that the ledger keeps, and swapped in only when nothing stands against it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.declarations import Declarations
from pipelines.files import flush_folder, sha256_of, sync_folder
from pipelines.intake.batches import Batch, batch_name, stored_batches
from pipelines.intake.conservation import (
    ROOMS,
    StoredBatch,
    content_digest,
    stored_batches_of,
    stored_event,
)
from pipelines.intake.landing import stored_file
from pipelines.intake.pseudonyms import check_key
from pipelines.intake.raw import write_raw_batch
from pipelines.intake.validated import rows_set_aside, validate_batches, write_validated
from pipelines.intake.validation import ValidatedSubmission
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.settings import Settings

OLD = "old"  # folder of rooms that were moved aside

SetAside = Mapping[str, Mapping[str, list[int]]]


@dataclass
class Rebuilt:
    """What came of it. With ``obstacles`` nothing was changed; ``differences`` were kept as the
    ledger has them."""

    submissions: int = 0
    batches: int = 0
    obstacles: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    newly_noted: int = 0  # batches whose hashes the ledger did not have, or had of other bytes

    def as_json(self) -> dict[str, Any]:
        return {
            "is_rebuilt": not self.obstacles,
            "submissions": self.submissions,
            "batches": self.batches,
            "batches_newly_noted": self.newly_noted,
            "obstacles": self.obstacles,
            "differences": self.differences,
        }


@dataclass(frozen=True)
class _Beside(Settings):
    """A place beside the rooms, whose received files are those of the installation."""

    installation: Settings

    @property
    def received(self) -> Path:
        return self.installation.received


@dataclass(frozen=True)
class _Step:
    """Verdicts that reached the ledger together, after ``lines_before`` lines of it."""

    lines_before: int
    verdicts: Mapping[str, Mapping[str, Any]]  # the event of each submission


def rebuild(
    settings: Settings,
    declarations: Declarations,
    *,
    accept_contents: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Rebuilt:
    """Make raw and validated again and swap them in; the caller holds the ledger.

    ``accept_contents`` takes values that today's program reads otherwise, with as many rows as
    before. Raises KeyFileError, LedgerError and RowConservationError.
    """
    check_key(settings)
    beside = _Beside(settings.data / ".rebuild", settings.key_file, settings)
    _swap_back(settings, beside)
    shutil.rmtree(beside.data, ignore_errors=True)
    ledger = Ledger(settings.ledger)
    known = stored_batches_of(ledger.events())
    batch_of = {item: batch for batch in known.values() for item in batch.submissions}
    rebuilt = Rebuilt()
    erased = {item.submission_id for item in ledger.submissions() if item.is_file_erased}
    kept = _batches_to_keep(ledger, known, erased)
    as_they_lie = erased | {item for batch in kept for item in batch.submissions}
    steps = list(_steps(settings.ledger, len(ledger.links()), as_they_lie))
    rebuilt.obstacles += _lost_or_changed(settings, ledger, steps)
    rebuilt.obstacles += _copy_as_they_lie(settings, beside, kept)
    if rebuilt.obstacles:
        shutil.rmtree(beside.data, ignore_errors=True)
        return rebuilt
    # Without the ids of keys: rows are made with the key of today, whichever it was then.
    events = [{**event, "key_id": None} for event in ledger.events()]
    set_aside: dict[tuple[str, str], SetAside] = {}
    written = 0
    for done, step in enumerate(steps, start=1):
        Ledger(beside.ledger).append(*events[written : step.lines_before])
        written = step.lines_before
        for batch, outcomes in _validated_then(beside, declarations, step, batch_of):
            before = known.get((batch.quarter.label, batch.name))
            aside = _set_aside(before, outcomes)
            set_aside[batch.quarter.label, batch.name] = aside
            for outcome in outcomes:
                _compare_verdict(step, outcome, aside, rebuilt, is_known=before is not None)
            write_validated(beside, declarations, batch, outcomes, aside)
            rebuilt.batches += 1
            rebuilt.submissions += len(outcomes)
        progress(done, len(steps))
    for before in known.values():
        _compare_contents(beside, before, rebuilt, accept_contents)
    if not rebuilt.obstacles:
        _swap(settings, beside)
        to_note = list(_to_note(settings, known, set_aside))
        rebuilt.newly_noted = len(to_note)
        ledger.append(*to_note)
    shutil.rmtree(beside.data, ignore_errors=True)
    return rebuilt


def _batches_to_keep(
    ledger: Ledger, known: Mapping[tuple[str, str], StoredBatch], erased: Collection[str]
) -> list[StoredBatch]:
    """Batches of which a received file was erased, on request or after its time: what is left of
    them lies in raw and validated alone."""
    ever: dict[tuple[str, str], set[str]] = {}
    for event in ledger.events():
        if event["event"] == "stored":
            ever.setdefault((event["quarter"], event["batch"]), set()).update(event["submissions"])
    return [batch for key, batch in known.items() if not ever[key].isdisjoint(erased)]


def _copy_as_they_lie(
    settings: Settings, beside: Settings, kept: Iterable[StoredBatch]
) -> Iterator[str]:
    for batch in kept:
        for name, noted in batch.files.items():
            path = settings.data / name
            if not path.is_file() or sha256_of(path) != noted["sha256"]:
                what = "has changed" if path.is_file() else "is missing"
                yield (
                    f"{path} {what}, and a received file behind it was erased ({batch.about()}): "
                    "put it back from a copy"
                )
                continue
            target = beside.data / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _steps(ledger: Path, lines: int, leave_out: Collection[str]) -> Iterator[_Step]:
    """Appends of the ledger that hold verdicts of the rules, oldest first; none of ``leave_out``,
    which cannot be read again."""
    begun, verdicts = 0, {}
    for number, line in enumerate(ledger.read_bytes().split(b"\n")[:lines]):
        event = json.loads(line)
        is_of_rules = event["event"] == "judged" and event.get("rule_set_hash")
        if is_of_rules and event["submission_id"] not in leave_out:
            verdicts[event["submission_id"]] = event
        if not event.get("more"):
            if verdicts:
                yield _Step(begun, verdicts)
            begun, verdicts = number + 1, {}


def _lost_or_changed(settings: Settings, ledger: Ledger, steps: Iterable[_Step]) -> Iterator[str]:
    wanted = {submission_id for step in steps for submission_id in step.verdicts}
    for item in ledger.submissions():
        if item.submission_id in wanted:
            path = stored_file(settings, item)
            if not path.is_file() or sha256_of(path) != item.sha256:
                what = "has changed" if path.is_file() else "is missing"
                yield f"{path} {what} ({item.submission_id}): put it back from a copy"


def _validated_then(
    beside: Settings,
    declarations: Declarations,
    step: _Step,
    batch_of: Mapping[str, StoredBatch],
) -> list[tuple[Batch, list[ValidatedSubmission]]]:
    """Read the batches of a step and validate them against what was accepted before."""
    items = [
        item
        for item in Ledger(beside.ledger).submissions()
        if item.submission_id in step.verdicts and item.quarter
    ]
    batches = []
    for (label, name), of_batch in _in_batches(items, batch_of).items():
        quarter = Quarter.parse(label)
        write_raw_batch(beside, declarations, quarter, name, of_batch)
        batches += stored_batches(beside, declarations, quarter, of_batch)
    return validate_batches(beside, declarations, batches, engine="polars")


def _in_batches(
    items: Sequence[Submission], batch_of: Mapping[str, StoredBatch]
) -> dict[tuple[str, str], list[Submission]]:
    """Submissions by quarter and batch: the one the ledger names, or all of the quarter."""
    batches: dict[tuple[str, str], list[Submission]] = {}
    without: dict[str, list[Submission]] = {}
    for item in items:
        batch = batch_of.get(item.submission_id)
        if batch:
            batches.setdefault((batch.quarter, batch.name), []).append(item)
        else:
            without.setdefault(str(item.quarter), []).append(item)
    for label, several in without.items():
        batches[label, batch_name(several)] = several
    return dict(sorted(batches.items()))


def _set_aside(before: StoredBatch | None, outcomes: Iterable[ValidatedSubmission]) -> SetAside:
    """Rows that count nowhere: as the ledger has them, or by today's rules where it has none."""
    if before:
        return {item: before.set_aside.get(item, {}) for item in before.submissions}
    return {outcome.submission.submission_id: rows_set_aside(outcome) for outcome in outcomes}


def _compare_verdict(
    step: _Step,
    outcome: ValidatedSubmission,
    set_aside: SetAside,
    rebuilt: Rebuilt,
    *,
    is_known: bool,
) -> None:
    """Name what today's rules would decide otherwise, and what makes the verdict impossible."""
    submission_id = outcome.submission.submission_id
    then, verdict = step.verdicts[submission_id], outcome.verdict
    rows_then = {name: counts["rows_read"] for name, counts in then["returns"].items()}
    rows_now = {name: counts.rows_read for name, counts in verdict.returns.items()}
    for name in sorted(rows_then | rows_now):
        was, now = rows_then.get(name, 0), rows_now.get(name, 0)
        if was != now:
            rebuilt.obstacles.append(
                f"{submission_id}, {name}: {now} rows are read today and the ledger has {was}: "
                "restore raw and validated from a copy, or rebuild with the version of the program "
                "that validated it"
            )
    if then["status"] != verdict.status:
        reason = f" ({verdict.refusal_code})" if verdict.refusal_code else ""
        rebuilt.differences.append(
            f"{submission_id}: by today's rules {verdict.status}{reason}; the ledger's verdict "
            f"stands: {then['status']}"
        )
    now_aside = rows_set_aside(outcome)
    for name, counts in sorted(then["returns"].items()):
        of_today = len(now_aside.get(name, []))
        if is_known and now_aside.get(name, []) != set_aside[submission_id].get(name, []):
            rebuilt.differences.append(
                f"{submission_id}, {name}: by today's rules {of_today} rows are set aside; the "
                f"ledger's {len(set_aside[submission_id].get(name, []))} stand"
            )
        elif (
            not is_known and then["status"] != "refused" and of_today != counts["rows_quarantined"]
        ):
            rebuilt.obstacles.append(
                f"{submission_id}, {name}: by today's rules {of_today} rows are set aside, by the "
                f"ledger {counts['rows_quarantined']}, and it does not say which: restore raw and "
                "validated from a copy"
            )
    now_rules = outcome.rows_by_rule("error"), outcome.rows_by_rule("query")
    if (then.get("errors"), then.get("queries")) != now_rules and then["status"] == verdict.status:
        rebuilt.differences.append(
            f"{submission_id}: today's rules count other errors or queries; the ledger's stand"
        )


def _compare_contents(
    beside: Settings, before: StoredBatch, rebuilt: Rebuilt, accept_contents: bool
) -> None:
    """What the files say, against what the ledger knows they said; bytes may differ."""
    for name, noted in sorted(before.files.items()):
        path = beside.data / name
        if path.is_file() and content_digest(path) == noted["content"]:
            continue
        what = f"{name} ({before.about()}) does not say what it said"
        if Path(name).parts[1] in ("problems", "layout"):
            rebuilt.differences.append(f"{what}: it is as today's rules and words have it")
        elif accept_contents and path.is_file():
            rebuilt.differences.append(f"{what}: it is as today's program reads it")
        else:
            rebuilt.obstacles.append(
                f"{what}: another key, or a program that reads otherwise. Restore the key or the "
                "version of the program, or take it with --accept-contents"
            )


def _swap(settings: Settings, beside: Settings) -> None:
    """Put the new rooms in the place of the old ones; what a crash leaves of that the next rebuild
    takes back."""
    flush_folder(beside.data)
    old = beside.data / OLD
    old.mkdir()
    sync_folder(beside.data)
    for room in ROOMS:
        (beside.data / room).mkdir(exist_ok=True)
        if (settings.data / room).exists():
            os.replace(settings.data / room, old / room)
        os.replace(beside.data / room, settings.data / room)
    sync_folder(settings.data)
    # Under its name it would be put back, or what a killed removal had left of it.
    os.replace(old, beside.data / "replaced")
    sync_folder(beside.data)


def _swap_back(settings: Settings, beside: Settings) -> None:
    """Put back rooms that a killed rebuild had moved aside: rows whose received files were erased
    are nowhere else."""
    for room in ROOMS:
        old = beside.data / OLD / room
        if old.exists():
            if (settings.data / room).exists():
                os.replace(settings.data / room, beside.data / room)
            os.replace(old, settings.data / room)
            sync_folder(settings.data)


def _to_note(
    settings: Settings,
    known: Mapping[tuple[str, str], StoredBatch],
    set_aside: Mapping[tuple[str, str], SetAside],
) -> Iterator[dict[str, Any]]:
    """An event for each batch that the ledger does not know as it is now."""
    for (label, name), aside in set_aside.items():
        event = stored_event(settings, label, name, aside, aside)
        before = known.get((label, name))
        if before is None or event["files"] != dict(before.files):
            yield event
