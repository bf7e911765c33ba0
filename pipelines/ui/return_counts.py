"""Counts of rows, files and problems of a quarter, for the pages of the raw and validated rooms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter


def rows_in(folder: Path) -> int:
    """Rows of all Parquet files of a folder, read from their footers; 0 if there is no folder."""
    import polars as pl

    files = sorted(folder.glob("*.parquet")) if folder.exists() else []
    return sum(pl.scan_parquet(path).select(pl.len()).collect().item() for path in files)


def files_by_quarter(ledger: Ledger, declarations: Declarations) -> dict[str, dict[str, int]]:
    """Files ever received for each quarter, by state: ``{"2020-21-Q2": {"Files in force": 3}}``.

    An accepted file is in force, superseded, withdrawn, or held for a revision.
    """
    from pipelines.lifecycle.ledger_state import ledger_state

    book = ledger_state(ledger.events(), declarations)
    by_quarter: dict[str, Counter[str]] = {}
    for item in book.submissions.values():
        if item.quarter:
            state = book.delivery(item.submission_id).state.replace("_", " ")
            by_quarter.setdefault(item.quarter, Counter())[f"Files {state}"] += 1
    return {quarter: dict(sorted(states.items())) for quarter, states in by_quarter.items()}


def problems_by_rule(
    submissions: Iterable[Submission], quarter: Quarter
) -> list[tuple[str, str, str, int, int]]:
    """Return, rule, kind, rows and senders of the problems found in a quarter, most rows first.

    Of each sender the newest file that was validated counts.
    """
    newest = {
        item.sender_code: item
        for item in submissions
        if item.quarter == quarter.label and not item.is_waiting and item.status != "duplicate"
    }
    rows: Counter[tuple[str, str, str]] = Counter()
    senders: Counter[tuple[str, str, str]] = Counter()
    for item in newest.values():
        for kind, by_return in (("error", item.errors), ("query", item.queries)):
            for return_name, by_code in by_return.items():
                for code, count in by_code.items():
                    rows[return_name, code, kind] += count
                    senders[return_name, code, kind] += 1
    return [(*key, count, senders[key]) for key, count in rows.most_common()]
