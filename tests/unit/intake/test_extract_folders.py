"""Folders of extracts in the inbox."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.declarations import Declarations
from pipelines.intake.extract_folders import convert_folders
from pipelines.intake.landing import Arrival, receive
from pipelines.intake.raw import to_raw
from pipelines.intake.validated import to_validated
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES, Settings
from pipelines.templates.workbook import write_return
from tests.unit.extracts.extracts_made import BATH, STORIES, write_csv, write_ssda903

QUARTER = Quarter(2023, 4)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.intake.inbox.SECONDS_BETWEEN_LOOKS", 0.0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(data=tmp_path / "data", key_file=tmp_path / "keys" / "key")
    made.inbox.mkdir(parents=True)
    return made


def _delivered(settings: Settings, name: str) -> Path:
    return write_ssda903(settings.inbox / name, (2022, 2023), STORIES)


def _names(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.inbox.iterdir())


def test_a_folder_becomes_the_returns_of_its_years_and_is_gone(
    settings: Settings, declarations: Declarations
) -> None:
    folder = _delivered(settings, BATH)
    (folder / ".DS_Store").write_bytes(b"x")
    assert convert_folders(settings, declarations) == []
    names = _names(settings)
    assert [name[: len(BATH) + 11] for name in names] == [
        f"{BATH} {year}-Q{number}" for year in ("2022-23", "2023-24") for number in (1, 2, 3, 4)
    ]
    assert all(name.endswith(".xlsx") for name in names)
    assert convert_folders(settings, declarations) == []
    assert _names(settings) == names


def test_a_run_that_is_repeated_makes_the_same_files(
    settings: Settings, declarations: Declarations, monkeypatch: pytest.MonkeyPatch
) -> None:
    _delivered(settings, f"{BATH} {QUARTER}")
    with monkeypatch.context() as killed:
        killed.setattr(shutil, "rmtree", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            convert_folders(settings, declarations)
    assert convert_folders(settings, declarations) == []
    made = [name for name in _names(settings) if not name.startswith(".")]
    assert len(made) == 1 and made[0].startswith(f"{BATH} {QUARTER} ")


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("Bath return", lambda folder: None, "has to be called by the code of its sender"),
        (f"{BATH} 2019-20-Q1", lambda folder: None, "2019-20-Q1 is not in it"),
        (BATH, lambda folder: (folder / "notes.docx").write_bytes(b"x"), "part of an extract: 1"),
        (BATH, lambda folder: [p.unlink() for p in folder.rglob("ad1.csv")], "ad1 is missing"),
        (
            BATH,
            lambda folder: [shutil.rmtree(p) for p in folder.iterdir()]
            and write_csv(folder / "cin.csv", ("LAchildID", "UPN"), [{"LAchildID": "1"}]),
            "none of the extracts",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_converted_stays_with_the_reason_in_it(
    settings: Settings, declarations: Declarations, name: str, damage, said: str
) -> None:
    folder = _delivered(settings, name)
    damage(folder)
    before = sorted(p.read_bytes() for p in folder.rglob("*") if p.is_file())
    (left,) = convert_folders(settings, declarations)
    assert _names(settings) == [f"{name} - not converted"] == [left.path.name]
    why = left.path / "why.txt"
    assert said in why.read_text(encoding="utf-8")
    kept = sorted(p.read_bytes() for p in left.path.rglob("*") if p.is_file() and p != why)
    assert kept == before
    assert convert_folders(settings, declarations) == [], "it is not tried again unchanged"


def _taken_in(settings: Settings, declarations: Declarations, hour: int) -> list[Submission]:
    came = datetime(2024, 5, 10, hour, tzinfo=UTC)
    files = sorted(path for path in settings.inbox.iterdir() if path.is_file())
    ids = {
        one.submission_id
        for one in receive(settings, declarations, [Arrival(path, came) for path in files])
    }
    for quarter in (QUARTER,):
        to_raw(settings, declarations, quarter)
    to_validated(settings, declarations, [QUARTER])
    return [one for one in Ledger(settings.ledger).submissions() if one.submission_id in ids]


def test_history_counts_until_the_senders_own_return_is_there_and_never_replaces_it(
    settings: Settings,
) -> None:
    declarations = Declarations(SOURCES)
    _delivered(settings, f"{BATH} {QUARTER}")
    convert_folders(settings, declarations)
    (history,) = _taken_in(settings, declarations, 1)
    assert (history.is_accepted, history.is_history, history.made_from) == (True, True, "ssda903")
    assert history.returns.keys() == {"child"}
    own = {"child_reference": "A1", "date_of_birth": datetime(2022, 1, 1).date()}
    cover = {"sender_code": BATH, "quarter": QUARTER.label, "version": 1,
             "signed_off_by_role": "x", "signed_off_on": datetime(2024, 4, 20).date()}  # fmt: skip
    write_return(settings.inbox / "own.xlsx", declarations, QUARTER, cover, {"child": [own]})
    (mine,) = _taken_in(settings, declarations, 2)
    assert mine.is_accepted and not mine.is_history
    stories = dict(STORIES)
    del stories["A"]  # so that it is another file than the first
    write_ssda903(settings.inbox / f"{BATH} {QUARTER}", (2023,), stories)
    convert_folders(settings, declarations)
    (again,) = _taken_in(settings, declarations, 3)
    assert [refusal["code"] for refusal in again.refusals] == ["HISTORY_REPLACES_RETURN"]
