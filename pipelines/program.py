"""Which program this is: its version, its commit, a hash of everything that decides a figure."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipelines.settings import CHECKOUT, IS_INSTALLED, SHIPPED

_CODE = [CHECKOUT / "pipelines", CHECKOUT / "expectations"]
_CODE += [SHIPPED / name for name in ("dbt_project", "sources", "requirements.lock")]
# "shipped" is what a wheel holds of the other three: the hash is that of the checkout.
_MADE = {"__pycache__", "target", "logs", "dbt_packages", "shipped"}


def this_program() -> dict[str, str]:
    """What a warehouse made now is made by: version, commit and hash of this program, and the
    version of DuckDB, whose files an older one may not open."""
    return {
        "program": _version("adoption"),
        "commit": commit(),
        "code_sha256": hash_of_code(),
        "duckdb": _version("duckdb"),
    }


def in_words(program: dict[str, str]) -> str:
    """What :func:`this_program` gave, in a few words."""
    commit = program["commit"]
    of_commit = (
        "" if commit == "unknown" else f" ({commit[:10]}{'+' * commit.endswith('-changed')})"
    )
    return f"program {program['program']}{of_commit}, DuckDB {program['duckdb']}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def hash_of_code() -> str:
    """Hash of the code, the dbt project, the declarations and the locked requirements."""
    return hash_of(_CODE)


def hash_of(paths: Sequence[Path]) -> str:
    """Hash of the texts at and below ``paths``, by their names inside the folder that holds each.

    Line ends do not count, as they differ by machine.
    """
    digest = hashlib.sha256()
    for top in paths:
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            inside = path.relative_to(top.parent)
            if path.is_file() and not _MADE & set(inside.parts) and not inside.name.startswith("."):
                content = path.read_bytes().replace(b"\r\n", b"\n")
                digest.update(inside.as_posix().encode("utf-8") + b"\0" + content + b"\0")
    return digest.hexdigest()


def commit() -> str:
    """The commit of the checkout, marked where files were changed since; "unknown" for an installed
    program, whose folder may lie inside the repository of something else."""
    if IS_INSTALLED:
        return "unknown"
    try:
        run = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=-changed", "--exclude=*"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
    except OSError:
        return "unknown"
    return run.stdout.strip() or "unknown"
