"""A measure is a column and an entry: one without the other is refused, with file and line."""

from __future__ import annotations

import shutil
from itertools import chain
from pathlib import Path

import pytest

from pipelines.declarations import DeclarationError, Declarations
from pipelines.settings import DBT_PROJECT, SOURCES
from pipelines.warehouse.measures import MODELS, check_measures, measure_columns


def test_columns_and_entries_are_the_same(declarations: Declarations) -> None:
    check_measures(declarations)
    folder = DBT_PROJECT / "models" / "intermediate"
    columns = measure_columns(folder / "int_child_flow_measures.sql")
    assert len(columns) > 40
    assert "is_matched_now" not in columns


def test_a_column_without_an_entry_is_refused_with_its_line(tmp_path: Path) -> None:
    sources = Path(shutil.copytree(SOURCES, tmp_path / "sources"))
    path = sources / "measures" / "adopter.yaml"
    text = path.read_text(encoding="utf-8")
    start = text.index("- name: households_waiting_for_placement")
    path.write_text(text[:start], encoding="utf-8")
    (sources / "indicators" / "G20.yaml").unlink()
    with pytest.raises(
        DeclarationError,
        match=r"int_adopter_measures\.sql, line \d+: households_waiting_for_placement has no entry",
    ):
        check_measures(Declarations(sources))


def test_an_entry_without_a_column_is_refused_with_its_line(
    tmp_path: Path, declarations: Declarations
) -> None:
    folder = tmp_path / "models" / "intermediate"
    folder.mkdir(parents=True)
    for model in chain(*MODELS.values()):
        name = f"{model}.sql"
        text = (DBT_PROJECT / "models" / "intermediate" / name).read_text(encoding="utf-8")
        (folder / name).write_text(
            text.replace("as children_disrupted,", "as disrupted,"), encoding="utf-8"
        )
    with pytest.raises(
        DeclarationError, match=r"int_child_flow_measures\.sql, line \d+: disrupted has no"
    ):
        check_measures(declarations, tmp_path)
    text = (folder / "int_child_flow_measures.sql").read_text(encoding="utf-8")
    gone = "case when {{ in_quarter('disrupted_on') }} then 1 else 0 end as disrupted,"
    assert gone in text
    (folder / "int_child_flow_measures.sql").write_text(text.replace(gone, ""), encoding="utf-8")
    with pytest.raises(
        DeclarationError, match=r"child\.yaml, line \d+: .* have no column children_disrupted"
    ):
        check_measures(declarations, tmp_path)
