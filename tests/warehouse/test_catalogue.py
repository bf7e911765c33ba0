"""The catalogue inside the warehouse tells of every table and column there is, and of no other."""

from __future__ import annotations

COLUMNS = """
    select database_name, table_name, column_index as position, column_name
    from duckdb_columns()
    where schema_name = 'marts' and not internal
"""


def _listed(warehouse) -> dict[tuple[str, str, int], dict]:
    rows = warehouse.query("select * from marts.catalogue")
    return {(row["database_name"], row["table_name"], row["position"]): row for row in rows}


def test_every_column_of_both_files_is_listed_in_its_place(warehouse) -> None:
    there = {
        (database, row["table_name"], row["position"]): row["column_name"]
        for database in ("warehouse", "restricted")
        for row in warehouse.query(COLUMNS, database=database)
    }
    listed = {key: row["column_name"] for key, row in _listed(warehouse).items() if key[2]}
    assert listed == there
    assert len(listed) > 300


def test_every_table_says_in_a_sentence_what_it_holds(warehouse) -> None:
    tables = {key[1]: row for key, row in _listed(warehouse).items() if not key[2]}
    assert {"fct_indicator", "dim_place", "fct_child_measure", "catalogue"} <= tables.keys()
    assert [name for name, row in tables.items() if "One row per" not in row["description"]] == []
    assert tables["fct_child_measure"]["database_name"] == "restricted"
    assert tables["fct_indicator"]["column_name"] is None


def test_a_description_is_the_comment_of_its_column(warehouse) -> None:
    comments = warehouse.query(
        """
        select table_name, column_name, comment from duckdb_columns()
        where schema_name = 'marts' and not internal
        """
    )
    told = {
        (row["table_name"], row["column_name"]): row["description"]
        for row in _listed(warehouse).values()
    }
    differing = [
        (row["table_name"], row["column_name"])
        for row in comments
        if " ".join((row["comment"] or "").split())
        != " ".join(told[row["table_name"], row["column_name"]].split())
    ]
    assert differing == []
