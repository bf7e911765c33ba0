"""Where things lie: the environment decides, when asked and not before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.settings import CHECKOUT, ROOMS, SOURCES, Settings


def test_the_environment_says_where_data_and_key_lie(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ADOPTION_DATA", str(tmp_path / "d"))
    monkeypatch.setenv("ADOPTION_KEY_FILE", str(tmp_path / "k"))
    found = Settings.from_environment()
    assert (found.data, found.key_file) == (tmp_path.resolve() / "d", tmp_path.resolve() / "k")


def test_without_them_data_lies_in_the_checkout_and_the_key_outside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ADOPTION_DATA")
    monkeypatch.delenv("ADOPTION_KEY_FILE")
    found = Settings.from_environment()
    assert found.data == CHECKOUT / "data"
    assert found.key_file.name == "pseudonym.key"
    assert not found.key_file.is_relative_to(CHECKOUT)


def test_an_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADOPTION_DATA", "")
    assert Settings.from_environment().data == CHECKOUT / "data"


def test_a_path_with_detours_is_told_straight(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Else a key inside the data folder could hide behind ``..`` or a link."""
    monkeypatch.setenv("ADOPTION_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ADOPTION_KEY_FILE", str(tmp_path / "other" / ".." / "data" / "key"))
    found = Settings.from_environment()
    assert found.key_file.is_relative_to(found.data)


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("ADOPTION_DATA", "~/returns")
    assert Settings.from_environment().data == tmp_path.resolve() / "returns"


def test_every_place_but_the_key_lies_in_the_data_folder(settings: Settings) -> None:
    places = [
        value
        for name, kind in vars(Settings).items()
        if isinstance(kind, property) and (value := getattr(settings, name))
    ]
    assert len(places) >= 10
    assert all(place.is_relative_to(settings.data) for place in places)
    assert len(set(places)) == len(places)


def test_the_rooms_on_disk_are_among_the_seven_rooms(settings: Settings) -> None:
    for place in (settings.inbox, settings.received, settings.ledger):
        assert place.relative_to(settings.data).parts[0] == "landing"
    for place in (settings.raw, settings.validated, settings.marts, settings.exports):
        assert place.name in ROOMS


def test_importing_the_settings_reads_no_environment() -> None:
    program = (
        "import os\n"
        "class Watched(dict):\n"
        "    def get(self, key, default=None):\n"
        "        assert not key.startswith('ADOPTION'), key\n"
        "        return default\n"
        "os.environ = Watched()\n"
        "import pipelines.settings, pipelines.lifecycle.ledger, pipelines.files"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_the_declarations_lie_where_the_settings_say() -> None:
    assert (SOURCES / "returns" / "cover.yaml").is_file()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask for others")
def test_files_made_after_make_private_are_the_owners_alone(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from pipelines.settings import make_private\n"
        "os.umask(0o022)\n"
        "Path(sys.argv[1], 'before').touch(); make_private()\n"
        "Path(sys.argv[1], 'after').touch(); Path(sys.argv[1], 'folder').mkdir()"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=CHECKOUT, check=True)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"before": 0o644, "after": 0o600, "folder": 0o700}
