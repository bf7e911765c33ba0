"""Cross-field rules of the adopter return.

AD2xx the order of dates · AD3xx what must come with what · AD4xx plausibility.
"""

from __future__ import annotations

import polars as pl

from expectations.rules.rule import Passes, Rule, Severity, never, when

_PROPOSED = "proposed by this project"

# The steps of a household, in order. Each is compared with the nearest earlier
# step whose date is known.
_STEPS = (
    "enquired_on",
    "initial_meeting_on",
    "registered_on",
    "stage_one_started_on",
    "stage_one_completed_on",
    "stage_two_started_on",
    "approved_on",
    "matched_on",
    "placed_on",
)


def _adopter(
    code: str, severity: Severity, fields: tuple[str, ...], en: str, cy: str, passes: Passes,
) -> Rule:  # fmt: skip
    return Rule(code, "adopter", severity, fields, en, cy, _PROPOSED, passes)


def _step(code: str, severity: Severity, name: str, en: str, cy: str) -> Rule:
    earlier = tuple(reversed(_STEPS[: _STEPS.index(name)]))
    return _adopter(
        code, severity, (name, *earlier), en, cy,
        lambda rows: rows.not_before_last_of(name, *earlier),
    )  # fmt: skip


RULES: tuple[Rule, ...] = (
    # --- the order of dates ----------------------------------------------------
    _step(
        "AD201", "error", "initial_meeting_on",
        "The initial meeting is before the enquiry: check both dates.",
        "Mae'r cyfarfod cychwynnol cyn yr ymholiad: gwiriwch y ddau ddyddiad.",
    ),
    _step(
        "AD202", "error", "registered_on",
        "The registration is before the enquiry or the initial meeting: check the dates.",
        "Mae'r cofrestriad cyn yr ymholiad neu'r cyfarfod cychwynnol: gwiriwch y dyddiadau.",
    ),
    _step(
        "AD203", "error", "stage_one_started_on",
        "Stage one started before the registration or an earlier step: check the dates.",
        "Dechreuodd cam un cyn y cofrestriad neu gam cynharach: gwiriwch y dyddiadau.",
    ),
    _step(
        "AD204", "error", "stage_one_completed_on",
        "Stage one was completed before it started, or before an earlier step: check the dates.",
        "Cwblhawyd cam un cyn iddo ddechrau, neu cyn cam cynharach: gwiriwch y dyddiadau.",
    ),
    _step(
        "AD205", "error", "stage_two_started_on",
        "Stage two started before stage one was completed, or before an earlier step: check the "
        "dates.",
        "Dechreuodd cam dau cyn cwblhau cam un, neu cyn cam cynharach: gwiriwch y dyddiadau.",
    ),
    _step(
        "AD206", "error", "approved_on",
        "The approval is before stage two started, or before an earlier step: check the dates.",
        "Mae'r gymeradwyaeth cyn dechrau cam dau, neu cyn cam cynharach: gwiriwch y dyddiadau.",
    ),
    _step(
        "AD207", "error", "matched_on",
        "The match is before the approval, or before an earlier step: check the dates.",
        "Mae'r paru cyn y gymeradwyaeth, neu cyn cam cynharach: gwiriwch y dyddiadau.",
    ),
    _step(
        "AD208", "error", "placed_on",
        "A child was placed before the match, or before an earlier step: check the dates.",
        "Lleolwyd plentyn cyn y paru, neu cyn cam cynharach: gwiriwch y dyddiadau.",
    ),
    _adopter(
        "AD209", "error", ("left_on", *_STEPS),
        "A step of the household is dated after it left the process: check the dates.",
        "Mae dyddiad un o gamau'r aelwyd ar ôl iddi adael y broses: gwiriwch y dyddiadau.",
        lambda rows: pl.max_horizontal(*_STEPS) <= pl.col("left_on"),
    ),
    _adopter(
        "AD210", "query", ("referred_to_register_on", "approved_on"),
        "The household was referred to the Adoption Register without or before approval: confirm "
        "both dates.",
        "Cyfeiriwyd yr aelwyd at y Gofrestr Fabwysiadu heb gymeradwyaeth neu cyn hynny: "
        "cadarnhewch y ddau ddyddiad.",
        lambda rows: when(
            rows.given("referred_to_register_on"),
            rows.given("approved_on")
            & rows.in_order("approved_on", "referred_to_register_on"),
        ),
    ),
    # --- what must come with what ----------------------------------------------
    _adopter(
        "AD301", "error", ("left_reason", "left_on"),
        "The household left but no reason is given: choose one.",
        "Gadawodd yr aelwyd ond ni roddir rheswm: dewiswch un.",
        lambda rows: when(rows.given("left_on"), rows.given("left_reason")),
    ),
    _adopter(
        "AD302", "error", ("left_on", "left_reason"),
        "There is a reason for leaving but no date: give the date, or clear the reason.",
        "Mae rheswm dros adael ond dim dyddiad: rhowch y dyddiad, neu gliriwch y rheswm.",
        lambda rows: when(rows.given("left_reason"), rows.given("left_on")),
    ),
    _adopter(
        "AD303", "error", ("approved_on", "matched_on", "placed_on"),
        "The household is matched or has a child placed but was never approved: give the date of "
        "the approval.",
        "Mae'r aelwyd wedi'i pharu neu leolwyd plentyn gyda hi ond ni chafodd ei chymeradwyo: "
        "rhowch ddyddiad y gymeradwyaeth.",
        lambda rows: when(rows.any_given("matched_on", "placed_on"), rows.given("approved_on")),
    ),
    _adopter(
        "AD304", "error", ("matched_on", "placed_on"),
        "A child was placed but there is no match: give the date of the match.",
        "Lleolwyd plentyn ond nid oes paru: rhowch ddyddiad y paru.",
        lambda rows: when(rows.given("placed_on"), rows.given("matched_on")),
    ),
    _adopter(
        "AD305", "query", ("registered_on", "approved_on"),
        "The household was approved but there is no registration: give its date if it is known.",
        "Cymeradwywyd yr aelwyd ond nid oes cofrestriad: rhowch ei ddyddiad os yw'n hysbys.",
        lambda rows: when(rows.given("approved_on"), rows.given("registered_on")),
    ),
    _adopter(
        "AD306", "query", ("stage_one_started_on", "stage_one_completed_on"),
        "Stage one was completed but there is no date on which it started: give it.",
        "Cwblhawyd cam un ond nid oes dyddiad dechrau: rhowch ef.",
        lambda rows: when(
            rows.given("stage_one_completed_on"), rows.given("stage_one_started_on")
        ),
    ),
    _adopter(
        "AD307", "query", ("stage_one_completed_on", "stage_two_started_on", "is_fast_track"),
        "Stage two started without stage one being completed, and the household is not on the fast "
        "track: give the date, or choose fast track.",
        "Dechreuodd cam dau heb gwblhau cam un, ac nid yw'r aelwyd ar y llwybr cyflym: rhowch y "
        "dyddiad, neu dewiswch y llwybr cyflym.",
        lambda rows: when(
            rows.given("stage_two_started_on") & ~rows.is_code("is_fast_track", "yes"),
            rows.given("stage_one_completed_on"),
        ),
    ),
    # --- plausibility ------------------------------------------------------------
    _adopter(
        "AD401", "query", ("left_reason", "approved_on"),
        "The household left as not approved although it was approved: confirm, or choose another "
        "reason.",
        "Gadawodd yr aelwyd fel un heb ei chymeradwyo er iddi gael ei chymeradwyo: cadarnhewch, "
        "neu dewiswch reswm arall.",
        lambda rows: never(
            rows.is_code("left_reason", "not_approved"), rows.given("approved_on")
        ),
    ),
    _adopter(
        "AD402", "query", ("left_reason", "placed_on"),
        "The household left after an adoption was completed but no child was placed: give the date "
        "of the placement, or choose another reason.",
        "Gadawodd yr aelwyd ar ôl cwblhau mabwysiadu ond ni leolwyd plentyn: rhowch ddyddiad y "
        "lleoliad, neu dewiswch reswm arall.",
        lambda rows: when(
            rows.is_code("left_reason", "placed_and_completed"), rows.given("placed_on")
        ),
    ),
    _adopter(
        "AD403", "query", ("left_reason", "approved_on"),
        "The household left because its approval ended but it was never approved: give the date of "
        "the approval, or choose another reason.",
        "Gadawodd yr aelwyd am i'w chymeradwyaeth ddod i ben ond ni chafodd ei chymeradwyo: "
        "rhowch ddyddiad y gymeradwyaeth, neu dewiswch reswm arall.",
        lambda rows: when(
            rows.is_code("left_reason", "approval_ended"), rows.given("approved_on")
        ),
    ),
    _adopter(
        "AD404", "query", ("enquired_on",),
        "The enquiry is more than ten years before the quarter: confirm, or correct the year.",
        "Mae'r ymholiad dros ddeng mlynedd cyn y chwarter: cadarnhewch, neu cywirwch y flwyddyn.",
        lambda rows: pl.col("enquired_on").dt.offset_by("10y") >= rows.quarter.first_day,
    ),
)  # fmt: skip
