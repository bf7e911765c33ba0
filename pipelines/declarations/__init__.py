"""Typed view of ``sources/``: what is declared there, and nothing else.

Knows no tool of the pipeline. Every loader checks what it reads and raises
:class:`DeclarationError` naming the file and the place in it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from pipelines.quarters import Quarter

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class DeclarationError(Exception):
    """Something in ``sources/`` does not fit; the message names file and place."""


def _quarter(value: Any) -> Any:
    if value is None or isinstance(value, Quarter):
        return value
    return Quarter.parse(str(value))  # a YAML date or year is told the expected form too


def _blank_is_none(value: Any) -> Any:
    return None if value == "" else value


def _iso_day(value: Any) -> Any:
    """Text only as ``2025-04-01``: left to pydantic, ``"0"`` would be a day in 1970."""
    if isinstance(value, str) and _ISO_DAY.fullmatch(value) is None:
        raise ValueError("a date is written like 2025-04-01")
    return value


QuarterLabel = Annotated[Quarter, BeforeValidator(_quarter)]
OptionalQuarter = Annotated[
    Quarter | None, BeforeValidator(_quarter), BeforeValidator(_blank_is_none)
]
OptionalDate = Annotated[date | None, BeforeValidator(_iso_day), BeforeValidator(_blank_is_none)]
OptionalText = Annotated[str | None, BeforeValidator(_blank_is_none)]
Words = Annotated[str, Field(pattern=r"\S")]  # text that may not be left blank
PublicStatus = Literal["published", "partly published", "proposed", "unverified"]
IndicatorId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")]
EVERY = "*"  # in a scope: every indicator, or every place
Scope = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: tuple(value.split()) if isinstance(value, str) else value),
    Field(min_length=1),
]


class Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    @model_validator(mode="after")
    def _life_runs_forward(self) -> Declared:
        since, until = getattr(self, "since", None), getattr(self, "until", None)
        if since is not None and until is not None and since > until:
            raise ValueError("since is later than until, so it would never be in force")
        return self


class Text(Declared):
    """A sentence in both languages."""

    en: Words
    cy: Words


# --- returns ---------------------------------------------------------------


class Constraints(Declared):
    """The Frictionless Table Schema constraints in use."""

    required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    maxLength: int | None = None
    pattern: str | None = None


class ReturnField(Declared):
    """One column of a return.

    ``privacy`` says what the validated room keeps of it: ``identifier`` becomes
    a keyed pseudonym, ``month`` the first day of the month, ``none`` stays.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    description: Text
    type: Literal["string", "date", "integer"]
    code_list: str | None = None
    constraints: Constraints = Constraints()
    privacy: Literal["none", "identifier", "month"] = "none"
    pseudonym_of: Literal["child", "household", "sibling_group"] | None = None
    issued_by: str | None = None  # field holding the issuing agency's code; default: the sender
    measured_as: str | None = None  # column name in the validated room, where it differs
    synonyms: tuple[str, ...] = ()
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus = "proposed"
    source: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> ReturnField:
        if (self.privacy == "identifier") != (self.pseudonym_of is not None):
            raise ValueError(f"{self.name}: privacy identifier and pseudonym_of go together")
        if self.privacy == "month" and self.type != "date":
            raise ValueError(f"{self.name}: only a date can become a month")
        return self

    @property
    def validated_name(self) -> str:
        """Name of the column from the validated room on."""
        if self.measured_as:
            return self.measured_as
        if self.privacy == "identifier":
            return self.name.removesuffix("_reference") + "_pseudonym"
        return self.name

    @property
    def validated_type(self) -> Literal["string", "date", "integer"]:
        return self.type

    def in_force(self, quarter: Quarter) -> bool:
        return _in_force(self.since, self.until, quarter)


class Return(Declared):
    """One sheet an authority or agency fills in."""

    name: Literal["child", "adopter", "support"]
    title: Text
    description: Text
    grain: Text
    sheet: Text
    primary_key: tuple[str, ...]
    max_rows: int | None = None
    fields: tuple[ReturnField, ...]
    status: PublicStatus
    source: Words

    @model_validator(mode="after")
    def _consistent(self) -> Return:
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("a field name appears twice")
        for key in self.primary_key:
            if key not in names:
                raise ValueError(f"primary_key names {key}, which is no field")
        for field in self.fields:
            if field.issued_by and field.issued_by not in names:
                raise ValueError(
                    f"{field.name}: issued_by names {field.issued_by}, which is no field"
                )
        return self

    @property
    def place_fields(self) -> frozenset[str]:
        """Fields that hold a place code: those that another field's reference is issued by."""
        return frozenset(field.issued_by for field in self.fields if field.issued_by)

    def fields_in_force(self, quarter: Quarter) -> tuple[ReturnField, ...]:
        return tuple(field for field in self.fields if field.in_force(quarter))

    def field(self, name: str) -> ReturnField:
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


class CoverField(Declared):
    """One line of the cover sheet."""

    name: str
    title: Text
    guidance: Text
    type: Literal["string", "date", "integer", "yes_no", "quarter", "sender"]
    required: bool = False


class Cover(Declared):
    title: Text
    sheet: Text
    notice: Text
    fields: tuple[CoverField, ...]
    status: PublicStatus
    source: Words


class Code(Declared):
    code: Words
    label_en: Words
    label_cy: Words
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus = "proposed"
    source: OptionalText = None

    def in_force(self, quarter: Quarter) -> bool:
        return _in_force(self.since, self.until, quarter)


class Spelling(Declared):
    """Another way of writing a code or a label of a list, as senders do."""

    spelling: Words
    code: Words
    status: PublicStatus = "proposed"
    source: OptionalText = None


# --- places ----------------------------------------------------------------

PlaceKind = Literal[
    "nation", "region", "regional_agency", "partnership", "authority", "voluntary_agency", "service"
]


class Place(Declared):
    place_code: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    name_en: Words
    name_cy: Words
    kind: PlaceKind
    nation_code: str
    gss_code: OptionalText = None
    since: OptionalDate = None
    until: OptionalDate = None
    status: Literal["sourced", "unverified", "proposed"]
    source: Words
    note: OptionalText = None


class Membership(Declared):
    """``member_code`` plays ``role`` in ``parent_code`` from ``since`` to ``until``.

    Both days are included. A blank date means: not known to have an end on that side.
    """

    member_code: str
    parent_code: str
    role: Literal["member", "host", "commissioner", "provider"]
    since: OptionalDate = None
    until: OptionalDate = None
    status: Literal["sourced", "unverified", "proposed"]
    source: Words
    note: OptionalText = None


class ReturnDue(Declared):
    """``sender_code`` owes ``return_name`` for every quarter from ``since`` to ``until``."""

    sender_code: str
    return_name: Literal["child", "adopter", "support"]
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: Literal["sourced", "unverified", "proposed"]
    source: Words

    def in_force(self, quarter: Quarter) -> bool:
        return _in_force(self.since, self.until, quarter)


# --- indicators and policies -----------------------------------------------


class Benchmark(Declared):
    """``value`` in the indicator's own unit, in force from ``since`` to ``until``."""

    value: float
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    nation_code: str
    status: PublicStatus
    source: Words


class WorkedExample(Declared):
    """A few invented children or households and the answer a reader works out by hand."""

    quarter: QuarterLabel
    rows: tuple[dict[str, Any], ...]
    numerator: float
    denominator: float | None = None
    value: float | None
    why: str


class Indicator(Declared):
    """A row of the catalogue: numerator measure over denominator measure.

    ``unit`` fixes the multiplier: ``percent`` 100, ``months`` 12/365.25 on days,
    everything else 1.
    """

    id: IndicatorId
    headline: bool = False
    title: Text
    definition: Text
    nations: tuple[Literal["W92000004", "E92000001"], ...]
    subject: Literal["child", "adopter", "support"]
    numerator: str
    denominator: str | None = None
    timing: Literal["flow", "stock"]
    clock_start: str | None = None
    clock_stop: str | None = None
    unit: Literal[
        *("percent", "months", "days", "children", "households", "families", "people", "requests"),
        *("assessments", "plans", "arrangements", "exchanges"),
    ]
    direction: Literal["higher", "lower", "context"]
    windows: tuple[Literal["quarter", "year_to_date", "rolling_4", "rolling_12"], ...]
    rounding: int = 1  # decimal places of the published value
    benchmarks: tuple[Benchmark, ...] = ()
    status: PublicStatus
    status_note: Text
    sources: tuple[str, ...]
    reviewed_on: date
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    example: WorkedExample

    @model_validator(mode="after")
    def _consistent(self) -> Indicator:
        if self.unit in ("percent", "months", "days") and self.denominator is None:
            raise ValueError(f"a value in {self.unit} needs a denominator")
        return self

    @property
    def multiplier(self) -> float:
        return {"percent": 100.0, "months": 12 / 365.25}.get(self.unit, 1.0)


class Category(Declared):
    """One part of a breakdown."""

    code: Words
    en: Words
    cy: Words


class Breakdown(Declared):
    """What figures of ``subject`` are broken down by; ``all`` for the total.

    Its parts are the codes of ``code_list``, where one is named, then ``categories``.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    subject: Literal["child", "adopter", "all"]
    title: Text
    definition: Text
    code_list: str | None = None
    categories: tuple[Category, ...] = ()
    status: PublicStatus
    source: Words


class Breakdowns(Declared):
    breakdowns: tuple[Breakdown, ...]


class NotComputed(Declared):
    """An indicator known by name that no return here can give honestly, and why."""

    indicator_id: IndicatorId
    nation_code: str
    title_en: Words
    title_cy: Words
    reason_en: Words
    reason_cy: Words
    status: PublicStatus
    source: OptionalText = None
    reviewed_on: Annotated[date, BeforeValidator(_iso_day)]


class BreakInSeries(Declared):
    """Figures from ``since`` on are not comparable with those of earlier quarters.

    It concerns every listed indicator in every listed place; ``*`` alone is every one.
    """

    break_id: IndicatorId
    kind: Literal["definition", "recording", "membership"]
    indicator_ids: Scope
    place_codes: Scope
    since: QuarterLabel
    title_en: Words
    title_cy: Words
    explanation_en: Words
    explanation_cy: Words
    status: Literal["sourced", "unverified", "proposed"]
    source: Words

    @model_validator(mode="after")
    def _says_where(self) -> BreakInSeries:
        for scope in (self.indicator_ids, self.place_codes):
            if EVERY in scope and len(scope) > 1:
                raise ValueError("* already means every one and stands alone")
        if self.indicator_ids == self.place_codes == (EVERY,):
            raise ValueError("a break of every indicator in every place tells nobody anything")
        if self.kind == "membership" and self.place_codes == (EVERY,):
            raise ValueError("a change of membership names the places whose members changed")
        return self


class WarningLimit(Declared):
    """A limit that a waiting child should not pass, by the indicator that counts who has.

    Without ``months`` the limit is the indicator's dated benchmark. It is passed on the day after
    it, or on that very day, as the definition says "over" or "or more".
    """

    indicator_id: IndicatorId
    clock_start: Literal[
        *("entered_care", "should_be_placed_decision", "authority_to_place", "placement_order"),
        "register_referral",
    ]
    waits_for: Literal["match", "placement"]
    counts: Literal["everybody", "with_plan", "with_order"]
    months: Annotated[int | None, Field(gt=0), BeforeValidator(_blank_is_none)]
    passed: Literal["day_after", "very_day"]
    status: PublicStatus
    source: Words


class RuleLimit(Declared):
    """A number that rules of the returns compare with, such as how many rows are a jump."""

    limit: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    value: float = Field(ge=0)
    title_en: Words
    title_cy: Words
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus
    source: Words

    def in_force(self, quarter: Quarter) -> bool:
        return _in_force(self.since, self.until, quarter)


class Ssda903Rule(Declared):
    """A rule of the English looked-after children return, and what became of it here.

    ``our_rules`` names the rules that carry it over: ``CH206``, or for the rule that a field's
    declaration implies ``DATE:child.matched_on``. Where there are none, the reason says why.
    """

    rule_no: str = Field(pattern=r"^(INT)?[0-9]+$")
    text_en: Words
    text_cy: Words
    our_rules: Annotated[tuple[str, ...], BeforeValidator(str.split)]
    reason_en: OptionalText
    reason_cy: OptionalText
    status: Literal["active in 2026-27", "deleted from 2024-25"]
    source: Words

    @model_validator(mode="after")
    def _rule_or_reason(self) -> Ssda903Rule:
        reasons = [reason for reason in (self.reason_en, self.reason_cy) if reason]
        if len(reasons) != (0 if self.our_rules else 2):
            raise ValueError("name our rules, or the reason in both languages why there is none")
        return self


class Calendar(Declared):
    """When the returns of quarters from ``since`` to ``until`` are due."""

    days_after_quarter_end: int
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus
    note: Text

    def in_force(self, quarter: Quarter) -> bool:
        return _in_force(self.since, self.until, quarter)


class RefusalPolicy(Declared):
    """A return is refused when more rows have errors than both limits allow."""

    tolerated_error_rows: int
    tolerated_error_percent: float
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus
    note: Text

    def in_force(self, quarter: Quarter) -> bool:
        return _in_force(self.since, self.until, quarter)


class TolerancePolicy(Declared):
    """For how many quarters, the first included, a query may be tolerated before it is asked again.

    Of quarters from ``since`` to ``until``.
    """

    most_quarters: Annotated[int, Field(ge=1, le=20)]
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus
    note: Text

    def in_force(self, quarter: Quarter) -> bool:
        return _in_force(self.since, self.until, quarter)


Duty = Literal["tolerate", "sign_off", "accept", "withdraw", "lock", "revise", "release"]


class Role(Declared):
    """Somebody who decides, by what they are: the ledger keeps roles, never names."""

    role: str = Field(pattern=r"^[a-z][a-z_]*$")
    title: Text
    side: Literal["sender", "national_team"]
    may: tuple[Duty, ...]
    status: PublicStatus


# What a reminder's text may name: the sender, the quarter, its deadline, whole days to or since
# it, the titles of the returns, and how many queries wait for an answer.
REMINDER_PLACES = ("place", "quarter", "deadline", "days", "returns", "queries")


class Reminder(Declared):
    """A text to senders, ``days_from_deadline`` days after the deadline; before it if negative.

    Who gets it: ``return`` those whose return is not in, ``queries`` those with open queries or
    rows set aside, ``sign_off`` those who still have to sign off.
    """

    about: Literal["return", "queries", "sign_off"]
    days_from_deadline: int
    subject: Text
    text: Text
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus

    @model_validator(mode="after")
    def _can_be_filled_in(self) -> Reminder:
        for words in (self.subject.en, self.subject.cy, self.text.en, self.text.cy):
            try:
                named = {name for _, name, _, _ in Formatter().parse(words) if name is not None}
            except ValueError as error:
                raise ValueError(f"a reminder has a brace that is not closed: {error}") from error
            if unknown := sorted(named - set(REMINDER_PLACES)):
                raise ValueError(f"a reminder cannot name {{{unknown[0]}}}")
        return self

    def in_force(self, quarter: Quarter) -> bool:
        return _in_force(self.since, self.until, quarter)


class ReleasePolicy(Declared):
    """What a release of a quarter is made of, and whether it may be made with open returns.

    A return is open until the national team has accepted it: it is missing, or has rows set aside
    or queries that nobody answered, or is not signed off. ``told``: the release lists them.
    """

    forms: tuple[Literal["statswales", "open_data"], ...]
    open_returns: Literal["told", "refused"]
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus
    note: Text

    def in_force(self, quarter: Quarter) -> bool:
        return _in_force(self.since, self.until, quarter)


class Policy(Declared):
    """What one national body asks for; what changes has an entry for each time it changed."""

    body: str
    nation_code: str
    title: Text
    calendar: tuple[Calendar, ...]
    refusal: tuple[RefusalPolicy, ...]
    tolerance: tuple[TolerancePolicy, ...] = ()
    release: tuple[ReleasePolicy, ...] = ()
    roles: tuple[Role, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    export_label: Text

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> Policy:
        roles = [role.role for role in self.roles]
        if len(set(roles)) < len(roles):
            raise ValueError("a role is declared twice")
        for position, one in enumerate(self.reminders):
            for other in self.reminders[:position]:
                same = (one.about, one.days_from_deadline) == (
                    *(other.about, other.days_from_deadline),
                )
                if same and _lives_meet(one, other):
                    raise ValueError("two reminders about the same go out on the same day")
        return self

    @model_validator(mode="after")
    def _one_at_a_time(self) -> Policy:
        for name in ("calendar", "refusal", "tolerance", "release"):
            entries = getattr(self, name)
            if not entries and name not in ("tolerance", "release"):
                raise ValueError(f"{name} has no entry")
            starts = sorted(entry.since.index if entry.since else -1 for entry in entries)
            for entry in entries:
                following = [i for i in starts if i > (entry.since.index if entry.since else -1)]
                if len(set(starts)) < len(starts) or (
                    following and (entry.until is None or entry.until.index >= following[0])
                ):
                    raise ValueError(f"two entries of {name} are in force in one quarter")
        return self

    def deadline(self, quarter: Quarter) -> date:
        """Last day on which a return for ``quarter`` is in time."""
        return quarter.last_day + timedelta(
            days=self._of(self.calendar, quarter, "calendar").days_after_quarter_end
        )

    def refusal_for(self, quarter: Quarter) -> RefusalPolicy:
        return self._of(self.refusal, quarter, "refusal")

    def last_quarter_tolerated(self, quarter: Quarter) -> Quarter:
        """The last quarter to which an answer given for ``quarter`` may be carried."""
        return quarter.plus(self._of(self.tolerance, quarter, "tolerance").most_quarters - 1)

    def release_for(self, quarter: Quarter) -> ReleasePolicy:
        return self._of(self.release, quarter, "release")

    def reminders_for(self, quarter: Quarter) -> tuple[Reminder, ...]:
        return tuple(one for one in self.reminders if one.in_force(quarter))

    def _of(self, entries: tuple[Any, ...], quarter: Quarter, name: str) -> Any:
        for entry in entries:
            if entry.in_force(quarter):
                return entry
        raise DeclarationError(f"policy of {self.body}: no entry of {name} covers {quarter}")


# --- loading ---------------------------------------------------------------


def _in_force(since: Quarter | None, until: Quarter | None, quarter: Quarter) -> bool:
    return (since is None or since <= quarter) and (until is None or quarter <= until)


def _read_text(path: Path) -> str:
    """The file as text. A byte order mark is dropped: Excel puts one before the first heading."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DeclarationError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise DeclarationError(f"{path}: not saved as UTF-8") from error


# libyaml, where it was compiled in: all of sources/ in 0.05 CPU s, in plain Python 0.45.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _read_yaml(path: Path, model: type[Declared]) -> Any:
    text = _read_text(path)
    try:
        return model.model_validate(yaml.load(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        raise DeclarationError(f"{path}: not readable as YAML: {error}") from error
    except ValidationError as error:
        raise DeclarationError(f"{path}: {_places(error)}") from error


def _read_csv(path: Path, model: type[Declared]) -> tuple[Any, ...]:
    """Rows in the order of the file. Every column must be there, even one that may stay blank:
    a lost ``until`` column would otherwise bring every ended membership back to life."""
    reader = csv.DictReader(io.StringIO(_read_text(path), newline=""))
    missing = [name for name in model.model_fields if name not in (reader.fieldnames or ())]
    if missing:
        raise DeclarationError(f"{path}, line 1: missing column {', '.join(missing)}")
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise DeclarationError(
                f"{path}, line {reader.line_num}: {len(reader.fieldnames or ())} columns are "
                "declared, this line has more or fewer (a comma inside a text needs quotes)"
            )
        try:
            rows.append(model.model_validate(row))
        except ValidationError as error:
            raise DeclarationError(f"{path}, line {reader.line_num}: {_places(error)}") from error
    return tuple(rows)


def _places(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in detail['loc']) or 'whole entry'}: {detail['msg']}"
        for detail in error.errors()
    )


class Declarations:
    """Everything in ``sources/``, loaded when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def returns(self) -> dict[str, Return]:
        """``child``, ``adopter``, ``support``, in that order."""
        found = {
            name: _read_yaml(self.folder / "returns" / f"{name}.yaml", Return)
            for name in ("child", "adopter", "support")
        }
        for declared in found.values():
            for field in declared.fields:
                if field.code_list and field.code_list not in self.code_lists:
                    raise DeclarationError(
                        f"{declared.name}.{field.name}: no code list called {field.code_list}"
                    )
        return found

    @cached_property
    def cover(self) -> Cover:
        return _read_yaml(self.folder / "returns" / "cover.yaml", Cover)

    @cached_property
    def code_lists(self) -> dict[str, tuple[Code, ...]]:
        found = {}
        for path in sorted((self.folder / "code_lists").glob("*.csv")):
            codes = _read_csv(path, Code)
            _no_duplicates((code.code for code in codes), f"code_lists/{path.name}")
            found[path.stem] = codes
        return found

    @cached_property
    def spellings(self) -> dict[str, tuple[Spelling, ...]]:
        """Other spellings of codes by code list; none for a list that has no file."""
        found: dict[str, tuple[Spelling, ...]] = dict.fromkeys(self.code_lists, ())
        for path in sorted((self.folder / "spellings").glob("*.csv")):
            where = f"spellings/{path.name}"
            if path.stem not in self.code_lists:
                raise DeclarationError(f"{where}: no code list called {path.stem}")
            rows = _read_csv(path, Spelling)
            _no_duplicates((row.spelling.casefold() for row in rows), where)
            codes = {code.code for code in self.code_lists[path.stem]}
            for row in rows:
                if row.code not in codes:
                    raise DeclarationError(f"{where}: {row.spelling}: no code {row.code}")
            found[path.stem] = rows
        return found

    def codes(self, code_list: str, quarter: Quarter) -> tuple[str, ...]:
        return tuple(code.code for code in self.code_lists[code_list] if code.in_force(quarter))

    @cached_property
    def places(self) -> dict[str, Place]:
        rows = _read_csv(self.folder / "places" / "agencies.csv", Place)
        _no_duplicates((row.place_code for row in rows), "places/agencies.csv")
        nations = {row.place_code for row in rows if row.kind == "nation"}
        for row in rows:
            if row.nation_code not in nations:
                raise DeclarationError(
                    f"places/agencies.csv: {row.place_code}: {row.nation_code} is no nation there"
                )
        return {row.place_code: row for row in rows}

    @cached_property
    def memberships(self) -> tuple[Membership, ...]:
        rows = _read_csv(self.folder / "places" / "memberships.csv", Membership)
        for row in rows:
            for code in (row.member_code, row.parent_code):
                if code not in self.places:
                    raise DeclarationError(f"places/memberships.csv: {code} is not in agencies.csv")
        _no_overlaps(
            rows,
            lambda row: f"{row.member_code} as {row.role} of {row.parent_code}",
            "places/memberships.csv",
        )
        return rows

    @cached_property
    def returns_due(self) -> tuple[ReturnDue, ...]:
        rows = _read_csv(self.folder / "places" / "returns_due.csv", ReturnDue)
        for row in rows:
            if row.sender_code not in self.places:
                raise DeclarationError(
                    f"places/returns_due.csv: {row.sender_code} is not in agencies.csv"
                )
        _no_overlaps(
            rows, lambda row: f"{row.sender_code} {row.return_name}", "places/returns_due.csv"
        )
        return rows

    def due_from(self, sender_code: str, quarter: Quarter) -> tuple[str, ...]:
        """Names of the returns ``sender_code`` owes for ``quarter``."""
        return tuple(
            due.return_name
            for due in self.returns_due
            if due.sender_code == sender_code and due.in_force(quarter)
        )

    @cached_property
    def senders(self) -> tuple[str, ...]:
        """Place codes of everybody who owes any return, in the order declared."""
        return tuple(dict.fromkeys(due.sender_code for due in self.returns_due))

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        rows = [
            _read_yaml(path, Indicator)
            for path in sorted((self.folder / "indicators").glob("*.yaml"))
        ]
        _no_duplicates((row.id for row in rows), "indicators/")
        return {row.id: row for row in rows}

    @cached_property
    def breakdowns(self) -> dict[str, Breakdown]:
        """Breakdowns by id, in the order declared, each with all its categories."""
        where = "breakdowns.yaml"
        declared = _read_yaml(self.folder / where, Breakdowns).breakdowns
        _no_duplicates((breakdown.id for breakdown in declared), where)
        found = {breakdown.id: self._with_codes(breakdown, where) for breakdown in declared}
        for breakdown in found.values():
            codes = [category.code for category in breakdown.categories]
            _no_duplicates((f"{breakdown.id}.{code}" for code in codes), where)
            # Without it the parts would not add up to the total.
            if breakdown.subject != "all" and "unknown" not in codes:
                raise DeclarationError(f"{where}: {breakdown.id}: no category called unknown")
        return found

    def _with_codes(self, breakdown: Breakdown, where: str) -> Breakdown:
        if breakdown.code_list is None:
            return breakdown
        if breakdown.code_list not in self.code_lists:
            raise DeclarationError(
                f"{where}: {breakdown.id}: no code list called {breakdown.code_list}"
            )
        codes = tuple(
            Category(code=code.code, en=code.label_en, cy=code.label_cy)
            for code in self.code_lists[breakdown.code_list]
        )
        return breakdown.model_copy(update={"categories": codes + breakdown.categories})

    @cached_property
    def not_computed(self) -> dict[str, NotComputed]:
        """Indicators the catalogue knows and does not compute, by id."""
        where = "indicators_not_computed.csv"
        rows = _read_csv(self.folder / where, NotComputed)
        _no_duplicates((row.indicator_id for row in rows), where)
        for row in rows:
            if row.indicator_id in self.indicators:
                raise DeclarationError(f"{where}: {row.indicator_id} is computed: indicators/")
            self._check_nation(row.nation_code, f"{where}: {row.indicator_id}")
        return {row.indicator_id: row for row in rows}

    @cached_property
    def breaks_in_series(self) -> tuple[BreakInSeries, ...]:
        where = "breaks_in_series.csv"
        rows = _read_csv(self.folder / where, BreakInSeries)
        _no_duplicates((row.break_id for row in rows), where)
        for row in rows:
            for names, known, kind in (
                (row.indicator_ids, self.indicators, "indicator"),
                (row.place_codes, self.places, "place"),
            ):
                _no_duplicates(names, f"{where}: {row.break_id}")
                for name in names:
                    if name != EVERY and name not in known:
                        raise DeclarationError(f"{where}: {row.break_id}: no {kind} called {name}")
        return rows

    @cached_property
    def rule_limits(self) -> tuple[RuleLimit, ...]:
        where = "rule_limits.csv"
        rows = _read_csv(self.folder / where, RuleLimit)
        _no_overlaps(rows, lambda row: row.limit, where)
        return rows

    def rule_limit(self, limit: str, quarter: Quarter) -> RuleLimit:
        """The limit of that name in force. Raises KeyError where there is none."""
        for row in self.rule_limits:
            if row.limit == limit and row.in_force(quarter):
                return row
        raise KeyError(limit)

    @cached_property
    def ssda903_rules(self) -> dict[str, Ssda903Rule]:
        """Published adoption rules of SSDA903 by number, as listed."""
        where = "ssda903_rules.csv"
        rows = _read_csv(self.folder / where, Ssda903Rule)
        _no_duplicates((row.rule_no for row in rows), where)
        return {row.rule_no: row for row in rows}

    @cached_property
    def warning_limits(self) -> dict[str, WarningLimit]:
        """Limits of the early warning, by the indicator that counts who has passed them."""
        where = "warning_limits.csv"
        rows = _read_csv(self.folder / where, WarningLimit)
        _no_duplicates((row.indicator_id for row in rows), where)
        for row in rows:
            indicator = self.indicators.get(row.indicator_id)
            if indicator is None or indicator.subject != "child":
                raise DeclarationError(
                    f"{where}: no indicator on children called {row.indicator_id}"
                )
            if row.months is None and not indicator.benchmarks:
                raise DeclarationError(
                    f"{where}: {row.indicator_id} has no benchmark: say after how many months"
                )
        return {row.indicator_id: row for row in rows}

    def _check_nation(self, nation_code: str, where: str) -> None:
        place = self.places.get(nation_code)
        if place is None or place.kind != "nation":
            raise DeclarationError(f"{where}: {nation_code} is no nation in agencies.csv")

    @cached_property
    def policies(self) -> dict[str, Policy]:
        """Policy of each nation, by nation code."""
        rows = [
            _read_yaml(path, Policy) for path in sorted((self.folder / "policies").glob("*.yaml"))
        ]
        _no_duplicates((row.nation_code for row in rows), "policies/")
        return {row.nation_code: row for row in rows}

    def policy_for(self, sender_code: str) -> Policy:
        nation_code = self.places[sender_code].nation_code
        if nation_code not in self.policies:
            raise DeclarationError(f"policies/: none for {nation_code}, nation of {sender_code}")
        return self.policies[nation_code]


def _no_duplicates(keys: Iterable[str], where: str) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise DeclarationError(f"{where}: {key} is declared twice")
        seen.add(key)


def _no_overlaps(rows: Iterable[Any], key: Callable[[Any], str], where: str) -> None:
    """The same thing declared twice for the same day would be counted twice in a roll-up."""
    earlier: dict[str, list[Any]] = {}
    for row in rows:
        same = earlier.setdefault(key(row), [])
        if any(_lives_meet(row, other) for other in same):
            raise DeclarationError(f"{where}: {key(row)} is declared twice for the same time")
        same.append(row)


def _lives_meet(one: Any, other: Any) -> bool:
    return all(
        first.until is None or second.since is None or second.since <= first.until
        for first, second in ((one, other), (other, one))
    )
