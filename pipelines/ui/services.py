"""The processes behind the Dagster UI on one machine: code, Dagster's web server, ours, daemon.

``dagster dev`` starts the same and two helpers beside them, and takes 870 MB; its three services
alone take 570. They are also what runs in production, each by itself (docs/operate.md).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.settings import CHECKOUT, program

LOCATION = "adoption"
_LOADED = "{ repositoriesOrError { ... on RepositoryConnection { nodes { id } } } }"
_LOOK_EVERY_SECONDS = 0.5
_STOP_WITHIN_SECONDS = 10.0


class ServiceEnded(Exception):
    """A service ended by itself; the message says which, and with what exit code."""


class PortTaken(Exception):
    """Another program listens on the port; the message says what to do."""


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


def services(
    code: CodeAddress, workspace: Path, port: int, dagster_port: int, read_only: bool
) -> list[Service]:
    """What to run, the code first; ``port`` is for people, ``dagster_port`` for our web address."""
    # All start at once: until the code is loaded the others complain, which nobody needs to see.
    return [
        Service(
            "dagster api grpc",
            [
                str(program("dagster")),
                "api",
                "grpc",
                *("--module-name", "pipelines.definitions"),
                *("--working-directory", str(CHECKOUT)),
                *("--location-name", LOCATION),
                *("--log-level", "warning"),
                *code.options,
            ],
        ),
        Service(
            "dagster-webserver",
            [
                str(program("dagster-webserver")),
                *("--host", "127.0.0.1"),
                *("--port", str(dagster_port)),
                *("--workspace", str(workspace)),
                *("--dagster-log-level", "error"),
                *("--uvicorn-log-level", "warning"),
                *(["--read-only"] if read_only else []),
            ],
        ),
        Service(
            "pipelines.ui.web",
            [
                *(sys.executable, "-m", "pipelines.ui.web"),
                *("--port", str(port)),
                *("--dagster", f"127.0.0.1:{dagster_port}"),
            ],
        ),
        Service(
            "dagster-daemon",
            [
                str(program("dagster-daemon")),
                "run",
                *("--workspace", str(workspace)),
                *("--log-level", "error"),
            ],
        ),
    ]


def serve(
    port: int, environment: Mapping[str, str], say: Callable[[str], None], read_only: bool = False
) -> None:
    """Run all services until Ctrl-C, and say when they are ready.

    Raises PortTaken, and ServiceEnded when one of them ends by itself.
    """
    _refuse_taken(port)
    signal.signal(signal.SIGTERM, _interrupt)
    with tempfile.TemporaryDirectory(prefix="adoption-ui-") as folder:
        # Sockets where the system has them: another user of the machine cannot open them.
        code = CodeAddress(socket=Path(folder) / "code")
        if os.name == "nt":
            code = CodeAddress(port=_free_port())
        workspace = Path(folder) / "workspace.yaml"
        workspace.write_text(code.workspace, encoding="utf-8")
        to_start = services(code, workspace, port, _free_port(), read_only)
        with _started(to_start, environment) as processes:
            try:
                _watch(processes, port, say)
            except KeyboardInterrupt:
                return


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


@contextmanager
def _started(
    to_start: Sequence[Service], environment: Mapping[str, str]
) -> Generator[dict[str, subprocess.Popen[bytes]]]:
    """Processes by name, ended at the end, the last first; one that does not end is killed."""
    quiet = {"PYTHONWARNINGS": "ignore", **environment}
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for service in to_start:
            processes[service.name] = subprocess.Popen(service.command, cwd=CHECKOUT, env=quiet)
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


def _watch(
    processes: Mapping[str, subprocess.Popen[bytes]], port: int, say: Callable[[str], None]
) -> None:
    is_ready = False
    while True:
        for name, process in processes.items():
            if process.poll() is not None:
                raise ServiceEnded(f"{name} ended with exit code {process.returncode}")
        if not is_ready and _answers(port):
            is_ready = True
            say(f"Ready: http://127.0.0.1:{port}   (stop with Ctrl-C)")
        time.sleep(_LOOK_EVERY_SECONDS)


def _answers(port: int) -> bool:
    """Whether the web server knows the jobs of the code, not only its own pages."""
    question = json.dumps({"query": _LOADED}).encode("utf-8")
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", question, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = json.load(response)
    except (OSError, ValueError):
        return False
    return bool(answer["data"]["repositoriesOrError"].get("nodes"))
