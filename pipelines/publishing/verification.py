"""Whether every room is what it was: ``adoption verify``.

Of each room something else knows what it has to hold: the ledger of received files, of the batches
in raw and validated, of exports and releases; checksums beside them of the tables that a build
writes and of the published databases.

The chain of hashes shows a line that was changed, put in or taken out. A cut at the end leaves a
sound chain, so the length and last hash are also kept elsewhere: in ``ledger.head`` after every
append, and in the manifest of every export version. What all of these cannot show is in
:data:`LIMITS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from pipelines.declarations import Declarations
from pipelines.files import CHECKSUMS, changed_files, checksums_in, sha256_of
from pipelines.intake.conservation import (
    ROOMS,
    batch_files,
    faults_of_rooms,
    is_of_a_batch,
    without_hashes,
)
from pipelines.intake.landing import stored_file
from pipelines.lifecycle.ledger import Head, Ledger, LedgerError
from pipelines.lifecycle.ledger_state import LedgerState
from pipelines.lifecycle.order import refusal
from pipelines.lifecycle.publication import exported_versions
from pipelines.publishing.internal_files import MANIFEST
from pipelines.release.versions import faults, files_behind, folder_of, versions
from pipelines.settings import Settings
from pipelines.text.catalogue import N_, translations
from pipelines.warehouse.published import is_of_another_build

LIMITS = N_(
    "What this cannot show: somebody who can write every file here can rewrite ledger, head and "
    "manifests together. Keep the length and hash above somewhere else, and compare them later "
    "with --expect LENGTH:HASH."
)
_WRITTEN_HEAD = re.compile(r"([0-9]+):([0-9a-f]{64})")


@dataclass
class Findings:
    """What was looked at, and every fault; without a fault all is well."""

    head: Head | None = None
    anchors: int = 0
    rooms: dict[str, int] = field(default_factory=dict)  # what was compared in each
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "is_sound": not self.faults,
            "ledger": self.head.as_json() if self.head else None,
            "anchors_compared": self.anchors,
            "files_compared": self.rooms.get("landing", 0),
            "exports_compared": self.rooms.get("exports", 0),
            "releases_compared": self.rooms.get("releases", 0),
            "compared": self.rooms,
            "faults": self.faults,
            "remarks": self.remarks,
            "limits_en": LIMITS,
            "limits_cy": translations("cy").gettext(LIMITS),
        }


def written_head(text: str) -> Head:
    """``LENGTH:HASH`` as somebody wrote it down. Raises ValueError."""
    match = _WRITTEN_HEAD.fullmatch(text.strip())
    if match is None:
        raise ValueError("write it as `adoption verify` shows it, LENGTH:HASH")
    return Head(int(match[1]), match[2])


def verify(
    settings: Settings,
    declarations: Declarations,
    expected: Head | None = None,
    *,
    quick: bool = False,
) -> Findings:
    """Compare every room with what knows of it. Reads every file once; received files, which grow
    for ever, are not read where it has to be ``quick``, only looked for."""
    findings = Findings()
    ledger = Ledger(settings.ledger)
    try:
        findings.head = ledger.head()
        links = ledger.links()
    except LedgerError as error:
        findings.faults.append(str(error))
        return findings
    if findings.head.length and not ledger.head_file.exists():
        findings.remarks.append(
            f"{ledger.head_file} is not there, so a cut at the ledger's end shows only as far as "
            "the exports remember; the next entry makes it anew"
        )
    anchors = list(_anchors(settings))
    if expected is not None:
        anchors.append(("what was written down", expected))
    for where, head in anchors:
        findings.anchors += 1
        fault = _compare(where, head, links)
        if fault:
            findings.faults.append(fault)
    findings.faults += _out_of_order(ledger, declarations)
    _compare_received(settings, ledger, findings, quick=quick)
    _compare_batches(settings, findings)
    _compare_marts(settings, findings)
    _compare_exports(settings, ledger, findings)
    _compare_releases(settings, findings)
    return findings


def _versions(settings: Settings) -> list[Path]:
    if not settings.exports.exists():
        return []
    return sorted(
        version
        for quarter in settings.exports.iterdir()
        if quarter.is_dir()
        for version in quarter.iterdir()
        if version.is_dir() and version.name.isdigit()
    )


def _anchors(settings: Settings) -> Iterator[tuple[str, Head]]:
    """Lengths and hashes that the manifests of exports remember; older ones remember none."""
    for folder in _versions(settings):
        try:
            kept = json.loads((folder / MANIFEST).read_text(encoding="utf-8")).get("ledger")
            if kept:
                yield str(folder / MANIFEST), Head(int(kept["length"]), str(kept["head"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # its checksum tells


def _compare(where: str, head: Head, links: list[str]) -> str | None:
    if head.length > len(links):
        return (
            f"the ledger has {len(links)} lines and had {head.length}, by {where}: lines at its "
            "end are gone"
        )
    if head.length and links[head.length - 1] != head.head:
        return f"line {head.length} of the ledger is not the one that was there, by {where}"
    return None


def _out_of_order(ledger: Ledger, declarations: Declarations) -> Iterator[str]:
    """Lines that could not have followed: the program never writes one."""
    book = LedgerState(declarations)
    for number, event in enumerate(ledger.events(), start=1):
        why = refusal(book, event)
        if why:
            yield f"line {number} of the ledger ({event['event']}) could not follow: {why}"
        book.apply(event)


def _compare_received(
    settings: Settings, ledger: Ledger, findings: Findings, *, quick: bool
) -> None:
    known = {item.sha256: item for item in ledger.submissions()}
    findings.rooms["landing"] = len(known)
    for sha256, item in sorted(known.items()):
        path = stored_file(settings, item)
        if item.is_file_erased:
            if path.exists():
                findings.faults.append(
                    f"{path} was erased and is there again ({item.submission_id}): remove it"
                )
            continue
        if not path.is_file():
            what = "is missing"
        elif not quick and sha256_of(path) != sha256:
            what = "is not what was received"
        else:
            continue
        findings.faults.append(f"{path} {what} ({item.submission_id}): put it back from a copy")
    left_over = 0
    for path in sorted(settings.received.glob("*")):
        if path.stem in known and path == stored_file(settings, known[path.stem]):
            continue
        if path.is_file() and (path.name.startswith(".") or sha256_of(path) == path.stem):
            left_over += 1
        else:
            findings.faults.append(
                f"{path} is in no line of the ledger: move it out of the data folder"
            )
    if left_over:
        findings.remarks.append(
            f"{left_over} files in {settings.received} are in no line of the ledger: a run "
            "that was killed leaves such a file, and takes its original in again"
        )


def _compare_batches(settings: Settings, findings: Findings) -> None:
    """Rows and layouts of raw and validated, and the tables of declarations and the ledger."""
    for room in ROOMS:
        findings.rooms[room] = 0
    for path in batch_files(settings):
        findings.rooms[path.relative_to(settings.data).parts[0]] += 1
    findings.faults += map(str, faults_of_rooms(settings))
    older = len(without_hashes(settings))
    if older:
        findings.remarks.append(
            f"{older} submissions were validated before the ledger kept hashes: their files in raw "
            "and validated are compared by their rows alone; `adoption rebuild` adds the hashes"
        )
    tables = checksums_in(settings.validated)
    findings.rooms["validated"] += len(tables)
    if tables:
        _compare_with_checksums(findings, settings.validated, "run `adoption build`", is_of_a_batch)
    elif any((settings.validated / "declarations").glob("*.parquet")):
        findings.faults.append(
            f"{settings.validated / CHECKSUMS} is missing or unreadable: run `adoption build`"
        )


def _compare_marts(settings: Settings, findings: Findings) -> None:
    """The published warehouse and those as of a moment: each was noted when it was published."""
    findings.rooms["marts"] = 0
    as_of = sorted((settings.marts / "as_of").glob("*/"))
    for folder in (settings.marts, *as_of):
        if any(folder.glob("*.duckdb")) or (folder / CHECKSUMS).exists():
            findings.rooms["marts"] += max(1, len(checksums_in(folder)))
            again = "run `adoption build`" + (" --as-of" if folder in as_of else "")
            _compare_with_checksums(findings, folder, again, is_of_another_build)


def _compare_with_checksums(
    findings: Findings, folder: Path, remedy: str, leave_out: Callable[[PurePath], bool]
) -> None:
    listed = checksums_in(folder)
    for name in changed_files(folder, leave_out):
        path = folder / name
        if name == CHECKSUMS or not path.exists():
            what = "is missing or unreadable"
        elif name not in listed:
            what, remedy = "was not there when the others were made", f"remove it, or {remedy}"
        else:
            what = "has changed"
        findings.faults.append(f"{path} {what}: {remedy}")


def _compare_exports(settings: Settings, ledger: Ledger, findings: Findings) -> None:
    """Every version that the ledger knows, and every one that is there."""
    on_disk = _versions(settings)
    noted = exported_versions(ledger.events())
    first_noted = {quarter: min(of_quarter) for quarter, of_quarter in noted.items()}
    findings.rooms["exports"] = len(on_disk)
    for folder in on_disk:
        checksums = noted.get(folder.parent.name, {}).pop(int(folder.name), None)
        changed = changed_files(folder)
        if not changed and checksums and sha256_of(folder / CHECKSUMS) != checksums:
            changed = [CHECKSUMS]
        findings.faults += [
            f"{folder / name} is not as it was published: put it back from a copy"
            for name in changed
        ]
        is_older = int(folder.name) < first_noted.get(folder.parent.name, int(folder.name) + 1)
        if checksums is None and not changed and not is_older:
            findings.faults.append(
                f"{folder} is in no line of the ledger: run `adoption publish "
                f"{folder.parent.name}` if a run was killed, or else move it away"
            )
    for quarter, versions_lost in sorted(noted.items()):
        for version in sorted(versions_lost):
            findings.faults.append(
                f"{settings.exports / quarter / str(version)} is missing: put it back from a copy"
            )
    for path in sorted(settings.exports.glob("*/*")):
        if path.is_file() and not path.name.startswith("."):
            findings.faults.append(f"{path} is no part of an export: move it away")


def _compare_releases(settings: Settings, findings: Findings) -> None:
    known = versions(settings)
    findings.rooms["releases"] = len(known)
    findings.faults += faults(settings)
    folders = {folder_of(settings, version) for version in known}
    values = {path for version in known for path in files_behind(settings, version)}
    for path in sorted(settings.releases.glob("*/*/*")):
        if path not in folders and not path.name.startswith("."):
            findings.faults.append(f"{path} was never released: move it away")
    for path in sorted(settings.released_values.glob("*")):
        if path not in values and not path.name.startswith("."):
            findings.faults.append(f"{path} belongs to no release: move it away")
