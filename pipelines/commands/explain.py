"""``adoption explain``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pipelines.commands.arguments import INDICATOR, PLACE, QUARTER
from pipelines.commands.declared import declared
from pipelines.quarters import Quarter
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.explain.model import Basis
    from pipelines.text.catalogue import Language


@click.command()
@click.argument("indicator", type=INDICATOR)
@click.argument("place", type=PLACE)
@click.argument("quarter", type=QUARTER)
@click.option("--window", help="quarter, year_to_date, rolling_4 …; default: quarter.")
@click.option(
    "--basis",
    type=click.Choice(["at_the_time", "today"]),
    default="at_the_time",
    show_default=True,
    help="Which membership of regions and agencies to use.",
)
@click.option("--children", is_flag=True, help="List the cases, from the restricted database.")
@click.option("--language", type=click.Choice(["en", "cy"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(
    indicator: str,
    place: str,
    quarter: Quarter,
    window: str | None,
    basis: Basis,
    children: bool,
    language: Language,
    as_json: bool,
) -> None:
    """Explain one figure: what it measures, what it includes and leaves out, how it changed.

    INDICATOR is an ID such as W05. PLACE is a code or a name, in English or Welsh. The exit code is
    1 when the returns, or the children, do not add up to the figure.

    \b
    adoption explain W05 Wales 2020-21-Q4
    adoption explain W09 VVC 2020-21-Q4 --window rolling_4
    adoption explain W11C_SIX_MONTHS "Ynys Môn" 2020-21-Q4 --children
    adoption sql "select indicator_id, title_en from marts.dim_indicator"   all indicators
    """
    from pipelines.explain.explanation import explain
    from pipelines.explain.question import NotExplained
    from pipelines.explain.text_form import print_explanation, terminal

    settings = Settings.from_environment()
    declarations = declared()
    try:
        explained = explain(
            settings,
            declarations,
            indicator,
            place,
            quarter,
            window,
            basis,
            language,
            children,
        )
    except NotExplained as error:
        raise click.BadParameter(str(error), param_hint=error.argument) from error
    if as_json:
        click.echo(explained.as_json())
    else:
        print_explanation(explained, terminal(), children)
    sys.exit(0 if explained.is_proved else 1)
