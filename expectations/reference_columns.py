"""Reference data as columns beside the rows of a return, which rules may use.

A rule stays one expression on one frame, also where it compares with the prior
return or with another sheet: what it compares with is joined on first.

| Columns | Of | Hold |
|---|---|---|
| `prior__<name>` | a row | the same case on the sender's prior return, as validated |
| `prior__is_there`, `prior__is_same` | a row | whether it was there; whether nothing changed |
| `household__<name>` | a child | the household of the match, on its agency's adopter return |
| `children__<name>` | a household | the children matched with it, on all child returns in force |
| `known__<need>` | both | whether that is known; where not, the rule is skipped |
"""

from __future__ import annotations

from typing import Any, get_args

import polars as pl

from expectations.reference_data import (
    ReferenceData,
    key_columns,
    shaped,
    validated_columns,
)
from expectations.rules.rule import Need
from pipelines.declarations import Declarations, Return

NEEDS: tuple[Need, ...] = get_args(Need)

_HOUSEHOLD = ("matched_on", "placed_on", "approved_on", "left_on")
_CHILDREN = ("matched_on", "placed_on")


def with_reference_columns(
    typed: pl.DataFrame,
    declared: Return,
    declarations: Declarations,
    reference_data: ReferenceData | None,
) -> pl.DataFrame:
    """The typed frame with the columns of this module; nulls where nothing is known."""
    parts = [typed]
    if reference_data is None or declared.name not in reference_data.now:
        parts.append(_unknown(typed.height, declared))
        return pl.concat(parts, how="horizontal")
    now = reference_data.now[declared.name]
    # The frames are put side by side row for row: one row off, and every comparison is with another
    # child.
    if now.height != typed.height:
        raise ValueError(
            f"{declared.name}: {now.height} rows in the reference data, {typed.height} to check"
        )
    parts.append(_prior(now, declared, reference_data))
    if declared.name == "child":
        parts.append(_household(typed, now, declarations.returns["adopter"], reference_data))
    if declared.name == "adopter":
        parts.append(_children(now, declarations.returns["child"], reference_data))
    joined = pl.concat(parts, how="horizontal")
    missing = _unknown(0, declared)
    return joined.with_columns(
        pl.lit(None, dtype=kind).alias(name)
        for name, kind in missing.schema.items()
        if name not in joined.columns
    )


def known_to(
    typed: pl.DataFrame, declared: Return, reference_data: ReferenceData | None
) -> dict[Need, frozenset[str]]:
    """The submissions of a return for which each need is met.

    ``typed`` has the columns of this module. Where no child is matched with a
    household in the list of agencies there is nothing to look up, and nothing
    is missing.
    """
    if reference_data is None:
        return {need: frozenset() for need in NEEDS}
    sent = reference_data.sent.filter(pl.col("return_name") == declared.name)
    every = frozenset(sent["submission_id"])
    prior_senders = reference_data.prior_senders.get(declared.name, frozenset())
    with_prior = sent.filter(pl.col("sender_code").is_in(list(prior_senders)))["submission_id"]
    known: dict[Need, frozenset[str]] = {
        # Without its prior return a sender's every case would look new; the rule is skipped and
        # counted.
        "prior_return": frozenset(with_prior),
        "other_senders": every if reference_data.knows_other_senders else frozenset(),
        "adopter_return": every,
        "child_returns": every if _any_child_return(reference_data) else frozenset(),
        # A household without a matched child can be said only when no authority is missing.
        "every_child_return": every if reference_data.every_child_return else frozenset(),
    }
    if declared.name == "child":
        known["adopter_return"] = every - _without_their_agency(typed)
    if declared.name == "adopter":
        known["child_returns"] |= frozenset(reference_data.holds("child")) & every
    return known


def _any_child_return(reference_data: ReferenceData) -> bool:
    return bool(reference_data.in_force_senders.get("child"))


def _without_their_agency(typed: pl.DataFrame) -> frozenset[str]:
    """Submissions whose matches all name agencies whose adopter return is not known."""
    named = typed.filter(pl.col("household__is_named"))
    known = named.group_by("submission_id").agg(pl.col("known__adopter_return").any())
    return frozenset(known.filter(~pl.col("known__adopter_return"))["submission_id"])


def _unknown(height: int, declared: Return) -> pl.DataFrame:
    schema: dict[str, Any] = {
        f"prior__{name}": kind for name, kind in validated_columns(declared).items()
    }
    schema |= {"prior__is_there": pl.Boolean, "prior__is_same": pl.Boolean}
    if declared.name == "child":
        schema |= {f"household__{name}": pl.Date for name in _HOUSEHOLD}
        schema |= {"household__is_there": pl.Boolean, "household__is_named": pl.Boolean}
    if declared.name == "adopter":
        schema |= {f"children__{name}": pl.Date for name in _CHILDREN}
        schema |= {"children__count": pl.UInt32}
    schema |= {f"known__{need}": pl.Boolean for need in NEEDS}
    return pl.DataFrame(schema=schema).clear(height)


# --- the prior return ---------------------------------------------------------


def _prior_rows(declared: Return, reference_data: ReferenceData) -> pl.DataFrame:
    """One row for each case of the prior returns; a sound row is preferred to one set aside.

    Of a row that was set aside, only that the case was there is known.
    """
    keys = key_columns(declared)
    prior = shaped(reference_data.prior.get(declared.name), declared)
    sound = pl.col("row_status") == "accepted"
    return (
        # "accepted" sorts before "quarantined", so of a case given twice the sound row is kept.
        prior.sort("row_status", maintain_order=True)
        .unique(keys, keep="first", maintain_order=True)
        .with_columns(
            pl.when(sound).then(pl.col(name)).alias(name)
            for name in validated_columns(declared)
            if name not in keys
        )
        .with_columns(is_sound=sound)
    )


def _prior(now: pl.DataFrame, declared: Return, reference_data: ReferenceData) -> pl.DataFrame:
    keys = key_columns(declared)
    prior = _prior_rows(declared, reference_data)
    names = list(validated_columns(declared))
    compared = [name for name in names if name not in keys]
    known_senders = list(reference_data.prior_senders.get(declared.name, frozenset()))
    joined = now.select(*keys, *compared).join(
        prior.select(
            *keys, "is_sound", *(pl.col(name).alias(f"prior__{name}") for name in compared)
        ),
        on=keys,
        how="left",
        maintain_order="left",
    )
    return joined.select(
        *(
            pl.col(f"prior__{name}")
            if name in compared
            else pl.when(pl.col("is_sound")).then(pl.col(name)).alias(f"prior__{name}")
            for name in names
        ),
        prior__is_there=pl.col("is_sound").is_not_null(),
        prior__is_same=pl.col("is_sound").fill_null(False)
        & pl.all_horizontal(
            pl.lit(True),
            *(pl.col(name).eq_missing(pl.col(f"prior__{name}")) for name in compared),
        ),
        known__prior_return=pl.col("sender_code").is_in(known_senders),
    )


# --- the other sheet of the quarter --------------------------------------------


def _household(
    typed: pl.DataFrame, now: pl.DataFrame, adopter: Return, reference_data: ReferenceData
) -> pl.DataFrame:
    """The household of each child's match: on the same file, if the agency sends both sheets."""
    own = _one_a_household(reference_data.now.get("adopter"), adopter, ["submission_id"])
    others = _one_a_household(reference_data.in_force.get("adopter"), adopter, [])
    wanted = now.select(
        "submission_id", "sender_code", household_pseudonym=pl.col("adopter_household_pseudonym")
    ).with_columns(agency=typed["adopter_agency_code"])
    households = wanted.join(
        own, on=["submission_id", "household_pseudonym"], how="left", maintain_order="left"
    ).join(others, on="household_pseudonym", how="left", maintain_order="left", suffix="__others")
    # An agency that sends both sheets in one file is compared with this file: its adopter return in
    # force may be the one that this very file replaces.
    on_file = (pl.col("agency") == pl.col("sender_code")) & pl.col("submission_id").is_in(
        reference_data.holds("adopter").to_list()
    )
    in_force_senders = list(reference_data.in_force_senders.get("adopter", frozenset()))
    elsewhere = (pl.col("agency") != pl.col("sender_code")) & pl.col("agency").is_in(
        in_force_senders
    )
    named = pl.col("household_pseudonym").is_not_null() & pl.col("agency").is_not_null()
    return households.select(
        *(
            pl.when(on_file)
            .then(pl.col(name))
            .otherwise(pl.col(f"{name}__others"))
            .alias(f"household__{name}")
            for name in _HOUSEHOLD
        ),
        household__is_there=pl.when(on_file)
        .then(pl.col("is_there"))
        .otherwise(pl.col("is_there__others"))
        .fill_null(False),
        household__is_named=named,
        known__adopter_return=named & (on_file | elsewhere).fill_null(False),
    )


def _one_a_household(
    frame: pl.DataFrame | None, adopter: Return, more_keys: list[str]
) -> pl.DataFrame:
    keys = [*more_keys, "household_pseudonym"]
    return (
        shaped(frame, adopter)
        .filter(pl.col("household_pseudonym").is_not_null())
        .select(*keys, *_HOUSEHOLD, is_there=pl.lit(True))
        .unique(keys, keep="first", maintain_order=True)
    )


def _children(now: pl.DataFrame, child: Return, reference_data: ReferenceData) -> pl.DataFrame:
    """The children matched with each household, of every child return in force.

    Dates are those of other senders' children: one on the same file is told of
    its disagreement on its own row.
    """
    household = "adopter_household_pseudonym"
    own = shaped(reference_data.now.get("child"), child).select("submission_id", household)
    others = shaped(reference_data.in_force.get("child"), child)
    goes_on = (
        (pl.col("row_status") == "accepted")
        & pl.col("disrupted_on").is_null()
        & pl.col("adoption_order_on").is_null()
    )
    # References of other authorities are known by pseudonym alone; a household has one because the
    # agency's reference for it is the same on every child return.
    counted = (
        others.filter(pl.col(household).is_not_null())
        .group_by(household, "sender_code")
        .agg(
            count=pl.len(),
            **{name: pl.col(name).filter(goes_on).max() for name in _CHILDREN},
        )
    )
    here = now.select("submission_id", "sender_code", "household_pseudonym").with_row_index("at")
    from_others = (
        here.join(counted, left_on="household_pseudonym", right_on=household, suffix="__child")
        .filter(pl.col("sender_code") != pl.col("sender_code__child"))
        .group_by("at")
        .agg(pl.col("count").sum(), *(pl.col(name).max() for name in _CHILDREN))
    )
    on_file = here.join(
        own.group_by("submission_id", household).agg(on_file=pl.len()),
        left_on=["submission_id", "household_pseudonym"],
        right_on=["submission_id", household],
        how="left",
        maintain_order="left",
    ).join(from_others, on="at", how="left", maintain_order="left")
    any_return = pl.lit(_any_child_return(reference_data)) | pl.col("submission_id").is_in(
        reference_data.holds("child").to_list()
    )
    return on_file.select(
        *(pl.col(name).alias(f"children__{name}") for name in _CHILDREN),
        children__count=(pl.col("count").fill_null(0) + pl.col("on_file").fill_null(0)).cast(
            pl.UInt32
        ),
        known__child_returns=any_return,
        known__every_child_return=pl.lit(reference_data.every_child_return),
    )
