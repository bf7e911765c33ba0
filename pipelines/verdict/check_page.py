"""``adoption check --page``: the check for people without a terminal, as a page of this computer.

The page is served to this computer alone, under an address that nobody can guess; a file goes to
the same check as the command's, and the answer is the command's report. Nothing is kept: a file
lies in a folder of its own while it is read, and of the last answer the marked copy stays in memory
until the next file or the end.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.declarations import Declarations
from pipelines.intake.landing import clean_name
from pipelines.readers.preflight import MAX_FILE_BYTES
from pipelines.text.catalogue import LANGUAGES, Language, translations
from pipelines.verdict.check import CheckedFile, WrongEarlierFile, check_files
from pipelines.verdict.marked_copy import marked_copy
from pipelines.verdict.report import ValidationReport
from pipelines.verdict.report_lines import report_lines

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

LOOPBACK = "127.0.0.1"
# Two files as text of base 64, which is a third longer, and what stands around them.
_MAX_REQUEST_BYTES = 2 * (MAX_FILE_BYTES * 4 // 3) + 64 * 1024
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass
class CheckPage:
    """The page and its last answer. ``token`` is the part of the address that makes it private."""

    declarations: Declarations
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    _copies: dict[str, bytes] = field(default_factory=dict)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def application(self) -> Starlette:
        """The page as an application that any server of the kind can serve."""
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.middleware.trustedhost import TrustedHostMiddleware
        from starlette.routing import Route

        root = f"/{self.token}"
        return Starlette(
            routes=[
                Route(f"{root}/", self._page),
                Route(f"{root}/check", self._check, methods=["POST"]),
                Route(f"{root}/marked/{{name}}", self._marked),
            ],
            # A page from elsewhere that has its name resolved to this computer is turned away.
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])],
        )

    async def _page(self, request: Request) -> Response:
        from starlette.responses import HTMLResponse

        nonce = secrets.token_urlsafe(16)
        page = page_in(_language(request.query_params.get("language")), nonce)
        return HTMLResponse(page, headers=_headers(nonce))

    async def _check(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse

        # A form of another page can send plain text, but not this.
        if request.headers.get("content-type") != "application/json":
            return JSONResponse({}, 415, headers=_headers())
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > _MAX_REQUEST_BYTES:
                return JSONResponse({}, 413, headers=_headers())
        try:
            asked = _Asked.of(json.loads(bytes(body)))
        except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
            return JSONResponse({}, 400, headers=_headers())
        answer = await run_in_threadpool(self.answer, asked)
        return JSONResponse(answer, headers=_headers())

    async def _marked(self, request: Request) -> Response:
        from starlette.responses import Response

        content = self._copies.get(request.path_params["name"])
        if content is None:
            return Response(status_code=404, headers=_headers())
        disposition = {"Content-Disposition": 'attachment; filename="to-correct.xlsx"'}
        return Response(content, media_type=_WORKBOOK, headers=_headers() | disposition)

    def answer(self, asked: _Asked) -> dict[str, Any]:
        """The report as lines, in the language asked for; where the marked copy is, if any."""
        with self._one_at_a_time:
            self._copies.clear()
            try:
                checked = asked.checked(self.declarations)
            except WrongEarlierFile as error:
                return {"earlier": str(error)}
            report = ValidationReport(
                checked.submission,
                checked.problems,
                self.declarations,
                asked.language,
                checked.details,
            )
            return {
                "status": checked.submission.status,
                "needs_a_password": checked.needs_a_password,
                "lines": [
                    {"text": line.text, "indent": line.indent, "style": line.style}
                    for line in report_lines(report)
                ],
                "marked": self._kept_copy(report, checked),
            }

    def _kept_copy(self, report: ValidationReport, checked: CheckedFile) -> str | None:
        if checked.content is None or checked.laid_out is None or not report.problems:
            return None
        name = f"{secrets.token_urlsafe(12)}.xlsx"
        self._copies[name] = marked_copy(report, checked.content, checked.laid_out)
        return f"marked/{name}"


@dataclass(frozen=True)
class _Asked:
    """A file to check, and what its sender sent before, as the page sends them."""

    name: str
    content: bytes
    before: bytes | None
    password: str | None
    language: Language

    @classmethod
    def of(cls, sent: Mapping[str, Any]) -> _Asked:
        """Raises ValueError, TypeError or KeyError for what the page does not send."""
        before = sent.get("before")
        password = sent.get("password")
        if not isinstance(sent["name"], str) or not isinstance(password, str | None):
            raise TypeError("a name and a password are text")
        return cls(
            name=clean_name(sent["name"]),
            content=base64.b64decode(sent["file"], validate=True),
            before=None if before is None else base64.b64decode(before, validate=True),
            password=password or None,
            language=_language(sent.get("language")),
        )

    def checked(self, declarations: Declarations) -> CheckedFile:
        """What the command would say of the file. Raises WrongEarlierFile."""
        from dataclasses import replace

        with tempfile.TemporaryDirectory(prefix="adoption-page-") as folder:
            # Never under the name it came with, which may be any path.
            path = _written(Path(folder) / "return", self.content)
            before = [] if self.before is None else [_written(Path(folder) / "before", self.before)]
            [found] = check_files(
                [path], declarations, datetime.now(UTC), before=before, password=self.password
            )
        return replace(found, submission=replace(found.submission, name=self.name))


def page_in(language: Language, nonce: str) -> str:
    """The page as HTML, before a file was given."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        undefined=StrictUndefined,
        autoescape=True,
    )
    others: Sequence[Language] = [each for each in LANGUAGES if each != language]
    template = environment.get_template("check_page.html.jinja")
    return template.render(
        _=translations(language).gettext, language=language, other=others[0], nonce=nonce
    )


def serve(declarations: Declarations, announce: Any, port: int = 0) -> None:
    """Serve the page to this computer until it is interrupted; ``announce`` takes its address."""
    import socket

    import uvicorn

    page = CheckPage(declarations)
    with socket.create_server((LOOPBACK, port)) as listening:
        announce(f"http://{LOOPBACK}:{listening.getsockname()[1]}/{page.token}/")
        # No access log: an address is what keeps the page private.
        config = uvicorn.Config(
            page.application(), log_level="warning", access_log=False, server_header=False
        )
        uvicorn.Server(config).run(sockets=[listening])


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _language(asked: object) -> Language:
    return "cy" if asked == "cy" else "en"


def _headers(nonce: str = "") -> dict[str, str]:
    """Nothing from elsewhere, nothing kept by the browser, no frame around the page."""
    own = f"'nonce-{nonce}'" if nonce else "'none'"
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src {own}; style-src {own}; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
