"""Summaries of quarters as Dagster keeps them: recorded when they change, with their statements."""

from __future__ import annotations

import warnings
from datetime import date
from typing import Any

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.ui.quarter_sentences import STATEMENTS, statement_results
from pipelines.ui.quarter_summary import QuarterSummary, quarter_summaries
from tests.unit.assets.conftest import Inbox

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets.quarter_metadata import summary_metadata
    from pipelines.assets.quarter_summary import COUNTED, KEY, evaluations
    from pipelines.assets.warehouse_check import warehouse_check
    from pipelines.definitions import defs

Q1, Q2, Q3 = Quarter(2020, 1), Quarter(2020, 2), Quarter(2020, 3)


def summaries_on(day: date, settings: Settings, declarations: Declarations) -> list[QuarterSummary]:
    settings.ledger.parent.mkdir(parents=True, exist_ok=True)
    return quarter_summaries(settings, declarations, [Q1, Q2], day)


def test_the_table_of_statements_says_whether_each_is_true(
    settings: Settings, declarations: Declarations
) -> None:
    (_, summary) = summaries_on(date(2021, 1, 1), settings, declarations)
    assert set(statement_results(summary)) == set(STATEMENTS) == set(COUNTED)
    records = summary_metadata(summary, declarations, settings)["What should be true"].records
    rows = [(record.data["Statement"], record.data["True"]) for record in records]
    by_name = dict(zip(STATEMENTS, rows, strict=True))
    sentence, is_true = by_name["no_return_is_overdue"]
    assert sentence.startswith(STATEMENTS["no_return_is_overdue"])
    assert "returns are overdue" in sentence and is_true == "⚠\N{NO-BREAK SPACE}no"
    assert by_name["no_query_is_open"][1] == "✓\N{NO-BREAK SPACE}yes"


def test_a_check_says_of_which_quarters_its_statement_is_not_true(
    settings: Settings, declarations: Declarations
) -> None:
    summaries = summaries_on(date(2020, 8, 20), settings, declarations)  # Q2 has not ended
    by_name = {item.check_name: item for item in evaluations(summaries)}
    assert set(by_name) == set(STATEMENTS)
    overdue = by_name["no_return_is_overdue"]
    assert not overdue.passed and overdue.severity == dg.AssetCheckSeverity.WARN
    assert (overdue.description or "").startswith("Not true of 1 of 2 quarters. 2020-21-Q1: ")
    assert overdue.metadata["Returns overdue"].value == len(summaries[0].overdue) > 0
    by_quarter = overdue.metadata["By quarter"]
    assert isinstance(by_quarter, dg.TableMetadataValue)
    rows = [record.data["Quarter"] for record in by_quarter.records]
    assert rows == ["2020-21-Q2", "2020-21-Q1"]  # the newest first
    assert by_name["no_query_is_open"].description == "True of all 2 quarters."


def test_only_what_changed_is_recorded_and_the_newest_quarter_last(inbox: Inbox) -> None:
    def refresh() -> list[str | None]:
        """Partitions that a run of the morning's job records, in order."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            job = defs.resolve_job_def("refresh_quarter_summaries")
            result = job.execute_in_process(instance=inbox.instance)
        checked = {event.check_name for event in result.get_asset_check_evaluations()}
        assert checked == {*STATEMENTS, *(key.name for key in warehouse_check.check_keys)}
        materialized: list[Any] = [
            event
            for event in result.all_events
            if event.event_type_value == "ASSET_MATERIALIZATION"
        ]
        assert all(event.asset_key == dg.AssetKey(KEY) for event in materialized)
        return [event.partition for event in materialized]

    take_in(inbox, Q1)
    take_in(inbox, Q3)
    assert refresh() == ["2020-21-Q1", "2020-21-Q3"]
    assert refresh() == []
    take_in(inbox, Q1, version=2, sender_code="W06000002")
    assert refresh() == ["2020-21-Q1", "2020-21-Q3"]


def take_in(inbox: Inbox, quarter: Quarter, **cover: Any) -> None:
    """Land a return; nobody has validated it yet."""
    inbox.drop(f"{quarter}-{cover.get('version', 1)}.zip", quarter, **cover)
    inbox.look()
    inbox.look()
