"""What can be checked afterwards: ``adoption verify``, ``history``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from pipelines.commands.arguments import QUARTER, SENDER
from pipelines.commands.declared import declared
from pipelines.commands.options import json_option
from pipelines.commands.terminal import working
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.settings import Settings


@click.command()
@click.option("--expect", help="LENGTH:HASH from an earlier run.")
@json_option
def verify(expect: str | None, as_json: bool) -> None:
    """Check every room for what is missing, changed or unexpected.

    Exports and releases are counted by version, other rooms by file. The exit code is 1 if
    something is not as it was.

    \b
    adoption verify
    adoption verify --expect 1230:61c5…   the line that an earlier run printed
    """
    from pipelines.publishing.verification import LIMITS, written_head
    from pipelines.publishing.verification import verify as prove

    try:
        expected = written_head(expect) if expect else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--expect") from error
    with working("Comparing files with their checksums"):
        result = prove(Settings.from_environment(), declared(), expected)
    if as_json:
        click.echo(json.dumps(result.as_json(), indent=2, ensure_ascii=False))
        sys.exit(1 if result.faults else 0)
    if result.head:
        click.echo(f"Ledger   {result.head.length} lines   {result.head.length}:{result.head.head}")
    click.echo(
        f"Compared {result.anchors} earlier states of the ledger; "
        + ", ".join(f"{room}: {count}" for room, count in result.rooms.items())
    )
    for remark in result.remarks:
        click.echo(f"Remark   {remark}")
    for fault in result.faults:
        click.secho(f"Fault    {fault}", fg="red")
    click.echo("No faults found." if not result.faults else f"Faults: {len(result.faults)}")
    click.echo(LIMITS)
    sys.exit(1 if result.faults else 0)


@click.command()
@click.argument("sender_code", type=SENDER, metavar="SENDER")
@click.argument("quarter", type=QUARTER)
@json_option
def history(sender_code: str, quarter: Quarter, as_json: bool) -> None:
    """List everything that happened to one sender's returns for a quarter, oldest first.

    \b
    adoption history Powys 2019-20-Q1
    """
    settings, declarations = Settings.from_environment(), declared()
    nation = declarations.places[sender_code].nation_code
    events = list(_history(Ledger(settings.ledger).events(), sender_code, nation, quarter))
    if as_json:
        click.echo(json.dumps(events, indent=2, ensure_ascii=False))
        return
    for line in events:
        click.echo(f"{line['at'] or '':16}  {line['what']}")
    click.echo(f"{len(events)} events for {sender_code}, {quarter}.")


def _history(
    events: Sequence[Mapping[str, Any]], sender_code: str, nation: str, quarter: Quarter
) -> Any:
    mine: set[str] = set()
    for number, event in enumerate(events, start=1):
        of_quarter = event.get("quarter") == quarter.label
        if of_quarter and event.get("sender_code") == sender_code and "submission_id" in event:
            mine.add(event["submission_id"])
        is_mine = event.get("submission_id") in mine or (
            of_quarter
            and (
                event.get("sender_code") == sender_code
                or event.get("nation_code") == nation
                or nation in event.get("revisions", {})
            )
        )
        if is_mine:
            at = event.get("at") or event.get("received_at")
            yield {
                "line": number,
                "at": at[:16].replace("T", " ") if at else None,
                "event": event["event"],
                "role": event.get("role"),
                "what": _told(event),
            }


def _told(event: Mapping[str, Any]) -> str:
    """One line about an event; a delivery's file name is left out, as it may name a child."""
    kind = event["event"].replace("_", " ")
    parts = [kind, event.get("submission_id"), event.get("status"), event.get("refusal_code")]
    if event["event"] in ("tolerated", "reopened"):
        parts += [event["return_name"], event["code"]]
    if "limit" in event:
        parts.append(f"up to {event['limit']} rows until {event['until']}")
    if "duplicate_of" in event:
        parts.append(f"same bytes as {event['duplicate_of']}")
    if "version" in event:
        parts.append(f"version {event['version']}")
    if event.get("role"):
        parts.append(f"by {event['role']}")
    reason = event.get("reason") or event.get("explanation")
    if reason:
        parts.append(f"– {reason}")
    return " ".join(str(part) for part in parts if part)
