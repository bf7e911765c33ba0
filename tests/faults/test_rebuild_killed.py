"""A rebuild that is killed while it swaps the rooms, after received files were removed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from pipelines.intake import rebuild as rebuilding
from pipelines.intake.conservation import batch_files, faults_of_rooms
from pipelines.intake.erasure import Person, erase
from pipelines.intake.rebuild import rebuild
from pipelines.intake.retention import remove_past_their_time
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import Settings
from tests.faults.table import Trial, fault
from tests.unit.intake import test_rebuild
from tests.unit.returns_made import DECLARATIONS, Q1

LEAD = "national_data_lead"
original = test_rebuild.original


class Killed(BaseException):
    """Stands for the end of the process: nothing in the program may catch it."""


def _rebuild_killed_at(settings: Settings, at: int) -> bool:
    """Rebuild, and end before the ``at``-th change of a whole folder; False if it has fewer.

    A removal ends when half of the files are gone.
    """
    changes = 0

    def counted(real: Callable) -> Callable:
        def change(*arguments: Path, **options: object) -> object:
            nonlocal changes
            if not arguments[0].is_dir():
                return real(*arguments, **options)
            changes += 1
            if changes == at:
                if real is removal:
                    for path in sorted(arguments[0].rglob("*.parquet"))[::2]:
                        path.unlink()
                raise Killed
            return real(*arguments, **options)

        return change

    removal, swap = shutil.rmtree, rebuilding._swap
    with pytest.MonkeyPatch.context() as patch:

        def swap_counted(*arguments: Settings) -> None:
            patch.setattr(os, "replace", counted(os.replace))
            patch.setattr(shutil, "rmtree", counted(removal))
            swap(*arguments)

        patch.setattr(rebuilding, "_swap", swap_counted)
        try:
            rebuilt = rebuild(settings, DECLARATIONS)
        except Killed:
            return True
    assert rebuilt.obstacles == []
    return False


def _erase_a_child(settings: Settings) -> None:
    person = Person.known_as(settings, "child", "W06000001", "REF-0002")
    with Ledger(settings.ledger).held():
        erase(settings, DECLARATIONS, person, role=LEAD, reason="Asked for by the family.")


def _remove_past_their_time(settings: Settings) -> None:
    declared = DECLARATIONS.policies["W92000004"].retention_for(Q1)
    assert declared is not None
    day = Q1.plus(declared.landing_quarters).last_day + timedelta(days=1)
    with Ledger(settings.ledger).held():
        assert remove_past_their_time(settings, DECLARATIONS, day, LEAD).received


def _content(settings: Settings) -> dict[str, bytes]:
    return {
        path.relative_to(settings.data).as_posix(): path.read_bytes()
        for path in batch_files(settings)
    }


CHANGES = 6  # each of two rooms aside and in, the old ones renamed, the folder removed


@fault(
    "F25",
    what="Received files are removed, for a child or after their time; then a rebuild is killed "
    "before each change of a folder in turn, and run again",
    bar="The same bytes in raw and validated, and the ledger knows them all",
    control="The rooms that were moved aside are not put back",
    unit="kills",
    full=2 * CHANGES,
    few=CHANGES,
)
def test_rebuild_killed_while_it_swaps_the_rooms(
    trial: Trial, original: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kills = product((_erase_a_child, _remove_past_their_time), range(1, CHANGES + 1))
    for _, (remove, at) in zip(trial.each(), kills, strict=False):
        settings, expected = _killed(original, tmp_path / f"{remove.__name__}-{at}", remove, at)
        assert rebuild(settings, DECLARATIONS).obstacles == []
        assert _content(settings) == expected
        assert list(faults_of_rooms(settings)) == []
        assert not _rebuild_killed_at(settings, CHANGES + 1), "it has more steps than were tried"

    monkeypatch.setattr(rebuilding, "_swap_back", lambda *_: None)
    settings, _ = _killed(original, tmp_path / "control", _erase_a_child, 2)
    trial.control_failed(bool(rebuild(settings, DECLARATIONS).obstacles), 1)


def _killed(
    original: Settings, home: Path, remove: Callable[[Settings], None], at: int
) -> tuple[Settings, dict[str, bytes]]:
    """A copy in which something was removed and a rebuild killed, and what the rooms held."""
    shutil.copytree(original.data, home)
    settings = Settings(home, original.key_file)
    remove(settings)
    expected = _content(settings)
    assert _rebuild_killed_at(settings, at)
    return settings, expected
