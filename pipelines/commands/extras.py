"""Commands that need more than the base install, and what is said where it is not there."""

from __future__ import annotations

from importlib.util import find_spec

import click

# Without them `adoption check` and `template` install in a third of the space.
WAREHOUSE_MODULES = ("dagster", "dbt", "great_expectations")


class ExtraMissing(click.ClickException):
    """A command needs packages that were not installed; a wrong call, so it ends with 2."""

    exit_code = 2

    def __init__(self, call: str) -> None:
        super().__init__(
            f"`{call}` needs packages that are not installed: pip install 'adoption[warehouse]'"
        )


def require_warehouse(call: str) -> None:
    """Raises ExtraMissing where the jobs, dbt or Great Expectations are not installed."""
    if not all(find_spec(module) for module in WAREHOUSE_MODULES):
        raise ExtraMissing(call)
