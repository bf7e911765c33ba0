"""One address for the Dagster UI and the files that it links to: Dagster's own web server stands
behind this one, and the exports room is served beside it under /files.

    dagster-webserver -h 127.0.0.1 -p 3001 -w workspace.yaml --read-only
    python -m pipelines.ui.web -h 127.0.0.1 -p 3000 --dagster 127.0.0.1:3001

Whoever may open the one may open the other, so packs need no server and no login of their own.
Everything but /files is passed on as it is, web sockets included, on which pages renew themselves.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.settings import Settings
from pipelines.ui.links import FILES

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

# A file of the room shares the address of the UI, whose forms start jobs: no file may run a program
# or ask that server anything, whatever was written into it.
_HEADERS = {
    "Content-Security-Policy": (
        "sandbox allow-downloads; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

# Headers about one connection, which a proxy does not pass on (RFC 9110, section 7.6.1).
_OF_ONE_CONNECTION = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

# Our own server adds these to every answer.
_OURS = frozenset({b"date", b"server"})

# Dagster itself gives a question to its database 15 seconds; a page asks several.
_SECONDS = 120.0
_CHUNK = 64 * 1024


def application(exports: Path, host: str, port: int) -> Starlette:
    """The exports room under /files, and everything else from Dagster's web server at host:port."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    return Starlette(
        routes=[Mount(FILES, app=files_of(exports)), Mount("/", app=DagsterProxy(host, port))]
    )


def files_of(room: Path) -> ASGIApp:
    """An application that serves the files of a folder, which need not be there yet.

    No listing, nothing whose name or folder begins with a dot (a version being written), and no
    link that leads out of the folder.
    """
    from starlette.exceptions import HTTPException
    from starlette.staticfiles import StaticFiles

    class Files(StaticFiles):
        async def check_config(self) -> None:
            """A room that is not there yet is empty, not a fault."""

        async def get_response(self, path: str, scope: Scope) -> Response:
            if any(part.startswith(".") for part in Path(path).parts):
                raise HTTPException(status_code=404)
            response = await super().get_response(path, scope)
            response.headers.update(_HEADERS)
            return response

    return Files(directory=room, check_dir=False)


class DagsterProxy:
    """Passes requests and web sockets on to Dagster's web server on this machine."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._web_socket(scope, receive, send)
        else:
            response = await self._response(scope, receive)
            await response(scope, receive, send)

    async def _response(self, scope: Scope, receive: Receive) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.requests import Request
        from starlette.responses import PlainTextResponse, StreamingResponse

        body = await Request(scope, receive).body()
        try:
            answer = await run_in_threadpool(self._ask, scope, body)
        except (OSError, http.client.HTTPException):
            return PlainTextResponse(
                "Dagster is not ready yet. Try again in a few seconds.", status_code=502
            )
        response = StreamingResponse(_chunks(answer), status_code=answer.status)
        response.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in answer.getheaders()
            if name.lower().encode("latin-1") not in _OF_ONE_CONNECTION | _OURS
        ]
        return response

    def _ask(self, scope: Scope, body: bytes) -> http.client.HTTPResponse:
        """Ask Dagster over a connection of its own: a kept one may be closed while it is asked.

        Raises OSError and HTTPException while Dagster does not answer.
        """
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_SECONDS)
        connection.putrequest(
            scope["method"], _target(scope), skip_host=True, skip_accept_encoding=True
        )
        for name, value in scope["headers"]:
            if name not in _OF_ONE_CONNECTION and name != b"content-length":
                connection.putheader(name, value)
        if body:
            connection.putheader("content-length", str(len(body)))
        connection.putheader("connection", "close")
        connection.endheaders(body or None)
        return connection.getresponse()

    async def _web_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        import asyncio

        from starlette.websockets import WebSocket
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException
        from websockets.typing import Subprotocol

        browser = WebSocket(scope, receive, send)
        headers = dict(scope["headers"])
        try:
            dagster = await connect(
                f"ws://{self._host}:{self._port}{_target(scope)}",
                subprotocols=[Subprotocol(name) for name in scope["subprotocols"]],
                origin=headers[b"origin"].decode("latin-1") if b"origin" in headers else None,
                proxy=None,  # on this machine, whatever the environment says
                max_size=None,
            )
        except (OSError, WebSocketException):
            await browser.close(code=1013)  # try again later
            return
        async with dagster:
            await browser.accept(subprotocol=dagster.subprotocol)
            both = [
                asyncio.create_task(_to_dagster(browser, dagster)),
                asyncio.create_task(_to_browser(dagster, browser)),
            ]
            _, pending = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)


def _target(scope: Scope) -> str:
    """Path and query as the browser sent them, not decoded."""
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _chunks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    with answer:
        while chunk := answer.read(_CHUNK):
            yield chunk


async def _to_dagster(browser: Any, dagster: Any) -> None:
    """Every message of the browser, until it leaves."""
    while (message := await browser.receive())["type"] == "websocket.receive":
        text = message.get("text")
        await dagster.send(message["bytes"] if text is None else text)


async def _to_browser(dagster: Any, browser: Any) -> None:
    """Every message of Dagster, until it ends the connection; then the browser's ends as well."""
    async for message in dagster:
        if isinstance(message, str):
            await browser.send_text(message)
        else:
            await browser.send_bytes(message)
    await browser.close()


@click.command()
@click.option("--host", "-h", default="127.0.0.1", show_default=True)
@click.option("--port", "-p", default=3000, show_default=True)
@click.option("--dagster", required=True, metavar="HOST:PORT", help="Dagster's own web server.")
def main(host: str, port: int, dagster: str) -> None:
    """Serve the Dagster UI, and the exports room under /files."""
    import uvicorn

    dagster_host, _, dagster_port = dagster.rpartition(":")
    exports = Settings.from_environment().exports
    uvicorn.run(
        application(exports, dagster_host, int(dagster_port)),
        host=host,
        port=port,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
