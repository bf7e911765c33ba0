"""Measures are declared: what counts, in both languages, and whether it may be added up."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.declarations import DeclarationError, Declarations
from pipelines.settings import SOURCES


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOURCES, tmp_path / "sources"))


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_every_measure_says_in_both_languages_what_it_counts(declarations: Declarations) -> None:
    assert len(declarations.measures) > 100
    for measure in declarations.measures.values():
        assert measure.caption.en.endswith("."), measure.name
        assert measure.caption.cy.endswith("."), measure.name
        assert measure.caption.en != measure.caption.cy, measure.name
    captions = [measure.caption.en for measure in declarations.measures.values()]
    assert len(set(captions)) == len(captions)


def test_an_indicator_of_a_stock_takes_stocks_and_one_of_a_flow_takes_flows(
    declarations: Declarations,
) -> None:
    """A stock summed over quarters would be wrong."""
    for indicator in declarations.indicators.values():
        for name in (indicator.numerator, indicator.denominator):
            if name is not None:
                assert declarations.measures[name].timing == indicator.timing, indicator.id


def test_an_indicator_that_names_no_measure_is_refused_with_file_and_line(sources: Path) -> None:
    changed(
        sources / "indicators" / "W10.yaml",
        "numerator: children_placed",
        "numerator: children_paced",
    )
    with pytest.raises(
        DeclarationError, match=r"W10\.yaml, line \d+: numerator: no measure of the child return is"
    ):
        _ = Declarations(sources).indicators


def test_an_indicator_takes_measures_of_its_own_return(sources: Path) -> None:
    changed(sources / "indicators" / "W16.yaml", "subject: adopter", "subject: child")
    with pytest.raises(
        DeclarationError, match=r"W16\.yaml, line \d+: numerator: no measure of the child return"
    ):
        _ = Declarations(sources).indicators


@pytest.mark.parametrize("key", ["part_of", "event"])
def test_a_relation_to_a_measure_that_is_not_there_is_refused_with_its_line(
    sources: Path, key: str
) -> None:
    changed(
        sources / "measures" / "child.yaml",
        f"  {key}: children_placed\n",
        f"  {key}: children_paced\n",
    )
    with pytest.raises(
        DeclarationError, match=rf"child\.yaml, line \d+: measures\.\d+\.{key}: no measure"
    ):
        _ = Declarations(sources).measures


def test_a_measure_that_is_part_of_itself_is_refused(sources: Path) -> None:
    path = sources / "measures" / "child.yaml"
    changed(
        path, "- name: children_placed\n", "- name: children_placed\n  part_of: children_placed\n"
    )
    with pytest.raises(DeclarationError, match="children_placed would be part of itself"):
        _ = Declarations(sources).measures


def test_a_count_of_support_is_a_field_of_the_support_return(sources: Path) -> None:
    path = sources / "measures" / "support.yaml"
    changed(path, "- name: contact_exchanges", "- name: contact_visits")
    with pytest.raises(
        DeclarationError, match=r"support\.yaml, line \d+: .*no field of the support return"
    ):
        _ = Declarations(sources).measures


def test_a_measure_declared_twice_is_refused(sources: Path) -> None:
    path = sources / "measures" / "adopter.yaml"
    changed(path, "- name: households_matched\n", "- name: households_enquired\n")
    with pytest.raises(DeclarationError, match="households_enquired is declared twice"):
        _ = Declarations(sources).measures
