"""One sample population and its rows for every test here; making them takes about two seconds."""

from __future__ import annotations

import pytest

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter, quarters_between
from pipelines.samples.population import Population, population, senders_due

FIRST, LAST = Quarter(2018, 1), Quarter(2020, 4)


@pytest.fixture(scope="session")
def people(declarations: Declarations) -> Population:
    return population(declarations, FIRST, LAST)


@pytest.fixture(scope="session")
def every_row(declarations: Declarations, people: Population):
    """Rows of all returns by (sender, quarter)."""
    return {
        (sender, quarter): people.rows(sender, quarter)
        for quarter in quarters_between(FIRST, LAST)
        for sender, _ in senders_due(declarations, quarter)
    }
