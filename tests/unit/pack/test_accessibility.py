"""Pages seen by a browser: axe finds nothing in them, and finds what a test breaks on purpose."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.declarations import Declarations
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.pages import page
from pipelines.text.catalogue import Language
from tests.browser import looked_at
from tests.unit.pack.conftest import WALES, Rows


@pytest.mark.parametrize(
    ("place", "language", "width"),
    [(WALES, "en", 1280), ("CITY", "cy", 500), ("GLEN", "en", 500)],
)
def test_axe_finds_nothing(
    rows: Rows,
    data_of: Callable[[Rows], NationQuarter],
    declarations: Declarations,
    tmp_path: Path,
    place: str,
    language: Language,
    width: int,
) -> None:
    data = data_of(rows)
    report = looked_at(page(data, declarations, data.places[place], language), width, tmp_path)
    assert report["violations"] == []
    assert report["rules"] > 30


def test_axe_finds_what_is_broken_on_purpose(
    rows: Rows, data_of: Callable[[Rows], NationQuarter], declarations: Declarations, tmp_path: Path
) -> None:
    data = data_of(rows)
    broken = page(data, declarations, data.places["CITY"], "en")
    for whole, spoilt in (
        (r' alt="[^"]*"', ""),
        ('<html lang="en">', "<html>"),
        ("--quiet: #4a4a4a", "--quiet: #b0b0b0"),
    ):
        broken, count = re.subn(whole, spoilt, broken)
        assert count
    rules = {rule for rule, _ in looked_at(broken, 1280, tmp_path)["violations"]}
    assert {"image-alt", "html-has-lang", "color-contrast"} <= rules
