"""What senders are told agrees with warehouse and collection, over the whole sample."""

from __future__ import annotations

import pytest

from pipelines.declarations import Declarations
from pipelines.intake.landing import stored_file
from pipelines.intake.problems import problems_of
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.verdict.check import check_files
from pipelines.verdict.details import details_of_submission
from pipelines.warehouse.published import open_warehouse
from tests.conftest import Sample

QUARTER = "2020-21-Q3"


@pytest.fixture(scope="module")
def in_force(sample: Sample) -> list[Submission]:
    """The submissions whose rows are in the figures of one quarter."""
    newest: dict[str, Submission] = {}
    for item in Ledger(sample.settings.ledger).submissions():
        if item.is_accepted and item.quarter == QUARTER and item.sender_code:
            newest[item.sender_code] = item
    return list(newest.values())


def test_headline_figures_of_a_return_are_those_of_the_warehouse(
    sample: Sample, in_force: list[Submission], declarations: Declarations
) -> None:
    """Every second sender: each numerator and denominator, to the last day."""
    with open_warehouse(sample.settings) as connection:
        amounts = {
            (sender, measure): amount
            for sender, measure, amount in connection.execute(
                "select sender_code, measure, amount from marts.fct_return_measure"
                " where quarter = ?",
                [QUARTER],
            ).fetchall()
        }
        shown = {
            (indicator, place): value
            for indicator, place, value in connection.execute(
                "select indicator_id, place_code, value_rounded from marts.fct_indicator"
                " where quarter = ? and window_name = 'quarter'"
                " and membership_basis = 'at_the_time'",
                [QUARTER],
            ).fetchall()
        }
    compared = values = 0
    for item in in_force[::2]:
        found = problems_of(sample.settings, item)
        told = details_of_submission(sample.settings, declarations, item, found)
        for headline in told.effect.headlines if told.effect else ():
            indicator, figure = headline.indicator, headline.figures["counted"]
            assert figure.numerator == amounts.get((item.sender_code, indicator.numerator), 0)
            if indicator.denominator:
                key = (item.sender_code, indicator.denominator)
                assert figure.denominator == amounts.get(key, 0)
            place = declarations.places[item.sender_code or ""]
            if place.kind == "authority" and (indicator.id, place.place_code) in shown:
                assert figure.value == shown[indicator.id, place.place_code]
                values += 1
            compared += 1
    assert compared > 200 and values > 100


def test_every_file_with_errors_is_checked_as_it_was_judged(
    sample: Sample, declarations: Declarations
) -> None:
    """Refused ones and those with rows set aside, on the day they came: what is said of rows and
    files. Queries may differ: a check does not know what others sent."""
    judged = [
        item
        for item in Ledger(sample.settings.ledger).submissions()
        if item.status in ("refused", "accepted with errors quarantined")
    ]
    assert len(judged) > 6
    for item in judged:
        path = stored_file(sample.settings, item)
        (checked,) = check_files([path], declarations, item.received_at)
        assert checked.submission.status == item.status
        assert checked.submission.refusal_sentence_cy == item.refusal_sentence_cy
        assert _errors(checked.problems) == _errors(problems_of(sample.settings, item))
        counts = ("rows_read", "rows_accepted", "rows_quarantined", "errors", "is_nil")
        assert {
            name: [one[count] for count in counts]
            for name, one in checked.submission.returns.items()
        } == {name: [one[count] for count in counts] for name, one in item.returns.items()}


def _errors(problems: list[dict]) -> list[tuple]:
    wanted = ("return_name", "sheet", "sheet_row", "cell", "field", "code", "sentence_en")
    return [tuple(p[key] for key in wanted) for p in problems if p["severity"] == "error"]
