"""``adoption translations``."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.commands.options import json_option

if TYPE_CHECKING:
    from pipelines.text.review import Translation


@click.command()
@click.option("--list", "is_listed", is_flag=True, help="List each sentence that needs work.")
@click.option(
    "--update", is_flag=True, help="Bring the catalogues up to date with the code (developers)."
)
@json_option
def translations(is_listed: bool, update: bool, as_json: bool) -> None:
    """Show how much of the Welsh is missing, out of date or not reviewed, part by part.

    Ends with 1 when a sentence has no Welsh, is no longer used, or has other placeholders in Welsh
    than in English. Welsh that no translator has reviewed is counted, and is shown all the same.

    \b
    adoption translations
    adoption translations --list        each sentence, and the file it stands in
    adoption translations --update      after changing a sentence in the code
    """
    from pipelines.settings import IS_INSTALLED
    from pipelines.text import extraction
    from pipelines.text.review import STATES

    if update:
        if IS_INSTALLED:
            raise click.UsageError("--update is for a checkout of the code")
        for part in extraction.parts_of_the_program():
            extraction.update(part)
    findings = _everything()
    if as_json:
        click.echo(
            json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False)
        )
    elif is_listed:
        for finding in findings:
            if finding.state != "reviewed":
                click.echo(f"{finding.state:10}  {finding.place}  {finding.english!r}")
    if not as_json:
        width = max((len(finding.part) for finding in findings), default=0)
        click.echo("  ".join([" " * width, *(f"{state:>10}" for state in STATES)]))
        for part in dict.fromkeys(finding.part for finding in findings):
            counts = Counter(finding.state for finding in findings if finding.part == part)
            click.echo("  ".join([f"{part:{width}}", *(f"{counts[s]:10,}" for s in STATES)]))
    needs_work = any(finding.state in ("missing", "stale", "wrong") for finding in findings)
    click.get_current_context().exit(1 if needs_work else 0)


def _everything() -> list[Translation]:
    """The sentences of the code, then those that are declared."""
    from expectations.rules import RULES
    from pipelines.declarations.welsh import RULE_SENTENCES, declared_welsh
    from pipelines.settings import SOURCES
    from pipelines.text.extraction import parts_of_the_program
    from pipelines.text.review import Translation, translations_of

    of_the_code = [each for part in parts_of_the_program() for each in translations_of(part)]
    rules = [rule for rules in RULES.values() for rule in rules]
    sentences = ((rule.code, rule.sentence_en, rule.sentence_cy) for rule in rules)
    declared = [
        Translation(
            part="rules" if text.sentence.file == RULE_SENTENCES else "sources",
            place=f"{text.sentence.file} {text.sentence.place} {text.sentence.welsh_hash}",
            english=text.sentence.english,
            state=text.state,
        )
        for text in declared_welsh(SOURCES, sentences)
    ]
    return of_the_code + declared
