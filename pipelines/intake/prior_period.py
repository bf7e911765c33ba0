"""What is known beside the returns being checked: the last ones, and the other sheets.

``beside_one_file`` is for a file on its sender's own machine, with or without
the file before it. ``Known.beside`` is for a collection: the newest accepted
submissions of this quarter and of the one before, from the validated room.
Either gives what ``expectations.suite.validate_quarters`` takes as ``beside``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from expectations.reference_data import Beside, KeyOf
from pipelines.declarations import Declarations, Return
from pipelines.lifecycle.ledger import Submission
from pipelines.quarters import Quarter
from pipelines.readers.casting import LEADING_COLUMNS, validated_frame
from pipelines.settings import Settings

NOTHING_SET_ASIDE = pl.DataFrame(schema={"submission_id": pl.String, "sheet_row": pl.Int64})
_SENT = {"submission_id": pl.String, "sender_code": pl.String, "return_name": pl.String}


class NotTheLastReturn(Exception):
    """The earlier file is of another sender or of another quarter; the message says which."""


def beside_one_file(
    declarations: Declarations,
    quarter: Quarter,
    sender_code: str,
    typed: Mapping[str, pl.DataFrame],
    *,
    before: Mapping[str, pl.DataFrame] | None = None,
    submission_id: str | None = None,
    nil: Iterable[str] = (),
) -> Beside:
    """What is known beside the returns of one file.

    ``typed`` are the file's typed frames by return (``pipelines.readers.casting.cast``),
    also empty ones; ``nil`` names the returns that its cover says are nil.
    ``before`` are the typed frames of the same sender's file for the quarter
    before, cast for that quarter, one for every return it holds (an empty one
    if nil); None if there is no such file. The rules that need it are then
    skipped, with the reason in the verdict.

    ``submission_id`` defaults to the one in ``typed``. No key is needed: nothing
    of this is written anywhere. Raises NotTheLastReturn when the rows of
    ``before`` are another sender's or another quarter's.
    """
    for frame in (before or {}).values():
        _check_is_last(frame, sender_code, quarter)
    own_id = submission_id or next(
        (frame["submission_id"][0] for frame in typed.values() if frame.height), "this file"
    )
    held = [name for name in declarations.returns if name in nil or _height(typed.get(name))]
    earlier = {
        name: validated_frame(frame, declarations.returns[name], plain_keys, NOTHING_SET_ASIDE)
        for name, frame in (before or {}).items()
    }
    return Beside(
        key_of=plain_keys,
        now=_validated(typed, declarations, plain_keys),
        sent=pl.DataFrame(
            [(own_id, sender_code, name) for name in held], schema=_SENT, orient="row"
        ),
        earlier=earlier,
        earlier_in={name: frozenset({sender_code}) for name in earlier},
    )


def plain_keys(kind: str, issuers: pl.Series, references: pl.Series) -> pl.Series:
    """Keys that tell references apart as pseudonyms do, for what is never written."""
    frame = pl.DataFrame({"issuer": issuers.fill_null(""), "reference": references})
    return frame.select(pl.col("issuer") + "\x1f" + pl.col("reference")).to_series()


def remembering(key_of: KeyOf) -> KeyOf:
    """``key_of`` that works out each reference once: the same ones come again and again."""
    known: dict[tuple[str, str | None, str], str] = {}

    def keys(kind: str, issuers: pl.Series, references: pl.Series) -> pl.Series:
        wanted = [
            None if reference is None else (kind, issuer, reference)
            for issuer, reference in zip(issuers, references, strict=True)
        ]
        new = list({one for one in wanted if one is not None and one not in known})
        made = key_of(
            kind,
            pl.Series("issuer", [one[1] for one in new], dtype=pl.String),
            pl.Series("reference", [one[2] for one in new], dtype=pl.String),
        )
        known.update(zip(new, made, strict=True))
        return pl.Series(
            references.name,
            [None if one is None else known[one] for one in wanted],
            dtype=pl.String,
        )

    return keys


def _height(frame: pl.DataFrame | None) -> int:
    return 0 if frame is None else frame.height


def _check_is_last(frame: pl.DataFrame, sender_code: str, quarter: Quarter) -> None:
    last = quarter.plus(-1).label
    if set(frame["quarter"].unique()) - {last}:
        raise NotTheLastReturn(f"the earlier file is not the return of {last}")
    if set(frame["sender_code"].unique()) - {sender_code}:
        raise NotTheLastReturn("the earlier file is another sender's")


def _validated(
    typed: Mapping[str, pl.DataFrame], declarations: Declarations, key_of: KeyOf
) -> dict[str, pl.DataFrame]:
    return {
        name: validated_frame(frame, declarations.returns[name], key_of, NOTHING_SET_ASIDE)
        for name, frame in typed.items()
    }


# --- a collection ---------------------------------------------------------------


@dataclass(frozen=True)
class Held:
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


class Known:
    """The newest accepted submission of each sender and quarter, and its rows.

    What the ledger holds, and what is about to be accepted (``accept``): the
    returns of twelve quarters may be judged at once, and each is compared with
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
            if item.is_accepted and item.withdrawn_at is None and item.quarter and item.sender_code
        ]
        for item in sorted(accepted, key=lambda one: (one.received_at, one.delivery_number)):
            nil = frozenset(name for name, one in item.returns.items() if not one["rows_read"])
            self._remember(item, _Accepted(item.submission_id, frozenset(item.returns), nil))

    def _remember(self, item: Submission, accepted: _Accepted) -> None:
        assert item.quarter and item.sender_code
        self._accepted.setdefault(item.quarter, {})[item.sender_code] = accepted

    def beside(
        self, quarter: Quarter, held: Sequence[Held], typed: Mapping[str, pl.DataFrame]
    ) -> Beside:
        """What is known beside the typed rows of ``held``, all of one quarter."""
        before = quarter.plus(-1)
        return Beside(
            key_of=self._key_of,
            now=_validated(typed, self._declarations, self._key_of),
            sent=pl.DataFrame(
                [
                    (one.submission.submission_id, one.submission.sender_code, name)
                    for one in held
                    for name in one.returns
                ],
                schema=_SENT,
                orient="row",
            ),
            earlier={name: self._rows(before, name) for name in self._declarations.returns},
            earlier_in={name: self._senders(before, name) for name in self._declarations.returns},
            knows_other_senders=True,
            **self._in_force(quarter),
        )

    def beside_once_more(self, quarter: Quarter, beside: Beside) -> Beside:
        """The same, after further submissions of the quarter were accepted."""
        return replace(beside, **self._in_force(quarter))

    def _in_force(self, quarter: Quarter) -> dict[str, Any]:
        return {
            "in_force": {name: self._rows(quarter, name) for name in _ACROSS},
            "in_force_in": {name: self._senders(quarter, name) for name in _ACROSS},
            "every_child_return": self._every_child_return(quarter),
        }

    def accept(self, accepted: Sequence[Held], beside: Beside, set_aside: pl.DataFrame) -> None:
        """Count submissions as accepted, in the order of arrival.

        ``beside`` is what was known beside them. ``set_aside`` has the rows in error, of whichever
        submission: submission_id, return_name, sheet_row.
        """
        ids = [held.submission.submission_id for held in accepted]
        rows: dict[str, dict[str, pl.DataFrame]] = {}
        for name, frame in beside.now.items():
            mine = _with_status(frame, set_aside.filter(pl.col("return_name") == name)).filter(
                pl.col("submission_id").is_in(ids)
            )
            for (submission_id,), part in mine.partition_by("submission_id", as_dict=True).items():
                rows.setdefault(str(submission_id), {})[name] = part
        for held in accepted:
            item = held.submission
            mine_only = rows.get(item.submission_id, {})
            returns = frozenset(held.returns)
            nil = returns - mine_only.keys()
            self._remember(item, _Accepted(item.submission_id, returns, nil, mine_only))

    def _senders(self, quarter: Quarter, return_name: str) -> frozenset[str]:
        """Senders whose return is known: accepted, and its rows still there, unless it is nil.

        Rows may be kept for a shorter time than the ledger; to compare with nothing would make
        every case a new one.
        """
        stored = self._from_disk(quarter, return_name)
        on_disk = frozenset(stored["submission_id"]) if stored.width else frozenset()
        return frozenset(
            sender
            for sender, one in self._accepted.get(quarter.label, {}).items()
            if return_name in one.returns
            and (
                return_name in one.nil
                or (one.submission_id in on_disk if one.rows is None else True)
            )
        )

    def _every_child_return(self, quarter: Quarter) -> bool:
        due = {
            one.sender_code
            for one in self._declarations.returns_due
            if one.return_name == "child" and one.in_force(quarter)
        }
        return bool(due) and due <= self._senders(quarter, "child")

    def _rows(self, quarter: Quarter, return_name: str) -> pl.DataFrame:
        accepted = self._accepted.get(quarter.label, {}).values()
        on_disk = [one.submission_id for one in accepted if one.rows is None]
        parts = [one.rows[return_name] for one in accepted if one.rows and return_name in one.rows]
        stored = self._from_disk(quarter, return_name)
        if on_disk and stored.width:
            parts.append(stored.filter(pl.col("submission_id").is_in(on_disk)))
        if not parts:
            declared = self._declarations.returns[return_name]
            return validated_frame(
                pl.DataFrame(schema=_typed_schema(declared)), declared, plain_keys,
                NOTHING_SET_ASIDE,
            )  # fmt: skip
        # A file that was written before a field was declared has no such column.
        return pl.concat(parts, how="diagonal")

    def _from_disk(self, quarter: Quarter, return_name: str) -> pl.DataFrame:
        key = (quarter.label, return_name)
        if key not in self._stored:
            folder = self._settings.validated / return_name / quarter.label
            files = sorted(folder.glob("*.parquet")) if folder.exists() else []
            frames = [pl.read_parquet(path) for path in files]
            self._stored[key] = pl.concat(frames, how="diagonal") if frames else pl.DataFrame()
        return self._stored[key]


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


_ACROSS = ("child", "adopter")  # the returns that rules across sheets compare
_POLARS = {"string": pl.String, "date": pl.Date, "integer": pl.Int64}


def _typed_schema(declared: Return) -> dict[str, pl.DataType]:
    leading = dict.fromkeys(LEADING_COLUMNS, pl.String) | {"sheet_row": pl.Int64}
    return leading | {each.name: _POLARS[each.type] for each in declared.fields}
