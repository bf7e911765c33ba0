"""Making a release: the conditions, the files, and the version that comes of it.

Conditions are looked at before work is done. Nothing is written where readers look before the
audit has passed, and the version before stays as it is whatever happens.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.declarations import Declarations, Policy
from pipelines.files import (
    CHECKSUMS,
    changed_files,
    flush_folder,
    put_folder_into_place,
    sha256_of,
    write_whole,
)
from pipelines.lifecycle.days import local_day
from pipelines.lifecycle.decisions import (
    Decisions,
    NotAllowed,
    moment_after,
    refuse_a_role,
)
from pipelines.lifecycle.ledger import Ledger
from pipelines.lifecycle.ledger_state import LedgerState, known_at, ledger_state
from pipelines.lifecycle.order import refusal
from pipelines.lifecycle.records import Lock
from pipelines.lifecycle.states import ReturnStatus, fold
from pipelines.publishing.release_files import (
    FilesWritten,
    Say,
    VersionToMake,
    differs_from,
    true_numbers,
    waiting_sentence,
    write_release,
)
from pipelines.publishing.verification import verify
from pipelines.quarters import Quarter
from pipelines.release.content import ReleaseError
from pipelines.release.provenance import Decided
from pipelines.release.versions import (
    Version,
    folder_of,
    home_of,
    quarters_released_before,
    released_quarters_file,
    released_values_file,
    values_released_before,
    versions_of,
)
from pipelines.settings import Settings
from pipelines.warehouse.reconciliation import refuse_unless_reconciled

if TYPE_CHECKING:
    import duckdb


LEAST_FREE = 200_000_000  # bytes


@dataclass(frozen=True)
class ReleaseMade:
    """A version of a release in its folder; ``is_new`` is false where nothing had changed."""

    version: Version
    folder: Path
    is_new: bool


def policy_of(declarations: Declarations, body: str) -> Policy:
    """The policy of a body, by its code. Raises ReleaseError."""
    for policy in declarations.policies.values():
        if policy.body.casefold() == body.casefold():
            return policy
    bodies = ", ".join(sorted(policy.body for policy in declarations.policies.values()))
    raise ReleaseError(f"no body is called {body}: there are {bodies}")


def refuse_before_work(
    settings: Settings,
    declarations: Declarations,
    body: str,
    quarter: Quarter,
    *,
    role: str,
    reason: str | None = None,
) -> None:
    """What can be said in a second, before a warehouse is built: role, lock, reason, disk.

    Raises ReleaseError, NotAllowed, NamesSomebody or LedgerError; :func:`make_release` looks at all
    of it again.
    """
    policy = policy_of(declarations, body)
    refuse_a_role(policy, "release", role)
    if reason:
        Decisions(settings, declarations).sentence(reason, quarter)
    state = ledger_state(Ledger(settings.ledger).events(), declarations)
    lock = _lock(state, policy, quarter, declarations)
    known = versions_of(settings, policy.body, quarter)
    if known and lock.revision != known[-1].revision and not reason:
        raise NotAllowed(
            f"Version {len(known) + 1} of {policy.body}/{quarter} needs a reason, which readers "
            'see: --because "..."'
        )
    _refuse_a_full_disk(settings)


def _refuse_a_full_disk(settings: Settings) -> None:
    """A release writes some 20 MB; ten times that, since a warehouse may be built on the way."""
    free = shutil.disk_usage(settings.data).free
    if free < LEAST_FREE:
        raise ReleaseError(
            f"{settings.data} has {free // 1_000_000:,} MB of disk left, and a release needs "
            f"{LEAST_FREE // 1_000_000:,} MB: free some, then release again"
        )


def make_release(
    settings: Settings,
    declarations: Declarations,
    connection: duckdb.DuckDBPyConnection,
    body: str,
    quarter: Quarter,
    *,
    role: str,
    reason: str | None = None,
    say: Say = lambda _: None,
) -> ReleaseMade:
    """Release a quarter from the warehouse behind ``connection``, and enter it in the ledger.

    Where figures and returns are those of the newest version, that one is given back. Raises
    ReleaseError, WarehouseError, NotAllowed, NamesSomebody, LedgerBusy or LedgerError, and leaves
    what was released as it was.
    """
    policy = policy_of(declarations, body)
    refuse_a_role(policy, "release", role)
    refuse_unless_reconciled(connection)
    reason = Decisions(settings, declarations).sentence(reason, quarter) if reason else None
    ledger = Ledger(settings.ledger)
    with ledger.held():
        _finish_interrupted(settings, policy.body, quarter)
        _refuse_an_unsound_ledger(settings, declarations)
        events = ledger.events()
        state = ledger_state(events, declarations)
        known = versions_of(settings, policy.body, quarter)
        event = {
            "event": "released",
            "body": policy.body,
            "nation_code": policy.nation_code,
            "quarter": quarter.label,
            "version": len(known) + 1,
            "revision": _lock(state, policy, quarter, declarations).revision,
            "as_of": _last_moment(events),
            "reason": reason,
            "role": role,
        }
        # Whether there is a reason is asked once it is known that something changed.
        if why := refusal(state, event | {"reason": reason or "asked for below"}):
            raise NotAllowed(why)
        _refuse_another_warehouse(connection, state, policy)
        decided = _decided(declarations, events, policy, quarter, event)
        _refuse_open_returns(policy, quarter, decided)
        task = VersionToMake(
            policy=policy,
            quarter=quarter,
            version=len(known) + 1,
            before=folder_of(settings, known[-1]) if known else None,
            decided=decided,
            released_values=values_released_before(settings, policy.body),
            released_quarters=quarters_released_before(settings, policy.body),
        )
        numbers = true_numbers(connection, declarations, task)
        if task.before and not differs_from(known[-1], settings, numbers, task):
            if not numbers.settled.waiting.is_empty():
                say(waiting_sentence(numbers.settled))
            return ReleaseMade(known[-1], task.before, is_new=False)
        if why := refusal(state, event):
            raise NotAllowed(why)
        staging = home_of(settings, policy.body, quarter) / ".part"
        written = write_release(staging, settings, declarations, connection, task, numbers, say)
        return _enter(settings, staging, event, events, written)


def make_again(
    settings: Settings,
    declarations: Declarations,
    connection: duckdb.DuckDBPyConnection,
    version: Version,
    folder: Path,
    say: Say = lambda _: None,
) -> list[str]:
    """Make a released version again in ``folder``, from a warehouse as of its moment.

    The names of the files whose bytes differ, none where all are what was released. The versions
    before it, and the numbers behind them, have to be there. Raises ReleaseError.
    """
    policy = policy_of(declarations, version.body)
    events = Ledger(settings.ledger).events()[: version.ledger_length]
    known = [
        earlier
        for earlier in versions_of(settings, version.body, version.quarter)
        if earlier.version < version.version
    ]
    if folder.exists() and any(folder.iterdir()):
        raise ReleaseError(f"{folder} is not empty: name a folder that is, or a new one")
    state = ledger_state(events, declarations)
    event = {"role": version.role, "reason": version.reason, "as_of": version.as_of}
    _lock(state, policy, version.quarter, declarations)
    _refuse_another_warehouse(connection, state, policy)
    before = folder_of(settings, known[-1]) if known else None
    if before and not before.is_dir():
        raise ReleaseError(
            f"{before} is missing: the changes since that version cannot be listed. Put it back, "
            "or make it again first"
        )
    task = VersionToMake(
        policy=policy,
        quarter=version.quarter,
        version=version.version,
        before=before,
        decided=_decided(declarations, events, policy, version.quarter, event),
        released_values=values_released_before(settings, policy.body, version.ledger_length),
        released_quarters=quarters_released_before(settings, policy.body, version.ledger_length),
    )
    numbers = true_numbers(connection, declarations, task)
    write_release(folder, settings, declarations, connection, task, numbers, say)
    if sha256_of(folder / CHECKSUMS) == version.checksums:
        return []
    released = folder_of(settings, version)
    names = {path.name for path in folder.iterdir()}
    if not released.is_dir():
        return sorted(names)
    names |= {path.name for path in released.iterdir()}
    return sorted(name for name in names if not _same_bytes(folder / name, released / name))


def _same_bytes(path: Path, other: Path) -> bool:
    return path.is_file() and other.is_file() and path.read_bytes() == other.read_bytes()


# --- conditions -----------------------------------------------------------------


def _refuse_an_unsound_ledger(settings: Settings, declarations: Declarations) -> None:
    faults = verify(settings, declarations).faults
    if faults:
        more = f" (and {len(faults) - 1} more: see `adoption verify`)" if len(faults) > 1 else ""
        raise ReleaseError(
            f"nothing is released while something is not what it was: {faults[0]}{more}"
        )


def _lock(state: LedgerState, policy: Policy, quarter: Quarter, declarations: Declarations) -> Lock:
    lock = state.locks.get((policy.nation_code, quarter.label))
    if lock is None:
        nation = declarations.places[policy.nation_code].name_en
        raise NotAllowed(
            f"{quarter} is not locked for {nation}: a release shows a quarter that somebody has "
            f"closed. `adoption lock {quarter} --nation {nation.lower()}` does that"
        )
    return lock


def _refuse_another_warehouse(
    connection: duckdb.DuckDBPyConnection, state: LedgerState, policy: Policy
) -> None:
    """Refuse a warehouse that does not rest on the very returns that are in force."""
    built = connection.execute(
        """
        select submission.submission_id
        from marts.fct_submission as submission
        join marts.dim_place as place on place.place_code = submission.sender_code
        where submission.is_in_force and place.nation_code = $nation
        """,
        {"nation": policy.nation_code},
    ).fetchall()
    of_the_nation = {
        (submission.sender_code or "", submission.quarter or "")
        for submission in state.submissions.values()
        if submission.quarter and state.nation_of(submission.sender_code) == policy.nation_code
    }
    in_force = {
        submission.submission_id
        for sender_and_quarter in of_the_nation
        if (submission := state.in_force(*sender_and_quarter))
    }
    differ = len(in_force ^ {submission_id for (submission_id,) in built})
    if differ:
        raise ReleaseError(
            f"the warehouse is not that of this moment: {differ} returns are in one and not in "
            "the other. Run `adoption build`, then release again"
        )


def _refuse_open_returns(policy: Policy, quarter: Quarter, decided: Decided) -> None:
    count = len(decided.open_returns)
    if count and policy.release_for(quarter).open_returns == "refused":
        raise NotAllowed(
            f"{count} returns for {quarter} are not accepted by the national team, and the "
            f"policy of {policy.body} lets none be open: see `adoption due --quarter {quarter}`"
        )


def _decided(
    declarations: Declarations,
    events: list[dict[str, Any]],
    policy: Policy,
    quarter: Quarter,
    event: dict[str, Any],
) -> Decided:
    moment = datetime.fromisoformat(event["as_of"])
    life = fold(known_at(events, moment), declarations, local_day(moment), [quarter])
    open_returns: list[ReturnStatus] = [
        status
        for status in life.returns
        if declarations.places[status.sender_code].nation_code == policy.nation_code
        and status.quarter == quarter.label
        and not status.is_accepted
    ]
    return Decided(
        lock=life.ledger_state.locks[policy.nation_code, quarter.label],
        role=event["role"],
        reason=event["reason"],
        as_of=event["as_of"],
        ledger_length=len(events),
        open_returns=open_returns,
    )


def _last_moment(events: list[dict[str, Any]]) -> str:
    """The moment of what happened last: a build as of it knows all that this one knows."""
    moments = [event.get("at") or event.get("received_at") for event in events]
    known = [datetime.fromisoformat(moment) for moment in moments if moment]
    if not known:
        raise ReleaseError("nothing was received yet: there is nothing to release")
    return max(known).astimezone(UTC).isoformat()


# --- into the ledger and into place ---------------------------------------------


def _enter(
    settings: Settings,
    staging: Path,
    event: dict[str, Any],
    events: list[dict[str, Any]],
    written: FilesWritten,
) -> ReleaseMade:
    """Numbers behind it, then the ledger, then the folder: what readers see has been entered."""
    ledger = Ledger(settings.ledger)
    version = Version(
        body=event["body"],
        nation_code=event["nation_code"],
        quarter=Quarter.parse(event["quarter"]),
        version=event["version"],
        revision=event["revision"],
        as_of=event["as_of"],
        role=event["role"],
        at=moment_after(events, datetime.now(UTC)),
        reason=event["reason"],
        figures=written.figures,
        changed=written.changed,
        checksums=sha256_of(staging / CHECKSUMS),
        values_sha256="",
        quarters_sha256=None,
        ledger_length=len(events),
    )
    flush_folder(staging)  # what the ledger says was released must be there after a power loss
    values = released_values_file(settings, version)
    quarters = released_quarters_file(settings, version)
    for path, frame in ((values, written.values), (quarters, written.quarters)):
        write_whole(path, frame.write_parquet)
        path.chmod(0o600)  # true numbers, whatever the mask of the process
    version = replace(version, values_sha256=sha256_of(values), quarters_sha256=sha256_of(quarters))
    ledger.append(
        event
        | {
            "figures": version.figures,
            "changed": version.changed,
            "checksums": version.checksums,
            "told": version.values_sha256,
            "quarters": version.quarters_sha256,
            "at": version.at,
        }
    )
    target = folder_of(settings, version)
    put_folder_into_place(staging, target, for_everybody=True)
    return ReleaseMade(version, target, is_new=True)


def _finish_interrupted(settings: Settings, body: str, quarter: Quarter) -> None:
    """Put a version into place that was entered when the program was killed."""
    known = versions_of(settings, body, quarter)
    if not known or folder_of(settings, known[-1]).exists():
        return
    staging = home_of(settings, body, quarter) / ".part"
    if changed_files(staging):  # another attempt began there, or nothing is left
        return
    if sha256_of(staging / CHECKSUMS) == known[-1].checksums:
        put_folder_into_place(staging, folder_of(settings, known[-1]), for_everybody=True)
