"""Declarations as tables: columns, types and descriptions come from the typed model.

A field that a model in ``pipelines/declarations`` gains is one more column of its table, with the
field's description; nothing here, in SQL or in dbt's property files lists it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import polars as pl

from pipelines.declarations import (
    Benchmark,
    Breakdown,
    BreakInSeries,
    Category,
    Code,
    Declarations,
    Declared,
    Indicator,
    Measure,
    Membership,
    NotComputed,
    Place,
    Return,
    ReturnDue,
    Text,
    WarningLimit,
)
from pipelines.quarters import Quarter

# Names of types as dbt's contracts write them.
POLARS_TYPES: dict[str, type[pl.DataType]] = {
    "string": pl.String,
    "bigint": pl.Int64,
    "double": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
}
_TYPES: dict[Any, str] = {
    str: "string",
    Quarter: "string",  # its label
    int: "bigint",
    float: "double",
    bool: "boolean",
    date: "date",
}
_RETURN_TYPES = {"string": "string", "date": "date", "integer": "bigint"}


@dataclass(frozen=True)
class Column:
    """A column of a declared table; ``data_type`` is one that DuckDB and Spark both know."""

    name: str
    data_type: str
    description: str


@dataclass(frozen=True)
class DeclaredTable:
    """Rows of ``columns``; a value that a row does not name is empty."""

    columns: Sequence[Column]
    rows: Iterable[Mapping[str, Any]]

    @property
    def frame(self) -> pl.DataFrame:
        schema = {column.name: POLARS_TYPES[column.data_type] for column in self.columns}
        return pl.DataFrame(list(self.rows), schema=schema, orient="row")


@dataclass(frozen=True)
class Layout:
    """How a model becomes columns: its fields in their order, but ``without`` some.

    ``named`` gives a column another name than its field has. A text in two languages is two
    columns, a list is one text.
    """

    model: type[Declared]
    named: Mapping[str, str] = field(default_factory=dict)
    without: Sequence[str] = ()

    def columns(self) -> list[Column]:
        """Raises TypeError for a field that has no description or no type of column."""
        columns = []
        for name, annotation, description in self._fields():
            if not description:
                raise TypeError(f"{self.model.__name__}.{name} has no description")
            column = self.named.get(name, name)
            if annotation is Text:
                sentence = description.removesuffix(".")
                columns.append(Column(f"{column}_en", "string", f"{sentence}, in English."))
                columns.append(Column(f"{column}_cy", "string", f"{sentence}, in Welsh."))
            else:
                columns.append(Column(column, self._data_type(name, annotation), description))
        return columns

    def row(self, declared: Declared) -> dict[str, Any]:
        """One entry by name of column."""
        row: dict[str, Any] = {}
        for name, _, _ in self._fields():
            column, value = self.named.get(name, name), getattr(declared, name)
            if isinstance(value, Text):
                row |= {f"{column}_en": value.en, f"{column}_cy": value.cy}
            elif isinstance(value, Quarter):
                row[column] = value.label
            elif isinstance(value, tuple):
                row[column] = " ; ".join(value)
            else:
                row[column] = value
        return row

    def _fields(self) -> Iterable[tuple[str, Any, str | None]]:
        own = self.model.__annotations__  # before what the class inherits, as since and until
        fields = self.model.model_fields
        for name in sorted(fields, key=lambda name: name not in own):
            declared = fields[name]
            if name not in self.without:
                yield name, _without_none(declared.annotation), declared.description
        for name, computed in self.model.model_computed_fields.items():
            if name not in self.without:
                yield name, _without_none(computed.return_type), computed.description

    def _data_type(self, name: str, annotation: Any) -> str:
        if get_origin(annotation) in (Literal, tuple):
            return "string"
        if annotation not in _TYPES:
            raise TypeError(f"{self.model.__name__}.{name}: no type of column for {annotation}")
        return _TYPES[annotation]


def _without_none(annotation: Any) -> Any:
    """``date | None`` is a date: any column may be empty."""
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (part for part in get_args(annotation) if part is not NoneType)
    return annotation


_INDICATOR_ID = Column("indicator_id", "string", "Identifier of the indicator; never reused.")


def declared_tables(
    declarations: Declarations, quarters: Sequence[Quarter]
) -> dict[str, DeclaredTable]:
    """Everything dbt reads of ``sources/``, by name of table, apart from the returns themselves."""
    indicators = declarations.indicators.values()
    return {
        "places": _table(Layout(Place), declarations.places.values()),
        "memberships": _table(Layout(Membership), declarations.memberships),
        "returns_due": _returns_due(declarations, quarters),
        "measures": _table(Layout(Measure, {"name": "measure"}), declarations.measures.values()),
        "indicators": _table(
            Layout(
                Indicator,
                {"id": "indicator_id", "headline": "is_headline", "status": "definition_status"},
                # Lists of their own: three tables below, and examples, which are for readers.
                without=("nations", "windows", "benchmarks", "example"),
            ),
            indicators,
        ),
        "indicator_nations": DeclaredTable(
            [_INDICATOR_ID, Column("nation_code", "string", "Nation that it is reported for.")],
            ({"indicator_id": i.id, "nation_code": n} for i in indicators for n in i.nations),
        ),
        "indicator_windows": DeclaredTable(
            [_INDICATOR_ID, Column("window_name", "string", "Window that it is reported for.")],
            ({"indicator_id": i.id, "window_name": w} for i in indicators for w in i.windows),
        ),
        "benchmarks": _benchmarks(declarations),
        "breakdowns": _breakdowns(declarations),
        "indicators_not_computed": _table(
            Layout(NotComputed, {"status": "definition_status"}),
            declarations.not_computed.values(),
        ),
        "breaks_in_series": _breaks_in_series(declarations),
        "warning_limits": _table(Layout(WarningLimit), declarations.warning_limits.values()),
        "code_lists": _code_lists(declarations),
        "fields_expected": _fields_expected(declarations),
    }


def columns_of_return(declared: Return) -> list[Column]:
    """Columns of a return in the validated room, described as the return describes its fields."""
    return [
        Column(field.validated_name, _RETURN_TYPES[field.validated_type], field.description.en)
        for field in declared.fields
    ]


def columns_as_table(columns: Mapping[str, Sequence[Column]]) -> DeclaredTable:
    """One row for each column of the tables in ``columns``: what dbt reads instead of lists."""
    return DeclaredTable(
        [
            Column("table_name", "string", "Table, or return."),
            Column("position", "bigint", "Place of the column in the table, from 1."),
            Column("column_name", "string", "Name of the column."),
            Column("data_type", "string", "Its type."),
            Column("description", "string", "What it holds."),
        ],
        (
            {
                "table_name": table,
                "position": position,
                "column_name": column.name,
                "data_type": column.data_type,
                "description": column.description,
            }
            for table, described in columns.items()
            for position, column in enumerate(described, 1)
        ),
    )


def _table(layout: Layout, entries: Iterable[Declared]) -> DeclaredTable:
    return DeclaredTable(layout.columns(), map(layout.row, entries))


def _returns_due(declarations: Declarations, quarters: Sequence[Quarter]) -> DeclaredTable:
    layout = Layout(ReturnDue, without=("since", "until", "status", "source"))
    return DeclaredTable(
        [*layout.columns(), Column("quarter", "string", "Quarter for which it is owed.")],
        (
            layout.row(due) | {"quarter": quarter.label}
            for due in declarations.returns_due
            for quarter in quarters
            if due.in_force(quarter)
        ),
    )


def _fields_expected(declarations: Declarations) -> DeclaredTable:
    return DeclaredTable(
        [
            Column("return_name", "string", "Return that the field is one of."),
            Column("field", "string", "Name of the field, as the return declares it."),
            Column("column_name", "string", "Name of its column from the validated room on."),
            Column(
                "expected_with",
                "string",
                "The column with which a blank is a gap; empty where it always is.",
            ),
        ],
        (
            {
                "return_name": declared.name,
                "field": field.name,
                "column_name": field.validated_name,
                "expected_with": None
                if field.expected_with == "always"
                else declared.field(field.expected_with).validated_name,
            }
            for declared in declarations.returns.values()
            for field in declared.fields
            if field.expected_with is not None
        ),
    )


def _benchmarks(declarations: Declarations) -> DeclaredTable:
    layout = Layout(Benchmark, {"value": "benchmark"})
    return DeclaredTable(
        [_INDICATOR_ID, *layout.columns()],
        (
            {"indicator_id": indicator.id} | layout.row(benchmark)
            for indicator in declarations.indicators.values()
            for benchmark in indicator.benchmarks
        ),
    )


def _breakdowns(declarations: Declarations) -> DeclaredTable:
    whole = Layout(Breakdown, {"id": "breakdown"}, without=("code_list", "categories"))
    part = Layout(Category, {"code": "breakdown_value", "en": "label_en", "cy": "label_cy"})
    position = Column("position", "bigint", "Place of the part in its breakdown, from 1.")
    return DeclaredTable(
        [*whole.columns(), position, *part.columns()],
        (
            whole.row(breakdown) | {"position": number} | part.row(category)
            for breakdown in declarations.breakdowns.values()
            for number, category in enumerate(breakdown.categories, 1)
        ),
    )


def _breaks_in_series(declarations: Declarations) -> DeclaredTable:
    layout = Layout(BreakInSeries, without=("indicator_ids", "place_codes"))
    concerned = [
        Column("indicator_id", "string", "The indicator concerned; * for every indicator."),
        Column("place_code", "string", "The place concerned; * for every place."),
    ]
    return DeclaredTable(
        [*layout.columns(), *concerned],
        (
            layout.row(declared) | {"indicator_id": indicator_id, "place_code": place_code}
            for declared in declarations.breaks_in_series
            for indicator_id in declared.indicator_ids
            for place_code in declared.place_codes
        ),
    )


def _code_lists(declarations: Declarations) -> DeclaredTable:
    layout = Layout(Code, without=("since", "until", "status", "source"))
    return DeclaredTable(
        [Column("code_list", "string", "Name of the list."), *layout.columns()],
        (
            {"code_list": name} | layout.row(code)
            for name, codes in declarations.code_lists.items()
            for code in codes
        ),
    )
