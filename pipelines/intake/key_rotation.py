"""Another key: every pseudonym is replaced by the one of the same reference under a new key.

The rows with new pseudonyms are written beside the validated room; then room and key change
places. A rotation that was killed is finished by the next one: a journal in the data folder says
between which keys it was, and until then nothing is taken in.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.declarations import Declarations, Return
from pipelines.files import sync_folder, write_json, write_whole
from pipelines.intake.conservation import stored_batches_of, stored_event
from pipelines.intake.pseudonyms import (
    KeyFileError,
    Pseudonymiser,
    create_key,
    key_id_of_data,
    key_marker,
    read_key,
    rotation_journal,
    weakness,
)
from pipelines.lifecycle.decisions import moment_after
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.readers.casting import cast, validated_frame
from pipelines.settings import Settings

_NO_ROWS = pl.DataFrame(schema={"submission_id": pl.String, "sheet_row": pl.Int64})


@dataclass(frozen=True)
class Rotation:
    """Ids of the key before and the key now."""

    key_before: str
    key_now: str


@dataclass(frozen=True)
class KeyState:
    """What there is to say of an installation's key, without the key."""

    path: str
    key_id: str | None
    permissions: str | None
    key_id_of_data: str | None
    kept: tuple[str, ...]
    faults: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def key_state(settings: Settings) -> KeyState:
    """Id, place and permissions of the key, and every fault of it. Nothing is written."""
    path = settings.key_file
    faults, key_id, permissions = [], None, None
    of_data = key_id_of_data(settings)
    try:
        permissions = f"{path.stat().st_mode & 0o777:04o}"
        key = read_key(path)
        key_id = Pseudonymiser(key).key_id
        if why := weakness(key):
            faults.append(f"the key {why}: change it with `adoption key rotate`")
        if of_data not in (None, key_id):
            faults.append("it is not the key that returns were validated with: restore that one")
    except FileNotFoundError:
        if of_data:
            faults.append("the key is missing: restore it from its backup")
    except KeyFileError as error:
        faults.append(str(error))
    if rotation_journal(settings).exists():
        faults.append("a rotation was interrupted: `adoption key rotate` finishes it")
    kept = tuple(str(each) for each in _kept_keys(settings))
    return KeyState(str(path), key_id, permissions, of_data, kept, tuple(faults))


def rotate_key(settings: Settings, declarations: Declarations) -> Rotation:
    """Make a new key and replace every pseudonym; or finish what was interrupted.

    The caller holds the ledger. The old key is kept beside the new one until
    :func:`forget_old_keys`. The warehouse has the old pseudonyms until it is built again. Raises
    KeyFileError, with nothing changed, where the key is missing or another one, or where raw rows
    are lacking; OSError.
    """
    journal = rotation_journal(settings)
    if not journal.exists():
        _prepare(settings, declarations)
    noted = json.loads(journal.read_text(encoding="utf-8"))
    rotation = Rotation(noted["key_before"], noted["key_now"])
    _finish(settings, rotation)
    return rotation


def forget_old_keys(settings: Settings) -> list[Path]:
    """Remove the keys that rotations kept; which ones. Raises KeyFileError if the key now is not
    that of the data."""
    faults = key_state(settings).faults
    if faults:
        raise KeyFileError(f"no old key is removed: {faults[0]}")
    kept = _kept_keys(settings)
    for path in kept:
        path.unlink()
    return kept


def _prepare(settings: Settings, declarations: Declarations) -> None:
    """Everything that takes time, beside what is in force; the journal last."""
    if not settings.key_file.exists():
        raise KeyFileError(f"the key {settings.key_file} is missing: restore it, then rotate")
    before = Pseudonymiser(read_key(settings.key_file))
    if key_id_of_data(settings) not in (None, before.key_id):
        raise KeyFileError(
            f"the key {settings.key_file} is not the one that returns were validated with: "
            "restore that one, then rotate"
        )
    new_key, staged = _new_key(settings), _staged(settings)
    new_key.unlink(missing_ok=True)
    shutil.rmtree(staged, ignore_errors=True)
    create_key(new_key)
    now = Pseudonymiser(read_key(new_key))
    if settings.validated.exists():
        shutil.copytree(settings.validated, staged)
    for name, declared in declarations.returns.items():
        for path in sorted((staged / name).glob("*-Q[1-4]/*.parquet")):
            _replace_pseudonyms(settings, declarations, declared, path, before, now)
    marker = staged / key_marker(settings).name
    write_whole(marker, lambda path: path.write_text(now.key_id, encoding="utf-8"))
    rotation = Rotation(before.key_id, now.key_id)
    write_whole(rotation_journal(settings), lambda path: write_json(path, asdict(rotation)))


def _replace_pseudonyms(
    settings: Settings,
    declarations: Declarations,
    declared: Return,
    path: Path,
    before: Pseudonymiser,
    now: Pseudonymiser,
) -> None:
    """In one file of validated rows, by what the raw rows of the same batch come to."""
    columns = [each.validated_name for each in declared.fields if each.privacy == "identifier"]
    stored = pl.read_parquet(path)
    columns = [name for name in columns if name in stored.columns]
    if not columns or not stored.height:
        return
    quarter = Quarter.parse(path.parent.name)
    raw = settings.raw / declared.name / quarter.label / path.name
    new_of: dict[str, str] = {}
    if raw.exists():
        typed = cast(pl.read_parquet(raw), declared, quarter, declarations)
        old_rows, new_rows = (
            validated_frame(typed, declared, each.of_column, _NO_ROWS) for each in (before, now)
        )
        for name in columns:
            new_of |= dict(zip(old_rows[name], new_rows[name], strict=True))
    new_of.pop(None, None)
    if any(set(stored[name].drop_nulls()) - new_of.keys() for name in columns):
        raise KeyFileError(
            f"the raw rows of {path.parent.name}/{path.name} ({declared.name}) are not there or "
            "have changed, so its pseudonyms cannot be replaced: put them back, then rotate"
        )
    rows = stored.with_columns(
        pl.col(name).replace_strict(new_of, default=None, return_dtype=pl.String)
        for name in columns
    )
    write_whole(path, rows.write_parquet)


def _finish(settings: Settings, rotation: Rotation) -> None:
    """Put room and key into place. May be killed anywhere and done again."""
    staged, replaced = _staged(settings), _replaced(settings)
    if staged.exists():
        if settings.validated.exists():
            settings.validated.rename(replaced)
        staged.rename(settings.validated)
        sync_folder(settings.data)
    new_key, key_file = _new_key(settings), settings.key_file
    if new_key.exists():
        if key_file.exists():
            os.replace(key_file, key_file.with_name(f"{key_file.name}.{rotation.key_before}.old"))
        os.replace(new_key, key_file)
        sync_folder(key_file.parent)
    if Pseudonymiser(read_key(key_file)).key_id != rotation.key_now:
        raise KeyFileError(
            f"the key {key_file} is not the one that the rotation made (its id is "
            f"{rotation.key_now}): restore it, then run `adoption key rotate` again"
        )
    ledger = Ledger(settings.ledger)
    if ledger.events() and key_id_of_data(settings) != rotation.key_now:
        batches = stored_batches_of(ledger.events()).values()
        ledger.append(
            {
                "event": "rekeyed",
                "key_id": rotation.key_now,
                "key_before": rotation.key_before,
                "at": moment_after(ledger.events(), datetime.now(UTC)),
            },
            *(
                stored_event(settings, each.quarter, each.name, each.submissions, each.set_aside)
                for each in batches
            ),
        )
    shutil.rmtree(replaced, ignore_errors=True)
    rotation_journal(settings).unlink()
    sync_folder(settings.data)


def _kept_keys(settings: Settings) -> list[Path]:
    folder, name = settings.key_file.parent, settings.key_file.name
    return sorted(folder.glob(f"{name}.*.old"))


def _new_key(settings: Settings) -> Path:
    return settings.key_file.with_name(f"{settings.key_file.name}.next")


def _staged(settings: Settings) -> Path:
    return settings.data / "validated.next"


def _replaced(settings: Settings) -> Path:
    return settings.data / "validated.before"
