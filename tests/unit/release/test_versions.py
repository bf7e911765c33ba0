"""Versions of releases in the ledger: which may follow, and what is seen when a file changes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.declarations import Declarations
from pipelines.files import CHECKSUMS, changed_files, sha256_of, write_checksums
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.release.content import ReleaseError
from pipelines.release.versions import (
    Version,
    faults,
    find,
    folder_of,
    released_values_file,
    values_released_before,
    versions_of,
)
from pipelines.settings import Settings
from tests.unit.lifecycle_story import Q1, START, WALES, Story


def released(version: int, reason: str | None = None, **more) -> dict:
    at = (START + timedelta(days=60, hours=version)).isoformat()
    return {
        "event": "released",
        "body": "NAS",
        "nation_code": WALES,
        "quarter": Q1.label,
        "version": version,
        "revision": 1,
        "as_of": at,
        "reason": reason,
        "role": "national_director",
        "figures": 10,
        "changed": 0,
        "checksums": "0" * 64,
        "told": "0" * 64,
        "at": at,
    } | more


@pytest.fixture
def story(declarations: Declarations) -> Story:
    told = Story(declarations)
    told.send()
    return told


# --- which may follow -----------------------------------------------------------


def test_only_a_locked_quarter_is_released(story: Story) -> None:
    assert "not locked" in story.refused(released(1))
    story.tell(story.lock()).tell(released(1))
    assert len(story.ledger_state.releases[WALES, Q1.label]) == 1


def test_versions_follow_each_other(story: Story) -> None:
    story.tell(story.lock())
    assert "version 1" in story.refused(released(2, "Figures were corrected."))
    story.tell(released(1))
    assert "version 2" in story.refused(released(1))


def test_a_later_version_needs_a_reason(story: Story) -> None:
    story.tell(story.lock()).tell(released(1))
    assert "reason" in story.refused(released(2))
    story.tell(released(2, "A return was withdrawn."))


def test_a_release_shows_the_revision_of_the_day(story: Story) -> None:
    story.tell(story.lock())
    assert "revision 2" in story.refused(released(1, revision=2))


def test_a_quarter_that_was_released_is_not_unlocked(story: Story) -> None:
    story.tell(story.lock()).tell(released(1))
    assert "released and cannot be unlocked" in story.refused(story.unlock())


# --- on disk --------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "data", tmp_path / "keys" / "pseudonym.key")


def _release(settings: Settings, version: int = 1, content: str = "a,b\n1,2\n") -> Version:
    """A version as it would lie there: entered, its folder, and what it told."""
    known = versions_of(settings, "NAS", Q1)
    named = Version(
        body="NAS",
        nation_code=WALES,
        quarter=Q1,
        version=version,
        revision=1,
        as_of="",
        role="",
        at="",
        reason=None,
        figures=1,
        changed=0,
        checksums="",
        values_sha256="",
        ledger_length=len(known),
    )
    folder = folder_of(settings, named)
    folder.mkdir(parents=True)
    (folder / "figures.csv").write_text(content, encoding="utf-8")
    write_checksums(folder)
    told = released_values_file(settings, named)
    told.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({"release": [f"{version:012}"], "value": [3]}).write_parquet(told)
    Ledger(settings.ledger).append(
        released(
            version,
            "A return was corrected." if version > 1 else None,
            checksums=sha256_of(folder / CHECKSUMS),
            told=sha256_of(told),
        )
    )
    return versions_of(settings, "NAS", Q1)[-1]


def test_a_release_is_found_by_its_name(settings: Settings) -> None:
    one = _release(settings)
    assert (one.name, find(settings, "nas/2025-26-q1/1")) == ("NAS/2025-26-Q1/1", one)
    with pytest.raises(ReleaseError, match=r"never released.*NAS/2025-26-Q1/1"):
        find(settings, "NAS/2025-26-Q1/2")
    with pytest.raises(ReleaseError, match="named like"):
        find(settings, "../../etc")


def test_all_is_well_while_nothing_changed(settings: Settings) -> None:
    _release(settings)
    _release(settings, 2)
    assert list(faults(settings)) == []


@pytest.mark.parametrize("harm", ["changed", "removed", "added", "rewritten", "folder"])
def test_whatever_changes_in_a_released_folder_is_seen(settings: Settings, harm: str) -> None:
    import shutil

    folder = folder_of(settings, _release(settings))
    file = folder / "figures.csv"
    if harm == "changed":
        file.write_text("a,b\n1,3\n", encoding="utf-8")
    elif harm == "removed":
        file.unlink()
    elif harm == "added":
        (folder / "more.csv").write_text("c\n", encoding="utf-8")
    elif harm == "rewritten":
        file.write_text("a,b\n1,3\n", encoding="utf-8")
        write_checksums(folder)
        assert changed_files(folder) == []  # only the ledger knows
    else:
        shutil.rmtree(folder)
    (fault,) = faults(settings)
    assert str(folder) in fault and "put it back" in fault


def test_what_a_release_told_has_to_be_known_to_protect_the_next(settings: Settings) -> None:
    first, second = _release(settings), _release(settings, 2)
    values = values_released_before(settings, "NAS")
    assert values is not None
    assert values["release"].to_list() == [
        "000000000001",
        "000000000002",
    ]
    values = values_released_before(settings, "NAS", second.ledger_length)
    assert values is not None and values.height == 1
    assert values_released_before(settings, "NAS", first.ledger_length) is None
    assert values_released_before(settings, "DFE") is None
    released_values_file(settings, first).unlink()
    with pytest.raises(ReleaseError, match=r"(?i)put the file back from a copy"):
        values_released_before(settings, "NAS")
    assert any("protected" in fault for fault in faults(settings))


def test_nothing_was_released_in_an_empty_house(settings: Settings) -> None:
    assert versions_of(settings, "NAS", Quarter.parse("2025-26-Q1")) == []
    with pytest.raises(ReleaseError, match="nothing was released yet"):
        find(settings, "NAS/2025-26-Q1/1")
