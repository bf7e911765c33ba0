"""What the lock brings in: `licences` lists and checks them, `sbom FILE` writes an SBOM."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]


def locked(lock: str) -> list[tuple[str, str, list[str]]]:
    """Name, version and SHA-256 of the files of each locked package; a package may stand twice."""
    packages = []
    for entry in re.split(r"\n(?=\S)", lock):
        if not entry.startswith("#") and entry.strip():
            requirement = Requirement(re.split(r"\s*\\\n", entry)[0].strip())
            (version,) = requirement.specifier
            hashes = sorted(re.findall(r"--hash=sha256:(\w{64})", entry))
            packages.append((canonicalize_name(requirement.name), version.version, hashes))
    return packages


def licence(name: str, declared: dict[str, Any]) -> str:
    """SPDX expression of a package; "" if neither its metadata nor pyproject.toml states one."""
    if name in declared["stated"]:
        return declared["stated"][name]
    try:
        about: dict[str, Any] = distribution(name).metadata.json
    except PackageNotFoundError:
        return ""
    if expression := about.get("license_expression"):
        return expression
    names = [
        classifier.split(" :: ")[-1]
        for classifier in about.get("classifier", [])
        if classifier.startswith("License :: ") and classifier != "License :: OSI Approved"
    ] or [about.get("license") or ""]
    return " OR ".join(declared["names"].get(each, each) for each in names)


def is_acceptable(expression: str, acceptable: dict[str, str]) -> bool:
    """Every part joined by AND has an alternative, joined by OR, that is in the list."""
    return all(
        any(each in acceptable for each in part.strip("() ").split(" OR "))
        for part in expression.split(" AND ")
    )


def sbom(packages: list[tuple[str, str, list[str]]], declared: dict[str, Any]) -> dict[str, Any]:
    """CycloneDX 1.6, the same for the same lock: no date, no serial number, no place of a file."""
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": [
            {
                "type": "library",
                "bom-ref": f"pkg:pypi/{name}@{version}",
                "purl": f"pkg:pypi/{name}@{version}",
                "name": name,
                "version": version,
                "hashes": [{"alg": "SHA-256", "content": each} for each in hashes],
                "licenses": [{"expression": licence(name, declared)}],
            }
            for name, version, hashes in packages
        ],
    }


def main(arguments: list[str]) -> int:
    """Run the command; 1 if a licence is not in the list of pyproject.toml, 2 if misused."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    declared = project["tool"]["adoption"]["licences"]
    packages = locked((ROOT / "requirements.lock").read_text("utf-8"))
    if arguments == ["licences"]:
        wrong = 0
        for name, version, _ in packages:
            expression = licence(name, declared)
            good = is_acceptable(expression, declared["acceptable"])
            wrong += not good
            end = "" if good else " NOT IN LIST"
            print(f"{name} {version}: {expression or 'none stated'}{end}")
        return int(wrong > 0)
    if len(arguments) == 2 and arguments[0] == "sbom":
        text = json.dumps(sbom(packages, declared), indent=2) + "\n"
        Path(arguments[1]).write_text(text, "utf-8")
        return 0
    print("usage: python .ci/supply_chain.py licences | sbom FILE", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
