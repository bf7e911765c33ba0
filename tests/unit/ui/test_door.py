"""The door before Dagster's web server: each attack beside the same request of its own page."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from pipelines.ui import door

TOKEN = "t" * 43
READ = '{"query": "{ version }"}'
DELETE = '{"query": "mutation { deleteRun(runId: \\"1\\") { __typename } }"}'
PROXY = "adoption.example"


class Inside:
    """An application as trusting as Dagster's; ``calls`` is what reached it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.application = Starlette(
            routes=[
                WebSocketRoute("/graphql", self._shout),
                Route("/{path:path}", self._echo, methods=["GET", "POST", "PUT", "OPTIONS"]),
            ]
        )

    async def _echo(self, request: Request) -> Response:
        self.calls.append(request.method)
        response = JSONResponse(
            {
                "method": request.method,
                "target": request.scope["raw_path"].decode() + "?" + request.url.query,
                "body": (await request.body()).decode(),
            },
            status_code=201,
            headers={
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Allow-Credentials": "true",
                "Content-Security-Policy": "script-src 'nonce-1'",
                "Referrer-Policy": "strict-origin-when-cross-origin",
            },
        )
        response.raw_headers += [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
        return response

    async def _shout(self, browser: WebSocket) -> None:
        """Answers in capitals until it is told to stop; a message of bytes comes back as it is."""
        self.calls.append("websocket")
        await browser.accept(subprotocol="graphql-ws")
        while (message := await browser.receive())["type"] == "websocket.receive":
            if message.get("bytes"):
                await browser.send_bytes(message["bytes"])
            elif message["text"] == "stop":
                await browser.close()
                return
            else:
                await browser.send_text(message["text"].upper())


@contextmanager
def served(application: Any) -> Generator[int]:
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


class Served:
    """A door on a port of its own, and what got through it."""

    def __init__(self, port: int, inside: Inside) -> None:
        self.port = port
        self.inside = inside
        self.host = f"127.0.0.1:{port}"
        self.origin = f"http://{self.host}"

    def page(self, **changes: str | None) -> dict[str, str]:
        """The headers of this server's own page; a change to None leaves one out."""
        own = {
            "Host": self.host,
            "Origin": self.origin,
            "Cookie": f"adoption-ui={TOKEN}",
            "Content-Type": "application/json",
            "Sec-Fetch-Site": "same-origin",
        }
        changed = {name.replace("_", "-"): value for name, value in changes.items()}
        return {name: value for name, value in {**own, **changed}.items() if value is not None}

    def ask(
        self, method: str, target: str, headers: dict[str, str], body: str = ""
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        sent = b"" if method in ("GET", "HEAD") else body.encode("utf-8")
        if sent:
            connection.putheader("Content-Length", str(len(sent)))
        connection.endheaders(sent or None)
        return connection.getresponse()


@contextmanager
def behind(operate: bool, token: str | None = TOKEN) -> Generator[Served]:
    inside = Inside()
    origins: dict[str, str] = {}
    with served(door.Door(inside.application, door.DoorRules(origins, token, operate))) as port:
        origins.update(door.loopback_origins(port))
        origins.update(door.proxy_origins({door.ADDRESS_VARIABLE: f"https://{PROXY}"}))
        yield Served(port, inside)


@pytest.fixture(scope="module")
def operating() -> Iterator[Served]:
    with behind(operate=True) as server:
        yield server


@pytest.fixture(scope="module")
def reading() -> Iterator[Served]:
    with behind(operate=False) as server:
        yield server


def refused(server: Served, method: str, target: str, headers: dict[str, str], body: str) -> int:
    """The status of a request that must not get through and says nothing to another origin."""
    before = len(server.inside.calls)
    answer = server.ask(method, target, headers, body)
    assert len(server.inside.calls) == before, "it got through"
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    return answer.status


def test_control_its_own_page_may_start_and_delete_runs(operating: Served) -> None:
    answer = operating.ask("POST", "/graphql?op=x", operating.page(), DELETE)
    assert answer.status == 201
    assert json.load(answer) == {"method": "POST", "target": "/graphql?op=x", "body": DELETE}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 421),  # DNS rebinding
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": None}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),  # the same site, on another port
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Cookie": None}, 401),
        ({"Cookie": "adoption-ui="}, 401),
        ({"Cookie": "adoption-ui=" + "u" * 43}, 401),
        ({"Cookie": "adoption-ui=\u00e9"}, 401),
        ({"Cookie": f"other={TOKEN}"}, 401),
        ({"Content_Type": None}, 415),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "text/plain; application/json"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content_Type": "multipart/form-data; boundary=b"}, 415),
        ({"Content_Type": "application/graphql"}, 415),
    ],
)
def test_nobody_else_may_post(
    operating: Served, changes: dict[str, str | None], status: int
) -> None:
    headers = operating.page(**changes)
    assert refused(operating, "POST", "/graphql", headers, DELETE) == status


def test_a_request_that_names_no_server_is_for_none(operating: Served) -> None:
    assert refused(operating, "POST", "/graphql", operating.page(Host=None), READ) in (400, 421)


def test_an_origin_of_another_name_of_this_machine_is_another_page(operating: Served) -> None:
    localhost = f"localhost:{operating.port}"
    own = operating.page(Host=localhost, Origin=f"http://{localhost}")
    assert operating.ask("POST", "/graphql", own, READ).status == 201
    other = operating.page(Host=localhost)
    assert refused(operating, "POST", "/graphql", other, READ) == 403


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/graphql?query=mutation%7BdeleteRun%7D", 405),
        ("GET", "/graphql?query=%7Bversion%7D", 405),
        ("GET", "/graph%71l?query=%7Bversion%7D", 405),
        ("HEAD", "/graphql?query=%7Bversion%7D", 405),
        ("POST", "/report_asset_materialization/marts/warehouse", 405),
        ("POST", "/report_asset_check/marts/warehouse", 405),
        ("POST", "/", 405),
        ("POST", "/graphql/", 405),
        ("PUT", "/graphql", 405),
        ("OPTIONS", "/graphql", 405),
        ("DELETE", "/runs", 405),
        ("PROPFIND", "/", 405),
    ],
)
def test_even_its_own_page_asks_in_one_way_only(
    operating: Served, method: str, target: str, status: int
) -> None:
    assert refused(operating, method, target, operating.page(), DELETE) == status


@pytest.mark.parametrize(
    "body",
    [
        "",
        "query={version}",
        "[" + DELETE + "]",
        '{"query": null}',
        '{"query": ["mutation {a}"]}',
        '{"query": "mutation {"}',
        '{"query": "' + "{a" * 5000 + '"}',
        "\ud7ff",
        "[" * 100_000,
    ],
)
def test_what_is_no_question_is_not_passed_on(operating: Served, body: str) -> None:
    assert refused(operating, "POST", "/graphql", operating.page(), body) == 400


def test_a_question_without_end_is_not_read_to_its_end(operating: Served) -> None:
    body = json.dumps({"query": "{ version }", "variables": {"a": "a" * 2_000_000}})
    assert refused(operating, "POST", "/graphql", operating.page(), body) == 413


@pytest.mark.parametrize(
    "query",
    [
        "mutation { deleteRun }",
        "mutation A($id: String!) @a { deleteRun(runId: $id) }",
        "# a query\nmutation { a }",
        ",\ufeff mutation { a }",
        "query A { version } mutation B { a }",
        "fragment F on Mutation { a } mutation { ...F }",
    ],
)
def test_nothing_is_changed_unless_the_server_is_operated(
    reading: Served, operating: Served, query: str
) -> None:
    body = json.dumps({"query": query, "operationName": "A"})
    assert refused(reading, "POST", "/graphql", reading.page(), body) == 403
    assert operating.ask("POST", "/graphql", operating.page(), body).status == 201


@pytest.mark.parametrize(
    "query", ["{ version }", "query mutation { mutation }", '# mutation {}\n{ a(b: "mutation") }']
)
def test_control_questions_are_answered_on_a_read_only_server(reading: Served, query: str) -> None:
    body = json.dumps({"query": query})
    assert reading.ask("POST", "/graphql", reading.page(), body).status == 201


# --- Reading ----------------------------------------------------------------------------------


def test_control_its_own_pages_are_shown(reading: Served) -> None:
    for origin in (None, reading.origin):
        answer = reading.ask("GET", "/runs/a%2Fb?x=%20y", reading.page(Origin=origin))
        assert answer.status == 201
        assert json.load(answer)["target"] == "/runs/a%2Fb?x=%20y"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}, 403),
        (
            {
                "Sec_Fetch_Site": "cross-site",
                "Sec_Fetch_Mode": "navigate",
                "Sec_Fetch_Dest": "iframe",
            },
            403,
        ),
        ({"Cookie": None}, 401),
    ],
)
def test_nobody_else_may_read(reading: Served, changes: dict[str, str | None], status: int) -> None:
    headers = reading.page(**({"Origin": None} | changes))
    assert refused(reading, "GET", "/download_debug/1", headers, "") == status


def test_a_link_elsewhere_may_lead_to_a_page(reading: Served) -> None:
    headers = reading.page(
        Origin=None,
        Sec_Fetch_Site="cross-site",
        Sec_Fetch_Mode="navigate",
        Sec_Fetch_Dest="document",
    )
    assert reading.ask("GET", "/runs", headers).status == 201


def test_a_header_that_stands_twice_counts_for_none(operating: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", operating.port, timeout=20)
    connection.putrequest("POST", "/graphql", skip_host=True)
    for name, value in operating.page(Content_Length=str(len(READ))).items():
        connection.putheader(name, value)
    connection.putheader("Origin", "http://evil.example")
    connection.endheaders(READ.encode())
    assert connection.getresponse().status == 403


def test_every_answer_is_for_its_own_pages_only(reading: Served) -> None:
    answers = [
        reading.ask("GET", "/", reading.page()),
        reading.ask("GET", "/", reading.page(Cookie=None)),
        reading.ask("GET", f"/login?token={TOKEN}", reading.page(Cookie=None)),
    ]
    assert [answer.status for answer in answers] == [201, 401, 200]
    for answer in answers:
        headers = answer.headers
        assert not [name for name in headers if name.lower().startswith("access-control")]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["referrer-policy"] in ("same-origin", "no-referrer")
        assert "frame-ancestors 'none'" in (headers.get_all("content-security-policy") or [""])[-1]
    policies = answers[0].headers.get_all("content-security-policy") or []
    assert policies[0] == "script-src 'nonce-1'", "Dagster's own policy stays"
    assert answers[0].headers.get_all("set-cookie") == ["a=1", "b=2"]


# --- Web sockets ------------------------------------------------------------------------------


def _socket(server: Served, origin: str | None, cookie: str, host: str | None = None) -> Any:
    return connect(
        f"ws://{host or server.host}/graphql",
        sock=socket.create_connection(("127.0.0.1", server.port)),
        origin=Origin(origin) if origin else None,
        additional_headers={"Cookie": cookie},
        subprotocols=[Subprotocol("graphql-ws")],
        proxy=None,
    )


def test_control_a_web_socket_of_its_own_page_works_both_ways(reading: Served) -> None:
    with _socket(reading, reading.origin, f"adoption-ui={TOKEN}") as browser:
        assert browser.subprotocol == "graphql-ws"
        for text in ("first", "second"):
            browser.send(text)
            assert browser.recv(timeout=20) == text.upper()
        browser.send(b"\x00\x01")
        assert browser.recv(timeout=20) == b"\x00\x01"
        browser.send("stop")
        with pytest.raises(ConnectionClosed):
            browser.recv(timeout=20)


@pytest.mark.parametrize(
    ("origin", "cookie", "host"),
    [
        ("http://evil.example", f"adoption-ui={TOKEN}", None),
        ("http://127.0.0.1:1", f"adoption-ui={TOKEN}", None),
        ("null", f"adoption-ui={TOKEN}", None),
        (None, f"adoption-ui={TOKEN}", None),
        ("own", "adoption-ui=wrong", None),
        ("http://evil.example", f"adoption-ui={TOKEN}", "evil.example"),
    ],
)
def test_no_other_web_socket_is_opened(
    reading: Served, origin: str | None, cookie: str, host: str | None
) -> None:
    before = len(reading.inside.calls)
    with (
        pytest.raises(InvalidStatus) as error,
        _socket(reading, reading.origin if origin == "own" else origin, cookie, host),
    ):
        pass
    assert error.value.response.status_code == 403
    assert len(reading.inside.calls) == before


# --- Login ------------------------------------------------------------------------------------


def test_the_token_opens_the_door_and_is_kept_where_no_script_sees_it(reading: Served) -> None:
    answer = reading.ask("GET", f"/login?token={TOKEN}", reading.page(Cookie=None))
    assert answer.status == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"adoption-ui={TOKEN};")
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie and "Domain" not in cookie
    assert answer.headers["cache-control"] == "no-store"
    assert TOKEN not in answer.read().decode()


@pytest.mark.parametrize("query", ["", "?token=", "?token=u", f"?token={TOKEN}x", "?x=1"])
def test_no_other_token_opens_it(reading: Served, query: str) -> None:
    answer = reading.ask("GET", f"/login{query}", reading.page(Cookie=None))
    assert (answer.status, answer.headers["set-cookie"]) == (401, None)


def test_without_a_token_a_page_says_what_to_do(reading: Served) -> None:
    answer = reading.ask("GET", "/", reading.page(Cookie=None))
    assert "open the address with the token" in answer.read().decode()


def test_behind_a_proxy_the_cookie_is_for_encrypted_connections_only(reading: Served) -> None:
    headers = reading.page(Host=PROXY, Origin=f"https://{PROXY}", Cookie=None)
    assert "Secure" in reading.ask("GET", f"/login?token={TOKEN}", headers).headers["set-cookie"]


# --- A login proxy ----------------------------------------------------------------------------


def test_the_address_of_a_proxy_is_one_of_ours_and_no_other_is() -> None:
    with behind(operate=False, token=None) as server:
        own = server.page(Host=PROXY, Origin=f"https://{PROXY}", Cookie=None)
        assert server.ask("POST", "/graphql", own, READ).status == 201
        assert server.ask("GET", "/runs", server.page(Host=PROXY, Origin=None)).status == 201
        for changes, status in (
            ({"Host": "evil.example"}, 421),
            ({"Origin": f"http://{PROXY}"}, 403),
            ({"Origin": server.origin}, 403),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": None}, 403),
        ):
            headers = {name: value for name, value in {**own, **changes}.items() if value}
            assert refused(server, "POST", "/graphql", headers, READ) == status


@pytest.mark.parametrize(
    "address",
    [
        "adoption.example",
        "http://adoption.example",
        "https://adoption.example/",
        "https://a@adoption.example",
        "https://",
        "*",
        "https://adoption.example?x",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(door.BadAddress, match="write addresses like"):
        door.proxy_origins({door.ADDRESS_VARIABLE: address})


def test_several_addresses_are_separated_by_spaces() -> None:
    origins = door.proxy_origins({door.ADDRESS_VARIABLE: "https://A.example  https://b.example:8"})
    assert origins == {"a.example": "https://a.example", "b.example:8": "https://b.example:8"}


def test_a_token_is_fresh_at_each_start_and_a_short_one_is_refused() -> None:
    assert door.token_of({}) != door.token_of({})
    assert len(door.token_of({})) == 43
    assert door.token_of({door.TOKEN_VARIABLE: TOKEN}) == TOKEN
    with pytest.raises(door.WeakToken, match="6 letters, needs 43"):
        door.token_of({door.TOKEN_VARIABLE: "secret"})
