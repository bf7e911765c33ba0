"""Web addresses of the files in the exports room."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from pipelines.settings import Settings

# Where the web server of ``pipelines.ui.web`` serves the exports room.
FILES = "/files"


def web_address(path: Path, settings: Settings, files_url: str | None) -> str:
    """Where a browser opens ``path``, a file of the exports room: under /files of the server that
    shows the link, unless the operator serves the room at ``files_url``.

    Dagster keeps links for years, so they name no machine.
    """
    relative = path.relative_to(settings.exports).as_posix()
    return f"{(files_url or FILES).rstrip('/')}/{quote(relative)}"
