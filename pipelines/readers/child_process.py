"""Opens files from outside in a process that may die, so that ours does not.

A parser given a hostile workbook may abort the whole process; no exception
handler sees it. So files are read by a child, one at a time; a child that dies
or takes too long costs that one file and is replaced for the next.

The child is started by its own command line rather than by ``multiprocessing``,
which would import the caller's main module again (pytest, Dagster) and on
Windows needs a guard in it.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from pipelines.readers.content import CannotRead, FileContent, Unreadable, unreadable
from pipelines.readers.preflight import MAX_FILE_BYTES

SECONDS_PER_FILE = 20.0
SECONDS_TO_START = 60.0  # a busy machine with a cold disk
ADDRESS_SPACE_BYTES = 2 * 1024**3
_START = "from pipelines.readers.child_process import serve; serve()"


def read_files(
    paths: Iterable[Path], seconds_per_file: float = SECONDS_PER_FILE
) -> list[FileContent | Unreadable]:
    """Read files in a child process; one answer for each path, in the same order.

    Raises FileNotFoundError for a path that is not there: that is no fault of the file.
    """
    return list(read_each(paths, seconds_per_file))


def read_each(
    paths: Iterable[Path], seconds_per_file: float = SECONDS_PER_FILE
) -> Iterator[FileContent | Unreadable]:
    """As :func:`read_files`, one at a time, for batches too large to hold."""
    child: _Child | None = None
    try:
        for path in paths:
            Path(path).stat()
            if child is None:
                child = _Child()
            answer = child.ask(Path(path), seconds_per_file)
            if answer is None:
                child.end()
                child = None
                yield unreadable("F004")
            elif "refused" in answer:
                yield unreadable(answer["refused"])
            else:
                yield FileContent.from_plain(answer)
    finally:
        if child is not None:
            child.end()


class ReaderDidNotStart(Exception):
    """The child process that reads files could not be started: an installation is broken."""


class _Child:
    """One reading process and a thread that collects its answers."""

    def __init__(self) -> None:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(_import_path()),
            "PYTHONIOENCODING": "utf-8",
            "PYTHONUTF8": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What a dying parser prints may hold values of the file: nobody keeps it.
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
            encoding="utf-8",
        )
        self._answers: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._collect, daemon=True).start()
        if self._answer(SECONDS_TO_START) != {"ready": True}:
            self.end()
            raise ReaderDidNotStart(
                "the process that reads files did not start: check that python_calamine is "
                f"installed for {sys.executable}"
            )

    def ask(self, path: Path, seconds: float) -> dict[str, Any] | None:
        """The child's answer about a file; None when it died or took too long."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(str(path)) + "\n")
            self._process.stdin.flush()
        except OSError:
            return None
        return self._answer(seconds)

    def end(self) -> None:
        """Stop the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            try:
                if stream is not None:
                    stream.close()
            except OSError:  # unsent bytes for a process that is gone
                pass

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        try:
            line = self._answers.get(timeout=seconds)
            return None if line is None else json.loads(line)
        except (queue.Empty, ValueError):
            return None

    def _collect(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._answers.put(line)
        except (OSError, ValueError):  # closed while waiting
            pass
        self._answers.put(None)


def _import_path() -> list[str]:
    """Where the child finds this package and what it imports."""
    here = str(Path(__file__).resolve().parents[2])
    return list(dict.fromkeys([here, *(entry for entry in sys.path if entry)]))


# --- in the child ---------------------------------------------------------------


def serve() -> None:
    """Answer paths from standard input with contents on standard output, as lines of JSON."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # nothing a library prints may pass for an answer
    _limit_memory()
    import python_calamine  # noqa: F401  # found missing now, not with the first file

    _send(answers, {"ready": True})
    for line in sys.stdin:
        _send(answers, _answer_about(Path(json.loads(line))))


def _answer_about(path: Path) -> dict[str, Any]:
    try:
        return read(path).to_plain()
    except CannotRead as refusal:
        return {"refused": refusal.code}
    except MemoryError:
        return {"refused": "F003"}
    except KeyboardInterrupt:
        raise
    except BaseException:
        # A parser's panic derives from BaseException. Its text may hold values: it ends here,
        # and the sender is told what to do.
        return {"refused": "F004"}


def read(path: Path) -> FileContent:
    """Read one file by what it holds, not by its name. Raises CannotRead. For the child only."""
    import zipfile

    from pipelines.readers.csv_bundle import is_csv_part, read_csv_bundle
    from pipelines.readers.workbook import read_ods, read_xls, read_xlsx

    size = path.stat().st_size
    if size == 0:
        raise CannotRead("F005")
    if size > MAX_FILE_BYTES:
        raise CannotRead("F003")
    data = path.read_bytes()
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return read_xls(data)
    try:
        names = zipfile.ZipFile(path).namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise CannotRead("F001") from error
    folded = {name.casefold() for name in names}
    if "xl/workbook.xml" in folded:
        return read_xlsx(data)
    if "content.xml" in folded:
        return read_ods(data)
    if any(is_csv_part(name) for name in names):
        return read_csv_bundle(data)
    raise CannotRead("F001")


def _send(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")) + "\n")
    answers.flush()


def _limit_memory() -> None:
    """Where the platform has it (not Windows; macOS ignores it), refuse to grow beyond 2 GB."""
    try:
        import resource
    except ImportError:
        return
    try:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the file
    except (ValueError, OSError):
        pass  # the machine's own limit is lower
