"""What is said of a quarter: each statement with whether it is true."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.ui.quarter_sentences import STATEMENTS, in_short, statement_results
from pipelines.ui.quarter_summary import QuarterSummary, quarter_summaries


@pytest.fixture
def summary(settings: Settings, declarations: Declarations) -> QuarterSummary:
    """A quarter after its deadline for which nothing was sent."""
    settings.ledger.parent.mkdir(parents=True)
    day = date(2021, 1, 1)
    (summary,) = quarter_summaries(settings, declarations, [Quarter(2020, 2)], day)
    return summary


def test_an_overdue_return_makes_its_statement_false_and_is_counted(
    summary: QuarterSummary,
) -> None:
    results = statement_results(summary)
    assert list(results) == list(STATEMENTS)
    overdue = results["no_return_is_overdue"]
    assert not overdue.is_true
    assert overdue.count == summary.due > 0
    start = f"{summary.due} returns are overdue; the (proposed) deadline was"
    assert overdue.sentence.startswith(start)
    assert results["no_query_is_open"].is_true


def test_a_single_return_is_written_in_the_singular(summary: QuarterSummary) -> None:
    single = replace(summary, statuses=summary.statuses[:1])
    sentence = statement_results(single)["no_return_is_overdue"].sentence
    assert sentence.startswith("1 return is overdue;")


def test_the_state_of_a_quarter_fits_one_sentence(summary: QuarterSummary) -> None:
    sentence = in_short(summary)
    assert sentence.startswith(f"0 of {summary.due} returns due are accepted (0 %); ")
    assert f"{summary.due} overdue since" in sentence
    assert in_short(replace(summary, statuses=())) == "No return is due for this quarter."
