"""Invented returns that several benchmarks send: one more return, and one of many children."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.samples.population import population, senders_due
from pipelines.settings import SOURCES
from pipelines.templates.workbook import write_return

SENDER = "W06000015"  # Cardiff: owes the child return alone


def write_one_more(path: Path, quarter: Quarter) -> None:
    """A second version of one authority's return, with one child less."""
    declarations = Declarations(SOURCES)
    rows = dict(population(declarations, quarter, quarter).rows(SENDER, quarter))
    rows["child"] = rows["child"][:-1]
    write_return(path, declarations, quarter, _cover(quarter, version=2), rows)


def write_many(path: Path, quarter: Quarter, count: int) -> None:
    """One authority's return, filled up with the children of others under other references."""
    declarations = Declarations(SOURCES)
    invented = population(declarations, quarter, quarter)
    others = (sender for sender, _ in senders_due(declarations, quarter) if sender != SENDER)
    rows = [dict(row) for row in invented.rows(SENDER, quarter)["child"]]
    for sender in others:
        for row in invented.rows(sender, quarter).get("child", ()):
            if len(rows) < count:
                rows.append({**row, "child_reference": f"FILLED-{len(rows):04d}"})
    write_return(path, declarations, quarter, _cover(quarter, version=1), {"child": rows})


def _cover(quarter: Quarter, version: int) -> dict[str, Any]:
    return {
        "sender_code": SENDER,
        "quarter": quarter.label,
        "version": version,
        "signed_off_by_role": "Synthetic benchmark",
        "signed_off_on": date(quarter.plus(1).first_day.year, quarter.plus(1).first_day.month, 20),
        "is_synthetic": "yes",
    }
