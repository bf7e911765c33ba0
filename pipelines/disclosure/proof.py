"""Protection and audit in two turns, and in fewer tiers where two turns are not enough.

The protection chooses what to suppress, and the audit, which shares nothing with it, attacks the
result. What the audit can still tell is suppressed as well, with its whole table, and both begin
anew. If that is not enough the last tier is left out, then the one before: so there is always a
release, the largest that withstands the audit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.disclosure.audit import AuditReport, audit
from pipelines.disclosure.cells import KEY
from pipelines.disclosure.protection import Protected, protect, published

if TYPE_CHECKING:
    from pipelines.declarations.disclosure import Rules
    from pipelines.disclosure.cells import ReleaseCells

TABLE = ["measure", "place", "breakdown"]


@dataclass(frozen=True)
class Choice:
    """A release that was tried: what it leaves out, what it suppresses, whether it is safe.

    ``left_out``: tiers by id. ``told``: numbers that the audit could tell.
    """

    left_out: tuple[str, ...]
    passed: bool
    turns: int
    told: int
    primary: int
    secondary: int

    def as_dict(self) -> dict[str, Any]:
        return {
            "tiers_left_out": list(self.left_out),
            "passed": self.passed,
            "turns": self.turns,
            "numbers_the_audit_could_tell": self.told,
            "primary": self.primary,
            "secondary": self.secondary,
        }

    def __str__(self) -> str:
        what = f"without {', '.join(self.left_out)}" if self.left_out else "all tiers"
        end = "withstands the audit" if self.passed else f"the audit can tell {self.told} numbers"
        return f"{what}: {self.primary + self.secondary:,} numbers suppressed; {end}"


@dataclass(frozen=True)
class Proof:
    """What may be shown, the audit of it, and every release that was tried, the last one taken.

    ``rules`` are those given, without the tiers that were left out. The audit has failed where
    not even the first tier withstands it.
    """

    protected: Protected
    audit: AuditReport
    rules: Rules
    choices: tuple[Choice, ...]


def proved(
    release: ReleaseCells,
    rules: Rules,
    known: pl.DataFrame | None = None,
    threads: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> Proof:
    """The largest release that withstands the audit.

    Raises DisclosureError where the cells contradict the declared relations.
    """
    choices: list[Choice] = []
    tried = rules
    while True:
        protected, report, turns = _in_turns(release, tried, known, threads, say)
        kept = {tier.id for tier in tried.tiers}
        counts = protected.report
        choices.append(
            Choice(
                left_out=tuple(tier.id for tier in rules.tiers if tier.id not in kept),
                passed=report.passed,
                turns=turns,
                told=len(report.failures),
                primary=counts["primary"],
                secondary=counts["secondary"],
            )
        )
        say(str(choices[-1]))
        tiers = tried.tiers[:-1]
        if report.passed or not tiers:
            return Proof(protected, report, tried, tuple(choices))
        tried = tried.model_copy(update={"tiers": tiers})
        # Some tiers have no numbers in this quarter: leaving them out would change nothing.
        while len(tiers) > 1 and not _publishes_less(release, tried, protected):
            tiers = tiers[:-1]
            tried = tried.model_copy(update={"tiers": tiers})


def _publishes_less(release: ReleaseCells, rules: Rules, protected: Protected) -> bool:
    return published(release.cells, release.relations, rules).height < protected.cells.height


def _in_turns(
    release: ReleaseCells,
    rules: Rules,
    known: pl.DataFrame | None,
    threads: int,
    say: Callable[[str], None],
) -> tuple[Protected, AuditReport, int]:
    cells, relations, ratios = release.cells, release.relations, release.ratios
    also = pl.DataFrame(schema=dict.fromkeys(KEY, pl.String))
    # The protection searches but does not prove, the audit proves but does not search.
    for turn in (1, 2):
        protected = protect(cells, relations, rules, known, ratios, threads, also, strict=False)
        shown, shown_ratios = protected.cells, protected.ratios
        report = audit(cells, shown, relations, rules, known, ratios, shown_ratios, threads)
        if report.passed:
            break
        # The whole table: what the audit estimates lies mostly between windows, in no published
        # table, and one number more may not be the right one.
        more = cells.join(report.concerned.select(TABLE).unique(), on=TABLE, how="semi")
        also = pl.concat([report.more_to_suppress, more.select(KEY)]).unique()
        if turn == 1:
            say(f"the audit can tell {len(report.failures)} numbers; more is suppressed")
    return protected, report, turn
