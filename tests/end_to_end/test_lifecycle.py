"""A quarter is locked, a late file comes, and a revision lets it in: from the commands to the
published files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from pipelines.quarters import Quarter
from pipelines.samples.population import population
from pipelines.settings import Settings
from pipelines.templates.workbook import write_return
from pipelines.warehouse.published import open_warehouse
from tests.conftest import Sample
from tests.queries import first_row

CARDIFF, QUARTER = "W06000015", Quarter(2020, 4)
DIRECTOR = ("--nation", "wales", "--role", "national_director")
COVER = {
    "sender_code": CARDIFF,
    "quarter": QUARTER.label,
    "version": 2,
    "signed_off_by_role": "Synthetic test",
    "signed_off_on": date(2021, 5, 20),
    "is_synthetic": "yes",
}


@pytest.fixture
def copy(sample: Sample, tmp_path: Path) -> Settings:
    """The finished sample, in a place of its own to be changed."""
    shutil.copytree(sample.settings.data, tmp_path / "data")
    shutil.copytree(sample.settings.key_file.parent, tmp_path / "keys")
    return Settings(tmp_path / "data", tmp_path / "keys" / sample.settings.key_file.name)


def _adoption(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    run = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env={
            **os.environ,
            "ADOPTION_DATA": str(settings.data),
            "ADOPTION_KEY_FILE": str(settings.key_file),
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    return run


def _placed(settings: Settings) -> int:
    with open_warehouse(settings) as connection:
        result = connection.execute(
            "select numerator from marts.fct_indicator where indicator_id = 'W06'"
            " and place_code = ? and quarter = ? and window_name = 'quarter'",
            [CARDIFF, QUARTER.label],
        )
        return first_row(result)[0]


def _state(settings: Settings) -> str:
    with open_warehouse(settings) as connection:
        result = connection.execute(
            "select state from marts.fct_return_status where sender_code = ? and quarter = ?",
            [CARDIFF, QUARTER.label],
        )
        return first_row(result)[0]


def _published(settings: Settings) -> dict[str, bytes]:
    home = settings.exports / QUARTER.label
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


def _one_child_less(declarations, path: Path) -> None:
    people = population(declarations, Quarter(2018, 1), QUARTER)
    rows = dict(people.rows(CARDIFF, QUARTER))
    gone = next(
        row
        for row in rows["child"]
        if isinstance(placed_on := row.get("placed_on"), date)
        and QUARTER.first_day <= placed_on <= QUARTER.last_day
    )
    rows["child"] = [row for row in rows["child"] if row is not gone]
    write_return(path, declarations, QUARTER, COVER, rows)


def test_a_late_file_changes_nothing_that_is_published_before_a_revision_with_a_reason(
    copy, declarations
):
    placed, before = _placed(copy), _published(copy)
    _adoption(copy, "lock", QUARTER.label, "--with-gaps", *DIRECTOR)
    copy.inbox.mkdir(parents=True, exist_ok=True)
    _one_child_less(declarations, copy.inbox / "late.xlsx")
    assert "1 held, as the quarter is locked" in _adoption(copy, "run").stderr
    assert (_placed(copy), _state(copy)) == (placed, "held")
    assert _published(copy) == before  # the same figures, so the same version

    why = "A return that came late changes the number of children placed."
    released = _adoption(copy, "revise", QUARTER.label, *DIRECTOR, "--because", why)
    assert "1 files released" in released.stdout
    _adoption(copy, "run")
    now = _published(copy)
    assert {name: now[name] for name in before} == before  # the old version stays
    revision = json.loads(now["2/manifest.json"])["revisions"]["W92000004"]
    told = [(one["revision"], one["role"], one["reason"]) for one in revision["reasons"]]
    assert (revision["revision"], told) == (2, [(2, "national_director", why)])
    assert _placed(copy) == placed - 1
    owed = json.loads(_adoption(copy, "due", "--json", "--quarter", QUARTER.label).stdout)
    (mine,) = [one for one in owed["returns"] if one["sender_code"] == CARDIFF]
    assert (mine["state"], mine["version"], mine["revision"]) == ("revised", 2, 2)
    assert "No faults found." in _adoption(copy, "verify").stdout
