"""From a fresh clone to figures, or to test results, with nothing but Python.

``python3 -m pipelines.quickstart`` makes ``.venv``, installs the locked packages and runs the
main job on sample returns. ``python3 -m pipelines.quickstart test`` does the same set-up and runs
the tests. Uses the standard library only, since nothing else is there yet.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
ENVIRONMENT = CHECKOUT / ".venv"
LOCK = CHECKOUT / "requirements.lock"
PROJECT = CHECKOUT / "pyproject.toml"
MARKER = ENVIRONMENT / "installed-from"

SUPPORTED = ((3, 11), (3, 13))


def main(arguments: list[str]) -> int:
    """Set up what is missing, then run the sample job or the tests; their exit code is ours."""
    if not SUPPORTED[0] <= sys.version_info[:2] <= SUPPORTED[1]:
        print(
            f"This is Python {sys.version.split()[0]}; the project runs on Python 3.11, 3.12 and "
            "3.13 (its orchestrator knows no other). Run this command with one of those.",
            file=sys.stderr,
        )
        return 2
    if arguments and arguments[0] not in ("run", "test", "prepare"):
        print("usage: python3 -m pipelines.quickstart [run | test [PYTEST OPTIONS] | prepare]")
        return 2
    os.umask(0o077)
    task = arguments[0] if arguments else "run"
    try:
        prepare()
    except subprocess.CalledProcessError as error:
        print(f"Set-up stopped: {_plain(error)}", file=sys.stderr)
        return 1
    if task == "prepare":
        return 0
    if task == "test":
        # A process for each core; the tests of a file stay together, as they share fixtures, and
        # the files come in the order of tests/made_once.py.
        _compile("pipelines", "expectations")
        side_by_side = ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"]
        return _call(["-m", "pytest", *side_by_side, *arguments[1:]])
    return _call(["-m", "pipelines.cli", "sample-run"])


def prepare() -> None:
    """Make the environment, install the locked packages and parse the dbt project, once."""
    wanted = hashlib.sha256(LOCK.read_bytes() + PROJECT.read_bytes()).hexdigest()
    if MARKER.exists() and MARKER.read_text(encoding="utf-8") == wanted:
        return
    if not _python().exists():
        print("1/3  Making a virtual environment in .venv", flush=True)
        venv.EnvBuilder(with_pip=True, clear=ENVIRONMENT.exists()).create(ENVIRONMENT)
    log = ENVIRONMENT / "installing.log"
    print("2/3  Installing the locked packages (about 1 GB; several minutes)", flush=True)
    print(f"     {log} has a line for each", flush=True)  # 500 lines, 3 for a package
    pip = ["-m", "pip", "--disable-pip-version-check", "--quiet", "--log", str(log), "install"]
    # The lock names everything, so nothing is left to resolve; older versions of pip would
    # otherwise ask for a hash of `gql[requests]` although `gql` is locked.
    _check([*pip, "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(LOCK)])
    _check([*pip, "--no-deps", "--no-build-isolation", "--editable", str(CHECKOUT)])
    _compile(str(ENVIRONMENT))
    print("3/3  Reading the dbt project", flush=True)
    _check(["-m", "pipelines.cli", "prepare"])
    MARKER.write_text(wanted, encoding="utf-8")


def _compile(*folders: str) -> None:
    """Leave bytecode, where neither installing nor running does: imports take half as long, also
    those of the process that reads each file."""
    _call(["-m", "compileall", "-q", "-j", "0", *folders], quiet=True)


def _python() -> Path:
    return ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _check(arguments: list[str]) -> None:
    subprocess.run([str(_python()), *arguments], cwd=CHECKOUT, check=True)


def _call(arguments: list[str], quiet: bool = False) -> int:
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(
        [str(_python()), *arguments], cwd=CHECKOUT, stdout=output, stderr=output
    ).returncode


def _plain(error: subprocess.CalledProcessError) -> str:
    step = " ".join(str(part) for part in error.cmd[1:4])
    return (
        f"`{step} …` ended with {error.returncode}. See the lines above; "
        "with a package index in reach, run the command again."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
