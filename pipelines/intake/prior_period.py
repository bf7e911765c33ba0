"""Reference data of one file: its other sheets, and its sender's file for the quarter before.

This is for a file on its sender's own machine. For a collection see
:class:`pipelines.intake.accepted_returns.AcceptedReturns`. Either gives what
``expectations.suite.validate_quarters`` takes as ``reference_data``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from expectations.reference_data import KeyOf, ReferenceData
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.readers.casting import validated_frame

NOTHING_SET_ASIDE = pl.DataFrame(schema={"submission_id": pl.String, "sheet_row": pl.Int64})
SENT_SCHEMA = {"submission_id": pl.String, "sender_code": pl.String, "return_name": pl.String}


class NotThePriorReturn(Exception):
    """The file given as the one before is another sender's or another quarter's; the message says
    which."""


def reference_data_of_file(
    declarations: Declarations,
    quarter: Quarter,
    sender_code: str,
    typed: Mapping[str, pl.DataFrame],
    *,
    prior_return: Mapping[str, pl.DataFrame] | None = None,
    submission_id: str | None = None,
    nil: Iterable[str] = (),
) -> ReferenceData:
    """What the returns of one file are compared with.

    ``typed`` are the file's typed frames by return (``pipelines.readers.casting.cast``),
    also empty ones; ``nil`` names the returns that its cover says are nil.
    ``prior_return`` are the typed frames of the same sender's file for the quarter
    before, cast for that quarter, one for every return it holds (an empty one
    if nil); None if there is no such file. The rules that need it are then
    skipped, with the reason in the verdict.

    ``submission_id`` defaults to the one in ``typed``. No key is needed: nothing
    of this is written anywhere. Raises NotThePriorReturn when the rows of
    ``prior_return`` are another sender's or another quarter's.
    """
    for frame in (prior_return or {}).values():
        _check_is_prior(frame, sender_code, quarter)
    own_id = submission_id or next(
        (frame["submission_id"][0] for frame in typed.values() if frame.height), "this file"
    )
    submitted = [name for name in declarations.returns if name in nil or _height(typed.get(name))]
    prior = as_validated(prior_return or {}, declarations, plain_keys)
    return ReferenceData(
        key_of=plain_keys,
        now=as_validated(typed, declarations, plain_keys),
        sent=pl.DataFrame(
            [(own_id, sender_code, name) for name in submitted], schema=SENT_SCHEMA, orient="row"
        ),
        prior=prior,
        prior_senders={name: frozenset({sender_code}) for name in prior},
    )


def plain_keys(kind: str, issuers: pl.Series, references: pl.Series) -> pl.Series:
    """Keys that tell references apart as pseudonyms do, for what is never written."""
    frame = pl.DataFrame({"issuer": issuers.fill_null(""), "reference": references})
    return frame.select(pl.col("issuer") + "\x1f" + pl.col("reference")).to_series()


def as_validated(
    typed: Mapping[str, pl.DataFrame], declarations: Declarations, key_of: KeyOf
) -> dict[str, pl.DataFrame]:
    """Typed frames in the shape of the validated room, no row set aside."""
    return {
        name: validated_frame(frame, declarations.returns[name], key_of, NOTHING_SET_ASIDE)
        for name, frame in typed.items()
    }


def _height(frame: pl.DataFrame | None) -> int:
    return 0 if frame is None else frame.height


def _check_is_prior(frame: pl.DataFrame, sender_code: str, quarter: Quarter) -> None:
    prior = quarter.plus(-1).label
    if set(frame["quarter"].unique()) - {prior}:
        raise NotThePriorReturn(f"the earlier file is not the return for {prior}")
    if set(frame["sender_code"].unique()) - {sender_code}:
        raise NotThePriorReturn("the earlier file is another sender's")
