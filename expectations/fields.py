"""The rules a declaration implies for each field of a return.

| Code | Holds when | Great Expectations sees |
|---|---|---|
| REQUIRED | something was written where a figure of the nation needs it | 1, or nothing |
| BLANK | something was written, or some figures leave the row out | 1, or nothing |
| DATE, NUMBER | the text was understood as a date, a whole number | true or false |
| CODE | the code is in the list in force that quarter | the code, or "not understood" |
| LENGTH | the text is no longer than ``maxLength`` | its length |
| PATTERN | the text fits ``pattern`` | true or false |
| RANGE | the number lies within ``minimum`` and ``maximum`` | the number |
| EARLY | the date is not before a declared year | true or false |
| FUTURE | the date is not after the quarter's last day | true or false |
| UNIQUE | no other row of the submission has the same key | a running number of the key |

No reference and no date is ever handed to Great Expectations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from expectations.rules import RULES
from expectations.rules.rule import (
    Need,
    Rows,
    Rule,
    Severity,
    adapted_from,
    has_readable,
    reference,
)
from pipelines.declarations import Declarations, Return, ReturnField
from pipelines.quarters import Quarter
from pipelines.text.catalogue import N_, translations

# Stands in the checked column for text that was not understood; in no code list
# because codes are printable.
NOT_UNDERSTOOD = "\x00"

Expectation = Literal["not_null", "in_set", "between", "unique"]

# Rules of SSDA903 that the declaration of a field carries over, by our code and field.
SSDA903: dict[str, dict[tuple[str, str], tuple[int, ...]]] = {
    "child": {
        ("DATE", "date_of_birth"): (102,),
        ("DATE", "should_be_placed_decision_on"): (112, 115),
        ("DATE", "matched_on"): (113,),
        ("DATE", "plan_ended_on"): (116,),
        ("CODE", "is_foster_carer_adoption"): (114,),
        ("CODE", "plan_ended_reason"): (120,),
        ("CODE", "authority_to_place"): (144,),
        ("FUTURE", "date_of_birth"): (301,),
        ("FUTURE", "should_be_placed_decision_on"): (117,),
        ("FUTURE", "plan_ended_on"): (117,),
    },
    "adopter": {("CODE", "adopters_in_household"): (175,)},
    "support": {},
}


@dataclass(frozen=True)
class Check:
    """One expectation of a suite: a column to derive, and what is expected of it.

    ``column`` is unique within a return. ``arguments`` are those of the
    expectation beside its column. ``needs``, ``level`` and ``ssda903`` are those
    of :class:`expectations.rules.rule.Rule`, ``holds`` too.
    """

    code: str
    severity: Severity
    fields: tuple[str, ...]
    sentence_en: str
    sentence_cy: str
    source: str
    column: str
    derive: Callable[[], pl.Expr]
    expectation: Expectation
    arguments: tuple[tuple[str, Any], ...] = ()
    is_truth: bool = False  # derived as Boolean, null meaning that the rule holds
    needs: Need | None = None
    level: Literal["row", "return"] = "row"
    ssda903: tuple[int, ...] = ()
    holds: bool = False


def checks_in_force(
    return_name: str, quarter: Quarter, declarations: Declarations
) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """Every check of a return in a quarter, and the codes of the rules skipped in it.

    A rule that compares with the prior return is skipped where that one was not
    asked for the field yet.
    """
    declared = declarations.returns[return_name]
    rows = Rows(declared, quarter, declarations)
    fields = declared.fields_in_force(quarter)
    checks = [
        check for field in fields for check in _field_checks(field, rows, quarter, declarations)
    ]
    checks.extend(_key_checks(declared, quarter))
    numbers = SSDA903[return_name]
    checks = [_numbered(check, numbers.get((check.code, check.fields[0]), ())) for check in checks]
    asked_for = frozenset(field.name for field in fields)
    asked_before = frozenset(field.name for field in declared.fields_in_force(quarter.plus(-1)))
    skipped = []
    for rule in RULES[return_name]:
        of_both = asked_for & asked_before if rule.needs == "prior_return" else asked_for
        if rule.in_force(quarter, of_both):
            checks.append(_check_of(rule, declared, rows))
        else:
            skipped.append(rule.code)
    return tuple(checks), tuple(skipped)


def _check_of(rule: Rule, declared: Return, rows: Rows) -> Check:
    def derive() -> pl.Expr:
        passes = rule.passes(rows)
        fields = [declared.field(name) for name in rule.fields]
        understood = [pl.col(f"readable__{each.name}") for each in fields if has_readable(each)]
        understood += [~rows.is_early(each.name) for each in fields if each.type == "date"]
        # What was written and not understood is neither present nor missing: 96 cells with
        # 00/01/1900 were 178 orders without a placement.
        if rule.level == "row" and understood:
            passes = pl.when(pl.all_horizontal(understood)).then(passes)
        if rule.needs is None:
            return passes
        # Where what it needs is not known, a rule is skipped: it holds.
        return pl.when(pl.col(f"known__{rule.needs}")).then(passes)

    return _numbered(
        Check(
            code=rule.code,
            severity=rule.severity,
            fields=rule.fields,
            sentence_en=rule.sentence_en,
            sentence_cy=rule.sentence_cy,
            source=rule.source,
            column=rule.code,
            derive=derive,
            expectation="in_set",
            arguments=_TRUE,
            is_truth=True,
            needs=rule.needs,
            level=rule.level,
            holds=rule.holds,
        ),
        rule.ssda903,
    )


def _numbered(check: Check, numbers: tuple[int, ...]) -> Check:
    """The check with the SSDA903 rules it carries over in its source and after its sentences.

    Officers know them by number from the yearly return.
    """
    if not numbers:
        return check
    named = f" (SSDA903 {', '.join(str(number) for number in numbers)})."
    return replace(
        check,
        sentence_en=check.sentence_en.removesuffix(".") + named,
        sentence_cy=check.sentence_cy.removesuffix(".") + named,
        source=adapted_from(numbers),
        ssda903=numbers,
    )


_TRUE = (("value_set", (True,)),)


def _field_checks(
    field: ReturnField, rows: Rows, quarter: Quarter, declarations: Declarations
) -> Iterator[Check]:
    name, limits = field.name, field.constraints
    if limits.is_required_in(None):
        yield _check(
            "REQUIRED", field, N_("{title} is missing: fill in the cell."),
            lambda: pl.when(rows.given(name) | ~_owed(field, rows)).then(1), "not_null",
        )  # fmt: skip
    if limits.queried_if_blank:
        yield _check(
            "BLANK", field,
            N_("{title} is blank, so some figures leave the row out: fill in the cell if you can."),
            lambda: pl.when(rows.given(name)).then(1), "not_null", severity="query",
        )  # fmt: skip
    if field.code_list:
        yield _check(
            "CODE", field,
            N_("{title} is not in the list for this quarter: choose from the drop-down list."),
            lambda: pl.when(pl.col(f"readable__{name}")).then(pl.col(name))
            .otherwise(pl.lit(NOT_UNDERSTOOD)),
            "in_set", (("value_set", declarations.codes(field.code_list, quarter)),),
        )  # fmt: skip
    elif has_readable(field):
        yield _not_understood(field)
    if field.type == "date":
        yield _check(
            "EARLY", field, N_("{title} is before {year}: correct the date."),
            lambda: ~rows.is_early(name), "in_set", _TRUE, truth=True,
            year=int(rows.limit("earliest_year")),
        )  # fmt: skip
        yield _check(
            "FUTURE", field, _future(field), lambda: pl.col(name) <= quarter.last_day,
            "in_set", _TRUE, truth=True,
        )  # fmt: skip
    if limits.maxLength is not None:
        yield _check(
            "LENGTH", field, N_("{title} is longer than {limit} characters: shorten it."),
            lambda: pl.col(name).str.len_chars(), "between",
            (("max_value", limits.maxLength),), limit=limits.maxLength,
        )  # fmt: skip
    if limits.pattern is not None:
        yield _check(
            "PATTERN", field,
            N_("{title} is not written in the form asked for: see the note on the column."),
            lambda: pl.col(name).str.contains(f"^(?:{limits.pattern})$"),
            "in_set", _TRUE, truth=True,
        )  # fmt: skip
    if limits.minimum is not None or limits.maximum is not None:
        yield _range(field)


def _owed(field: ReturnField, rows: Rows) -> pl.Expr:
    """Whether a figure of the sender's nation cannot do without the field."""
    limits = field.constraints
    return pl.lit(True) if limits.required else rows.sent_from(*limits.required_in)


def _future(field: ReturnField) -> str:
    """A required cell cannot be left blank: a row that is not due yet is taken out whole."""
    if field.constraints.is_required_in(None):
        return N_(
            "{title} is after the last day of the quarter: correct the date, or delete the row and "
            "report it in the quarter in which it happens."
        )
    return N_(
        "{title} is after the last day of the quarter: correct the date, or leave the cell blank "
        "and report it in the quarter in which it happens."
    )


def _not_understood(field: ReturnField) -> Check:
    name = field.name
    if field.type != "date":
        sentence = N_("{title} is not a whole number that can be read: write it in digits.")
        code = "NUMBER"
    elif field.constraints.is_required_in(None):
        sentence = N_("{title} is not a date that can be read: write it as dd/mm/yyyy.")
        code = "DATE"
    else:
        sentence = N_(
            "{title} is not a date that can be read: write it as dd/mm/yyyy, or leave the cell "
            "blank if the date is not known yet."
        )
        code = "DATE"
    return _check(
        code, field, sentence, lambda: pl.col(f"readable__{name}"), "in_set", _TRUE, truth=True
    )


def _range(field: ReturnField) -> Check:
    low, high = field.constraints.minimum, field.constraints.maximum
    if high is None:
        sentence = N_("{title} is below {low}: correct the number.")
    elif low is None:
        sentence = N_("{title} is above {high}: correct the number.")
    else:
        sentence = N_("{title} is not between {low} and {high}: correct the number.")
    bounds = (("min_value", low), ("max_value", high))
    return _check(
        "RANGE", field, sentence, lambda: pl.col(field.name), "between",
        tuple((word, bound) for word, bound in bounds if bound is not None),
        low=low, high=high,
    )  # fmt: skip


def _key_checks(declared: Return, quarter: Quarter) -> Iterator[Check]:
    """UNIQUE, where the key of the return is asked for in the quarter."""
    key = declared.primary_key
    if not key or not all(declared.field(name).in_force(quarter) for name in key):
        return
    first = declared.field(key[0])
    complete = pl.all_horizontal(*(pl.col(name).is_not_null() for name in key))
    number = pl.struct(
        "submission_id",
        *(
            reference(name) if declared.field(name).type == "string" else pl.col(name)
            for name in key
        ),
    ).rank("dense")
    yield _check(
        "UNIQUE", first,
        N_("Another row of this sheet has the same {title}: keep one row for each."),
        lambda: pl.when(complete).then(number), "unique",
    )  # fmt: skip


def _check(
    code: str, field: ReturnField, sentence: str, derive: Callable[[], pl.Expr],
    expectation: Expectation, arguments: tuple[tuple[str, Any], ...] = (), *,
    truth: bool = False, severity: Severity = "error", **limits: object,
) -> Check:  # fmt: skip
    """``sentence`` names the field as ``{title}``, and its ``limits``."""
    return Check(
        code=code,
        severity=severity,
        fields=(field.name,),
        sentence_en=sentence.format(title=f"“{field.title.en}”", **limits),
        sentence_cy=translations("cy")
        .gettext(sentence)
        .format(title=f"“{field.title.cy}”", **limits),
        source=f"declared: sources/returns, field {field.name}",
        column=f"{code}__{field.name}",
        derive=derive,
        expectation=expectation,
        arguments=arguments,
        is_truth=truth,
    )
