"""Explaining a figure: what it measures, which returns and cases are in it, and what is not.

Everything is read from the published warehouse; the case-level marts are opened only when cases
are asked for. The figure is added up a second time, from the returns behind it and from the
cases where they are asked for, and an explanation that does not come to the figure says so.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from pipelines.declarations import Declarations
from pipelines.explain.model import (
    Basis,
    BreakNearFigure,
    CaseCounted,
    CaseLeftOut,
    Explanation,
    ExportedFigure,
    FigureExplained,
    IndicatorDefinition,
    LeftOut,
    ReturnBehind,
    RowsSetAside,
)
from pipelines.explain.question import Question
from pipelines.explain.reasons import REASONS, reason_sentence
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.text.catalogue import Language, translations
from pipelines.warehouse.published import WarehouseError, open_warehouse

# The facts about cases of each return that has rows of cases, and the column that names a case.
_CASE_FACTS = {
    "child": ("fct_child_measure", "child_pseudonym"),
    "adopter": ("fct_adopter_measure", "household_pseudonym"),
}


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
    no such figure and WarehouseError when the warehouse was not built by this version.
    """
    with open_warehouse(settings) as connection:
        question = Question(connection, indicator, place, quarter, window, basis, language)
        definition = _definition(question, declarations)
        figure = question.figure()
        returns = _returns(question)
        left_out = _left_out(question, definition)
        set_aside = _set_aside(question, returns)
        quarters = sorted({quarter for (quarter,) in question.rows(_QUARTERS)})
        breaks = [
            BreakNearFigure(*row) for row in question.rows(_BREAKS.replace("<language>", language))
        ]
    cases, cases_left_out = None, None
    if with_cases and question.subject in _CASE_FACTS:
        cases, cases_left_out = _cases(settings, question)
    return Explanation(
        definition=definition,
        place_code=question.place_code,
        place=question.place_name,
        quarter=quarter.label,
        window=question.window,
        membership_basis=basis,
        language=language,
        figure=figure,
        quarters=quarters,
        returns=returns,
        set_aside=set_aside,
        left_out=left_out,
        breaks=breaks,
        publications=_exported_figures(settings, question, figure, returns),
        cases=cases,
        cases_left_out=cases_left_out,
        differences=_differences(
            definition, figure, returns, cases, left_out, cases_left_out, language
        ),
    )


# --- queries: docs/explain-a-number.md gives the same for analysts -------------------------------

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


# --- what is in the warehouse --------------------------------------------------------------------


def _definition(question: Question, declarations: Declarations) -> IndicatorDefinition:
    row, language = question.indicator, question.language
    titles = {
        field.validated_name: getattr(field.title, language)
        for field in declarations.returns[question.subject].fields
    }

    def in_words(clock: str | None) -> str | None:
        return clock and re.sub(r"\w+_on\b", lambda m: titles.get(m[0], m[0]), clock)

    def caption(measure: str) -> str:
        declared = declarations.measures.get(measure)
        return getattr(declared.caption, language) if declared else measure.replace("_", " ")

    return IndicatorDefinition(
        indicator_id=row["indicator_id"],
        title=row[f"title_{language}"],
        definition=row[f"definition_{language}"],
        subject=row["subject"],
        timing=row["timing"],
        unit=row["unit"],
        multiplier=row["multiplier"],
        rounding=row["rounding"],
        direction=row["direction"],
        numerator=row["numerator"],
        denominator=row["denominator"],
        numerator_caption=caption(row["numerator"]),
        denominator_caption=caption(row["denominator"]) if row["denominator"] else None,
        clock_start=in_words(row["clock_start"]),
        clock_stop=in_words(row["clock_stop"]),
        definition_status=row["definition_status"],
        status_note=row[f"status_note_{language}"] or "",
        sources=[source for source in (row["sources"] or "").split(" ; ") if source],
        reviewed_on=row["reviewed_on"],
    )


def _returns(question: Question) -> list[ReturnBehind]:
    return [
        ReturnBehind(code, welsh if question.language == "cy" else english, *rest)
        for code, english, welsh, *rest in question.rows(_RETURNS)
    ]


def _left_out(question: Question, definition: IndicatorDefinition) -> list[LeftOut]:
    cases = {reason: int(count) for reason, count in question.rows(_LEFT_OUT)}
    return [
        LeftOut(reason, cases[reason], reason_sentence(definition, reason, question.language))
        for reason in REASONS
        if reason in cases
    ]


def _set_aside(question: Question, returns: list[ReturnBehind]) -> list[RowsSetAside]:
    rules: dict[str, dict[str, int]] = {}
    for submission_id, code, problems in question.rows(_RULES):
        rules.setdefault(submission_id, {})[code] = int(problems)
    return [
        RowsSetAside(
            behind.sender,
            behind.quarter,
            behind.submission_id,
            behind.rows_set_aside,
            rules.get(behind.submission_id, {}),
        )
        for behind in returns
        if behind.submission_id and behind.rows_set_aside
    ]


def _cases(settings: Settings, question: Question) -> tuple[list[CaseCounted], list[CaseLeftOut]]:
    """The cases behind the figure, from both databases together."""
    if not settings.restricted.exists():
        raise WarehouseError(f"{settings.restricted} does not exist yet: run `adoption build`")
    fact, pseudonym = _CASE_FACTS[question.subject]
    names = {"<fact>": fact, "<pseudonym>": pseudonym, "<name>": f"name_{question.language}"}
    with open_warehouse(settings) as connection:
        path = str(settings.restricted).replace("'", "''")
        # Within one process every connection to a file shares what is attached.
        connection.execute(f"attach if not exists '{path}' as restricted (read_only)")

        def rows(sql: str) -> list[tuple[Any, ...]]:
            for placeholder, name in names.items():
                sql = sql.replace(placeholder, name)
            return question.rows(sql, connection)

        counted = [
            CaseCounted(*case, int(numerator), int(denominator))
            for *case, numerator, denominator in rows(_CASES)
        ]
        return counted, [CaseLeftOut(*row) for row in rows(_CASES_LEFT_OUT)]


# --- does it add up? -----------------------------------------------------------------------------


def _differences(
    definition: IndicatorDefinition,
    figure: FigureExplained,
    returns: list[ReturnBehind],
    cases: list[CaseCounted] | None,
    left_out: list[LeftOut],
    cases_left_out: list[CaseLeftOut] | None,
    language: Language,
) -> list[str]:
    """Every way in which returns and cases do not come to the figure; empty when it is proved."""
    _ = translations(language).gettext
    counted = [behind for behind in returns if behind.is_counted]
    due = [behind for behind in returns if behind.is_due]
    # What it should be, what it comes to when added up, what the warehouse says.
    comparisons: list[tuple[str, Any, Any]] = [
        (_("returns due"), len(due), figure.returns_expected),
        (_("returns accepted"), len(counted), figure.returns_accepted),
    ]
    sides = [("numerator", figure.numerator)]
    if definition.denominator:
        sides.append(("denominator", figure.denominator))
    labels = {
        ("numerator", "returns"): _("numerator, added up from the returns"),
        ("numerator", "cases"): _("numerator, added up from the cases"),
        ("denominator", "returns"): _("denominator, added up from the returns"),
        ("denominator", "cases"): _("denominator, added up from the cases"),
    }
    for side, published in sides:
        # A figure that no return was accepted for is unknown, not zero.
        total = sum(getattr(behind, side) for behind in counted) if counted else None
        comparisons.append((labels[side, "returns"], total, published))
        if cases is not None:
            total = sum(getattr(case, side) for case in cases) if counted else None
            comparisons.append((labels[side, "cases"], total, published))
    if cases_left_out is not None:
        expected = sum(reason.cases for reason in left_out)
        comparisons.append((_("cases left out"), len(cases_left_out), expected))
    divided = _divided_again(definition, figure)
    if not _is_close(divided, figure.value, rel_tol=1e-9, abs_tol=1e-12):
        comparisons.append((_("value, divided again"), divided, figure.value))
    sentence = _("{label}: {total}, not {published}")
    return [
        sentence.format(label=label, total=total, published=published)
        for label, total, published in comparisons
        if total != published
    ]


def _divided_again(definition: IndicatorDefinition, figure: FigureExplained) -> float | None:
    numerator = figure.numerator
    denominator = figure.denominator if definition.denominator else 1
    if numerator is None or not denominator:
        return None
    return definition.multiplier * numerator / denominator


def _is_close(value: Any, other: Any, rel_tol: float, abs_tol: float = 0.0) -> bool:
    if value is None or other is None:
        return value is other
    return math.isclose(value, other, rel_tol=rel_tol, abs_tol=abs_tol)


# --- compared with what was exported -------------------------------------------------------------


def _exported_figures(
    settings: Settings, question: Question, figure: FigureExplained, returns: list[ReturnBehind]
) -> list[ExportedFigure]:
    """The figure in every exported version of its quarter that has it, the latest first."""
    versions = sorted(
        (
            folder
            for folder in (settings.exports / question.quarter).glob("*")
            if folder.name.isdigit()
        ),
        key=lambda folder: -int(folder.name),
    )
    now = (figure.numerator, figure.denominator, figure.value)
    exported = []
    for folder in versions:
        then = _exported_figure(folder, question)
        if then is not None:
            exported.append(
                ExportedFigure(
                    int(folder.name),
                    *then,
                    is_same=all(
                        _is_close(before, after, rel_tol=1e-12)
                        for before, after in zip(then, now, strict=True)
                    ),
                    arrived_since=_arrived_since(folder, question.quarter, returns),
                )
            )
    return exported


def _exported_figure(folder: Path, question: Question) -> tuple[Any, Any, Any] | None:
    """Numerator, denominator and value of one version; None where it does not have the figure."""
    import polars as pl

    frame = pl.scan_parquet(folder / "indicators.parquet")
    columns = frame.collect_schema().names()
    wanted = {
        "indicator_id": question.indicator["indicator_id"],
        "place_code": question.place_code,
        "window_name": question.window,
        "breakdown": "total",
    }
    # Without the column a version holds the membership at the time only.
    if "membership_basis" in columns:
        wanted["membership_basis"] = question.basis
    elif question.basis != "at_the_time":
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
    known = {submission["submission_id"] for submission in manifest["submissions"]}
    return [
        behind.submission_id
        for behind in returns
        if behind.is_counted
        and behind.quarter == quarter
        and behind.submission_id is not None
        and behind.submission_id not in known
    ]
