"""Explaining a number: what it measures, which returns and cases are in it, and what is not.

Everything is read from the published warehouse; the case-level marts are opened only when cases
are asked for. The figure is added up a second time, from the returns behind it and from the
cases where they are asked for, and an explanation that does not come to the figure says so.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipelines.declarations import Declarations
from pipelines.explain.words import REASONS, reason_sentence
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.text.fuzzy_match import did_you_mean, plain_name
from pipelines.warehouse.published import WarehouseError, open_warehouse

if TYPE_CHECKING:
    import duckdb

Language = Literal["en", "cy"]
Basis = Literal["at_the_time", "today"]

CASE_FACTS = {
    "child": ("fct_child_measure", "child_pseudonym"),
    "adopter": ("fct_adopter_measure", "household_pseudonym"),
}


class NotExplained(Exception):
    """There is no such number; the message says what was asked wrongly and what would be right."""

    def __init__(self, argument: str, message: str) -> None:
        super().__init__(message)
        self.argument = argument


@dataclass(frozen=True)
class Definition:
    """What the indicator measures, in the language asked for."""

    indicator_id: str
    title: str
    definition: str
    subject: str
    timing: str
    unit: str
    multiplier: float
    rounding: int
    direction: str | None
    numerator: str
    denominator: str | None
    clock_start: str | None
    clock_stop: str | None
    definition_status: str
    status_note: str
    sources: list[str]
    reviewed_on: date | None

    @property
    def is_mean(self) -> bool:
        """A mean of days, whatever unit it is shown in."""
        return self.denominator is not None and self.unit in ("days", "months")


@dataclass(frozen=True)
class Fraction:
    """The figure as published. ``numerator`` and ``value`` are None when nothing was accepted."""

    numerator: int | None
    denominator: int | None
    value: float | None
    value_rounded: float | None
    benchmark: float | None
    benchmark_met: str | None
    returns_expected: int
    returns_accepted: int
    quarters_in_window: int
    quarters_covered: int
    is_complete: bool
    estimate: float | None
    estimate_method: str | None


@dataclass(frozen=True)
class ReturnBehind:
    """One return of the place and window, in the figure or not, and what it adds."""

    sender_code: str
    sender: str
    quarter: str
    status: str
    is_due: bool
    is_late: bool | None
    submission_id: str | None
    version: int | None
    received_at: datetime | None
    is_synthetic: bool | None
    rows_read: int | None
    rows_used: int | None
    rows_set_aside: int | None
    refused_deliveries: int
    numerator: int
    denominator: int

    @property
    def is_in_it(self) -> bool:
        return self.is_due and self.status in ("accepted", "nil")


@dataclass(frozen=True)
class LeftOut:
    """Children or households that are not where one may look for them, by reason."""

    reason: str
    cases: int
    sentence: str


@dataclass(frozen=True)
class SetAside:
    """Errors for which rows of one return were set aside; one row may have several."""

    sender: str
    quarter: str
    submission_id: str
    rows: int
    rules: dict[str, int]


@dataclass(frozen=True)
class Break:
    """A change after which figures cannot be compared with those before.

    It lies inside the window, so that the figure mixes what was before with what came after, or
    between the window and the one a year (for rolling_12, three years) before.
    """

    kind: str
    since: str
    title: str
    explanation: str
    status: str
    is_in_window: bool


@dataclass(frozen=True)
class Publication:
    """The same figure in one exported version."""

    version: int
    numerator: int | None
    denominator: int | None
    value: float | None
    is_same: bool
    arrived_since: list[str]


@dataclass(frozen=True)
class Case:
    """What one child or household adds: 1 or a number of days above, 0 or 1 below the line."""

    pseudonym: str
    sender_code: str
    sender: str
    quarter: str
    numerator: int
    denominator: int


@dataclass(frozen=True)
class CaseLeftOut:
    pseudonym: str
    sender_code: str
    sender: str
    quarter: str
    reason: str


@dataclass(frozen=True)
class Explanation:
    """Everything that is known about one number. ``cases`` is None when not asked for."""

    definition: Definition
    place_code: str
    place: str
    quarter: str
    window: str
    membership_basis: str
    language: str
    figure: Fraction
    quarters: list[str]
    returns: list[ReturnBehind]
    set_aside: list[SetAside]
    left_out: list[LeftOut]
    breaks: list[Break]
    publications: list[Publication]
    cases: list[Case] | None
    cases_left_out: list[CaseLeftOut] | None
    differences: list[str]

    @property
    def is_proved(self) -> bool:
        """Whether returns (and cases) add up to the figure."""
        return not self.differences

    @property
    def in_it(self) -> list[ReturnBehind]:
        return [one for one in self.returns if one.is_in_it]

    @property
    def not_in_it(self) -> list[ReturnBehind]:
        return [one for one in self.returns if not one.is_in_it]

    def as_json(self) -> str:
        content = {**asdict(self), "is_proved": self.is_proved}
        return json.dumps(content, indent=2, ensure_ascii=False, default=_as_text)


def explain(
    settings: Settings,
    declarations: Declarations,
    indicator: str,
    place: str,
    quarter: Quarter,
    window: str | None = None,
    basis: Basis = "at_the_time",
    language: Language = "en",
    with_cases: bool = False,
) -> Explanation:
    """Explain one total figure of ``marts.fct_indicator``.

    ``place`` is a code or a name in either language; ``window`` defaults to the quarter or, where
    the indicator has no quarterly figure, to its first window. Raises NotExplained when there is
    no such number and WarehouseError when the warehouse was not built by this version.
    """
    with open_warehouse(settings) as connection:
        asked = _Asked(connection, indicator, place, quarter, window, basis, language)
        definition = _definition(asked, declarations)
        figure = asked.figure()
        returns = _returns(asked)
        left_out, set_aside = _left_out(asked, definition), _set_aside(asked, returns)
        quarters = sorted({quarter for (quarter,) in asked.rows(_QUARTERS)})
        breaks = [Break(*row) for row in asked.rows(_BREAKS.replace("<language>", language))]
    cases, cases_left_out = None, None
    if with_cases and asked.subject in CASE_FACTS:
        cases, cases_left_out = _cases(settings, asked)
    return Explanation(
        definition=definition,
        place_code=asked.place_code,
        place=asked.place_name,
        quarter=quarter.label,
        window=asked.window,
        membership_basis=basis,
        language=language,
        figure=figure,
        quarters=quarters,
        returns=returns,
        set_aside=set_aside,
        left_out=left_out,
        breaks=breaks,
        publications=_publications(settings, asked, figure, returns),
        cases=cases,
        cases_left_out=cases_left_out,
        differences=_differences(definition, figure, returns, cases, left_out, cases_left_out),
    )


# --- what was asked ------------------------------------------------------------------------------


class _Asked:
    """The question in the warehouse's words: codes that exist and a figure that is there."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        indicator: str,
        place: str,
        quarter: Quarter,
        window: str | None,
        basis: Basis,
        language: Language,
    ) -> None:
        self.connection, self.quarter, self.basis = connection, quarter.label, basis
        self.language = language
        self._require_tables()
        self.indicator = self._find_indicator(indicator)
        self.subject: str = self.indicator["subject"]
        self.place_code, self.place_name, self._nation_code = self._find_place(place)
        self._require_quarter()
        self.window = self._find_window(window)

    @property
    def values(self) -> dict[str, Any]:
        """What the queries of this module may name."""
        return {
            "indicator": self.indicator["indicator_id"],
            "place": self.place_code,
            "quarter": self.quarter,
            "window": self.window,
            "basis": self.basis,
            "subject": self.subject,
            # A stock is what stood on the last day, however long the window.
            "span": "quarter" if self.indicator["timing"] == "stock" else self.window,
            "numerator": self.indicator["numerator"],
            "denominator": self.indicator["denominator"],
        }

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, _named(sql, self.values)).fetchall()

    def figure(self) -> Fraction:
        row = self.connection.execute(_FIGURE, _named(_FIGURE, self.values)).fetchone()
        if row is None and self._has_one_basis():
            raise NotExplained(
                "--basis",
                f"membership makes no difference to {self.place_name}: ask without --basis",
            )
        if row is None:
            raise NotExplained(
                "INDICATOR",
                f"{self.indicator['indicator_id']} has no figure for {self.place_name} in "
                f"{self.quarter} ({self.window}, membership {self.basis}): no {self.subject} "
                "return is due from it or its members, or the indicator did not apply yet",
            )
        return Fraction(*row)

    def _has_one_basis(self) -> bool:
        """Authorities and nations have no members that could change."""
        found = self.connection.execute(
            "select distinct membership_basis from marts.dim_place_sender where place_code = ?",
            [self.place_code],
        ).fetchall()
        return found != [] and (self.basis,) not in found

    def _require_tables(self) -> None:
        found = {
            (table, column)
            for table, column in self.connection.execute(
                "select table_name, column_name from information_schema.columns"
                " where table_schema = 'marts'"
            ).fetchall()
        }
        needed = {
            ("fct_indicator", "membership_basis"),
            ("fct_explanation", "reason"),
            ("fct_indicator_break", "is_in_window"),
            ("dim_indicator_not_computed", "reason_en"),
        }
        if not needed <= found:
            raise WarehouseError(
                "the published warehouse was built by an earlier version of this program: run "
                "`adoption build`"
            )

    def _find_indicator(self, wanted: str) -> dict[str, Any]:
        found = self.connection.execute("select * from marts.dim_indicator")
        names = [column[0] for column in found.description]
        known = {row[names.index("indicator_id")]: row for row in found.fetchall()}
        code = wanted.strip().upper()
        if code not in known:
            self._tell_what_is_not_computed(code)
            titles = [
                (identifier, row[names.index(f"title_{spoken}")])
                for identifier, row in known.items()
                for spoken in ("en", "cy")
            ]
            raise NotExplained(
                "INDICATOR",
                f"there is no indicator {wanted!r}{did_you_mean(wanted, titles)}; "
                "marts.dim_indicator lists them all",
            )
        return dict(zip(names, known[code], strict=True))

    def _tell_what_is_not_computed(self, code: str) -> None:
        found = self.connection.execute(
            f"select reason_{self.language} from marts.dim_indicator_not_computed"  # noqa: S608
            " where indicator_id = ?",
            [code],
        ).fetchone()
        if found:
            raise NotExplained("INDICATOR", f"{code} is not computed. {found[0]}")

    def _find_place(self, wanted: str) -> tuple[str, str, str]:
        rows = self.connection.execute(
            "select place_code, name_en, name_cy, nation_code from marts.dim_place"
        ).fetchall()
        said = plain_name(wanted)
        found = [row for row in rows if said in {plain_name(name) for name in row[:3]}]
        if not found:
            names = [(row[0], name) for row in rows for name in row[1:3]]
            raise NotExplained(
                "PLACE", f"there is no place {wanted!r}{did_you_mean(wanted, names)}"
            )
        if len(found) > 1:
            codes = ", ".join(f"{row[0]} ({row[1]})" for row in found)
            raise NotExplained("PLACE", f"{wanted!r} is more than one place: {codes}")
        code, english, welsh, nation = found[0]
        self._require_figures(code, english, nation)
        return code, welsh if self.language == "cy" else english, nation

    def _require_figures(self, code: str, name: str, nation: str) -> None:
        nations = self.connection.execute(
            "select distinct nation_code from marts.fct_indicator"
            " join marts.dim_place using (place_code) where indicator_id = ?",
            [self.indicator["indicator_id"]],
        ).fetchall()
        names = dict(
            self.connection.execute(
                "select place_code, name_en from marts.dim_place where kind = 'nation'"
            ).fetchall()
        )
        if nations and (nation,) not in nations:
            asked_in = " and ".join(names[n] for (n,) in nations)
            raise NotExplained(
                "PLACE",
                f"{self.indicator['indicator_id']} is an indicator of {asked_in}, and {name} is in "
                f"{names[nation]}",
            )
        if not self.connection.execute(
            "select 1 from marts.fct_indicator where place_code = ? limit 1", [code]
        ).fetchone():
            raise NotExplained(
                "PLACE",
                f"{name} has no figures of its own, since nobody returns for it as a whole; ask "
                f"for its nation, {names[nation]} ({nation}), or for a region or agency",
            )

    def _require_quarter(self) -> None:
        first, last = self.connection.execute(
            "select min(quarter), max(quarter) from marts.dim_quarter"
        ).fetchone() or (None, None)
        if first is None or not first <= self.quarter <= last:
            raise NotExplained(
                "QUARTER", f"the warehouse holds the quarters {first} to {last}, not {self.quarter}"
            )

    def _find_window(self, wanted: str | None) -> str:
        known = [
            name
            for (name,) in self.connection.execute(
                "select window_name from marts.fct_indicator where indicator_id = ?"
                " group by window_name order by min(quarters_in_window), max(quarters_in_window)",
                [self.indicator["indicator_id"]],
            ).fetchall()
        ]
        if wanted is None:
            return "quarter" if "quarter" in known or not known else known[0]
        if wanted not in known:
            raise NotExplained(
                "--window",
                f"{self.indicator['indicator_id']} has no window {wanted!r}; it is given for "
                f"{', '.join(known) or 'no window yet'}",
            )
        return wanted


# --- queries: docs/explain-a-number.md gives the same for analysts -------------------------------

_FIGURE = """
    select
        numerator, denominator, value, value_rounded, benchmark, benchmark_met,
        returns_expected, returns_accepted, quarters_in_window, quarters_covered, is_complete,
        estimate, estimate_method
    from marts.fct_indicator
    where indicator_id = $indicator and place_code = $place and quarter = $quarter
      and window_name = $window and membership_basis = $basis and breakdown = 'total'
"""

_QUARTERS = """
    select covered_quarter from marts.dim_window where window_name = $span and quarter = $quarter
"""

_BREAKS = """
    select distinct
        declared.kind, declared.since, declared.title_<language>, declared.explanation_<language>,
        declared.status, touching.is_in_window
    from marts.fct_indicator_break as touching
    join marts.dim_break_in_series as declared using (break_id)
    where touching.indicator_id = $indicator and touching.place_code = $place
      and touching.quarter = $quarter and touching.window_name = $window
      and touching.membership_basis = $basis
    order by declared.since, 3
"""

# Whose returns of which quarters make up the figure. Every query below begins with it.
_BEHIND = """
    with behind as (
        select tree.sender_code, tree.quarter
        from marts.dim_window as span
        join marts.dim_place_sender as tree on tree.quarter = span.covered_quarter
        where span.window_name = $span and span.quarter = $quarter
          and tree.place_code = $place and tree.membership_basis = $basis
    )
"""

_RETURNS = f"""
    {_BEHIND}
    select
        behind.sender_code, sender.name_en, sender.name_cy, behind.quarter, returned.status,
        returned.is_due, returned.is_late, returned.submission_id, submission.version,
        returned.received_at, submission.is_synthetic, returned.rows_read, returned.rows_accepted,
        returned.rows_quarantined, returned.refused_deliveries,
        coalesce(above.amount, 0) as numerator, coalesce(below.amount, 0) as denominator
    from behind
    join marts.fct_return as returned using (sender_code, quarter)
    join marts.dim_place as sender on sender.place_code = behind.sender_code
    left join marts.fct_submission as submission
        on submission.submission_id = returned.submission_id
    left join marts.fct_return_measure as above
        on above.sender_code = behind.sender_code and above.quarter = behind.quarter
        and above.return_name = returned.return_name and above.measure = $numerator
    left join marts.fct_return_measure as below
        on below.sender_code = behind.sender_code and below.quarter = behind.quarter
        and below.return_name = returned.return_name and below.measure = $denominator
    where returned.return_name = $subject
    order by sender.name_en, behind.quarter
"""  # noqa: S608 - put together from constants

_LEFT_OUT = f"""
    {_BEHIND}
    select reason, sum(cases)
    from behind join marts.fct_explanation using (sender_code, quarter)
    where indicator_id = $indicator
    group by reason
"""  # noqa: S608 - put together from constants

_RULES = f"""
    {_BEHIND}
    select submission_id, code, sum(problems)
    from behind join marts.fct_problem as problem using (sender_code, quarter)
    where problem.is_in_force and problem.severity = 'error' and problem.return_name = $subject
    group by submission_id, code
    order by submission_id, code
"""  # noqa: S608 - put together from constants

_CASES = f"""
    {_BEHIND}
    select
        measured.<pseudonym>, behind.sender_code, sender.<name>, behind.quarter,
        coalesce(sum(amount) filter (measure = $numerator), 0) as numerator,
        coalesce(sum(amount) filter (measure = $denominator), 0) as denominator
    from behind
    join marts.fct_return as returned
        on returned.sender_code = behind.sender_code and returned.quarter = behind.quarter
        and returned.return_name = $subject and returned.is_due
    join restricted.marts.<fact> as measured
        on measured.sender_code = behind.sender_code and measured.quarter = behind.quarter
        and measured.measure in ($numerator, $denominator)
    join marts.dim_place as sender on sender.place_code = behind.sender_code
    group by all
    order by numerator desc, 3, 4, 1
"""  # noqa: S608 - put together from constants

_CASES_LEFT_OUT = f"""
    {_BEHIND}
    select case_pseudonym, behind.sender_code, sender.<name>, behind.quarter, reason
    from behind
    join restricted.marts.fct_case_explanation using (sender_code, quarter)
    join marts.dim_place as sender on sender.place_code = behind.sender_code
    where indicator_id = $indicator
    order by reason, 3, 4, 1
"""  # noqa: S608 - put together from constants


def _named(sql: str, values: dict[str, Any]) -> dict[str, Any]:
    """Those of ``values`` that the query names: DuckDB takes no others."""
    return {name: values[name] for name in set(re.findall(r"\$(\w+)", sql))}


# --- finding -------------------------------------------------------------------------------------


def _definition(asked: _Asked, declarations: Declarations) -> Definition:
    row, spoken = asked.indicator, asked.language
    titles = {
        field.validated_name: getattr(field.title, spoken)
        for field in declarations.returns[asked.subject].fields
    }

    def in_words(clock: str | None) -> str | None:
        return clock and re.sub(r"\w+_on\b", lambda m: titles.get(m[0], m[0]), clock)

    return Definition(
        indicator_id=row["indicator_id"],
        title=row[f"title_{spoken}"],
        definition=row[f"definition_{spoken}"],
        clock_start=in_words(row["clock_start"]),
        clock_stop=in_words(row["clock_stop"]),
        status_note=row[f"status_note_{spoken}"] or "",
        sources=[source for source in (row["sources"] or "").split(" ; ") if source],
        **{
            name: row[name]
            for name in (
                *("subject", "timing", "unit", "multiplier", "rounding", "direction"),
                *("numerator", "denominator", "definition_status", "reviewed_on"),
            )
        },
    )


def _returns(asked: _Asked) -> list[ReturnBehind]:
    return [
        ReturnBehind(code, welsh if asked.language == "cy" else english, *rest)
        for code, english, welsh, *rest in asked.rows(_RETURNS)
    ]


def _left_out(asked: _Asked, definition: Definition) -> list[LeftOut]:
    found = {reason: int(cases) for reason, cases in asked.rows(_LEFT_OUT)}
    return [
        LeftOut(reason, found[reason], reason_sentence(definition, reason, asked.language))
        for reason in REASONS
        if reason in found
    ]


def _set_aside(asked: _Asked, returns: list[ReturnBehind]) -> list[SetAside]:
    rules: dict[str, dict[str, int]] = {}
    for submission_id, code, problems in asked.rows(_RULES):
        rules.setdefault(submission_id, {})[code] = int(problems)
    return [
        SetAside(
            one.sender,
            one.quarter,
            one.submission_id,
            one.rows_set_aside,
            rules.get(one.submission_id, {}),
        )
        for one in returns
        if one.submission_id and one.rows_set_aside
    ]


def _cases(settings: Settings, asked: _Asked) -> tuple[list[Case], list[CaseLeftOut]]:
    """The cases behind the figure, from both databases together."""
    if not settings.restricted.exists():
        raise WarehouseError(f"{settings.restricted} does not exist yet: run `adoption build`")
    fact, pseudonym = CASE_FACTS[asked.subject]
    words = {"<fact>": fact, "<pseudonym>": pseudonym, "<name>": f"name_{asked.language}"}
    with open_warehouse(settings) as connection:
        path = str(settings.restricted).replace("'", "''")
        # Within one process every connection to a file shares what is attached.
        connection.execute(f"attach if not exists '{path}' as restricted (read_only)")

        def rows(sql: str) -> list[tuple[Any, ...]]:
            for word, meant in words.items():
                sql = sql.replace(word, meant)
            return connection.execute(sql, _named(sql, asked.values)).fetchall()

        return (
            [
                Case(*who, int(numerator), int(denominator))
                for *who, numerator, denominator in rows(_CASES)
            ],
            [CaseLeftOut(*row) for row in rows(_CASES_LEFT_OUT)],
        )


# --- proving -------------------------------------------------------------------------------------


def _differences(
    definition: Definition,
    figure: Fraction,
    returns: list[ReturnBehind],
    cases: list[Case] | None,
    left_out: list[LeftOut],
    cases_left_out: list[CaseLeftOut] | None,
) -> list[str]:
    """Every way in which returns and cases do not come to the figure; empty when it is proved."""
    accepted = [one for one in returns if one.is_in_it]
    due = [one for one in returns if one.is_due]
    claims: list[tuple[str, Any, Any]] = [
        ("returns due", len(due), figure.returns_expected),
        ("returns accepted", len(accepted), figure.returns_accepted),
    ]
    sides = [("numerator", figure.numerator)]
    if definition.denominator:
        sides.append(("denominator", figure.denominator))
    for side, published in sides:
        summed = sum(getattr(one, side) for one in accepted)
        claims.append(
            (f"{side}, added up from the returns", summed if accepted else None, published)
        )
        if cases is not None:
            summed = sum(getattr(one, side) for one in cases)
            claims.append(
                (f"{side}, added up from the cases", summed if accepted else None, published)
            )
    if cases_left_out is not None:
        claims.append(
            ("cases left out", len(cases_left_out), sum(reason.cases for reason in left_out))
        )
    differences = [
        f"{what}: {found} and not {said}" for what, found, said in claims if found != said
    ]
    return differences + _value_differs(definition, figure)


def _value_differs(definition: Definition, figure: Fraction) -> list[str]:
    above, below = figure.numerator, figure.denominator if definition.denominator else 1
    divided = None if above is None or not below else definition.multiplier * above / below
    same = divided is figure.value is None or (
        divided is not None
        and figure.value is not None
        and math.isclose(divided, figure.value, rel_tol=1e-9, abs_tol=1e-12)
    )
    return [] if same else [f"value, divided again: {divided} and not {figure.value}"]


# --- against what was published ------------------------------------------------------------------


def _publications(
    settings: Settings, asked: _Asked, figure: Fraction, returns: list[ReturnBehind]
) -> list[Publication]:
    """The figure in every exported version of its quarter that has it, the latest first."""
    home = settings.exports / asked.quarter
    folders = sorted(
        (path for path in home.glob("*") if path.name.isdigit()), key=lambda path: -int(path.name)
    )
    now = (figure.numerator, figure.denominator, figure.value)
    found = []
    for folder in folders:
        published = _published(folder, asked)
        if published is not None:
            found.append(
                Publication(
                    int(folder.name),
                    *published,
                    is_same=_agree(published, now),
                    arrived_since=_arrived_since(folder, asked.quarter, returns),
                )
            )
    return found


def _published(folder: Path, asked: _Asked) -> tuple[Any, Any, Any] | None:
    import polars as pl

    frame = pl.scan_parquet(folder / "indicators.parquet")
    known = frame.collect_schema().names()
    wanted = {
        "indicator_id": asked.indicator["indicator_id"],
        "place_code": asked.place_code,
        "window_name": asked.window,
        "breakdown": "total",
    }
    # Without the column a version holds the membership at the time only.
    if "membership_basis" in known:
        wanted["membership_basis"] = asked.basis
    elif asked.basis != "at_the_time":
        return None
    rows = (
        frame.filter(*(pl.col(name) == value for name, value in wanted.items()))
        .select("numerator", "denominator", "value")
        .collect()
        .rows()
    )
    return rows[0] if len(rows) == 1 else None


def _arrived_since(folder: Path, quarter: str, returns: list[ReturnBehind]) -> list[str]:
    """Submissions of the quarter now in the figure that the version did not know."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    known = {one["submission_id"] for one in manifest["submissions"]}
    return [
        one.submission_id
        for one in returns
        if one.is_in_it and one.quarter == quarter and one.submission_id not in known
    ]


def _agree(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return all(
        a is b is None or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-12))
        for a, b in zip(one, other, strict=True)
    )


def _as_text(value: Any) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
