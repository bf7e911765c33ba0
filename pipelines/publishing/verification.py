"""Whether the ledger and the received files are what they were: ``adoption verify``.

The chain of hashes shows a line that was changed, put in or taken out. A cut at the end leaves a
sound chain, so the length and last hash are also kept elsewhere: in ``ledger.head`` after every
append, and in the manifest of every export version. What all of these cannot show is in
:data:`LIMITS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.declarations import Declarations
from pipelines.files import changed_files, sha256_of
from pipelines.intake.landing import stored_file
from pipelines.lifecycle.ledger import Head, Ledger, LedgerError
from pipelines.lifecycle.ledger_state import LedgerState
from pipelines.lifecycle.order import refusal
from pipelines.publishing.internal_files import MANIFEST
from pipelines.release.versions import faults, versions
from pipelines.settings import Settings
from pipelines.text.catalogue import N_, translations

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
    files: int = 0
    exports: int = 0
    releases: int = 0
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "is_sound": not self.faults,
            "ledger": self.head.as_json() if self.head else None,
            "anchors_compared": self.anchors,
            "files_compared": self.files,
            "exports_compared": self.exports,
            "releases_compared": self.releases,
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
    settings: Settings, declarations: Declarations, expected: Head | None = None
) -> Findings:
    """Compare everything that is kept twice. Reads every received file once."""
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
    _compare_files(settings, ledger, findings)
    findings.releases = len(versions(settings))
    findings.faults += faults(settings)
    for folder in _versions(settings):
        findings.exports += 1
        if changed_files(folder):
            findings.faults.append(
                f"{folder} is not as it was published: a file changed or is gone"
            )
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


def _compare_files(settings: Settings, ledger: Ledger, findings: Findings) -> None:
    known = {item.sha256: item for item in ledger.submissions()}
    for sha256, item in sorted(known.items()):
        path = stored_file(settings, item)
        findings.files += 1
        if not path.is_file():
            findings.faults.append(f"{path} is missing ({item.submission_id})")
        elif sha256_of(path) != sha256:
            findings.faults.append(f"{path} is not what was received ({item.submission_id})")
    if settings.received.exists():
        more = [path for path in settings.received.iterdir() if path.stem not in known]
        if more:
            findings.remarks.append(
                f"{len(more)} files in {settings.received} are in no line of the ledger: a run "
                "that was killed leaves such a file, and takes its original in again"
            )
