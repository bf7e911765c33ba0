"""What the marts and their columns hold, as dbt's property files and the declarations say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipelines.settings import DBT_PROJECT
from pipelines.warehouse.declared import Column, DeclaredTable


def marts_described(
    declared: Mapping[str, Sequence[Column]], project: Path = DBT_PROJECT
) -> DeclaredTable:
    """One row for each mart and, after it, one for each of its columns, in their order.

    A mart whose columns are ``declared`` has those first.
    """
    return DeclaredTable(
        [
            Column("database_name", "string", "The file it lies in."),
            Column("table_name", "string", "The table."),
            Column("position", "bigint", "Position of the column, from 1; 0 for the table."),
            Column("column_name", "string", "The column; empty for the table itself."),
            Column("kind", "string", "Type of the column; for a table, table or view."),
            Column("description", "string", "What it holds."),
        ],
        sorted(_rows(declared, project / "models" / "marts"), key=_place),
    )


def _place(row: Mapping[str, Any]) -> tuple[str, str, int]:
    return row["database_name"], row["table_name"], row["position"]


def _rows(declared: Mapping[str, Sequence[Column]], marts: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(marts.rglob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for model in content.get("models", ()):
            config = model.get("config", {})
            columns = [
                *declared.get(config.get("meta", {}).get("declared"), ()),
                *(
                    Column(column["name"], column["data_type"], column["description"])
                    for column in model.get("columns", ())
                ),
            ]
            mart = {
                "database_name": "restricted" if path.parent.name == "restricted" else "warehouse",
                "table_name": model["name"],
            }
            kind, description = config.get("materialized", "table"), model["description"]
            yield mart | {"position": 0, "kind": kind, "description": description}
            for position, column in enumerate(columns, 1):
                yield mart | {
                    "position": position,
                    "column_name": column.name,
                    "kind": column.data_type,
                    "description": column.description,
                }
