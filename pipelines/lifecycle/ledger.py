"""The ledger of deliveries: what came when, and what became of it.

One JSON event a line, appended and flushed to disk, never rewritten. Each line carries the hash
of the line before, so that a changed or missing line shows, and how many more lines were written
with it, so that half of an append shows. No child-level value is in it, and no name of a file:
names are in ``file_names.json`` beside it, where they can be erased. Ledgers of version 0.1 hold
them.

A cut at the end leaves a chain that is sound. Therefore ``ledger.head`` beside it says how many
lines there were and the hash of the last, replaced after every append.

Events:

``received``   delivery, submission_id, sha256, extension, received_at,
               and what the cover says: sender_code, quarter, declared_version, is_synthetic, ...
``duplicate``  the bytes were taken in before: delivery, sha256, received_at, duplicate_of
``judged``     validated: submission_id, the verdict and its counts; ``refusals``: every reason by
               itself; ``held_for``: every reason to hold it for confirmation; ``queries``,
               ``errors``: rows by return and rule code; the hashes of what validated it;
               ``key_id``: of the key behind the pseudonyms
``stored``     the files of a batch: quarter, batch, submissions, ``files`` (``sha256`` and
               ``content`` by path), ``set_aside`` (sheet rows by submission and return)
``exported``   an export version of a quarter, and the hash of its checksums
``erased``     rows of somebody, or a submission, are gone: ``rows`` (counts by submission, return
               and row status), ``received`` (submissions whose file is gone), role, reason, at
``rekeyed``    every pseudonym was replaced: ``key_id`` of the key since then, ``key_before``, at
``reported``   a run reported everything up to here

and what people decided, each with ``at`` (UTC), ``role`` and, in some, a ``reason``; what they
mean is in ``ledger_state.py``:

``tolerated``, ``reopened``         a query of a sender's return from a quarter on
``confirmed``                       a submission that was held: ``codes`` of the reasons, ``seal``
``signed_off``, ``accepted_centrally``, ``withdrawn``   a submission
``locked``, ``unlocked``, ``revised``                   a nation's quarter
``published``                       an export version of a quarter, and which revision it shows
``released``                        a version of a body's release, and the hash of its checksums
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.exclusive import lock, unlock
from pipelines.files import make_folder, sync_folder, write_whole

FIRST_LINK = "0" * 64
HELD_FOR_CONFIRMATION = "held for confirmation"


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
    name: str = ""  # empty where it was erased
    status: str = "received"
    sender_code: str | None = None
    quarter: str | None = None
    version: int | None = None
    declared_version: int | None = None
    refusal_code: str | None = None
    refusal_sentence_en: str | None = None
    refusal_sentence_cy: str | None = None
    refusals: list[dict[str, str]] = field(default_factory=list)  # code, sentence_en, sentence_cy
    held_for: list[dict[str, str]] = field(default_factory=list)  # as refusals: to be confirmed
    status_once_confirmed: str | None = None
    confirmed_codes: list[str] = field(default_factory=list)  # reasons that somebody confirmed
    is_late: bool = False
    is_synthetic: bool = False
    made_from: str | None = None  # the extract that it was converted from
    is_history: bool = False  # from yearly files, after the quarter
    signed_off_by_role: str | None = None  # in ledgers of version 0.1 whatever the cover said
    signed_off_on: str | None = None
    rule_set_hash: str | None = None
    made_with: str | None = None  # hash of the code and declarations that read the file
    duplicate_of: str | None = None
    returns: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)  # run: count; skipped: counts by reason
    queries: dict[str, dict[str, int]] = field(default_factory=dict)  # rows by return, rule code
    errors: dict[str, dict[str, int]] = field(default_factory=dict)  # likewise
    is_file_erased: bool = False  # on request, or after its time
    withdrawn_at: str | None = None  # asked for; after a lock it takes effect by a revision
    withdrawn_after: int | None = None  # number of the last delivery that came before that
    state: str | None = None  # what became of it, where ``states.py`` was asked

    @property
    def is_waiting(self) -> bool:
        return self.status == "received"

    @property
    def is_accepted(self) -> bool:
        return self.status.startswith("accepted")

    @property
    def is_to_be_confirmed(self) -> bool:
        return self.status == HELD_FOR_CONFIRMATION

    @property
    def holding_codes(self) -> list[str]:
        """Codes of the reasons for which it is, or was, held for confirmation."""
        return sorted({reason["code"] for reason in self.held_for})


@dataclass(frozen=True)
class Head:
    """How long a ledger is, in lines, and the hash of its last line."""

    length: int
    head: str

    def as_json(self) -> dict[str, int | str]:
        return {"length": self.length, "head": self.head}


@dataclass(frozen=True)
class _Read:
    """A ledger's finished lines as they were last read."""

    content: bytes
    events: list[dict[str, Any]]
    links: list[str]  # the hash of each line


# What was last read of each ledger. A ledger only grows, so that what was checked once need not
# be parsed again: reading 20,000 lines takes 0.3 s, comparing their bytes 2 ms.
_READ: dict[Path, _Read] = {}
_LEDGERS_KEPT = 4


class Ledger:
    """Append-only ledger in one file. Only one process at a time may append."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def events(self) -> list[dict[str, Any]]:
        """All events, oldest first, for reading only.

        Raises LedgerError where the chain of hashes breaks, and where lines at the end are gone.
        """
        names = self.file_names()
        return [_with_name(event, names) for event in self._read().events]

    def file_names(self) -> dict[str, str]:
        """What files were called, by submission id; empty where a name was erased."""
        try:
            return json.loads(self.names_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):  # names help people; nothing rests on them
            return {}

    def name_files(self, names: Mapping[str, str]) -> None:
        """Keep, or with an empty text erase, names by submission id. On disk when this returns."""
        every = self.file_names() | dict(names)
        text = json.dumps(every, ensure_ascii=False, indent=0, sort_keys=True) + "\n"
        write_whole(self.names_file, lambda path: path.write_text(text, encoding="utf-8"))

    @property
    def names_file(self) -> Path:
        return self.path.with_name("file_names.json")

    def head(self) -> Head:
        """Length and last hash of the chain, which is checked on the way. Raises LedgerError."""
        links = self._read().links
        return Head(len(links), links[-1] if links else FIRST_LINK)

    def links(self) -> list[str]:
        """The hash of every line, oldest first. Raises LedgerError."""
        return list(self._read().links)

    @property
    def head_file(self) -> Path:
        return self.path.with_suffix(".head")

    def _read(self) -> _Read:
        recorded = self._recorded_head()  # before the ledger, which may grow meanwhile
        content = b"".join(line + b"\n" for line in self._finished_lines())
        known = _READ.get(self.path)
        if known is None or not content.startswith(known.content):
            known = _Read(b"", [], [])
        events, links = list(known.events), list(known.links)
        for line in content[len(known.content) :].split(b"\n")[:-1]:
            where = f"{self.path}, line {len(links) + 1}"
            events.append(_event(line, links[-1] if links else FIRST_LINK, where))
            links.append(hashlib.sha256(line).hexdigest())
        self._refuse_a_cut(recorded, links)
        while len(_READ) >= _LEDGERS_KEPT and self.path not in _READ:
            _READ.pop(next(iter(_READ)))
        _READ[self.path] = read = _Read(content, events, links)
        return read

    def _recorded_head(self) -> Head | None:
        """What the file beside the ledger says; None where there is none, as in older folders."""
        try:
            head = json.loads(self.head_file.read_text(encoding="utf-8"))
            return Head(int(head["length"]), str(head["head"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerError(f"{self.head_file} is damaged: put it back from a copy") from error

    def _refuse_a_cut(self, recorded: Head | None, links: list[str]) -> None:
        if recorded is None or recorded.length == 0:
            return
        if recorded.length > len(links):
            raise LedgerError(
                f"{self.path} has {len(links)} lines and had {recorded.length}: lines at its end "
                "are gone; put it back from a copy"
            )
        if links[recorded.length - 1] != recorded.head:
            raise LedgerError(
                f"{self.path}, line {recorded.length}: not the line that {self.head_file.name} "
                "remembers; put the ledger back from a copy"
            )

    def append(self, *events: Mapping[str, Any]) -> None:
        """Write events, all or none of them, and return when they are on disk."""
        if not events:
            return
        make_folder(self.path.parent)
        before = self._end_of_chain()
        previous = before.head
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
        self._remember(Head(before.length + len(events), previous))

    def _remember(self, head: Head) -> None:
        """After the lines are on disk: a crash in between leaves a head that is true of fewer."""
        text = json.dumps(head.as_json()) + "\n"
        write_whole(self.head_file, lambda path: path.write_text(text, encoding="utf-8"))

    def _end_of_chain(self) -> Head:
        """Where an append goes on, after what a crash left unfinished was dropped."""
        head = self.head()
        length = len(_READ[self.path].content)
        if self.path.exists() and self.path.stat().st_size != length:
            with self.path.open("rb+") as handle:
                handle.truncate(length)
        return head

    def _finished_lines(self) -> list[bytes]:
        """Lines of appends that were finished. What a crash left of another was never acknowledged:
        half a set of verdicts would have the rest of its batch validated, and written, alone."""
        if not self.path.exists():
            return []
        lines = self.path.read_bytes().split(b"\n")[:-1]
        while lines and _announces_more(lines[-1]):
            lines.pop()
        return lines

    def unreported(self) -> list[dict[str, Any]]:
        """Events since a run last reported what happened.

        Our own memory, not Dagster's: that one may be cleared, and takes no part when a file is
        refused on arrival.
        """
        events = self.events()
        reported = [n for n, event in enumerate(events, start=1) if event["event"] == "reported"]
        return events[reported[-1] :] if reported else events

    def submissions(self) -> list[Submission]:
        """Every delivery in order of arrival, with its latest status."""
        by_id: dict[str, Submission] = {}
        for event in self.events():
            fold_delivery(by_id, event)
        submissions = list(by_id.values())
        _number_versions(submissions)
        return submissions

    @contextmanager
    def held(self) -> Generator[None]:
        """Hold the ledger for appending. Raises LedgerBusy when another process holds it.

        The lock is the operating system's, so a killed process leaves none behind.
        """
        make_folder(self.path.parent)
        with self.path.with_suffix(".lock").open("a+b") as handle:
            try:
                lock(handle)
            except OSError as error:
                raise LedgerBusy("another process is taking returns in; try again later") from error
            try:
                yield
            finally:
                unlock(handle)


def fold_delivery(submissions: MutableMapping[str, Submission], event: Mapping[str, Any]) -> None:
    """Bring what is known of deliveries, by submission id, up to one more event.

    Versions are not numbered here: they depend on the deliveries before.
    """
    kind = event["event"]
    if kind in ("received", "duplicate"):
        known = {k: v for k, v in event.items() if k in Submission.__dataclass_fields__}
        known["received_at"] = datetime.fromisoformat(event["received_at"])
        known["status"] = "duplicate" if kind == "duplicate" else "received"
        submissions[event["submission_id"]] = Submission(**known)
    elif kind == "judged":
        submission = submissions[event["submission_id"]]
        for name, value in event.items():
            if name in Submission.__dataclass_fields__:
                setattr(submission, name, value)
        if "refusals" not in event:  # before reasons were kept one by one
            submission.refusals = _joined_reasons(submission)
        if "held_for" not in event:
            submission.held_for, submission.status_once_confirmed = [], None
        # Validated again by other rules, it need not be confirmed again for the same reasons.
        if submission.is_to_be_confirmed and set(submission.holding_codes) <= set(
            submission.confirmed_codes
        ):
            submission.status = submission.status_once_confirmed or submission.status
    elif kind == "confirmed":
        confirmed = submissions[event["submission_id"]]
        confirmed.confirmed_codes = list(event["codes"])
        confirmed.status = confirmed.status_once_confirmed or confirmed.status
    elif kind == "withdrawn":
        withdrawn = submissions[event["submission_id"]]
        withdrawn.withdrawn_at, withdrawn.withdrawn_after = event["at"], len(submissions)
    elif kind == "erased":
        _fold_erasure(submissions, event)


def _fold_erasure(submissions: MutableMapping[str, Submission], event: Mapping[str, Any]) -> None:
    """Bring counts of rows down to those that are held still; the verdict stays what it was."""
    for submission_id in event["received"]:
        if submission_id in submissions:
            submissions[submission_id].is_file_erased = True
    for submission_id, by_return in event["rows"].items():
        if submission_id not in submissions:
            continue
        item = submissions[submission_id]
        returns = dict(item.returns)
        for name, by_status in by_return.items():
            counts = dict(returns[name])
            counts["rows_read"] -= sum(by_status.values())
            counts["rows_accepted"] -= by_status.get("accepted", 0)
            counts["rows_quarantined"] -= by_status.get("quarantined", 0)
            returns[name] = counts
        item.returns = returns


def _with_name(event: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    if event["event"] not in ("received", "duplicate"):
        return dict(event)
    return {**event, "name": names.get(event["submission_id"], event.get("name", ""))}


def _joined_reasons(submission: Submission) -> list[dict[str, str]]:
    if submission.status != "refused" or not submission.refusal_code:
        return []
    return [
        {
            "code": submission.refusal_code,
            "sentence_en": submission.refusal_sentence_en or "",
            "sentence_cy": submission.refusal_sentence_cy or "",
        }
    ]


def _event(line: bytes, previous: str, where: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError as error:
        raise LedgerError(f"{where}: not a ledger event") from error
    if not isinstance(event, dict) or event.pop("previous", None) != previous:
        raise LedgerError(
            f"{where}: does not follow from the line before; a line was changed, added or removed"
        )
    event.pop("more", None)
    return event


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
