"""One Welsh word for each term, in every catalogue and every declared sentence."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml

from pipelines.declarations import Declarations
from pipelines.declarations.glossary import Term, wrong_words
from pipelines.settings import SOURCES
from pipelines.text.catalogue import catalogue_files, read_catalogue

TERMS = Declarations(SOURCES).glossary
FILES = sorted({*SOURCES.rglob("*.yaml"), *SOURCES.rglob("*.csv")} - {SOURCES / "glossary.csv"})


def _sentences(content: object) -> list[tuple[str, str]]:
    if isinstance(content, list):
        return [pair for part in content for pair in _sentences(part)]
    if not isinstance(content, dict):
        return []
    if {"en", "cy"} <= set(content):
        return [(content["en"], content["cy"])]
    return [pair for part in content.values() for pair in _sentences(part)]


def _declared(path: Path) -> list[tuple[str, str]]:
    if path.suffix == ".yaml":
        return _sentences(yaml.safe_load(path.read_text(encoding="utf-8")))
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    names = [name[:-3] for name in (rows[0] if rows else {}) if name.endswith("_en")]
    return [(row[f"{name}_en"], row[f"{name}_cy"]) for row in rows for name in names]


def _said(pairs: list[tuple[str, str]]) -> list[str]:
    return [
        f"{wrong} in: {english} | {welsh}"
        for english, welsh in pairs
        for wrong in wrong_words(TERMS, english, welsh)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_declared_welsh_has_the_words_of_the_glossary(path: Path) -> None:
    wrong = _said(_declared(path))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", catalogue_files(), ids=lambda path: path.name)
def test_translated_welsh_has_the_words_of_the_glossary(path: Path) -> None:
    pairs = []
    for message in read_catalogue(path):
        english = [message.id] if isinstance(message.id, str) else list(message.id)
        welsh = [message.string] if isinstance(message.string, str) else list(message.string or ())
        if message.id:  # the first entry is the header
            pairs.append((" ".join(english), " ".join(filter(None, welsh))))
    wrong = _said(pairs)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("english", "welsh", "wrong"),
    [
        ("Households approved", "Aelwydydd a gymeradwywyd", []),
        ("Households approved", "Cartrefi a gymeradwywyd", ["Cartrefi"]),
        ("Of a household", "O gartref", ["gartref"]),
        ("In my household", "Yn fy nghartref", ["nghartref"]),
        ("Household and home", "Aelwyd a chartref", []),
        ("Homes", "Cartrefi", []),
        ("Three queries", "Tri chwestiwn", ["chwestiwn"]),
    ],
)
def test_a_wrong_word_is_found_however_it_begins(english, welsh, wrong) -> None:
    household = Term(
        term_en="household", term_cy="aelwyd", not_cy="cartref", unless_en="home", note=""
    )
    query = Term(term_en="query", term_cy="ymholiad", not_cy="cwestiwn", unless_en="", note="")
    assert [found.word for found in wrong_words([household, query], english, welsh)] == wrong
