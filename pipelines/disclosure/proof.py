"""Protection and audit in turns, until the audit has nothing more to say.

The protection chooses what to suppress, and the audit, which shares nothing with it, attacks the
result. What the audit can still tell is suppressed as well, and both begin anew. In the synthetic
sample two of six quarters passed at once, the others after one to three more turns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from pipelines.disclosure.audit import AuditReport, audit
from pipelines.disclosure.cells import KEY
from pipelines.disclosure.protection import Protected, protect

if TYPE_CHECKING:
    from pipelines.declarations.disclosure import Rules
    from pipelines.disclosure.cells import ReleaseCells

# What is suppressed besides, turn by turn: first one number for each that can be worked out, then
# all of its breakdown at its place, then of its breakdown everywhere, then all of its measure.
WIDER = (None, ["measure", "place", "breakdown"], ["measure", "breakdown"], ["measure"])


def proved(
    release: ReleaseCells,
    rules: Rules,
    known: pl.DataFrame | None = None,
    threads: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Protected, AuditReport]:
    """What may be shown of a release, and the audit of it, which has failed if nothing helped.

    Raises DisclosureError where the rules cannot be kept.
    """
    cells, relations, ratios = release.cells, release.relations, release.ratios
    also = pl.DataFrame(schema=dict.fromkeys(KEY, pl.String))
    # The protection searches but does not prove, the audit proves but does not search.
    for turn, wider in enumerate((*WIDER, None), start=1):
        protected = protect(cells, relations, rules, known, ratios, threads, also, strict=False)
        shown, shown_ratios = protected.cells, protected.ratios
        report = audit(cells, shown, relations, rules, known, ratios, shown_ratios, threads)
        if report.passed or turn > len(WIDER):
            break
        more = report.more_to_suppress
        # Whole tables from the second turn on: what the audit estimates lies mostly between
        # windows, in no published table, and one number more may not be the right one.
        if wider is not None:
            concerned = report.concerned.select(wider).unique()
            more = pl.concat([more, cells.join(concerned, on=wider, how="semi").select(KEY)])
        say(f"turn {turn}: the audit can tell {len(report.failures)} numbers; more is suppressed")
        also = pl.concat([also, more]).unique()
    return protected, report
