"""The door before Dagster's web server: every request and web socket is checked here first.

Dagster's own server has no login, answers whatever Host it is called by, and starts a run for a
plain GET, a form or a web socket of any page that is open in the same browser. Behind this door

- only the names under which people reach the server are answered (no DNS rebinding);
- only its own pages may ask anything; a foreign page can lead a reader here, nothing else;
- questions come as JSON by POST, so that no link, picture or form can ask one;
- who comes by a port shows the token that was printed where the server was started;
- nothing is changed unless the server was started to be operated.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_VARIABLE = "ADOPTION_UI_TOKEN"
ADDRESS_VARIABLE = "ADOPTION_UI_ADDRESS"
LOGIN = "/login"
GRAPHQL = "/graphql"

# 43 letters of 64 are 256 bits: what secrets.token_urlsafe(32) makes.
_TOKEN_LETTERS = 43
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# A question of Dagster's pages has some 10 kB; the settings of a run that is started may be longer.
_LARGEST_QUESTION = 1024 * 1024

# Dagster's pages bring a policy of their own, with a nonce for each script; a browser keeps both.
# connect-src ends calls to anybody else, telemetry of the vendor included.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self';"
    " frame-src 'none'; frame-ancestors 'none'; form-action 'self'; base-uri 'none';"
    " object-src 'none'"
)
_HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NOT_LOGGED_IN = (
    "Please log in: open the address with the token that was printed where this server was started."
)


class BadAddress(Exception):
    """The setting that names the public address cannot be used; the message says why."""


class WeakToken(Exception):
    """The token of the environment is too short to keep anybody out; the message says so."""


def loopback_origins(port: int) -> dict[str, str]:
    """Host to origin, for each name by which this machine calls itself."""
    return {f"{name}:{port}": f"http://{name}:{port}" for name in _LOOPBACK}


def proxy_origins(environment: Mapping[str, str]) -> dict[str, str]:
    """Host to origin of each address that ADOPTION_UI_ADDRESS names, separated by spaces.

    Raises BadAddress for anything but https://HOST or https://HOST:PORT.
    """
    origins = {}
    for address in environment.get(ADDRESS_VARIABLE, "").lower().split():
        host = urlsplit(address).netloc
        if not host or "@" in host or address != f"https://{host}":
            raise BadAddress(
                f"{ADDRESS_VARIABLE}: write addresses like https://adoption.example,"
                f" separated by spaces, not '{address}'"
            )
        origins[host] = address
    return origins


def token_of(environment: Mapping[str, str]) -> str:
    """The token of the environment, or a fresh one; raises WeakToken for one below 43 letters."""
    token = environment.get(TOKEN_VARIABLE) or secrets.token_urlsafe(32)
    if len(token) < _TOKEN_LETTERS:
        raise WeakToken(
            f"{TOKEN_VARIABLE} has {len(token)} letters, needs {_TOKEN_LETTERS}:"
            " leave it out, and one is made at each start"
        )
    return token


def cookie_name(port: int | None) -> str:
    """Where a browser keeps the token: cookies know no ports, so two servers need two names."""
    return f"adoption-ui-{port}" if port else "adoption-ui"


@dataclass(frozen=True)
class DoorRules:
    """Whom a door lets in.

    ``origins``: origin by Host. ``token``: what a browser has to show, None where a login proxy
    stands before. ``operate``: whether runs may be started and deleted. ``cookie``: where a browser
    keeps the token.
    """

    origins: Mapping[str, str]
    token: str | None
    operate: bool = False
    cookie: str = "adoption-ui"


@dataclass(frozen=True)
class TurnedAway:
    """Why a request gets no further: the status of the answer, and the reason in words."""

    status: HTTPStatus
    reason: str


class Door:
    """An application before another one, which sees only what the rules allow."""

    def __init__(self, inside: ASGIApp, rules: DoorRules) -> None:
        self._inside = inside
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._request(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await self._web_socket(scope, receive, send)
        else:
            await self._inside(scope, receive, send)

    async def _web_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.websockets import WebSocket

        if self._stranger(scope) or not self._is_logged_in(scope):
            await WebSocket(scope, receive, send).close()  # before it is accepted: status 403
        else:
            await self._inside(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.requests import Request

        refusal = self._stranger(scope) or _wrong_way(scope)
        if refusal:
            await _say(refusal)(scope, receive, send)
        elif scope["path"] == LOGIN and self._rules.token:
            await self._login(scope)(scope, receive, send)
        elif not self._is_logged_in(scope):
            await _say(TurnedAway(HTTPStatus.UNAUTHORIZED, _NOT_LOGGED_IN))(scope, receive, send)
        elif scope["method"] == "POST":
            body = await _body(Request(scope, receive))
            refusal = self._bad_question(body)
            if refusal:
                await _say(refusal)(scope, receive, send)
            else:
                await self._inside(scope, _again(body or b"", receive), send)
        else:
            await self._inside(scope, receive, send)

    def _stranger(self, scope: Scope) -> TurnedAway | None:
        """Why a request does not come from a page of this server, or from nobody's page."""
        origin = self._rules.origins.get((_only(scope, b"host") or "").lower())
        if origin is None:
            return TurnedAway(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"This server is not known by that name. Behind a proxy, set {ADDRESS_VARIABLE}.",
            )
        from_page = TurnedAway(HTTPStatus.FORBIDDEN, "Only pages of this server may ask it.")
        is_reading = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        # Browsers name the page with everything but plain reading: without a name it is no page.
        if _values(scope, b"origin") not in ([[origin], []] if is_reading else [[origin]]):
            return from_page
        site = _values(scope, b"sec-fetch-site")
        if site in ([], ["same-origin"], ["none"]):
            return None
        # A link of another page, which opens ours in place of it or in a tab of its own.
        leads_here = (
            is_reading
            and _only(scope, b"sec-fetch-mode") == "navigate"
            and _only(scope, b"sec-fetch-dest") == "document"
        )
        return None if leads_here else from_page

    def _is_logged_in(self, scope: Scope) -> bool:
        from starlette.requests import HTTPConnection

        shown = HTTPConnection(scope).cookies.get(self._rules.cookie, "")
        return self._rules.token is None or _same(shown, self._rules.token)

    def _login(self, scope: Scope) -> ASGIApp:
        """The page that keeps the token in a cookie and opens the first page of the UI.

        A page and not a redirect: with SameSite=Strict the cookie would not be shown after one
        that another page had led to.
        """
        from starlette.requests import Request
        from starlette.responses import HTMLResponse

        request = Request(scope)
        token = self._rules.token or ""
        if not _same(request.query_params.get("token", ""), token):
            return _say(TurnedAway(HTTPStatus.UNAUTHORIZED, _NOT_LOGGED_IN))
        page = HTMLResponse(
            '<!doctype html><html lang="en"><meta http-equiv="refresh" content="0; url=/">'
            '<title>Dagster</title><p><a href="/">Open Dagster</a></p></html>',
            headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        )
        host = (_only(scope, b"host") or "").lower()
        page.set_cookie(
            self._rules.cookie,
            token,
            httponly=True,
            samesite="strict",
            secure=self._rules.origins[host].startswith("https:"),
        )
        return page

    def _bad_question(self, body: bytes | None) -> TurnedAway | None:
        if body is None:
            return TurnedAway(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The question is too long.")
        try:
            query = json.loads(body)["query"]
            changes = _is_mutation(query)
        except (ValueError, TypeError, LookupError, RecursionError):
            return TurnedAway(HTTPStatus.BAD_REQUEST, "That is no question in GraphQL.")
        if changes and not self._rules.operate:
            return TurnedAway(HTTPStatus.FORBIDDEN, "This server is read-only.")
        return None


def _wrong_way(scope: Scope) -> TurnedAway | None:
    """Questions come by POST, as JSON, to one address; everything else is fetched by GET."""
    method, path = scope["method"], scope["path"]
    if method != "POST" and (method not in ("GET", "HEAD") or path == GRAPHQL):
        return TurnedAway(HTTPStatus.METHOD_NOT_ALLOWED, "Not by this method.")
    if method == "POST" and path != GRAPHQL:
        return TurnedAway(HTTPStatus.METHOD_NOT_ALLOWED, "Nothing is sent to this address.")
    kind = (_only(scope, b"content-type") or "").partition(";")[0].strip().lower()
    if method == "POST" and kind != "application/json":
        return TurnedAway(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Questions are sent as JSON.")
    return None


@lru_cache(maxsize=256)  # Dagster's pages ask the same few questions every few seconds
def _is_mutation(query: str) -> bool:
    """Whether anything in a document changes something, whichever part of it is asked for.

    Raises ValueError for what is not GraphQL, TypeError for what is not a text.
    """
    from graphql import GraphQLSyntaxError, OperationDefinitionNode, OperationType, parse

    try:
        definitions = parse(query).definitions
    except GraphQLSyntaxError as error:
        raise ValueError("not GraphQL") from error
    return any(
        isinstance(item, OperationDefinitionNode) and item.operation is OperationType.MUTATION
        for item in definitions
    )


def _same(shown: str, token: str) -> bool:
    return secrets.compare_digest(shown.encode("utf-8"), token.encode("utf-8"))


def _values(scope: Scope, header: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == header]


def _only(scope: Scope, header: bytes) -> str | None:
    """The value of a header that stands once; None when it is missing or stands twice."""
    values = _values(scope, header)
    return values[0] if len(values) == 1 else None


def _say(refusal: TurnedAway) -> ASGIApp:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(
        f"{refusal.reason}\n", refusal.status, headers={"Cache-Control": "no-store"}
    )


async def _body(request: Any) -> bytes | None:
    """The whole body, or None as soon as it is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_QUESTION:
            return None
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Hands out a body that was read already, then whatever else comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def from_the_start() -> Message:
        return messages.pop() if messages else await receive()

    return from_the_start


def _with_headers(send: Send) -> Send:
    """Adds what a browser has to know of every answer, and removes leave to read it elsewhere."""
    from starlette.datastructures import MutableHeaders

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name in [name for name in headers if name.startswith("access-control-")]:
                del headers[name]
            headers.update(_HEADERS)
            headers.append("Content-Security-Policy", _POLICY)
            if headers.get("Referrer-Policy") != "no-referrer":
                headers["Referrer-Policy"] = "same-origin"
        await send(message)

    return send_with_headers
