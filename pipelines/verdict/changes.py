"""What changed between two versions of a return: rows and problems.

Rows are matched by the sender's own references, which stay inside: what is counted and shown
on a screen are numbers of rows of the sheets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from expectations.rules.rule import reference
from pipelines.declarations import Declarations, Return
from pipelines.verdict.sent_returns import SentReturn

ChangeKind = Literal["added", "removed", "changed"]
KINDS: tuple[ChangeKind, ...] = ("added", "removed", "changed")

_KEY, _NUMBER = "key", "number_with_key"
_WRITTEN = "written__"


@dataclass(frozen=True)
class RowChange:
    """A row that is on one version only (the other's row is None), or whose fields differ."""

    return_name: str
    kind: ChangeKind
    sheet_row: int | None
    earlier_row: int | None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changes:
    """``earlier_id`` names the version compared with; problems are of the newer one, but for
    those that are ``fixed``."""

    earlier_id: str
    rows: tuple[RowChange, ...]
    unchanged: Mapping[str, int]
    fixed: tuple[Mapping[str, Any], ...]
    new: tuple[Mapping[str, Any], ...]
    still_there: tuple[Mapping[str, Any], ...]

    def of(self, return_name: str, kind: ChangeKind) -> list[RowChange]:
        return [row for row in self.rows if (row.return_name, row.kind) == (return_name, kind)]

    @property
    def return_names(self) -> list[str]:
        """Returns that either version has rows of, in declared order."""
        return list(self.unchanged)

    def as_json(self) -> dict[str, Any]:
        """Counts, and rows of the sheets: nothing that a cell holds."""
        return {
            "compared_with": self.earlier_id,
            "returns": {
                name: {
                    **{kind: len(self.of(name, kind)) for kind in KINDS},
                    "unchanged": self.unchanged[name],
                    "added_rows": [row.sheet_row for row in self.of(name, "added")],
                    "changed_rows": [row.sheet_row for row in self.of(name, "changed")],
                    "removed_rows_of_earlier": [r.earlier_row for r in self.of(name, "removed")],
                }
                for name in self.return_names
            },
            "problems": {
                "fixed": len(self.fixed),
                "new": len(self.new),
                "still_there": len(self.still_there),
            },
        }


def changes(
    earlier: SentReturn,
    earlier_problems: Sequence[Mapping[str, Any]],
    now: SentReturn,
    problems: Sequence[Mapping[str, Any]],
    declarations: Declarations,
) -> Changes:
    """Compare two versions of one sender's return for one quarter.

    A row is the same child's (household's) if its reference is, whatever the case and the outer
    blanks; of rows that share one, the first goes with the first. A problem is the same if its
    rule, field and row are.
    """
    rows: list[RowChange] = []
    unchanged: dict[str, int] = {}
    for name, declared in declarations.returns.items():
        if name in earlier.typed or name in now.typed:
            of_return = list(
                _row_changes(declared, _keyed(earlier, declared), _keyed(now, declared))
            )
            changed = sum(row.kind != "removed" for row in of_return)
            total = now.typed[name].height if name in now.typed else 0
            unchanged[name] = total - changed
            rows += of_return
    before = Counter(_identity(problem, earlier) for problem in earlier_problems)
    after = Counter(_identity(problem, now) for problem in problems)
    return Changes(
        earlier_id=earlier.submission_id,
        rows=tuple(rows),
        unchanged=unchanged,
        fixed=tuple(_beyond(earlier_problems, earlier, after)),
        new=tuple(_beyond(problems, now, before)),
        still_there=tuple(_within(problems, now, before)),
    )


def _keyed(sent: SentReturn, declared: Return) -> pl.DataFrame:
    """Typed rows and what was written where nothing was understood, with the row's key."""
    typed = sent.typed.get(declared.name)
    if typed is None:
        return pl.DataFrame()
    raw = sent.raw[declared.name].select(
        "sheet_row", *(pl.col(field.name).alias(_WRITTEN + field.name) for field in declared.fields)
    )
    unclear = [
        pl.when(~pl.col(f"readable__{field.name}"))
        .then(pl.col(_WRITTEN + field.name))
        .alias(_WRITTEN + field.name)
        if f"readable__{field.name}" in typed.columns
        else pl.lit(None, dtype=pl.String).alias(_WRITTEN + field.name)
        for field in declared.fields
    ]
    key = reference(declared.primary_key[0]) if declared.primary_key else pl.lit("")
    return (
        typed.join(raw, on="sheet_row", how="left", maintain_order="left")
        .with_columns(*unclear, key.fill_null("").alias(_KEY))
        .with_columns(pl.int_range(pl.len()).over(_KEY).alias(_NUMBER))
    )


def _row_changes(declared: Return, earlier: pl.DataFrame, now: pl.DataFrame) -> Iterator[RowChange]:
    if not earlier.height or not now.height:
        for row in now["sheet_row"] if now.height else ():
            yield RowChange(declared.name, "added", row, None)
        for row in earlier["sheet_row"] if earlier.height else ():
            yield RowChange(declared.name, "removed", None, row)
        return
    both = now.join(earlier, on=[_KEY, _NUMBER], how="full", suffix="__earlier", coalesce=True)
    names = [field.name for field in declared.fields]
    differs = [
        (
            pl.col(name).ne_missing(pl.col(f"{name}__earlier"))
            | pl.col(_WRITTEN + name).ne_missing(pl.col(f"{_WRITTEN}{name}__earlier"))
        ).alias(name)
        for name in names
    ]
    flags = both.select("sheet_row", "sheet_row__earlier", *differs).sort(
        "sheet_row", "sheet_row__earlier", nulls_last=True
    )
    for row, earlier_row, *different in flags.iter_rows():
        if row is None:
            yield RowChange(declared.name, "removed", None, earlier_row)
        elif earlier_row is None:
            yield RowChange(declared.name, "added", row, None)
        elif any(different):
            fields = tuple(n for n, is_other in zip(names, different, strict=True) if is_other)
            yield RowChange(declared.name, "changed", row, earlier_row, fields)


Identity = tuple[Any, ...]


def _identity(problem: Mapping[str, Any], sent: SentReturn) -> Identity:
    """Whose problem it is and which; a row without a reference is known by its number."""
    name, row = problem["return_name"], problem["sheet_row"]
    whose = sent.reference(name, row)
    place = whose.strip().upper() if whose and whose.strip() else row
    return name, place, problem["field"], problem["code"]


def _beyond(
    problems: Iterable[Mapping[str, Any]], sent: SentReturn, others: Counter[Identity]
) -> Iterator[Mapping[str, Any]]:
    """Problems that ``others`` do not have, or have fewer of."""
    left = others.copy()
    for problem in problems:
        identity = _identity(problem, sent)
        left[identity] -= 1
        if left[identity] < 0:
            yield problem


def _within(
    problems: Iterable[Mapping[str, Any]], sent: SentReturn, others: Counter[Identity]
) -> Iterator[Mapping[str, Any]]:
    left = others.copy()
    for problem in problems:
        identity = _identity(problem, sent)
        left[identity] -= 1
        if left[identity] >= 0:
            yield problem
