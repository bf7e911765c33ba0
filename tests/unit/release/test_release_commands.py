"""``adoption release``, ``releases`` and ``compare`` on a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.lifecycle.ledger import Ledger
from pipelines.release.content import Content
from pipelines.release.package import write_figures
from pipelines.settings import Settings
from tests.unit.release.conftest import figure, with_figures
from tests.unit.release.test_versions import released


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ADOPTION_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ADOPTION_KEY_FILE", str(tmp_path / "keys" / "pseudonym.key"))
    monkeypatch.setenv("COLUMNS", "160")
    return Settings.from_environment()


@pytest.fixture
def two_versions(settings: Settings, wales: Content) -> Settings:
    changed = with_figures(
        wales, figure("COUNT", "W92000004", 1230), figure("HOMES", "W92000004", "c")
    )
    for version, content in ((1, wales), (2, changed)):
        folder = settings.releases / "nas" / "2025-26-Q1" / str(version)
        folder.mkdir(parents=True)
        write_figures(content, folder)
        reason = "A return was withdrawn." if version > 1 else None
        Ledger(settings.ledger).append(released(version, reason, changed=2 * (version - 1)))
    return settings


def _adoption(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_releases_are_listed_with_what_moved_them(two_versions: Settings) -> None:
    told = _adoption("releases").output
    assert "NAS/2025-26-Q1/1" in told and "NAS/2025-26-Q1/2" in told
    assert "A return was withdrawn." in told and "national_director" in told
    found = json.loads(_adoption("releases", "--json").output)
    assert [(one["name"], one["changed"]) for one in found] == [
        *(("NAS/2025-26-Q1/1", 0), ("NAS/2025-26-Q1/2", 2))
    ]


def test_nothing_released_yet_is_said(settings: Settings) -> None:
    assert "Nothing has been released yet" in _adoption("releases").output
    assert json.loads(_adoption("releases", "--json").stdout) == []


def test_two_releases_are_compared_by_name_or_folder(
    two_versions: Settings, tmp_path: Path
) -> None:
    by_name = _adoption("compare", "NAS/2025-26-Q1/1", "NAS/2025-26-Q1/2")
    assert by_name.exit_code == 0
    assert "COUNT value, W92000004, 2020-21-Q4 quarter: 1234 → 1230 (changed)" in by_name.output
    assert "1 changed, 1 newly suppressed" in by_name.output
    home = two_versions.releases / "nas" / "2025-26-Q1"
    out = tmp_path / "changes.csv"
    again = _adoption("compare", str(home / "1"), str(home / "2"), "--out", str(out))
    assert again.output == by_name.output
    assert pl.read_csv(out, infer_schema=False)["change"].to_list() == [
        *("changed", "newly suppressed")
    ]
    found = json.loads(_adoption("compare", str(home / "2"), str(home / "1"), "--json").output)
    assert found["counts"] == {"changed": 1, "no longer suppressed": 1}
    assert "Nothing differs" in _adoption("compare", str(home / "1"), str(home / "1")).output


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("compare", "NAS/2025-26-Q1/1", "NAS/2025-26-Q1/9"), 1, "never released"),
        (("compare", ".", "."), 1, "no figures.parquet"),
        (("release", "NAS", "2025-26-Q1"), 2, "--role"),
        (("release", "NAS", "2025-26-Q5", "--role", "x"), 2, "2025-26-Q5"),
        (("release", "ELSE", "2025-26-Q1", "--role", "national_director"), 1, "DFE, NAS"),
        (("release", "NAS", "2025-26-Q1", "--as-of", "2025-08-01"), 2, "--out"),
        (("release", "NAS", "2025-26-Q1", "--as-of", "soon", "--out", "x"), 2, "2021-06-01"),
        (("release", "NAS", "2025-26-Q1", "--as-of", "2001-01-01", "--out", "x"), 2, "no version"),
    ],
)
def test_a_wrong_call_says_what_to_do(
    two_versions: Settings, arguments: tuple[str, ...], code: int, told: str
) -> None:
    result = _adoption(*arguments)
    assert (result.exit_code, told in result.output) == (code, True), result.output
