"""The warehouse explains itself: comments, and what rules, measures and codes mean."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from expectations.rules import RULES
from pipelines.readers import sentences
from pipelines.settings import DBT_PROJECT
from pipelines.warehouse.published import PUBLISHED


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
        from (unpivot intermediate.int_sender_measure
            on * exclude (
                sender_code, quarter, subject, part_id, is_total, breakdown, breakdown_value
            )
            into name measure value amount)
        order by all
        """,
        database="work",
    )
    assert [row for row in counted if row not in explained] == []
    assert len(counted) > 40


def test_a_caption_is_the_comment_above_the_measure(warehouse) -> None:
    rows = warehouse.query("select * from marts.dim_measure")
    found = {row["measure"]: (row["caption"], row["is_stock"]) for row in rows}
    assert found["children_adopted"] == ("Adopted in the quarter.", False)
    assert found["households_waiting_for_match"] == (
        "Approved and neither matched nor gone on the quarter's last day.",
        True,
    )
    assert found["contact_arrangements_active"][1] is True
    assert len({(row["subject"], row["caption"]) for row in rows}) == len(rows)


def test_indicators_of_stocks_are_made_of_stocks_and_others_are_not(warehouse) -> None:
    wrong = warehouse.query(
        """
        select indicator_id, measure
        from marts.dim_indicator
        join marts.dim_measure on measure in (numerator, denominator)
        where is_stock <> (timing = 'stock')
        """
    )
    assert wrong == []


def test_a_measure_without_a_caption_stops_the_build(warehouse, tmp_path: Path) -> None:
    project = tmp_path / "dbt_project"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    model = project / "models" / "intermediate" / "int_adopter_measures.sql"
    sql = model.read_text(encoding="utf-8")
    assert sql.count("    -- Enquired in the quarter.\n") == 1
    bare = sql.replace("    -- Enquired in the quarter.\n", "")
    model.write_text(bare, encoding="utf-8")
    command = [sys.executable, "-m", "dbt.cli.main", "compile", "--select", "dim_measure"]
    command += ["--project-dir", str(project), "--profiles-dir", str(project)]
    command += ["--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs")]
    finished = subprocess.run(
        command,
        env=os.environ | {"ADOPTION_DATA": warehouse.folder.as_posix()},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert finished.returncode != 0
    assert "int_adopter_measures: no caption above households_enquired" in finished.stdout


# --- codes ------------------------------------------------------------------------------------


def test_every_declared_code_has_its_labels(warehouse, declarations) -> None:
    rows = warehouse.query("select code_list, code, label_en, label_cy from marts.dim_code")
    declared = {
        (name, code.code, code.label_en, code.label_cy)
        for name, codes in declarations.code_lists.items()
        for code in codes
    }
    assert {tuple(row.values()) for row in rows} == declared
    assert len(rows) == len(declared)
