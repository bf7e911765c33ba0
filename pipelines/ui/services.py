"""The processes behind the Dagster UI on one machine: code, web server, daemon.

``dagster dev`` starts the same and two helpers beside them, and takes 870 MB; its three services
alone take 570. They are also what runs in production, each by itself (docs/operate.md).
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.settings import CHECKOUT, program
from pipelines.ui.daemon_lock import DaemonLock, daemon_lock
from pipelines.ui.door import (
    GRAPHQL,
    LOGIN,
    TOKEN_VARIABLE,
    cookie_name,
    proxy_origins,
    token_of,
)

LOCATION = "adoption"
WEB = "pipelines.ui.web"
_LOADED = "{ repositoriesOrError { ... on RepositoryConnection { nodes { id } } } }"
_LOOK_EVERY_SECONDS = 0.5
_STOP_WITHIN_SECONDS = 10.0
_ON_DEATH_OF_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


class ServiceEnded(Exception):
    """A service ended by itself; the message says which, and with what exit code."""


class PortTaken(Exception):
    """Another program listens on the port; the message says what to do."""


class AlreadyRuns(Exception):
    """The UI of this data folder is open on the same port; the message says so."""


@dataclass(frozen=True)
class CodeAddress:
    """Where the code is served: a socket where the system has them, else a port of this machine."""

    socket: Path | None = None
    port: int | None = None

    @property
    def options(self) -> list[str]:
        if self.socket:
            return ["--socket", str(self.socket)]
        return ["--host", "127.0.0.1", "--port", str(self.port)]

    @property
    def workspace(self) -> str:
        """The text of a workspace.yaml that leads there."""
        place = (
            f"socket: '{self.socket}'"
            if self.socket
            else f"host: 127.0.0.1\n      port: {self.port}"
        )
        return f"load_from:\n  - grpc_server:\n      {place}\n      location_name: {LOCATION}\n"


@dataclass(frozen=True)
class Service:
    """A process to start; ``name`` is what a message calls it."""

    name: str
    command: list[str]


def services(code: CodeAddress, workspace: Path, port: int, operate: bool) -> list[Service]:
    """What to run: the code, the web server, the daemon; ``port`` is for people."""
    # Until the code is loaded the web server complains, which nobody needs to see.
    return [
        Service(
            "dagster api grpc",
            [
                str(program("dagster")),
                "api",
                "grpc",
                "--module-name",
                "pipelines.definitions",
                "--working-directory",
                str(CHECKOUT),
                "--location-name",
                LOCATION,
                "--log-level",
                "warning",
                *code.options,
            ],
        ),
        Service(
            WEB,
            [
                sys.executable,
                "-m",
                "pipelines.ui.web",
                "--workspace",
                str(workspace),
                "--port",
                str(port),
                *(["--operate"] if operate else []),
            ],
        ),
        Service(
            "dagster-daemon",
            [
                str(program("dagster-daemon")),
                "run",
                "--workspace",
                str(workspace),
                "--log-level",
                "error",
            ],
        ),
    ]


def serve(
    port: int,
    home: Path,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    operate: bool = False,
) -> None:
    """Run all services until Ctrl-C, and say when they are ready, with the address to open.

    ``home`` is Dagster's folder of this data folder. Where another process runs its daemon already,
    this one shows pages only. Raises PortTaken, AlreadyRuns, WeakToken and BadAddress, and
    ServiceEnded when a service ends by itself.
    """
    token = token_of(environment)
    proxy_origins(environment)
    signal.signal(signal.SIGTERM, _interrupt)
    with (
        _lock_of_daemon(home, f"adoption ui, process {os.getpid()}, on port {port}") as lock,
        tempfile.TemporaryDirectory(prefix="adoption-ui-") as folder,
    ):
        if not lock.is_held and lock.holder.endswith(f"on port {port}"):
            raise AlreadyRuns(
                f"already open for this data folder ({lock.holder}): its terminal shows the"
                f" address; for another one: adoption ui --port {port + 1}"
            )
        _refuse_taken(port)
        # Sockets where the system has them: another user of the machine cannot open them.
        code = CodeAddress(socket=Path(folder) / "code")
        if os.name == "nt":
            code = CodeAddress(port=_free_port())
        workspace = Path(folder) / "workspace.yaml"
        workspace.write_text(code.workspace, encoding="utf-8")
        *pages, daemon = services(code, workspace, port, operate)
        with _ended_with_us() as processes:
            try:
                for service in pages:
                    processes[service.name] = _start(service, environment, token)
                _watch(processes, until=lambda: _answers(port, token))
                say(f"Ready: http://127.0.0.1:{port}{LOGIN}?token={token}   (stop with Ctrl-C)")
                if lock.is_held:
                    # Not before: two processes that make Dagster's storage at once spoil it.
                    processes[daemon.name] = _start(daemon, environment, inherits=lock.to_pass_on)
                else:
                    say(f"Sensors of this data folder run already ({lock.holder}): pages only here")
                _watch(processes, until=lambda: False)
            except KeyboardInterrupt:
                return


@contextmanager
def _lock_of_daemon(home: Path, name: str) -> Generator[DaemonLock]:
    """The daemon's lock; where its holder was killed, once the services it left have ended."""
    until = time.monotonic() + _STOP_WITHIN_SECONDS
    while True:
        with daemon_lock(home, name) as lock:
            if lock.is_held or not _was_killed(lock.holder) or time.monotonic() > until:
                yield lock
                return
        time.sleep(_LOOK_EVERY_SECONDS)


def _was_killed(holder: str) -> bool:
    """Whether the process that a holder's name gives is gone, where the system shows processes."""
    number = re.search(r"process (\d+)", holder)
    return (
        number is not None and Path("/proc/self").exists() and not Path("/proc", number[1]).exists()
    )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _refuse_taken(port: int) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(
                f"port {port} is taken by another program: adoption ui --port {port + 1}"
            ) from error


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def _start(
    service: Service,
    environment: Mapping[str, str],
    token: str | None = None,
    inherits: tuple[int, ...] = (),
) -> subprocess.Popen[bytes]:
    quiet = {"PYTHONWARNINGS": "ignore", **environment}
    quiet.pop(TOKEN_VARIABLE, None)
    if token and service.name == WEB:  # the code, its runs and the daemon have no use for it
        quiet[TOKEN_VARIABLE] = token
    return subprocess.Popen(
        service.command,
        cwd=CHECKOUT,
        env=quiet,
        pass_fds=inherits,
        preexec_fn=_end_with_starter if sys.platform == "linux" else None,
    )


def _end_with_starter() -> None:
    """Have the system end this process when the one that started it is killed, which would leave
    a daemon and a taken port behind. Linux alone can."""
    import ctypes

    ctypes.CDLL(None).prctl(_ON_DEATH_OF_PARENT, signal.SIGTERM)


@contextmanager
def _ended_with_us() -> Generator[dict[str, subprocess.Popen[bytes]]]:
    """Processes by name, ended at the end, the last first; one that does not end is killed."""
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        yield processes
    finally:
        for process in reversed(processes.values()):
            process.terminate()
        until = time.monotonic() + _STOP_WITHIN_SECONDS
        for process in processes.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _watch(processes: Mapping[str, subprocess.Popen[bytes]], until: Callable[[], bool]) -> None:
    """Wait for something; raises ServiceEnded when a process ends meanwhile."""
    while not until():
        for name, process in processes.items():
            if process.poll() is not None:
                raise ServiceEnded(f"{name} ended with exit code {process.returncode}")
        time.sleep(_LOOK_EVERY_SECONDS)


def _answers(port: int, token: str) -> bool:
    """Whether the web server knows the jobs of the code, not only its own pages."""
    address = f"http://127.0.0.1:{port}"
    request = urllib.request.Request(
        f"{address}{GRAPHQL}",
        json.dumps({"query": _LOADED}).encode("utf-8"),
        {
            "Content-Type": "application/json",
            "Origin": address,
            "Cookie": f"{cookie_name(port)}={token}",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = json.load(response)
    except (OSError, ValueError):
        return False
    return bool(answer["data"]["repositoriesOrError"].get("nodes"))
