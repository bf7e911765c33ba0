"""Rules that compare a child with the household it is matched with: x7xx.

The two are on one file only where an authority sends both; elsewhere the
agency's return is looked at if it is in, and otherwise the verdict says that it
could not be. Whoever sends second is asked. The columns ``household__…`` and
``children__…`` are those of ``expectations.reference_columns``.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from expectations.rules.rule import Need, Passes, Rows, Rule, never

_PROPOSED = "proposed by this project"


def _across(
    code: str, return_name: Literal["child", "adopter"], needs: Need, fields: tuple[str, ...],
    en: str, cy: str, passes: Passes,
) -> Rule:  # fmt: skip
    return Rule(code, return_name, "query", fields, en, cy, _PROPOSED, passes, needs=needs)


def _goes_on(rows: Rows) -> pl.Expr:
    """The placement shown is the latest and has not ended: the household's dates are its own."""
    return rows.missing("disrupted_on") & rows.missing("adoption_order_on")


def _in_quarter(rows: Rows, name: str) -> pl.Expr:
    within = pl.col(name).is_between(rows.quarter.first_day, rows.quarter.last_day)
    return within.fill_null(False)


RULES: tuple[Rule, ...] = (
    _across(
        "CH701", "child", "adopter_return",
        ("adopter_household_reference", "adopter_agency_code"),
        "The household is not on the adopter return of the agency named: correct the reference or "
        "the agency, or ask the agency to add the household.",
        "Nid yw'r aelwyd ar ffurflen mabwysiadwyr yr asiantaeth a enwir: cywirwch y cyfeirnod "
        "neu'r asiantaeth, neu gofynnwch i'r asiantaeth ychwanegu'r aelwyd.",
        lambda rows: pl.col("household__is_there"),
    ),
    _across(
        "CH702", "child", "adopter_return",
        ("matched_on", "adopter_household_reference", "disrupted_on", "adoption_order_on"),
        "The date of the match differs from the one on the adopter return: agree with the agency "
        "which is right.",
        "Nid dyddiad y paru ar y ffurflen mabwysiadwyr yw hwn: cytunwch â'r asiantaeth pa un sy'n "
        "gywir.",
        lambda rows: never(
            _goes_on(rows), pl.col("matched_on") != pl.col("household__matched_on")
        ),
    ),
    _across(
        "CH703", "child", "adopter_return",
        ("placed_on", "adopter_household_reference", "disrupted_on", "adoption_order_on"),
        "The date of the placement differs from the one on the adopter return: agree with the "
        "agency which is right.",
        "Nid dyddiad y lleoliad ar y ffurflen mabwysiadwyr yw hwn: cytunwch â'r asiantaeth pa un "
        "sy'n gywir.",
        lambda rows: never(_goes_on(rows), pl.col("placed_on") != pl.col("household__placed_on")),
    ),
    _across(
        "CH704", "child", "adopter_return", ("matched_on", "adopter_household_reference"),
        "The match is before the household was approved, according to the adopter return: agree "
        "with the agency which date is right.",
        "Mae'r paru cyn cymeradwyo'r aelwyd, yn ôl y ffurflen mabwysiadwyr: cytunwch â'r "
        "asiantaeth pa ddyddiad sy'n gywir.",
        lambda rows: pl.col("matched_on") >= pl.col("household__approved_on"),
    ),
    _across(
        "CH705", "child", "adopter_return",
        (
            "adopter_household_reference", "matched_on", "disrupted_on", "adoption_order_on",
            "plan_ended_on",
        ),
        "The household has left, according to the adopter return, although the child is still "
        "matched with it: give the date the placement disrupted, or ask the agency to correct its "
        "return.",
        "Mae'r aelwyd wedi gadael, yn ôl y ffurflen mabwysiadwyr, er bod y plentyn wedi'i baru â "
        "hi o hyd: rhowch ddyddiad y tarfu, neu gofynnwch i'r asiantaeth gywiro ei ffurflen.",
        lambda rows: never(
            _goes_on(rows),
            rows.missing("plan_ended_on"),
            pl.col("household__left_on") >= pl.col("matched_on"),
        ),
    ),
    _across(
        "AD701", "adopter", "every_child_return", ("matched_on", "placed_on"),
        "The household was matched or a child placed with it in the quarter, but no child return "
        "names it: correct the date, or give the child's authority your reference for the "
        "household.",
        "Parwyd yr aelwyd neu lleolwyd plentyn gyda hi yn y chwarter, ond nid oes ffurflen plant "
        "yn ei henwi: cywirwch y dyddiad, neu rhowch eich cyfeirnod ar gyfer yr aelwyd i awdurdod "
        "y plentyn.",
        lambda rows: never(
            _in_quarter(rows, "matched_on") | _in_quarter(rows, "placed_on"),
            pl.col("children__count") == 0,
        ),
    ),
    _across(
        "AD702", "adopter", "child_returns", ("matched_on",),
        "The date of the match differs from the one on the child's return: agree with the child's "
        "authority which is right.",
        "Nid dyddiad y paru ar ffurflen y plentyn yw hwn: cytunwch ag awdurdod y plentyn pa un "
        "sy'n gywir.",
        lambda rows: pl.col("matched_on") == pl.col("children__matched_on"),
    ),
    _across(
        "AD703", "adopter", "child_returns", ("placed_on",),
        "The date of the placement differs from the one on the child's return: agree with the "
        "child's authority which is right.",
        "Nid dyddiad y lleoliad ar ffurflen y plentyn yw hwn: cytunwch ag awdurdod y plentyn pa un "
        "sy'n gywir.",
        lambda rows: pl.col("placed_on") == pl.col("children__placed_on"),
    ),
)  # fmt: skip
