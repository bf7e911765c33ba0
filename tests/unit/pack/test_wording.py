"""Sentences and numbers of the pack in both languages."""

from __future__ import annotations

import pytest

from pipelines.declarations import Declarations
from pipelines.pack.model import Bilingual, IndicatorFigure, PackIndicator
from pipelines.pack.wording import Wording
from pipelines.quarters import Quarter
from pipelines.text.catalogue import LANGUAGES


def test_everything_that_is_declared_has_a_label(declarations: Declarations) -> None:
    for language in LANGUAGES:
        wording = Wording(language)
        for declared in declarations.indicators.values():
            assert wording.unit(indicator(declared.unit))
            for window in declared.windows:
                assert wording.window(window)
    welsh = Wording("cy")
    for declared in declarations.indicators.values():
        assert welsh.definition_status(declared.status) != declared.status
    for status in ("accepted", "nil", "missing", "refused", "received", "held"):
        assert welsh.return_status(status) != status


def test_every_word_of_a_comparison_is_known() -> None:
    """Those that the marts can say; any other would be an error in a page."""
    for verdict in ("better", "worse", "no different", "too few to tell", "break in series"):
        assert Wording("en").comparison(verdict) and Wording("cy").comparison(verdict)
    with pytest.raises(KeyError):
        Wording("en").comparison("perhaps")


def test_a_quarter_is_named_by_its_months() -> None:
    assert Wording("en").months(Quarter(2020, 4)) == "January to March 2021"
    assert Wording("cy").months(Quarter(2020, 1)) == "Ebrill i Mehefin 2020"
    assert Wording("cy").day(Quarter(2020, 4).last_day) == "31 Mawrth 2021"


def indicator(unit: str, direction: str = "lower", rounding: int = 1) -> PackIndicator:
    named = Bilingual("A title", "Teitl")
    return PackIndicator(
        indicator_id="X1",
        title=named,
        definition=named,
        status_note=named,
        definition_status="proposed",
        subject="child",
        timing="flow",
        unit=unit,
        rounding=rounding,
        direction=direction,
        is_headline=True,
    )


def figure(
    value: float | None,
    numerator: float | None = 79.0,
    denominator: float | None = 98.0,
    is_complete: bool = True,
) -> IndicatorFigure:
    return IndicatorFigure(
        place_code="P",
        indicator_id="X1",
        quarter="2025-26-Q4",
        window_name="rolling_4",
        numerator=numerator,
        denominator=denominator,
        value=value,
        unrounded=value,
        estimate=None,
        benchmark=None,
        benchmark_met=None,
        returns_expected=4,
        returns_accepted=4 if is_complete else 3,
        quarters_in_window=4,
        quarters_covered=4,
        is_complete=is_complete,
    )


@pytest.mark.parametrize(
    ("unit", "shown", "english", "welsh"),
    [
        ("percent", figure(80.6), "80.6% (79 of 98)", "80.6% (79 o 98)"),
        ("months", figure(1234.5), "1,234.5 months (mean of 98)", "1,234.5 mis (cymedr o 98)"),
        ("days", figure(12.0), "12.0 days (mean of 98)", "12.0 diwrnod (cymedr o 98)"),
        ("children", figure(12.0, 12.0, None), "12.0", "12.0"),
        ("percent", figure(None, 0.0, 0.0), "no cases", "dim achosion"),
        ("percent", figure(None, None, None), "not known", "ddim yn hysbys"),
    ],
)
def test_a_figure_is_shown_with_what_it_is_based_on(
    unit: str, shown: IndicatorFigure, english: str, welsh: str
) -> None:
    assert Wording("en").full(indicator(unit), shown) == english
    assert Wording("cy").full(indicator(unit), shown) == welsh


def test_a_figure_says_which_returns_are_missing() -> None:
    assert Wording("en").missing(figure(1.0)) == ""
    assert Wording("en").missing(figure(1.0, is_complete=False)) == "3 of 4 returns"


def test_a_benchmark_says_on_which_side_it_lies() -> None:
    assert Wording("en").benchmark(indicator("months"), 13.0) == "no more than 13 months"
    assert Wording("cy").benchmark(indicator("percent", "higher"), 84.0) == "o leiaf 84%"


def test_no_zero_has_a_minus() -> None:
    assert Wording("en").number(indicator("months"), -0.04) == "0.0"
    assert Wording("en").number(indicator("months"), -0.06) == "-0.1"


def test_a_line_of_a_chart_of_counts_has_a_decimal() -> None:
    whole = indicator("children", rounding=0)
    assert Wording("en").chart_line(whole, 45.98) == "46.0"
    assert Wording("en").chart_line(whole, 145.98) == "146"


def test_titles_in_a_sentence_lose_their_capital_but_abbreviations_keep_theirs() -> None:
    kept = [indicator("children"), indicator("children")]
    object.__setattr__(kept[1], "title", Bilingual("NI 061 met", ""))
    assert Wording("en").titles(kept) == "a title; NI 061 met"
