"""Fixtures for every test: no test reaches the installation's own data or key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings
from tests.made_once import in_good_order, made_once

if TYPE_CHECKING:
    from tests.small_data import SmallData


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one of several processes
        items[:] = in_good_order(items)


@pytest.fixture(autouse=True)
def nothing_real_in_reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real data folder and key are out of reach, whatever a test forgets to set."""
    monkeypatch.setenv("ADOPTION_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ADOPTION_KEY_FILE", str(tmp_path / "keys" / "pseudonym.key"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return _settings_in(tmp_path)


@pytest.fixture(scope="session")
def declarations() -> Declarations:
    return Declarations(SOURCES)


@dataclass(frozen=True)
class Sample:
    """A finished sample run, and what it printed."""

    settings: Settings
    printed: str


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The main job, run once on all sample quarters as a user runs it. Tests only read it."""

    def make(home: Path) -> None:
        text = _sample_run(_settings_in(home))
        (home / "printed.txt").write_text(text, encoding="utf-8")

    home = made_once(tmp_path_factory, "sample", make)
    return Sample(_settings_in(home), (home / "printed.txt").read_text(encoding="utf-8"))


def _settings_in(home: Path) -> Settings:
    return Settings(data=home / "data", key_file=home / "keys" / "pseudonym.key")


def _sample_run(settings: Settings) -> str:
    import os
    import subprocess
    import sys

    run = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "sample-run"],
        env={
            **os.environ,
            "ADOPTION_DATA": str(settings.data),
            "ADOPTION_KEY_FILE": str(settings.key_file),
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-5000:]
    return run.stdout + run.stderr


@pytest.fixture(scope="session")
def small_data_made(tmp_path_factory: pytest.TempPathFactory) -> SmallData:
    """A small data folder, taken in and built once."""
    from tests.small_data import SmallData, make

    return SmallData(_settings_in(made_once(tmp_path_factory, "small-data", make)))


@pytest.fixture
def small_data(small_data_made: SmallData, tmp_path: Path) -> SmallData:
    """A copy of the small data folder, to be changed or damaged."""
    return small_data_made.copy_to(tmp_path / "small")
