"""A copy of ``sources/`` that a test may change."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from pipelines.settings import SOURCES

_OVERRIDES = re.compile(r"^ +overrides:\n(?: +- \{.*\}\n)+", flags=re.MULTILINE)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The declarations without their dated changes: tests add their own, and a change that a body
    makes is no reason to change a test."""
    folder = tmp_path / "sources"
    shutil.copytree(SOURCES, folder)
    for path in [*folder.glob("disclosure/*.yaml"), *folder.glob("policies/*.yaml")]:
        text = path.read_text(encoding="utf-8")
        path.write_text(_OVERRIDES.sub("", text), encoding="utf-8")
    return folder
