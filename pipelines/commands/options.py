"""Options that several commands have, said and explained alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands.arguments import NATION, ROLE
from pipelines.commands.declared import declared
from pipelines.exclusive import WAIT_SECONDS
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.lifecycle.decisions import Decisions

FOLDER = click.Path(path_type=Path, file_okay=False)

role_option = click.option(
    "--role", type=ROLE, required=True, help="Your role, as declared in sources/policies."
)
nation_option = click.option(
    "--nation", "nation_code", type=NATION, required=True, help="Wales or England."
)
wait_for_others_option = click.option(
    "--wait-for-others",
    type=click.FloatRange(0, 86_400),
    default=WAIT_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait while another process builds, publishes or releases.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
language_option = click.option(
    "--language", type=click.Choice(["en", "cy"]), default="en", show_default=True
)
return_option = click.option(
    "--return",
    "return_name",
    type=click.Choice(["child", "adopter", "support", "file"]),
    default="child",
    show_default=True,
    help="The return the query is about; file for a query about the whole file.",
)


def because_option(reason: str) -> Callable[[Any], Any]:
    """``--because``, required; ``reason`` is its help, which reminds people to name no child."""
    return click.option(
        "--because", "reason", required=True, help=f"{reason}. Do not name a child."
    )


def local_today() -> date:
    """The day where the returns are from, which may not be the day in UTC."""
    from pipelines.lifecycle.days import local_day

    return local_day(datetime.now(UTC))


def open_decisions() -> Decisions:
    """What people may decide about returns, on this installation's ledger."""
    from pipelines.lifecycle.decisions import Decisions

    return Decisions(Settings.from_environment(), declared())
