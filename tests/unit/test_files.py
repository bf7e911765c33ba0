"""Writing whole files: whatever goes wrong, the old file or the new one is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.files import (
    changed_files,
    checksums_in,
    replace_durably,
    sync_folder,
    write_checksums,
    write_whole,
)
from pipelines.settings import CHECKOUT


def _text(content: str):
    return lambda path: path.write_text(content, encoding="utf-8")


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was flushed to disk, renamed and flushed again, in order."""
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        is_folder = os.path.isdir(f"/proc/self/fd/{descriptor}")
        steps.append("flush folder" if is_folder else "flush file")
        real_fsync(descriptor)

    def replace(source: Path, target: Path) -> None:
        steps.append("rename")
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    return steps


def test_a_written_file_holds_what_was_written_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "table.parquet"
    write_whole(path, _text("rows"))
    assert path.read_text(encoding="utf-8") == "rows"
    assert [item.name for item in path.parent.iterdir()] == ["table.parquet"]


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_whole(path, _text("old"))

    def half(temporary: Path) -> None:
        temporary.write_text("ne", encoding="utf-8")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        write_whole(path, half)
    assert path.read_text(encoding="utf-8") == "old"


def test_a_write_after_a_failed_one_holds_only_its_own_content(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    (tmp_path / ".table.parquet.part").write_text("longer left-over of a crash", encoding="utf-8")
    write_whole(path, _text("new"))
    assert path.read_text(encoding="utf-8") == "new"
    assert [item.name for item in tmp_path.iterdir()] == ["table.parquet"]


def test_a_process_killed_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.parquet"
    path.write_text("old", encoding="utf-8")
    program = (
        "import os, sys; from pathlib import Path; from pipelines.files import write_whole\n"
        "def write(path):\n"
        "    path.write_text('half of the new', encoding='utf-8'); os._exit(9)\n"
        "write_whole(Path(sys.argv[1]), write)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(path)], cwd=CHECKOUT)
    assert killed.returncode == 9
    assert path.read_text(encoding="utf-8") == "old"


def test_a_half_written_file_never_has_a_name_that_a_reader_looks_for(tmp_path: Path) -> None:
    seen: list[list[Path]] = []

    def write(temporary: Path) -> None:
        temporary.write_text("half", encoding="utf-8")
        seen.append([*tmp_path.glob("*.parquet"), *tmp_path.glob("*.json")])

    write_whole(tmp_path / "batch.parquet", write)
    assert seen == [[]]


def test_a_reader_who_holds_the_old_file_keeps_it(tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("Windows does not rename over an open file")
    path = tmp_path / "warehouse"
    write_whole(path, _text("old"))
    with path.open(encoding="utf-8") as reader:
        write_whole(path, _text("new"))
        assert reader.read() == "old"
    assert path.read_text(encoding="utf-8") == "new"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks Linux what a handle is")
def test_bytes_are_flushed_before_the_rename_and_the_name_after_it(
    tmp_path: Path, flushed: list[str]
) -> None:
    write_whole(tmp_path / "table", _text("rows"))
    assert flushed == ["flush file", "rename", "flush folder"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks Linux what a handle is")
def test_a_finished_file_from_another_folder_is_flushed_into_the_new_one(
    tmp_path: Path, flushed: list[str]
) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "marts").mkdir()
    finished, path = tmp_path / "build" / "w.duckdb", tmp_path / "marts" / "w.duckdb"
    finished.write_bytes(b"database")
    replace_durably(finished, path)
    assert path.read_bytes() == b"database"
    assert not finished.exists()
    assert flushed == ["flush file", "rename", "flush folder"]


def test_a_file_that_was_never_finished_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    path.write_bytes(b"old")
    with pytest.raises(FileNotFoundError):
        replace_durably(tmp_path / "missing", path)
    assert path.read_bytes() == b"old"


def test_flushing_a_folder_leaves_no_handle_open(tmp_path: Path) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("counts handles the Linux way")
    before = len(os.listdir("/proc/self/fd"))
    sync_folder(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_a_crash_left_of_a_list_of_checksums_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "figures.csv").write_text("1\n", encoding="utf-8")
    (tmp_path / ".SHA256SUMS.part").write_text("half of a", encoding="utf-8")
    write_checksums(tmp_path)
    assert changed_files(tmp_path) == []
    assert set(checksums_in(tmp_path)) == {"figures.csv"}
