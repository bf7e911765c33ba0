"""The page of docs: what is left out of it, and what is said when dbt fails."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pipelines.publishing import dictionary
from pipelines.publishing.dictionary import DictionaryError, write_dictionary
from pipelines.settings import Settings


@pytest.mark.parametrize("folder", ["/home/somebody/data", "C:\\Users\\somebody\\data"])
def test_the_page_does_not_tell_where_the_data_lie(folder: str) -> None:
    inside = f"read_parquet('{folder}/validated/child/*/*.parquet', union_by_name=true)"
    manifest = json.dumps({"sources": {"child": {"relation_name": inside}}})
    told = json.loads(dictionary._without_our_paths(manifest))
    expected = "read_parquet('data/validated/child/*/*.parquet', union_by_name=true)"
    assert told["sources"]["child"]["relation_name"] == expected


def test_a_source_that_is_no_file_stays_as_it_is() -> None:
    manifest = json.dumps({"sources": {"child": {"relation_name": '"validated"."child"'}}})
    assert dictionary._without_our_paths(manifest) == manifest


def test_when_dbt_fails_its_words_are_told_and_the_old_page_stays(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "manifest.json").write_text('{"sources": {}}', encoding="utf-8")
    page = tmp_path / "page.html"
    page.write_text("old", encoding="utf-8")
    monkeypatch.setattr(dictionary, "dbt_target", lambda settings: target)
    monkeypatch.setattr(dictionary, "program", lambda name: Path(sys.executable))  # knows no docs
    with pytest.raises(DictionaryError, match=r"dbt did not write the page.*--quiet"):
        write_dictionary(settings, page)
    assert page.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.glob("*.part")] == []
