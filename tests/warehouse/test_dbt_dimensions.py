"""The warehouse explains itself: comments, and what rules, measures and codes mean."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from expectations.rules import RULES
from pipelines.declarations import DeclarationError, Declarations
from pipelines.readers import sentences
from pipelines.settings import SOURCES, Settings
from pipelines.warehouse.published import PUBLISHED
from pipelines.warehouse.tables import write_tables


@pytest.mark.parametrize("database", PUBLISHED)
def test_every_table_and_column_carries_its_description_as_a_comment(warehouse, database) -> None:
    manifest = json.loads(
        (warehouse.folder / "target" / "manifest.json").read_text(encoding="utf-8")
    )
    described = {
        (node["name"], column): text
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["database"] == database
        for column, text in [
            (None, node["description"]),
            *((name, column["description"]) for name, column in node["columns"].items()),
        ]
    }
    # Columns of declarations are described in the typed model, which dbt does not know.
    path = warehouse.settings.validated / "declarations" / "declared_columns.parquet"
    declared = {
        (node["name"], row["column_name"]): row["description"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["database"] == database
        if node["config"]["meta"].get("declared")
        for row in pl.read_parquet(path).iter_rows(named=True)
        if row["table_name"] == node["config"]["meta"]["declared"]
    }
    described |= declared
    told = warehouse.query(
        """
        select table_name, null as column_name, comment from duckdb_tables()
        union all
        select view_name, null, comment from duckdb_views() where not internal
        union all
        select table_name, column_name, comment from duckdb_columns() where not internal
        """,
        database=database,
    )
    comments = {(row["table_name"], row["column_name"]): row["comment"] for row in told}
    assert comments == described
    assert all(comments.values())
    assert len(comments) > 10


# --- rules ------------------------------------------------------------------------------------


def test_every_code_a_sender_can_meet_in_a_file_or_a_row_can_be_looked_up(warehouse) -> None:
    found = {row["code"] for row in warehouse.query("select code from marts.dim_rule")}
    of_rows = {rule.code for rules in RULES.values() for rule in rules}
    of_files = {rule.code for rule in sentences.file_rules()}
    of_fields = {"REQUIRED", "DATE", "NUMBER", "CODE", "LENGTH", "RANGE", "FUTURE", "UNIQUE"}
    assert of_rows | of_files | of_fields <= found


def test_a_rule_of_a_field_says_it_of_that_field_in_both_languages(warehouse, declarations) -> None:
    (found,) = warehouse.query(
        """
        select sentence_en, sentence_cy, severity from marts.dim_rule
        where code = 'DATE' and return_name = 'adopter' and field = 'approved_on'
        """
    )
    title = declarations.returns["adopter"].field("approved_on").title
    assert f"“{title.en}” is not a date" in found["sentence_en"]
    assert f"“{title.cy}”" in found["sentence_cy"]
    assert found["severity"] == "error"


def test_the_sentence_of_a_file_shows_an_ellipsis_for_a_place_and_no_placeholder(warehouse) -> None:
    rows = warehouse.query("select * from marts.dim_rule where return_name = ''")
    shown = {(row["code"], row["severity"]): row["sentence_en"] for row in rows}
    assert shown["F203", "error"] == "Sheet … has no column “…”, which is required."
    assert shown["F211", "error"] != shown["F211", "query"]
    assert {row["field"] for row in rows} == {""}
    assert not [row for row in rows for text in row.values() if "{" in text or "}" in text]


# --- measures ---------------------------------------------------------------------------------


def test_every_measure_of_a_figure_is_explained(warehouse) -> None:
    explained = warehouse.query("select subject, measure from marts.dim_measure order by all")
    counted = warehouse.query(
        """
        select distinct subject, measure
        from intermediate.int_sender_measure
        join staging.stg_measure using (measure_number, subject)
        order by all
        """,
        database="work",
    )
    assert [row for row in counted if row not in explained] == []
    assert len(counted) > 40


def test_a_measure_is_described_as_it_is_declared(warehouse, declarations) -> None:
    rows = warehouse.query("select * from marts.dim_measure")
    assert {row["measure"] for row in rows} == set(declarations.measures)
    for row in rows:
        measure = declarations.measures[row["measure"]]
        assert (row["caption_en"], row["caption_cy"]) == (measure.caption.en, measure.caption.cy)
        assert (row["subject"], row["timing"]) == (measure.subject, measure.timing)
        assert (row["part_of"], row["event"]) == (measure.part_of, measure.event)
        assert row["needs_placement_order"] is measure.needs_placement_order


def test_indicators_of_stocks_are_made_of_stocks_and_others_are_not(warehouse) -> None:
    wrong = warehouse.query(
        """
        select indicator_id, measure
        from marts.dim_indicator as indicator
        join marts.dim_measure as counted on measure in (numerator, denominator)
        where counted.timing <> indicator.timing
        """
    )
    assert wrong == []


def test_a_measure_without_an_entry_stops_the_build(warehouse, tmp_path: Path) -> None:
    """Tables are written first, and none is where a column and the entries differ."""
    sources = Path(shutil.copytree(SOURCES, tmp_path / "sources"))
    path = sources / "measures" / "adopter.yaml"
    text = path.read_text(encoding="utf-8")
    entry = "- name: households_matched\n"
    assert text.count(entry) == 1
    path.write_text(text.replace(entry, "- name: households_paired\n"), encoding="utf-8")
    path.write_text(
        path.read_text(encoding="utf-8").replace("  event: households_matched\n", ""),
        encoding="utf-8",
    )
    settings = Settings(data=tmp_path / "data", key_file=tmp_path / "unused.key")
    with pytest.raises(
        DeclarationError, match=r"sql, line \d+: households_matched has no entry in"
    ):
        write_tables(settings, Declarations(sources))
    assert not settings.validated.exists()


def test_a_measure_in_the_warehouse_without_an_entry_fails_its_test(
    warehouse, tmp_path: Path
) -> None:
    """dbt compares the finished table, whatever its SQL looks like."""
    copy = warehouse.copy_to(tmp_path / "copy")
    path = copy.settings.validated / "declarations" / "measures.parquet"
    rows = pl.read_parquet(path)
    assert "households_enquired" in rows["measure"]
    rows.filter(pl.col("measure") != "households_enquired").write_parquet(path)
    test = "not_null_int_case_measure_measure_number"
    with pytest.raises(pytest.fail.Exception, match=test):
        copy.dbt(
            "build",
            "--select",
            "stg_measure",
            "int_case_measure",
            "--exclude-resource-type",
            "unit_test",
        )
