"""Opens files from outside in a process that may die, so that ours does not.

A parser given a hostile workbook may abort the whole process; no exception
handler sees it. So files are read by a child, one at a time; a child that dies
or takes too long costs that one file and is replaced for the next. Its memory
and its processor time are limited where the platform can (Linux; macOS limits
the time only); on Windows the clock is what stops it.

The child is started by its own command line rather than by ``multiprocessing``,
which would import the caller's main module again (pytest, Dagster) and on
Windows needs a guard in it. It is isolated: it imports from Python's own library,
the folder of this package and the folder of the parser, in that order; it runs in
an empty folder of its own; and it inherits no variable of the environment. So a
``select.py`` that lies beside a return is never run, and the place of the key file
(``ADOPTION_KEY_FILE``) is not known to a process that a hostile file has taken over.
Where the system allows (:mod:`pipelines.readers.network`) it has no network either.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.readers.content import CannotRead, FileContent, Unreadable
from pipelines.readers.network import leave_network
from pipelines.readers.preflight import MAX_FILE_BYTES, has_too_many_parts
from pipelines.readers.refusals import unreadable

# By the clock, for what only waits. What computes is ended by its processor time, so that a busy
# machine refuses no honest file; Windows limits no processor time.
SECONDS_PER_FILE = 20.0 if sys.platform == "win32" else 600.0
CPU_SECONDS_PER_FILE = 10
SECONDS_TO_START = 60.0  # a busy machine with a cold disk
ADDRESS_SPACE_BYTES = 1024**3
MAX_ANSWER_BYTES = 64 * 1024**2  # what the caller may have to hold
# A child that grew this large is replaced: what it keeps would count against the next file.
RETIRE_AT_BYTES = 400 * 1024**2
_PARSER = "python-calamine"  # as it is called where it is installed
# -I: no PYTHON* variable, no folder of the user, no current folder on the import path; -S: no .pth
# file and no sitecustomize is run; -B: RLIMIT_FSIZE lets it write no bytecode anyway.
_ISOLATED = ("-I", "-S", "-B", "-X", "utf8")
_START = "from pipelines.readers.child_process import serve; serve()"
_WITH_IMPORT_PATH = "import sys; sys.path += sys.argv[1:]; "
# What the operating system's loader needs to start Python at all, where a machine sets it.
_NEEDED_BY_THE_SYSTEM = (
    "SYSTEMROOT",  # Windows: without it Python does not start
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
)


def read_files(
    paths: Iterable[Path],
    seconds_per_file: float = SECONDS_PER_FILE,
    password: str | None = None,
) -> list[FileContent | Unreadable]:
    """Read files in a child process; one answer for each path, in the same order.

    ``password`` is tried on a workbook that has one. It goes through a pipe to the child and is
    kept nowhere.

    Raises FileNotFoundError for a path that is not there: that is no fault of the file.
    """
    return list(read_each(paths, seconds_per_file, password))


def read_each(
    paths: Iterable[Path],
    seconds_per_file: float = SECONDS_PER_FILE,
    password: str | None = None,
) -> Generator[FileContent | Unreadable]:
    """As :func:`read_files`, one at a time, for batches too large to hold."""
    child: _Child | None = None
    try:
        for path in paths:
            Path(path).stat()
            if child is None:
                child = _Child()
            answer = child.ask(Path(path), seconds_per_file, password)
            # A child that died, ran out of memory or grew is not trusted with the next file.
            if answer is None or answer.get("retires"):
                child.end()
                child = None
            yield _content(answer)
    finally:
        if child is not None:
            child.end()


def reader_has_network() -> bool:
    """Whether a process that reads files here could reach a network. Raises ReaderDidNotStart."""
    child = _Child()
    child.end()
    return child.has_network


def _content(answer: dict[str, Any] | None) -> FileContent | Unreadable:
    """What the child answered; whatever it cannot mean, it ended abnormally."""
    try:
        if answer is not None and "refused" in answer:
            return unreadable(*answer["refused"])
        if answer is not None:
            return FileContent.from_plain(answer["read"])
    except (KeyError, TypeError, ValueError):
        pass
    return unreadable("F004")


class ReaderDidNotStart(Exception):
    """The child process that reads files could not be started: an installation is broken."""


class _Child:
    """One reading process and a thread that collects its answers."""

    def __init__(self) -> None:
        try:
            self._folder = tempfile.TemporaryDirectory(
                prefix="adoption-reader-", ignore_cleanup_errors=True
            )
            self._process = subprocess.Popen(
                [sys.executable, *_ISOLATED, "-c", _WITH_IMPORT_PATH + _START, *_import_path()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # What a dying parser prints may hold values of the file: nobody keeps it.
                stderr=subprocess.DEVNULL,
                cwd=self._folder.name,
                env=_environment(),
            )
        except OSError as error:
            # Not as it is: a FileNotFoundError would pass for a return that is not there.
            raise ReaderDidNotStart(
                f"the process that reads files did not start: {error}"
            ) from error
        self._answers: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=self._collect, daemon=True).start()
        started = self._answer(SECONDS_TO_START)
        if started is None or "has_network" not in started:
            self.end()
            raise ReaderDidNotStart(
                "the process that reads files did not start: check that python_calamine is "
                f"installed for {sys.executable}"
            )
        self.has_network = bool(started["has_network"])

    def ask(self, path: Path, seconds: float, password: str | None = None) -> dict[str, Any] | None:
        """The child's answer about a file; None when it died or took too long."""
        assert self._process.stdin is not None
        try:
            # Absolute, since the child runs in another folder.
            request = json.dumps([str(path.absolute()), password])
            self._process.stdin.write(request.encode("ascii") + b"\n")
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
        self._folder.cleanup()

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        try:
            line = self._answers.get(timeout=seconds)
            answer = None if line is None else json.loads(line)
        except (queue.Empty, ValueError, RecursionError):
            return None
        return answer if isinstance(answer, dict) else None

    def _collect(self) -> None:
        assert self._process.stdout is not None
        try:
            # One byte more than an answer may have shows that it is too long: it is not held.
            while line := self._process.stdout.readline(MAX_ANSWER_BYTES + 1):
                if len(line) > MAX_ANSWER_BYTES:
                    break
                self._answers.put(line)
        except (OSError, ValueError):  # closed while waiting
            pass
        self._answers.put(None)


def _import_path() -> list[str]:
    """Where the child finds this package and the parser, after Python's own library.

    Nothing else of this process's ``sys.path``: it may begin with the folder that the returns are
    in. The package comes first, since an older one may be installed beside the parser.
    """
    package = Path(__file__).resolve().parents[2]
    folders = [package]
    # By what is installed, not by what an import would find first. Without it the child says so.
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        installed = importlib.metadata.distribution(_PARSER)
        folders.append(Path(str(installed.locate_file(""))).resolve())
    return list(dict.fromkeys(map(str, folders)))


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _NEEDED_BY_THE_SYSTEM if name in os.environ}


# --- in the child ---------------------------------------------------------------


def serve() -> None:
    """Answer paths from standard input with contents on standard output, as lines of JSON."""
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing a library prints may pass for an answer
    _limit("RLIMIT_AS", ADDRESS_SPACE_BYTES)
    _limit("RLIMIT_CORE", 0)  # a core dump would hold the file
    _limit("RLIMIT_FSIZE", 0)  # it has nothing to write
    has_network = not leave_network()  # before the parser may start a thread
    import python_calamine  # noqa: F401  # found missing now, not with the first file

    _send(answers, {"has_network": has_network})
    # Some systems count a parent's size until the child outgrows it.
    most = max(RETIRE_AT_BYTES, _largest_size())
    for line in sys.stdin:
        # The limit is on the process's whole time, so it moves on with each file.
        _limit_cpu()
        path, password = json.loads(line)
        answer = _answer_about(Path(path), password)
        _send(answers, answer | {"retires": answer.get("retires") or _largest_size() > most})


def _answer_about(path: Path, password: str | None) -> dict[str, Any]:
    try:
        return {"read": read(path, password).to_plain()}
    except CannotRead as refusal:
        return {"refused": [refusal.code, refusal.number, refusal.cell]}
    except MemoryError:
        return {"refused": ["F003"], "retires": True}
    except KeyboardInterrupt:
        raise
    except BaseException:
        # A parser's panic derives from BaseException. Its text may hold values: it ends here,
        # and the sender is told what to do.
        return {"refused": ["F004"], "retires": True}


def read(path: Path, password: str | None = None) -> FileContent:
    """Read one file by what it holds, not by its name. Raises CannotRead. For the child only."""
    size = path.stat().st_size
    if size == 0:
        raise CannotRead("F005")
    if size > MAX_FILE_BYTES:
        raise CannotRead("F003")
    return _read_bytes(path.read_bytes(), password)


def _read_bytes(
    data: bytes, password: str | None = None, *, is_in_a_zip: bool = False
) -> FileContent:
    import io
    import zipfile

    from pipelines.readers.csv_bundle import is_csv_part, read_csv_bundle, read_single_csv
    from pipelines.readers.workbook import read_ods, read_xlsx, workbook_within

    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        held = _what_ole_holds(data)
        if held == "F002" and password is not None:
            return _read_bytes(_decrypted(data, password))
        raise CannotRead(held)
    if not data.startswith(b"PK") and not zipfile.is_zipfile(io.BytesIO(data)):
        return read_single_csv(data)
    # Before zipfile lists them: 20,000 sheets in 7.7 MB took a reader 26 s.
    if has_too_many_parts(data):
        raise CannotRead("F003")
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise CannotRead("F001") from error
    folded = {name.casefold() for name in names}
    # By content, since a name says nothing: return.xlsx may be a zip of CSV files.
    if "xl/workbook.xml" in folded:
        return read_xlsx(data)
    if "content.xml" in folded:
        return read_ods(data)
    if "xl/workbook.bin" in folded:
        raise CannotRead("F010")
    if any(is_csv_part(name) for name in names):
        return read_csv_bundle(data)
    if not is_in_a_zip:
        return _read_bytes(workbook_within(data), password, is_in_a_zip=True)
    raise CannotRead("F001")


def _decrypted(data: bytes, password: str) -> bytes:
    """The workbook within a protected one. Raises CannotRead F012 for a wrong password."""
    import io

    import msoffcrypto
    from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError

    opened = io.BytesIO()
    try:
        protected = msoffcrypto.OfficeFile(io.BytesIO(data))
        protected.load_key(password=password, verify_password=True)
        protected.decrypt(opened)
    except InvalidKeyError as error:
        raise CannotRead("F012") from error
    except (DecryptionError, FileFormatError, OSError, ValueError) as error:
        raise CannotRead("F001") from error
    return opened.getvalue()


def _what_ole_holds(data: bytes) -> str:
    """Why a compound file cannot be read; its directory names its streams in UTF-16."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "F002"
    is_xls = any(f"{stream}\x00".encode("utf-16-le") in data for stream in ("Workbook", "Book"))
    return "F007" if is_xls else "F001"


def _send(answers: BinaryIO, answer: dict[str, Any]) -> None:
    line = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )
    if len(line) >= MAX_ANSWER_BYTES:
        line = b'{"refused":["F003"],"retires":true}'
    answers.write(line + b"\n")
    answers.flush()


def _limit(name: str, most: int) -> None:
    """Set a limit of this process where the platform has it (Windows has none)."""
    try:
        import resource
    except ImportError:
        return
    # An error means that the machine's own limit is lower.
    with contextlib.suppress(AttributeError, ValueError, OSError):
        resource.setrlimit(getattr(resource, name), (most, most))


def _limit_cpu() -> None:
    """Let the next file have its seconds of processor time, and no more."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + CPU_SECONDS_PER_FILE
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


def _largest_size() -> int:
    """The most memory this process ever held, in bytes; 0 where nobody counts it."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
