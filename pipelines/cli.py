"""``adoption``: the same jobs as in Dagster, without its daemon, and a few questions answered."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import click

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
from pipelines.commands.sample import SampleRefused, sample_run
from pipelines.commands.service import prepare, ui
from pipelines.commands.sql import sql
from pipelines.commands.template import template
from pipelines.declarations import DeclarationError
from pipelines.intake.pseudonyms import KeyFileError
from pipelines.lifecycle.ledger import LedgerBusy, LedgerError
from pipelines.settings import make_private
from pipelines.warehouse import WarehouseError


class Program(click.Group):
    """Says what went wrong in one line, and ends with 1; a wrong call ends with 2."""

    def invoke(self, ctx):
        from pipelines.exports import ExportError
        from pipelines.lifecycle.decisions import NotAllowed
        from pipelines.lifecycle.free_text import NamesSomebody
        from pipelines.lifecycle.publication import FrozenFigures
        from pipelines.pack.pages import PackError
        from pipelines.release.content import ReleaseError
        from pipelines.run import JobFailed

        try:
            return super().invoke(ctx)
        except (
            *(DeclarationError, LedgerBusy, LedgerError, KeyFileError, WarehouseError),
            *(JobFailed, ExportError, SampleRefused, OSError),
            *(NotAllowed, NamesSomebody, FrozenFigures, PackError, ReleaseError),
        ) as error:
            click.secho(str(error), fg="red", err=True)
            ctx.exit(1)


@click.group(cls=Program)
def main() -> None:
    """Quarterly adoption returns: taken in, checked, turned into indicators, exported.

    \b
    Where things lie is set by ADOPTION_DATA (the rooms) and ADOPTION_KEY_FILE (the pseudonym key).
    A quarter is written 2025-26-Q1 for April to June 2025.
    """
    make_private()
    for stream in (sys.stdout, sys.stderr):  # a Windows code page has no ŵ, and ends the program
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


for command in (
    *(sample_run, run_everything, take_in, build, publish),
    *(check, status, verdict, explain, pack, sql, template, rehearse),
    *(release, releases, compare_releases),
    *(prepare, ui),
):
    main.add_command(command)
for command in (
    *(owed, reminders, queries, tolerate, reopen, sign_off, accept, withdraw),
    *(lock, unlock, revise, verify, history),
):
    main.add_command(command)


if __name__ == "__main__":
    main()
