"""One address for the Dagster UI and the files that it links to, behind one door.

    python -m pipelines.ui.web --workspace workspace.yaml --port 3000

Dagster's web server runs in this process, and only the door (``pipelines.ui.door``) listens: there
is no second port at which Dagster could be asked past it. The exports room is served beside it
under /files, so that whoever may open the one may open the other.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.settings import Settings
from pipelines.ui import door
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

# No machine has this name (RFC 6761, section 6.4): if a release of Dagster listened by itself, it
# could not, and nothing would be served at all.
_NOWHERE = "nowhere.invalid"


def application(exports: Path, dagster: ASGIApp, rules: door.DoorRules) -> ASGIApp:
    """The exports room under /files and everything else from Dagster's application."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    files = Starlette(routes=[Mount(FILES, app=files_of(exports))])

    async def files_or_dagster(scope: Scope, receive: Receive, send: Send) -> None:
        is_file = scope["type"] == "http" and scope["path"].startswith(f"{FILES}/")
        await (files if is_file else dagster)(scope, receive, send)

    return door.Door(files_or_dagster, rules)


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


def run_dagster(
    workspace: Path, read_only: bool, front: Callable[[ASGIApp], ASGIApp], **listen: Any
) -> None:
    """Run Dagster's own command, with ``front`` before its application, until it is stopped.

    ``listen`` says where, in the words of ``uvicorn.run``. Dagster has no option for a socket or
    for an application before its own; that it hands its application to ``uvicorn.run`` is all that
    is used here. Were that to change, it could not listen at all.
    """
    import uvicorn
    from dagster_webserver.cli import create_dagster_webserver_cli

    run = uvicorn.run

    def run_behind_the_door(app: Starlette, **_: Any) -> None:
        # A proxy's word about who asks is not needed, so it is not taken.
        run(front(app), log_level="warning", proxy_headers=False, **listen)

    uvicorn.run = run_behind_the_door  # ty: ignore[invalid-assignment]
    try:
        create_dagster_webserver_cli().main(
            [
                "--host",
                _NOWHERE,
                "--port",
                "1",
                "--workspace",
                str(workspace),
                "--dagster-log-level",
                "error",
                *(["--read-only"] if read_only else []),
            ],
            prog_name="dagster-webserver",
        )
    finally:
        uvicorn.run = run


@click.command()
@click.option("--workspace", "-w", type=click.Path(path_type=Path), required=True)
@click.option("--port", "-p", default=3000, show_default=True, help="A port of 127.0.0.1.")
@click.option(
    "--socket",
    type=click.Path(path_type=Path),
    help="A socket instead, in a folder that only the login proxy can enter.",
)
@click.option("--operate", is_flag=True, help="Let people start and delete runs, after a login.")
def main(workspace: Path, port: int, socket: Path | None, operate: bool) -> None:
    """Serve the Dagster UI, and the exports room under /files, read-only unless asked.

    On a port everybody needs the token, which is printed once; on a socket only those who operate.
    ADOPTION_UI_ADDRESS names the address of a proxy, such as https://adoption.example.
    """
    try:
        origins = door.proxy_origins(os.environ)
        token = door.token_of(os.environ)
    except (door.BadAddress, door.WeakToken) as error:
        raise click.ClickException(str(error)) from error
    is_given = os.environ.pop(door.TOKEN_VARIABLE, None) is not None  # Dagster has no use for it
    if not socket:
        origins = {**door.loopback_origins(port), **origins}
    if not origins:
        raise click.ClickException(f"--socket needs {door.ADDRESS_VARIABLE}: the proxy's address")
    needs_login = operate or not socket
    if needs_login and not is_given:
        click.echo(f"Open {next(iter(origins.values()))}{door.LOGIN}?token={token}")
    rules = door.DoorRules(
        origins,
        token=token if needs_login else None,
        operate=operate,
        cookie=door.cookie_name(port if not socket else None),
    )
    exports = Settings.from_environment().exports
    run_dagster(
        workspace,
        not operate,
        lambda dagster: application(exports, dagster, rules),
        **({"uds": str(socket)} if socket else {"host": "127.0.0.1", "port": port}),
    )


if __name__ == "__main__":
    main()
