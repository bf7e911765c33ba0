"""The landing room: files are kept as received, identified by their cover, and acknowledged.

A file is stored under its hash, so that its name never becomes part of a path that something
opens (a reader given ``LA[1].csv`` by path opens ``LA1.csv``). The name it came with is kept beside
the ledger, cleaned of control characters, and can be erased there.
"""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from pipelines.declarations import Declarations
from pipelines.files import sha256_of, write_whole
from pipelines.intake.inbox import (
    StillArriving,
    is_being_written,
)
from pipelines.intake.pseudonyms import check_key
from pipelines.lifecycle.days import local_day
from pipelines.lifecycle.free_text import declared_role
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import FIRST_QUARTER, Quarter
from pipelines.readers.child_process import read_each
from pipelines.readers.content import Unreadable
from pipelines.readers.cover import CoverRead, read_cover
from pipelines.readers.sentences import FileProblem, of_the_collection
from pipelines.settings import Settings

# Files that enter the ledger together: 1 to 6 seconds' work, which is what a kill costs at most.
FILES_AT_ONCE = 200

EXTENSIONS = (".xlsx", ".xlsm", ".ods", ".zip")


@dataclass(frozen=True)
class Arrival:
    """A file to take in, and when it came (UTC)."""

    path: Path
    received_at: datetime


def receive(
    settings: Settings,
    declarations: Declarations,
    arrivals: Iterable[Arrival],
    progress: Callable[[int, int], None] = lambda done, total: None,
    keep: bool = False,
    seconds: float | None = None,
    leave: Callable[[StillArriving], object] = lambda file: None,
) -> list[Submission]:
    """Store and acknowledge files, in order of arrival; the caller holds the ledger.

    Files that arrived at the same time keep the order they are given in: of two returns for one
    quarter the later is in force. A file that cannot be read, or whose cover names no known sender
    and quarter, is refused here. Bytes that were taken in before are noted as a duplicate.

    Files are removed from where they lay only when the ledger has them, and not at all if the
    caller says ``keep``. Whether a file has arrived whole is asked before (``inbox.py``); one that
    cannot be opened by now, or that changes while it is copied, stays where it is for another time
    and is handed to ``leave``. ``progress`` is called after every file read: how many are done,
    of how many.

    Files are entered a batch at a time. After ``seconds`` no further batch is begun: what is left
    stays where it lies. Raises KeyFileError, with every file where it was, when the key that
    validated rows were made with is gone.
    """
    check_key(settings)
    waiting = sorted(arrivals, key=lambda item: item.received_at)
    submissions: list[Submission] = []
    began = monotonic()
    for done in range(0, len(waiting), FILES_AT_ONCE):
        if done and seconds is not None and monotonic() - began > seconds:
            break
        submissions += _receive_batch(
            settings,
            declarations,
            waiting[done : done + FILES_AT_ONCE],
            lambda now, _, before=done: progress(before + now, len(waiting)),
            keep,
            leave,
        )
    return submissions


def _receive_batch(
    settings: Settings,
    declarations: Declarations,
    arrivals: Sequence[Arrival],
    progress: Callable[[int, int], None],
    keep: bool,
    leave: Callable[[StillArriving], object],
) -> list[Submission]:
    ledger = Ledger(settings.ledger)
    earlier = ledger.submissions()
    number = len(earlier)
    # A refused file may come again: it is validated by the rules of that day. So may one withdrawn,
    # which would otherwise be a duplicate of what counts no more.
    known = {
        item.sha256: (item.submission_id, item.extension)
        for item in earlier
        if item.status not in ("refused", "duplicate") and item.withdrawn_at is None
    }
    erased = {item.sha256 for item in earlier if item.is_file_erased}
    cover_of = {item.submission_id: (item.sender_code, item.quarter) for item in earlier}
    events: list[dict[str, Any]] = []
    event: dict[str, Any]
    names: dict[str, str] = {}
    taken: dict[Path, tuple[int, int]] = {}
    for arrival in arrivals:
        try:
            seen, sha256 = _size_and_time(arrival.path), sha256_of(arrival.path)
        except OSError:  # gone again, or locked by who is writing it; its batch-mates are not
            leave(StillArriving(arrival.path, "it is gone or cannot be opened"))
            continue
        if sha256 in erased:
            leave(
                StillArriving(
                    arrival.path,
                    "this very file was erased, on request or after its time; ask its sender for "
                    "one without what was erased, and remove this copy",
                )
            )
            continue
        number += 1
        suffix = arrival.path.suffix.lower()
        event = {
            "event": "received",
            "submission_id": f"S{number:06d}-{sha256[:8]}",
            "delivery_number": number,
            "sha256": sha256,
            "extension": suffix if suffix in EXTENSIONS else "",
            "received_at": arrival.received_at.astimezone(UTC).isoformat(),
        }
        if sha256 in known:
            duplicate_of, extension = known[sha256]
            event |= {"event": "duplicate", "duplicate_of": duplicate_of}
        else:
            extension = event["extension"]
        # Bytes that are known are looked at as well: what a damaged disk kept of them would
        # otherwise be all that is left once the original is removed.
        if not _store(arrival.path, _stored(settings, sha256, extension), sha256):
            number -= 1
            leave(StillArriving(arrival.path, "it changed while it was copied"))
            continue
        known.setdefault(sha256, (event["submission_id"], extension))
        events.append(event)
        names[event["submission_id"]] = clean_name(arrival.path.name)
        taken[arrival.path] = seen
    received = [event for event in events if event["event"] == "received"]
    refusals = _identify(settings, declarations, received, progress)
    cover_of |= {
        event["submission_id"]: (event["sender_code"], event["quarter"]) for event in received
    }
    for event in events:
        if event["event"] == "duplicate":
            event["sender_code"], event["quarter"] = cover_of[event["duplicate_of"]]
    if names:
        ledger.name_files(names)
    ledger.append(*events, *refusals)
    for path, seen in () if keep else taken.items():
        _remove(path, seen)
    ids = {event["submission_id"] for event in events}
    return [item for item in ledger.submissions() if item.submission_id in ids]


def stored_file(settings: Settings, submission: Submission) -> Path:
    """Where the bytes of a submission are kept as they were received."""
    return _stored(settings, submission.sha256, submission.extension)


def waiting_quarters(settings: Settings) -> list[Quarter]:
    """Quarters with submissions that have no verdict yet."""
    return sorted(
        {
            Quarter.parse(item.quarter)
            for item in Ledger(settings.ledger).submissions()
            if item.is_waiting and item.quarter
        }
    )


def clean_name(name: str) -> str:
    """A file name fit to be shown: normalised, no control or direction-changing characters."""
    normalised = unicodedata.normalize("NFC", name)
    return "".join(c for c in normalised if unicodedata.category(c)[0] != "C")[:150]


def _identify(
    settings: Settings,
    declarations: Declarations,
    received: list[dict[str, Any]],
    progress: Callable[[int, int], None],
) -> list[dict[str, Any]]:
    """Add sender and quarter to the events; return refusals of what cannot be identified."""
    paths = [_stored(settings, event["sha256"], event["extension"]) for event in received]
    refusals = []
    contents = zip(received, read_each(paths), strict=True)
    for done, (event, content) in enumerate(contents, start=1):
        progress(done, len(received))
        event |= {"sender_code": None, "quarter": None}
        if isinstance(content, Unreadable):
            refusals.append(refusal(event, [content]))
            continue
        cover = read_cover(content, declarations)
        received_at = datetime.fromisoformat(event["received_at"])
        event |= cover_answers(cover, declarations, received_at)
        reasons = refused_on_arrival(cover, received_at)
        if reasons:
            refusals.append(refusal(event, reasons))
    return refusals


def cover_answers(
    cover: CoverRead, declarations: Declarations, received_at: datetime
) -> dict[str, Any]:
    """What the ledger keeps of a cover: nothing that somebody wrote in words of his own.

    A quarter that is not collected is as good as none.
    """
    sender = cover.values.get("sender_code")
    role = cover.values.get("signed_off_by_role")
    quarter = cover.values.get("quarter")
    signed_off_on = cover.values.get("signed_off_on")
    is_collected = quarter is not None and _is_collected(quarter, received_at)
    return {
        "sender_code": sender,
        "quarter": quarter.label if is_collected else None,
        "declared_version": cover.values.get("version"),
        "is_synthetic": bool(cover.values.get("is_synthetic")),
        "made_from": cover.values.get("made_from"),
        "is_history": bool(cover.values.get("is_history")),
        "signed_off_by_role": declared_role(declarations, sender, role),
        "signed_off_on": signed_off_on.isoformat() if signed_off_on else None,
    }


def refused_on_arrival(cover: CoverRead, received_at: datetime) -> list[FileProblem]:
    """Why a file with this cover is refused before anything else of it is looked at; or nothing.

    Everything the cover lacks is said at once.
    """
    reasons = [problem for problem in cover.problems if problem.severity == "error"]
    sender, quarter = cover.values.get("sender_code"), cover.values.get("quarter")
    if quarter is not None and not _is_collected(quarter, received_at):
        return [of_the_collection("QUARTER_UNLIKELY", quarter.label), *reasons]
    return reasons if sender is None or quarter is None else []


def _is_collected(quarter: Quarter, received_at: datetime) -> bool:
    """Whether a return for the quarter can exist. One run covers every quarter from the first to
    the last that waits, so a slip in the year would stop everybody's returns. A quarter begins in
    Wales and England: at 00:30 on 1 July it is still June in UTC."""
    return FIRST_QUARTER <= quarter <= Quarter.containing(local_day(received_at))


def refusal(event: dict[str, Any], reasons: Sequence[FileProblem | Unreadable]) -> dict[str, Any]:
    """The verdict on a file of which only its cover, if anything, was read; ``reasons`` is not
    empty."""
    return {
        "event": "judged",
        "submission_id": event["submission_id"],
        "status": "refused",
        "refusal_code": reasons[0].code,
        "refusal_sentence_en": " ".join(reason.sentence_en for reason in reasons),
        "refusal_sentence_cy": " ".join(reason.sentence_cy for reason in reasons),
        "refusals": [
            {
                "code": reason.code,
                "sentence_en": reason.sentence_en,
                "sentence_cy": reason.sentence_cy,
            }
            for reason in reasons
        ],
    }


def _store(original: Path, stored: Path, sha256: str) -> bool:
    """Keep a file's bytes under their hash, on disk when this returns; False if they are not the
    bytes that were hashed, as of a file that somebody writes to."""
    if stored.exists() and sha256_of(stored) == sha256:
        return True
    write_whole(stored, partial(shutil.copyfile, original))
    if sha256_of(stored) == sha256:
        return True
    stored.unlink()
    return False


def _stored(settings: Settings, sha256: str, extension: str) -> Path:
    return settings.received / f"{sha256}{extension}"


def _size_and_time(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _remove(path: Path, seen: tuple[int, int]) -> None:
    """Remove a file that was received, unless somebody writes, or has written, more of it."""
    try:
        if _size_and_time(path) == seen and not is_being_written(path):
            path.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:  # its own text holds the file's name, which may hold a child's
        raise OSError(
            error.errno, f"a file that was received cannot be removed from {path.parent}"
        ) from None
