"""Declared Welsh is not reviewed unless the register says so of the Welsh as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.declarations import DeclarationError
from pipelines.declarations.welsh import REGISTER, declared_welsh, read_reviews, sentences_of

INDICATOR = """\
id: W01
title: {en: Children referred, cy: Plant a gyfeiriwyd}
parts:
- id: first
  text: {en: One, cy: Un}
"""
CODES = "code,label_en,label_cy,since\nPR1,Own,Ei hun,\nPR1,Own,Ei hun ei hun,2027-28-Q1\n"
HEADER = "file,place,reviewed_on,reviewer_role,welsh_hash\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "W01.yaml").write_text(INDICATOR, encoding="utf-8")
    (tmp_path / "codes.csv").write_text(CODES, encoding="utf-8")
    (tmp_path / REGISTER).write_text(HEADER, encoding="utf-8")
    return tmp_path


def review(folder: Path, file: str, place: str, welsh_hash: str) -> None:
    with (folder / REGISTER).open("a", encoding="utf-8") as handle:
        handle.write(f"{file},{place},2027-01-31,translator,{welsh_hash}\n")


def test_every_text_in_two_languages_has_a_place_that_others_do_not_move(folder: Path) -> None:
    assert [(sentence.file, sentence.place) for sentence in sentences_of(folder)] == [
        ("W01.yaml", "title"),
        ("W01.yaml", "parts.first.text"),
        ("codes.csv", "PR1.label"),
        ("codes.csv", "PR1@2027-28-Q1.label"),
    ]


def test_nothing_is_reviewed_unless_the_register_says_so(folder: Path) -> None:
    assert {each.state for each in declared_welsh(folder)} == {"unreviewed"}


def test_a_review_holds_until_the_welsh_changes(folder: Path) -> None:
    title = next(sentences_of(folder))
    review(folder, title.file, title.place, title.welsh_hash)
    assert declared_welsh(folder)[0].state == "reviewed"
    path = folder / "W01.yaml"
    path.write_text(INDICATOR.replace("gyfeiriwyd", "gyfeirir"), encoding="utf-8")
    assert declared_welsh(folder)[0].state == "unreviewed"


@pytest.mark.parametrize(
    ("file", "place", "said"),
    [
        ("W02.yaml", "title", "line 2: file: no file W02.yaml has a text in Welsh"),
        ("W01.yaml", "heading", "line 2: place: W01.yaml has no text at heading"),
    ],
)
def test_a_review_of_what_is_not_there_is_refused(folder: Path, file, place, said) -> None:
    review(folder, file, place, "0123456789ab")
    with pytest.raises(DeclarationError, match=said):
        read_reviews(folder)


def test_sentences_of_rules_are_listed_with_the_rest(folder: Path) -> None:
    rules = [("CH101", "The date is missing.", "Mae'r dyddiad ar goll.")]
    *_, rule = declared_welsh(folder, rules)
    assert (rule.sentence.file, rule.sentence.place) == ("expectations/rules", "CH101")
    review(folder, "expectations/rules", "CH101", rule.sentence.welsh_hash)
    assert declared_welsh(folder, rules)[-1].state == "reviewed"
    review(folder, "expectations/rules", "CH999", rule.sentence.welsh_hash)
    assert declared_welsh(folder)  # without the rules nothing is known of theirs
    with pytest.raises(DeclarationError, match="has no text at CH999"):
        declared_welsh(folder, rules)
