"""From text to dates, whole numbers and codes; then from references to pseudonyms.

Nothing is guessed: text that is not understood becomes null and its
``readable__<field>`` false, so that a rule can say so by cell. What was
understood although it is not written as asked is a repair, and is counted
(:func:`repairs`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import polars as pl

from pipelines.declarations import Declarations, Return, ReturnField
from pipelines.quarters import Quarter
from pipelines.readers.codes_written import codes_understood, squeezed
from pipelines.readers.dates_written import APOSTROPHES, AS_ASKED, BLANK, SERIAL, as_dates, stripped

LEADING_COLUMNS = ("submission_id", "sender_code", "quarter", "sheet", "sheet_row")
Pseudonymise = Callable[[str, pl.Series, pl.Series], pl.Series]

_WHOLE = r"^[+-]?[0-9]{1,18}$"
_WHOLE_WITH_ZEROS = r"^([+-]?[0-9]{1,15})\.0+$"
# Commas in groups of three only: 1,25 is a decimal to some and nonsense to others.
_THOUSANDS = r"^[+-]?[0-9]{1,3}(?:,[0-9]{3}){1,4}$"

REPAIR_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "submission_id": pl.String,
    "return_name": pl.String,
    "sheet": pl.String,
    "field": pl.String,
    "kind": pl.String,
    "cells": pl.Int64,
}


def raw_schema(declared: Return) -> dict[str, Any]:
    """Columns of ``raw/<return>/…`` in order: text, but for ``sheet_row``."""
    schema: dict[str, Any] = dict.fromkeys(LEADING_COLUMNS, pl.String) | {"sheet_row": pl.Int64}
    return schema | {f.name: pl.String for f in declared.fields} | {"undeclared": pl.String}


def cast(
    raw: pl.DataFrame, declared: Return, quarter: Quarter, declarations: Declarations
) -> pl.DataFrame:
    """The typed frame of a raw one, row for row.

    Dates: :func:`pipelines.readers.dates_written.as_dates`. Codes: a code in force in ``quarter``,
    its label in either language or a declared spelling, whatever the case and
    spacing. Agency fields: a place's code or name becomes its code, anything
    else stays as written.
    """
    clean = raw.select(
        *LEADING_COLUMNS, *(stripped(pl.col(field.name)) for field in declared.fields)
    )
    places = declared.place_fields
    alike: dict[tuple[str, str], list[str]] = {}
    for field in declared.fields:
        kind = _kind(field, field.name in places)
        if kind is not None:
            alike.setdefault(kind, []).append(field.name)
    # Kinds rather than columns: the eight date columns of a return share most of their texts.
    understood, checked = [], set()
    for (kind, code_list), names in alike.items():
        # Most cells repeat: each distinct text of all columns of a kind is looked at once.
        texts = pl.concat([clean[name].alias("text") for name in names]).drop_nulls().unique()
        values = _values(texts, kind, code_list, quarter, declarations)
        understood += [
            pl.col(name).replace_strict(texts, values, default=None, return_dtype=values.dtype)
            for name in names
        ]
        checked |= set(names) if kind != "place" else set()
    typed = clean.with_columns(*understood)
    return typed.with_columns(
        (clean[field.name].is_null() | typed[field.name].is_not_null()).alias(
            f"readable__{field.name}"
        )
        for field in declared.fields
        if field.name in checked
    )


def repairs(
    raw: pl.DataFrame, declared: Return, quarter: Quarter, declarations: Declarations
) -> pl.DataFrame:
    """How many cells were understood although they are not written as asked.

    One row per submission, sheet, field and kind (a key of
    :data:`pipelines.readers.repairs.REPAIRS_OF_CELLS`), with the columns of
    ``REPAIR_SCHEMA``; ``raw`` is a raw frame. Nothing a cell holds is in it.
    """
    places = declared.place_fields
    frames = [pl.DataFrame(schema=REPAIR_SCHEMA)]
    for field in declared.fields:
        texts = (
            raw.select("submission_id", "sheet", written=pl.col(field.name))
            .drop_nulls("written")
            .with_columns(text=stripped(pl.col("written")))
            .drop_nulls("text")
        )
        if texts.is_empty():
            continue
        kinds = [
            texts.filter(pl.col("written").str.strip_chars(BLANK) != pl.col("written")).select(
                "submission_id", "sheet", kind=pl.lit("spaces")
            ),
            texts.filter(pl.col("written").str.contains(rf"^[{BLANK}]*[{APOSTROPHES}]")).select(
                "submission_id", "sheet", kind=pl.lit("apostrophe")
            ),
        ]
        kind = _kind(field, field.name in places)
        if kind is not None:
            distinct = texts["text"].unique()
            ways = _ways(distinct, *kind, quarter, declarations)
            kinds.append(
                texts.select(
                    "submission_id",
                    "sheet",
                    kind=pl.col("text").replace_strict(
                        distinct, ways, default=None, return_dtype=pl.String
                    ),
                ).drop_nulls("kind")
            )
        frames.append(
            pl.concat(kinds)
            .group_by("submission_id", "sheet", "kind", maintain_order=True)
            .len("cells")
            .select(
                "submission_id",
                return_name=pl.lit(declared.name),
                sheet=pl.col("sheet"),
                field=pl.lit(field.name),
                kind=pl.col("kind"),
                cells=pl.col("cells").cast(pl.Int64),
            )
        )
    return pl.concat(frames)


def _ways(
    texts: pl.Series, kind: str, code_list: str, quarter: Quarter, declarations: Declarations
) -> pl.Series:
    """For each of some distinct texts the kind of repair it needed; null for none."""
    text = pl.col("text")
    if kind == "date":
        way = (
            pl.when(pl.col("day").is_null() | text.str.contains(AS_ASKED)).then(None)
            .when(text.str.contains(SERIAL)).then(pl.lit("day number"))
            .when(text.str.contains(":", literal=True)).then(pl.lit("time of day"))
            .otherwise(pl.lit("date form"))
        )  # fmt: skip
        frame = pl.DataFrame({"text": texts, "day": as_dates(texts)})
        return frame.select(way).to_series()
    if kind == "integer":
        is_plain = text.str.contains(r"^[0-9]+$")
        way = pl.when(~is_plain & as_whole_number(text).is_not_null()).then(pl.lit("number form"))
        return texts.alias("text").to_frame().select(way).to_series()
    if kind == "code":
        codes = codes_understood(declarations, code_list, quarter)
        return pl.Series([codes.repair(each) for each in texts], dtype=pl.String)
    known, asked = places_by_text(declarations), _places_as_asked(declarations)
    ways = [
        "place name" if each not in asked and squeezed(each) in known else None for each in texts
    ]
    return pl.Series(ways, dtype=pl.String)


def validated_frame(
    typed: pl.DataFrame,
    declared: Return,
    pseudonymise: Pseudonymise,
    quarantined_rows: pl.DataFrame,
) -> pl.DataFrame:
    """The validated frame of a typed one: no reference, no day of birth.

    ``pseudonymise(kind, issuers, references)`` gives pseudonyms for two columns
    of equal length (:meth:`pipelines.intake.pseudonyms.Pseudonymiser.of_column`). It
    gets references without outer blanks, in upper case; the issuer is the
    sender, or what the field's ``issued_by`` field holds, which may be null.
    ``quarantined_rows`` has the columns submission_id and sheet_row; its rows
    become ``row_status`` ``quarantined``, all others ``accepted``.
    """
    keys = ["submission_id", "sheet_row"]
    quarantined = quarantined_rows.select(
        pl.col("submission_id").cast(pl.String), pl.col("sheet_row").cast(pl.Int64)
    ).unique()
    marked = typed.join(
        quarantined.with_columns(pl.lit("quarantined").alias("row_status")),
        on=keys,
        how="left",
        maintain_order="left",
    ).with_columns(pl.col("row_status").fill_null("accepted"))
    columns = [marked[name] for name in ("submission_id", "sender_code", "quarter", "sheet_row")]
    columns.append(marked["row_status"])
    for field in declared.fields:
        columns.append(_kept(marked, field, pseudonymise).alias(field.validated_name))
    return pl.DataFrame(columns)


def as_whole_number(text: pl.Expr) -> pl.Expr:
    """Whole numbers of stripped text (``7``, ``7.0``, ``1,250``); null for anything else."""
    plain = pl.coalesce(
        pl.when(text.str.contains(_WHOLE)).then(text),
        text.str.extract(_WHOLE_WITH_ZEROS, 1),
        pl.when(text.str.contains(_THOUSANDS)).then(text.str.replace_all(",", "", literal=True)),
    )
    return plain.cast(pl.Int64, strict=False)


@lru_cache(maxsize=16)
def places_by_text(declarations: Declarations) -> Mapping[str, str]:
    """Place codes by squeezed code, name in either language, and ``name (code)``.

    A name that two places share is left out.
    """
    codes_by_name: dict[str, set[str]] = {}
    for code, place in declarations.places.items():
        for name in {place.name_en, place.name_cy}:
            codes_by_name.setdefault(squeezed(name), set()).add(code)
            codes_by_name.setdefault(squeezed(f"{name} ({code})"), set()).add(code)
    # Codes win over names, and a name of two places is none: guessing would move a child to another
    # authority.
    by_text = {text: min(codes) for text, codes in codes_by_name.items() if len(codes) == 1}
    return by_text | {squeezed(code): code for code in declarations.places}


@lru_cache(maxsize=16)
def _places_as_asked(declarations: Declarations) -> frozenset[str]:
    """Place codes, and the labels that the template's drop-down lists offer for them."""
    labels = {
        f"{name} ({code})"
        for code, place in declarations.places.items()
        for name in (place.name_en, place.name_cy)
    }
    return frozenset(declarations.places) | labels


def _kind(field: ReturnField, is_place: bool) -> tuple[str, str] | None:
    """How a field's texts are understood, and with which code list; None for text as it is."""
    if field.code_list:
        return "code", field.code_list
    if is_place:
        return "place", ""
    return None if field.type == "string" else (field.type, "")


def _values(
    texts: pl.Series, kind: str, code_list: str, quarter: Quarter, declarations: Declarations
) -> pl.Series:
    """What each of some distinct texts means; null where it is not understood."""
    if kind == "date":
        return as_dates(texts)
    if kind == "integer":
        return texts.to_frame().select(as_whole_number(pl.col("text"))).to_series()
    if kind == "code":
        codes = codes_understood(declarations, code_list, quarter)
        return pl.Series([codes.meant(text) for text in texts], dtype=pl.String)
    known = places_by_text(declarations)
    return pl.Series([known.get(squeezed(text), text) for text in texts], dtype=pl.String)


def _kept(marked: pl.DataFrame, field: ReturnField, pseudonymise: Pseudonymise) -> pl.Series:
    """What the validated room keeps of a field."""
    column = marked[field.name]
    if field.privacy == "month":
        # The day of birth ends here: with an authority and a date it points to one child.
        return column.dt.truncate("1mo")
    if field.privacy == "identifier":
        issuers = marked[field.issued_by or "sender_code"]
        assert field.pseudonym_of is not None
        # So that "la 7 " and "LA 7" of two quarters are one child.
        references = column.str.strip_chars(BLANK).str.to_uppercase()
        return pseudonymise(field.pseudonym_of, issuers, references).cast(pl.String)
    return column
