"""dbt's tests as statements: a name that reads as one, and a sentence that says what holds.

``unique_together_fct_return_sender_code__quarter__return_name`` becomes
``every_row_has_its_own_key``: no two rows have the same sender_code, quarter and return_name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_]+")

# What Dagster needs of a manifest. Macros and unit tests are half of it, held by every process.
_NEEDED = (
    "metadata",
    "sources",
    "exposures",
    "metrics",
    "semantic_models",
    "saved_queries",
    "functions",
    "selectors",
    "groups",
    "parent_map",
)


def with_statements(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest as Dagster is to see it: tests under their statements, unneeded parts left out.

    Names stay unique for each model, as Dagster wants them.
    """
    taken: set[tuple[str | None, str]] = set()
    nodes = {}
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] == "test":
            node = _with_statement(node, taken)
        nodes[unique_id] = node
    children = {
        unique_id: [child for child in children if not child.startswith("unit_test.")]
        for unique_id, children in manifest["child_map"].items()
        if not unique_id.startswith("unit_test.")
    }
    needed = {name: manifest[name] for name in _NEEDED if name in manifest}
    return {**needed, "nodes": nodes, "child_map": children}


def _with_statement(node: Mapping[str, Any], taken: set[tuple[str | None, str]]) -> dict[str, Any]:
    name, sentence = _statement(node)
    name = _NOT_A_NAME.sub("_", name)
    model = node.get("attached_node")
    if (model, name) in taken:
        name = _NOT_A_NAME.sub("_", node["name"])
    taken.add((model, name))
    description = node.get("description") or sentence
    return {**node, "name": name, "meta": {**node.get("meta", {}), "description": description}}


def _statement(node: Mapping[str, Any]) -> tuple[str, str]:
    metadata = node.get("test_metadata") or {}
    given = metadata.get("kwargs", {})
    column = given.get("column_name") or ""
    match metadata.get("name"):
        case "unique_together":
            columns = list(given.get("columns", ()))
            return "every_row_has_its_own_key", f"No two rows have the same {_and(columns)}."
        case "unique":
            return f"no_two_rows_share_{column}", f"No two rows have the same {column}."
        case "not_null":
            return f"{column}_is_never_empty", f"Every row has a {column}."
        case "relationships":
            tables = re.sub(r"\W+", " ", given.get("to", "")).split()
            table = tables[-1] if tables else "the other table"
            return f"every_{column}_is_in_{table}", f"Every {column} is one of those in {table}."
        case "accepted_values":
            values = _and([str(value) for value in given.get("values", ())])
            return f"every_{column}_is_a_known_one", f"Every {column} is one of {values}."
        case "known":
            pairs = given.get("columns", {}).items()
            where = _and([f"{name} in {dimension}" for name, dimension in pairs])
            return "every_code_is_known", f"Every code is in its dimension: {where}."
        case "one_of":
            allowed = "; ".join(
                f"{name}: {', '.join(str(word) for word in words)}"
                for name, words in given.get("columns", {}).items()
            )
            return (
                "every_word_is_a_known_one",
                f"Each column holds only the words allowed. {allowed}.",
            )
        case "measured":
            return (
                f"every_{column}_is_a_measure",
                f"Every {column} of an indicator is a measure that some return gives.",
            )
        case "parts_add_up":
            return (
                "parts_add_up_to_the_total",
                "The parts of each breakdown add up to the total, in every measure of every "
                "return.",
            )
    return node["name"], f"{node['name'].replace('_', ' ').strip().capitalize()}."


def _and(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
