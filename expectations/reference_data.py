"""What is known beside the rows of a return, as columns that rules may use.

A rule stays one expression on one frame, also where it compares with the last
return or with another sheet: what it compares with is joined on first.

| Columns | Of | Hold |
|---|---|---|
| `earlier__<name>` | a row | the same case on the sender's last return, as validated |
| `earlier__is_there`, `…__is_same` | a row | whether it was there; whether nothing changed |
| `household__<name>` | a child | the household of the match, on its agency's adopter return |
| `children__<name>` | a household | the children matched with it, on all child returns in force |
| `known__<need>` | both | whether that is known; where not, the rule is skipped |

``wholes`` gives one row for each return as a whole. Pseudonyms are compared
here and nowhere else; no rule sees them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, get_args

import polars as pl

from expectations.rules.rule import Need
from pipelines.declarations import Declarations, Return
from pipelines.quarters import Quarter

KeyOf = Callable[[str, pl.Series, pl.Series], pl.Series]

NEEDS: tuple[Need, ...] = get_args(Need)

# Why a rule was skipped for a submission: in English and in Welsh, to stand after a number.
SKIPPED: dict[str, tuple[str, str]] = {
    "NO_EARLIER_RETURN": (
        "no earlier return",
        "dim ffurflen gynharach",
    ),
    "OTHER_SENDERS_NOT_KNOWN": (
        "other senders' returns are not at hand",
        "nid yw ffurflenni anfonwyr eraill wrth law",
    ),
    "ADOPTER_RETURN_NOT_IN": (
        "the agency's adopter return is not in",
        "nid yw ffurflen mabwysiadwyr yr asiantaeth wedi cyrraedd",
    ),
    "CHILD_RETURNS_NOT_IN": (
        "no child return is in",
        "nid oes ffurflen plant wedi cyrraedd",
    ),
    "NOT_EVERY_CHILD_RETURN_IN": (
        "not every child return of the quarter is in",
        "nid yw pob ffurflen plant y chwarter wedi cyrraedd",
    ),
    "NOT_IN_FORCE": (
        "not in force in this quarter",
        "ddim mewn grym yn y chwarter hwn",
    ),
}
REASON_OF: dict[Need, str] = {
    "earlier": "NO_EARLIER_RETURN",
    "other_senders": "OTHER_SENDERS_NOT_KNOWN",
    "adopter_return": "ADOPTER_RETURN_NOT_IN",
    "child_returns": "CHILD_RETURNS_NOT_IN",
    "every_child_return": "NOT_EVERY_CHILD_RETURN_IN",
}

# The last step of a case: with one of these dates it is on no later return.
ENDS: dict[str, tuple[str, ...]] = {
    "child": ("adoption_order_on", "plan_ended_on", "referral_withdrawn_on"),
    "adopter": ("left_on",),
    "support": (),
}
# What two senders' cases with the same reference do not share by chance.
_IDENTITY = {"child": "birth_month", "adopter": "enquired_on"}
_HOUSEHOLD = ("matched_on", "placed_on", "approved_on", "left_on")
_CHILDREN = ("matched_on", "placed_on")
_POLARS = {"string": pl.String, "date": pl.Date, "integer": pl.Int64}
_LEADING = ("submission_id", "sender_code", "quarter", "sheet_row", "row_status")


@dataclass(frozen=True)
class Beside:
    """What is known beside the rows of one quarter that are being checked.

    Frames are in the shape of the validated room. ``now`` has, by return, the
    rows being checked, row for row as in the typed frame. ``sent`` has the
    columns submission_id, sender_code and return_name: a row for each return
    that a submission holds, with rows or as nil.

    ``earlier`` are the rows of the quarter before, of each sender's submission
    in force; ``earlier_in`` says whose are known, nil returns included.
    ``in_force`` and ``in_force_in`` are the same for this quarter.
    ``key_of(kind, issuers, references)`` made the identifiers of all of them
    (:meth:`pipelines.intake.pseudonyms.Pseudonymiser.of_column`).
    ``knows_other_senders``: ``earlier`` has the returns of others as well.
    """

    key_of: KeyOf
    now: Mapping[str, pl.DataFrame]
    sent: pl.DataFrame
    earlier: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    earlier_in: Mapping[str, frozenset[str]] = field(default_factory=dict)
    in_force: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    in_force_in: Mapping[str, frozenset[str]] = field(default_factory=dict)
    every_child_return: bool = False
    knows_other_senders: bool = False

    def holds(self, return_name: str) -> pl.Series:
        """Submissions that hold the return."""
        return self.sent.filter(pl.col("return_name") == return_name)["submission_id"]


def with_columns_beside(
    typed: pl.DataFrame, declared: Return, declarations: Declarations, beside: Beside | None
) -> pl.DataFrame:
    """The typed frame with the columns of this module; nulls where nothing is known."""
    parts = [typed]
    if beside is None or declared.name not in beside.now:
        parts.append(_nothing_known(typed.height, declared))
        return pl.concat(parts, how="horizontal")
    now = beside.now[declared.name]
    if now.height != typed.height:
        raise ValueError(f"{declared.name}: {now.height} rows beside {typed.height}")
    parts.append(_earlier(now, declared, beside))
    if declared.name == "child":
        parts.append(_household(typed, now, declarations.returns["adopter"], beside))
    if declared.name == "adopter":
        parts.append(_children(now, declarations.returns["child"], beside))
    joined = pl.concat(parts, how="horizontal")
    missing = _nothing_known(0, declared)
    return joined.with_columns(
        pl.lit(None, dtype=kind).alias(name)
        for name, kind in missing.schema.items()
        if name not in joined.columns
    )


def known_to(
    typed: pl.DataFrame, declared: Return, beside: Beside | None
) -> dict[Need, frozenset[str]]:
    """The submissions of a return for which each need is met.

    ``typed`` has the columns of this module. Where no child is matched with a
    household in the list of agencies there is nothing to look up, and nothing
    is missing.
    """
    if beside is None:
        return {need: frozenset() for need in NEEDS}
    sent = beside.sent.filter(pl.col("return_name") == declared.name)
    every = frozenset(sent["submission_id"])
    earlier_in = beside.earlier_in.get(declared.name, frozenset())
    with_earlier = sent.filter(pl.col("sender_code").is_in(list(earlier_in)))["submission_id"]
    found: dict[Need, frozenset[str]] = {
        "earlier": frozenset(with_earlier),
        "other_senders": every if beside.knows_other_senders else frozenset(),
        "adopter_return": every,
        "child_returns": every if _any_child_return(beside) else frozenset(),
        "every_child_return": every if beside.every_child_return else frozenset(),
    }
    if declared.name == "child":
        found["adopter_return"] = every - _without_their_agency(typed)
    if declared.name == "adopter":
        found["child_returns"] |= frozenset(beside.holds("child")) & every
    return found


def _any_child_return(beside: Beside) -> bool:
    return bool(beside.in_force_in.get("child"))


def _without_their_agency(typed: pl.DataFrame) -> frozenset[str]:
    """Submissions whose matches all name agencies whose adopter return is not known."""
    named = typed.filter(pl.col("household__is_named"))
    known = named.group_by("submission_id").agg(pl.col("known__adopter_return").any())
    return frozenset(known.filter(~pl.col("known__adopter_return"))["submission_id"])


def _nothing_known(height: int, declared: Return) -> pl.DataFrame:
    schema: dict[str, Any] = {
        f"earlier__{name}": kind for name, kind in _validated_columns(declared).items()
    }
    schema |= {"earlier__is_there": pl.Boolean, "earlier__is_same": pl.Boolean}
    if declared.name == "child":
        schema |= {f"household__{name}": pl.Date for name in _HOUSEHOLD}
        schema |= {"household__is_there": pl.Boolean, "household__is_named": pl.Boolean}
    if declared.name == "adopter":
        schema |= {f"children__{name}": pl.Date for name in _CHILDREN}
        schema |= {"children__count": pl.UInt32}
    schema |= {f"known__{need}": pl.Boolean for need in NEEDS}
    return pl.DataFrame(schema=schema).clear(height)


def _validated_columns(declared: Return) -> dict[str, Any]:
    return {each.validated_name: _POLARS[each.validated_type] for each in declared.fields}


def key_columns(declared: Return) -> list[str]:
    """Columns of the validated room that tell cases of one sender apart; for support none."""
    return ["sender_code", *(declared.field(name).validated_name for name in declared.primary_key)]


def _shaped(frame: pl.DataFrame | None, declared: Return) -> pl.DataFrame:
    """A validated frame with every column declared now, whatever was declared when it was made."""
    schema = dict.fromkeys(_LEADING, pl.String) | {"sheet_row": pl.Int64}
    schema |= _validated_columns(declared)
    if frame is None:
        return pl.DataFrame(schema=schema)
    return frame.select(
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name)
        for name, kind in schema.items()
    )


# --- the last return ----------------------------------------------------------


def _earlier_rows(declared: Return, beside: Beside) -> pl.DataFrame:
    """One row for each case of the last returns; a sound row is preferred to one set aside.

    Of a row that was set aside, only that the case was there is known.
    """
    keys = key_columns(declared)
    earlier = _shaped(beside.earlier.get(declared.name), declared)
    sound = pl.col("row_status") == "accepted"
    return (
        earlier.sort("row_status", maintain_order=True)
        .unique(keys, keep="first", maintain_order=True)
        .with_columns(
            pl.when(sound).then(pl.col(name)).alias(name)
            for name in _validated_columns(declared)
            if name not in keys
        )
        .with_columns(is_sound=sound)
    )


def _earlier(now: pl.DataFrame, declared: Return, beside: Beside) -> pl.DataFrame:
    keys = key_columns(declared)
    earlier = _earlier_rows(declared, beside)
    names = list(_validated_columns(declared))
    compared = [name for name in names if name not in keys]
    known_senders = list(beside.earlier_in.get(declared.name, frozenset()))
    joined = now.select(*keys, *compared).join(
        earlier.select(
            *keys, "is_sound", *(pl.col(name).alias(f"earlier__{name}") for name in compared)
        ),
        on=keys,
        how="left",
        maintain_order="left",
    )
    return joined.select(
        *(
            pl.col(f"earlier__{name}")
            if name in compared
            else pl.when(pl.col("is_sound")).then(pl.col(name)).alias(f"earlier__{name}")
            for name in names
        ),
        earlier__is_there=pl.col("is_sound").is_not_null(),
        earlier__is_same=pl.col("is_sound").fill_null(False)
        & pl.all_horizontal(
            pl.lit(True),
            *(pl.col(name).eq_missing(pl.col(f"earlier__{name}")) for name in compared),
        ),
        known__earlier=pl.col("sender_code").is_in(known_senders),
    )


# --- the other sheet of the quarter --------------------------------------------


def _household(
    typed: pl.DataFrame, now: pl.DataFrame, adopter: Return, beside: Beside
) -> pl.DataFrame:
    """The household of each child's match: on the same file, if the agency sends both sheets."""
    own = _one_a_household(beside.now.get("adopter"), adopter, ["submission_id"])
    others = _one_a_household(beside.in_force.get("adopter"), adopter, [])
    wanted = now.select(
        "submission_id", "sender_code", household_pseudonym=pl.col("adopter_household_pseudonym")
    ).with_columns(agency=typed["adopter_agency_code"])
    found = wanted.join(
        own, on=["submission_id", "household_pseudonym"], how="left", maintain_order="left"
    ).join(others, on="household_pseudonym", how="left", maintain_order="left", suffix="__others")
    on_file = (pl.col("agency") == pl.col("sender_code")) & pl.col("submission_id").is_in(
        beside.holds("adopter").to_list()
    )
    in_force_in = list(beside.in_force_in.get("adopter", frozenset()))
    elsewhere = (pl.col("agency") != pl.col("sender_code")) & pl.col("agency").is_in(in_force_in)
    named = pl.col("household_pseudonym").is_not_null() & pl.col("agency").is_not_null()
    return found.select(
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
    frame: pl.DataFrame | None, adopter: Return, beside_key: list[str]
) -> pl.DataFrame:
    keys = [*beside_key, "household_pseudonym"]
    return (
        _shaped(frame, adopter)
        .filter(pl.col("household_pseudonym").is_not_null())
        .select(*keys, *_HOUSEHOLD, is_there=pl.lit(True))
        .unique(keys, keep="first", maintain_order=True)
    )


def _children(now: pl.DataFrame, child: Return, beside: Beside) -> pl.DataFrame:
    """The children matched with each household, of every child return in force.

    Dates are those of other senders' children: one on the same file is told of
    its disagreement on its own row.
    """
    household = "adopter_household_pseudonym"
    own = _shaped(beside.now.get("child"), child).select("submission_id", household)
    others = _shaped(beside.in_force.get("child"), child)
    goes_on = (
        (pl.col("row_status") == "accepted")
        & pl.col("disrupted_on").is_null()
        & pl.col("adoption_order_on").is_null()
    )
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
    any_return = pl.lit(_any_child_return(beside)) | pl.col("submission_id").is_in(
        beside.holds("child").to_list()
    )
    return on_file.select(
        *(pl.col(name).alias(f"children__{name}") for name in _CHILDREN),
        children__count=(pl.col("count").fill_null(0) + pl.col("on_file").fill_null(0)).cast(
            pl.UInt32
        ),
        known__child_returns=any_return,
        known__every_child_return=pl.lit(beside.every_child_return),
    )


# --- a return as a whole --------------------------------------------------------


def wholes(
    typed: pl.DataFrame, declared: Return, quarter: Quarter, beside: Beside | None
) -> pl.DataFrame:
    """One row for each return that a submission holds, nil returns included.

    ``typed`` has the columns of this module. Columns: ``submission_id``,
    ``sender_code``, ``quarter``, ``sheet``, ``sheet_row`` (null), ``known__…``,
    and
    ``rows``, ``dated_after`` (rows with a date after the quarter),
    ``dated_within`` (rows with a date in it), ``newest_quarter`` (label, of the
    newest date up to the quarter's last day),
    ``ended_rows``, ``vanished_rows`` (of the last return), ``new_rows`` (lists
    of sheet rows), ``earlier_rows``, ``earlier_open``, ``earlier_found`` (rows
    of the last return; those that had not ended; those of them found again),
    ``is_same`` (the last return again), ``of_another_sender`` (per cent of rows
    that are those of another sender's last return).
    """
    sent = _sent(typed, declared, beside)
    dates = [f.name for f in declared.fields if f.type == "date" and f.privacy == "none"]
    counted = typed.group_by("submission_id").agg(
        rows=pl.len(),
        **_about_dates(dates, quarter),
        ended_rows=pl.col("sheet_row").filter(_ended_before(declared, quarter.first_day)),
        new_rows=pl.col("sheet_row").filter(_new_late(declared, quarter.first_day)),
        same_rows=pl.col("earlier__is_same").fill_null(False).sum(),
        sheet=pl.col("sheet").first(),
    )
    whole = (
        sent.join(counted, on="submission_id", how="left", maintain_order="left")
        .join(_about_earlier(sent, declared, beside), on="submission_id", how="left",
              maintain_order="left")
        .join(_of_another_sender(sent, typed, declared, beside), on="submission_id", how="left",
              maintain_order="left")
    )  # fmt: skip
    known = known_to(typed, declared, beside)
    return whole.select(
        "submission_id",
        "sender_code",
        pl.lit(quarter.label).alias("quarter"),
        pl.col("sheet").fill_null(declared.sheet.en),
        pl.lit(None, pl.Int64).alias("sheet_row"),
        *(
            pl.col(name).fill_null(0)
            for name in ("rows", "dated_after", "dated_within", "earlier_rows", "earlier_open",
                         "earlier_found")
        ),
        pl.col("newest").map_elements(_quarter_of, pl.String).alias("newest_quarter"),
        *(
            pl.col(name).fill_null(pl.lit([], pl.List(pl.Int64)))
            for name in ("ended_rows", "vanished_rows", "new_rows")
        ),
        "of_another_sender",
        is_same=(pl.col("rows") == pl.col("earlier_rows"))
        & (pl.col("same_rows") == pl.col("rows")),
        **{
            f"known__{need}": pl.col("submission_id").is_in(list(known[need]))
            for need in ("earlier", "other_senders")
        },
    )  # fmt: skip


def _sent(typed: pl.DataFrame, declared: Return, beside: Beside | None) -> pl.DataFrame:
    if beside is None:
        return typed.select("submission_id", "sender_code").unique(
            "submission_id", keep="first", maintain_order=True
        )
    mine = beside.sent.filter(pl.col("return_name") == declared.name)
    return mine.select("submission_id", "sender_code")


def _about_dates(dates: list[str], quarter: Quarter) -> dict[str, pl.Expr]:
    if not dates:
        none = pl.lit(0, pl.UInt32)
        return {"dated_after": none, "dated_within": none, "newest": pl.lit(None, pl.Date)}
    after = pl.any_horizontal(pl.col(name) > quarter.last_day for name in dates)
    within = pl.any_horizontal(
        pl.col(name).is_between(quarter.first_day, quarter.last_day) for name in dates
    )
    newest = pl.max_horizontal(
        pl.when(pl.col(name) <= quarter.last_day).then(pl.col(name)) for name in dates
    )
    return {
        "dated_after": after.fill_null(False).sum(),
        "dated_within": within.fill_null(False).sum(),
        "newest": newest.max(),
    }


def _quarter_of(day: date) -> str:
    return Quarter.containing(day).label


def _ended_before(declared: Return, first_day: date) -> pl.Expr:
    ends = ENDS[declared.name]
    if not ends:
        return pl.lit(False)
    return (pl.max_horizontal(*ends) < first_day).fill_null(False)


def _new_late(declared: Return, first_day: date) -> pl.Expr:
    """Cases that began before the quarter and were not on the last return."""
    began = {"child": "referred_on", "adopter": "enquired_on"}.get(declared.name)
    if began is None:
        return pl.lit(False)
    is_new = pl.col("known__earlier") & ~pl.col("earlier__is_there")
    return (is_new & (pl.col(began) < first_day)).fill_null(False)


def _about_earlier(sent: pl.DataFrame, declared: Return, beside: Beside | None) -> pl.DataFrame:
    schema = {
        "submission_id": pl.String, "earlier_rows": pl.UInt32, "earlier_open": pl.UInt32,
        "earlier_found": pl.UInt32, "vanished_rows": pl.List(pl.Int64),
    }  # fmt: skip
    if beside is None or not declared.primary_key or declared.name not in beside.earlier:
        return pl.DataFrame(schema=schema)
    keys = key_columns(declared)
    earlier = _shaped(beside.earlier[declared.name], declared)
    now = _shaped(beside.now.get(declared.name), declared)
    ends = ENDS[declared.name]
    is_open = (pl.col("row_status") == "accepted") & pl.all_horizontal(
        pl.col(name).is_null() for name in ends
    )
    again = now.select("submission_id", *keys).unique().with_columns(found=pl.lit(True))
    return (
        sent.join(earlier.drop("submission_id"), on="sender_code")
        .join(again, on=["submission_id", *keys], how="left")
        .with_columns(is_open=is_open, found=pl.col("found").fill_null(False))
        .group_by("submission_id")
        .agg(
            earlier_rows=pl.len(),
            earlier_open=pl.col("is_open").sum(),
            earlier_found=(pl.col("is_open") & pl.col("found")).sum(),
            vanished_rows=pl.col("sheet_row").filter(pl.col("is_open") & ~pl.col("found")).sort(),
        )
        .select(pl.col(name).cast(kind) for name, kind in schema.items())
    )


def _of_another_sender(
    sent: pl.DataFrame, typed: pl.DataFrame, declared: Return, beside: Beside | None
) -> pl.DataFrame:
    """Per cent of rows that are those of one other sender's last return, the highest of them.

    Looked for only where none of the rows is known from the sender's own last
    return. A pseudonym is the sender's own, so the references are tried under
    the others' names; the identity must agree as well.
    """
    schema = {"submission_id": pl.String, "of_another_sender": pl.Float64}
    empty = pl.DataFrame(schema=schema)
    identity = _IDENTITY.get(declared.name)
    has_rows = beside is not None and declared.name in beside.now
    if beside is None or not has_rows or identity is None or not beside.knows_other_senders:
        return empty
    known_rows = typed.filter(pl.col("earlier__is_there"))["submission_id"].unique()
    doubtful = sent.filter(~pl.col("submission_id").is_in(known_rows.to_list()))["submission_id"]
    earlier = _shaped(beside.earlier.get(declared.name), declared)
    if doubtful.is_empty() or earlier.is_empty():
        return empty
    key = declared.field(declared.primary_key[0])
    rows = (
        typed.select(
            "submission_id",
            "sender_code",
            "sheet_row",
            reference=pl.col(key.name).str.strip_chars().str.to_uppercase(),
        )
        .with_columns(beside.now[declared.name][identity])
        .filter(pl.col("submission_id").is_in(doubtful.to_list()))
    )
    # Only where somebody else has a case of that identity is a key worked out.
    theirs = earlier.select(
        pl.col("sender_code").alias("other"), identity, pl.col(key.validated_name).alias("key")
    ).unique()
    tried = (
        rows.drop_nulls("reference")
        .join(theirs.select("other", identity).unique(), on=identity)
        .filter(pl.col("other") != pl.col("sender_code"))
    )
    if tried.is_empty():
        return empty
    keys = beside.key_of(str(key.pseudonym_of), tried["other"], tried["reference"])
    return (
        tried.with_columns(keys.alias("key"))
        .join(theirs, on=["other", identity, "key"], how="semi")
        .group_by("submission_id", "other")
        .agg(matching=pl.col("sheet_row").n_unique())
        .group_by("submission_id")
        .agg(pl.col("matching").max())
        .join(rows.group_by("submission_id").agg(rows=pl.len()), on="submission_id")
        .select("submission_id", of_another_sender=100 * pl.col("matching") / pl.col("rows"))
    )


# --- how it is said -------------------------------------------------------------

ROWS_NAMED = 20  # in one sentence; more are counted


def rows_said(rows: Iterable[int], language: str) -> str:
    """``rows 5, 9–12 and 3 more``, or in Welsh ``rhesi 5, 9–12 a 3 arall``."""
    listed = sorted(rows)
    named, left = listed[:ROWS_NAMED], len(listed) - ROWS_NAMED
    stretches: list[list[int]] = []
    for row in named:
        if stretches and stretches[-1][-1] == row - 1:
            stretches[-1].append(row)
        else:
            stretches.append([row])
    text = ", ".join(str(s[0]) if len(s) == 1 else f"{s[0]}–{s[-1]}" for s in stretches)
    word, more = {
        "en": ("row" if len(listed) == 1 else "rows", " and {} more"),
        "cy": ("rhes" if len(listed) == 1 else "rhesi", " a {} arall"),
    }[language]
    return f"{word} {text}{more.format(left) if left > 0 else ''}"
