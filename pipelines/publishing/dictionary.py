"""The warehouse's dictionary as one page: every model, its columns, its SQL and its origins.

dbt makes the page. It has everything inside and asks no network for anything.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from pipelines.files import write_whole
from pipelines.settings import DBT_PROJECT, Settings, dbt_target, program


class DictionaryError(Exception):
    """dbt did not write the page; the message is what it said."""


def write_dictionary(settings: Settings, target: Path) -> None:
    """Write the page to ``target``, with types and comments as the published warehouse has them.

    dbt asks a copy of it, in a folder that is thrown away: it opens databases to write, and the
    restricted one is not copied at all. Of 7.6 CPU seconds these questions take 4.5. The project
    must have been parsed. Raises DictionaryError, OSError.
    """
    import subprocess

    with tempfile.TemporaryDirectory(prefix="adoption-docs-") as name:
        home = Path(name)
        made = home / "target"
        made.mkdir()
        (home / "build").mkdir()
        if settings.warehouse.exists():
            shutil.copyfile(settings.warehouse, home / "build" / settings.warehouse.name)
        manifest = (dbt_target(settings) / "manifest.json").read_text(encoding="utf-8")
        (made / "manifest.json").write_text(_without_our_paths(manifest), encoding="utf-8")
        command = [str(program("dbt")), "--quiet", "docs", "generate", "--static", "--no-compile"]
        command += ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
        command += ["--target-path", str(made), "--log-level-file", "none"]
        if not settings.warehouse.exists():
            command.append("--empty-catalog")
        said = subprocess.run(
            command,
            cwd=home,
            env={**os.environ, "ADOPTION_DATA": str(home)},
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        page = made / "static_index.html"
        if said.returncode or not page.exists():
            raise DictionaryError(f"dbt did not write the page: {said.stdout}{said.stderr}".strip())
        write_whole(target, lambda part: shutil.copyfile(page, part))


def _without_our_paths(manifest: str) -> str:
    """The manifest with the data folder of this machine called ``data``."""
    for source in json.loads(manifest)["sources"].values():
        match = re.match(r"read_parquet\('(.*?)/validated/", source["relation_name"])
        if match:
            folder = json.dumps(match[1])[1:-1]
            manifest = manifest.replace(f"{folder}/validated/", "data/validated/")
    return manifest
