"""The returns of a collection that new ones are compared with: the newest accepted of each sender.

Rows come from the validated room, so cases are known by pseudonym. For a single file on its
sender's own machine see ``prior_period.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from expectations.reference_data import KeyOf, ReferenceData
from pipelines.declarations import Declarations, Return
from pipelines.intake.prior_period import (
    NOTHING_SET_ASIDE,
    SENT_SCHEMA,
    as_validated,
    plain_keys,
)
from pipelines.lifecycle.ledger import Submission
from pipelines.quarters import Quarter
from pipelines.readers.casting import LEADING_COLUMNS, validated_frame
from pipelines.settings import Settings

_ACROSS = ("child", "adopter")  # the returns that rules across sheets compare
_POLARS = {"string": pl.String, "date": pl.Date, "integer": pl.Int64}


@dataclass(frozen=True)
class SubmittedReturns:
    """A submission, and the returns it holds: with rows, or ticked as nil."""

    submission: Submission
    returns: tuple[str, ...]


@dataclass(frozen=True)
class _Accepted:
    """An accepted submission; ``rows`` by return where they are not on disk yet.

    ``returns`` are those that it holds, ``nil`` those of them without a row.
    """

    submission_id: str
    returns: frozenset[str]
    nil: frozenset[str]
    rows: Mapping[str, pl.DataFrame] | None = None


class AcceptedReturns:
    """The newest accepted submission of each sender and quarter, and its rows.

    What the ledger holds, and what is about to be accepted (:meth:`add`): the
    returns of twelve quarters may be validated at once, and each is compared with
    the one before. A submission that was withdrawn does not count; one that came
    after its quarter was locked does, since it is what its sender says now.
    """

    def __init__(
        self,
        settings: Settings,
        declarations: Declarations,
        submissions: Iterable[Submission],
        key_of: KeyOf,
    ) -> None:
        self._settings = settings
        self._declarations = declarations
        self._key_of = remembering(key_of)
        self._accepted: dict[str, dict[str, _Accepted]] = {}  # by quarter, by sender
        self._stored: dict[tuple[str, str], pl.DataFrame] = {}
        accepted = [
            item
            for item in submissions
            # Held ones count: what a sender says now is compared, whatever the figures rest on.
            if item.is_accepted and item.withdrawn_at is None and item.quarter and item.sender_code
        ]
        for item in sorted(accepted, key=lambda each: each.delivery_number):
            # A nil return is known although no file holds a row of it.
            nil = frozenset(
                name for name, counts in item.returns.items() if not counts["rows_read"]
            )
            self._remember(item, _Accepted(item.submission_id, frozenset(item.returns), nil))

    def _remember(self, item: Submission, accepted: _Accepted) -> None:
        assert item.quarter and item.sender_code
        self._accepted.setdefault(item.quarter, {})[item.sender_code] = accepted

    def reference_data(
        self,
        quarter: Quarter,
        submitted: Sequence[SubmittedReturns],
        typed: Mapping[str, pl.DataFrame],
    ) -> ReferenceData:
        """What the typed rows of ``submitted``, all of one quarter, are compared with."""
        before = quarter.plus(-1)
        return ReferenceData(
            key_of=self._key_of,
            now=as_validated(typed, self._declarations, self._key_of),
            sent=pl.DataFrame(
                [
                    (each.submission.submission_id, each.submission.sender_code, name)
                    for each in submitted
                    for name in each.returns
                ],
                schema=SENT_SCHEMA,
                orient="row",
            ),
            prior={name: self._rows(before, name) for name in self._declarations.returns},
            prior_senders={
                name: self._senders(before, name) for name in self._declarations.returns
            },
            knows_other_senders=True,
            **self._in_force(quarter),
        )

    def with_newly_accepted(self, quarter: Quarter, reference_data: ReferenceData) -> ReferenceData:
        """The same, after further submissions of the quarter were accepted."""
        return replace(reference_data, **self._in_force(quarter))

    def _in_force(self, quarter: Quarter) -> dict[str, Any]:
        return {
            "in_force": {name: self._rows(quarter, name) for name in _ACROSS},
            "in_force_senders": {name: self._senders(quarter, name) for name in _ACROSS},
            "every_child_return": self._every_child_return(quarter),
        }

    def add(
        self,
        accepted: Sequence[SubmittedReturns],
        reference_data: ReferenceData,
        set_aside: pl.DataFrame,
    ) -> None:
        """Count submissions as accepted, in the order of arrival.

        ``reference_data`` is that of the batch they are in. ``set_aside`` has the rows in error, of
        whichever submission: submission_id, return_name, sheet_row.
        """
        ids = [each.submission.submission_id for each in accepted]
        rows: dict[str, dict[str, pl.DataFrame]] = {}
        for name, frame in reference_data.now.items():
            mine = _with_status(frame, set_aside.filter(pl.col("return_name") == name)).filter(
                pl.col("submission_id").is_in(ids)
            )
            for (submission_id,), part in mine.partition_by("submission_id", as_dict=True).items():
                rows.setdefault(str(submission_id), {})[name] = part
        for each in accepted:
            item = each.submission
            own_rows = rows.get(item.submission_id, {})
            returns = frozenset(each.returns)
            nil = returns - own_rows.keys()
            self._remember(item, _Accepted(item.submission_id, returns, nil, own_rows))

    def _senders(self, quarter: Quarter, return_name: str) -> frozenset[str]:
        """Senders whose return is known: accepted, and its rows still there, unless it is nil.

        Rows may be kept for a shorter time than the ledger; to compare with nothing would make
        every case a new one.
        """
        stored = self._from_disk(quarter, return_name)
        on_disk = frozenset(stored["submission_id"]) if stored.width else frozenset()
        return frozenset(
            sender
            for sender, accepted in self._accepted.get(quarter.label, {}).items()
            if return_name in accepted.returns
            and (
                return_name in accepted.nil
                or accepted.rows is not None
                or accepted.submission_id in on_disk
            )
        )

    def _every_child_return(self, quarter: Quarter) -> bool:
        due = {
            each.sender_code
            for each in self._declarations.returns_due
            if each.return_name == "child" and each.in_force(quarter)
        }
        return bool(due) and due <= self._senders(quarter, "child")

    def _rows(self, quarter: Quarter, return_name: str) -> pl.DataFrame:
        accepted = self._accepted.get(quarter.label, {}).values()
        on_disk = [each.submission_id for each in accepted if each.rows is None]
        parts = [
            each.rows[return_name] for each in accepted if each.rows and return_name in each.rows
        ]
        stored = self._from_disk(quarter, return_name)
        if on_disk and stored.width:
            parts.append(stored.filter(pl.col("submission_id").is_in(on_disk)))
        if not parts:
            declared = self._declarations.returns[return_name]
            no_rows = pl.DataFrame(schema=_typed_schema(declared))
            return validated_frame(no_rows, declared, plain_keys, NOTHING_SET_ASIDE)
        # A file that was written before a field was declared has no such column.
        return pl.concat(parts, how="diagonal")

    def _from_disk(self, quarter: Quarter, return_name: str) -> pl.DataFrame:
        key = (quarter.label, return_name)
        if key not in self._stored:
            folder = self._settings.validated / return_name / quarter.label
            files = sorted(folder.glob("*.parquet")) if folder.exists() else []
            frames = [pl.read_parquet(path) for path in files]
            # Files are never changed, so each is read once for all quarters that compare with it.
            self._stored[key] = pl.concat(frames, how="diagonal") if frames else pl.DataFrame()
        return self._stored[key]


def remembering(key_of: KeyOf) -> KeyOf:
    """``key_of`` that works out each reference once: the same ones come again and again."""
    known: dict[tuple[str, str | None, str], str] = {}

    def keys(kind: str, issuers: pl.Series, references: pl.Series) -> pl.Series:
        wanted = [
            None if reference is None else (kind, issuer, reference)
            for issuer, reference in zip(issuers, references, strict=True)
        ]
        new = list({case for case in wanted if case is not None and case not in known})
        made = key_of(
            kind,
            pl.Series("issuer", [issuer for _, issuer, _ in new], dtype=pl.String),
            pl.Series("reference", [reference for _, _, reference in new], dtype=pl.String),
        )
        known.update(zip(new, made, strict=True))
        return pl.Series(
            references.name,
            [None if case is None else known[case] for case in wanted],
            dtype=pl.String,
        )

    return keys


def _with_status(frame: pl.DataFrame, set_aside: pl.DataFrame) -> pl.DataFrame:
    keys = ["submission_id", "sheet_row"]
    in_error = set_aside.select(*keys, quarantined=pl.lit(True)).unique()
    return frame.join(in_error, on=keys, how="left", maintain_order="left").select(
        pl.when(pl.col("quarantined").fill_null(False))
        .then(pl.lit("quarantined"))
        .otherwise(pl.lit("accepted"))
        .alias("row_status")
        if name == "row_status"
        else pl.col(name)
        for name in frame.columns
    )


def _typed_schema(declared: Return) -> dict[str, Any]:
    leading = dict.fromkeys(LEADING_COLUMNS, pl.String) | {"sheet_row": pl.Int64}
    return leading | {each.name: _POLARS[each.type] for each in declared.fields}
