"""What people write after a command: quarters, places, indicators, files; and what Tab offers.

A shell starts the program anew at every Tab, so what is offered comes from file names and lines of
the declarations as they stand: reading and checking all of them takes five times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from pipelines.quarters import Quarter, quarters_between
from pipelines.settings import SOURCES, Settings

FIRST_OFFERED = Quarter(2018, 1)


class QuarterType(click.ParamType):
    """A quarter as people write it: 2025-26-Q1."""

    name = "quarter"

    def convert(self, value, param, ctx):
        if isinstance(value, Quarter):
            return value
        try:
            return Quarter.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx, param, incomplete):
        """Those that have begun, the newest first."""
        begun = quarters_between(FIRST_OFFERED, Quarter.containing(date.today()))
        labels = [quarter.label for quarter in begun]
        return [
            CompletionItem(choice) for choice in reversed(labels) if choice.startswith(incomplete)
        ]


class PlaceType(click.ParamType):
    """A place by its code or a name; becomes the code of the one place that is called so.

    Anything else stays as it is written: the command says what it knows.
    """

    name = "place"

    def convert(self, value, param, ctx):
        from pipelines.commands.declared import declared

        matching = declared().places_called(value)
        return matching[0].place_code if len(matching) == 1 else value

    def shell_complete(self, ctx, param, incomplete):
        return list(_places_like(incomplete))


class SenderType(PlaceType):
    """Who has to send a return, by code or by name in English or Welsh; becomes the code."""

    name = "sender"

    def convert(self, value, param, ctx):
        from pipelines.commands.declared import declared
        from pipelines.text.fuzzy_match import did_you_mean

        declarations = declared()
        senders = declarations.senders
        matching = [
            place.place_code
            for place in declarations.places_called(value)
            if place.place_code in senders
        ]
        if len(matching) == 1:
            return matching[0]
        if matching:
            self.fail(
                f"{value!r} could be any of several senders: {', '.join(matching)}", param, ctx
            )
        names = [(code, name) for code in senders for name in declarations.names_of(code)[1:]]
        self.fail(f"there is no sender called {value}{did_you_mean(value, names)}", param, ctx)

    def shell_complete(self, ctx, param, incomplete):
        senders = [place for place in _places() if "returns_due" in place]
        return list(_places_like(incomplete, senders))


class NationType(click.ParamType):
    """A nation by its code or its name in English or Welsh; becomes its code."""

    name = "nation"

    def convert(self, value, param, ctx):
        from pipelines.commands.declared import declared

        declarations = declared()
        nations = [place for place in declarations.places.values() if place.kind == "nation"]
        for place in declarations.places_called(value):
            if place in nations:
                return place.place_code
        names = ", ".join(place.name_en for place in nations)
        self.fail(f"{value!r} is not a nation: there are {names}", param, ctx)

    def shell_complete(self, ctx, param, incomplete):
        said = incomplete.casefold()
        names = [place["name"]["en"] for place in _places() if place["kind"] == "nation"]
        return [CompletionItem(name) for name in names if name.casefold().startswith(said)]


class IndicatorType(click.ParamType):
    """An indicator by its id, which is the name of its file."""

    name = "indicator"

    def shell_complete(self, ctx, param, incomplete):
        known = sorted(path.stem for path in (SOURCES / "indicators").glob("*.yaml"))
        return [CompletionItem(choice) for choice in known if choice.startswith(incomplete.upper())]


RECEIVED = '"received"'  # the event of the ledger's lines that give an id


class SubmissionId(click.ParamType):
    """A submission's id, as `adoption status` lists it, or as much of its beginning as is enough.

    What begins none stays as it is written: the command says that there is none.
    """

    name = "submission_id"

    def convert(self, value, param, ctx):
        known = _submission_ids()
        if value in known:
            return value
        beginning = [each for each in known if value and each.startswith(value)]
        if len(beginning) > 1:
            self.fail(f"{value} begins several: {', '.join(beginning[-3:])}", param, ctx)
        return beginning[0] if beginning else value

    def shell_complete(self, ctx, param, incomplete):
        """Ids with the file's name are not offered: it may name a child."""
        ids = _submission_ids()
        return [CompletionItem(choice) for choice in reversed(ids) if choice.startswith(incomplete)]


class RoleType(click.ParamType):
    """A role, as declared in sources/policies; the decision checks what it allows."""

    name = "role"

    def shell_complete(self, ctx, param, incomplete):
        roles: dict[str, None] = {}
        for path in sorted((SOURCES / "policies").glob("*.yaml")):
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith("- role: "):
                    roles[line.removeprefix("- role: ").strip()] = None
        return [CompletionItem(choice) for choice in roles if choice.startswith(incomplete)]


class Body(click.ParamType):
    """A national body by its code; the command looks it up."""

    name = "body"

    def shell_complete(self, ctx, param, incomplete):
        bodies = []
        for path in sorted((SOURCES / "policies").glob("*.yaml")):
            first = path.read_text(encoding="utf-8").splitlines()[0]
            bodies.append(first.removeprefix("body:").strip())
        return [
            CompletionItem(choice) for choice in bodies if choice.startswith(incomplete.upper())
        ]


class DayType(click.ParamType):
    """A day as people write it: 2025-07-31."""

    name = "day"

    def convert(self, value, param, ctx):
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2025-07-31", param, ctx)


def _submission_ids() -> list[str]:
    """As they came. The ledger is read and not checked, since Tab starts the program anew."""
    ledger = Settings.from_environment().ledger
    if not ledger.exists():
        return []
    with ledger.open(encoding="utf-8", errors="replace") as lines:
        received = [re.search(r'"submission_id": ?"([^"]+)"', x) for x in lines if RECEIVED in x]
    return list(dict.fromkeys(found[1] for found in received if found))


class NewFile(click.Path):
    """A file to write, which is not there yet, or may be replaced since ``--force`` was given.

    A filled return stood at the end of a command once, and was gone.
    """

    def __init__(self, dir_okay: bool = False) -> None:
        super().__init__(path_type=Path, dir_okay=dir_okay)

    def convert(self, value, param, ctx):
        target = Path(str(super().convert(value, param, ctx)))
        # A folder may hold more than was ever written by us.
        if target.is_dir() or (target.exists() and not (ctx and ctx.meta.get(REPLACE))):
            self.fail(
                f"{target} is there already: choose another name"
                + ("" if target.is_dir() else ", or add --force to replace it"),
                param,
                ctx,
            )
        return target


REPLACE = "pipelines.commands.replace"  # key under which a command's context keeps --force
force_option = click.option(
    "--force",
    is_flag=True,
    is_eager=True,  # it decides what the other parameters may be
    expose_value=False,
    callback=lambda context, _, value: context.meta.__setitem__(REPLACE, value),
    help="Replace a file that is there already.",
)


def _places() -> Iterator[dict[str, Any]]:
    """Entries of places as written: checking them would make a shell wait while completing."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted((SOURCES / "places").glob("*.yaml")):
        yield from yaml.load(path.read_text(encoding="utf-8"), Loader=loader)["places"]


def _places_like(
    incomplete: str, among: Iterable[dict[str, Any]] | None = None
) -> Iterator[CompletionItem]:
    """Places whose code or name begins so: the name where it is one word, else the code.

    A shell takes a blank for the end of the word.
    """
    said = incomplete.casefold()
    for place in _places() if among is None else among:
        code, names = place["place_code"], (place["name"]["en"], place["name"]["cy"])
        by_name = [name for name in names if said and name.casefold().startswith(said)]
        if code.casefold().startswith(said):
            yield CompletionItem(code, help=names[0])
        elif by_name and " " not in by_name[0]:
            yield CompletionItem(by_name[0], help=code)
        elif by_name:
            yield CompletionItem(code, help=names[0])


QUARTER, PLACE, SENDER, NATION = QuarterType(), PlaceType(), SenderType(), NationType()
INDICATOR, SUBMISSION, ROLE, DAY = IndicatorType(), SubmissionId(), RoleType(), DayType()
BODY = Body()
NEW_FILE, NEW_FILE_OR_FOLDER = NewFile(), NewFile(dir_okay=True)
EXISTING_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
