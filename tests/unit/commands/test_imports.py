"""What each command imports: a framework that it does not need costs its user seconds at each call.

Importing Dagster with dbt takes 3.4 CPU seconds, Great Expectations 5.5, polars 0.2; `adoption`
itself takes 0.2 (measured in November 2026).
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import CHECKOUT, Settings
from tests.unit.lifecycle_story import Story

FRAMEWORKS = {
    *("altair", "dagster", "dagster_dbt", "dbt", "duckdb", "great_expectations", "numpy"),
    *("pandas", "polars", "pyarrow", "scipy", "sqlglot", "vl_convert", "xlsxwriter"),
}
LOADED = "print('LOADED', *{name.partition('.')[0] for name in sys.modules})"


def _loaded(program: str, *arguments: str) -> set[str]:
    """The frameworks that a program has imported when it ends."""
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}\n{LOADED}", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return FRAMEWORKS.intersection(run.stdout.rpartition("LOADED ")[2].split())


@pytest.mark.parametrize(
    ("call", "needed"),
    [
        ("status", set()),
        ("due", set()),
        ("reminders", set()),
        ("queries", set()),
        ("history Gwynedd 2025-26-Q1", set()),
        ("template return.xlsx", {"xlsxwriter"}),
        ("key check", set()),
    ],
)
def test_a_command_imports_what_it_needs_and_no_more(
    settings: Settings, declarations: Declarations, call: str, needed: set[str]
) -> None:
    story = Story(declarations)
    story.send(queries={"child": {"CH400": 3}})
    Ledger(settings.ledger).append(*story.events)
    words = [str(settings.data / word) if "." in word else word for word in call.split()]
    main = (
        "from pipelines.cli import main\n"
        "main(sys.argv[1:], prog_name='adoption', standalone_mode=False)"
    )
    assert _loaded(main, *words) == needed


def test_the_code_location_imports_dagster_and_dbt_and_no_more() -> None:
    """Every process of Dagster does so: the web server, the daemon, each run."""
    allowed = {"dagster", "dagster_dbt", "dbt", "sqlglot"}
    assert _loaded("import pipelines.definitions") <= allowed
