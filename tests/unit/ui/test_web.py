"""The one address: files behind links, and everything else from Dagster's own web server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pipelines.ui.web import files_of


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
    from starlette.applications import Starlette
    from starlette.routing import Mount

    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
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
    application = Starlette(routes=[Mount("/files", app=files_of(room))])
    asyncio.run(application(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(one.get("body", b"") for one in sent[1:])


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
