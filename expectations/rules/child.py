"""Cross-field rules of the child return.

CH1xx the child · CH2xx the order of dates · CH3xx what must come with what ·
CH4xx placement, early permanence, foster carers · CH5xx brothers and sisters.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from expectations.rules.rule import (
    Passes,
    Rows,
    Rule,
    Severity,
    adapted_from,
    never,
    reference,
    when,
)

_PROPOSED = "proposed by this project"
_APPROVING_KINDS = ("authority", "region", "regional_agency", "partnership", "voluntary_agency")
# Adoption and Children Act 2002 section 42: ten weeks in the home before the application.
_DAYS_AT_HOME_BEFORE_ORDER = 70
_PLACEMENT_ORDERS_SINCE = date(2005, 12, 1)  # as SSDA903 446 has it


def _eighteenth_birthday() -> pl.Expr:
    return pl.col("date_of_birth").dt.offset_by("18y")


def _rematched(rows: Rows) -> pl.Expr:
    """Matched again on or after the day the placement disrupted."""
    return rows.in_order("disrupted_on", "matched_on").fill_null(False)


def _child(
    code: str, severity: Severity, fields: tuple[str, ...], en: str, cy: str,
    source: str | tuple[int, ...], passes: Passes,
) -> Rule:  # fmt: skip
    """A tuple of numbers as ``source`` are the SSDA903 rules that this one carries over."""
    if isinstance(source, str):
        return Rule(code, "child", severity, fields, en, cy, source, passes)
    return Rule(
        code, "child", severity, fields, en, cy, adapted_from(source), passes, ssda903=source
    )


RULES: tuple[Rule, ...] = (
    # --- the child -------------------------------------------------------------
    _child(
        "CH101", "error", ("date_of_birth",),
        "The child was 18 before the quarter began: check the date of birth, or delete the row.",
        "Roedd y plentyn yn 18 cyn dechrau'r chwarter: gwiriwch y dyddiad geni, neu dilëwch y "
        "rhes.",
        _PROPOSED,
        lambda rows: _eighteenth_birthday() >= rows.quarter.first_day,
    ),
    _child(
        "CH102", "error", ("adoption_order_on", "date_of_birth"),
        "The adoption order is on or after the child's eighteenth birthday: check both dates.",
        "Mae'r gorchymyn mabwysiadu ar neu ar ôl pen-blwydd y plentyn yn ddeunaw: gwiriwch y ddau "
        "ddyddiad.",
        (386,),
        lambda rows: pl.col("adoption_order_on") < _eighteenth_birthday(),
    ),
    _child(
        "CH103", "error", ("entered_care_on", "date_of_birth"),
        "The child became looked after before the date of birth: check both dates.",
        "Daeth y plentyn yn blentyn sy'n derbyn gofal cyn ei eni: gwiriwch y ddau ddyddiad.",
        _PROPOSED,
        lambda rows: rows.in_order("date_of_birth", "entered_care_on"),
    ),
    _child(
        "CH104", "query", ("referred_on", "date_of_birth"),
        "The child was referred before being born: confirm that the referral was made before the "
        "birth, or correct the date.",
        "Cyfeiriwyd y plentyn cyn ei eni: cadarnhewch i'r cyfeiriad gael ei wneud cyn y geni, neu "
        "cywirwch y dyddiad.",
        _PROPOSED,
        lambda rows: rows.in_order("date_of_birth", "referred_on"),
    ),
    _child(
        "CH105", "error", ("should_be_placed_decision_on", "date_of_birth"),
        "The should-be-placed decision is before the child's birth: check both dates.",
        "Mae'r penderfyniad y dylid lleoli cyn geni'r plentyn: gwiriwch y ddau ddyddiad.",
        (184,),
        lambda rows: rows.in_order("date_of_birth", "should_be_placed_decision_on"),
    ),
    # --- the order of dates ----------------------------------------------------
    _child(
        "CH201", "query", ("referred_on", "entered_care_on"),
        "The child was referred before becoming looked after: confirm that both plans ran side by "
        "side, or correct the dates.",
        "Cyfeiriwyd y plentyn cyn dod yn blentyn sy'n derbyn gofal: cadarnhewch fod y ddau gynllun "
        "yn rhedeg ochr yn ochr, neu cywirwch y dyddiadau.",
        _PROPOSED,
        lambda rows: rows.in_order("entered_care_on", "referred_on"),
    ),
    _child(
        "CH202", "error", ("should_be_placed_decision_on", "entered_care_on"),
        "The should-be-placed decision is before the child became looked after: check both dates.",
        "Mae'r penderfyniad y dylid lleoli cyn i'r plentyn ddod yn blentyn sy'n derbyn gofal: "
        "gwiriwch y ddau ddyddiad.",
        (334, 1003),
        lambda rows: rows.in_order("entered_care_on", "should_be_placed_decision_on"),
    ),
    _child(
        "CH203", "query", ("should_be_placed_decision_on", "referred_on"),
        "The should-be-placed decision is before the referral to the adoption service: confirm "
        "both dates.",
        "Mae'r penderfyniad y dylid lleoli cyn y cyfeiriad at y gwasanaeth mabwysiadu: cadarnhewch "
        "y ddau ddyddiad.",
        _PROPOSED,
        lambda rows: rows.in_order("referred_on", "should_be_placed_decision_on"),
    ),
    _child(
        "CH204", "error",
        ("placement_order_on", "should_be_placed_decision_on", "authority_to_place"),
        "The placement order is before the should-be-placed decision: check both dates.",
        "Mae'r gorchymyn lleoli cyn y penderfyniad y dylid lleoli: gwiriwch y ddau ddyddiad.",
        (554,),
        lambda rows: when(
            ~rows.is_code("authority_to_place", "consent"),
            rows.in_order("should_be_placed_decision_on", "placement_order_on"),
        ),
    ),
    _child(
        "CH205", "query",
        ("placement_order_on", "should_be_placed_decision_on", "authority_to_place"),
        "The consent to placement is before the should-be-placed decision: confirm both dates.",
        "Mae'r caniatâd i leoli cyn y penderfyniad y dylid lleoli: cadarnhewch y ddau ddyddiad.",
        _PROPOSED,
        lambda rows: when(
            rows.is_code("authority_to_place", "consent"),
            rows.in_order("should_be_placed_decision_on", "placement_order_on"),
        ),
    ),
    _child(
        "CH206", "error", ("matched_on", "should_be_placed_decision_on"),
        "The match is before the should-be-placed decision: check both dates.",
        "Mae'r paru cyn y penderfyniad y dylid lleoli: gwiriwch y ddau ddyddiad.",
        (333,),
        lambda rows: rows.in_order("should_be_placed_decision_on", "matched_on"),
    ),
    _child(
        "CH207", "query", (
            "matched_on", "placement_order_on", "early_permanence", "early_permanence_placed_on",
        ),
        "The match is before the authority to place, and this is not an early permanence "
        "placement: confirm both dates.",
        "Mae'r paru cyn yr awdurdod i leoli, ac nid lleoliad sefydlogrwydd cynnar ydyw: "
        "cadarnhewch y ddau ddyddiad.",
        _PROPOSED,
        lambda rows: when(
            ~rows.is_code("early_permanence", "fostering_for_adoption", "concurrent")
            & rows.missing("early_permanence_placed_on"),
            rows.in_order("placement_order_on", "matched_on"),
        ),
    ),
    _child(
        "CH208", "error", ("placed_on", "matched_on"),
        "The child was placed before the match: check both dates.",
        "Lleolwyd y plentyn cyn y paru: gwiriwch y ddau ddyddiad.",
        (331,),
        lambda rows: rows.in_order("matched_on", "placed_on"),
    ),
    _child(
        "CH209", "error", ("placed_on", "should_be_placed_decision_on"),
        "The child was placed before the should-be-placed decision: check both dates.",
        "Lleolwyd y plentyn cyn y penderfyniad y dylid lleoli: gwiriwch y ddau ddyddiad.",
        (521, 552),
        lambda rows: rows.in_order("should_be_placed_decision_on", "placed_on"),
    ),
    _child(
        "CH210", "error", ("placed_on", "placement_order_on"),
        "The child was placed for adoption before there was authority to place: check both dates, "
        "and report time as a foster child under early permanence.",
        "Lleolwyd y plentyn i'w fabwysiadu cyn bod awdurdod i leoli: gwiriwch y ddau ddyddiad, ac "
        "adroddwch amser fel plentyn maeth o dan sefydlogrwydd cynnar.",
        (408,),
        lambda rows: rows.in_order("placement_order_on", "placed_on"),
    ),
    _child(
        "CH211", "error", ("adoption_order_on", "placed_on"),
        "The adoption order is before the placement for adoption: check both dates.",
        "Mae'r gorchymyn mabwysiadu cyn y lleoliad i'w fabwysiadu: gwiriwch y ddau ddyddiad.",
        (390,),
        lambda rows: rows.in_order("placed_on", "adoption_order_on"),
    ),
    _child(
        "CH212", "query",
        ("adoption_order_on", "placed_on", "early_permanence", "is_foster_carer_adoption"),
        "The adoption order is less than ten weeks after the placement, and the child had not "
        "lived with the adopters before: confirm both dates.",
        "Mae'r gorchymyn mabwysiadu lai na deg wythnos ar ôl y lleoliad, ac nid oedd y plentyn "
        "wedi byw gyda'r mabwysiadwyr o'r blaen: cadarnhewch y ddau ddyddiad.",
        "Adoption and Children Act 2002, section 42, adapted",
        lambda rows: never(
            ~rows.is_code("is_foster_carer_adoption", "yes", "unknown"),
            rows.is_code("early_permanence", "none"),
            pl.col("adoption_order_on") >= pl.col("placed_on"),
            pl.col("adoption_order_on")
            < pl.col("placed_on").dt.offset_by(f"{_DAYS_AT_HOME_BEFORE_ORDER}d"),
        ),
    ),
    _child(
        "CH213", "query", ("adoption_order_on", "matched_on"),
        "The adoption order and the match have the same date: confirm both, a match usually comes "
        "well before.",
        "Mae gan y gorchymyn mabwysiadu a'r paru yr un dyddiad: cadarnhewch y ddau, fel arfer "
        "daw'r paru ymhell cyn hynny.",
        (582,),
        lambda rows: pl.col("adoption_order_on") != pl.col("matched_on"),
    ),
    _child(
        "CH214", "error", ("plan_ended_on", "should_be_placed_decision_on"),
        "The plan for adoption ended before the should-be-placed decision: check both dates.",
        "Daeth y cynllun mabwysiadu i ben cyn y penderfyniad y dylid lleoli: gwiriwch y ddau "
        "ddyddiad.",
        (522,),
        lambda rows: rows.in_order("should_be_placed_decision_on", "plan_ended_on"),
    ),
    _child(
        "CH215", "error",
        ("plan_ended_on", "placement_order_on", "matched_on", "placed_on", "disrupted_on"),
        "A placement order, match, placement or disruption is dated after the plan for adoption "
        "ended: check the dates, or clear the end of the plan if the plan goes on.",
        "Mae dyddiad gorchymyn lleoli, paru, lleoliad neu darfu ar ôl i'r cynllun mabwysiadu ddod "
        "i ben: gwiriwch y dyddiadau, neu gliriwch ddiwedd y cynllun os yw'r cynllun yn parhau.",
        _PROPOSED,
        lambda rows: pl.max_horizontal(
            "placement_order_on", "matched_on", "placed_on", "disrupted_on"
        )
        <= pl.col("plan_ended_on"),
    ),
    _child(
        "CH216", "error", ("disrupted_on", "matched_on", "placed_on"),
        "The placement disrupted between the match and the placement: if the dates are those of a "
        "new family, give the new match; otherwise correct the date of the disruption.",
        "Tarfwyd ar y lleoliad rhwng y paru a'r lleoliad: os dyddiadau teulu newydd ydynt, rhowch "
        "y paru newydd; fel arall cywirwch ddyddiad y tarfu.",
        _PROPOSED,
        lambda rows: never(
            pl.col("matched_on") < pl.col("disrupted_on"),
            pl.col("disrupted_on") < pl.col("placed_on"),
        ),
    ),
    _child(
        "CH217", "error", ("disrupted_on", "placement_order_on"),
        "The placement disrupted before there was authority to place: check both dates.",
        "Tarfwyd ar y lleoliad cyn bod awdurdod i leoli: gwiriwch y ddau ddyddiad.",
        _PROPOSED,
        lambda rows: rows.in_order("placement_order_on", "disrupted_on"),
    ),
    _child(
        "CH218", "error", ("adoption_order_on", "disrupted_on", "placed_on"),
        "The child was adopted although the placement disrupted and no later placement is given: "
        "give the dates of the new family, or delete the wrong date.",
        "Mabwysiadwyd y plentyn er i'r lleoliad gael ei darfu ac na roddir lleoliad diweddarach: "
        "rhowch ddyddiadau'r teulu newydd, neu dilëwch y dyddiad anghywir.",
        (558,),
        lambda rows: when(
            rows.given("adoption_order_on"), rows.in_order("disrupted_on", "placed_on")
        ),
    ),
    _child(
        "CH219", "error", ("referral_withdrawn_on", "referred_on"),
        "The referral was withdrawn before it was made: check both dates.",
        "Tynnwyd y cyfeiriad yn ôl cyn iddo gael ei wneud: gwiriwch y ddau ddyddiad.",
        _PROPOSED,
        lambda rows: rows.in_order("referred_on", "referral_withdrawn_on"),
    ),
    _child(
        "CH220", "error", ("referral_withdrawn_on", "should_be_placed_decision_on"),
        "The referral was withdrawn and yet there is a should-be-placed decision: after a "
        "decision, use the date the plan ended and its reason instead.",
        "Tynnwyd y cyfeiriad yn ôl ac eto mae penderfyniad y dylid lleoli: ar ôl penderfyniad, "
        "defnyddiwch y dyddiad y daeth y cynllun i ben a'r rheswm yn lle hynny.",
        _PROPOSED,
        lambda rows: never(
            rows.given("referral_withdrawn_on"), rows.given("should_be_placed_decision_on")
        ),
    ),
    _child(
        "CH221", "query", ("referred_to_register_on", "placement_order_on"),
        "The child was referred to the Adoption Register without or before authority to place: "
        "confirm both dates.",
        "Cyfeiriwyd y plentyn at y Gofrestr Fabwysiadu heb awdurdod i leoli neu cyn hynny: "
        "cadarnhewch y ddau ddyddiad.",
        _PROPOSED,
        lambda rows: when(
            rows.given("referred_to_register_on"),
            rows.given("placement_order_on")
            & rows.in_order("placement_order_on", "referred_to_register_on"),
        ),
    ),
    _child(
        "CH222", "query", ("adopting_together_referred_on", "should_be_placed_decision_on"),
        "The child was referred to Adopting Together without or before a should-be-placed "
        "decision: confirm both dates.",
        "Cyfeiriwyd y plentyn at Mabwysiadu Gyda'n Gilydd heb benderfyniad y dylid lleoli neu cyn "
        "hynny: cadarnhewch y ddau ddyddiad.",
        _PROPOSED,
        lambda rows: when(
            rows.given("adopting_together_referred_on"),
            rows.given("should_be_placed_decision_on")
            & rows.in_order("should_be_placed_decision_on", "adopting_together_referred_on"),
        ),
    ),
    _child(
        "CH223", "query", ("life_journey_materials_on", "placed_on", "disrupted_on"),
        "Life journey materials were given without or before a placement: confirm both dates.",
        "Rhoddwyd deunyddiau taith bywyd heb leoliad neu cyn lleoliad: cadarnhewch y ddau "
        "ddyddiad.",
        _PROPOSED,
        # After a disruption the placement shown may be a later family's.
        lambda rows: when(
            rows.given("life_journey_materials_on") & rows.missing("disrupted_on"),
            rows.given("placed_on") & rows.in_order("placed_on", "life_journey_materials_on"),
        ),
    ),
    _child(
        "CH224", "error", ("disrupted_on", "matched_on", "placed_on"),
        "Disruption, match and placement are all on one day, so it cannot be told whether the "
        "child is waiting or placed: check the three dates.",
        "Mae'r tarfu, y paru a'r lleoliad i gyd ar yr un diwrnod, felly ni all neb ddweud a yw'r "
        "plentyn yn aros neu wedi'i leoli: gwiriwch y tri dyddiad.",
        _PROPOSED,
        lambda rows: never(
            pl.col("disrupted_on") == pl.col("matched_on"),
            pl.col("disrupted_on") == pl.col("placed_on"),
        ),
    ),
    _child(
        "CH225", "error", ("placement_order_on", "authority_to_place"),
        "The placement order is dated before December 2005, when there were no placement orders "
        "yet: correct the date.",
        "Mae'r gorchymyn lleoli wedi'i ddyddio cyn Rhagfyr 2005, pan nad oedd gorchmynion lleoli "
        "eto: cywirwch y dyddiad.",
        (446,),
        lambda rows: when(
            rows.is_code("authority_to_place", "placement_order"),
            pl.col("placement_order_on") >= _PLACEMENT_ORDERS_SINCE,
        ),
    ),
    # --- what must come with what ----------------------------------------------
    _child(
        "CH301", "error",
        (
            "should_be_placed_decision_on", "placement_order_on", "authority_to_place",
            "matched_on", "placed_on", "adoption_order_on", "plan_ended_on",
        ),
        "There is a placement order, match, placement, adoption order or end of the plan, but no "
        "should-be-placed decision: give its date.",
        "Mae gorchymyn lleoli, paru, lleoliad, gorchymyn mabwysiadu neu ddiwedd y cynllun, ond dim "
        "penderfyniad y dylid lleoli: rhowch ei ddyddiad.",
        (333, 551, 553, 563),
        # A parent may consent before the agency has decided.
        lambda rows: when(
            rows.any_given("matched_on", "placed_on", "adoption_order_on", "plan_ended_on")
            | (
                rows.given("placement_order_on") & ~rows.is_code("authority_to_place", "consent")
            ),
            rows.given("should_be_placed_decision_on"),
        ),
    ),
    _child(
        "CH302", "query", ("placement_order_on", "placed_on", "adoption_order_on"),
        "The child was placed or adopted but there is no date of the placement order or consent: "
        "give it.",
        "Lleolwyd neu mabwysiadwyd y plentyn ond nid oes dyddiad i'r gorchymyn lleoli na'r "
        "caniatâd: rhowch ef.",
        (408,),
        lambda rows: when(
            rows.any_given("placed_on", "adoption_order_on"), rows.given("placement_order_on")
        ),
    ),
    _child(
        "CH303", "error", ("authority_to_place", "placement_order_on"),
        "The date of the authority to place is given but not its kind: choose placement order or "
        "consent.",
        "Mae dyddiad i'r awdurdod i leoli ond nid pa fath ydyw: dewiswch orchymyn lleoli neu "
        "ganiatâd.",
        _PROPOSED,
        lambda rows: when(rows.given("placement_order_on"), rows.given("authority_to_place")),
    ),
    _child(
        "CH304", "query", ("placement_order_on", "authority_to_place"),
        "The kind of authority to place is given but not its date: give the date, or leave the "
        "kind blank until it is granted.",
        "Mae math o awdurdod i leoli ond dim dyddiad: rhowch y dyddiad, neu gadewch y math yn wag "
        "nes y'i rhoddir.",
        _PROPOSED,
        lambda rows: when(rows.given("authority_to_place"), rows.given("placement_order_on")),
    ),
    _child(
        "CH305", "error", ("placed_on", "adoption_order_on"),
        "There is an adoption order but the child was never placed for adoption: give the date of "
        "the placement.",
        "Mae gorchymyn mabwysiadu ond ni leolwyd y plentyn i'w fabwysiadu: rhowch ddyddiad y "
        "lleoliad.",
        (390,),
        lambda rows: when(rows.given("adoption_order_on"), rows.given("placed_on")),
    ),
    _child(
        "CH306", "query", ("matched_on", "placed_on"),
        "The child was placed but there is no match: give the date of the decision to match.",
        "Lleolwyd y plentyn ond nid oes paru: rhowch ddyddiad y penderfyniad i baru.",
        (151, 601),
        lambda rows: when(rows.given("placed_on"), rows.given("matched_on")),
    ),
    _child(
        "CH307", "query", ("plan_ended_reason", "plan_ended_on"),
        "The plan for adoption ended but no reason is given: choose one.",
        "Daeth y cynllun mabwysiadu i ben ond ni roddir rheswm: dewiswch un.",
        (119,),
        lambda rows: when(rows.given("plan_ended_on"), rows.given("plan_ended_reason")),
    ),
    _child(
        "CH308", "error", ("plan_ended_on", "plan_ended_reason"),
        "There is a reason why the plan ended but no date: give the date, or clear the reason.",
        "Mae rheswm pam y daeth y cynllun i ben ond dim dyddiad: rhowch y dyddiad, neu gliriwch y "
        "rheswm.",
        (119,),
        lambda rows: when(rows.given("plan_ended_reason"), rows.given("plan_ended_on")),
    ),
    _child(
        "CH309", "error", ("plan_ended_on", "adoption_order_on"),
        "The child was adopted and yet the plan for adoption ended: delete whichever date is "
        "wrong.",
        "Mabwysiadwyd y plentyn ac eto daeth y cynllun mabwysiadu i ben: dilëwch yr un anghywir "
        "o'r ddau ddyddiad.",
        (525, 558),
        lambda rows: never(rows.given("adoption_order_on"), rows.given("plan_ended_on")),
    ),
    _child(
        "CH310", "error", ("disrupted_on", "matched_on", "placed_on"),
        "A placement disrupted but no placement is given: give the dates of the match and the "
        "placement, or of the new match.",
        "Tarfwyd ar leoliad ond ni roddir lleoliad: rhowch ddyddiadau'r paru a'r lleoliad, neu'r "
        "paru newydd.",
        _PROPOSED,
        lambda rows: when(
            rows.given("disrupted_on"), rows.given("placed_on") | _rematched(rows)
        ),
    ),
    _child(
        "CH311", "query", ("disrupted_on", "plan_ended_on", "placed_on"),
        "The plan ended after the child was placed, and no disruption is given: confirm, or give "
        "the date the placement disrupted.",
        "Daeth y cynllun i ben ar ôl lleoli'r plentyn, ac ni roddir tarfu: cadarnhewch, neu rhowch "
        "y dyddiad y tarfwyd ar y lleoliad.",
        _PROPOSED,
        lambda rows: when(
            rows.given("plan_ended_on") & rows.given("placed_on"), rows.given("disrupted_on")
        ),
    ),
    _child(
        "CH312", "query", ("family_finding_status", "placed_on", "disrupted_on"),
        "Family finding is still going on although the child is placed: confirm, or choose that it "
        "has ended.",
        "Mae chwilio am deulu yn parhau er bod y plentyn wedi'i leoli: cadarnhewch, neu dewiswch "
        "ei fod wedi dod i ben.",
        _PROPOSED,
        lambda rows: when(
            rows.given("placed_on") & rows.missing("disrupted_on"),
            ~rows.is_code("family_finding_status", "not_started", "active"),
        ),
    ),
    _child(
        "CH313", "query", ("is_foster_carer_adoption", "adoption_order_on"),
        "The child was adopted but the return does not say whether the adopters were the child's "
        "foster carers: choose yes, no or not known.",
        "Mabwysiadwyd y plentyn ond ni ddywedir ai gofalwyr maeth y plentyn oedd y mabwysiadwyr: "
        "dewiswch ydy, nac ydy neu anhysbys.",
        (151, 601),
        lambda rows: when(
            rows.given("adoption_order_on"), rows.given("is_foster_carer_adoption")
        ),
    ),
    # --- placement, early permanence, foster carers ------------------------------
    _child(
        "CH401", "query", ("placement_source", "matched_on"),
        "The child is matched but the return does not say where the adopters came from: choose "
        "one.",
        "Mae'r plentyn wedi'i baru ond ni ddywedir o ble y daeth y mabwysiadwyr: dewiswch un.",
        _PROPOSED,
        # Only figures of Wales are counted from it.
        lambda rows: when(
            rows.sent_from("W92000004") & rows.given("matched_on"), rows.given("placement_source")
        ),
    ),
    _child(
        "CH402", "query", ("matched_on", "placement_source", "adopter_household_reference"),
        "Adopters are given although the child is not matched: give the date of the match, or "
        "clear the adopters until then.",
        "Rhoddir mabwysiadwyr er nad yw'r plentyn wedi'i baru: rhowch ddyddiad y paru, neu "
        "gliriwch y mabwysiadwyr tan hynny.",
        _PROPOSED,
        lambda rows: when(
            rows.any_given("placement_source", "adopter_household_reference"),
            rows.given("matched_on"),
        ),
    ),
    _child(
        "CH403", "error", ("adopter_agency_code", "adopter_household_reference"),
        "The adopters' household reference is given without the agency that approved them: choose "
        "the agency that the reference belongs to.",
        "Rhoddir cyfeirnod aelwyd y mabwysiadwyr heb yr asiantaeth a'u cymeradwyodd: dewiswch yr "
        "asiantaeth, gan mai ei chyfeirnod hi ydyw.",
        _PROPOSED,
        lambda rows: when(
            rows.given("adopter_household_reference"), rows.given("adopter_agency_code")
        ),
    ),
    _child(
        "CH404", "error", ("adopter_agency_code",),
        "The agency that approved the adopters is not in the list of places that may approve: "
        "choose from the list, or leave both it and the household reference blank.",
        "Nid yw'r asiantaeth a gymeradwyodd y mabwysiadwyr yn y rhestr o leoedd a all gymeradwyo: "
        "dewiswch o'r rhestr, neu gadewch hi a chyfeirnod yr aelwyd yn wag.",
        _PROPOSED,
        lambda rows: pl.col("adopter_agency_code").is_in(
            [code for code, kind in rows.place_kinds.items() if kind in _APPROVING_KINDS]
        ),
    ),
    _child(
        "CH405", "query", ("placement_provider", "placement_source"),
        "You are named as the provider although the adopters came from elsewhere: confirm, or "
        "choose another provider.",
        "Chi eich hun yw'r darparwr er i'r mabwysiadwyr ddod o fan arall: cadarnhewch, neu "
        "dewiswch ddarparwr arall.",
        _PROPOSED,
        lambda rows: never(
            rows.is_code("placement_provider", "PR1"),
            rows.is_code("placement_source", "in_nation", "outside_nation"),
        ),
    ),
    _child(
        "CH406", "query", ("placement_provider", "adopter_agency_code"),
        "The adopters were approved by a voluntary agency but the provider is a local authority: "
        "confirm, or choose another provider.",
        "Asiantaeth wirfoddol a gymeradwyodd y mabwysiadwyr ond awdurdod lleol yw'r darparwr: "
        "cadarnhewch, neu dewiswch ddarparwr arall.",
        _PROPOSED,
        lambda rows: never(
            rows.is_code("placement_provider", "PR1", "PR2"),
            rows.is_code(
                "adopter_agency_code",
                *(code for code, kind in rows.place_kinds.items() if kind == "voluntary_agency"),
            ),
        ),
    ),
    _child(
        "CH407", "error", ("adopting_together_referred_on", "is_adopting_together_placement"),
        "The child was placed through Adopting Together but was never referred to it: give the "
        "date of the referral, or choose no.",
        "Lleolwyd y plentyn drwy Mabwysiadu Gyda'n Gilydd ond ni chafodd ei gyfeirio ato: rhowch "
        "ddyddiad y cyfeiriad, neu dewiswch nac ydy.",
        _PROPOSED,
        lambda rows: when(
            rows.is_code("is_adopting_together_placement", "yes"),
            rows.given("adopting_together_referred_on"),
        ),
    ),
    _child(
        "CH408", "error",
        ("adopting_together_referred_on", "is_adopting_together_placement", "matched_on"),
        "The child was matched through Adopting Together before being referred to it: check both "
        "dates.",
        "Parwyd y plentyn drwy Mabwysiadu Gyda'n Gilydd cyn cael ei gyfeirio ato: gwiriwch y ddau "
        "ddyddiad.",
        _PROPOSED,
        lambda rows: when(
            rows.is_code("is_adopting_together_placement", "yes"),
            rows.in_order("adopting_together_referred_on", "matched_on"),
        ),
    ),
    _child(
        "CH409", "query", ("is_adopting_together_placement", "matched_on"),
        "The return says that the placement is through Adopting Together but there is no match: "
        "give the date of the match, or clear the cell until then.",
        "Dywedir bod y lleoliad drwy Mabwysiadu Gyda'n Gilydd ond nid oes paru: rhowch ddyddiad y "
        "paru, neu gliriwch y gell tan hynny.",
        _PROPOSED,
        lambda rows: when(
            rows.is_code("is_adopting_together_placement", "yes"), rows.given("matched_on")
        ),
    ),
    _child(
        "CH410", "query", ("early_permanence_placed_on", "early_permanence"),
        "The kind of early permanence placement is given but not the date it began: give the date, "
        "or choose none until the child moves in.",
        "Rhoddir y math o leoliad sefydlogrwydd cynnar ond nid y dyddiad y dechreuodd: rhowch y "
        "dyddiad, neu dewiswch nad oes un nes i'r plentyn symud i mewn.",
        _PROPOSED,
        lambda rows: when(
            rows.is_code("early_permanence", "fostering_for_adoption", "concurrent"),
            rows.given("early_permanence_placed_on"),
        ),
    ),
    _child(
        "CH411", "error", ("early_permanence", "early_permanence_placed_on"),
        "An early permanence placement began but its kind says there is none: choose the kind, or "
        "clear the date.",
        "Dechreuodd lleoliad sefydlogrwydd cynnar ond dywed ei fath nad oes un: dewiswch y math, "
        "neu gliriwch y dyddiad.",
        _PROPOSED,
        lambda rows: never(
            rows.given("early_permanence_placed_on"), rows.is_code("early_permanence", "none")
        ),
    ),
    _child(
        "CH412", "error", ("early_permanence_placed_on", "entered_care_on"),
        "The early permanence placement began before the child became looked after: check both "
        "dates.",
        "Dechreuodd y lleoliad sefydlogrwydd cynnar cyn i'r plentyn ddod yn blentyn sy'n derbyn "
        "gofal: gwiriwch y ddau ddyddiad.",
        _PROPOSED,
        lambda rows: rows.in_order("entered_care_on", "early_permanence_placed_on"),
    ),
    _child(
        "CH413", "error", ("early_permanence_placed_on", "placed_on"),
        "The early permanence placement began after the child was placed for adoption: check both "
        "dates.",
        "Dechreuodd y lleoliad sefydlogrwydd cynnar ar ôl lleoli'r plentyn i'w fabwysiadu: "
        "gwiriwch y ddau ddyddiad.",
        (336,),
        lambda rows: rows.in_order("early_permanence_placed_on", "placed_on"),
    ),
    _child(
        "CH414", "query", ("foster_placement_started_on", "is_foster_carer_adoption", "placed_on"),
        "The child's foster carers are adopting but the return does not say when the foster "
        "placement began: give the date.",
        "Mae gofalwyr maeth y plentyn yn mabwysiadu ond ni ddywedir pryd y dechreuodd y lleoliad "
        "maeth: rhowch y dyddiad.",
        (335, 336),
        lambda rows: when(
            rows.is_code("is_foster_carer_adoption", "yes") & rows.given("placed_on"),
            rows.given("foster_placement_started_on"),
        ),
    ),
    _child(
        "CH415", "query", ("is_foster_carer_adoption", "foster_placement_started_on"),
        "The date is given on which a foster placement with the adopters began, but the return "
        "does not say that they are the child's foster carers: choose yes, or clear the date.",
        "Rhoddir y dyddiad y dechreuodd lleoliad maeth gyda'r mabwysiadwyr, ond ni ddywedir mai "
        "gofalwyr maeth y plentyn ydynt: dewiswch ydy, neu gliriwch y dyddiad.",
        (335,),
        lambda rows: when(
            rows.given("foster_placement_started_on"),
            rows.is_code("is_foster_carer_adoption", "yes"),
        ),
    ),
    _child(
        "CH416", "error", ("foster_placement_started_on", "placed_on"),
        "The foster placement with the adopters began after the child was placed for adoption: "
        "check both dates.",
        "Dechreuodd y lleoliad maeth gyda'r mabwysiadwyr ar ôl lleoli'r plentyn i'w fabwysiadu: "
        "gwiriwch y ddau ddyddiad.",
        (336,),
        lambda rows: rows.in_order("foster_placement_started_on", "placed_on"),
    ),
    _child(
        "CH417", "query", ("foster_placement_started_on", "entered_care_on"),
        "The foster placement with the adopters began before the latest period of care: confirm "
        "both dates.",
        "Dechreuodd y lleoliad maeth gyda'r mabwysiadwyr cyn y cyfnod gofal diweddaraf: "
        "cadarnhewch y ddau ddyddiad.",
        _PROPOSED,
        lambda rows: rows.in_order("entered_care_on", "foster_placement_started_on"),
    ),
    # --- brothers and sisters ----------------------------------------------------
    _child(
        "CH501", "query", ("siblings_placed_together", "sibling_group_reference"),
        "The number of children to be placed together differs from the number of rows with this "
        "sibling group reference: confirm, or correct one of them.",
        "Mae nifer y plant i'w lleoli gyda'i gilydd yn wahanol i nifer y rhesi â'r cyfeirnod grŵp "
        "hwn: cadarnhewch, neu cywirwch un ohonynt.",
        _PROPOSED,
        lambda rows: when(
            rows.given("sibling_group_reference"),
            pl.col("siblings_placed_together") == rows.rows_sharing("sibling_group_reference"),
        ),
    ),
    _child(
        "CH502", "query", ("sibling_group_reference", "siblings_placed_together"),
        "More than one child is to be placed together but there is no sibling group reference: "
        "give the same one to each of them.",
        "Mae mwy nag un plentyn i'w lleoli gyda'i gilydd ond nid oes cyfeirnod grŵp: rhowch yr un "
        "cyfeirnod i bob un ohonynt.",
        _PROPOSED,
        lambda rows: when(
            pl.col("siblings_placed_together") > 1, rows.given("sibling_group_reference")
        ),
    ),
    _child(
        "CH503", "query",
        ("adopter_household_reference", "sibling_group_reference", "adopter_agency_code"),
        "Children of one sibling group are matched with different households: confirm, or correct "
        "the reference.",
        "Parwyd plant o un grŵp brodyr a chwiorydd ag aelwydydd gwahanol: cadarnhewch, neu "
        "cywirwch y cyfeirnod.",
        _PROPOSED,
        lambda rows: when(
            rows.given("sibling_group_reference") & rows.given("adopter_household_reference"),
            pl.struct("adopter_agency_code", reference("adopter_household_reference"))
            .filter(pl.col("adopter_household_reference").is_not_null())
            .n_unique()
            .over("submission_id", reference("sibling_group_reference"))
            == 1,
        ),
    ),
)  # fmt: skip
