"""Protection and audit in turns, until the audit has nothing more to say.

The protection chooses what to keep back, and the audit, which shares nothing with it, attacks the
result. What the audit can still tell is kept back as well, and both begin anew. In the synthetic
sample two of six quarters passed at once, the others after one to three more turns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from pipelines.disclosure.audit import AuditReport, audit
from pipelines.disclosure.protection import Protected, protect

if TYPE_CHECKING:
    from pipelines.disclosure.cells import ReleaseCells
    from pipelines.disclosure.policy import Rules

TURNS = 8


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
    also: pl.DataFrame | None = None
    for turn in range(1, TURNS + 1):
        protected = protect(cells, relations, rules, known, ratios, threads, also, strict=False)
        report = audit(
            *(cells, protected.cells, relations, rules, known, ratios, protected.ratios, threads)
        )
        more = report.more_to_keep_back
        if also is not None:
            more = more.join(also, on=more.columns, how="anti")
        if report.passed or more.is_empty():
            break
        say(f"turn {turn}: the audit can tell {len(report.failures)} numbers; they are kept back")
        also = more if also is None else pl.concat([also, more])
    return protected, report
