"""The three services behind the Dagster UI, on this machine: code, web server, daemon.

``dagster dev`` starts the same and two helpers beside them, and takes 870 MB; these three take 570.
They are also what runs in production, each by itself (docs/operate.md).
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.settings import CHECKOUT

LOCATION = "adoption"
_LOADED = "{ repositoriesOrError { ... on RepositoryConnection { nodes { id } } } }"
_LOOK_EVERY_SECONDS = 0.5
_STOP_WITHIN_SECONDS = 10.0


class ServiceEnded(Exception):
    """A service ended by itself; the message says which and with what exit code."""


class PortTaken(Exception):
    """Another program listens on the port; the message says what to do."""


@dataclass(frozen=True)
class Address:
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
        where = (
            f"socket: '{self.socket}'"
            if self.socket
            else f"host: 127.0.0.1\n      port: {self.port}"
        )
        return f"load_from:\n  - grpc_server:\n      {where}\n      location_name: {LOCATION}\n"


def commands(address: Address, workspace: Path, port: int, read_only: bool) -> list[list[str]]:
    """What to run: code first, then the web server on 127.0.0.1 and the daemon."""
    code = ["dagster", "api", "grpc", "-m", "pipelines.definitions", "-d", str(CHECKOUT)]
    code += ["--log-level", "warning"]
    # All three start at once: until the code is loaded the others complain, which nobody need see.
    web = ["pipelines.ui.web", "-h", "127.0.0.1", "-p", str(port), "-w", str(workspace)]
    web += ["--dagster-log-level", "error", "--uvicorn-log-level", "warning"]
    daemon = ["dagster._daemon", "run", "-w", str(workspace), "--log-level", "error"]
    return [
        [sys.executable, "-m", *code, *address.options, "--location-name", LOCATION],
        [sys.executable, "-m", *web, *(["--read-only"] if read_only else [])],
        [sys.executable, "-m", *daemon],
    ]


def serve(
    port: int, environment: Mapping[str, str], say: Callable[[str], None], read_only: bool = False
) -> None:
    """Run all three until Ctrl-C, and say when they are ready.

    Raises PortTaken, and ServiceEnded when one of them ends before.
    """
    _refuse_taken(port)
    signal.signal(signal.SIGTERM, _interrupt)
    with tempfile.TemporaryDirectory(prefix="adoption-ui-") as folder:
        address = _address(Path(folder))
        workspace = Path(folder) / "workspace.yaml"
        workspace.write_text(address.workspace, encoding="utf-8")
        with _started(commands(address, workspace, port, read_only), environment) as processes:
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


def _address(folder: Path) -> Address:
    if os.name != "nt":
        return Address(socket=folder / "code")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Address(port=free.getsockname()[1])


@contextmanager
def _started(
    lines: Sequence[Sequence[str]], environment: Mapping[str, str]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes of ``lines``, ended at the end, the last first; whoever stays is killed."""
    quiet = {"PYTHONWARNINGS": "ignore", **environment}
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for line in lines:
            processes.append(subprocess.Popen(line, cwd=CHECKOUT, env=quiet))
        yield processes
    finally:
        for process in reversed(processes):
            process.terminate()
        until = time.monotonic() + _STOP_WITHIN_SECONDS
        for process in processes:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _watch(
    processes: Sequence[subprocess.Popen[bytes]], port: int, say: Callable[[str], None]
) -> None:
    is_ready = False
    while True:
        for process in processes:
            if process.poll() is not None:
                what = " ".join(str(word) for word in process.args[2:4])  # type: ignore[index]
                raise ServiceEnded(f"{what} ended with exit code {process.returncode}")
        if not is_ready and _answers(port):
            is_ready = True
            say(f"Ready: http://127.0.0.1:{port}   (stop with Ctrl-C)")
        time.sleep(_LOOK_EVERY_SECONDS)


def _answers(port: int) -> bool:
    """Whether the web server serves the code's jobs, not only its own pages."""
    question = json.dumps({"query": _LOADED}).encode("utf-8")
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", question, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            told = json.load(answer)
    except (OSError, ValueError):
        return False
    return bool(told["data"]["repositoriesOrError"].get("nodes"))
