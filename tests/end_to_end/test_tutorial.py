"""The tutorial does what it says: its commands are run in their order on a copy of the sample."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from pipelines.settings import CHECKOUT
from tests.conftest import Sample
from tests.small_data import SmallData

PAGE = CHECKOUT / "docs" / "tutorial.md"
STEP = re.compile(r"```(\w*)\n(.*?)```|^\| ([A-Z]+\d+) \| (.+?) \|$", flags=re.DOTALL | re.M)


def test_the_tutorial_works_and_shows_what_it_says(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    copy = SmallData(sample.settings).copy_to(tmp_path / "copy")
    monkeypatch.chdir(tmp_path)
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
            printed = _run(block.strip(), copy)
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


def _run(line: str, data: SmallData) -> str:
    """What a command prints in 80 columns; ``check`` of a file with errors ends with 0 as well."""
    program, *arguments = shlex.split(line)
    assert program == "adoption", line
    code, printed = data.call(*arguments, COLUMNS="80")
    assert code == 0, f"{line}\n{printed[-6000:]}"
    return printed


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
