"""``adoption``: the same jobs as in Dagster, without its daemon, and a few questions answered."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from io import TextIOWrapper

import click

from pipelines.commands.check import check
from pipelines.commands.convert import convert
from pipelines.commands.deliveries import report, status
from pipelines.commands.doctor import doctor
from pipelines.commands.erase import erase
from pipelines.commands.explain import explain
from pipelines.commands.extract import dictionary, extract
from pipelines.commands.extras import ExtraMissing, require_warehouse
from pipelines.commands.jobs import build, publish, run_everything, take_in
from pipelines.commands.key import key
from pipelines.commands.locks import lock, revise, unlock
from pipelines.commands.pack import pack
from pipelines.commands.queries import queries, reopen, tolerate
from pipelines.commands.rebuild import rebuild
from pipelines.commands.release import compare_releases, release, releases
from pipelines.commands.retention import retention
from pipelines.commands.returns_due import due, reminders
from pipelines.commands.sample import sample_run
from pipelines.commands.service import prepare, ui
from pipelines.commands.sign_off import accept, confirm, sign_off, withdraw
from pipelines.commands.sql import sql
from pipelines.commands.template import template
from pipelines.commands.translations import translations
from pipelines.commands.try_rules import try_rules
from pipelines.commands.verification import history, verify
from pipelines.settings import Settings, make_private
from pipelines.system_errors import full_disk, in_words

# The commands as `adoption --help` shows them: in sections, in the order of the work.
SECTIONS: dict[str, list[click.Command]] = {
    "Before a return is sent": [template, convert, check],
    "Take in, build, publish": [take_in, build, publish, run_everything],
    "Returns and their reports": [status, report, due, reminders, history],
    "From query to lock": [
        queries,
        tolerate,
        reopen,
        confirm,
        sign_off,
        accept,
        withdraw,
        lock,
        unlock,
        revise,
    ],
    "Releases": [release, releases, compare_releases],
    "Figures": [explain, pack, sql, extract, dictionary],
    "The installation": [
        ui,
        sample_run,
        prepare,
        try_rules,
        doctor,
        verify,
        rebuild,
        key,
        erase,
        retention,
        translations,
    ],
}

# Names of version 0.1, still understood in the next one.
RENAMED = {
    "docs": "dictionary",
    "hand-out": "extract",
    "owed": "due",
    "rehearse": "try-rules",
    "verdict": "report",
}

# Commands that run Dagster and dbt: refused before they begin where these are not installed. Any
# other command that turns out to need a package of the extra says so by then.
NEED_WAREHOUSE = {
    "build",
    "dictionary",
    "doctor",
    "prepare",
    "publish",
    "rebuild",
    "release",
    "run",
    "sample-run",
    "take-in",
    "ui",
}

# Commands that are of use before anything has been received.
WITHOUT_DATA = {
    "check",
    "convert",
    "dictionary",
    "doctor",
    "key",
    "prepare",
    "sample-run",
    "take-in",
    "template",
    "translations",
    "ui",
}

# Errors whose message says what to do, by the module that defines them. Their modules are heavy:
# an error of one can only come once it is imported, so nothing is imported here to look.
EXPLAINED: dict[str, list[str]] = {
    "pipelines.commands.run": ["JobFailed"],
    "pipelines.commands.sample": ["SampleRefused"],
    "pipelines.declarations": ["DeclarationError"],
    "pipelines.intake.pseudonyms": ["KeyFileError"],
    "pipelines.lifecycle.decisions": ["NotAllowed"],
    "pipelines.lifecycle.free_text": ["NamesSomebody"],
    "pipelines.exclusive": ["Busy"],
    "pipelines.lifecycle.ledger": ["LedgerBusy", "LedgerError"],
    "pipelines.lifecycle.publication": ["FrozenFigures"],
    "pipelines.pack.places": ["PackError"],
    "pipelines.publishing.analyst_extract": ["AnalystExtractError"],
    "pipelines.publishing.dictionary": ["DictionaryError"],
    "pipelines.publishing.internal_files": ["ExportError"],
    "pipelines.release.content": ["ReleaseError"],
    "pipelines.text.catalogue": ["CatalogueError"],
    "pipelines.warehouse.published": ["WarehouseError"],
}


def is_explained(error: Exception) -> bool:
    """Whether the message of ``error`` is meant for whoever ran the command."""
    loaded = [(sys.modules[name], classes) for name, classes in EXPLAINED.items() if _is_in(name)]
    known = [getattr(module, name) for module, classes in loaded for name in classes]
    return isinstance(error, (OSError, *known))


def _is_in(module: str) -> bool:
    return module in sys.modules


class Program(click.Group):
    """Says what went wrong in one line, and ends with 1; a wrong call ends with 2."""

    def parse_args(self, ctx, args):
        """`adoption help check` is `adoption check --help`."""
        if args[:1] == ["help"]:
            args = [*args[1:], "--help"]
        return super().parse_args(ctx, args)

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except ModuleNotFoundError as error:
            top = (error.name or "").partition(".")[0]
            if top in ("", "pipelines", "expectations") or find_spec(top):
                raise
            raise ExtraMissing(f"adoption {ctx.invoked_subcommand}") from error
        except Exception as error:
            settings = Settings.from_environment()
            if isinstance(error, OSError):
                words = full_disk(error, settings) or in_words(error, settings)
            elif is_explained(error):
                words = str(error)
            elif (words := full_disk(error, settings)) is None:  # such as Dagster's own database
                raise
            click.secho(words, fg="red", err=True)
            ctx.exit(1)

    def get_command(self, ctx, cmd_name):
        """A command by its name, or by the one it had before, which is mentioned."""
        if cmd_name in RENAMED:
            new_name = RENAMED[cmd_name]
            if not ctx.resilient_parsing:  # a shell asks what Tab may offer
                click.echo(f"`adoption {cmd_name}` is now called `adoption {new_name}`.", err=True)
            cmd_name = new_name
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx, args):
        name, command, rest = super().resolve_command(ctx, args)
        asks_for_help = any(word in ctx.help_option_names for word in rest)
        if name in NEED_WAREHOUSE and not asks_for_help and not ctx.resilient_parsing:
            require_warehouse(f"adoption {name}")
        if name not in WITHOUT_DATA and not asks_for_help and not ctx.resilient_parsing:
            _say_a_missing_data_folder()
        return name, command, rest

    def format_commands(self, ctx, formatter):
        """In sections, in the order of the work, each with its whole first sentence."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(command.name, command.get_short_help_str(200)) for command in commands]
                )


def _say_a_missing_data_folder() -> None:
    """A mistyped folder looks like one in which nothing has been received."""
    folder = Settings.from_environment().data
    if "ADOPTION_DATA" in os.environ and not folder.exists():
        click.echo(f"ADOPTION_DATA names a folder that is not there: {folder}", err=True)


def _print_version(context: click.Context, parameter: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        click.echo(f"adoption {version('adoption')}")
        context.exit()


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Quarterly adoption returns: taken in, checked, turned into indicators, exported.

    \b
    ADOPTION_DATA sets the data folder, ADOPTION_KEY_FILE the file with the pseudonym key.
    Write a quarter as 2025-26-Q1 (April to June 2025).
    Write a place or a sender by its code or its name: Cardiff, "Ynys Môn", W06000015.

    \b
    adoption COMMAND --help    what a command does, with examples
    adoption sample-run        try everything on synthetic returns, in an empty ADOPTION_DATA
    """
    make_private()
    for stream in (sys.stdout, sys.stderr):  # a Windows code page has no ŵ, and ends the program
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


for commands in SECTIONS.values():
    for command in commands:
        main.add_command(command)


if __name__ == "__main__":
    main(prog_name="adoption")
