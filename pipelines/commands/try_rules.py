"""``adoption try-rules``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.arguments import QUARTER
from pipelines.commands.extras import require_warehouse
from pipelines.commands.terminal import working
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES, Settings

if TYPE_CHECKING:
    from pipelines.intake.rule_trial import AffectedRows, RuleTrial
    from pipelines.lifecycle.ledger import Submission

SUBMISSIONS_SHOWN = 5  # of a rule, on the terminal; --json has them all


@click.command("try-rules")
@click.argument("quarters", nargs=-1, type=QUARTER)
@click.option(
    "--sources",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A changed copy of sources/: fields, codes, limits to be tried.",
)
@click.option(
    "--quick/--full",
    default=True,
    help="Full runs the same rules by Great Expectations. Quick is the default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every row.")
def try_rules(
    quarters: tuple[Quarter, ...], sources: Path | None, quick: bool, as_json: bool
) -> None:
    """Run the rules as they stand now over stored submissions of QUARTERS (default: of all).

    Shows who would newly fail and who would newly pass, by rule, and whose verdict would
    change. Nothing is written: no verdict changes.

    \b
    adoption try-rules 2020-21-Q4                    the rules of today
    adoption try-rules --sources ../changed-sources  rules you think of changing
    """
    from pipelines.declarations import Declarations
    from pipelines.intake.rule_trial import try_rules as run_trial

    if not quick:
        require_warehouse("adoption try-rules --full")
    settings = Settings.from_environment()
    declarations = Declarations(sources or SOURCES)
    with working("Running the rules again"):
        trial = run_trial(
            settings, declarations, quarters, engine="polars" if quick else "great_expectations"
        )
    if as_json:
        click.echo(json.dumps(trial.as_json(), indent=2, ensure_ascii=False))
        return
    _tell(trial)


def _tell(trial: RuleTrial) -> None:
    click.echo(
        f"Tried the rules on {trial.tried:,} submissions, quarters: {len(trial.quarters)}; "
        f"{trial.same_rules:,} had been validated by these same rules. Nothing was written."
    )
    if trial.crashed:
        click.secho(f"Rules crashed: {trial.crashed}. Nothing would be accepted.", fg="red")
    for line in (*_about_rules(trial), *_about_verdicts(trial)):
        click.echo(line)
    if not trial.rules and not trial.verdicts:
        click.echo("No return would newly fail or newly pass.")
    for words, several in (
        (
            "Only the verdict was compared, since the list of problems is no longer on disk",
            trial.counts_only,
        ),
        ("Left out, since their rows are no longer on disk", trial.not_on_disk),
    ):
        if several:
            click.echo(f"{words}: {', '.join(several)}")


def _about_rules(trial: RuleTrial) -> Iterator[str]:
    """Lines, since a table would cut the ids of submissions in 80 columns."""
    if trial.rules:
        yield "\nRules that would find other rows (rows before -> after)"
    for change in trial.rules:
        rule = change.rule
        field = rule.field or "the whole file"
        yield f"  {rule.code} {field}, {rule.severity}: {change.before:,} -> {change.after:,}"
        yield from _who("would newly fail", change.newly_failing)
        yield from _who("would newly pass", change.newly_passing)


def _who(words: str, several: tuple[AffectedRows, ...]) -> Iterator[str]:
    for example in several[:SUBMISSIONS_SHOWN]:
        count = len(example.rows)
        said = "" if example.rows == (0,) else f", {count:,} {'row' if count == 1 else 'rows'}"
        yield f"    {words}: {_whose(example.submission)}{said}"
    if len(several) > SUBMISSIONS_SHOWN:
        yield f"    {words}: {len(several) - SUBMISSIONS_SHOWN:,} more submissions (--json)"


def _about_verdicts(trial: RuleTrial) -> Iterator[str]:
    if trial.verdicts:
        yield "\nVerdicts that would change"
    for change in trial.verdicts:
        yield f"  {_whose(change.submission)}"
        because = f" ({', '.join(change.reasons)})" if change.reasons else ""
        yield f"    {change.before} -> {change.after}{because}"


def _whose(item: Submission) -> str:
    return f"{item.submission_id} ({item.sender_code}, {item.quarter})"
