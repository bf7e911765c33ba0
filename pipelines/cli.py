"""``adoption``: the same jobs as in Dagster, without its daemon, and a few questions answered."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import click

from pipelines.commands.analyst_extract import docs, hand_out
from pipelines.commands.check import check
from pipelines.commands.deliveries import status, verdict
from pipelines.commands.explain import explain
from pipelines.commands.jobs import build, publish, run_everything, take_in
from pipelines.commands.lifecycle import (
    accept,
    history,
    lock,
    owed,
    queries,
    reminders,
    reopen,
    revise,
    sign_off,
    tolerate,
    unlock,
    verify,
    withdraw,
)
from pipelines.commands.pack import pack
from pipelines.commands.rehearse import rehearse
from pipelines.commands.release import compare_releases, release, releases
from pipelines.commands.sample import sample_run
from pipelines.commands.service import prepare, ui
from pipelines.commands.sql import sql
from pipelines.commands.template import template
from pipelines.settings import make_private

# What `adoption --help` shows together; a command that is in none of these comes last.
SECTIONS = {
    "Before a return is sent": ("template", "check"),
    "Take in, build, publish": ("take-in", "build", "publish", "run"),
    "What came, and what was said of it": ("status", "verdict", "owed", "reminders", "history"),
    "From query to lock": (
        *("queries", "tolerate", "reopen", "sign-off", "accept", "withdraw"),
        *("lock", "unlock", "revise"),
    ),
    "Releases": ("release", "releases", "compare"),
    "Figures": ("explain", "pack", "sql", "hand-out", "docs"),
    "The installation": ("ui", "sample-run", "prepare", "rehearse", "verify"),
}


def _told_in_one_line() -> tuple[type[Exception], ...]:
    """Errors whose message says what to do. Looked up once one came: their modules are heavy."""
    from pipelines.commands.run import JobFailed
    from pipelines.commands.sample import SampleRefused
    from pipelines.declarations import DeclarationError
    from pipelines.intake.pseudonyms import KeyFileError
    from pipelines.lifecycle.decisions import NotAllowed
    from pipelines.lifecycle.free_text import NamesSomebody
    from pipelines.lifecycle.ledger import LedgerBusy, LedgerError
    from pipelines.lifecycle.publication import FrozenFigures
    from pipelines.pack.pages import PackError
    from pipelines.publishing.analyst_extract import HandOutError
    from pipelines.publishing.dictionary import DictionaryError
    from pipelines.publishing.internal_files import ExportError
    from pipelines.release.content import ReleaseError
    from pipelines.warehouse.published import WarehouseError

    return (
        *(DeclarationError, LedgerBusy, LedgerError, KeyFileError, WarehouseError),
        *(JobFailed, ExportError, SampleRefused, OSError, HandOutError, DictionaryError),
        *(NotAllowed, NamesSomebody, FrozenFigures, PackError, ReleaseError),
    )


class Program(click.Group):
    """Says what went wrong in one line, and ends with 1; a wrong call ends with 2."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except Exception as error:
            if not isinstance(error, _told_in_one_line()):
                raise
            click.secho(str(error), fg="red", err=True)
            ctx.exit(1)

    def format_commands(self, ctx, formatter):
        """In sections, in the order of the work, each with its whole first sentence."""
        listed = {name for names in SECTIONS.values() for name in names}
        others = tuple(name for name in self.list_commands(ctx) if name not in listed)
        for title, names in {**SECTIONS, "Others": others}.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            rows = [(name, found.get_short_help_str(200)) for name, found in commands if found]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Quarterly adoption returns: taken in, checked, turned into indicators, exported.

    \b
    Where things lie is set by ADOPTION_DATA (the rooms) and ADOPTION_KEY_FILE (the pseudonym key).
    A quarter is written 2025-26-Q1 for April to June 2025.
    A place or a sender is written as its code or its name: Cardiff, "Ynys Môn", W06000015.

    \b
    adoption COMMAND --help    what a command does, with examples
    adoption sample-run        try everything on synthetic returns, in an empty ADOPTION_DATA
    """
    make_private()
    for stream in (sys.stdout, sys.stderr):  # a Windows code page has no ŵ, and ends the program
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


for command in (
    *(sample_run, run_everything, take_in, build, publish),
    *(check, status, verdict, explain, pack, sql, template, rehearse),
    *(release, releases, compare_releases),
    *(prepare, ui, hand_out, docs),
):
    main.add_command(command)
for command in (
    *(owed, reminders, queries, tolerate, reopen, sign_off, accept, withdraw),
    *(lock, unlock, revise, verify, history),
):
    main.add_command(command)


if __name__ == "__main__":
    main(prog_name="adoption")
