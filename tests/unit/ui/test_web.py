"""The one address: files behind links, and everything else from Dagster's own web server."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from pipelines.ui import web
from pipelines.ui.door import DoorRules
from pipelines.ui.web import application, files_of, run_dagster


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
    served = Starlette(routes=[Mount("/files", app=files_of(room))])
    return answer_of(served, f"/files{path}", method, [])


def answer_of(
    application: ASGIApp,
    path: str,
    method: str,
    headers: list[tuple[bytes, bytes]],
    body: bytes = b"",
) -> tuple[int, dict[str, str], bytes]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "headers": headers,
        "query_string": b"",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
    }
    called(application, scope, receive, send)
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:])


def called(application: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    async def call() -> None:
        await application(scope, receive, send)

    asyncio.run(call())


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

RULES = DoorRules({"127.0.0.1:3000": "http://127.0.0.1:3000"}, token=None)


async def _dagster(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("Dagster")(scope, receive, send)


def through(application: ASGIApp, path: str, host: str = "127.0.0.1:3000") -> tuple[int, bytes]:
    status, _, body = answer_of(application, path, "GET", [(b"host", host.encode())])
    return status, body


def test_files_are_ours_and_dagster_is_not_asked_for_them(room: Path) -> None:
    served = application(room, _dagster, RULES)
    assert through(served, "/runs") == (200, b"Dagster")
    assert through(served, "/files/2020-21-Q2/1/pack-wales-en.html") == (200, b"<p>a pack</p>")
    assert through(served, "/files/none.html")[0] == 404


def test_files_stand_behind_the_same_door(room: Path) -> None:
    served = application(room, _dagster, RULES)
    pack = "/files/2020-21-Q2/1/pack-wales-en.html"
    assert through(served, pack, "evil.example")[0] == 421
    assert through(application(room, _dagster, replace(RULES, token="t")), pack)[0] == 401
    _, headers, _ = answer_of(served, pack, "GET", [(b"host", b"127.0.0.1:3000")])
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


def test_dagster_starts_and_ends_by_itself(room: Path) -> None:
    seen = []

    async def dagster(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def nothing(*_: Any) -> Any: ...

    called(application(room, dagster, RULES), {"type": "lifespan"}, nothing, nothing)
    assert seen == ["lifespan"]


# --- Dagster's own command --------------------------------------------------------------------


def test_dagster_hands_its_application_over_and_listens_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the release that is installed: the door stands before its application, and only we say
    where it listens."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text("load_from: []\n", encoding="utf-8")
    runs: list[tuple[Any, dict[str, Any]]] = []
    fronts: list[Any] = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: runs.append((app, options)))

    def front(dagster: ASGIApp) -> ASGIApp:
        fronts.append(dagster)
        return _dagster

    with pytest.raises(SystemExit) as ended:
        run_dagster(workspace, True, front, uds="a socket")
    assert ended.value.code == 0
    ((app, options),) = runs
    assert app is _dagster and len(fronts) == 1
    assert options["uds"] == "a socket" and not {"host", "port"} & set(options)


@pytest.mark.parametrize("read_only", [True, False])
def test_dagsters_own_lock_is_the_second_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool
) -> None:
    """Asked past the door, Dagster itself refuses to start anything on a read-only server."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text("load_from: []\n", encoding="utf-8")
    question = b'{"query": "mutation { deleteRun(runId: \\"1\\") { __typename } }"}'
    answers: list[bytes] = []

    def run(app: ASGIApp, **_: Any) -> None:
        headers = [(b"content-type", b"application/json")]
        answers.append(answer_of(app, "/graphql", "POST", headers, question)[2])

    monkeypatch.setattr(uvicorn, "run", run)
    with pytest.raises(SystemExit):
        run_dagster(workspace, read_only, lambda dagster: dagster)
    kind = json.loads(answers[0])["data"]["deleteRun"]["__typename"]
    assert kind == ("UnauthorizedError" if read_only else "RunNotFoundError")


def test_were_dagster_to_listen_by_itself_it_could_not(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        socket.getaddrinfo(web._NOWHERE, 1)


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["--socket", "s"], {}, "--socket needs ADOPTION_UI_ADDRESS"),
        ([], {"ADOPTION_UI_ADDRESS": "http://adoption.example"}, "write addresses like"),
        ([], {"ADOPTION_UI_TOKEN": "short"}, "5 letters, needs 43"),
    ],
)
def test_settings_that_keep_nobody_out_are_refused(
    arguments: list[str], environment: dict[str, str], words: str
) -> None:
    run = CliRunner().invoke(web.main, ["-w", "workspace.yaml", *arguments], env=environment)
    assert run.exit_code == 1
    assert words in run.output


@pytest.mark.parametrize(
    ("arguments", "needs_token", "operate"),
    [
        ([], True, False),
        (["--operate"], True, True),
        (["--socket", "s"], False, False),
        (["--socket", "s", "--operate"], True, True),
    ],
)
def test_on_a_port_everybody_logs_in_and_on_a_socket_whoever_operates(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], needs_token: bool, operate: bool
) -> None:
    served: list[tuple[bool, DoorRules, dict[str, Any]]] = []

    def run_dagster(_: Path, read_only: bool, front: Any, **listen: Any) -> None:
        served.append((read_only, front(_dagster)._rules, listen))

    monkeypatch.setattr(web, "run_dagster", run_dagster)
    run = CliRunner().invoke(
        web.main,
        ["-w", "workspace.yaml", *arguments],
        env={"ADOPTION_UI_ADDRESS": "https://adoption.example"},
    )
    assert run.exit_code == 0, run.output
    ((read_only, rules, listen),) = served
    assert (read_only, rules.operate) == (not operate, operate)
    assert (rules.token is not None) == needs_token
    assert (f"/login?token={rules.token}" in run.output) == needs_token
    on_loopback = {"host": "127.0.0.1", "port": 3000}
    assert listen == ({"uds": "s"} if "--socket" in arguments else on_loopback)
