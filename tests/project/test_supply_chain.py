"""The locked packages: why each version ends where it does, licences, SBOM, wheels in a folder."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipelines.settings import CHECKOUT

PROGRAM = CHECKOUT / ".ci" / "supply_chain.py"


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True)


def _without_reason(pyproject: str) -> list[str]:
    lines = pyproject.partition("[project.scripts]")[0].splitlines()
    bound = re.compile(r'"[^"#]*(<|==)\s*\d[^"]*"')
    return [
        line
        for line in lines
        if bound.search(line) and not re.search(r"#\s*\S+\s+\S+", bound.sub("", line))
    ]


def test_every_ceiling_has_its_reason() -> None:
    assert _without_reason((CHECKOUT / "pyproject.toml").read_text("utf-8")) == []
    assert _without_reason('    "polars>=2.1,<3",\n    "ty==0.0.1", # reason given') == [
        '    "polars>=2.1,<3",'
    ]


def test_every_licence_is_in_the_list() -> None:
    run = _run(PROGRAM, "licences")
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_licence_that_is_not_in_the_list_is_found(tmp_path: Path) -> None:
    """The same program on the same lock, in a project that takes no MIT licence."""
    (tmp_path / ".ci").mkdir()
    program = Path(shutil.copyfile(PROGRAM, tmp_path / ".ci" / PROGRAM.name))
    shutil.copyfile(CHECKOUT / "requirements.lock", tmp_path / "requirements.lock")
    project = (CHECKOUT / "pyproject.toml").read_text("utf-8")
    planted = project.replace('\nMIT = "permissive"', "")
    assert planted != project
    (tmp_path / "pyproject.toml").write_text(planted, "utf-8")
    run = _run(program, "licences")
    assert run.returncode == 1
    assert re.search(r"^duckdb \S+: MIT NOT IN LIST$", run.stdout, re.MULTILINE), run.stdout


def test_the_sbom_names_every_locked_package_and_no_place(tmp_path: Path) -> None:
    run = _run(PROGRAM, "sbom", tmp_path / "sbom.json")
    assert run.returncode == 0, run.stderr
    text = (tmp_path / "sbom.json").read_text("utf-8")
    components = json.loads(text)["components"]
    lock = (CHECKOUT / "requirements.lock").read_text("utf-8")
    assert [(each["name"], each["version"]) for each in components] == re.findall(
        r"^([a-z0-9-]+)==([^\s;]+)", lock, re.MULTILINE
    )
    hashes = [hash["content"] for each in components for hash in each["hashes"]]
    assert sorted(hashes) == sorted(re.findall(r"sha256:(\w{64})", lock))
    assert all(each["licenses"][0]["expression"] for each in components)
    assert re.findall(r"\w+://[^\"]*", text) == ["http://cyclonedx.org/schema/bom-1.6.schema.json"]
    assert str(CHECKOUT) not in text and str(Path.home()) not in text


@pytest.mark.parametrize("is_changed", [False, True])
def test_a_folder_of_wheels_is_enough_and_a_changed_one_is_refused(
    tmp_path: Path, is_changed: bool
) -> None:
    wheel = tmp_path / "wheels" / "example-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    about = {
        "METADATA": "Metadata-Version: 2.1\nName: example\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "example.py,,\n",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("example.py", "")
        for name, text in about.items():
            archive.writestr(f"example-1.0.dist-info/{name}", text)
    digest = "0" * 64 if is_changed else hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"example==1.0 --hash=sha256:{digest}\n")
    command = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--require-hashes"]
    where = ["--find-links", wheel.parent, "--target", tmp_path / "site", "-r", lock]
    run = _run(*command, *where)
    assert (run.returncode == 0) is not is_changed, run.stderr
    assert (tmp_path / "site" / "example.py").exists() is not is_changed
