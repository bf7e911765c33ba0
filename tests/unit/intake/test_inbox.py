"""The inbox: a file that is still being copied is left for the next look, whatever the way in."""

from __future__ import annotations

import os
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.intake import inbox
from pipelines.intake.inbox import (
    look_at,
    settled,
    waiting_files,
    why_still_arriving,
)
from pipelines.settings import Settings
from tests.unit.returns_made import children, csv_zip, workbook


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "SECONDS_BETWEEN_LOOKS", 0.05)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return workbook(tmp_path / "return.xlsx", children(3))


def why(path: Path) -> str | None:
    return why_still_arriving(path, {look_at(path)})


def age(path: Path, seconds: float) -> Path:
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def test_a_file_at_rest_has_arrived(whole: Path) -> None:
    assert settled([whole]) == ([whole], [])


@pytest.mark.parametrize("suffix", [".xlsx", ".zip"])
def test_an_archive_cut_anywhere_is_still_arriving(tmp_path: Path, suffix: str) -> None:
    make = workbook if suffix == ".xlsx" else csv_zip
    path = make(tmp_path / f"return{suffix}", children(3))
    content = path.read_bytes()
    for share in (0, 1, 5, 10, 15, 19, 19.9):
        path.write_bytes(content[: int(len(content) * share / 20)])
        assert "end is missing" in (why(path) or ""), share
    path.write_bytes(content)
    assert why(path) is None


def test_an_archive_inside_the_archive_is_not_its_end(tmp_path: Path, whole: Path) -> None:
    path = tmp_path / "nested.zip"
    with zipfile.ZipFile(path, "w") as bundle:  # stored, so that the inner end lies open
        bundle.write(whole, "inner.xlsx")
    content = path.read_bytes()
    inner_end = content.index(b"PK\x05\x06") + 22
    path.write_bytes(content[:inner_end])
    assert "end is missing" in (why(path) or "")
    path.write_bytes(content)
    assert why(path) is None


@pytest.mark.parametrize("comment", [b"", b"x", b"PK\x05", b"y" * 65_535])
def test_a_whole_archive_may_have_a_comment(tmp_path: Path, comment: bytes) -> None:
    path = tmp_path / "return.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("cover.csv", "a,b\n")
        bundle.comment = comment
    assert why(path) is None


def test_an_archive_without_its_end_that_lies_still_is_damaged_and_is_taken(whole: Path) -> None:
    whole.write_bytes(whole.read_bytes()[:500])
    assert why(whole)
    assert why(age(whole, 59)) and why(age(whole, 62)) is None


def test_a_clock_ahead_of_ours_keeps_no_file_out_for_ever(whole: Path) -> None:
    whole.write_bytes(whole.read_bytes()[:500])
    assert why(age(whole, -3600)) is None


@pytest.mark.parametrize("content", [b"<html>log in first</html>", b"a,b\r\n1,2\r\n"])
def test_what_is_no_archive_needs_two_looks_only(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "return.html"
    path.write_bytes(content)
    assert why(path) is None
    assert why(path.rename(tmp_path / "return.xlsx")) is None


def test_a_file_whose_room_is_reserved_and_not_filled_yet_is_still_arriving(
    tmp_path: Path,
) -> None:
    path = tmp_path / "return.xlsx"
    path.write_bytes(b"\0" * 5000)
    assert "end is missing" in (why(path) or "")


@pytest.mark.parametrize(
    "name", ["a.xlsx.part", "a.TMP", "a.xlsx.crdownload", "a.filepart", ".a.xlsx", "~$a.xlsx"]
)
def test_a_temporary_name_is_of_a_file_that_is_still_arriving(
    settings: Settings, whole: Path, name: str
) -> None:
    settings.inbox.mkdir(parents=True)
    path = whole.rename(settings.inbox / name)
    assert waiting_files(settings) == []
    assert "name says" in (why(path) or "")
    assert waiting_files(settings) == [] and path.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")
def test_a_file_that_a_program_has_open_for_writing_is_still_arriving(whole: Path) -> None:
    with whole.open("ab"):
        assert "open for writing" in (why(whole) or "")
    with whole.open("rb"):
        assert why(whole) is None


@pytest.mark.parametrize("change", [lambda path: path.write_bytes(b"PK" + path.read_bytes()), age])
def test_a_change_of_size_or_time_between_two_looks(
    whole: Path, change: Callable[..., object]
) -> None:
    looks = {look_at(whole)}
    change(whole, 5) if change is age else change(whole)
    assert "changed between two looks" in (why_still_arriving(whole, looks) or "")
    assert why_still_arriving(whole, set()), "the first look settles nothing"


def test_a_file_that_is_gone_or_cannot_be_opened_is_no_error(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert why(whole.with_name("gone.xlsx"))

    def locked(self: Path, *arguments: object, **options: object) -> None:
        raise PermissionError(13, "being used by another process", str(self))

    monkeypatch.setattr(Path, "open", locked)
    reason = why(whole) or ""
    assert reason == "it cannot be opened"


def test_one_that_is_still_arriving_does_not_keep_the_others_out(
    tmp_path: Path, whole: Path
) -> None:
    half = tmp_path / "half.xlsx"
    half.write_bytes(whole.read_bytes()[:500])
    ready, arriving = settled([half, whole])
    assert (ready, [file.path for file in arriving]) == ([whole], [half])


def test_waiting_takes_a_file_as_soon_as_it_is_whole(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = tmp_path / "half.xlsx"
    content = whole.read_bytes()
    half.write_bytes(content[:500])
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            half.write_bytes(content)

    monkeypatch.setattr(inbox.time, "sleep", sleep)
    assert settled([half], wait=60) == ([half], [])
    assert len(slept) == 4  # the change itself, and a look at which nothing changed


def test_waiting_ends(tmp_path: Path) -> None:
    half = tmp_path / "half.xlsx"
    half.write_bytes(b"PK\x03\x04")
    began = time.monotonic()
    ready, arriving = settled([half], wait=0.2)
    assert not ready and arriving
    assert 0.2 <= time.monotonic() - began < 5
