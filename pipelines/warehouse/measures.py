"""Columns of the measure models and entries of ``sources/measures`` are the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.declarations import DeclarationError, Declarations
from pipelines.declarations.loading import YamlFile
from pipelines.settings import DBT_PROJECT

# Models whose columns are measures. Support has none: its measures are fields, each under its name.
MODELS: Mapping[str, Sequence[str]] = {
    "child": ("int_child_flow_measures", "int_child_stock_measures"),
    "adopter": ("int_adopter_measures",),
}
_COLUMN = re.compile(r"\bas (\w+),?\s*$")


def check_measures(declarations: Declarations, project: Path = DBT_PROJECT) -> None:
    """Raise DeclarationError, with file and line, for a column without entry or an entry without.

    Compared before anything is built, as dbt would name neither: it knows only finished tables.
    """
    for subject, models in MODELS.items():
        declared = declarations.folder / "measures" / f"{subject}.yaml"
        paths = [project / "models" / "intermediate" / f"{model}.sql" for model in models]
        columns = {
            name: f"{path}, line {line}"
            for path in paths
            for name, line in measure_columns(path).items()
        }
        entries = [
            measure.name for measure in declarations.measures.values() if measure.subject == subject
        ]
        for name, place in columns.items():
            if name not in entries:
                raise DeclarationError(
                    f"{place}: {name} has no entry in {declared}: say there what it counts"
                )
        for position, name in enumerate(entries):
            if name not in columns:
                raise YamlFile(declared).mistake(
                    ("measures", position, "name"),
                    f"{' and '.join(map(str, paths))} have no column {name}",
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
