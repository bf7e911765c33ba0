"""Versions of releases: on disk, in the ledger, and the true numbers behind them.

A version is a folder ``releases/<body>/<quarter>/<version>``, renamed into place whole and never
changed. The ledger keeps the hash of its checksums, so that a changed file is seen and a version
that is made again can be compared. The true number behind every released cell lies apart, in
``released_values/``, and is needed to protect every later release.
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
    values_sha256: str
    ledger_length: int  # lines before this one
    quarters_sha256: str | None = None  # None before the numbers of single quarters were kept

    @property
    def name(self) -> str:
        return f"{self.body}/{self.quarter}/{self.version}"


def versions(settings: Settings) -> list[Version]:
    """Every version that was released, in the order of release. Raises LedgerError."""
    return list(_released(Ledger(settings.ledger).events()))


def _released(events: Iterable[Mapping[str, Any]]) -> Iterator[Version]:
    for number, event in enumerate(events):
        if event["event"] == "released":
            yield Version(
                body=event["body"],
                nation_code=event["nation_code"],
                quarter=Quarter.parse(event["quarter"]),
                version=event["version"],
                revision=event["revision"],
                as_of=event["as_of"],
                role=event["role"],
                at=event["at"],
                reason=event["reason"],
                figures=event["figures"],
                changed=event["changed"],
                checksums=event["checksums"],
                values_sha256=event["told"],  # the ledger is append-only: its keys keep their names
                quarters_sha256=event.get("quarters"),
                ledger_length=number,
            )


def versions_of(settings: Settings, body: str, quarter: Quarter) -> list[Version]:
    """Versions of one body and quarter, oldest first. Raises LedgerError."""
    return [
        version
        for version in versions(settings)
        if (version.body, version.quarter) == (body, quarter)
    ]


def home_of(settings: Settings, body: str, quarter: Quarter) -> Path:
    """Folder that holds the versions of a body's release of a quarter."""
    return settings.releases / body.lower() / quarter.label


def folder_of(settings: Settings, version: Version) -> Path:
    """Folder of one version."""
    return home_of(settings, version.body, version.quarter) / str(version.version)


def find(settings: Settings, name: str) -> Version:
    """A version by its name, such as NAS/2025-26-Q1/2. Raises ReleaseError."""
    known = versions(settings)
    if _NAME.fullmatch(name):
        for version in known:
            if version.name.casefold() == name.casefold():
                return version
    newest = ", ".join(version.name for version in known[-3:]) or "nothing was released yet"
    raise ReleaseError(
        f"{name} was never released. A release is named like NAS/2025-26-Q1/1: {newest}"
    )


def faults(settings: Settings) -> Iterator[str]:
    """What is not as it was released: folders, files in them, and the numbers behind them."""
    for version in versions(settings):
        folder = folder_of(settings, version)
        if not folder.is_dir():
            yield (
                f"{folder} is missing: make it again with `adoption release {version.body} "
                f"{version.quarter} --as-of {version.at} --out FOLDER`, or put it back from a copy"
            )
        elif (changed := changed_files(folder)) or (
            sha256_of(folder / CHECKSUMS) != version.checksums
        ):
            names = ", ".join(changed or [CHECKSUMS])
            yield f"{folder} is not as it was released ({names}): put it back from a copy"
        for path, sha256 in files_behind(settings, version).items():
            if not path.is_file() or sha256_of(path) != sha256:
                yield (
                    f"{path} is missing or changed: without it a later release cannot be "
                    "protected from being compared with this one; put it back from a copy"
                )


# --- the true numbers behind what was released -----------------------------------


def released_values_file(settings: Settings, version: Version) -> Path:
    """Where the true number behind every released cell of a version lies, as Parquet."""
    name = f"{version.body.lower()}-{version.quarter}-v{version.version}.parquet"
    return settings.released_values / name


def released_quarters_file(settings: Settings, version: Version) -> Path:
    """Where the numbers of single quarters lie that a version rests on, as Parquet."""
    return released_values_file(settings, version).with_suffix(".quarters.parquet")


def files_behind(settings: Settings, version: Version) -> dict[Path, str]:
    """The private files behind a version, and the hash of each."""
    files = {released_values_file(settings, version): version.values_sha256}
    if version.quarters_sha256 is not None:
        files[released_quarters_file(settings, version)] = version.quarters_sha256
    return files


def quarters_released_before(
    settings: Settings, body: str, before: int | None = None
) -> pl.DataFrame | None:
    """The numbers of single quarters that the last release of a body rests on; None without any.

    ``before`` leaves out releases at this line of the ledger or later. Raises ReleaseError where
    they are missing or changed.
    """
    import polars as pl

    earlier = [
        version
        for version in versions(settings)
        if version.body == body
        and version.quarters_sha256 is not None
        and (before is None or version.ledger_length < before)
    ]
    if not earlier:
        return None
    path = released_quarters_file(settings, earlier[-1])
    if not path.is_file() or sha256_of(path) != earlier[-1].quarters_sha256:
        raise ReleaseError(
            f"{path} is missing or changed: without it nobody can say which returns have changed "
            f"since {earlier[-1].name}. Put the file back from a copy"
        )
    return pl.read_parquet(path)


def values_released_before(
    settings: Settings, body: str, before: int | None = None
) -> pl.DataFrame | None:
    """True numbers behind all earlier releases of a body, oldest first; None without any.

    ``before`` leaves out those that stand at this line of the ledger or later. Raises ReleaseError
    where the numbers of one of them are missing or changed.
    """
    import polars as pl

    frames = []
    for version in versions(settings):
        if version.body != body or (before is not None and version.ledger_length >= before):
            continue
        path = released_values_file(settings, version)
        if not path.is_file() or sha256_of(path) != version.values_sha256:
            raise ReleaseError(
                f"{path} is missing or changed: without the numbers behind {version.name} this "
                "release cannot be protected. Put the file back from a copy"
            )
        frames.append(pl.read_parquet(path))
    return pl.concat(frames) if frames else None
