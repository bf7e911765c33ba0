"""Invented returns that several benchmarks send: one more return, and one of many children."""

from __future__ import annotations

from datetime import date, timedelta
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


def write_years(folder: Path) -> None:
    """Yearly files of looked-after children: 1,000 in care, 90 of whom are adopted or wait.

    Three years from April 2018 with about 5,000 episodes in all. Everybody is invented.
    """
    for year in (2018, 2019, 2020):
        tables: dict[str, list[str]] = {name: [columns] for name, columns in _YEARLY.items()}
        for number in range(1000):
            _add_child(tables, number, date(year, 4, 1), date(year + 1, 3, 31))
        (folder / str(year + 1)).mkdir(parents=True)
        for name, lines in tables.items():
            path = folder / str(year + 1) / f"{name}.csv"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")


_YEARLY = {
    "header": "CHILD,SEX,DOB,ETHNIC,UPN,MOTHER,MC_DOB",
    "episodes": "CHILD,DECOM,RNE,LS,CIN,PLACE,PLACE_PROVIDER,DEC,REC,"
    "REASON_PLACE_CHANGE,HOME_POST,PL_POST,URN",
    "placed_adoption": "CHILD,DOB,DATE_PLACED,DATE_PLACED_CEASED,REASON_PLACED_CEASED",
    "ad1": "CHILD,DOB,DATE_INT,DATE_MATCH,FOSTER_CARE,NB_ADOPTR,SEX_ADOPTR,LS_ADOPTR",
}


def _add_child(tables: dict[str, list[str]], number: int, first: date, last: date) -> None:
    """Every eleventh child has a plan; the others move once a year and stay."""
    began = date(2018, 5, 1) + timedelta(days=number % 700)
    has_plan, child, born = number % 11 == 0, f"C{number:04d}", began - timedelta(days=200)
    steps = [("S", "C1", "U6", 0), ("L", "E1", "U6", 240), ("P", "E1", "A6", 330)]
    if not has_plan:
        steps = [("S", "C1", "U4", 0), ("L", "C2", "U4", 150), ("P", "C2", "U4", 420)]
    days = [began + timedelta(days=step[3]) for step in steps]
    adopted = began + timedelta(days=560) if has_plan else None
    lines = []
    for (why, status, place, _), start, end in zip(steps, days, [*days[1:], adopted], strict=True):
        if start > last or (end is not None and end < first):
            continue
        is_over = end is not None and end <= last
        reason = "E12" if end is adopted else "X1"
        ended = f"{end:%d/%m/%Y},{reason}" if is_over else ","
        lines.append(f"{child},{start:%d/%m/%Y},{why},{status},N1,{place},PR1,{ended},,,,")
    if not lines:
        return
    tables["episodes"] += lines
    tables["header"].append(f"{child},{1 + number % 2},{born:%d/%m/%Y},WBRI,,,")
    decided = began + timedelta(days=200)
    if has_plan and decided <= last:
        tables["placed_adoption"].append(f"{child},{born:%d/%m/%Y},{decided:%d/%m/%Y},,")
    if adopted is not None and first <= adopted <= last:
        matched = began + timedelta(days=300)
        tables["ad1"].append(
            f"{child},{born:%d/%m/%Y},{decided:%d/%m/%Y},{matched:%d/%m/%Y},0,2,MF,L11"
        )


def _cover(quarter: Quarter, version: int) -> dict[str, Any]:
    return {
        "sender_code": SENDER,
        "quarter": quarter.label,
        "version": version,
        "signed_off_by_role": "Synthetic benchmark",
        "signed_off_on": date(quarter.plus(1).first_day.year, quarter.plus(1).first_day.month, 20),
        "is_synthetic": "yes",
    }
