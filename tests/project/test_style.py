"""The rules that a tool can check: style, and who may import whom."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pipelines.settings import CHECKOUT, program


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], cwd=CHECKOUT, capture_output=True, text=True
    )


def test_ruff_finds_nothing():
    run = _run(sys.executable, "-m", "ruff", "check", "--no-cache", ".")
    assert run.returncode == 0, run.stdout


def test_the_code_is_formatted():
    run = _run(sys.executable, "-m", "ruff", "format", "--check", "--no-cache", ".")
    assert run.returncode == 0, run.stdout


def test_nobody_imports_what_its_room_may_not_know():
    run = _run(program("lint-imports"), "--no-cache")
    assert run.returncode == 0, run.stdout
