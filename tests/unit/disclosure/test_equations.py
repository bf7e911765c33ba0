"""The equations that protection works with: places, parts of every breakdown, windows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from pipelines.disclosure.cells import KEY, Relations
from pipelines.disclosure.equations import build
from tests.unit.disclosure.tables_made import Q1, Tables, counted

REGIONS = {"nation": {"all": ("a", "b")}}


def _with_two_breakdowns() -> tuple[pl.DataFrame, Relations]:
    """Four children at a and five at b, by sex and by age."""
    by_sex = Tables(counted({"a": (1, 3), "b": (2, 3)}), REGIONS)
    by_age = replace(by_sex, breakdown="age")
    cells = pl.concat([by_sex.cells(Q1), by_age.cells(Q1)]).unique(KEY).sort(KEY)
    relations = by_sex.relations(Q1)
    breakdowns = pl.concat([relations.breakdowns, by_age.relations(Q1).breakdowns])
    return cells, replace(relations, breakdowns=breakdowns)


def test_every_breakdown_adds_up_to_its_total() -> None:
    cells, relations = _with_two_breakdowns()
    system = build(cells, relations, None)
    rows = abs(system.equal).toarray() > 0
    names = [system.name(number) for number in range(rows.shape[1])]
    breakdowns = [
        {word for number in np.flatnonzero(row) for word in ("sex", "age") if word in names[number]}
        for row in rows
    ]
    # Three places, each with one equation by sex and one by age; the others are of places alone.
    totals = [
        row
        for row in rows
        if any("sex" not in names[n] and "age" not in names[n] for n in np.flatnonzero(row))
    ]
    assert sum(words == {"sex"} for words in breakdowns) >= 3
    assert sum(words == {"age"} for words in breakdowns) >= 3
    assert len(totals) == 3 * 2 + 1  # and the nation's total is that of a and b
    assert np.allclose(system.equal @ system.value, 0)
