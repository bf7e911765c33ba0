"""Columns of the measure models and entries of ``sources/measures`` are the same."""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.declarations import DeclarationError, Declarations
from pipelines.declarations.loading import YamlFile
from pipelines.settings import DBT_PROJECT

# The support measures are no SQL of their own: each is the field of its name.
SUBJECTS = ["child", "adopter"]
_COLUMN = re.compile(r"\bas (\w+),?\s*$")


def check_measures(declarations: Declarations, project: Path = DBT_PROJECT) -> None:
    """Raise DeclarationError, with file and line, for a column without entry or an entry without.

    Compared before anything is built, as dbt would name neither: it knows only finished tables.
    """
    for subject in SUBJECTS:
        declared = declarations.folder / "measures" / f"{subject}.yaml"
        model = project / "models" / "intermediate" / f"int_{subject}_measures.sql"
        columns = measure_columns(model)
        entries = [
            measure.name for measure in declarations.measures.values() if measure.subject == subject
        ]
        for name, line in columns.items():
            if name not in entries:
                raise DeclarationError(
                    f"{model}, line {line}: {name} has no entry in {declared}: "
                    "say there what it counts"
                )
        for position, name in enumerate(entries):
            if name not in columns:
                raise YamlFile(declared).mistake(
                    ("measures", position, "name"), f"{model} has no column {name}"
                )


def measure_columns(model: Path) -> dict[str, int]:
    """Names of the columns that the last query of a measure model gives, with their lines."""
    lines = model.read_text(encoding="utf-8").splitlines()
    # The last line that is only "select" and not indented begins the query that is the model.
    start = max(number for number, line in enumerate(lines) if line == "select")
    return {
        named[1]: number
        for number, line in enumerate(lines[start:], start + 1)
        if (named := _COLUMN.search(line))
    }
