"""The page for data officers says what is declared."""

from __future__ import annotations

import pytest

from pipelines.declarations import Declarations
from pipelines.settings import CHECKOUT

PAGE = CHECKOUT / "docs" / "bring-what-you-have.md"
COLUMNS = ("ssda903", "annex_a", "ssd", "csc_api")  # in the order of the tables


@pytest.mark.parametrize("return_name", ["child", "adopter"])
def test_the_table_of_fields_is_that_of_the_declarations(
    declarations: Declarations, return_name: str
) -> None:
    heading = {"child": "The return of children:", "adopter": "The return of adopters:"}
    after = PAGE.read_text(encoding="utf-8").split(heading[return_name])[1]
    lines = after.split("\n\n")[1].splitlines()[2:]
    table = {
        cells[0].strip("`"): cells[1:]
        for line in lines
        for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
    }
    extracts = [declarations.extracts[name] for name in COLUMNS]
    for field in declarations.returns[return_name].fields:
        expected = [
            ""
            if field.name not in extract.fields("child" if return_name == "child" else "adopter")
            else "derived"
            if return_name == "child" and field.name in {each.field for each in extract.derived}
            else "column"
            for extract in extracts
        ]
        assert table.get(field.name, ["", "", "", ""]) == expected, field.name
    assert set(declarations.extracts) == set(COLUMNS)
