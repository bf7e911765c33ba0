"""What a rule is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from typing import Literal

import polars as pl

from pipelines.declarations import Declarations, Return, ReturnField
from pipelines.quarters import Quarter

Severity = Literal["error", "query"]

# What a rule has to know apart from the rows it checks; without it the rule is skipped, and why is
# said in the verdict (``expectations.rule_counts.SKIPPED``).
Need = Literal[
    "prior_return", "other_senders", "adopter_return", "child_returns", "every_child_return"
]


class Rows:
    """The typed rows of one return and quarter, as a rule sees them.

    Every method gives a Boolean expression. A comparison with a date that is
    not known is null, and a rule that comes out null holds: what is missing is
    the business of the rules on completeness alone.
    """

    def __init__(self, declared: Return, quarter: Quarter, declarations: Declarations) -> None:
        self.quarter = quarter
        self._declared = declared
        self._declarations = declarations

    def given(self, name: str) -> pl.Expr:
        """Something was written in the cell, understood or not.

        A cell that was not understood has its own problem already; without
        this it would be reported as missing as well.
        """
        declared = self._declared.field(name)
        if has_readable(declared):
            return pl.col(name).is_not_null() | ~pl.col(f"readable__{name}")
        return (pl.col(name).str.strip_chars() != "").fill_null(False)

    def missing(self, name: str) -> pl.Expr:
        return ~self.given(name)

    def any_given(self, *names: str) -> pl.Expr:
        return reduce(lambda left, right: left | right, (self.given(name) for name in names))

    def is_code(self, name: str, *codes: str) -> pl.Expr:
        """False where the cell is blank."""
        return pl.col(name).is_in(codes).fill_null(False)

    def in_order(self, earlier: str, later: str) -> pl.Expr:
        """``prior`` is on or before ``later``."""
        return pl.col(earlier) <= pl.col(later)

    def not_before_last_of(self, name: str, *earlier: str) -> pl.Expr:
        """``name`` is on or after the nearest of ``prior`` (nearest first) that is known.

        One wrong early date is then reported once, not against every later step.
        """
        return pl.col(name) >= pl.coalesce(*earlier)

    def rows_sharing(self, name: str) -> pl.Expr:
        """Number of rows of the same submission with the same reference; an integer."""
        return pl.len().over("submission_id", reference(name))

    def sent_from(self, *nation_codes: str) -> pl.Expr:
        """The sender lies in one of the nations."""
        places = self._declarations.places.values()
        codes = [place.place_code for place in places if place.nation_code in nation_codes]
        return pl.col("sender_code").is_in(codes)

    def is_early(self, name: str) -> pl.Expr:
        """The date is before any that a return can have; false where there is none."""
        first_day = date(int(self.limit("earliest_year")), 1, 1)
        return (pl.col(name) < first_day).fill_null(False)

    def limit(self, name: str) -> float:
        """A limit of ``sources/rule_limits.csv`` in force. Raises KeyError where none is."""
        return self._declarations.rule_limit(name, self.quarter).value

    @property
    def place_kinds(self) -> Mapping[str, str]:
        """Kind of each declared place, by its code."""
        return {code: place.kind for code, place in self._declarations.places.items()}


def has_readable(declared: ReturnField) -> bool:
    """Whether the typed frame says of this field if it was understood."""
    return declared.type != "string" or declared.code_list is not None


def reference(name: str) -> pl.Expr:
    """A reference as it will be pseudonymised: ``a1`` and ``A1 `` are the same child."""
    return pl.col(name).str.strip_chars().str.to_uppercase()


def when(condition: pl.Expr, then: pl.Expr) -> pl.Expr:
    """``then`` must hold where ``condition`` does."""
    return ~condition | then


def never(*conditions: pl.Expr) -> pl.Expr:
    """The conditions must not all hold at once."""
    return ~reduce(lambda left, right: left & right, conditions)


Passes = Callable[[Rows], pl.Expr]


@dataclass(frozen=True)
class Rule:
    """A rule across the fields of a row, the rows of a submission, or what they are compared with.

    ``fields[0]`` is the field whose cell the officer is sent to. A rule is
    skipped in a quarter in which any of ``fields`` is not asked for.
    ``ssda903`` are the numbers of the rules of the English looked-after
    children return that it carries over to the fields of this return; the
    sentence ends with them. ``source`` says where any other rule comes from.

    A rule with ``needs`` may use the columns of ``expectations.reference_columns``
    (``prior__matched_on``), and is checked only where they are known. With
    ``level`` "return" it is checked once for each return, on the columns of
    ``reference_data.wholes``; its sentences may name those in braces.
    A code is never used again for another rule.
    """

    code: str
    return_name: Literal["child", "adopter", "support"]
    severity: Severity
    fields: tuple[str, ...]
    sentence_en: str
    sentence_cy: str
    source: str
    passes: Passes = field(repr=False)
    since: Quarter | None = None
    until: Quarter | None = None
    ssda903: tuple[int, ...] = ()
    needs: Need | None = None
    level: Literal["row", "return"] = "row"
    holds: bool = False  # of level "return": until somebody confirms it, the return does not count

    def __post_init__(self) -> None:
        if not self.fields:
            raise ValueError(f"{self.code}: a rule names at least one field")
        if self.severity not in ("error", "query"):
            raise ValueError(f"{self.code}: severity is error or query")

    def in_force(self, quarter: Quarter, asked_for: frozenset[str]) -> bool:
        """Whether the rule applies in ``quarter``, whose return has the fields ``asked_for``."""
        begun = self.since is None or self.since <= quarter
        ended = self.until is not None and self.until < quarter
        return begun and not ended and asked_for.issuperset(self.fields)


def adapted_from(numbers: tuple[int, ...]) -> str:
    """``SSDA903 333, 551 and 553, adapted``: the source of a rule that carries others over."""
    *most, last = (str(number) for number in numbers)
    listed = f"{', '.join(most)} and {last}" if most else last
    return f"SSDA903 {listed}, adapted"
