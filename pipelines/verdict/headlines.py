"""What one return gives for the headline indicators, by the warehouse's own definitions.

The measures are the dbt models of ``pipelines.warehouse.measures.MODELS``, rendered here with the
project's own macros and run by DuckDB in memory over the rows of one return, and the fields of the
support return: dbt takes 3.4 CPU s to start, this 0.2 to be done. No measure is repeated in Python;
a model that asks for more of dbt than is offered here is not guessed at (:class:`NoHeadlines`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.declarations import Declarations, Indicator
from pipelines.quarters import Quarter
from pipelines.settings import DBT_PROJECT
from pipelines.warehouse.measures import MODELS

if TYPE_CHECKING:
    import duckdb

_SQL_TYPES: dict[type[pl.DataType], str] = {
    pl.String: "VARCHAR",
    pl.Date: "DATE",
    pl.Int64: "BIGINT",
}
_QUARTER_COLUMNS = {"quarter": "VARCHAR", "first_day": "DATE", "last_day": "DATE"}


class NoHeadlines(Exception):
    """The effect on headline indicators cannot be worked out here; the message names no value."""


@dataclass(frozen=True)
class VersionRows:
    """Rows of one version of a return: validated frames by name of the return, nil ones empty.

    A return that was not sent is not in ``frames``, and has no figures.
    """

    quarter: Quarter
    frames: Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class VersionFigure:
    """What a return adds to an indicator. ``value`` is None where the denominator is zero."""

    numerator: int
    denominator: int | None
    value: float | None


@dataclass(frozen=True)
class HeadlineFigures:
    """One headline indicator; ``figures`` by version, of those that have one."""

    indicator: Indicator
    figures: Mapping[str, VersionFigure]


def headlines(
    versions: Mapping[str, VersionRows], sender_code: str, declarations: Declarations
) -> list[HeadlineFigures]:
    """The headline indicators of the sender's nation, for each of ``versions`` by its name.

    Sums are of the quarter alone: longer windows and other senders are not in them. Raises
    NoHeadlines.
    """
    nation = declarations.places[sender_code].nation_code
    wanted = [
        indicator
        for indicator in declarations.indicators.values()
        if indicator.headline
        and nation in indicator.nations
        and any(_applies(indicator, rows) for rows in versions.values())
    ]
    figures: dict[str, dict[str, VersionFigure]] = {indicator.id: {} for indicator in wanted}
    for subject in declarations.returns:
        of_subject = [indicator for indicator in wanted if indicator.subject == subject]
        if of_subject:
            for version, indicator_id, *amounts in _measured(subject, of_subject, versions):
                if _applies(declarations.indicators[indicator_id], versions[version]):
                    figures[indicator_id][version] = VersionFigure(*amounts)
    # As everywhere: numbered indicators first, in their published order, then the project's own.
    wanted.sort(key=lambda indicator: not indicator.id[1:2].isdigit())
    return [HeadlineFigures(indicator, figures[indicator.id]) for indicator in wanted]


def _applies(indicator: Indicator, rows: VersionRows) -> bool:
    since, until = indicator.since, indicator.until
    return (
        indicator.subject in rows.frames
        and (since is None or since <= rows.quarter)
        and (until is None or rows.quarter <= until)
    )


def _measured(
    subject: str, indicators: Sequence[Indicator], versions: Mapping[str, VersionRows]
) -> list[tuple[Any, ...]]:
    """Version, indicator, numerator, denominator and rounded value, one row each."""
    import duckdb

    with_subject = {name: rows for name, rows in versions.items() if subject in rows.frames}
    settings: dict[str, str | float | list[str]] = {
        "python_enable_replacements": "false",  # looking for Python variables imports pandas, 0.6 s
        "enable_external_access": "false",
        "threads": "1",
    }
    try:
        with duckdb.connect(config=settings) as connection:
            _load(connection, subject, with_subject)
            return connection.execute(measures_sql(subject, indicators)).fetchall()
    except duckdb.Error as error:  # its own text may quote a row
        raise NoHeadlines(f"{subject}: {type(error).__name__}") from None


def _load(
    connection: duckdb.DuckDBPyConnection, subject: str, versions: Mapping[str, VersionRows]
) -> None:
    """The tables the models read. Each version passes for a sender of its own."""
    staged = pl.concat(
        [
            rows.frames[subject].with_columns(
                sender_code=pl.lit(name), quarter=pl.lit(rows.quarter.label)
            )
            for name, rows in versions.items()
        ]
    )
    types = {name: _SQL_TYPES[type(kind)] for name, kind in staged.schema.items()}
    _create(connection, f"stg_{subject}", staged, types)
    quarters = {rows.quarter for rows in versions.values()}
    days = pl.DataFrame(
        [(quarter.label, quarter.first_day, quarter.last_day) for quarter in sorted(quarters)],
        schema=list(_QUARTER_COLUMNS),
        orient="row",
    )
    _create(connection, "stg_quarter", days, _QUARTER_COLUMNS)
    names = pl.DataFrame(
        {"version": list(versions), "quarter": [rows.quarter.label for rows in versions.values()]}
    )
    _create(connection, "version", names, {"version": "VARCHAR", "quarter": "VARCHAR"})


def _create(
    connection: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame, types: dict[str, str]
) -> None:
    """A table of ``frame``, handed over as a literal: as a parameter it would import pandas."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    connection.execute(f'create table "{table}" ({columns})')
    if frame.height:
        structure = ", ".join(f'"{name}": "{kind}"' for name, kind in types.items())
        rows = frame.write_json().replace("'", "''")
        connection.execute(
            f'insert into "{table}" by name select unnest('
            f"from_json('{rows}'::json, '[{{{structure}}}]'), recursive := true)"
        )


# --- SQL, rendered from the dbt project --------------------------------------------------------


# A value is as the catalogue has it: multiplier x numerator / denominator.
_SUMS_OF_VERSIONS = """
with measured as (
    select
        version.version
        {%- for measure in measures %},
        cast(coalesce(sum(case_measure.{{ measure }}), 0) as bigint) as {{ measure }}
        {%- endfor %}
    from version
    left join (
        {{ model }}
    ) as case_measure
        on version.version = case_measure.sender_code
        and version.quarter = case_measure.quarter
    group by version.version
)
{% for indicator in indicators %}
{%- set numerator = 'measured.' ~ indicator.numerator -%}
{%- set denominator = 'measured.' ~ indicator.denominator if indicator.denominator else 'null' -%}
{%- set value = 'cast(' ~ indicator.multiplier ~ ' as double) * ' ~ numerator -%}
{%- if indicator.denominator -%}
    {%- set value = value ~ ' / nullif(' ~ denominator ~ ', 0)' -%}
{%- endif %}
select
    measured.version,
    '{{ indicator.id }}' as indicator_id,
    {{ numerator }} as numerator,
    cast({{ denominator }} as bigint) as denominator,
    {{ round_half_up('(' ~ value ~ ')', indicator.rounding) }} as value
from measured
{{ 'union all' if not loop.last }}
{%- endfor %}
"""


def measures_sql(subject: str, indicators: Sequence[Indicator]) -> str:
    """What is asked of the tables ``stg_<subject>``, ``stg_quarter`` and ``version``."""
    used = [indicator.numerator for indicator in indicators]
    used += [indicator.denominator for indicator in indicators if indicator.denominator]
    return _render(
        _SUMS_OF_VERSIONS,
        model=measured_cases(subject),
        measures=sorted(set(used)),
        indicators=indicators,
    )


def measured_cases(subject: str) -> str:
    """The rows of a return with all of its measures. Raises NoHeadlines."""
    if subject == "support":  # a count is the field of its name
        return "from stg_support"
    first, *others = (f"({model_sql(name)})" for name in MODELS[subject])
    joined = [f"join {other} using (sender_code, quarter, child_pseudonym)" for other in others]
    return " ".join(["from", first, *joined])


def model_sql(name: str) -> str:
    """The SQL of a dbt model of the measures, with plain table names. Raises NoHeadlines."""
    return _render(_read(DBT_PROJECT / "models" / "intermediate" / f"{name}.sql"))


class _CrossDatabase:
    """The functions that dbt's adapter spells for each engine, as it spells them for DuckDB."""

    @staticmethod
    def datediff(first: str, second: str, part: str) -> str:
        return f"(date_diff('{part}', {first}::timestamp, {second}::timestamp))"


def _render(text: str, **values: Any) -> str:
    import jinja2

    try:
        return _environment(DBT_PROJECT).from_string(text).render(**values).strip()
    except jinja2.TemplateError as error:
        raise NoHeadlines(f"the dbt project asks for more than is offered here: {error}") from error


@lru_cache(maxsize=2)
def _environment(project: Path) -> Any:
    """Knows the project's macros, and of dbt's own functions those that the measures use."""
    import jinja2

    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
    known: dict[str, Any] = {"ref": str, "dbt": _CrossDatabase, "config": lambda **_: ""}
    environment.globals.update(known)
    paths = sorted((project / "macros").glob("*.sql"))
    macros = environment.from_string("\n".join(_read(path) for path in paths)).module
    environment.globals.update(
        {name: macro for name, macro in vars(macros).items() if not name.startswith("_")}
    )
    return environment


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NoHeadlines(f"{path} is not there") from error
