"""Tables of declarations follow the typed model: columns, types, descriptions and values."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from pydantic import Field

from pipelines.declarations import Declarations, Declared, Text
from pipelines.quarters import Quarter
from pipelines.warehouse.declared import Column, Layout, columns_of_return, declared_tables


class Example(Declared):
    id: str = Field(description="Identifier.")
    title: Text = Field(description="Title")
    since: Quarter | None = Field(None, description="First quarter.")
    reviewed_on: date = Field(description="Day of the review.")
    sources: tuple[str, ...] = Field((), description="Addresses.")
    rounding: int = Field(1, description="Decimal places.")


class Undescribed(Declared):
    id: str


class OfNoColumn(Declared):
    places: dict[str, str] = Field(description="Places.")


def test_a_field_is_a_column_with_its_type_and_description() -> None:
    columns = Layout(Example, {"id": "example_id"}, without=["rounding"]).columns()
    assert columns == [
        Column("example_id", "string", "Identifier."),
        Column("title_en", "string", "Title, in English."),
        Column("title_cy", "string", "Title, in Welsh."),
        Column("since", "string", "First quarter."),
        Column("reviewed_on", "date", "Day of the review."),
        Column("sources", "string", "Addresses."),
    ]


def test_an_entry_is_a_row_under_the_same_names() -> None:
    entry = Example(
        id="A",
        title=Text(en="One", cy="Un"),
        since=Quarter(2020, 3),
        reviewed_on=date(2026, 11, 22),
        sources=("https://a.example", "https://b.example"),
    )
    layout = Layout(Example, {"id": "example_id"})
    assert layout.row(entry) == {
        "example_id": "A",
        "title_en": "One",
        "title_cy": "Un",
        "since": "2020-21-Q3",
        "reviewed_on": date(2026, 11, 22),
        "sources": "https://a.example ; https://b.example",
        "rounding": 1,
    }
    assert [column.name for column in layout.columns()] == list(layout.row(entry))


def test_a_field_without_description_or_without_a_type_of_column_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Undescribed\.id has no description"):
        Layout(Undescribed).columns()
    with pytest.raises(TypeError, match=r"OfNoColumn\.places: no type of column"):
        Layout(OfNoColumn).columns()


def test_every_declared_table_can_be_written_and_no_description_is_blank(
    declarations: Declarations,
) -> None:
    for name, table in declared_tables(declarations, [Quarter(2020, 1)]).items():
        assert table.frame.height > 0, name
        assert pl.Null not in table.frame.schema.values(), name
        assert all(column.description.endswith(".") for column in table.columns), name


def test_fields_of_a_return_are_described_as_the_return_describes_them(
    declarations: Declarations,
) -> None:
    child = declarations.returns["child"]
    columns = {column.name: column for column in columns_of_return(child)}
    assert columns["matched_on"].data_type == "date"
    assert columns["matched_on"].description == child.field("matched_on").description.en
