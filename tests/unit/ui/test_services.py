"""The processes that `adoption ui` starts."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pipelines.ui.services import CodeAddress, PortTaken, serve, services


def started(read_only: bool) -> dict[str, list[str]]:
    """Commands by name of the service."""
    code = CodeAddress(port=4000)
    to_start = services(code, Path("workspace.yaml"), 3000, 3001, read_only)
    return {service.name: service.command for service in to_start}


def test_a_read_only_web_server_is_told_so() -> None:
    assert "--read-only" in started(True)["dagster-webserver"]
    assert "--read-only" not in started(False)["dagster-webserver"]


def test_people_reach_our_address_and_it_reaches_dagster() -> None:
    commands = started(False)
    assert commands["pipelines.ui.web"][-4:] == ["--port", "3000", "--dagster", "127.0.0.1:3001"]
    dagster = commands["dagster-webserver"]
    assert dagster[dagster.index("--host") :][:4] == ["--host", "127.0.0.1", "--port", "3001"]


def test_every_service_is_a_program_that_dagster_or_we_document() -> None:
    for name, command in started(False).items():
        assert not any("._" in part for part in command), name


def test_a_port_that_is_taken_is_reported_before_anything_starts() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} is taken.*--port {port + 1}"):
            serve(port, {}, print)
