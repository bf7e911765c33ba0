"""Another key: new pseudonyms for everybody, the same children, the same households."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.declarations import Declarations
from pipelines.intake import key_rotation
from pipelines.intake.conservation import refuse_unless_conserved
from pipelines.intake.key_rotation import forget_old_keys, key_state, rotate_key
from pipelines.intake.pseudonyms import KeyFileError, Pseudonymiser, rotation_journal
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import SOURCES, Settings
from tests.unit.intake.test_take_in import Collection, child, household

PSEUDONYMS = ("child_pseudonym", "adopter_household_pseudonym", "household_pseudonym")


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two returns of children, one of households, one link between them."""
    home = tmp_path_factory.mktemp("taken-in")
    settings = Settings(data=home / "data", key_file=home / "keys" / "pseudonym.key")
    it = Collection(settings, Declarations(SOURCES))
    placed = {"adopter_agency_code": "NWAS", "adopter_household_reference": "h1"}
    it.send("W06000001", {"child": [child("A1"), child("A2", **placed)]})
    it.send("W06000002", {"child": [child("a1 "), child("B2")]})
    it.send("NWAS", {"adopter": [household("H1"), household("H2")]}, is_nil_support="yes")
    it.validate()
    return home


@pytest.fixture
def home(taken_in: Path, tmp_path: Path) -> Collection:
    shutil.copytree(taken_in, tmp_path / "home")
    place = tmp_path / "home"
    settings = Settings(data=place / "data", key_file=place / "keys" / "pseudonym.key")
    return Collection(settings, Declarations(SOURCES))


def rows(home: Collection) -> dict[str, pl.DataFrame]:
    return {name: home.validated(name) for name in ("child", "adopter")}


def pseudonyms(frames: dict[str, pl.DataFrame]) -> list[str]:
    """One after the other, in order of the rows."""
    return [
        value
        for frame in frames.values()
        for name in frame.columns
        if name in PSEUDONYMS
        for value in frame[name].drop_nulls()
    ]


def pattern(values: list[str]) -> list[int]:
    """Which of them are equal, whatever they are."""
    return [values.index(value) for value in values]


def assert_rotated(home: Collection, before: dict[str, pl.DataFrame]) -> None:
    after = rows(home)
    old, new = pseudonyms(before), pseudonyms(after)
    assert pattern(old) == pattern(new) and len(set(old)) == 6
    assert not set(old) & set(new)
    for name, frame in before.items():
        kept = [column for column in frame.columns if column not in PSEUDONYMS]
        assert frame.select(kept).equals(after[name].select(kept))
    key = Pseudonymiser.from_settings(home.settings)
    assert key.of("child", "W06000001", "A1") in new
    assert not list(home.settings.data.glob("validated.*"))
    assert not rotation_journal(home.settings).exists()
    events = [event for event in Ledger(home.settings.ledger).events() if "key_before" in event]
    assert [event["key_id"] for event in events] == [key.key_id]
    refuse_unless_conserved(home.settings)


def test_everybody_has_a_new_pseudonym_and_nothing_else_changes(home: Collection) -> None:
    before, old_key = rows(home), home.settings.key_file.read_bytes()
    rotation = rotate_key(home.settings, home.declarations)
    assert_rotated(home, before)
    (kept,) = home.settings.key_file.parent.glob("*.old")
    assert kept.read_bytes() == old_key and rotation.key_before in kept.name
    if os.name != "nt":
        assert home.settings.key_file.stat().st_mode & 0o077 == 0


def test_what_comes_after_a_rotation_is_the_same_child_as_before(home: Collection) -> None:
    rotate_key(home.settings, home.declarations)
    home.send("W06000001", {"child": [child("A1")]}, version=2)
    home.validate()
    values = home.validated("child")["child_pseudonym"].to_list()
    assert len(values) == 5 and len(set(values)) == 4


STEPS = ("_replace_pseudonyms", "write_whole", "rename", "rename 2", "replace", "replace 2")


@pytest.mark.parametrize("stop", [*STEPS, "append", "rmtree", "unlink"])
def test_a_rotation_killed_anywhere_is_finished_by_the_next(
    home: Collection, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    before = rows(home)
    step, _, count = stop.partition(" ")
    left = [int(count or 1)]

    def killing(real: Any) -> Any:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            left[0] -= step != "replace" or "keys" in str(arguments[0])
            if left[0] <= 0:
                raise KeyboardInterrupt
            return real(*arguments, **options)

        return wrapped

    place = {
        "rename": Path,
        "unlink": Path,
        "replace": os,
        "append": Ledger,
        "rmtree": shutil,
    }.get(step, key_rotation)
    with monkeypatch.context() as patched:
        patched.setattr(place, step, killing(getattr(place, step)))
        with pytest.raises(KeyboardInterrupt):
            rotate_key(home.settings, home.declarations)
    if rotation_journal(home.settings).exists():
        with pytest.raises(KeyFileError, match="adoption key rotate"):
            Pseudonymiser.from_settings(home.settings)
    rotate_key(home.settings, home.declarations)
    after = rows(home)
    assert pattern(pseudonyms(before)) == pattern(pseudonyms(after))
    assert not set(pseudonyms(before)) & set(pseudonyms(after))
    assert Pseudonymiser.from_settings(home.settings)


@pytest.mark.parametrize("fault", ["missing", "other"])
def test_without_the_right_key_nothing_is_rotated(home: Collection, fault: str) -> None:
    home.settings.key_file.unlink()
    if fault == "other":
        home.settings.key_file.write_text("0123456789abcdef" * 4, encoding="ascii")
        home.settings.key_file.chmod(0o600)
    before = rows(home)
    with pytest.raises(KeyFileError, match="restore"):
        rotate_key(home.settings, home.declarations)
    assert all(frame.equals(rows(home)[name]) for name, frame in before.items())
    assert key_state(home.settings).faults


def test_without_the_raw_rows_nothing_is_rotated(home: Collection) -> None:
    shutil.rmtree(home.settings.raw / "child")
    before = rows(home)
    with pytest.raises(KeyFileError, match="raw rows"):
        rotate_key(home.settings, home.declarations)
    assert rows(home)["child"].equals(before["child"])
    assert Pseudonymiser.from_settings(home.settings), "the old key is in force"


def test_an_old_key_is_kept_until_it_is_forgotten(home: Collection) -> None:
    rotate_key(home.settings, home.declarations)
    (kept,) = home.settings.key_file.parent.glob("*.old")
    assert key_state(home.settings).kept == (str(kept),)
    content = home.settings.key_file.read_bytes()
    home.settings.key_file.unlink()
    with pytest.raises(KeyFileError, match="no old key is removed"):
        forget_old_keys(home.settings)
    assert kept.exists()
    home.settings.key_file.write_bytes(content)
    home.settings.key_file.chmod(0o600)
    assert forget_old_keys(home.settings) == [kept] and not kept.exists()


def test_a_weak_key_in_use_can_be_rotated(settings: Settings, declarations: Declarations) -> None:
    settings.key_file.parent.mkdir(parents=True)
    settings.key_file.write_bytes(b"a" * 32)
    settings.key_file.chmod(0o600)
    assert key_state(settings).faults
    rotate_key(settings, declarations)
    assert not key_state(settings).faults


def test_the_commands_say_everything_but_the_key(
    home: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADOPTION_DATA", str(home.settings.data))
    monkeypatch.setenv("ADOPTION_KEY_FILE", str(home.settings.key_file))
    shown = ""
    for command, code in (("check", 0), ("rotate", 0), ("check", 0), ("forget-old", 0)):
        old = home.settings.key_file.read_text(encoding="ascii").strip()
        result = CliRunner().invoke(main, ["key", command])
        assert result.exit_code == code, result.output
        shown += result.output
        assert old not in shown and home.settings.key_file.read_text().strip() not in shown
    home.settings.key_file.unlink()
    result = CliRunner().invoke(main, ["key", "check"])
    assert result.exit_code == 1 and "the key is missing" in result.output
