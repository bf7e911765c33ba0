"""From a clone to figures: the wrong Python is told so, and what is
installed is what was locked."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import namedtuple
from pathlib import Path

import pytest

from pipelines import quickstart
from pipelines.settings import CHECKOUT

LOCK = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
# What a checkout installs; the extra for production is outside the lock (docs/operate.md).
WANTED = [
    *PROJECT["project"]["dependencies"],
    *PROJECT["project"]["optional-dependencies"]["warehouse"],
]

Version = namedtuple("Version", "major minor micro releaselevel serial")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """A quickstart whose every call is noted instead of made, in a folder of its own."""
    environment = tmp_path / ".venv"
    monkeypatch.setattr(quickstart, "ENVIRONMENT", environment)
    monkeypatch.setattr(quickstart, "MARKER", environment / "installed-from")
    monkeypatch.setattr(quickstart.os, "umask", lambda mask: 0o022)
    calls: list[str] = []

    class Builder:
        def __init__(self, **options: object) -> None:
            calls.append(f"venv clear={options['clear']}")

        def create(self, folder: Path) -> None:
            python = quickstart._python()
            python.parent.mkdir(parents=True)
            python.touch()

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        assert command[0] == str(quickstart._python())
        assert options["cwd"] == CHECKOUT
        calls.append(" ".join(command[1:]))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(quickstart.venv, "EnvBuilder", Builder)
    monkeypatch.setattr(quickstart.subprocess, "run", run)
    return calls


# --- the call -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 14, 0), (3, 9, 1)])
def test_a_python_that_does_not_fit_is_told_which_ones_do(
    installed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    version: tuple[int, int, int],
) -> None:
    monkeypatch.setattr(sys, "version_info", Version(*version, "final", 0))
    monkeypatch.setattr(sys, "version", ".".join(map(str, version)) + " (main)")
    assert quickstart.main([]) == 2
    told = capsys.readouterr().err
    assert f"This is Python {'.'.join(map(str, version))};" in told
    assert "3.11, 3.12 and 3.13" in told
    assert installed == []


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 4), (3, 13, 9)])
def test_every_python_that_is_promised_is_taken(
    installed: list[str], monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int]
) -> None:
    monkeypatch.setattr(sys, "version_info", Version(*version, "final", 0))
    assert quickstart.main(["prepare"]) == 0
    assert installed


def test_the_versions_promised_are_those_of_the_project() -> None:
    (low, high) = quickstart.SUPPORTED
    assert PROJECT["project"]["requires-python"] == f">={low[0]}.{low[1]},<{high[0]}.{high[1] + 1}"


@pytest.mark.parametrize("wrong", ["walk", "--help", "tests", ""])
def test_a_wrong_call_is_told_the_right_ones_and_installs_nothing(
    installed: list[str], capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    assert quickstart.main([wrong]) == 2
    assert "usage: python3 -m pipelines.quickstart" in capsys.readouterr().out
    assert installed == []


@pytest.mark.parametrize(
    ("call", "last"),
    [
        ([], "-m pipelines.cli sample-run"),
        (["run"], "-m pipelines.cli sample-run"),
        (["test"], "-m pytest -n auto --dist loadfile --no-loadscope-reorder"),
        (
            ["test", "-k", "ledger"],
            "-m pytest -n auto --dist loadfile --no-loadscope-reorder -k ledger",
        ),
        (["prepare"], "-m pipelines.cli prepare"),
    ],
)
def test_a_call_ends_with_what_was_asked_for(
    installed: list[str], call: list[str], last: str
) -> None:
    assert quickstart.main(call) == 0
    assert installed[-1] == last


def test_the_exit_code_of_the_tests_is_ours(
    installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1 if "pytest" in command else 0)

    monkeypatch.setattr(quickstart.subprocess, "run", failing)
    assert quickstart.main(["test"]) == 1


# --- the set-up -----------------------------------------------------------------------------


def test_the_first_call_installs_the_locked_packages_with_their_hashes_and_nothing_else(
    installed: list[str],
) -> None:
    quickstart.prepare()
    assert installed[0].startswith("venv")
    pip = [call for call in installed if call.startswith("-m pip ")]
    assert len(pip) == 2
    assert "--require-hashes" in pip[0] and pip[0].endswith(f"-r {quickstart.LOCK}")
    assert "--only-binary :all:" in pip[0]  # no package's own code runs while installing
    assert "--no-deps" in pip[1] and "--no-build-isolation" in pip[1]


def test_the_second_call_has_nothing_to_do(installed: list[str]) -> None:
    quickstart.prepare()
    installed.clear()
    quickstart.prepare()
    assert installed == []


@pytest.mark.parametrize("changed", ["LOCK", "PROJECT"])
def test_a_changed_lock_or_project_is_installed_into_the_same_environment(
    installed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changed: str
) -> None:
    quickstart.prepare()
    installed.clear()
    other = tmp_path / "changed"
    other.write_text("something else", encoding="utf-8")
    monkeypatch.setattr(quickstart, changed, other)
    quickstart.prepare()
    assert installed and not [call for call in installed if call.startswith("venv")]


@pytest.mark.parametrize("step", ["--require-hashes", "--no-deps", "pipelines.cli"])
def test_a_set_up_that_stopped_is_told_and_tried_again(
    installed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    step: str,
) -> None:
    def failing(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        if step in command:
            raise subprocess.CalledProcessError(7, command)
        return subprocess.CompletedProcess(command, 0)

    with monkeypatch.context() as patched:
        patched.setattr(quickstart.subprocess, "run", failing)
        assert quickstart.main([]) == 1
        told = capsys.readouterr().err
        assert "Set-up stopped: `-m" in told and "ended with 7" in told
    installed.clear()
    assert quickstart.main([]) == 0
    assert [call for call in installed if "--require-hashes" in call]


def test_the_set_up_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse((CHECKOUT / "pipelines" / "quickstart.py").read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported and imported <= set(sys.stdlib_module_names)
    package = ast.parse((CHECKOUT / "pipelines" / "__init__.py").read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(package) if isinstance(node, ast.Import | ast.ImportFrom)]


# --- the lock -------------------------------------------------------------------------------


def locked() -> dict[str, str]:
    """Requirements of the lock by normalised name: everything up to the next requirement."""
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", re.sub(r"(?m)^\s*#.*\n", "", LOCK))
    return {
        re.sub(r"[-_.]+", "-", re.split(r"[=\[; ]", entry, maxsplit=1)[0]).lower(): entry
        for entry in entries
        if entry.strip()
    }


def test_every_locked_package_has_one_version_and_hashes() -> None:
    assert len(locked()) > 50
    for name, entry in locked().items():
        assert re.match(r"[A-Za-z0-9._\[\],-]+==[0-9][^ ;\\]*", entry), name
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), name


def test_the_lock_names_no_package_index_and_no_place_on_a_machine() -> None:
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|--trusted-host", LOCK)
    assert not re.search(r"(?m)^-|^\.|/home/|/work|file:|@ ", LOCK)


def test_every_dependency_of_the_project_is_in_the_lock() -> None:
    wanted = [
        *WANTED,
        *PROJECT["dependency-groups"]["dev"],
        *PROJECT["build-system"]["requires"],  # built without isolation, from what is installed
    ]
    names = {re.split(r"[<>=!~; \[]", line, maxsplit=1)[0].lower() for line in wanted}
    assert sorted(names - locked().keys()) == []


@pytest.mark.parametrize(
    "pinned",
    [line for line in WANTED if "==" in line and ";" not in line],
)
def test_an_exact_version_of_the_project_is_the_locked_one(pinned: str) -> None:
    name, version = pinned.split("==")
    assert locked()[name].startswith(f"{name}=={version} ")
