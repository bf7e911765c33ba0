"""Every model says what it is, every mart keeps a contract, every query runs on a second engine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines.settings import DBT_PROJECT
from pipelines.warehouse.measures import MODELS

# Constructs of DuckDB that fail or differ on Spark. They may stand in macros, where they can be
# given another spelling for another engine, and nowhere else.
NOT_PORTABLE = {
    "date_diff": r"\bdate_?diff\s*\(",
    "to_months and its like": r"\bto_(days|weeks|months|years)\s*\(",
    "interval arithmetic": r"\binterval\b",
    "strftime": r"\bstrf?ptime\s*\(|\bstrftime\s*\(",
    "dayofweek": r"\bdayofweek\b",
    "generated rows": r"\bgenerate_series\b|\brange\s*\(\s*\d|\bunnest\s*\(",
    "quantiles": r"\bquantile\w*\s*\(|\bpercentile_disc\s*\(",
    "arg_max": r"\barg_(max|min)\s*\(|\b(max|min)_by\s*\(",
    "distinct on": r"\bdistinct\s+on\b",
    "ASOF join": r"\basof\b",
    "pivot": r"\b(un)?pivot\b",
    "union by name": r"\bby\s+name\b",
    "star modifiers": r"\*\s*(exclude|replace)\b|\bcolumns\s*\(\s*\*",
    "lists, structs and maps": r"\blist_\w+\s*\(|\bstruct_pack\s*\(|\bmap\s*\{|\[\s*\d",
    "ordered string_agg": r"\bstring_agg\s*\(|\bgroup_concat\s*\(",
    "integer division": r"(?<![:/])//(?!/)",
    "hash": r"\bhash\s*\(",
    "regular expressions": r"\bregexp_\w+\s*\(",
    "reading files": r"\bread_(parquet|csv|json)\w*\s*\(",
    "quoted identifiers": r'"',
    "QUALIFY and GROUP BY ALL": r"\bqualify\b|\bgroup\s+by\s+all\b",
    "concat of possibly empty text": r"\bconcat\s*\(",
    "greatest and least of possibly empty values": r"\b(greatest|least)\s*\(",
}


@pytest.fixture(scope="module")
def manifest(warehouse) -> dict[str, Any]:
    return json.loads((warehouse.folder / "target" / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    found = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    assert found
    return found


def _built_columns(warehouse, model: dict[str, Any]) -> set[str]:
    path = warehouse.settings.build / f"{model['database']}.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(
            """
            select column_name from information_schema.columns
            where table_schema = ? and table_name = ?
            """,
            [model["schema"], model["name"]],
        ).fetchall()
    return {name for (name,) in rows}


@pytest.fixture(scope="module")
def declared_columns(warehouse) -> dict[str, dict[str, dict[str, Any]]]:
    """Columns of declared tables and of returns by name of table, as the build read them."""
    path = warehouse.settings.validated / "declarations" / "declared_columns.parquet"
    tables: dict[str, dict[str, dict[str, Any]]] = {}
    for row in pl.read_parquet(path).iter_rows(named=True):
        tables.setdefault(row["table_name"], {})[row["column_name"]] = row
    return tables


def _declared_in(model: dict[str, Any]) -> str | None:
    return model["config"]["meta"].get("declared")


def test_every_model_says_first_what_a_row_is(models) -> None:
    unclear = [m["name"] for m in models if not m["description"].startswith("One row per ")]
    assert unclear == []


def test_every_column_is_described(warehouse, models, declared_columns) -> None:
    missing = []
    measures = warehouse.declarations.measures
    for model in models:
        described = {name for name, column in model["columns"].items() if column["description"]}
        if table := _declared_in(model):
            described |= set(declared_columns[table])
        for subject, names in MODELS.items():
            if model["name"] in names:
                described |= {name for name in measures if measures[name].subject == subject}
        built = _built_columns(warehouse, model)
        assert built, f"{model['name']} was not built"
        missing += [f"{model['name']}.{column}" for column in sorted(built - described)]
        missing += [f"{model['name']}.{column} (gone)" for column in set(model["columns"]) - built]
    assert missing == []


def test_a_declared_column_is_described_and_typed_as_it_is_declared(
    warehouse, models, declared_columns
) -> None:
    """Its comment and its type come from the typed model and are written nowhere else."""
    path = warehouse.settings.build / "warehouse.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(
            "select table_name, column_name, data_type, comment from duckdb_columns() "
            "where schema_name = 'marts'"
        ).fetchall()
    built = {(table, column): (kind, comment) for table, column, kind, comment in rows}
    types = {
        "string": "VARCHAR",
        "bigint": "BIGINT",
        "double": "DOUBLE",
        "boolean": "BOOLEAN",
        "date": "DATE",
    }
    dimensions = [m for m in models if m["schema"] == "marts" and _declared_in(m)]
    assert len(dimensions) >= 8
    for model in dimensions:
        for name, column in declared_columns[_declared_in(model)].items():
            expected = (types[column["data_type"]], column["description"])
            assert built[model["name"], name] == expected
            assert column["description"], f"{model['name']}.{name}"


def test_every_source_is_described(manifest) -> None:
    assert [s["name"] for s in manifest["sources"].values() if not s["description"]] == []


def test_every_mart_keeps_an_enforced_contract(models) -> None:
    """All but those whose columns are declared, which the typed model checks before the build."""
    marts = [m for m in models if "/marts/" in f"/{Path(m['path']).as_posix()}"]
    assert marts
    free = {m["name"] for m in marts if not m["contract"]["enforced"]}
    assert free == {m["name"] for m in marts if _declared_in(m)}


# Where a row too many would multiply others; the keys of the rest are what their rows are grouped
# by, or come again in a mart.
JOINED_BY = {
    "int_return",
    "int_place_tree",
    "int_window",
    "int_series",
    "int_coverage_by_window",
    "int_case_measure",
}


# Rows of the table named, column by column.
COPIES = {
    "dim_place_sender": "int_place_tree",
    "dim_window": "int_window",
    "dim_quarter": "stg_quarter",
    "dim_rule": "stg_rule",
    "fct_coverage": "int_coverage_by_window",
    "fct_return": "int_return",
    "fct_return_status": "stg_return_status",
    "fct_submission": "stg_submission",
}


def test_every_table_that_is_published_or_joined_to_has_a_tested_key(manifest, models) -> None:
    tested = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and node["test_metadata"]["name"] in ("unique", "unique_together")
    }
    # A view has the rows of its table, whose key is tested, and a declared table those of staging.
    tables = [
        model
        for model in models
        if model["config"]["materialized"] == "table"
        and not (model["schema"] == "marts" and _declared_in(model))
        and (model["schema"] != "intermediate" or model["name"] in JOINED_BY)
    ]
    by_name = {model["name"]: model for model in models}
    for copy, original in COPIES.items():
        assert by_name[copy]["depends_on"]["nodes"] == [by_name[original]["unique_id"]]
        if by_name[original]["unique_id"] in tested:
            tested.add(by_name[copy]["unique_id"])
    untested = [m["name"] for m in tables if m["unique_id"] not in tested]
    assert untested == ["stg_problem"]  # two problems of a row may be the same in every column


def test_names_begin_with_the_room_they_are_in(models) -> None:
    prefixes = {"staging": ("stg_",), "intermediate": ("int_",), "marts": ("fct_", "dim_", "rpt_")}
    wrong = [m["name"] for m in models if not m["name"].startswith(prefixes[m["schema"]])]
    assert wrong == ["catalogue"]  # a newcomer looks for it before knowing any prefix


def test_dagster_finds_room_and_name_as_the_asset_key(manifest, models) -> None:
    from dagster import AssetKey
    from dagster_dbt.asset_utils import default_asset_key_fn

    for model in models:
        assert default_asset_key_fn(model) == AssetKey([model["schema"], model["name"]])
    for source in manifest["sources"].values():
        assert default_asset_key_fn(source) == AssetKey(["validated", source["name"]])


def test_case_level_marts_lie_in_a_database_of_their_own(models) -> None:
    for model in models:
        holds_cases = any(name.endswith("_pseudonym") for name in model["columns"])
        if model["schema"] == "marts":
            assert model["database"] == ("restricted" if holds_cases else "warehouse")
        else:
            assert model["database"] == "work"


def _without_comments(sql: str) -> str:
    sql = re.sub(r"\{#.*?#\}", " ", sql, flags=re.DOTALL)
    return re.sub(r"--[^\n]*", " ", sql)


@pytest.mark.parametrize(
    "path", sorted((DBT_PROJECT / "models").rglob("*.sql")), ids=lambda p: p.stem
)
def test_models_use_no_sql_that_only_duckdb_understands(path: Path) -> None:
    sql = _without_comments(path.read_text(encoding="utf-8")).lower()
    found = [name for name, pattern in NOT_PORTABLE.items() if re.search(pattern, sql)]
    assert found == []


def test_a_model_can_be_read(warehouse, models) -> None:
    """One loop at most, and no more SQL than fits on a few pages once macros are written out."""
    paths = [DBT_PROJECT / model["original_file_path"] for model in models]
    lines = [len(path.read_text(encoding="utf-8").splitlines()) for path in paths]
    assert median(lines) < 60
    assert max(lines) < 200
    loops = {path.stem: path.read_text(encoding="utf-8").count("{%- for") for path in paths}
    assert {name: count for name, count in loops.items() if count > 1} == {}
    compiled = warehouse.folder / "target" / "compiled" / "adoption"
    sizes = {
        model["name"]: (compiled / model["original_file_path"]).stat().st_size for model in models
    }
    assert {name: size for name, size in sizes.items() if size >= 10_000} == {}


def test_the_search_for_unportable_sql_finds_what_it_should() -> None:
    samples = {
        "date_diff": "select date_diff('day', a, b)",
        "interval arithmetic": "select a + interval 6 month",
        "distinct on": "select distinct on (a) b",
        "star modifiers": "select * exclude (a)",
        "integer division": "select 7 // 2",
        "pivot": "unpivot t on a",
    }
    for name, sql in samples.items():
        assert re.search(NOT_PORTABLE[name], sql), name


def test_stocks_are_called_waiting_and_only_stocks_are(warehouse) -> None:
    """A stock summed over quarters would be wrong, and the name is how a reader can tell."""
    for measure in warehouse.declarations.measures.values():
        if measure.subject != "support":  # where a measure has the name of its field
            assert ("_waiting_" in measure.name) == (measure.timing == "stock"), measure.name
