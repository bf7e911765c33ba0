"""The sample, judged once more: both engines agree on all of it, and sound journeys are left
alone by the rules that compare returns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from pipelines.declarations import Declarations
from pipelines.intake.rule_trial import try_rules
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import SOURCES

if TYPE_CHECKING:
    from tests.conftest import Sample

# 815 looks at the file alone: sittings of several families on one bank holiday.
COMPARING = re.compile(r"(CH|AD|SU)([67][0-9]{2}|8(?!15)[0-9]{2})")


def test_polars_finds_in_the_whole_sample_what_great_expectations_found(sample: Sample) -> None:
    found = try_rules(sample.settings, Declarations(SOURCES), engine="polars")
    assert found.tried == found.same_rules > 600
    assert (found.rules, found.verdicts, found.crashed) == ((), (), 0)
    assert (found.counts_only, found.not_on_disk) == ((), ())


def test_only_returns_that_are_wrong_are_asked_about_their_last_one(sample: Sample) -> None:
    """Twelve quarters of real journeys are no reason for a single query; swapped columns are."""
    status = {one.submission_id: one.status for one in Ledger(sample.settings.ledger).submissions()}
    folder = sample.settings.validated / "problems"
    problems = pl.concat(pl.read_parquet(path) for path in folder.rglob("*.parquet"))
    asked = {
        status[submission_id]
        for submission_id, code in problems.select("submission_id", "code").iter_rows()
        if COMPARING.fullmatch(code)
    }
    assert asked == {"refused", "accepted with errors quarantined"}
