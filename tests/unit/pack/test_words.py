"""The words of the pack: all in both languages, all used, all with the same places to fill."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from pipelines import pack
from pipelines.declarations import Declarations
from pipelines.pack import words
from pipelines.pack.nation_quarter import Bilingual, IndicatorFigure, PackIndicator
from pipelines.pack.wording import STATUS_CY, UNITS, WINDOWS, Wording
from pipelines.quarters import Quarter

FOLDER = Path(pack.__path__[0])
# Words that are put together from a part and a rule, window, position or kind.
PUT_TOGETHER = ("rule_", "in_", "position_", "signal_", "key_", "funnel_key")


@pytest.mark.parametrize("name", sorted(words._WORDS))
def test_every_word_has_both_languages_with_the_same_places_to_fill(name: str) -> None:
    english, welsh = words._WORDS[name]
    assert english and welsh

    def places(text: str) -> set[str]:
        return {field for _, field, _, _ in string.Formatter().parse(text) if field}

    assert places(english) == places(welsh)


def test_every_word_is_used() -> None:
    sources = [*FOLDER.glob("*.py"), *(FOLDER / "templates").glob("*.jinja")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    text = text.replace((FOLDER / "words.py").read_text(encoding="utf-8"), "")
    text += (FOLDER / "words.py").read_text(encoding="utf-8").partition("class Tongue")[2]
    unused = [
        name
        for name in words._WORDS
        if not re.search(rf"[\"']{re.escape(name)}[\"']", text)
        and not name.startswith(PUT_TOGETHER)
    ]
    # What is said of a comparison is the warehouse's own word.
    assert set(unused) <= {"better", "worse", "no different", "too few to tell", "met", "not met"}


def test_everything_that_is_declared_has_a_word(declarations: Declarations) -> None:
    assert {one.unit for one in declarations.indicators.values()} <= set(UNITS)
    statuses = {one.status for one in declarations.indicators.values()}
    assert statuses | {"accepted", "nil", "missing", "refused", "received", "held"} <= set(
        STATUS_CY
    )
    assert {w for one in declarations.indicators.values() for w in one.windows} <= set(WINDOWS)


def test_a_quarter_is_named_by_its_months() -> None:
    assert Wording("en").months(Quarter(2020, 4)) == "January to March 2021"
    assert Wording("cy").months(Quarter(2020, 1)) == "Ebrill i Mehefin 2020"
    assert Wording("cy").day(Quarter(2020, 4).last_day) == "31 Mawrth 2021"


def indicator(unit: str, direction: str = "lower", rounding: int = 1) -> PackIndicator:
    named = Bilingual("A title", "Teitl")
    return PackIndicator(
        *("X1", named, named, named, "proposed", "child", "flow"),
        *(unit, rounding, direction, True),
    )


def figure(
    value: float | None,
    numerator: float | None = 79.0,
    denominator: float | None = 98.0,
    is_complete: bool = True,
) -> IndicatorFigure:
    return IndicatorFigure(
        *("P", "X1", "2025-26-Q4", "rolling_4", numerator, denominator, value, value),
        *(None, None, None, 4, 4 if is_complete else 3, 4, 4, is_complete),
    )


@pytest.mark.parametrize(
    ("unit", "shown", "english", "welsh"),
    [
        ("percent", figure(80.6), "80.6% (79 of 98)", "80.6% (79 o 98)"),
        ("months", figure(1234.5), "1,234.5 months (mean of 98)", "1,234.5 mis (cymedr o 98)"),
        ("days", figure(12.0), "12.0 days (mean of 98)", "12.0 diwrnod (cymedr o 98)"),
        ("children", figure(12.0, 12.0, None), "12.0", "12.0"),
        ("percent", figure(None, 0.0, 0.0), "no case", "dim achos"),
        ("percent", figure(None, None, None), "not known", "ddim yn hysbys"),
    ],
)
def test_a_figure_is_shown_with_what_it_rests_on(
    unit: str, shown: IndicatorFigure, english: str, welsh: str
) -> None:
    assert Wording("en").full(indicator(unit), shown) == english
    assert Wording("cy").full(indicator(unit), shown) == welsh


def test_a_figure_says_which_returns_it_lacks() -> None:
    assert Wording("en").lacks(figure(1.0)) == ""
    assert Wording("en").lacks(figure(1.0, is_complete=False)) == "3 of 4 returns"


def test_a_benchmark_says_on_which_side_it_lies() -> None:
    assert Wording("en").benchmark(indicator("months"), 13.0) == "13 months at most"
    assert Wording("cy").benchmark(indicator("percent", "higher"), 84.0) == "84% o leiaf"


def test_no_nought_has_a_minus() -> None:
    assert Wording("en").number(indicator("months"), -0.04) == "0.0"
    assert Wording("en").number(indicator("months"), -0.06) == "-0.1"


def test_a_line_of_a_chart_of_counts_has_a_decimal() -> None:
    whole = indicator("children", rounding=0)
    assert Wording("en").line(whole, 45.98) == "46.0"
    assert Wording("en").line(whole, 145.98) == "146"


def test_titles_in_a_sentence_lose_their_capital_but_abbreviations_keep_theirs() -> None:
    kept = [indicator("children"), indicator("children")]
    object.__setattr__(kept[1], "title", Bilingual("NI 061 met", ""))
    assert Wording("en").titles(kept) == "a title; NI 061 met"
