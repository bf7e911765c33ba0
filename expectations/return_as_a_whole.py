"""A return as a whole: one row for each that a submission holds, which rules of level "return" see.

They see what no row can show: rows that are missing, dates of another quarter, another sender's
cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import polars as pl

from expectations.reference_columns import known_to
from expectations.reference_data import ReferenceData, key_columns, shaped
from expectations.rules.rule import reference
from pipelines.declarations import Declarations, Return, ReturnField
from pipelines.quarters import Quarter
from pipelines.text.catalogue import Language, translations

ROWS_NAMED = 20  # in one sentence; more are counted

# The last step of a case: with one of these dates it is on no later return.
ENDS: dict[str, tuple[str, ...]] = {
    "child": ("adoption_order_on", "plan_ended_on", "referral_withdrawn_on"),
    "adopter": ("left_on",),
    "support": (),
}
_BEGINS = {"child": "referred_on", "adopter": "enquired_on"}
# What a court or a panel decides, which neither does on a bank holiday.
_SITTINGS = {
    "child": (
        "should_be_placed_decision_on",
        "placement_order_on",
        "matched_on",
        "adoption_order_on",
    ),
    "adopter": ("approved_on", "matched_on"),
}
# Who belongs together, so that one sitting is about all of them.
_FAMILY = {"child": "sibling_group_reference"}
_MOST_ZEROS = 6  # that a reference is tried with in front
# What two senders' cases with the same reference do not share by chance.
_IDENTITY = {"child": "birth_month", "adopter": "enquired_on"}


def returns_as_a_whole(
    typed: pl.DataFrame,
    declared: Return,
    quarter: Quarter,
    declarations: Declarations,
    reference_data: ReferenceData | None,
) -> pl.DataFrame:
    """One row for each return that a submission holds, nil returns included.

    ``typed`` has the columns of ``reference_columns.py``. Columns: ``submission_id``,
    ``sender_code``, ``quarter``, ``sheet``, ``sheet_row`` (null), ``known__…``,
    and
    ``rows``, ``dated_after`` (rows with a date after the quarter),
    ``dated_within`` (rows with a date in it), ``newest_quarter`` (label, of the
    newest date up to the quarter's last day),
    ``ended_rows``, ``vanished_rows`` (of the prior return), ``new_rows`` (lists
    of sheet rows), ``prior_rows``, ``prior_open``, ``prior_found`` (rows
    of the prior return; those that had not ended; those of them found again),
    ``is_same`` (the prior return again), ``of_another_sender`` (per cent of rows
    that are those of another sender's prior return); ``early_rows`` (with a date before
    ``earliest_year``), ``default_rows`` (with a date that looks like a default) and
    ``holiday_rows`` (decided on a bank holiday; lists of sheet rows); ``found_with_zeros`` and
    ``found_with_marks`` (open rows of the prior return that are found again only with
    zeros in front of the reference, with other marks in it).
    """
    sent = _sent(typed, declared, reference_data)
    dates = [f.name for f in declared.fields if f.type == "date" and f.privacy == "none"]
    earliest_year = int(declarations.rule_limit("earliest_year", quarter).value)
    counted = (
        typed.with_columns(
            is_early=_any(
                pl.col(each.name) < date(earliest_year, 1, 1) for each in _dates(declared)
            ),
            is_on_holiday=_any(_on_holiday(declared, quarter, declarations)),
        )
        .group_by("submission_id")
        .agg(
            early_rows=pl.col("sheet_row").filter(pl.col("is_early")),
            holiday_rows=pl.col("sheet_row").filter(pl.col("is_on_holiday")),
            rows=pl.len(),
            **_about_dates(dates, quarter),
            ended_rows=pl.col("sheet_row").filter(_ended_before(declared, quarter.first_day)),
            new_rows=pl.col("sheet_row").filter(_new_late(declared, quarter.first_day)),
            same_rows=pl.col("prior__is_same").fill_null(False).sum(),
            sheet=pl.col("sheet").first(),
        )
    )
    whole = (
        sent.join(counted, on="submission_id", how="left", maintain_order="left")
        .join(_about_prior(sent, declared, reference_data), on="submission_id", how="left",
              maintain_order="left")
        .join(_of_another_sender(sent, typed, declared, reference_data), on="submission_id",
              how="left", maintain_order="left")
        .join(_with_defaults(typed, declared, quarter, declarations), on="submission_id",
              how="left", maintain_order="left")
        .join(_in_another_form(sent, typed, declared, reference_data), on="submission_id",
              how="left", maintain_order="left")
    )  # fmt: skip
    known = known_to(typed, declared, reference_data)
    return whole.select(
        "submission_id",
        "sender_code",
        pl.lit(quarter.label).alias("quarter"),
        pl.col("sheet").fill_null(declared.sheet.en),
        pl.lit(None, pl.Int64).alias("sheet_row"),
        *(
            pl.col(name).fill_null(0)
            for name in ("rows", "dated_after", "dated_within", "prior_rows", "prior_open",
                         "prior_found", "found_with_zeros", "found_with_marks")
        ),
        pl.col("newest").map_elements(_quarter_of, pl.String).alias("newest_quarter"),
        *(
            pl.col(name).fill_null(pl.lit([], pl.List(pl.Int64)))
            for name in ("ended_rows", "vanished_rows", "new_rows", "early_rows", "default_rows",
                         "holiday_rows")
        ),
        "of_another_sender",
        earliest_year=pl.lit(earliest_year),
        is_same=(pl.col("rows") == pl.col("prior_rows"))
        & (pl.col("same_rows") == pl.col("rows")),
        **{
            f"known__{need}": pl.col("submission_id").is_in(list(known[need]))
            for need in ("prior_return", "other_senders")
        },
    )  # fmt: skip


def _sent(
    typed: pl.DataFrame, declared: Return, reference_data: ReferenceData | None
) -> pl.DataFrame:
    if reference_data is None:
        return typed.select("submission_id", "sender_code").unique(
            "submission_id", keep="first", maintain_order=True
        )
    mine = reference_data.sent.filter(pl.col("return_name") == declared.name)
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


def _dates(declared: Return) -> list[ReturnField]:
    return [field for field in declared.fields if field.type == "date"]


def _any(conditions: Iterable[pl.Expr]) -> pl.Expr:
    each = [condition.fill_null(False) for condition in conditions]
    return pl.any_horizontal(each) if each else pl.lit(False)


def _with_defaults(
    typed: pl.DataFrame, declared: Return, quarter: Quarter, declarations: Declarations
) -> pl.DataFrame:
    """``default_rows``: those with a day that more rows share than chance, or births, explain."""

    def limit(name: str) -> float:
        return declarations.rule_limit(name, quarter).value

    rows = typed.select(
        "submission_id", "sheet_row", *(each.name for each in _dates(declared)),
        of_all=pl.len().over("submission_id"),
    )  # fmt: skip
    found = [rows.select("submission_id", "sheet_row").clear()]
    for each in _dates(declared):
        day = pl.col(each.name)
        sharing = pl.len().over("submission_id", each.name)
        # Few rows have the day: the rest need not be counted.
        of_new_year = rows.filter((day.dt.month() == 1) & (day.dt.day() == 1))
        if of_new_year.height >= limit("default_day_rows"):
            found.append(of_new_year.filter(sharing >= limit("default_day_rows")))
        if each.privacy == "month":
            percent = limit("same_birth_percent") * pl.col("of_all")
            many = (sharing >= limit("same_birth_rows")) & (100 * sharing > percent)
            found.append(rows.drop_nulls(each.name).filter(many))
    together = pl.concat([one.select("submission_id", "sheet_row") for one in found]).unique()
    return together.group_by("submission_id").agg(default_rows=pl.col("sheet_row").sort())


def _on_holiday(
    declared: Return, quarter: Quarter, declarations: Declarations
) -> Iterator[pl.Expr]:
    """For each kind of sitting, the rows of a bank holiday on which several families had one."""
    if not declared.primary_key:
        return
    family = pl.col(declared.primary_key[0])
    if declared.name in _FAMILY:
        family = pl.coalesce(_FAMILY[declared.name], declared.primary_key[0])
    fewest = declarations.rule_limit("holiday_cases", quarter).value
    names = {each.name for each in declared.fields_in_force(quarter)}
    for name in _SITTINGS.get(declared.name, ()):
        if name in names:
            day = pl.col(name)
            families = family.n_unique().over("submission_id", name)
            yield day.is_in(declarations.bank_holidays) & (families >= fewest)


def _quarter_of(day: date) -> str:
    return Quarter.containing(day).label


def _ended_before(declared: Return, first_day: date) -> pl.Expr:
    ends = ENDS[declared.name]
    if not ends:
        return pl.lit(False)
    return (pl.max_horizontal(*ends) < first_day).fill_null(False)


def _new_late(declared: Return, first_day: date) -> pl.Expr:
    """Cases that began before the quarter and were not on the prior return."""
    began = _BEGINS.get(declared.name)
    if began is None:
        return pl.lit(False)
    is_new = pl.col("known__prior_return") & ~pl.col("prior__is_there")
    return (is_new & (pl.col(began) < first_day)).fill_null(False)


def _about_prior(
    sent: pl.DataFrame, declared: Return, reference_data: ReferenceData | None
) -> pl.DataFrame:
    schema = {
        "submission_id": pl.String, "prior_rows": pl.UInt32, "prior_open": pl.UInt32,
        "prior_found": pl.UInt32, "vanished_rows": pl.List(pl.Int64),
    }  # fmt: skip
    if (
        reference_data is None
        or not declared.primary_key
        or declared.name not in reference_data.prior
    ):
        return pl.DataFrame(schema=schema)
    keys = key_columns(declared)
    prior = shaped(reference_data.prior[declared.name], declared)
    now = shaped(reference_data.now.get(declared.name), declared)
    ends = ENDS[declared.name]
    is_open = (pl.col("row_status") == "accepted") & pl.all_horizontal(
        pl.col(name).is_null() for name in ends
    )
    # Found again as a case, whatever else changed on its row.
    again = now.select("submission_id", *keys).unique().with_columns(found=pl.lit(True))
    return (
        sent.join(prior.drop("submission_id"), on="sender_code")
        .join(again, on=["submission_id", *keys], how="left")
        .with_columns(is_open=is_open, found=pl.col("found").fill_null(False))
        .group_by("submission_id")
        .agg(
            prior_rows=pl.len(),
            prior_open=pl.col("is_open").sum(),
            prior_found=(pl.col("is_open") & pl.col("found")).sum(),
            vanished_rows=pl.col("sheet_row").filter(pl.col("is_open") & ~pl.col("found")).sort(),
        )
        .select(pl.col(name).cast(kind) for name, kind in schema.items())
    )


def _of_another_sender(
    sent: pl.DataFrame, typed: pl.DataFrame, declared: Return, reference_data: ReferenceData | None
) -> pl.DataFrame:
    """Per cent of rows that are those of one other sender's prior return, the highest of them.

    Looked for only where none of the rows is known from the sender's own prior
    return. A pseudonym is the sender's own, so the references are tried under
    the others' names; the identity must agree as well.
    """
    schema = {"submission_id": pl.String, "of_another_sender": pl.Float64}
    empty = pl.DataFrame(schema=schema)
    identity = _IDENTITY.get(declared.name)
    has_rows = reference_data is not None and declared.name in reference_data.now
    if (
        reference_data is None
        or not has_rows
        or identity is None
        or not reference_data.knows_other_senders
    ):
        return empty
    # One row known from the sender's own prior return is enough: the file is its own.
    known_rows = typed.filter(pl.col("prior__is_there"))["submission_id"].unique()
    doubtful = sent.filter(~pl.col("submission_id").is_in(known_rows.to_list()))["submission_id"]
    prior = shaped(reference_data.prior.get(declared.name), declared)
    if doubtful.is_empty() or prior.is_empty():
        return empty
    key = declared.field(declared.primary_key[0])
    rows = (
        typed.select(
            "submission_id",
            "sender_code",
            "sheet_row",
            reference=pl.col(key.name).str.strip_chars().str.to_uppercase(),
        )
        .with_columns(reference_data.now[declared.name][identity])
        .filter(pl.col("submission_id").is_in(doubtful.to_list()))
    )
    # Only where somebody else has a case of that identity is a key worked out.
    theirs = prior.select(
        pl.col("sender_code").alias("other"), identity, pl.col(key.validated_name).alias("key")
    ).unique()
    tried = (
        rows.drop_nulls("reference")
        .join(theirs.select("other", identity).unique(), on=identity)
        .filter(pl.col("other") != pl.col("sender_code"))
    )
    if tried.is_empty():
        return empty
    # A pseudonym is made of sender and reference, so that equal references of two authorities
    # differ: another sender's cases are found only by making the key as that sender's.
    keys = reference_data.key_of(str(key.pseudonym_of), tried["other"], tried["reference"])
    return (
        tried.with_columns(keys.alias("key"))
        .join(theirs, on=["other", identity, "key"], how="semi")
        .group_by("submission_id", "other")
        .agg(matching=pl.col("sheet_row").n_unique())
        .group_by("submission_id")
        # The likest sender: rows of several others are no sign of a mistaken file.
        .agg(pl.col("matching").max())
        .join(rows.group_by("submission_id").agg(rows=pl.len()), on="submission_id")
        .select("submission_id", of_another_sender=100 * pl.col("matching") / pl.col("rows"))
    )


def _in_another_form(
    sent: pl.DataFrame, typed: pl.DataFrame, declared: Return, reference_data: ReferenceData | None
) -> pl.DataFrame:
    """How many open cases of the prior return are there under a reference that was changed.

    A pseudonym does not show what a reference was. So the references that are on no row of the
    prior return are tried with zeros in front, and with other marks, and their keys compared.
    """
    kinds = ("found_with_zeros", "found_with_marks")
    schema = {"submission_id": pl.String} | dict.fromkeys(kinds, pl.UInt32)
    empty = pl.DataFrame(schema=schema)
    if reference_data is None or not declared.primary_key or declared.name not in ENDS:
        return empty
    if declared.name not in reference_data.prior or "prior__is_there" not in typed.columns:
        return empty
    key = declared.field(declared.primary_key[0])
    prior = shaped(reference_data.prior[declared.name], declared)
    is_open = (pl.col("row_status") == "accepted") & pl.all_horizontal(
        pl.col(name).is_null() for name in ENDS[declared.name]
    )
    wanted = prior.filter(is_open).select("sender_code", key=pl.col(key.validated_name)).unique()
    strangers = typed.filter(pl.col("known__prior_return") & ~pl.col("prior__is_there")).select(
        "submission_id", "sender_code", reference=reference(key.name)
    )
    rows = [
        (submission_id, sender_code, kind, form)
        for submission_id, sender_code, written in strangers.drop_nulls().iter_rows()
        for kind, form in _forms(written)
    ]
    if not rows or wanted.is_empty():
        return empty
    tried = pl.DataFrame(
        rows, schema=["submission_id", "sender_code", "kind", "form"], orient="row"
    )
    keys = reference_data.key_of(str(key.pseudonym_of), tried["sender_code"], tried["form"])
    found = tried.with_columns(keys.alias("key")).join(
        wanted, on=["sender_code", "key"], how="semi"
    )
    return found.group_by("submission_id").agg(
        pl.col("key").filter(pl.col("kind") == kind).n_unique().alias(kind) for kind in kinds
    )


def _forms(written: str) -> Iterator[tuple[str, str]]:
    """What a reference may have been before it was changed."""
    if written.isdecimal():
        for zeros in range(1, _MOST_ZEROS + 1):
            yield "found_with_zeros", "0" * zeros + written
    marked = {
        f"'{written}",
        f"{written}.0",
        written.removesuffix(".0"),
        written.lstrip("0"),
        "".join(written.split()),
        *(written.replace("-", dash) for dash in "\u2013\u2014\u2010\u2011 /"),
        *(written.replace(dash, "-") for dash in "\u2013\u2014\u2010\u2011\u2212 /"),
        written.replace("-", ""),
    }
    yield from (("found_with_marks", form) for form in sorted(marked - {written, ""}))


def rows_in_words(rows: Iterable[int], language: Language) -> str:
    """``rows 5, 9–12 and 3 more``, or in Welsh ``rhesi 5, 9–12 a 3 arall``."""
    texts = translations(language)
    listed = sorted(rows)
    named, more = listed[:ROWS_NAMED], len(listed) - ROWS_NAMED
    stretches: list[list[int]] = []
    for row in named:
        if stretches and stretches[-1][-1] == row - 1:
            stretches[-1].append(row)
        else:
            stretches.append([row])
    text = ", ".join(str(s[0]) if len(s) == 1 else f"{s[0]}–{s[-1]}" for s in stretches)
    if more > 0:
        return texts.gettext("rows {rows} and {count} more").format(rows=text, count=more)
    return texts.ngettext("row {rows}", "rows {rows}", len(listed)).format(rows=text)
