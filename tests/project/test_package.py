"""The wheel, installed where no checkout is: the base install, and the extra with the warehouse."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.settings import CHECKOUT, SOURCES
from pipelines.templates.workbook import write_return
from pipelines.ui.door import TOKEN_VARIABLE, cookie_name

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BASE = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
EXTRA = PROJECT["optional-dependencies"]["warehouse"]
WAREHOUSE = {canonicalize_name(Requirement(line).name) for line in EXTRA}
OURS = ("pipelines", "expectations")
MADE = {"target", "logs", "dbt_packages", ".user.yml"}

SENDER, QUARTER = "W06000001", Quarter(2020, 2)
SECONDS_TO_START = 120  # the pages, on a machine that runs other tests


def _imported(path: Path) -> Iterator[str]:
    """Top-level names that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def _distributions(modules: set[str]) -> dict[str, set[str]]:
    """Distributions that may have brought each module which is neither ours nor Python's own."""
    known = packages_distributions()
    foreign = modules - set(sys.stdlib_module_names) - {*OURS, "__main__"}
    return {name: {canonicalize_name(d) for d in known.get(name, [])} for name in foreign}


# --- what is declared ----------------------------------------------------------------------


def test_whatever_is_imported_is_declared_and_whatever_is_declared_is_used() -> None:
    imported = {
        name
        for folder in OURS
        for path in (CHECKOUT / folder).rglob("*.py")
        for name in _imported(path)
    }
    brought = _distributions(imported)
    undeclared = [name for name, dists in brought.items() if not dists & (BASE | WAREHOUSE)]
    assert undeclared == []
    # Nobody imports these: dbt's command and its adapter, Dagster's pages, what DuckDB and polars
    # hand tables over with, and the time zones that Windows has not.
    by_name = {"dbt-core", "dbt-duckdb", "dagster-webserver", "pyarrow", "tzdata"}
    unused = (BASE | WAREHOUSE) - set().union(*brought.values()) - by_name
    assert unused == set()


def test_the_postgres_extra_is_of_the_release_that_belongs_to_dagster() -> None:
    postgres = {Requirement(line).name: Requirement(line) for line in _extra("postgres")}
    pinned = {Requirement(line).name: str(Requirement(line).specifier) for line in EXTRA}
    assert str(postgres["dagster-postgres"].specifier) == pinned["dagster-dbt"]


def _extra(name: str) -> list[str]:
    return PROJECT["optional-dependencies"][name]


# --- the wheel -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Elsewhere:
    """A folder outside the checkout: the wheel, a filled-in return and the last quarter's."""

    folder: Path
    wheel: Path
    filled: Path
    earlier: Path


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    folder = tmp_path_factory.mktemp("package")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, CHECKOUT],
        check=True,
        capture_output=True,
    )
    declarations = Declarations(SOURCES)
    filled, earlier = folder / "return.xlsx", folder / "earlier.xlsx"
    for path, quarter in ((filled, QUARTER), (earlier, QUARTER.plus(-1))):
        write_return(path, declarations, quarter, _cover(quarter), {"child": [_child()]})
    (wheel,) = folder.glob("*.whl")
    return Elsewhere(folder, wheel, filled, earlier)


def _cover(quarter: Quarter) -> dict[str, object]:
    return {
        "sender_code": SENDER,
        "quarter": quarter.label,
        "version": 1,
        "signed_off_by_role": "Head of service",
        "signed_off_on": quarter.last_day,
        "is_synthetic": "yes",
    }


def _child() -> dict[str, object]:
    return {
        "child_reference": "INVENTED-1",
        "date_of_birth": date(2017, 3, 17),
        "sex": "female",
        "ethnicity_group": "white",
        "is_disabled": "no",
        "has_additional_needs": "no",
        "siblings_placed_together": 1,
        "siblings_placed_apart": 0,
        "entered_care_on": date(2019, 1, 6),
        "referred_on": date(2020, 5, 4),
        "early_permanence": "none",
        "family_finding_status": "not_started",
    }


def test_the_wheel_holds_what_the_program_reads_and_nothing_that_was_made(
    elsewhere: Elsewhere,
) -> None:
    names = set(zipfile.ZipFile(elsewhere.wheel).namelist())
    shipped = "pipelines/shipped/"
    for folder in ("sources", "dbt_project"):
        kept = {
            path.relative_to(CHECKOUT).as_posix()
            for path in (CHECKOUT / folder).rglob("*")
            if path.is_file() and path.relative_to(CHECKOUT / folder).parts[0] not in MADE
        }
        held = {name.removeprefix(shipped) for name in names if name.startswith(shipped + folder)}
        assert held == kept
    ours = {
        path.relative_to(CHECKOUT).as_posix()
        for folder in OURS
        for path in (CHECKOUT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if name.startswith(OURS) and shipped not in name} == ours
    assert shipped + "dagster.yaml" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert not {name.split("/")[0] for name in names} - {*OURS} - {_dist_info(names)}


def _dist_info(names: set[str]) -> str:
    (name,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
    return name


# --- the base install ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def base(elsewhere: Elsewhere) -> Path:
    """The program of an environment with nothing but the wheel and what it needs at least.

    The packages are those of this environment, so that the test needs no package index.
    """
    environment = elsewhere.folder / "base"
    venv.EnvBuilder(with_pip=False).create(environment)
    variables = {"base": str(environment), "platbase": str(environment)}
    site = Path(sysconfig.get_path("purelib", "venv", vars=variables))
    _install(elsewhere.wheel, "--python", str(_program(environment, "python")))
    waiting, done = set(BASE), set()
    while waiting:
        name = waiting.pop()
        done.add(name)
        lines = [Requirement(line) for line in distribution(name).requires or []]
        needed = {line.name for line in lines if not line.marker or line.marker.evaluate()}
        waiting |= {canonicalize_name(needs) for needs in needed} - done
        if name == "tzdata" and os.name != "nt":
            continue
        for file in distribution(name).files or []:
            if ".." not in file.parts:
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
    return _program(environment, "adoption")


def _install(wheel: Path, *where: str) -> None:
    command = [sys.executable, "-m", "pip", *(where if where[0] == "--python" else ())]
    command += ["install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    command += [] if where[0] == "--python" else where
    subprocess.run(command, check=True, capture_output=True)


def _program(environment: Path, name: str) -> Path:
    folder = environment / ("Scripts" if os.name == "nt" else "bin")
    return folder / (f"{name}.exe" if os.name == "nt" else name)


def _environment(folder: Path, **more: str) -> dict[str, str]:
    """Variables for a program that is to know nothing of this checkout."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return ours | {
        "ADOPTION_DATA": str(folder / "data"),
        "ADOPTION_KEY_FILE": str(folder / "keys" / "pseudonym.key"),
        "COLUMNS": "200",
        **more,
    }


def _run(base: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    folder = base.parents[2]
    return subprocess.run(
        [str(base), *map(str, arguments)],
        cwd=folder,
        env=_environment(folder / "alone"),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_the_base_install_has_what_it_says_it_needs(base: Path) -> None:
    command = [sys.executable, "-m", "pip", "--python", str(base.with_name("python")), "check"]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_help_and_version_need_nothing_more(base: Path) -> None:
    assert "Before a return is sent:" in _run(base, "--help").stdout
    assert _run(base, "--version").stdout == f"adoption {PROJECT['version']}\n"


@pytest.mark.parametrize("name", ["empty.xlsx", "empty.zip"])
def test_the_template_is_written(base: Path, name: str) -> None:
    written = _run(base, "template", name, "--sender", SENDER, "--language", "cy")
    assert (written.returncode, written.stdout) == (0, f"Wrote {name}\n"), written.stderr


def test_a_return_is_checked_against_the_one_before(base: Path, elsewhere: Elsewhere) -> None:
    arguments = [elsewhere.filled, "--before", elsewhere.earlier, "--json"]
    checked = _run(base, "check", *arguments, "--out", "report.xlsx", "--marked", "marked.xlsx")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (report,) = json.loads(checked.stdout)
    assert report["status"].startswith("accepted")


def test_a_return_is_checked_in_welsh(base: Path, elsewhere: Elsewhere) -> None:
    checked = _run(base, "check", elsewhere.filled, "--language", "cy")
    assert checked.returncode == 0, checked.stderr
    assert "Ffeil: return.xlsx" in checked.stdout


@pytest.mark.parametrize(
    "call",
    [
        ("build",),
        ("take-in", "return.xlsx"),
        ("sample-run",),
        ("ui",),
        ("check", "return.xlsx", "--full"),
    ],
    ids=lambda call: call[0],
)
def test_a_command_that_needs_the_extra_names_it_in_one_line(
    base: Path, call: tuple[str, ...]
) -> None:
    refused = _run(base, *call)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert re.fullmatch(
        r"Error: `adoption [^`]+` needs packages that are not installed: "
        r"pip install 'adoption\[warehouse\]'\n",
        refused.stderr,
    )
    assert not (base.parents[2] / "alone" / "data").exists()


@pytest.mark.parametrize("call", ["--help", "check {} --before {}", "template blank.xlsx"])
def test_the_modules_that_a_sender_needs_are_of_the_base_install(
    elsewhere: Elsewhere, call: str
) -> None:
    """In this environment, which has everything: an import that happens to work is found."""
    words = call.format(elsewhere.filled, elsewhere.earlier).split()
    program = (
        "import sys\n"
        "from pipelines.cli import main\n"
        f"main({words!r}, prog_name='adoption', standalone_mode=False)\n"
        "print('MODULES', *{name.partition('.')[0] for name in sys.modules})\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=elsewhere.folder,
        env=_environment(elsewhere.folder, PYTHONPATH=str(CHECKOUT)),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    loaded = {name for name in run.stdout.rpartition("MODULES ")[2].split()}
    heavy = {
        name
        for name, brought in _distributions(loaded).items()
        if brought & (WAREHOUSE - BASE) - {"markupsafe"}  # which jinja2 needs
    }
    assert run.returncode == 0, run.stderr
    assert heavy == set()


# --- with the extra ------------------------------------------------------------------------


@dataclass(frozen=True)
class Installed:
    """The wheel, not editable, before everything else on the path of this environment."""

    site: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return _environment(self.folder, PYTHONPATH=str(self.site))

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )

    def files(self) -> set[str]:
        return {str(path) for path in self.site.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def installed(elsewhere: Elsewhere) -> Installed:
    folder = elsewhere.folder / "warehouse"
    folder.mkdir()
    _install(elsewhere.wheel, "--target", str(folder / "site"))
    return Installed(folder / "site", folder)


def test_the_installed_program_builds_figures_and_shows_its_pages(
    installed: Installed, elsewhere: Elsewhere
) -> None:
    """All in the data folder: the program's own folder may be read-only."""
    before = installed.files()
    built = installed.run("take-in", elsewhere.filled, "--build")
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    asked = installed.run("sql", "--csv", "select count(*) as returns from marts.fct_submission")
    assert asked.stdout.split() == ["returns", "1"], asked.stderr
    _shows_its_pages(installed)
    assert installed.files() == before
    assert (installed.folder / "data" / "dbt" / "manifest.json").exists()


def _shows_its_pages(installed: Installed) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "pipelines.cli", "ui", "--port", str(port), "--read-only"]
    token = "t" * 43
    environment = {**installed.environment, TOKEN_VARIABLE: token}
    pages = subprocess.Popen(command, cwd=installed.folder, env=environment)
    question = (
        b'{"query": "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"}'
    )
    try:
        until = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                request = urllib.request.Request(
                    f"http://127.0.0.1:{port}/graphql",
                    question,
                    {
                        "Content-Type": "application/json",
                        "Origin": f"http://127.0.0.1:{port}",
                        "Cookie": f"{cookie_name(port)}={token}",
                    },
                )
                with urllib.request.urlopen(request, timeout=10) as answer:
                    found = json.load(answer)["data"]["repositoriesOrError"]
                    if found.get("nodes"):
                        return
            except (urllib.error.URLError, ConnectionError):
                pass
            assert pages.poll() is None and time.monotonic() < until
            time.sleep(0.5)
    finally:
        pages.send_signal(signal.SIGTERM)
        pages.wait(60)
