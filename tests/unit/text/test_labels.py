"""Labels shared by pages, released files and explanations."""

from __future__ import annotations

import pytest

from pipelines.declarations import Declarations
from pipelines.text.catalogue import LANGUAGES, Language
from pipelines.text.labels import (
    WINDOWS,
    definition_status_label,
    return_status_label,
    unit_label,
    window_label,
    with_unit,
)


def test_a_unit_follows_its_number() -> None:
    assert with_unit("1", "children", "en") == "1 child"
    assert with_unit("2", "children", "en") == "2 children"
    assert with_unit("1.0", "months", "en") == "1.0 months"
    assert with_unit("1,001", "people", "en") == "1,001 people"
    assert with_unit("59.8", "percent", "en") == "59.8%"


def test_welsh_counts_with_a_singular_noun_and_mutates_it() -> None:
    numbers = ("1", "2", "3", "6", "9.1", "20")
    assert [with_unit(number, "children", "cy") for number in numbers] == [
        "1 plentyn",
        "2 blentyn",
        "3 phlentyn",
        "6 phlentyn",
        "9.1 plentyn",
        "20 plentyn",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_declared_window_unit_and_status_has_its_label(
    language: Language, declarations: Declarations
) -> None:
    for indicator in declarations.indicators.values():
        assert set(indicator.windows) <= set(WINDOWS)
        assert unit_label(indicator.unit, language) and with_unit("2", indicator.unit, language)
        is_english = definition_status_label(indicator.status, language) == indicator.status
        assert is_english == (language == "en")


def test_labels_are_in_either_language() -> None:
    assert window_label("rolling_4", "en") == "Last four quarters"
    assert window_label("rolling_4", "cy") == "Y pedwar chwarter diwethaf"
    assert return_status_label("received", "en") == "received, not yet validated"
    assert return_status_label("received", "cy") != "received, not yet validated"
    assert return_status_label("something else", "cy") == "something else"
