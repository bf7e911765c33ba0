"""The Welsh of the program as it is committed: complete, and up to date with the code."""

from __future__ import annotations

import pytest

from pipelines.text import catalogue
from pipelines.text.catalogue import CATALOGUES, catalogue_files
from pipelines.text.extraction import as_text, parts_of_the_program, updated
from pipelines.text.review import translations_of

PARTS = parts_of_the_program()


@pytest.mark.parametrize("part", PARTS)
def test_every_sentence_has_its_welsh_with_the_same_placeholders(part: str) -> None:
    wrong = [row for row in translations_of(part) if row.state not in ("unreviewed", "reviewed")]
    assert wrong == []


@pytest.mark.parametrize("part", PARTS)
def test_a_catalogue_is_as_an_update_would_write_it(part: str) -> None:
    path = CATALOGUES / f"{part}.po"
    catalogue = updated(part)
    written = path.read_text(encoding="utf-8") if path.exists() else None
    assert written == (None if catalogue is None else as_text(catalogue))


def test_there_is_no_catalogue_of_a_part_that_does_not_exist() -> None:
    assert {path.stem for path in catalogue_files()} <= set(PARTS)


def test_the_catalogues_that_have_to_be_there_are_those_that_are() -> None:
    assert {path.stem for path in catalogue_files()} == set(catalogue.PARTS)
