"""What the rows of a return are compared with: prior returns, and the other sheets.

Pseudonyms are compared in this package and nowhere else; no rule sees them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipelines.declarations import Return

# Kind of reference, who issued each, the references: a key for each of them.
KeyOf = Callable[[str, pl.Series, pl.Series], pl.Series]

_POLARS = {"string": pl.String, "date": pl.Date, "integer": pl.Int64}
_LEADING = ("submission_id", "sender_code", "quarter", "sheet_row", "row_status")


@dataclass(frozen=True)
class ReferenceData:
    """What the rows of one quarter that are being checked are compared with.

    Frames are in the shape of the validated room. ``now`` has, by return, the
    rows being checked, row for row as in the typed frame. ``sent`` has the
    columns submission_id, sender_code and return_name: a row for each return
    that a submission holds, with rows or as nil.

    ``prior`` are the rows of the quarter before, of each sender's submission
    in force; ``prior_senders`` says whose are known, nil returns included.
    ``in_force`` and ``in_force_senders`` are the same for this quarter.
    ``key_of(kind, issuers, references)`` made the identifiers of all of them
    (:meth:`pipelines.intake.pseudonyms.Pseudonymiser.of_column`).
    ``knows_other_senders``: ``prior`` has the returns of others as well.
    """

    key_of: KeyOf
    now: Mapping[str, pl.DataFrame]
    sent: pl.DataFrame
    prior: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    prior_senders: Mapping[str, frozenset[str]] = field(default_factory=dict)
    in_force: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    in_force_senders: Mapping[str, frozenset[str]] = field(default_factory=dict)
    every_child_return: bool = False
    knows_other_senders: bool = False

    def holds(self, return_name: str) -> pl.Series:
        """Submissions that hold the return."""
        return self.sent.filter(pl.col("return_name") == return_name)["submission_id"]


def validated_columns(declared: Return) -> dict[str, Any]:
    """Columns of the validated room that come from fields, with their Polars types."""
    return {each.validated_name: _POLARS[each.validated_type] for each in declared.fields}


def key_columns(declared: Return) -> list[str]:
    """Columns of the validated room that tell cases of one sender apart; for support none."""
    return ["sender_code", *(declared.field(name).validated_name for name in declared.primary_key)]


def shaped(frame: pl.DataFrame | None, declared: Return) -> pl.DataFrame:
    """A validated frame with every column declared now, whatever was declared when it was made."""
    schema = dict.fromkeys(_LEADING, pl.String) | {"sheet_row": pl.Int64}
    schema |= validated_columns(declared)
    if frame is None:
        return pl.DataFrame(schema=schema)
    # Files of the validated room are never rewritten, so an old one lacks the fields declared
    # since.
    return frame.select(
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name)
        for name, kind in schema.items()
    )
