"""That raw and validated hold what the ledger says, to the file and to the row.

With the verdicts of a batch the ledger gets one event ``stored``: the SHA-256 of every file that
holds its rows, and a digest of what is in it, which another version of Parquet does not change.
A build stages nothing before :func:`refuse_unless_conserved` has compared: no file missing, changed
or too many, and for every submission and return as many rows as its verdict counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import polars as pl

from pipelines.files import sha256_of
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.settings import Settings

ROOMS = ("raw", "validated")
REBUILD = "put it back from a copy, or run `adoption rebuild`"


class ConservationError(Exception):
    """Raw and validated are not what the ledger says; the message names a file and the way out."""


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was: a file, or the rows of a submission."""

    room: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"


@dataclass(frozen=True)
class StoredBatch:
    """The newest event ``stored`` of a batch: files by path inside the data folder."""

    quarter: str
    name: str
    submissions: tuple[str, ...]
    files: Mapping[str, Mapping[str, str]]  # sha256 and content of each
    set_aside: Mapping[str, Mapping[str, list[int]]]  # sheet rows by submission and return

    def about(self) -> str:
        """Whose rows are in its files."""
        first, others = self.submissions[0], len(self.submissions) - 1
        return f"rows of {first}" + (f" and {others} more submissions" if others else "")


def stored_event(
    settings: Settings,
    quarter: str,
    batch: str,
    submissions: Iterable[str],
    set_aside: Mapping[str, Mapping[str, list[int]]],
) -> dict[str, Any]:
    """The event about the files of a batch as they lie in raw and validated now."""
    return {
        "event": "stored",
        "quarter": quarter,
        "batch": batch,
        "submissions": list(submissions),
        "files": {
            _inside(settings, path): {"sha256": sha256_of(path), "content": content_digest(path)}
            for path in files_of_batch(settings, quarter, batch)
        },
        "set_aside": {key: dict(value) for key, value in set_aside.items() if value},
    }


def files_of_batch(settings: Settings, quarter: str, batch: str) -> list[Path]:
    """Every file of raw and validated that belongs to a batch."""
    return sorted(
        path
        for room in (settings.raw, settings.validated)
        for path in room.glob(f"*/{quarter}/{batch}.*")
    )


def content_digest(path: Path) -> str:
    """SHA-256 of what a file says: of a table its columns and rows, whatever wrote the file."""
    if path.suffix != ".parquet":
        return sha256_of(path)
    frame = pl.read_parquet(path)
    digest = hashlib.sha256(
        repr([(name, str(kind)) for name, kind in frame.schema.items()]).encode()
    )
    digest.update(frame.write_csv(null_value="\\N", quote_style="non_numeric").encode("utf-8"))
    return digest.hexdigest()


def stored_batches_of(events: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], StoredBatch]:
    """What the ledger knows of batches, by quarter and name; a later event replaces an earlier."""
    return {
        (event["quarter"], event["batch"]): StoredBatch(
            event["quarter"],
            event["batch"],
            tuple(event["submissions"]),
            event["files"],
            event["set_aside"],
        )
        for event in events
        if event["event"] == "stored"
    }


def refuse_unless_conserved(settings: Settings) -> None:
    """Raise ConservationError with the first fault and the number of the others."""
    faults = list(faults_of_rooms(settings))
    if faults:
        others = len(faults) - 1
        more = f" ({others} more: `adoption verify` lists them)" if others else ""
        raise ConservationError(f"{faults[0]}{more}. Nothing was built")


def faults_of_rooms(settings: Settings) -> Iterator[Fault]:
    """Every fault of raw and validated: files first, then rows. Raises LedgerError."""
    ledger = Ledger(settings.ledger)
    batches = stored_batches_of(ledger.events()).values()
    submissions = ledger.submissions()
    unreadable: set[str] = set()
    for fault, path in _faults_of_files(settings, batches, submissions):
        unreadable.add(path)
        yield fault
    yield from _faults_of_rows(settings, submissions, unreadable)


def _faults_of_files(
    settings: Settings, batches: Collection[StoredBatch], submissions: Iterable[Submission]
) -> Iterator[tuple[Fault, str]]:
    known: set[str] = set()
    for batch in batches:
        known.update(batch.files)
        for name, noted in sorted(batch.files.items()):
            path, room = settings.data / name, name.partition("/")[0]
            if not path.is_file():
                yield Fault(room, f"{path} is missing ({batch.about()})", REBUILD), name
            elif sha256_of(path) != noted["sha256"]:
                yield Fault(room, f"{path} has changed ({batch.about()})", REBUILD), name
    in_ledger = {(batch.quarter, batch.name) for batch in batches}
    waiting = {f"{item.delivery_number:06d}" for item in submissions if item.is_waiting}
    older = {f"{item.delivery_number:06d}" for item in _without_event(batches, submissions)}
    for path in batch_files(settings):
        name = _inside(settings, path)
        first = path.name.partition("-")[0]
        is_unfinished = first in waiting  # a run that was killed; the next one does it again
        is_older = first in older and (path.parent.name, path.stem) not in in_ledger
        if name not in known and not is_unfinished and not is_older:
            yield (
                Fault(
                    name.partition("/")[0],
                    f"{path} is in no line of the ledger",
                    "move it out of the data folder",
                ),
                name,
            )


def batch_files(settings: Settings) -> Iterator[Path]:
    """Every file of raw, and of validated what batches write: tables of declarations are not."""
    for room in ROOMS:
        for path in sorted((settings.data / room).glob("*/*/*")):
            is_temporary = path.name.startswith(".") and path.name.endswith(".part")
            is_empty_table = path.parts[-2:] == ("none", "none.parquet")
            if path.is_file() and not is_temporary and not is_empty_table:
                yield path


def is_of_a_batch(path: PurePath) -> bool:
    """Whether a path inside validated is a batch's file, or the key's marker: not one of the tables
    that every build writes anew, whose checksums lie beside them."""
    is_empty_table = path.name == "none.parquet"
    return path.as_posix() == "key_id" or (len(path.parts) == 3 and not is_empty_table)


def rows_on_disk(settings: Settings) -> dict[tuple[str, str], dict[str, int]]:
    """Rows in validated by submission and return, and by row status."""
    rows: dict[tuple[str, str], dict[str, int]] = {}
    for path in batch_files(settings):
        name = path.parts[-3]
        if path.parts[-4] != "validated" or name == "problems" or path.suffix != ".parquet":
            continue
        try:
            counted = (
                pl.read_parquet(path, columns=["submission_id", "row_status"])
                .group_by("submission_id", "row_status")
                .len()
            )
        except (pl.exceptions.PolarsError, OSError):
            continue  # its checksum tells, or else the rows that are lacking
        for submission_id, status, count in counted.iter_rows():
            of_return = rows.setdefault((submission_id, name), {})
            of_return[status] = of_return.get(status, 0) + count
    return rows


def _faults_of_rows(
    settings: Settings, submissions: Iterable[Submission], known_faults: Collection[str]
) -> Iterator[Fault]:
    """Where rows are lacking or too many though no file of theirs was named already."""
    on_disk = rows_on_disk(settings)
    faulty = {tuple(Path(name).parts[1:3]) for name in known_faults}  # return and quarter
    for item in submissions:
        for name, counts in item.returns.items():
            rows = on_disk.pop((item.submission_id, name), {})
            if (name, item.quarter) in faulty:
                continue
            there, read = sum(rows.values()), counts["rows_read"]
            folder = settings.validated / name / str(item.quarter)
            if there != read:
                yield Fault(
                    "validated",
                    f"{folder} has {there} rows of {item.submission_id} and the ledger {read}",
                    REBUILD,
                )
            elif item.is_accepted and rows.get("accepted", 0) != counts["rows_accepted"]:
                yield Fault(
                    "validated",
                    f"{folder} has {rows.get('accepted', 0)} accepted rows of "
                    f"{item.submission_id} and the ledger {counts['rows_accepted']}",
                    REBUILD,
                )
        if item.is_waiting:
            on_disk = {key: value for key, value in on_disk.items() if key[0] != item.submission_id}
    for (submission_id, name), rows in sorted(on_disk.items()):
        yield Fault(
            "validated",
            f"{settings.validated / name} has {sum(rows.values())} rows of {submission_id}, of "
            "which the ledger knows none",
            REBUILD,
        )


def without_hashes(settings: Settings) -> list[Submission]:
    """Submissions validated before hashes were kept, which are compared by their rows alone."""
    ledger = Ledger(settings.ledger)
    batches = stored_batches_of(ledger.events()).values()
    return _without_event(batches, ledger.submissions())


def _without_event(
    batches: Iterable[StoredBatch], submissions: Iterable[Submission]
) -> list[Submission]:
    stored = {submission_id for batch in batches for submission_id in batch.submissions}
    # What was refused on arrival was validated by no rules, and has no rows.
    return [item for item in submissions if item.rule_set_hash and item.submission_id not in stored]


def _inside(settings: Settings, path: Path) -> str:
    return path.relative_to(settings.data).as_posix()
