"""What an attacker can find out from a release: an audit that knows nothing of how it was made.

The attacker knows every shown number, percentage and mean, of this release and of all earlier
ones, and how they hang together: places, parts, windows, definitions. For each number that is
suppressed, linear programs look for the lower and upper bound of its feasibility interval. Nothing
here is shared with the protection except the cells and the declared relations: the equations are
put up again, in another way.

1. *Rank*: numbers that the equations fix exactly, found without any linear program.
2. *Feasible tables*: tables in whole numbers that fit everything shown, far away from the true one.
   Each shows for many numbers at once that they can be smaller or greater, also for an attacker
   who knows that children come whole.
3. *Lower and upper bound* of whatever is still open, one program each, in whole numbers too.

The report says how wide the intervals are, never where they lie.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from pipelines.declarations.disclosure import Rules
from pipelines.disclosure.audit.attacker import CONCERNED, AttackerView
from pipelines.disclosure.audit.intervals import ConnectedTable
from pipelines.disclosure.cells import KEY, Relations


@dataclass(frozen=True)
class AuditReport:
    """``failures`` names tables (never values); ``figures`` is ready for JSON.

    ``more_to_suppress``: KEY of shown cells, one quantity for each failure, without which that
    number could not be estimated so closely. ``concerned``: measure, place and breakdown of every
    number in a failure.
    """

    passed: bool
    failures: tuple[str, ...]
    figures: dict
    more_to_suppress: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=dict.fromkeys(KEY, pl.String))
    )
    concerned: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=dict.fromkeys(CONCERNED, pl.String))
    )

    def as_dict(self) -> dict:
        return {"passed": self.passed, "failures": list(self.failures), **self.figures}


def audit(
    cells: pl.DataFrame,
    shown: pl.DataFrame,
    relations: Relations,
    rules: Rules,
    known: pl.DataFrame | None = None,
    ratios: pl.DataFrame | None = None,
    shown_ratios: pl.DataFrame | None = None,
    threads: int = 1,
) -> AuditReport:
    """Audit what is ``shown`` (KEY, shown, symbol, and base for rounded ones) of true ``cells``.

    ``known``: what earlier releases showed (KNOWN_SCHEMA). ``ratios``: the indicators
    (RATIO_SCHEMA), ``shown_ratios``: what is shown of them (indicator_id, place and time, shown,
    symbol). Fails if any suppressed number, now or earlier, can be estimated more closely than the
    rules allow.
    """
    begun, wall = time.process_time(), time.perf_counter()
    view = AttackerView(cells, shown, relations, rules, known, ratios, shown_ratios)
    tables = list(view.tables())
    work = [ConnectedTable(view, *table) for table in tables]
    work.sort(key=lambda table: -len(table.columns))  # so that no thread ends long after another
    if threads <= 1:
        findings = [table.examine() for table in work]
    else:
        with ThreadPoolExecutor(threads) as pool:
            findings = list(pool.map(lambda table: table.examine(), work))
    names, given_away, concerned = [], [], []
    for table, result in zip(work, findings, strict=True):
        names += [view.name(table.columns[number]) for number in result.failures]
        concerned += [int(table.columns[number]) for number in result.failures]
        given_away += [view.around(table.columns[number]) for number in result.failures]
        names += [
            f"{view.name(table.whole_of(number))}: the difference from its parts"
            for number in result.row_failures
        ]
        given_away += [view.least[table.least_rows[number]] for number in result.row_failures]
        for number in result.row_failures:
            concerned += view.least[table.least_rows[number]].tocoo().col.tolist()
    # Two shown numbers may leave a small third that is in no table: no unknown, so no linear
    # program would look at it.
    bare = view.shown_differences()
    for row in bare:
        concerned += view.least[row].tocoo().col.tolist()
    names += [f"{view.name(view.whole_of(row))}: the difference from its parts" for row in bare]
    given_away += [view.least[row] for row in bare]
    # Two versions of a number, both shown: a reader subtracts them.
    changes = view.shown_changes()
    concerned += changes
    names += [f"{view.name(number)}: the change since an earlier release" for number in changes]
    widths = np.array([width for result in findings for width in result.widths], dtype=float)
    figures = {
        "numbers_suppressed": len(widths),
        "suppressed_now": int(view.seen.suppressed_now),
        "suppressed_earlier": int(view.seen.suppressed_earlier),
        "known_exactly": sum(result.exact for result in findings),
        "two_values_or_fewer": sum(result.narrow for result in findings),
        "feasible_values_at_least": _histogram(widths),
        # Values beyond those the policy asks for, at the worst number; below zero is a failure.
        "least_margin": None if not len(widths) else int(widths.min() - view.values_required),
        "differences_examined": int(sum(len(table.secret_rows) for table in work)) + len(bare),
        "proven_wide_by_feasible_tables": sum(result.by_feasible_tables for result in findings),
        "proven_wide_one_by_one": sum(result.by_programs for result in findings),
        "tables": len(work),
        "equations": int(view.equal.shape[0]),
        "inequalities": int(view.least.shape[0]),
        "linear_programs": sum(result.programs for result in findings),
        "cpu_seconds": round(time.process_time() - begun, 3),
        "seconds": round(time.perf_counter() - wall, 3),
    }
    about = view.numbers[sorted(set(concerned))].select(CONCERNED).unique().sort(CONCERNED)
    return AuditReport(not names, tuple(names), figures, view.cheapest_of(given_away), about)


def _histogram(widths: np.ndarray) -> dict[str, int]:
    """How many numbers have how many possible values, at least."""
    edges = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 10), (11, 20), (21, None))
    counts = {}
    for low, high in edges:
        name = f"{low}" if low == high else f"{low} or more" if high is None else f"{low} to {high}"
        inside = (widths >= low) & ((widths <= high) if high is not None else True)
        counts[name] = int(inside.sum())
    return counts
