"""Publishing under a lock: what may change, what the manifest says of it, what the ledger notes.

A locked quarter's figures may not change without a revision, whatever the cause: a late file is
held, but a return of an earlier quarter within the same window, or a changed definition, would
move them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.lifecycle.decisions import moment_after
from pipelines.lifecycle.ledger import Ledger
from pipelines.lifecycle.ledger_state import ledger_state
from pipelines.lifecycle.order import refusal
from pipelines.lifecycle.records import Lock
from pipelines.quarters import Quarter

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from pipelines.declarations import Declarations
    from pipelines.settings import Settings


_WORDING = ("_en", "_cy", "label")


class FrozenFigures(Exception):
    """Published figures of a locked quarter would change; the message says what to do."""


def locks_of(settings: Settings, declarations: Declarations, quarter: Quarter) -> list[Lock]:
    """The locks on a quarter, in the order of nation codes."""
    state = ledger_state(Ledger(settings.ledger).events(), declarations)
    return [lock for (_, label), lock in sorted(state.locks.items()) if label == quarter.label]


def note_for_manifest(
    settings: Settings, declarations: Declarations, quarter: Quarter
) -> dict[str, Any]:
    """How long the ledger was and its last hash, so that lines cut from it later are missed; and
    for each nation whose quarter is locked, which revision this is and why."""
    return {
        "ledger": Ledger(settings.ledger).head().as_json(),
        "revisions": {
            lock.nation_code: {
                "revision": lock.revision,
                "locked_at": lock.at,
                "reasons": [
                    {
                        "revision": revision.number,
                        "at": revision.at,
                        "role": revision.role,
                        "reason": revision.reason,
                    }
                    for revision in lock.revisions
                ],
            }
            for lock in locks_of(settings, declarations, quarter)
        },
    }


def refuse_changed_figures(
    settings: Settings,
    declarations: Declarations,
    quarter: Quarter,
    home: Path,
    figures: pl.DataFrame,
) -> None:
    """Compare ``figures`` with what was published of each locked nation under the same revision.

    ``home`` has a folder for each version, with ``indicators.parquet`` in it. Columns that either
    side lacks, and names and titles, are passed over: a newer program may say more of the same
    figure, or say it in other words. Raises FrozenFigures.
    """
    import polars as pl

    for lock in locks_of(settings, declarations, quarter):
        published = home / str(lock.published_version) / "indicators.parquet"
        if lock.published_version is None or not published.exists():
            continue
        before = pl.read_parquet(published)
        # Wording may be mended under a lock; a number may not.
        columns = [
            name
            for name in before.columns
            if name in figures.columns and not name.endswith(_WORDING)
        ]
        was, now = (
            frame.filter(pl.col("nation_code") == lock.nation_code).select(columns)
            for frame in (before, figures)
        )
        if not was.equals(now):
            changed = pl.concat([was, now], how="vertical_relaxed").is_unique().sum()
            place = declarations.places[lock.nation_code]
            raise FrozenFigures(
                f"{quarter} is locked for {place.name_en} and published as version "
                f"{lock.published_version}; {changed:,} lines of its figures would change. A "
                "return of another quarter in its windows, or a definition, has changed: "
                "give the reason with `adoption revise`, then publish again"
            )


def enter_publication(
    settings: Settings,
    declarations: Declarations,
    quarter: Quarter,
    version: int,
    now: datetime,
) -> Mapping[str, Any] | None:
    """Note in the ledger, which the caller holds, that a version shows the revisions of the day.

    Nothing is entered without a lock, since such a version is provisional, nor twice.
    """
    ledger = Ledger(settings.ledger)
    events = ledger.events()
    state = ledger_state(events, declarations)
    revisions = {
        nation_code: lock.revision
        for (nation_code, label), lock in sorted(state.locks.items())
        if label == quarter.label and lock.published_version != version
    }
    event = {
        "event": "published",
        "quarter": quarter.label,
        "version": version,
        "revisions": revisions,
        "at": moment_after(events, now),
    }
    if not revisions or refusal(state, event):
        return None
    ledger.append(event)
    return event


def enter_export(
    settings: Settings, quarter: Quarter, version: int, checksums: str, now: datetime
) -> None:
    """Note in the ledger, which the caller holds, that a version of a quarter's files exists, so
    that its loss shows. ``checksums`` is the hash of its SHA256SUMS. Nothing is entered twice."""
    ledger = Ledger(settings.ledger)
    events = ledger.events()
    if (version, checksums) in exported_versions(events).get(quarter.label, {}).items():
        return
    ledger.append(
        {
            "event": "exported",
            "quarter": quarter.label,
            "version": version,
            "checksums": checksums,
            "at": moment_after(events, now),
        }
    )


def exported_versions(events: Iterable[Mapping[str, Any]]) -> dict[str, dict[int, str]]:
    """The hash of the checksums of every export version the ledger knows, by quarter, version."""
    versions: dict[str, dict[int, str]] = {}
    for event in events:
        if event["event"] == "exported":
            versions.setdefault(event["quarter"], {})[event["version"]] = event["checksums"]
    return versions
