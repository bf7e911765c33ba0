"""Every query of the cookbook runs on the sample, and finds something."""

from __future__ import annotations

import re

import duckdb
import pytest

from pipelines.settings import CHECKOUT

COOKBOOK = (CHECKOUT / "docs" / "sql-cookbook.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", COOKBOOK, flags=re.DOTALL)


@pytest.fixture(scope="module")
def connection(sample):
    with duckdb.connect(str(sample.settings.warehouse), read_only=True) as opened:
        opened.execute(f"attach '{sample.settings.restricted}' as restricted (read_only)")
        yield opened


def test_the_cookbook_has_queries() -> None:
    assert len(QUERIES) > 15


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.split("marts.")[1].split()[0])
def test_a_query_of_the_cookbook_finds_something(connection, query: str) -> None:
    assert connection.execute(query).fetchall()


def test_what_the_cookbook_says_of_parts_holds(connection) -> None:
    query = next(query for query in QUERIES if "'age_band'" in query)
    parts = connection.execute(query).fetchall()
    total = connection.execute(
        """
        select numerator from marts.fct_indicator
        where indicator_id = 'W05' and place_code = 'W92000004' and quarter = '2020-21-Q4'
            and window_name = 'rolling_4' and membership_basis = 'at_the_time'
        """
    ).fetchone()
    assert sum(children for _, children in parts) == total[0] > 0


def test_only_queries_marked_as_restricted_see_pseudonymous_tables() -> None:
    assert [q for q in QUERIES if "restricted." in q and not q.startswith("-- restricted")] == []
