"""Where each column of a model comes from, read off its SQL.

dagster-dbt can tell it too, but asks the database for every model once the build is done: 4 CPU s
more on each build of 9. Reading all SQL here takes that long once; afterwards a model is read only
when its SQL or a parent's columns changed, which leaves 0.1 s.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.files import write_whole

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.lineage import Node

_DIALECT = "duckdb"
_PREFIX = "relation__"
_PARQUET = re.compile(r"read_parquet\('([^']*)'[^)]*\)", re.IGNORECASE)

# Names of columns by name of the parent they are in: ("stg_child", "matched_on").
Origin = tuple[str, str]


def in_a_few_words(origins: Sequence[Origin], at_most: int = 3) -> str:
    """``stg_child: matched_on, placed_on; int_window: 12 columns``, for a narrow cell."""
    by_parent: dict[str, list[str]] = {}
    for parent, name in origins:
        by_parent.setdefault(parent, []).append(name)
    parts = (
        f"{parent}: {', '.join(names) if len(names) <= at_most else f'{len(names)} columns'}"
        for parent, names in by_parent.items()
    )
    return "; ".join(parts) or "–"


class ColumnLineage:
    """Origins of columns, a model at a time, in the order in which dbt builds them.

    ``known`` holds what was found earlier; :meth:`keep` writes it for the next time.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known: dict[str, Any] = _read(memory)
        self._columns: dict[str, list[str]] = {}
        self._is_new = False

    def of(self, model: str, sql: str) -> dict[str, list[Origin]] | None:
        """Origins of each column of ``model`` in its direct parents; None where nobody can tell.

        A column that is counted or constant has none. Parents that were not asked about before
        are taken to have the columns that the SQL names.
        """
        sql = _PARQUET.sub(lambda found: f"sources.{_source_name(found[1])}", sql)
        sealed = self._seal(sql)
        known = self._known.get(model)
        if known is None or known["seal"] != sealed:
            known = {"seal": sealed, **_origins(sql, self._columns)}
            self._known[model] = known
            self._is_new = True
        self._columns[model] = known["columns"]
        if known["origins"] is None:
            return None
        return {
            column: [(parent, name) for parent, name in origins]
            for column, origins in known["origins"].items()
        }

    def keep(self) -> None:
        if self._is_new:
            text = json.dumps(self._known)
            write_whole(self._memory, lambda path: path.write_text(text, encoding="utf-8"))

    def _seal(self, sql: str) -> str:
        """Hash of everything the answer depends on: the SQL and the columns of what it names."""
        named = {name: columns for name, columns in self._columns.items() if name in sql}
        parts = [sql, sorted(named.items())]
        return hashlib.sha256(json.dumps(parts).encode("utf-8")).hexdigest()


def _read(memory: Path) -> dict[str, Any]:
    try:
        return json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # lost or half written: it is found again
        return {}


def _source_name(location: str) -> str:
    """``…/child/*/*.parquet`` is child, ``…/submissions.parquet`` is submissions."""
    parts = [part for part in re.split(r"[/\\]", location) if "*" not in part]
    return parts[-1].removesuffix(".parquet")


def _origins(sql: str, columns: Mapping[str, list[str]]) -> dict[str, Any]:
    """``columns`` of the query in order, and their ``origins``; None where sqlglot gives up."""
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    try:
        query = parse_one(sql, dialect=_DIALECT)
        _rename_relations(query)
        schema = {_relation(name): dict.fromkeys(found, "text") for name, found in columns.items()}
        query = qualify(query, schema=schema, dialect=_DIALECT, validate_qualify_columns=False)
        scope = build_scope(query)
        if scope is None or not isinstance(query, exp.Query):
            return {"columns": [], "origins": None}
        # All columns in one call: one at a time took 36 s for the 1,490 of 74 models.
        nodes = lineage(
            None, query, schema, scope=scope, dialect=_DIALECT, trim_selects=False, copy=False
        )
    except (SqlglotError, RecursionError):
        return {"columns": [], "origins": None}
    return {
        "columns": query.named_selects,
        "origins": {name: _leaves(node) for name, node in nodes.items()},
    }


def _rename_relations(query: exp.Expr) -> None:
    """A model may have the name of a query within the query; a relation has a schema before it."""
    from sqlglot import exp

    for table in query.find_all(exp.Table):
        if table.args.get("db") is not None:
            table.set("this", exp.to_identifier(_relation(table.name)))
            table.set("db", None)
            table.set("catalog", None)


def _relation(name: str) -> str:
    return f"{_PREFIX}{name}"


def _leaves(node: Node) -> list[Origin]:
    """Columns of relations that a column rests on; a query within is met once."""
    from sqlglot import exp

    found, seen, waiting = set(), {id(node)}, [node]
    while waiting:
        one = waiting.pop()
        for below in one.downstream:
            if id(below) not in seen:
                seen.add(id(below))
                waiting.append(below)
        if one.downstream or not isinstance(one.expression, exp.Table):
            continue
        name, column = one.expression.name, one.name.rpartition(".")[2].strip('"')
        if name.startswith(_PREFIX) and column != "*":  # not rows that are counted
            found.add((name.removeprefix(_PREFIX), column))
    return sorted(found)
