"""Rules that compare a return with the sender's return for the quarter before.

x6xx a case on both · x601 who it is · x61x a date moved · x62x a date is gone ·
x63x a date came too late · x64x a step that cannot be. The columns ``prior__…``
are those of ``expectations.reference_columns``; what is not known there is null, and the
rule holds.
"""

from __future__ import annotations

from functools import reduce
from typing import Literal

import polars as pl

from expectations.rules.rule import Passes, Rows, Rule, Severity, adapted_from, never, when

_PROPOSED = "proposed by this project"
_Return = Literal["child", "adopter", "support"]


def _compared(
    code: str, return_name: _Return, severity: Severity, fields: tuple[str, ...],
    en: str, cy: str, passes: Passes, ssda903: tuple[int, ...] = (),
) -> Rule:  # fmt: skip
    source = adapted_from(ssda903) if ssda903 else _PROPOSED
    return Rule(
        code, return_name, severity, fields, en, cy, source, passes,
        ssda903=ssda903, needs="prior_return",
    )  # fmt: skip


def _before(name: str) -> pl.Expr:
    """What the last return said."""
    return pl.col(f"prior__{name}")


def _was_given(name: str) -> pl.Expr:
    return _before(name).is_not_null()


def _since_disrupted(rows: Rows, name: str) -> pl.Expr:
    """The match or placement of the last return has broken down: the dates are a new family's."""
    if name not in ("matched_on", "placed_on"):
        return pl.lit(False)
    return (_before("matched_on") <= pl.col("disrupted_on")).fill_null(False)


def _decided_anew(name: str) -> pl.Expr:
    """The plan of the last return had ended: the decision is that of a new plan."""
    if name != "should_be_placed_decision_on":
        return pl.lit(False)
    return _was_given("plan_ended_on")


def _moved(
    code: str, return_name: _Return, name: str, event: str, event_cy: str,
    ssda903: tuple[int, ...] = (),
) -> Rule:  # fmt: skip
    """A date that both returns give, and give differently."""
    is_child = return_name == "child"

    def passes(rows: Rows) -> pl.Expr:
        same = pl.col(name) == _before(name)
        return (same | _since_disrupted(rows, name) | _decided_anew(name)) if is_child else same

    return _compared(
        code, return_name, "query", (name,),
        f"The date of {event} differs from the one on your last return: confirm it, or put back "
        "the date from your last return.",
        f"Mae dyddiad {event_cy} yn wahanol i'r un ar eich ffurflen ddiwethaf: cadarnhewch ef, neu "
        "rhowch ddyddiad y ffurflen ddiwethaf yn ôl.",
        passes,
        ssda903,
    )  # fmt: skip


def _gone(code: str, return_name: _Return, name: str, event: str, event_cy: str) -> Rule:
    """A date that the last return gave and this one leaves blank."""
    is_child = return_name == "child"

    def passes(rows: Rows) -> pl.Expr:
        kept = when(_was_given(name), rows.given(name))
        return (kept | _since_disrupted(rows, name) | _decided_anew(name)) if is_child else kept

    return _compared(
        code, return_name, "query", (name,),
        f"The date of {event} was on your last return and is blank now: give it again, or confirm "
        "that it was wrong.",
        f"Roedd dyddiad {event_cy} ar eich ffurflen ddiwethaf ac mae'n wag nawr: rhowch ef eto, "
        "neu cadarnhewch ei fod yn anghywir.",
        passes,
    )  # fmt: skip


def _late(
    code: str, return_name: _Return, name: str, event: str, event_cy: str,
    ssda903: tuple[int, ...] = (),
) -> Rule:  # fmt: skip
    """A date of an earlier quarter that the last return did not give yet."""
    return _compared(
        code, return_name, "query", (name,),
        f"The date of {event} is before this quarter but was not on your last return, so no figure "
        "counts it: send the return for that quarter again, or correct the date.",
        f"Mae dyddiad {event_cy} cyn y chwarter hwn ond nid oedd ar eich ffurflen ddiwethaf, felly "
        "nid oes ffigur yn ei gyfrif: anfonwch ffurflen y chwarter hwnnw eto, neu cywirwch y "
        "dyddiad.",
        lambda rows: never(
            # Of a row that was set aside nothing is known, so a required date is null too.
            _was_given(_REQUIRED[return_name]),
            _before(name).is_null(),
            (pl.col(name) < rows.quarter.first_day).fill_null(False),
        ),
        ssda903,
    )  # fmt: skip


_REQUIRED = {"child": "referred_on", "adopter": "enquired_on"}

_CARE = ("the start of care", "dechrau'r gofal")
_REFERRAL = ("the referral", "y cyfeiriad")
_DECISION = ("the should-be-placed decision", "y penderfyniad y dylid lleoli")
_AUTHORITY = ("the authority to place", "yr awdurdod i leoli")
_MATCH = ("the match", "y paru")
_PLACEMENT = ("the placement for adoption", "y lleoliad i fabwysiadu")
_ADOPTION = ("the adoption order", "y gorchymyn mabwysiadu")
_PLAN_END = ("the end of the plan", "diwedd y cynllun")
_DISRUPTION = ("the disruption", "y tarfu")
_EARLY = ("the early permanence placement", "y lleoliad sefydlogrwydd cynnar")
_ENQUIRY = ("the enquiry", "yr ymholiad")
_REGISTRATION = ("the registration", "y cofrestriad")
_STAGE_ONE = ("the start of stage one", "dechrau cam un")
_STAGE_ONE_END = ("the end of stage one", "diwedd cam un")
_STAGE_TWO = ("the start of stage two", "dechrau cam dau")
_APPROVAL = ("the approval", "y gymeradwyaeth")
_LEAVING = ("leaving", "gadael")

_COUNTS = {
    "support_requests": ("requests for support", "ceisiadau am gymorth"),
    "support_assessments_started": ("assessments started", "asesiadau a ddechreuwyd"),
    "support_assessments_completed": ("assessments completed", "asesiadau a gwblhawyd"),
    "support_plans_agreed": ("support plans agreed", "cynlluniau cymorth y cytunwyd arnynt"),
    "families_receiving_support": ("families supported", "teuluoedd sy'n derbyn cymorth"),
    "birth_parents_offered_support": (
        "birth parents offered support", "rhieni geni y cynigiwyd cymorth iddynt",
    ),
    "birth_parents_taking_up_support": (
        "birth parents taking up support", "rhieni geni a dderbyniodd gymorth",
    ),
    "contact_arrangements_active": ("contact arrangements", "trefniadau cyswllt"),
    "contact_exchanges": ("exchanges", "cyfnewidiadau"),
}  # fmt: skip


def _jumps(code: str, name: str) -> Rule:
    cases, cases_cy = _COUNTS[name]

    def passes(rows: Rows) -> pl.Expr:
        times = rows.limit("count_jump_times")
        far = (pl.col(name) - _before(name)).abs() > rows.limit("count_jump_difference")
        steep = (pl.col(name) > _before(name) * times) | (pl.col(name) * times < _before(name))
        return never(far, steep)

    return _compared(
        code, "support", "query", (name,),
        f"The number of {cases} is very different from the one on your last return: confirm it, or "
        "correct it.",
        f"Mae nifer y {cases_cy} ymhell o'r nifer ar eich ffurflen ddiwethaf: cadarnhewch ef, neu "
        "cywirwch ef.",
        passes,
    )  # fmt: skip


CHILD: tuple[Rule, ...] = (
    _compared(
        "CH601", "child", "query", ("date_of_birth",),
        "The child's month of birth differs from your last return: confirm that it is the same "
        "child, or correct the date or the reference.",
        "Nid yr un yw mis geni'r plentyn ag ar eich ffurflen ddiwethaf: cadarnhewch mai'r un "
        "plentyn ydyw, neu cywirwch y dyddiad neu'r cyfeirnod.",
        lambda rows: pl.col("date_of_birth").dt.truncate("1mo") == _before("birth_month"),
    ),
    _compared(
        "CH602", "child", "query", ("sex",),
        "The child's sex differs from your last return: confirm that it is the same child, or "
        "correct it or the reference.",
        "Nid yr un yw rhyw'r plentyn ag ar eich ffurflen ddiwethaf: cadarnhewch mai'r un plentyn "
        "ydyw, neu cywirwch y rhyw neu'r cyfeirnod.",
        lambda rows: pl.col("sex") == _before("sex"),
    ),
    _moved("CH611", "child", "entered_care_on", *_CARE),
    _moved("CH612", "child", "referred_on", *_REFERRAL),
    _moved("CH613", "child", "should_be_placed_decision_on", *_DECISION, (560, 579, 583)),
    _moved("CH614", "child", "placement_order_on", *_AUTHORITY),
    _moved("CH615", "child", "matched_on", *_MATCH),
    _moved("CH616", "child", "placed_on", *_PLACEMENT),
    _moved("CH617", "child", "adoption_order_on", *_ADOPTION),
    _moved("CH618", "child", "plan_ended_on", *_PLAN_END),
    _moved("CH619", "child", "early_permanence_placed_on", *_EARLY),
    _gone("CH623", "child", "should_be_placed_decision_on", *_DECISION),
    _gone("CH624", "child", "placement_order_on", *_AUTHORITY),
    _gone("CH625", "child", "matched_on", *_MATCH),
    _gone("CH626", "child", "placed_on", *_PLACEMENT),
    _gone("CH628", "child", "disrupted_on", *_DISRUPTION),
    _gone("CH629", "child", "early_permanence_placed_on", *_EARLY),
    _late("CH633", "child", "should_be_placed_decision_on", *_DECISION, (559,)),
    _late("CH634", "child", "placement_order_on", *_AUTHORITY),
    _late("CH635", "child", "matched_on", *_MATCH),
    _late("CH636", "child", "placed_on", *_PLACEMENT),
    _late("CH637", "child", "adoption_order_on", *_ADOPTION),
    _late("CH638", "child", "plan_ended_on", *_PLAN_END),
    _late("CH639", "child", "disrupted_on", *_DISRUPTION),
    _compared(
        "CH641", "child", "error", ("adoption_order_on",),
        "Your last return showed the child as adopted, and this one does not: correct this row, "
        "or first send the last return again without the adoption order.",
        "Yn ôl eich ffurflen ddiwethaf mabwysiadwyd y plentyn, ac yn ôl hon ni wnaed: cywirwch y "
        "rhes hon, neu anfonwch y ffurflen ddiwethaf eto yn gyntaf heb y gorchymyn mabwysiadu.",
        lambda rows: when(_was_given("adoption_order_on"), rows.given("adoption_order_on")),
        (199,),
    ),
    _compared(
        "CH642", "child", "query", ("plan_ended_on", "should_be_placed_decision_on"),
        "Your last return showed that the plan for adoption had ended, and this one shows it "
        "continuing under the same decision: give the date of the new decision, or the end of the "
        "plan again.",
        "Yn ôl eich ffurflen ddiwethaf roedd y cynllun mabwysiadu wedi dod i ben, ac yn ôl hon "
        "mae'n parhau o dan yr un penderfyniad: rhowch ddyddiad y penderfyniad newydd, neu "
        "ddiwedd y cynllun eto.",
        lambda rows: never(
            _was_given("plan_ended_on"),
            rows.missing("plan_ended_on"),
            (pl.col("should_be_placed_decision_on") == _before("should_be_placed_decision_on"))
            .fill_null(False),
        ),
        (561,),
    ),
    _compared(
        "CH643", "child", "query", ("should_be_placed_decision_on", "plan_ended_on"),
        "Your last return showed that the plan for adoption had ended, but the new decision is "
        "not after that end: correct the date of the decision, or give the end of the plan again.",
        "Yn ôl eich ffurflen ddiwethaf roedd y cynllun mabwysiadu wedi dod i ben, ond nid yw'r "
        "penderfyniad newydd ar ôl y diwedd hwnnw: cywirwch ddyddiad y penderfyniad, neu rhowch "
        "ddiwedd y cynllun eto.",
        lambda rows: never(
            rows.missing("plan_ended_on"),
            pl.col("should_be_placed_decision_on") != _before("should_be_placed_decision_on"),
            pl.col("should_be_placed_decision_on") <= _before("plan_ended_on"),
        ),
        (584,),
    ),
    _compared(
        "CH644", "child", "query", ("referral_withdrawn_on", "referred_on"),
        "Your last return showed the referral as withdrawn, and this one shows it continuing: "
        "give the date of the new referral, or give the date of the withdrawal again.",
        "Yn ôl eich ffurflen ddiwethaf tynnwyd y cyfeiriad yn ôl, ac yn ôl hon mae'n parhau: "
        "rhowch ddyddiad y cyfeiriad newydd, neu ddyddiad tynnu'n ôl eto.",
        lambda rows: never(
            _was_given("referral_withdrawn_on"),
            rows.missing("referral_withdrawn_on"),
            pl.col("referred_on") == _before("referred_on"),
        ),
    ),
)  # fmt: skip

ADOPTER: tuple[Rule, ...] = (
    _moved("AD611", "adopter", "enquired_on", *_ENQUIRY),
    _moved("AD612", "adopter", "registered_on", *_REGISTRATION),
    _moved("AD613", "adopter", "stage_one_started_on", *_STAGE_ONE),
    _moved("AD614", "adopter", "stage_one_completed_on", *_STAGE_ONE_END),
    _moved("AD615", "adopter", "stage_two_started_on", *_STAGE_TWO),
    _moved("AD616", "adopter", "approved_on", *_APPROVAL),
    _moved("AD617", "adopter", "left_on", *_LEAVING),
    _compared(
        "AD618", "adopter", "query", ("matched_on",),
        "The date of the match is earlier than the one on your last return, although the latest "
        "match is asked for: confirm it, or put the later date back.",
        "Mae dyddiad y paru cyn yr un ar eich ffurflen ddiwethaf, er y gofynnir am y paru "
        "diweddaraf: cadarnhewch ef, neu rhowch y dyddiad diweddarach yn ôl.",
        lambda rows: pl.col("matched_on") >= _before("matched_on"),
    ),
    _gone("AD622", "adopter", "registered_on", *_REGISTRATION),
    _gone("AD626", "adopter", "approved_on", *_APPROVAL),
    _gone("AD628", "adopter", "matched_on", *_MATCH),
    _late("AD632", "adopter", "registered_on", *_REGISTRATION),
    _late("AD636", "adopter", "approved_on", *_APPROVAL),
    _late("AD638", "adopter", "matched_on", *_MATCH),
    _late("AD639", "adopter", "left_on", *_LEAVING),
    _compared(
        "AD641", "adopter", "query", ("left_on", "enquired_on"),
        "Your last return showed that the household had left, and this one shows it continuing "
        "with the same enquiry: give the date of the new enquiry, or give the date of leaving "
        "again.",
        "Yn ôl eich ffurflen ddiwethaf roedd yr aelwyd wedi gadael, ac yn ôl hon mae'n parhau "
        "gyda'r un ymholiad: rhowch ddyddiad yr ymholiad newydd, neu ddyddiad gadael eto.",
        lambda rows: never(
            _was_given("left_on"),
            rows.missing("left_on"),
            pl.col("enquired_on") == _before("enquired_on"),
        ),
    ),
)  # fmt: skip

SUPPORT: tuple[Rule, ...] = (
    *(_jumps(f"SU60{number}", name) for number, name in enumerate(_COUNTS, start=1)),
    _compared(
        "SU610", "support", "query", tuple(_COUNTS),
        "Every number is the same as on your last return: confirm that this is the return for "
        "this quarter, or send the right one.",
        "Mae pob rhif yr un fath ag ar eich ffurflen ddiwethaf: cadarnhewch mai ffurflen y "
        "chwarter hwn yw hon, neu anfonwch yr un gywir.",
        # Nothing but zeros twice is reported by SU106.
        lambda rows: never(
            reduce(
                lambda left, right: left & right,
                (pl.col(name) == _before(name) for name in _COUNTS),
            ),
            pl.max_horizontal(*_COUNTS) > 0,
        ),
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = CHILD + ADOPTER + SUPPORT
