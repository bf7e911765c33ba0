"""``adoption doctor``: what is wrong with an installation, and what to do about it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from pipelines.commands.declared import declared
from pipelines.commands.options import json_option
from pipelines.settings import Settings

LEAST_FREE_GB = 2.0  # a build of the sample needs 0.1 GB beside the warehouse it replaces
_TICK_HOURS = 1.0  # sensors look twice a minute


Check = Callable[[Settings], Iterator["Finding"]]


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, whether something has to be done, and what."""

    about: str
    is_in_order: bool
    text: str


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Say what is wrong with this installation, and what to do.

    Files of every room (received ones: whether they are there; `adoption verify` reads each), dead
    runs and locks, the last look at the inbox, disk, permissions, key, versions. The exit code is 1
    when something needs doing.

    \b
    adoption doctor
    """
    settings = Settings.from_environment()
    findings = [finding for check in CHECKS for finding in _found(check, settings)]
    is_in_order = all(finding.is_in_order for finding in findings)
    if as_json:
        content = {"is_in_order": is_in_order, "findings": [asdict(each) for each in findings]}
        click.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        for each in findings:
            mark = "✓ in order" if each.is_in_order else "⚠ to do   "
            click.echo(f"{mark}  {each.about}: {each.text}")
    sys.exit(0 if is_in_order else 1)


def _found(check: Check, settings: Settings) -> Iterator[Finding]:
    from pipelines.declarations import DeclarationError

    with contextlib.suppress(DeclarationError):  # said under Declarations
        yield from check(settings)


def _declarations(settings: Settings) -> Iterator[Finding]:
    from pipelines.declarations import DeclarationError

    try:
        declared().check_all()
    except DeclarationError as error:
        first, *others = str(error).splitlines()
        more = f" ({len(others)} more: `adoption status` shows them)" if others else ""
        yield Finding("Declarations", False, f"{first}{more}")
    else:
        yield Finding("Declarations", True, "every file of sources/ can be read and fits the rest")


def _files(settings: Settings) -> Iterator[Finding]:
    from pipelines.publishing.verification import verify

    found = verify(settings, declared(), quick=True)
    for fault in found.faults:
        yield Finding("Files", False, fault)
    if not found.faults:
        counts = ", ".join(f"{room} {count}" for room, count in found.rooms.items())
        yield Finding("Files", True, f"nothing is missing, changed or unexpected ({counts})")


def _inbox(settings: Settings) -> Iterator[Finding]:
    from pipelines.intake.inbox import waiting_files
    from pipelines.lifecycle.ledger import Ledger, LedgerError

    waiting = len(waiting_files(settings))
    text = f"{waiting} files wait" if waiting else "empty"
    yield Finding("Inbox", not waiting, text + (": run `adoption take-in`" if waiting else ""))
    try:
        no_verdict = sum(item.is_waiting for item in Ledger(settings.ledger).submissions())
    except LedgerError:
        return  # said under Files
    text = f"{no_verdict} received files have no verdict: run `adoption take-in`"
    yield Finding("Verdicts", not no_verdict, text if no_verdict else "every file has one")


def _key(settings: Settings) -> Iterator[Finding]:
    from pipelines.intake.key_rotation import key_state
    from pipelines.lifecycle.ledger import LedgerError

    try:
        state = key_state(settings)
    except LedgerError:
        return  # said under Files
    for fault in state.faults:
        yield Finding("Key", False, f"{state.path}: {fault}")
    if not state.faults:
        yield Finding("Key", True, f"id {state.key_id}" if state.key_id else "none yet")


def _permissions(settings: Settings) -> Iterator[Finding]:
    if os.name == "nt":
        return
    # Releases are made to be read by others.
    rooms = [path for path in settings.data.glob("*") if path.name != "releases"]
    opened = [path for path in [settings.data, *rooms] if _is_open(path)]
    opened += [path for path in (settings.ledger, settings.warehouse) if _is_open(path)]
    for path in opened:
        yield Finding("Permissions", False, f"others can read {path}: run chmod -R go-rwx {path}")
    if not opened:
        yield Finding("Permissions", True, "the rooms are readable by their owner alone")


def _is_open(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & 0o077)


def _disk(settings: Settings) -> Iterator[Finding]:
    place = next(path for path in (settings.data, *settings.data.parents) if path.exists())
    free = shutil.disk_usage(place).free / 1e9
    enough = free >= LEAST_FREE_GB
    text = f"{free:.1f} GB free on the volume of {place}"
    yield Finding("Disk", enough, text if enough else f"{text}: make room, a build may fail")


def _locks(settings: Settings) -> Iterator[Finding]:
    from pipelines.exclusive import Busy, exclusive
    from pipelines.lifecycle.ledger import Ledger, LedgerBusy

    if not settings.data.exists():
        return
    for about, held in (
        ("Writer", lambda: exclusive(settings.writer_lock, "looking who holds it", 0)),
        ("Ledger", lambda: Ledger(settings.ledger).held()),
    ):
        try:
            with held():
                yield Finding(about, True, "free")
        except (Busy, LedgerBusy) as busy:  # a killed process holds none: somebody is at work
            yield Finding(about, True, f"in use: {busy}")


def _dagster(settings: Settings) -> Iterator[Finding]:
    if not (settings.dagster_home / "dagster.yaml").exists():
        yield Finding("Runs", True, "Dagster has not run here yet")
        return
    from pipelines.assets.run_locks import dead_runs
    from pipelines.commands.run import instance

    with instance(settings) as dagster:
        dead = len(dead_runs(dagster, settings))
        text = f"{dead} were killed and are still listed as running: the next job ends them"
        yield Finding("Runs", not dead, text if dead else "no run has stopped unexpectedly")
        ticks = [
            tick.timestamp
            for state in dagster.all_instigator_state()
            for tick in dagster.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
        ]
    if not ticks:
        yield Finding("Sensors", True, "no sensor has run yet: returns are taken in by command")
        return
    hours = (datetime.now(UTC).timestamp() - max(ticks)) / 3600
    text = f"the last look at the inbox was {hours:.1f} hours ago"
    late = hours > _TICK_HOURS
    remedy = ": start `adoption ui`, or the daemon, or take in by command"
    yield Finding("Sensors", not late, text + (remedy if late else ""))


def _reader(settings: Settings) -> Iterator[Finding]:
    from pipelines.readers.child_process import ReaderDidNotStart, reader_has_network

    try:
        has_network = reader_has_network()
    except ReaderDidNotStart as error:
        yield Finding("Reading files", False, str(error))
        return
    where = (
        "the process that opens them has a network: this system takes it from nobody"
        if has_network
        else "the process that opens them has no network"
    )
    yield Finding("Reading files", True, where)


def _warehouse(settings: Settings) -> Iterator[Finding]:
    import duckdb

    from pipelines.program import in_words, this_program
    from pipelines.warehouse.published import WarehouseError, made_by, open_warehouse
    from pipelines.warehouse.reconciliation import refuse_unless_reconciled

    here = this_program()
    if not settings.warehouse.exists():
        text = f"{in_words(here)}; none is published yet: run `adoption build`"
        yield Finding("Warehouse", False, text)
        return
    maker = made_by(settings)
    text = f"made by {in_words(maker)}" if maker else "it does not say which program made it"
    if maker != here:
        text += f", and this is {in_words(here)}: run `adoption build`"
    yield Finding("Versions", maker == here, text)
    try:
        with open_warehouse(settings) as connection:
            refuse_unless_reconciled(connection)
    except (WarehouseError, duckdb.Error) as error:
        why = str(error) if isinstance(error, WarehouseError) else "it cannot be opened"
        to_do = "" if "run `adoption build`" in why else ": run `adoption build`"
        yield Finding("Warehouse", False, f"{why}{to_do}")
        return
    yield Finding("Warehouse", True, "it opens and holds every row of the ledger")


CHECKS: tuple[Check, ...] = (
    _declarations,
    _files,
    _inbox,
    _key,
    _permissions,
    _disk,
    _locks,
    _dagster,
    _reader,
    _warehouse,
)
