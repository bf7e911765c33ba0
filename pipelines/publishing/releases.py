"""Making a release: what has to be so before, the files, and the version that comes of it.

    cells of the warehouse → protected → audited → figures → files → renamed into place

Nothing is written where readers look before the audit has passed, and the version before stays as
it is whatever happens. The same ledger, code and received files make the same bytes, anywhere.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.declarations import Declarations, Policy, ReleasePolicy
from pipelines.files import (
    CHECKSUMS,
    put_folder_into_place,
    sha256_of,
    write_checksums,
    write_json,
    write_table,
    write_whole,
)
from pipelines.lifecycle.decisions import (
    Decisions,
    NotAllowed,
    book_of,
    moment_after,
    refuse_a_role,
)
from pipelines.lifecycle.ledger import Ledger
from pipelines.lifecycle.order import refusal
from pipelines.lifecycle.states import Book, Lock, ReturnStatus, fold, known_at, local_day
from pipelines.publishing.verification import verify
from pipelines.quarters import Quarter
from pipelines.release import package, provenance
from pipelines.release.compare import SCHEMA as CHANGE_SCHEMA
from pipelines.release.compare import compare, figures_of_folder, with_revisions_marked
from pipelines.release.content import Content, ReleaseError
from pipelines.release.from_warehouse import content_of
from pipelines.release.open_data import write_open_data
from pipelines.release.opendocument import write_opendocument
from pipelines.release.protected_figures import figures_of
from pipelines.release.statswales import write_statswales
from pipelines.release.tables import write_tables
from pipelines.release.versions import (
    Version,
    folder_of,
    home_of,
    told_before,
    told_file,
    versions_of,
)
from pipelines.release.workbook import write_workbook
from pipelines.settings import Settings

if TYPE_CHECKING:
    import duckdb

    from pipelines.declarations.disclosure import Rules
    from pipelines.disclosure.cells import ReleaseCells

Say = Callable[[str], None]

FORMS = {"statswales": write_statswales, "open_data": write_open_data}
LANGUAGES = ("en", "cy")
REVISIONS, AUDIT = "revisions.csv", "audit.json"
# Of a report: what differs from run to run, and from machine to machine.
_OF_THE_RUN = frozenset(
    {
        *("seconds", "cpu_seconds", "linear_programs"),
        *("shown_wide_by_other_worlds", "shown_wide_one_by_one"),
    }
)
THREADS = 2


@dataclass(frozen=True)
class Made:
    """A version of a release in its folder; ``is_new`` is false where nothing had changed."""

    version: Version
    folder: Path
    is_new: bool


@dataclass(frozen=True)
class _Task:
    """One version to make, and what is known when it is made."""

    policy: Policy
    quarter: Quarter
    version: int
    before: Path | None
    decided: provenance.Decided
    told: pl.DataFrame | None


@dataclass(frozen=True)
class _Found:
    """The true numbers of a release, and the rules they are protected by."""

    release: ReleaseCells
    rules: Rules
    is_synthetic: bool


@dataclass(frozen=True)
class _Written:
    figures: int
    changed: int
    told: pl.DataFrame


def policy_of(declarations: Declarations, body: str) -> Policy:
    """The policy of a body, by its code. Raises ReleaseError."""
    for policy in declarations.policies.values():
        if policy.body.casefold() == body.casefold():
            return policy
    there = ", ".join(sorted(one.body for one in declarations.policies.values()))
    raise ReleaseError(f"no body is called {body}: there are {there}")


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
) -> Made:
    """Release a quarter from the warehouse behind ``connection``, and enter it in the ledger.

    Where figures and returns are those of the newest version, that one is given back. Raises
    ReleaseError, NotAllowed, NamesSomebody, LedgerBusy or LedgerError, and leaves what was
    released as it was.
    """
    policy = policy_of(declarations, body)
    refuse_a_role(policy, "release", role)
    reason = Decisions(settings, declarations).sentence(reason, quarter) if reason else None
    ledger = Ledger(settings.ledger)
    with ledger.held():
        _finish(settings, policy.body, quarter)
        _refuse_an_unsound_ledger(settings, declarations)
        events = ledger.events()
        book = book_of(events, declarations)
        known = versions_of(settings, policy.body, quarter)
        event = {
            "event": "released",
            "body": policy.body,
            "nation_code": policy.nation_code,
            "quarter": quarter.label,
            "version": len(known) + 1,
            "revision": _lock(book, policy, quarter, declarations).revision,
            "as_of": _last_moment(events),
            "reason": reason,
            "role": role,
        }
        # Whether there is a reason is asked once it is known that something changed.
        if why := refusal(book, event | {"reason": reason or "asked for below"}):
            raise NotAllowed(why)
        _refuse_another_warehouse(connection, book, policy)
        decided = _decided(declarations, events, policy, quarter, event)
        _refuse_open_returns(policy, quarter, decided)
        before = folder_of(settings, known[-1]) if known else None
        told = told_before(settings, policy.body)
        task = _Task(policy, quarter, event["version"], before, decided, told)
        found = _found(connection, declarations, task)
        if before and not _is_new(connection, settings, found, task, known[-1]):
            return Made(known[-1], before, is_new=False)
        if why := refusal(book, event):
            raise NotAllowed(why)
        staging = home_of(settings, policy.body, quarter) / ".part"
        written = _write(staging, settings, declarations, connection, task, found, say)
        return _enter(settings, staging, event, events, written)


def make_again(
    settings: Settings,
    declarations: Declarations,
    connection: duckdb.DuckDBPyConnection,
    one: Version,
    folder: Path,
    say: Say = lambda _: None,
) -> list[str]:
    """Make a released version again in ``folder``, from a warehouse as of its moment.

    The names of the files whose bytes differ, none where all are what was released. The versions
    before it, and what they told, have to be there. Raises ReleaseError.
    """
    policy = policy_of(declarations, one.body)
    events = Ledger(settings.ledger).events()[: one.ledger_length]
    known = [
        other
        for other in versions_of(settings, one.body, one.quarter)
        if other.version < one.version
    ]
    if folder.exists() and any(folder.iterdir()):
        raise ReleaseError(f"{folder} is not empty: name a folder that is, or a new one")
    book = book_of(events, declarations)
    event = {"role": one.role, "reason": one.reason, "as_of": one.as_of}
    _lock(book, policy, one.quarter, declarations)
    _refuse_another_warehouse(connection, book, policy)
    before = folder_of(settings, known[-1]) if known else None
    if before and not before.is_dir():
        raise ReleaseError(
            f"{before} is missing: the changes since that version cannot be told. Put it back, or "
            "make it again first"
        )
    decided = _decided(declarations, events, policy, one.quarter, event)
    told = told_before(settings, policy.body, one.ledger_length)
    task = _Task(policy, one.quarter, one.version, before, decided, told)
    found = _found(connection, declarations, task)
    _write(folder, settings, declarations, connection, task, found, say)
    if sha256_of(folder / CHECKSUMS) == one.checksums:
        return []
    released = folder_of(settings, one)
    names = {path.name for path in folder.iterdir()}
    if not released.is_dir():
        return sorted(names)
    names |= {path.name for path in released.iterdir()}
    return sorted(name for name in names if not _same(folder / name, released / name))


# --- what has to be so ----------------------------------------------------------


def _refuse_an_unsound_ledger(settings: Settings, declarations: Declarations) -> None:
    found = verify(settings, declarations)
    if found.faults:
        more = f" (and {len(found.faults) - 1} more: see `adoption verify`)"
        raise ReleaseError(
            f"nothing is released while something is not what it was: {found.faults[0]}"
            + (more if len(found.faults) > 1 else "")
        )


def _lock(book: Book, policy: Policy, quarter: Quarter, declarations: Declarations) -> Lock:
    lock = book.locks.get((policy.nation_code, quarter.label))
    if lock is None:
        nation = declarations.places[policy.nation_code].name_en
        raise NotAllowed(
            f"{quarter} is not locked for {nation}: a release shows a quarter that somebody has "
            f"closed. `adoption lock {quarter} --nation {nation.lower()}` does that"
        )
    return lock


def _refuse_another_warehouse(
    connection: duckdb.DuckDBPyConnection, book: Book, policy: Policy
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
    mine = {
        (item.sender_code or "", item.quarter or "")
        for item in book.submissions.values()
        if item.quarter and book.nation_of(item.sender_code) == policy.nation_code
    }
    in_force = {found.submission_id for key in mine if (found := book.in_force(*key))}
    differ = len(in_force ^ {submission_id for (submission_id,) in built})
    if differ:
        raise ReleaseError(
            f"the warehouse is not that of this moment: {differ} returns are in one and not in "
            "the other. Run `adoption build`, then release again"
        )


def _refuse_open_returns(policy: Policy, quarter: Quarter, decided: provenance.Decided) -> None:
    found = decided.open_returns
    if found and policy.release_for(quarter).open_returns == "refused":
        raise NotAllowed(
            f"{len(found)} returns for {quarter} are not accepted by the national team, and the "
            f"policy of {policy.body} lets none be open: see `adoption due --quarter {quarter}`"
        )


def _decided(
    declarations: Declarations,
    events: list[dict[str, Any]],
    policy: Policy,
    quarter: Quarter,
    event: dict[str, Any],
) -> provenance.Decided:
    moment = datetime.fromisoformat(event["as_of"])
    life = fold(known_at(events, moment), declarations, local_day(moment), [quarter])
    open_returns: list[ReturnStatus] = [
        one
        for one in life.returns
        if declarations.places[one.sender_code].nation_code == policy.nation_code
        and one.quarter == quarter.label
        and not one.is_accepted
    ]
    lock = life.book.locks[policy.nation_code, quarter.label]
    return provenance.Decided(
        *(lock, event["role"], event["reason"], event["as_of"], len(events)), open_returns
    )


def _last_moment(events: list[dict[str, Any]]) -> str:
    """The moment of what happened last: a build as of it knows all that this one knows."""
    moments = [event.get("at") or event.get("received_at") for event in events]
    found = [datetime.fromisoformat(moment) for moment in moments if moment]
    if not found:
        raise ReleaseError("nothing was received yet: there is nothing to release")
    return max(found).astimezone(UTC).isoformat()


# --- the files ------------------------------------------------------------------


def _found(
    connection: duckdb.DuckDBPyConnection, declarations: Declarations, task: _Task
) -> _Found:
    from pipelines.declarations.disclosure import DisclosureDeclarations
    from pipelines.disclosure.cells import cells_of
    from pipelines.pack.book import holds_samples

    policy, quarter = task.policy, task.quarter
    declared = DisclosureDeclarations(declarations.folder)
    rules = declared.policy_of(policy.body).rules_for(quarter)
    relations = declared.subset_relations
    release = cells_of(connection, policy.nation_code, quarter, relations, task.told)
    return _Found(release, rules, holds_samples(connection))


def _is_new(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    found: _Found,
    task: _Task,
    latest: Version,
) -> bool:
    """Whether numbers, or the returns they rest on, are others than in the newest version.

    True numbers are compared: which of them are kept back depends on what was released before,
    and so would be another choice each time.
    """
    from pipelines.disclosure.cells import KEY as CELL
    from pipelines.disclosure.protection import published

    columns = [*CELL, "value"]
    cells = published(found.release.cells, found.release.relations, found.rules)
    now = cells.filter(pl.col("value").is_not_null()).select(columns).sort(columns)
    told = pl.read_parquet(told_file(settings, latest)).select(columns).sort(columns)
    if not now.equals(told):
        return True
    assert task.before is not None
    was = package.provenance_of_folder(task.before)
    used = provenance.returns_used(connection, task.policy.nation_code, task.quarter)
    return used != was["returns_used"] or was["disclosure_control"]["rules"] != found.rules.id


def _write(
    folder: Path,
    settings: Settings,
    declarations: Declarations,
    connection: duckdb.DuckDBPyConnection,
    task: _Task,
    numbers: _Found,
    say: Say,
) -> _Written:
    """All files of a version, into a folder that is made anew."""
    from pipelines.disclosure.cells import DisclosureError
    from pipelines.disclosure.proof import proved
    from pipelines.disclosure.protection import as_known
    from pipelines.pack.published import earlier_releases
    from pipelines.pack.published_pages import write_published_packs

    policy, quarter = task.policy, task.quarter
    found, rules = numbers.release, numbers.rules
    say(f"{found.cells.height:,} cells to protect")
    try:
        protected, report = proved(found, rules, task.told, THREADS, say)
    except DisclosureError as error:
        raise ReleaseError(f"the numbers cannot be protected: {error}") from error
    if not report.passed:
        raise ReleaseError(
            "the audit found numbers that readers could work out, first of them: "
            f"{report.failures[0]} ({len(report.failures)} in all). Nothing was released"
        )
    say("protected and audited; now the files")
    figures = figures_of(connection, policy.nation_code, quarter, protected, rules)
    if figures.is_empty():
        raise ReleaseError(f"the warehouse holds no figures of {policy.body} for {quarter}")
    before = figures_of_folder(task.before) if task.before else None
    changes = pl.DataFrame(schema=CHANGE_SCHEMA)
    if before is not None:
        changes = compare(before, figures)
        figures = with_revisions_marked(figures, before)
    content = content_of(
        connection,
        body=policy.body,
        nation_code=policy.nation_code,
        title=policy.title,
        quarter=quarter,
        version=task.version,
        figures=figures,
        is_synthetic=numbers.is_synthetic,
        open_returns=sum(
            one.in_force_submission_id is not None for one in task.decided.open_returns
        ),
    )
    control = {
        "rules": rules.id,
        "title": rules.title.model_dump(),
        "status": rules.status,
        "protection": _of_every_run(protected.report),
    }
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    about = provenance.provenance_of(
        connection,
        settings,
        name=content.name,
        body=policy.body,
        nation_code=policy.nation_code,
        quarter=quarter,
        version=task.version,
        is_synthetic=content.is_synthetic,
        decided=task.decided,
        before=package.provenance_of_folder(task.before) if task.before else None,
        disclosure_control=control,
    )
    _files(content, folder, policy.release_for(quarter), changes)
    files = sorted(folder.iterdir())
    files += package.write_provenance(about, folder)
    write_json(folder / AUDIT, control | {"audit": _of_every_run(report.as_dict())})
    files.append(folder / AUDIT)
    # From the files above and those of earlier releases: a page has no other numbers.
    earlier = earlier_releases(settings, policy.body, quarter, task.decided.ledger_length)
    files += write_published_packs(folder, declarations, earlier)
    files += package.write_descriptions(content, folder, files)
    package.write_readme(content, folder, files)
    write_checksums(folder)
    told = as_known(found.cells, protected, rules, _in_order(task.decided))
    return _Written(figures.height, changes.height, told)


def _files(content: Content, folder: Path, policy: ReleasePolicy, changes: pl.DataFrame) -> None:
    package.write_figures(content, folder)
    package.write_dictionary(content, folder)
    for form in policy.forms:
        FORMS[form](content, folder)
    write_tables(content, folder)
    for language in LANGUAGES:
        write_workbook(content, language, folder / f"{content.name}-{language}.xlsx")
        write_opendocument(content, language, folder / f"{content.name}-{language}.ods")
    write_table(changes, folder / REVISIONS)


def _in_order(decided: provenance.Decided) -> str:
    """A name that sorts as releases follow each other."""
    return f"{decided.ledger_length:012}"


def _of_every_run(report: Any) -> Any:
    if not isinstance(report, dict):
        return report
    return {name: _of_every_run(value) for name, value in report.items() if name not in _OF_THE_RUN}


# --- into the ledger and into place ---------------------------------------------


def _enter(
    settings: Settings,
    staging: Path,
    event: dict[str, Any],
    events: list[dict[str, Any]],
    written: _Written,
) -> Made:
    """What it told, then the ledger, then the folder: a version that readers see is entered."""
    ledger = Ledger(settings.ledger)
    named = Version(
        **{key: event[key] for key in ("body", "nation_code", "version", "revision", "as_of")},
        quarter=Quarter.parse(event["quarter"]),
        role=event["role"],
        at="",
        reason=event["reason"],
        figures=written.figures,
        changed=written.changed,
        checksums=sha256_of(staging / CHECKSUMS),
        told="",
        ledger_length=len(events),
    )
    told = told_file(settings, named)
    write_whole(told, written.told.write_parquet)
    told.chmod(0o600)  # true numbers, whatever the mask of the process
    event |= {
        "figures": named.figures,
        "changed": named.changed,
        "checksums": named.checksums,
        "told": sha256_of(told),
        "at": moment_after(events, datetime.now(UTC)),
    }
    ledger.append(event)
    (one,) = versions_of(settings, named.body, named.quarter)[-1:]
    target = folder_of(settings, one)
    put_folder_into_place(staging, target, for_everybody=True)
    return Made(one, target, is_new=True)


def _finish(settings: Settings, body: str, quarter: Quarter) -> None:
    """Put a version into place that was entered when the program was killed."""
    known = versions_of(settings, body, quarter)
    if not known or folder_of(settings, known[-1]).exists():
        return
    staging = home_of(settings, body, quarter) / ".part"
    if (staging / CHECKSUMS).is_file() and sha256_of(staging / CHECKSUMS) == known[-1].checksums:
        put_folder_into_place(staging, folder_of(settings, known[-1]), for_everybody=True)


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()
