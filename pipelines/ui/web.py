"""Dagster's web server, which shows the exports room as well: a link on a page opens the pack.

    python -m pipelines.ui.web -h 127.0.0.1 -p 3000 -w workspace.yaml --read-only

takes the options of ``dagster-webserver``. Who may open the one may open the other, so packs need
no server and no login of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.settings import Settings
from pipelines.ui.quarter_summary import FILES

if TYPE_CHECKING:
    from starlette.types import ASGIApp

# A file of the room shares the address of the web server, whose forms start jobs: no file may run
# a program or ask that server anything, whatever was written into it.
_HEADERS = {
    "Content-Security-Policy": (
        "sandbox allow-downloads; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def files_of(room: Path) -> ASGIApp:
    """An application that hands out the files of a folder, which need not be there yet.

    No listing, nothing whose name or folder begins with a dot (a version being written), and no
    link that leads out of the folder.
    """
    from starlette.exceptions import HTTPException
    from starlette.responses import Response
    from starlette.staticfiles import StaticFiles

    class Files(StaticFiles):
        async def get_response(self, path: str, scope: Any) -> Response:
            if any(part.startswith(".") for part in Path(path).parts):
                raise HTTPException(status_code=404)
            response = await super().get_response(path, scope)
            response.headers.update(_HEADERS)
            return response

    files = Files(directory=room, check_dir=False)
    files.config_checked = True  # a room that is not there yet is empty, not a fault
    return files


def main() -> None:
    from dagster_webserver import app, cli
    from starlette.routing import Mount

    class WithFiles(app.DagsterWebserver):
        def build_routes(self) -> list[Any]:
            exports = files_of(Settings.from_environment().exports)
            return [Mount(self._app_path_prefix + FILES, app=exports), *super().build_routes()]

    app.DagsterWebserver = WithFiles
    cli.main()


if __name__ == "__main__":
    main()
