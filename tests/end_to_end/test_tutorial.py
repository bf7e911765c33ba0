"""The tutorial does what it says: its commands are run in their order on a copy of the sample."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from pipelines.settings import CHECKOUT, Settings

PAGE = CHECKOUT / "docs" / "tutorial.md"
STEP = re.compile(r"```(\w*)\n(.*?)```|^\| ([A-Z]+\d+) \| (.+?) \|$", flags=re.DOTALL | re.M)
CALL = "import sys; from pipelines.cli import main; main(prog_name='adoption')"


def test_the_tutorial_works_and_shows_what_it_says(sample, tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    settings = Settings(tmp_path / "copy", sample.settings.key_file)
    shutil.copytree(sample.settings.data, settings.data)
    printed, ran, shown, corrected = "", 0, 0, 0
    for language, block, cell, value in STEP.findall(text):
        if cell:
            _type(tmp_path / "to-correct.xlsx", cell, value)
            corrected += 1
        elif language == "text":
            missing = list(_missing(block, printed))
            assert missing == [], f"not shown:\n{missing}\nbut:\n{printed}"
            shown += 1
        elif not language:
            printed = _run(block.strip(), settings, tmp_path)
            ran += 1
    assert (ran, shown, corrected) == (9, 9, 2)
    packs = [path.name for path in (tmp_path / "packs").iterdir()]
    assert packs == ["pack-carmarthenshire-en.html"]


def test_what_is_not_printed_is_missed() -> None:
    assert list(_missing("a\n…\nc\n", "a\nb\nc\n")) == []
    assert list(_missing("c\na\n", "a\nb\nc\n")) == ["a"]
    assert list(_missing("1 child\n", "  11 children\n")) == ["1 child"]
    assert list(_missing("S1-… sent\n", "S1-0f\nS1-0f sent\n")) == []
    assert list(_missing("S1-… sent\n", "S1-0f sent back\n")) == ["S1-… sent"]


def _run(line: str, settings: Settings, folder: Path) -> str:
    """What a command prints in 80 columns; ``check`` of a file with errors ends with 0 as well."""
    program, *arguments = shlex.split(line)
    assert program == "adoption", line
    run = subprocess.run(
        [sys.executable, "-c", CALL, *arguments],
        cwd=folder,
        env={
            **os.environ,
            "ADOPTION_DATA": str(settings.data),
            "ADOPTION_KEY_FILE": str(settings.key_file),
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONIOENCODING": "utf-8",
            "COLUMNS": "80",
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, f"{line}\n{run.stdout[-3000:]}{run.stderr[-3000:]}"
    return run.stdout


def _missing(shown: str, printed: str) -> Iterator[str]:
    """Lines of the page that were not printed, or not in this order."""
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    for line in (" ".join(line.split()) for line in shown.splitlines()):
        if line in ("…", ""):
            continue
        words = re.compile(".+".join(re.escape(part) for part in line.split("…")))
        found = next((i for i, one in enumerate(lines) if words.fullmatch(one)), None)
        if found is None:
            yield line
        else:
            lines = lines[found + 1 :]


def _type(path: Path, cell: str, value: str) -> None:
    """What somebody types into the sheet of children."""
    openpyxl = pytest.importorskip("openpyxl")
    workbook = openpyxl.load_workbook(path)
    day = re.fullmatch(r"\d\d/\d\d/\d{4}", value)
    workbook["Children"][cell] = datetime.strptime(value, "%d/%m/%Y") if day else value
    workbook.save(path)
