"""A foreign page in the browser of somebody who has the Dagster UI open, logged in, to operate.

The page tries whatever a page can do to start a run or to read an answer. The control is the same
page against Dagster's own web server, where it succeeds; and our own page, which may do both.
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.settings import CHECKOUT, program
from pipelines.ui.door import TOKEN_VARIABLE, cookie_name
from tests.live_browser import Page, open_page

TOKEN = "t" * 43
SECONDS_TO_START = 180.0
LOADED = "{ repositoriesOrError { ... on RepositoryConnection { nodes { id } } } }"
RUNS = "{ runsOrError { ... on Runs { results { tags { key value } } } } }"
# Each way starts a run that is tagged with its name.
LAUNCH = """mutation { launchRun(executionParams: {
  selector: {repositoryLocationName: "adoption", repositoryName: "__repository__",
             jobName: "refresh_quarter_summaries"},
  runConfigData: {}, executionMetadata: {tags: [{key: "way", value: "WAY"}]}
}) { __typename ... on PythonError { message } } }"""

# Resolves to the ways by which the page could read an answer.
ATTACK = """
(async (server, launch) => {
  const query = way => encodeURIComponent(launch.replace("WAY", way));
  const read = [];
  const reads = async (way, promise) => {
    try { if ((await (await promise).text()).includes('"data"')) read.push(way); } catch (error) {}
  };
  const asked = "http://" + server + "/graphql";
  const shown = {credentials: "include"};
  const post = {...shown, method: "POST"};
  const text = {"Content-Type": "text/plain"};
  await reads("get", fetch(asked + "?query=" + query("get"), shown));
  await reads("blind get",
    fetch(asked + "?query=" + query("blind get"), {...shown, mode: "no-cors"}));
  await reads("text",
    fetch(asked + "?query=" + query("text"), {...post, headers: text, body: "x"}));
  await reads("blind text", fetch(asked + "?query=" + query("blind text"),
    {...post, headers: text, body: "x", mode: "no-cors"}));
  await reads("text json", fetch(asked, {...post, headers: text,
    body: JSON.stringify({query: launch.replace("WAY", "text json")})}));
  await reads("json", fetch(asked, {...post, headers: {"Content-Type": "application/json"},
    body: JSON.stringify({query: launch.replace("WAY", "json")})}));
  await new Promise(done => {
    const image = new Image();
    image.onload = image.onerror = done;
    image.src = asked + "?query=" + query("image");
  });
  await new Promise(done => {
    const frame = document.createElement("iframe");
    frame.name = "hidden";
    frame.onload = () => { if (frame.isSent) done(); };
    document.body.append(frame);
    const form = document.createElement("form");
    form.method = "POST"; form.target = "hidden"; form.action = asked + "?query=" + query("form");
    document.body.append(form);
    frame.isSent = true;
    form.submit();
    setTimeout(done, 10000);
  });
  await new Promise(done => {
    const socket = new WebSocket("ws://" + server + "/graphql", "graphql-ws");
    socket.onopen = () => socket.send(JSON.stringify({type: "connection_init"}));
    socket.onmessage = message => { read.push("web socket"); socket.close(); done(); };
    socket.onerror = socket.onclose = done;
  });
  return read;
})
"""


@dataclass(frozen=True)
class Target:
    """A server that is attacked. ``runs`` are the ways by which its runs were started."""

    port: int
    process: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(self, query: str) -> Any:
        request = urllib.request.Request(
            f"http://{self.address}/graphql",
            json.dumps({"query": query}).encode("utf-8"),
            {
                "Content-Type": "application/json",
                "Origin": f"http://{self.address}",
                "Cookie": f"{cookie_name(self.port)}={TOKEN}",
            },
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def runs(self) -> set[str]:
        runs = self.ask(RUNS)["runsOrError"]["results"]
        return {tag["value"] for run in runs for tag in run["tags"] if tag["key"] == "way"}

    def attacked_by(self, page: Page) -> list[str]:
        return page.evaluate(f"({ATTACK})({json.dumps(self.address)}, {json.dumps(LAUNCH)})")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def _started(command: list[str], folder: Path, port: int) -> Generator[Target]:
    """A server with an empty data folder, as soon as it knows our jobs."""
    environment = {
        **os.environ,
        TOKEN_VARIABLE: TOKEN,
        "ADOPTION_DATA": str(folder / "data"),
        "ADOPTION_KEY_FILE": str(folder / "key"),
        "DAGSTER_HOME": str(folder / "data" / "dagster"),
    }
    (folder / "data" / "dagster").mkdir(parents=True)
    (folder / "data" / "dagster" / "dagster.yaml").write_bytes(
        (CHECKOUT / "dagster.yaml").read_bytes()
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdout=log, stderr=log)
    target = Target(port, process.pid)
    try:
        until = time.monotonic() + SECONDS_TO_START
        while not _knows_our_jobs(target):
            assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
            assert time.monotonic() < until, (folder / "log").read_text(encoding="utf-8")
            time.sleep(0.5)
        yield target
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _knows_our_jobs(target: Target) -> bool:
    try:
        return bool(target.ask(LOADED)["repositoriesOrError"].get("nodes"))
    except OSError:
        return False


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    port = _free_port()
    command = [sys.executable, "-m", "pipelines.cli", "ui", "--operate", "--port", str(port)]
    with _started(command, tmp_path_factory.mktemp("ui"), port) as target:
        yield target


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Target]:
    """Dagster's own web server, as `adoption ui` had it on a second port."""
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text(
        "load_from:\n  - python_module:\n      module_name: pipelines.definitions\n"
        f"      working_directory: '{CHECKOUT}'\n      location_name: adoption\n",
        encoding="utf-8",
    )
    port = _free_port()
    command = [str(program("dagster-webserver")), "-w", str(workspace), "-p", str(port)]
    with _started(command, tmp_path, port) as target:
        yield target


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Callable[[str], str]]:
    """Another server of this machine, with an empty page, under a name of ours or another."""

    class EmptyPage(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title><body></body>")

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield lambda name: f"http://{name}:{server.server_address[1]}/"
    server.shutdown()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with open_page(tmp_path, ["--host-resolver-rules=MAP *.example 127.0.0.1"]) as page:
        yield page


def log_in(page: Page, target: Target) -> None:
    page.go(f"http://{target.address}/login?token={TOKEN}")
    page.wait_for("document.body && document.body.innerText.includes('Jobs')")


# 127.0.0.1 on another port is the same site: the browser shows the cookie there, strict or not.
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "elsewhere.example"])
def test_a_foreign_page_starts_nothing_and_reads_nothing(
    operated: Target, elsewhere: Callable[[str], str], page: Page, name: str
) -> None:
    log_in(page, operated)
    before = operated.runs()
    page.go(elsewhere(name))
    assert operated.attacked_by(page) == []
    assert operated.runs() == before


def test_control_our_own_page_may_do_both_in_the_one_way_there_is(
    operated: Target, page: Page
) -> None:
    log_in(page, operated)
    assert operated.attacked_by(page) == ["json", "web socket"]
    assert operated.runs() == {"json"}


def test_control_a_foreign_page_gets_its_way_with_dagsters_own_server(
    plain: Target, elsewhere: Callable[[str], str], page: Page
) -> None:
    page.go(elsewhere("elsewhere.example"))
    read = plain.attacked_by(page)
    assert "web socket" in read
    assert {"get", "blind get", "text", "blind text", "image", "form"} <= plain.runs()


def test_a_name_that_came_to_mean_this_machine_opens_nothing(operated: Target, page: Page) -> None:
    """DNS rebinding: the page has the server's own address, under the attacker's name."""
    log_in(page, operated)
    page.go(f"http://rebound.example:{operated.port}/runs")
    text = page.evaluate("document.body.innerText")
    assert text.startswith("This server is not known by that name")
    before = operated.runs()
    rebound = f"rebound.example:{operated.port}"
    assert page.evaluate(f"({ATTACK})({json.dumps(rebound)}, {json.dumps(LAUNCH)})") == []
    assert operated.runs() == before


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's list of sockets")
def test_there_is_no_second_port(operated: Target) -> None:
    """Code, web server and daemon listen on the one port that people use, and on no other."""
    sockets = {
        os.readlink(descriptor)
        for process in _family(operated.process)
        for descriptor in Path(f"/proc/{process}/fd").iterdir()
        if descriptor.is_symlink()
    }
    listening = [
        int(fields[1].rpartition(":")[2], 16)
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]
        if (fields := line.split())[3] == "0A" and f"socket:[{fields[9]}]" in sockets
    ]
    assert listening == [operated.port]


def _family(root: int) -> set[int]:
    """A process and those that it started, directly or not."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    parents = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    family = {root}
    for _ in range(4):  # generations
        family |= {process for process, parent in parents if parent in family}
    return family
