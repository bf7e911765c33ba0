"""The ledger of deliveries: what came when, and what became of it.

One JSON event a line, appended and flushed to disk, never rewritten. Each line carries the hash
of the line before, so that a changed or missing line shows, and how many more lines were written
with it, so that half of an append shows. No child-level value is in it.

Events:

``received``   delivery, submission_id, sha256, extension, name, size, received_at,
               and what the cover says: sender_code, quarter, declared_version, is_synthetic, ...
``duplicate``  the bytes were taken in before: delivery, sha256, received_at, duplicate_of
``judged``     submission_id, the verdict and its counts
``reported``   a run told of everything up to here
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.files import sync_folder

FIRST_LINK = "0" * 64


class LedgerError(Exception):
    """The ledger on disk is not the one that was written."""


class LedgerBusy(Exception):
    """Another process is taking returns in."""


@dataclass
class Submission:
    """What the ledger knows of one delivery, its events folded together."""

    submission_id: str
    delivery_number: int
    received_at: datetime
    sha256: str
    extension: str
    name: str
    status: str = "received"
    sender_code: str | None = None
    quarter: str | None = None
    version: int | None = None
    declared_version: int | None = None
    refusal_code: str | None = None
    refusal_sentence_en: str | None = None
    refusal_sentence_cy: str | None = None
    is_late: bool = False
    is_synthetic: bool = False
    signed_off_by_role: str | None = None
    signed_off_on: str | None = None
    rule_set_hash: str | None = None
    duplicate_of: str | None = None
    returns: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)

    @property
    def is_waiting(self) -> bool:
        return self.status == "received"

    @property
    def is_accepted(self) -> bool:
        return self.status.startswith("accepted")


class Ledger:
    """Append-only ledger in one file. Only one process at a time may append."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def events(self) -> list[dict[str, Any]]:
        """All events, oldest first. Raises LedgerError where the chain of hashes breaks."""
        events = []
        previous = FIRST_LINK
        for number, line in enumerate(self._finished_lines(), start=1):
            try:
                event = json.loads(line)
            except ValueError as error:
                raise LedgerError(f"{self.path}, line {number}: not a ledger event") from error
            if not isinstance(event, dict) or event.pop("previous", None) != previous:
                raise LedgerError(
                    f"{self.path}, line {number}: does not follow from the line before; "
                    "a line was changed, added or removed"
                )
            event.pop("more", None)
            events.append(event)
            previous = hashlib.sha256(line).hexdigest()
        return events

    def append(self, *events: dict[str, Any]) -> None:
        """Write events, all or none of them, and return when they are on disk."""
        if not events:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        previous = self._end_of_chain()
        lines = []
        for more, event in zip(reversed(range(len(events))), events, strict=True):
            linked = {**event, "previous": previous, "more": more}
            line = json.dumps(linked, ensure_ascii=False, sort_keys=True)
            previous = hashlib.sha256(line.encode("utf-8")).hexdigest()
            lines.append(line + "\n")
        is_new = not self.path.exists()
        with self.path.open("a", encoding="utf-8", newline="\n") as handle:
            handle.write("".join(lines))
            handle.flush()
            os.fsync(handle.fileno())
        if is_new:
            sync_folder(self.path.parent)

    def _end_of_chain(self) -> str:
        lines = self._finished_lines()
        if self.path.exists():
            length = sum(len(line) + 1 for line in lines)
            if self.path.stat().st_size != length:
                with self.path.open("rb+") as handle:  # drop what a crash left unfinished
                    handle.truncate(length)
        return hashlib.sha256(lines[-1]).hexdigest() if lines else FIRST_LINK

    def _finished_lines(self) -> list[bytes]:
        """Lines of appends that were finished. What a crash left of another was never acknowledged:
        half a set of verdicts would have the rest of its batch judged, and written, alone."""
        if not self.path.exists():
            return []
        lines = self.path.read_bytes().split(b"\n")[:-1]
        while lines and _announces_more(lines[-1]):
            lines.pop()
        return lines

    def unreported(self) -> list[dict[str, Any]]:
        """Events since a run last told of what happened. Our own memory, not Dagster's: that one
        may be cleared, and takes no part when a file is refused at the door."""
        events = self.events()
        told = [n for n, event in enumerate(events, start=1) if event["event"] == "reported"]
        return events[told[-1] :] if told else events

    def submissions(self) -> list[Submission]:
        """Every delivery in order of arrival, with its latest status."""
        found: dict[str, Submission] = {}
        for event in self.events():
            kind = event["event"]
            if kind in ("received", "duplicate"):
                known = {k: v for k, v in event.items() if k in Submission.__dataclass_fields__}
                known["received_at"] = datetime.fromisoformat(event["received_at"])
                known["status"] = "duplicate" if kind == "duplicate" else "received"
                found[event["submission_id"]] = Submission(**known)
            elif kind == "judged":
                submission = found[event["submission_id"]]
                for name, value in event.items():
                    if name in Submission.__dataclass_fields__:
                        setattr(submission, name, value)
        submissions = list(found.values())
        _number_versions(submissions)
        return submissions

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the ledger for appending. Raises LedgerBusy when another process holds it.

        The lock is the operating system's, so a killed process leaves none behind.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("a+b") as handle:
            _lock(handle)
            try:
                yield
            finally:
                _unlock(handle)


def _announces_more(line: bytes) -> bool:
    try:
        event = json.loads(line)
    except ValueError:
        return False
    return isinstance(event, dict) and bool(event.get("more"))


def _number_versions(submissions: list[Submission]) -> None:
    """Versions count the distinct files of one sender for one quarter, in order of arrival."""
    counts: dict[tuple[str, str], int] = {}
    for submission in submissions:
        if submission.sender_code is None or submission.quarter is None:
            continue
        if submission.status == "duplicate":
            continue
        key = (submission.sender_code, submission.quarter)
        counts[key] = counts.get(key, 0) + 1
        submission.version = counts[key]


if os.name == "nt":
    import msvcrt

    def _lock(handle: Any) -> None:
        try:
            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise LedgerBusy("another process is taking returns in; try again later") from error

    def _unlock(handle: Any) -> None:
        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle: Any) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LedgerBusy("another process is taking returns in; try again later") from error

    def _unlock(handle: Any) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
