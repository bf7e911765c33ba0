"""Versions of releases: on disk, in the ledger, and what each told its readers.

A version is a folder ``releases/<body>/<quarter>/<version>``, renamed into place whole and never
changed. The ledger keeps the hash of its checksums, so that a changed file is seen and a version
that is made again can be compared. What it told (every cell with its true value) lies apart, in
``told/``, and is needed to protect every later release.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.files import CHECKSUMS, changed_files, sha256_of
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.release.content import ReleaseError
from pipelines.settings import Settings

if TYPE_CHECKING:
    import polars as pl

_NAME = re.compile(r"(?P<body>[A-Za-z0-9-]+)/(?P<quarter>[^/]+)/(?P<version>[1-9][0-9]*)")


@dataclass(frozen=True)
class Version:
    """One version of a release, as the ledger tells of it."""

    body: str
    nation_code: str
    quarter: Quarter
    version: int
    revision: int
    as_of: str
    role: str
    at: str
    reason: str | None
    figures: int
    changed: int
    checksums: str
    told: str
    ledger_length: int  # lines before this one

    @property
    def name(self) -> str:
        return f"{self.body}/{self.quarter}/{self.version}"


def versions(settings: Settings) -> list[Version]:
    """Every version that was released, in the order of release. Raises LedgerError."""
    return list(_released(Ledger(settings.ledger).events()))


def _released(events: Iterable[Mapping[str, Any]]) -> Iterator[Version]:
    for number, event in enumerate(events):
        if event["event"] == "released":
            known = {name: event[name] for name in Version.__dataclass_fields__ if name in event}
            yield Version(
                **known | {"quarter": Quarter.parse(event["quarter"]), "ledger_length": number}
            )


def versions_of(settings: Settings, body: str, quarter: Quarter) -> list[Version]:
    return [one for one in versions(settings) if (one.body, one.quarter) == (body, quarter)]


def home_of(settings: Settings, body: str, quarter: Quarter) -> Path:
    return settings.releases / body.lower() / quarter.label


def folder_of(settings: Settings, one: Version) -> Path:
    return home_of(settings, one.body, one.quarter) / str(one.version)


def find(settings: Settings, name: str) -> Version:
    """A version by its name, such as NAS/2025-26-Q1/2. Raises ReleaseError."""
    match = _NAME.fullmatch(name)
    known = versions(settings)
    for one in known:
        if match and one.name.casefold() == name.casefold():
            return one
    there = ", ".join(one.name for one in known[-3:]) or "nothing was released yet"
    raise ReleaseError(
        f"{name} was never released. A release is named like NAS/2025-26-Q1/1: {there}"
    )


def faults(settings: Settings) -> Iterator[str]:
    """What is not as it was released: folders, files in them, and what they told."""
    for one in versions(settings):
        folder = folder_of(settings, one)
        again = f"make it again with `adoption release {one.body} {one.quarter} --as-of {one.at}"
        if not folder.is_dir():
            yield f"{folder} is missing: {again} --out FOLDER`, or put it back from a copy"
        elif (changed := changed_files(folder)) or sha256_of(folder / CHECKSUMS) != one.checksums:
            names = ", ".join(changed or [CHECKSUMS])
            yield f"{folder} is not as it was released ({names}): put it back from a copy"
        told = told_file(settings, one)
        if not told.is_file() or sha256_of(told) != one.told:
            yield (
                f"{told} is missing or changed: without it a later release cannot be protected "
                "from being compared with this one; put it back from a copy"
            )


# --- what was told --------------------------------------------------------------


def told_file(settings: Settings, one: Version) -> Path:
    return settings.told / f"{one.body.lower()}-{one.quarter}-v{one.version}.parquet"


def told_before(settings: Settings, body: str, before: int | None = None) -> pl.DataFrame | None:
    """What all earlier releases of a body told, oldest first; None when there is none.

    ``before`` leaves out those that stand at this line of the ledger or later. Raises ReleaseError
    where what one of them told is missing or changed.
    """
    import polars as pl

    frames = []
    for one in versions(settings):
        if one.body != body or (before is not None and one.ledger_length >= before):
            continue
        path = told_file(settings, one)
        if not path.is_file() or sha256_of(path) != one.told:
            raise ReleaseError(
                f"{path} is missing or changed: what {one.name} told has to be known to protect "
                "this release. Put it back from a copy"
            )
        frames.append(pl.read_parquet(path))
    return pl.concat(frames) if frames else None
