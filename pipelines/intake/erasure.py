"""A person's rows, or a submission, taken out of every room; the ledger says that, never what.

Everything new is written beside the rooms first. A journal, in which nobody is named, then says
which files take which places; an erasure that was killed is finished by the next one. The received
file goes as a whole: its other rows are in the raw room, and its hash, counts and verdict in the
ledger.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from pipelines.declarations import Declarations, Return, ReturnField
from pipelines.files import flush_folder, sync_folder, write_json, write_whole
from pipelines.intake.batches import layout_files, read_layouts
from pipelines.intake.conservation import files_of_batch, stored_batches_of, stored_event
from pipelines.intake.landing import stored_file
from pipelines.intake.pseudonyms import Pseudonymiser
from pipelines.lifecycle.decisions import NotAllowed, moment_after, refuse_a_role
from pipelines.lifecycle.free_text import NamesSomebody, check_free_text
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.lifecycle.states import submissions_with_states
from pipelines.quarters import Quarter
from pipelines.readers.casting import cast
from pipelines.readers.child_process import read_each
from pipelines.readers.content import Unreadable
from pipelines.settings import Settings

Kind = Literal["child", "household"]
Rows = dict[str, dict[str, dict[str, int]]]  # by submission, return and row status

_KEYS = ["submission_id", "sheet_row"]


@dataclass(frozen=True)
class Person:
    """Whom an erasure is about. Never printed, logged or written."""

    kind: Kind
    issuer: str
    reference: str
    pseudonym: str

    @classmethod
    def known_as(cls, settings: Settings, kind: Kind, issuer: str, reference: str) -> Person:
        """Raises KeyFileError."""
        plain = _plain(reference)
        pseudonym = Pseudonymiser.from_settings(settings).of(kind, issuer, plain)
        return cls(kind, issuer, plain, pseudonym)


@dataclass
class Erased:
    """What an erasure comes to, in counts."""

    rows: Rows = field(default_factory=dict)
    received: list[str] = field(default_factory=list)
    batches: list[tuple[str, str]] = field(default_factory=list)

    @property
    def row_count(self) -> int:
        return sum(
            count
            for of_submission in self.rows.values()
            for of_return in of_submission.values()
            for count in of_return.values()
        )


def erase(
    settings: Settings,
    declarations: Declarations,
    what: Person | str,
    *,
    role: str,
    reason: str,
    is_trial: bool = False,
) -> Erased:
    """Erase a person, or the submission of this id. The caller holds the ledger.

    With ``is_trial`` nothing is written. Raises NotAllowed for a role that may not, a submission
    that is in force, and where there is nothing to erase; NamesSomebody, KeyFileError, OSError.
    """
    finish_erasure(settings)
    ledger = Ledger(settings.ledger)
    submissions = submissions_with_states(ledger.events(), declarations)
    reason = _checked_reason(reason, what)
    _refuse(declarations, submissions, what, role)
    staged = staging(settings)
    shutil.rmtree(staged, ignore_errors=True)
    erased = Erased()
    try:
        for quarter in sorted({item.quarter for item in submissions if item.quarter}):
            for layout in layout_files(settings, Quarter.parse(quarter)):
                _stage_batch(settings, declarations, quarter, layout.stem, what, erased)
        _find_received(settings, declarations, submissions, what, erased)
        if not erased.received and not erased.batches:
            raise NotAllowed("Nothing of it is held: no row and no received file.")
        waiting = {item.submission_id for item in submissions if item.is_waiting}
        if waiting.intersection(erased.received):
            raise NotAllowed(
                "A file that holds it is not validated yet: run `adoption take-in`, then erase."
            )
        if not is_trial:
            enter_erasure(settings, submissions, erased, role, reason)
    finally:
        if not _journal(settings).exists():
            shutil.rmtree(staged, ignore_errors=True)
    finish_erasure(settings)
    return erased


def finish_erasure(settings: Settings) -> None:
    """Carry out what the journal says, if there is one; may be killed and called again."""
    journal = _journal(settings)
    if not journal.exists():
        return
    noted = json.loads(journal.read_text(encoding="utf-8"))
    ledger = Ledger(settings.ledger)
    if not any(event.get("erasure") == noted["erasure"] for event in ledger.events()):
        ledger.append(*noted["events"])
    staged = staging(settings)
    for path in sorted(staged.rglob("*")):
        if path.is_file():
            target = settings.data / path.relative_to(staged)
            os.replace(path, target)
            sync_folder(target.parent)
    for name in noted["removed"]:
        (settings.data / name).unlink(missing_ok=True)
    if settings.received.exists():
        sync_folder(settings.received)  # before the journal: what was erased must not come back
    ledger.name_files(dict.fromkeys(noted["unnamed"], ""))
    # Warehouses as they were known once can be built again, without what was erased.
    shutil.rmtree(settings.marts / "as_of", ignore_errors=True)
    shutil.rmtree(staged, ignore_errors=True)
    journal.unlink()
    sync_folder(settings.data)


def traces(settings: Settings, declarations: Declarations, what: Person | str) -> dict[str, int]:
    """Rows and files in which the reference, the pseudonym or the submission is still found, by
    room: the proof of an erasure, once the warehouse was built again."""
    found = dict.fromkeys(("landing", "raw", "validated", "marts", "exports", "everything else"), 0)
    ledger = Ledger(settings.ledger)
    trial = Erased()
    submissions = ledger.submissions()
    _find_received(settings, declarations, submissions, what, trial)
    found["landing"] = len(trial.received)
    for room in ("raw", "validated"):
        for name, declared in declarations.returns.items():
            for path in sorted((settings.data / room / name).glob("*-Q[1-4]/*.parquet")):
                frame = pl.read_parquet(path)
                keys, blanked = _rows_of(frame, declared, declarations, path, what)
                found[room] += keys.height + len(blanked)
    if isinstance(what, str):
        return found
    for path in sorted(settings.marts.rglob("*.duckdb")):
        found["marts"] += _cells_in_database(path, what.pseudonym)
    needle = what.pseudonym.encode()
    is_telling = len(what.reference) >= 4 and any(c.isdigit() for c in what.reference)
    written = re.compile(rb"(?<![\w])" + re.escape(what.reference.encode()) + rb"(?![\w])", re.I)
    for path in sorted(settings.data.rglob("*")):
        inside = path.relative_to(settings.data)
        if not path.is_file() or path.suffix in (".parquet", ".duckdb"):
            continue
        if inside.parts[:2] in (("landing", "received"), ("landing", "inbox")):
            continue
        content = path.read_bytes()
        if needle in content or (is_telling and written.search(content)):
            room = inside.parts[0]
            found[room if room in found else "everything else"] += 1
    return found


def _plain(reference: str) -> str:
    """As pseudonyms are made of it: composed, without outer blanks, in upper case."""
    return unicodedata.normalize("NFC", reference).strip().upper()


def _checked_reason(reason: str, what: Person | str) -> str:
    if isinstance(what, str):
        return check_free_text(reason)
    tidy = check_free_text(reason, [what.reference])
    if what.reference in tidy.upper().split():
        raise NamesSomebody("the reason holds the reference: leave it out")
    return tidy


def _refuse(
    declarations: Declarations, submissions: list[Submission], what: Person | str, role: str
) -> None:
    if isinstance(what, Person):
        refuse_a_role(declarations.policy_for(what.issuer), "erase", role)
        return
    item = next((each for each in submissions if each.submission_id == what), None)
    if item is None:
        raise NotAllowed(f"{what} was never received: `adoption status` lists all submissions.")
    policies = (
        [declarations.policy_for(item.sender_code)]
        if item.sender_code
        else list(declarations.policies.values())
    )
    for policy in policies:
        refuse_a_role(policy, "erase", role)
    if item.is_waiting or item.state in ("in_force", "held", "to_confirm"):
        is_now = "not validated yet" if item.is_waiting else "in force, held or to be confirmed"
        raise NotAllowed(
            f"{what} is {is_now}: without its rows figures would lack a return. "
            "Withdraw it first, or have it replaced."
        )


def _stage_batch(
    settings: Settings,
    declarations: Declarations,
    quarter: str,
    batch: str,
    what: Person | str,
    erased: Erased,
) -> None:
    """Copies of a batch's files without the rows, if it holds any."""
    files = files_of_batch(settings, quarter, batch)
    gone: dict[str, pl.DataFrame] = {}
    changed: dict[Path, pl.DataFrame] = {}
    touched: set[str] = set()
    for name, declared in declarations.returns.items():
        frames = {
            path: pl.read_parquet(path)
            for path in files
            if path.parent.parent.name == name and path.suffix == ".parquet"
        }
        keys = [pl.DataFrame(schema={"submission_id": pl.String, "sheet_row": pl.Int64})]
        for path, frame in frames.items():
            own, blanked = _rows_of(frame, declared, declarations, path, what)
            keys.append(own)
            touched |= set(own["submission_id"])
            for column, mask in blanked.items():
                touched |= set(frame.filter(mask)["submission_id"])
                frame = frame.with_columns(pl.when(~mask).then(pl.col(column)).alias(column))
                changed[path] = frames[path] = frame
        gone[name] = pl.concat(keys).unique()
        for path, frame in frames.items():
            kept = frame.join(gone[name], on=_KEYS, how="anti", maintain_order="left")
            if kept.height < frame.height:
                changed[path] = kept
                if "row_status" in frame.columns:
                    _count(erased.rows, name, frame.join(gone[name], on=_KEYS, how="semi"))
    layout = settings.raw / "layout" / quarter / f"{batch}.json"
    layouts = read_layouts(layout)
    if isinstance(what, str) and what in layouts:
        touched.add(what)
    if not touched:
        return
    erased.batches.append((quarter, batch))
    erased.received += sorted(touched)
    for path in files:
        target = staging(settings) / path.relative_to(settings.data)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.parent.name == "problems":
            frame = _without_problems(pl.read_parquet(path), gone, what)
            write_whole(target, frame.write_parquet)
        elif path in changed:
            write_whole(target, changed[path].write_parquet)
        elif path == layout:
            layouts = _without_rows(layouts, gone, what)
            text = json.dumps(layouts, ensure_ascii=False)
            write_whole(target, lambda place, text=text: place.write_text(text, encoding="utf-8"))
        else:
            shutil.copyfile(path, target)


def _rows_of(
    frame: pl.DataFrame,
    declared: Return,
    declarations: Declarations,
    path: Path,
    what: Person | str,
) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """Keys of the rows that go, and for each column a mask of the cells that are emptied."""
    if isinstance(what, str):
        return frame.filter(pl.col("submission_id") == what).select(_KEYS), {}
    own: pl.Series | None = None
    blanked: dict[str, pl.Series] = {}
    is_raw = path.parts[-4] == "raw"
    typed = cast(frame, declared, Quarter.parse(path.parent.name), declarations) if is_raw else None
    for each in declared.fields:
        if each.privacy != "identifier" or each.pseudonym_of != what.kind:
            continue
        column = each.name if is_raw else each.validated_name
        if column not in frame.columns:
            continue
        mask = _mask(frame, typed, each, what)
        if not mask.any():
            continue
        if each.issued_by is None:
            own = mask if own is None else own | mask
        else:
            blanked[column] = mask
    keys = frame.filter(own) if own is not None else frame.clear()
    return keys.select(_KEYS), blanked


def _mask(
    frame: pl.DataFrame, typed: pl.DataFrame | None, field: ReturnField, what: Person
) -> pl.Series:
    if typed is None:
        return (frame[field.validated_name] == what.pseudonym).fill_null(False)
    issuers = typed[field.issued_by or "sender_code"]
    references = typed[field.name].str.strip_chars().str.to_uppercase()
    return ((issuers == what.issuer) & (references == what.reference)).fill_null(False)


def _count(rows: Rows, name: str, gone: pl.DataFrame) -> None:
    for submission_id, status, count in gone.group_by(_KEYS[0], "row_status").len().iter_rows():
        of_return = rows.setdefault(submission_id, {}).setdefault(name, {})
        of_return[status] = of_return.get(status, 0) + count


def _without_problems(
    problems: pl.DataFrame, gone: dict[str, pl.DataFrame], what: Person | str
) -> pl.DataFrame:
    if isinstance(what, str):
        return problems.filter(pl.col("submission_id") != what)
    keys = pl.concat([frame.with_columns(return_name=pl.lit(name)) for name, frame in gone.items()])
    return problems.join(keys, on=[*_KEYS, "return_name"], how="anti", maintain_order="left")


def _without_rows(
    layouts: dict[str, Any], gone: dict[str, pl.DataFrame], what: Person | str
) -> dict[str, Any]:
    for name, keys in gone.items():
        for submission_id, count in keys.group_by("submission_id").len().iter_rows():
            sheet = layouts[submission_id]["returns"].get(name)
            if sheet:
                sheet["rows"] -= count
    return {key: value for key, value in layouts.items() if key != what}


def _find_received(
    settings: Settings,
    declarations: Declarations,
    submissions: Iterable[Submission],
    what: Person | str,
    erased: Erased,
) -> None:
    """Received files that hold it, also of submissions whose rows never reached the raw room."""
    submissions = list(submissions)
    if isinstance(what, str):
        erased.received += [
            each.submission_id
            for each in submissions
            if each.submission_id == what
            and what not in erased.received
            and stored_file(settings, each).exists()
        ]
        return
    looked_at = [
        each
        for each in submissions
        if each.sender_code in (what.issuer, None)
        and each.status != "duplicate"
        and each.submission_id not in erased.received
        and stored_file(settings, each).exists()
    ]
    contents = read_each(stored_file(settings, each) for each in looked_at)
    for each, content in zip(looked_at, contents, strict=True):
        if isinstance(content, Unreadable):
            continue
        cells = (cell for sheet in content.sheets for row in sheet.rows for cell in row if cell)
        if any(_plain(cell) == what.reference for cell in cells):
            erased.received.append(each.submission_id)


def enter_erasure(
    settings: Settings,
    submissions: list[Submission],
    erased: Erased,
    role: str,
    reason: str,
) -> None:
    """Write the journal, with the events to come: from here on the erasure is carried out."""
    by_id = {item.submission_id: item for item in submissions}
    hashes = {by_id[submission_id].sha256 for submission_id in erased.received}
    same_bytes = [item for item in submissions if item.sha256 in hashes]
    ledger = Ledger(settings.ledger)
    events = ledger.events()
    known = stored_batches_of(events)
    staged = Settings(staging(settings), settings.key_file)
    stored = []
    for quarter, batch in erased.batches:
        before = known.get((quarter, batch))
        kept = read_layouts(staged.raw / "layout" / quarter / f"{batch}.json")
        set_aside = _set_aside(staged, quarter, batch)
        names = [each for each in before.submissions if each in kept] if before else list(kept)
        stored.append(stored_event(staged, quarter, batch, names, set_aside))
    erasure = secrets.token_hex(8)
    event = {
        "event": "erased",
        "erasure": erasure,
        "rows": erased.rows,
        "received": sorted(item.submission_id for item in same_bytes),
        "role": role,
        "reason": reason,
        "at": moment_after(events, datetime.now(UTC)),
    }
    journal = {
        "erasure": erasure,
        "events": [event, *stored],
        "removed": [
            stored_file(settings, item).relative_to(settings.data).as_posix() for item in same_bytes
        ],
        "unnamed": event["received"],
    }
    flush_folder(staged.data)  # it replaces rows whose received files may be gone
    write_whole(_journal(settings), lambda path: write_json(path, journal))


def _set_aside(settings: Settings, quarter: str, batch: str) -> dict[str, dict[str, list[int]]]:
    rows: dict[str, dict[str, list[int]]] = {}
    for path in files_of_batch(settings, quarter, batch):
        if path.suffix != ".parquet" or not path.is_relative_to(settings.validated):
            continue
        frame = pl.read_parquet(path)
        if "row_status" not in frame.columns:
            continue
        for submission_id, row in (
            frame.filter(pl.col("row_status") == "quarantined").select(_KEYS).iter_rows()
        ):
            of_return = rows.setdefault(submission_id, {})
            of_return.setdefault(path.parent.parent.name, []).append(row)
    return rows


def _cells_in_database(path: Path, pseudonym: str) -> int:
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        return sum(
            count
            for schema, table, column in _text_columns(connection)
            for (count,) in connection.execute(
                f'select count(*) from "{schema}"."{table}" where "{column}" = ?',  # noqa: S608
                [pseudonym],
            ).fetchall()
        )


def _text_columns(connection: Any) -> Iterator[tuple[str, str, str]]:
    query = """
        select schema_name, table_name, column_name from duckdb_columns()
        where data_type = 'VARCHAR' and not internal
    """
    yield from connection.execute(query).fetchall()


def staging(settings: Settings) -> Path:
    """Where new forms of files lie, by their paths in the data folder, before they are put into
    place."""
    return settings.data / "erasing"


def _journal(settings: Settings) -> Path:
    return settings.data / "erasing.json"
