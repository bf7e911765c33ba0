"""The processes that `adoption ui` starts."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.settings import CHECKOUT
from pipelines.ui import services as ui_services
from pipelines.ui.daemon_lock import LOCK_FILE, daemon_lock
from pipelines.ui.services import AlreadyRuns, CodeAddress, PortTaken, serve, services


def started(operate: bool) -> dict[str, list[str]]:
    """Commands by name of the service."""
    to_start = services(CodeAddress(port=4000), Path("workspace.yaml"), 3000, operate)
    return {service.name: service.command for service in to_start}


def test_the_web_server_changes_nothing_unless_asked() -> None:
    assert "--operate" not in started(False)["pipelines.ui.web"]
    assert "--operate" in started(True)["pipelines.ui.web"]


def test_nothing_but_the_door_listens_on_a_port() -> None:
    code = CodeAddress(socket=Path("code"))
    for service in services(code, Path("workspace.yaml"), 3000, False):
        has_port = "--port" in service.command
        assert has_port == (service.name == "pipelines.ui.web"), service.name


def test_every_service_is_a_program_that_dagster_or_we_document() -> None:
    for name, command in started(False).items():
        assert not any("._" in part for part in command), name


def test_a_port_that_is_taken_is_reported_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} is taken.*--port {port + 1}"):
            serve(port, tmp_path, {}, print)


def test_the_same_data_on_the_same_port_is_reported_as_open(tmp_path: Path) -> None:
    name = "adoption ui, process 7, on port 3000"
    with (
        daemon_lock(tmp_path, name),
        pytest.raises(AlreadyRuns, match=re.escape(name) + ".*--port 3001"),
    ):
        serve(3000, tmp_path, {}, print)


# --- One daemon for each data folder ----------------------------------------------------------


def test_the_second_to_come_learns_who_has_the_daemon(tmp_path: Path) -> None:
    with daemon_lock(tmp_path, "the first") as first, daemon_lock(tmp_path, "the second") as second:
        assert first.is_held
        assert (second.is_held, second.holder, second.to_pass_on) == (False, "the first", ())
    with daemon_lock(tmp_path, "the third") as third:
        assert third.is_held


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from pipelines.ui.daemon_lock import daemon_lock\n"
        "with daemon_lock(Path(sys.argv[1]), 'to be killed'):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None and holder.stdout.readline().strip() == b"held"
    with daemon_lock(tmp_path, "next") as lock:
        assert (lock.is_held, lock.holder) == (False, "to be killed")
    holder.kill()
    holder.communicate()
    with daemon_lock(tmp_path, "next") as lock:
        assert lock.is_held


@pytest.mark.skipif(os.name == "nt", reason="Windows inherits no lock")
def test_a_daemon_that_outlives_its_starter_keeps_the_lock(tmp_path: Path) -> None:
    with daemon_lock(tmp_path, "the starter") as lock:
        daemon = subprocess.Popen(["sleep", "60"], pass_fds=lock.to_pass_on)
    with daemon_lock(tmp_path, "next") as lock:
        assert not lock.is_held
    daemon.kill()
    daemon.wait()
    with daemon_lock(tmp_path, "next") as lock:
        assert lock.is_held


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone ends them")
def test_after_a_kill_its_services_end_and_the_next_has_the_daemon(tmp_path: Path) -> None:
    program = (
        "import os, sys, time; from pathlib import Path\n"
        "from pipelines.ui import services\n"
        "name = f'adoption ui, process {os.getpid()}, on port 3000'\n"
        "with services.daemon_lock(Path(sys.argv[1]), name) as lock:\n"
        "    daemon = services.Service('daemon', ['sleep', '600'])\n"
        "    services._start(daemon, os.environ, inherits=lock.to_pass_on)\n"
        "    print('started', flush=True); time.sleep(600)\n"
    )
    killed = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=CHECKOUT
    )
    assert killed.stdout is not None and killed.stdout.readline().strip() == b"started"
    with ui_services._lock_of_daemon(tmp_path, "too early") as lock:
        assert not lock.is_held
    killed.kill()
    killed.wait()
    with ui_services._lock_of_daemon(tmp_path, "next") as lock:
        assert lock.is_held


@pytest.mark.skipif(os.name == "nt", reason="Windows has no flock")
def test_on_a_server_flock_takes_the_same_lock(tmp_path: Path) -> None:
    command = ["flock", "--nonblock", str(tmp_path / LOCK_FILE), "true"]
    assert subprocess.run(command).returncode == 0
    with daemon_lock(tmp_path, "us"):
        assert subprocess.run(command).returncode == 1
