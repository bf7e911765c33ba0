"""The lock that one process holds: who waits is told for whom, and a killed process frees it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.exclusive import Busy, exclusive, give_back, is_left_behind, take

HOLDER = (
    "import sys; from pathlib import Path; from pipelines.exclusive import take\n"
    "take(Path(sys.argv[1]), 'building'); print('held', flush=True); sys.stdin.readline()"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "writer.lock"


@contextmanager
def held_by_another(path: Path) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(path)]
    holder = subprocess.Popen(command, stdin=-1, stdout=-1, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    try:
        yield holder
    finally:
        holder.kill()
        holder.communicate()


def test_who_waits_is_told_once_and_gives_up_after_the_time(path: Path) -> None:
    said: list[str] = []
    with held_by_another(path) as holder:
        who = rf"^process {holder.pid} is building since \d{{4}}-.* UTC; gave up after 0 seconds$"
        with pytest.raises(Busy, match=who), exclusive(path, "waiting", wait=0.4, say=said.append):
            pass
    assert len(said) == 1 and said[0].startswith(f"process {holder.pid} is building since")


def test_a_killed_process_leaves_no_lock_behind_but_a_trace(path: Path) -> None:
    assert not is_left_behind(path)
    with held_by_another(path) as holder:
        assert not is_left_behind(path)
        holder.kill()
        holder.wait()
        assert is_left_behind(path)
    with exclusive(path, "building", wait=0):
        assert not is_left_behind(path)  # this process has it now
    assert not is_left_behind(path)  # given back in order


def test_a_process_may_take_again_what_it_holds(path: Path) -> None:
    with exclusive(path, "releasing"):
        with exclusive(path, "building", wait=0):
            pass
        command = [sys.executable, "-c", HOLDER, str(path)]
        other = subprocess.run(command, input="", capture_output=True, text=True)
        assert "is releasing since" in other.stderr
    with held_by_another(path):
        pass


def test_what_a_holder_wrote_may_be_unreadable(path: Path) -> None:
    with held_by_another(path):
        path.write_bytes(b"\xff{")
        with pytest.raises(Busy, match=r"another process holds .*writer\.lock"):
            take(path, "building")


def test_an_error_gives_the_lock_back(path: Path) -> None:
    with pytest.raises(KeyError), exclusive(path, "building"):
        raise KeyError
    take(path, "building")
    give_back(path)
