"""The page says what the results say, and the results are of the faults as they are declared."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from tests.faults import table
from tests.faults.table import Fault, Trial, page, results, write_result

DECLARED = Fault(
    "F12",
    what="the power fails while publishing",
    bar="old or new",
    control="written in place",
    unit="states",
    full=500,
    few=5,
    seed=3,
)


def test_the_page_is_made_from_the_results() -> None:
    assert table.PAGE.read_text(encoding="utf-8") == page(), (
        "run `pytest tests/faults --full`, or --share of it, and commit page and results"
    )


def test_what_was_recorded_is_what_is_declared(request: pytest.FixtureRequest) -> None:
    known = results()
    changed = []
    for item in request.session.items:
        marker = item.get_closest_marker("fault")
        if marker is not None and item.name in known:
            declared = asdict(marker.args[0]) | {"few": 0}
            recorded = {name: known[item.name][name] for name in declared} | {"few": 0}
            changed += [item.name] * (declared != recorded)
    assert not changed, "declared otherwise since they were run: run them again"


@pytest.mark.parametrize(
    ("change", "outcome", "said"),
    [
        ({"count": 500, "done": 500}, "passed", "held 500 of 500 states, seed 3 |"),
        ({"count": 50, "done": 50}, "passed", "(**a part**: the full count is 500)"),
        ({"count": 500, "done": 7}, "failed", "**failed** after 7 states"),
        ({"count": 500}, "no compiler", "not run: no compiler"),
    ],
)
def test_a_row_says_what_was_run_and_what_was_not(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, change: dict, outcome: str, said: str
) -> None:
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    trial = Trial(DECLARED, **change)
    trial.control_failed(3, 4)
    write_result("test_x", trial, outcome)
    row = next(line for line in page().splitlines() if line.startswith("| **F12**"))
    assert said in row
    assert "written in place: failed 3 of 4" in row
    assert "| **F1** The program is killed at any moment | | | not run | | |" in page()


def test_a_control_that_does_not_fail_proves_nothing() -> None:
    with pytest.raises(AssertionError, match="did not fail"):
        Trial(DECLARED, 1).control_failed(0, 10)
