"""The one address: files behind links, and everything else from Dagster's own web server."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Generator, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from pipelines.ui.web import application, files_of


@pytest.fixture
def room(tmp_path: Path) -> Path:
    version = tmp_path / "exports" / "2020-21-Q2" / "1"
    version.mkdir(parents=True)
    (version / "pack-wales-en.html").write_text("<p>a pack</p>", encoding="utf-8")
    part = tmp_path / "exports" / "2020-21-Q2" / ".part"
    part.mkdir()
    (part / "pack-wales-en.html").write_text("half a pack", encoding="utf-8")
    (tmp_path / "ledger.jsonl").write_text("not for readers", encoding="utf-8")
    return tmp_path / "exports"


def get(room: Path, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer, the way the web server asks for it."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": f"/files{path}",
        "root_path": "",
        "headers": [],
        "query_string": b"",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
    }
    served = Starlette(routes=[Mount("/files", app=files_of(room))])
    asyncio.run(served(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


def test_a_link_opens_the_pack_and_the_pack_may_run_and_ask_nothing(room: Path) -> None:
    status, headers, body = get(room, "/2020-21-Q2/1/pack-wales-en.html")
    assert (status, body) == (200, b"<p>a pack</p>")
    policy = headers["content-security-policy"]
    assert policy.startswith("sandbox") and "allow-scripts" not in policy
    assert "default-src 'none'" in policy and "allow-same-origin" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/2020-21-Q2/1",
        "/2020-21-Q2/.part/pack-wales-en.html",
        "/../ledger.jsonl",
        "/2020-21-Q2/../../ledger.jsonl",
        "/2020-21-Q2/1/pack-england-en.html",
    ],
)
def test_nothing_but_finished_files_of_the_exports_room_is_handed_out(
    room: Path, path: str
) -> None:
    assert get(room, path)[0] == 404


def test_a_link_out_of_the_room_leads_nowhere(room: Path) -> None:
    try:
        (room / "out").symlink_to(room.parent)
    except OSError:
        pytest.skip("this system does not let us make links")
    assert get(room, "/out/ledger.jsonl")[0] == 404


def test_files_can_be_read_and_not_written(room: Path) -> None:
    assert get(room, "/2020-21-Q2/1/pack-wales-en.html", "PUT")[0] == 405


def test_a_room_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert get(tmp_path / "exports", "/2020-21-Q2/1/pack-wales-en.html")[0] == 404


# --- Dagster behind the same address ----------------------------------------------------------


async def _echo(request: Request) -> Response:
    """What Dagster would have received, and headers as it sends them."""
    answer = {
        "method": request.method,
        "target": request.scope["raw_path"].decode() + "?" + request.url.query,
        "host": request.headers["host"],
        "body": (await request.body()).decode(),
    }
    response = JSONResponse(answer, status_code=201)
    response.raw_headers += [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    return response


async def _shout(socket: WebSocket) -> None:
    """Answers in capitals until it is told to stop; a message of bytes comes back as it is."""
    await socket.accept(subprotocol="graphql-ws")
    while (message := await socket.receive())["type"] == "websocket.receive":
        if message.get("bytes"):
            await socket.send_bytes(message["bytes"])
        elif message["text"] == "stop":
            await socket.close()
            return
        else:
            await socket.send_text(message["text"].upper())


@contextmanager
def _served(application: Starlette) -> Generator[int]:
    """The port on which an application is served meanwhile."""
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Our web address in front of a server that echoes."""
    dagster = Starlette(
        routes=[
            WebSocketRoute("/graphql", _shout),
            Route("/{path:path}", _echo, methods=["GET", "POST"]),
        ]
    )
    exports = tmp_path_factory.mktemp("exports")
    (exports / "pack.html").write_text("a pack", encoding="utf-8")
    with _served(dagster) as port, _served(application(exports, "127.0.0.1", port)) as ours:
        yield f"127.0.0.1:{ours}"


def ask(address: str, method: str, target: str, body: str = "") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request(method, target, body.encode("utf-8") or None, {"Host": "adoption.example"})
    return connection.getresponse()


def test_a_request_reaches_dagster_as_it_was_sent(address: str) -> None:
    response = ask(address, "POST", "/locations/a%2Fb/jobs?name=x%20y", "{ version }")
    assert response.status == 201
    assert json.load(response) == {
        "method": "POST",
        "target": "/locations/a%2Fb/jobs?name=x%20y",
        "host": "adoption.example",
        "body": "{ version }",
    }
    assert response.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert len(response.headers.get_all("date") or []) == 1


def test_files_are_ours_and_dagster_is_not_asked_for_them(address: str) -> None:
    assert ask(address, "GET", "/files/pack.html").read() == b"a pack"
    assert ask(address, "GET", "/files/none.html").status == 404


def test_a_web_socket_is_passed_on_in_both_directions(address: str) -> None:
    protocols = [Subprotocol("graphql-ws")]
    with connect(f"ws://{address}/graphql", subprotocols=protocols, proxy=None) as socket:
        assert socket.subprotocol == "graphql-ws"
        for text in ("first", "second"):
            socket.send(text)
            assert socket.recv(timeout=20) == text.upper()
        socket.send(b"\x00\x01")
        assert socket.recv(timeout=20) == b"\x00\x01"
        socket.send("stop")
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=20)


def test_until_dagster_is_there_the_page_says_so(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with _served(application(tmp_path, "127.0.0.1", port)) as ours:
        response = ask(f"127.0.0.1:{ours}", "GET", "/")
        assert response.status == 502
        assert b"not ready yet" in response.read()
        with pytest.raises(WebSocketException), connect(f"ws://127.0.0.1:{ours}/graphql"):
            pass
