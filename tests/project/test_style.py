"""The rules that a tool can check: style, types, who may import whom and which names."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.settings import CHECKOUT, program


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], cwd=CHECKOUT, capture_output=True, text=True
    )


def test_ruff_finds_nothing():
    run = _run(sys.executable, "-m", "ruff", "check", "--no-cache", ".")
    assert run.returncode == 0, run.stdout


def test_the_code_is_formatted():
    run = _run(sys.executable, "-m", "ruff", "format", "--check", "--no-cache", ".")
    assert run.returncode == 0, run.stdout


def test_nobody_imports_what_its_room_may_not_know():
    run = _run(program("lint-imports"), "--no-cache")
    assert run.returncode == 0, run.stdout


def test_the_types_are_right():
    run = _run(program("ty"), "check", "--error-on-warning", "--python", sys.prefix)
    assert run.returncode == 0, run.stdout


# --- private names of libraries, which may change with any of their versions --------------------

FOLDERS = ("pipelines", "expectations", "tests", "benchmarks")
OUR_PACKAGES = {"pipelines", "expectations", "tests", ""}


def _is_foreign(module: str) -> bool:
    top = module.partition(".")[0]
    return top not in OUR_PACKAGES and top not in sys.stdlib_module_names


def _is_private(name: str) -> bool:
    return any(part.startswith("_") and not part.endswith("__") for part in name.split("."))


def _private_names(code: str) -> Iterator[str]:
    """Names of other packages that begin with an underscore: imported, or as an attribute of what
    was imported, or as the name of a module in a text."""
    tree = ast.parse(code)
    imported: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                imported[alias.asname or alias.name.partition(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for name in imported.values():
        if _is_foreign(name) and _is_private(name):
            yield name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            value = node.value
            while isinstance(value, ast.Attribute):
                value = value.value
            if isinstance(value, ast.Name) and _is_foreign(imported.get(value.id, "")):
                yield f"{imported[value.id]} … {node.attr}"
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and text.startswith(("dagster._", "dbt._", "polars._")):
            yield text


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_private_name_of_a_library_is_used(folder: str) -> None:
    private_names = {
        f"{path.relative_to(CHECKOUT).as_posix()}: {name}"
        for path in (CHECKOUT / folder).rglob("*.py")
        for name in _private_names(path.read_text(encoding="utf-8"))
        if path != Path(__file__)
    }
    assert private_names == set()


@pytest.mark.parametrize(
    "code",
    [
        "import dagster._core",
        "from dagster._core.instance import InstanceRef",
        "import dagster as dg\ndg._internal",
        "from polars import DataFrame\nDataFrame.x._df",
        "command = ['-m', 'dagster._daemon']",
    ],
)
def test_a_private_name_of_a_library_is_found(code: str) -> None:
    assert list(_private_names(code))


@pytest.mark.parametrize(
    "code", ["from pipelines.x import _y", "import os\nos._exit(1)", "self._x", "x.__dict__"]
)
def test_our_own_private_names_and_those_of_python_are_not(code: str) -> None:
    assert not list(_private_names(code))
