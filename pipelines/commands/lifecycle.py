"""The life of a return: who owes what, answers to queries, sign-off, lock, revision, proof."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands.arguments import DAY, NATION, QUARTER, ROLE, SENDER, SUBMISSION
from pipelines.commands.opening import declared
from pipelines.commands.output import cannot_write, working
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.lifecycle.decisions import Decisions
    from pipelines.lifecycle.owed import Language

FOLDER = click.Path(path_type=Path, file_okay=False)


_role = click.option(
    "--role", type=ROLE, required=True, help="What you are, as sources/policies names it."
)
_nation = click.option(
    "--nation", "nation_code", type=NATION, required=True, help="Wales or England."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_language = click.option(
    "--language", type=click.Choice(["en", "cy"]), default="en", show_default=True
)
_return = click.option(
    "--return",
    "return_name",
    type=click.Choice(["child", "adopter", "support", "file"]),
    default="child",
    show_default=True,
    help="The return the query is about; file for one about the whole file.",
)


def _because(what: str) -> Callable[[Any], Any]:
    return click.option("--because", "reason", required=True, help=f"{what}. Name no child.")


def _today() -> date:
    from pipelines.lifecycle.states import local_day

    return local_day(datetime.now(UTC))


def _decisions() -> Decisions:
    from pipelines.lifecycle.decisions import Decisions

    return Decisions(Settings.from_environment(), declared())


# --- who owes what ----------------------------------------------------------------


@click.command()
@click.option("--quarter", "quarters", type=QUARTER, multiple=True, help="Only this; repeatable.")
@click.option("--nation", "nation_code", type=NATION, help="Only Wales, or England.")
@click.option("--on", "today", type=DAY, help="As of the end of this day; default: today.")
@click.option("--to-do", is_flag=True, help="Only what somebody has to act on.")
@_language
@_json
def owed(
    quarters: tuple[Quarter, ...],
    nation_code: str | None,
    today: date | None,
    to_do: bool,
    language: Language,
    as_json: bool,
) -> None:
    """Show who owes what: places by quarters, state in words, days to deadline, who acts next.

    As many quarters as there is room for, the newest ones. With one --quarter each return is told
    in full: days to the deadline, version, queries, sign-off.

    \b
    adoption owed --nation Wales
    adoption owed --quarter 2020-21-Q4 --to-do
    adoption owed --quarter 2020-21-Q4 --on 2021-04-20   as it was that day
    """
    from rich.console import Console

    from pipelines.lifecycle import owed as board

    settings, declarations = Settings.from_environment(), declared()
    found = board.boards(settings, declarations, today or _today(), quarters, nation_code)
    if as_json:
        click.echo(json.dumps(board.as_json(found), indent=2, ensure_ascii=False))
        return
    console = Console()
    if not found:
        click.echo("Nothing is owed: no quarter that was asked for is over.")
    for number, one in enumerate(found):
        if number:
            console.print()
        for part in board.Shown(one, declarations, language, to_do).render(console):
            console.print(part)


@click.command()
@click.option("--day", type=DAY, help="Default: today.")
@click.option("--since", type=DAY, help="Also those of the days from this one on, newest first.")
@click.option("--nation", "nation_code", type=NATION, help="Only Wales, or England.")
@click.option("--out", type=FOLDER, help="Write a text file for each into this folder.")
@_language
@_json
def reminders(
    day: date | None,
    since: date | None,
    nation_code: str | None,
    out: Path | None,
    language: str,
    as_json: bool,
) -> None:
    """Print the reminders that are due on a day, or write them as files. Nothing is sent.

    \b
    adoption reminders
    adoption reminders --day 2021-05-07 --nation Wales --out reminders
    """
    from pipelines.lifecycle.reminders import due_reminders, write_reminders

    settings, declarations = Settings.from_environment(), declared()
    day = day or _today()
    if since and since > day:
        raise click.BadParameter(f"{since} is after {day}", param_hint="--since")
    found = [
        one
        for one in due_reminders(settings, declarations, day, since)
        if nation_code in (None, declarations.places[one.sender_code].nation_code)
    ]
    if out is not None:
        try:
            write_reminders(found, out)
        except OSError as error:
            raise cannot_write(out, error) from error
        click.echo(f"Wrote {len(found)} reminders to {out}", err=as_json)
    if as_json:
        told = [one.as_json() for one in found]
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    elif out is None:
        for one in found:
            place, subject, text = (
                getattr(w, language) for w in (one.place, one.subject, one.text)
            )
            click.echo(f"{place} ({one.sender_code})\n{subject}\n\n{text}\n\n---\n")
        click.echo(f"{len(found)} reminders for {day}. Their texts are proposed; nothing was sent.")


# --- queries ----------------------------------------------------------------------


@click.command()
@click.option("--quarter", type=QUARTER, help="Only this quarter.")
@click.option("--sender", "sender_code", type=SENDER, help="Only of this one: code or name.")
@click.option("--open", "only_open", is_flag=True, help="Only those that wait for an answer.")
@_json
def queries(
    quarter: Quarter | None, sender_code: str | None, only_open: bool, as_json: bool
) -> None:
    """List the queries of the returns that stand: rule, rows, open or tolerated, and until when.

    A query is a value that is unusual but possible. `adoption verdict` shows its cells.

    \b
    adoption queries --open --quarter 2020-21-Q4
    adoption queries --sender Gwynedd
    """
    from pipelines.lifecycle.decisions import book_of

    settings, declarations = Settings.from_environment(), declared()
    book = book_of(Ledger(settings.ledger).events(), declarations)
    told = []
    for item in _standing(book.submissions.values(), book.newest):
        if sender_code not in (None, item.sender_code):
            continue
        if quarter is not None and item.quarter != quarter.label:
            continue
        for one in book.queries(item):
            if one.is_open or not only_open:
                told.append(_query_json(item, one))
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for line in told:
        place = declarations.places[line["sender_code"]].name_en
        click.echo(
            f"{place} ({line['sender_code']}), {line['quarter']}, {line['return_name']}: "
            f"{line['code']}, {line['rows']} rows, {line['state']}"
        )
    waiting = sum(line["is_open"] for line in told)
    click.echo(f"{len(told)} queries, {waiting} open. `adoption verdict` shows their cells.")


def _standing(items: Any, newest: Callable[[str, str], Submission | None]) -> list[Submission]:
    keys = sorted(
        {(one.quarter, one.sender_code) for one in items if one.quarter and one.sender_code}
    )
    found = [newest(sender_code, quarter) for quarter, sender_code in keys]
    return [one for one in found if one is not None]


_WHY_OPEN = {
    "new": "open",
    "over_the_limit": "open: more rows than the {limit} tolerated",
    "expired": "open: tolerated until {until}",
    "opened_again": "open: asked again",
}


def _query_json(item: Submission, one: Any) -> dict[str, Any]:
    given = one.tolerance
    limits = {"limit": given.limit, "until": given.until} if given else {}
    state = (
        _WHY_OPEN[one.why_open].format(**limits)
        if one.is_open
        else f"tolerated up to {given.limit} rows until {given.until} ({given.role})"
    )
    return {
        "sender_code": item.sender_code,
        "quarter": item.quarter,
        "submission_id": item.submission_id,
        "return_name": one.return_name,
        "code": one.code,
        "rows": one.rows,
        "is_open": one.is_open,
        "state": state,
        "limit": given.limit if given else None,
        "until": given.until if given else None,
        "explanation": given.explanation if given else None,
    }


@click.command()
@click.argument("sender_code", type=SENDER, metavar="SENDER")
@click.argument("quarter", type=QUARTER)
@click.argument("code")
@_return
@click.option("--limit", type=click.IntRange(min=1), required=True, help="Rows it may have.")
@click.option("--until", type=QUARTER, help="Last quarter it holds for; default: QUARTER itself.")
@_role
@_because("Why the rows are right although the rule asks")
def tolerate(
    sender_code: str,
    quarter: Quarter,
    code: str,
    return_name: str,
    limit: int,
    until: Quarter | None,
    role: str,
    reason: str,
) -> None:
    """Answer the query CODE of a return by an explanation instead of a correction.

    It is carried to later quarters, and asked again when more rows have it or the time is over.

    \b
    adoption tolerate Coventry 2020-21-Q3 CH401 --limit 2 --role national_data_lead \\
        --because "Confirmed with the social worker: both dates are right"
    """
    until = until or quarter
    _decisions().tolerate(
        *(sender_code, return_name, quarter, code),
        **{"limit": limit, "until": until, "role": role, "explanation": reason},
    )
    click.echo(f"{code} of {sender_code} is tolerated up to {limit} rows, {quarter} to {until}.")


@click.command()
@click.argument("sender_code", type=SENDER, metavar="SENDER")
@click.argument("quarter", type=QUARTER)
@click.argument("code")
@_return
@_role
@_because("Why the explanation does not hold")
def reopen(
    sender_code: str, quarter: Quarter, code: str, return_name: str, role: str, reason: str
) -> None:
    """Ask a tolerated query again, from QUARTER on; a sign-off that rested on it is void.

    \b
    adoption reopen Coventry 2020-21-Q3 CH401 --role national_data_lead \\
        --because "The dates changed since"
    """
    _decisions().reopen(sender_code, return_name, quarter, code, role=role, reason=reason)
    click.echo(f"{code} of {sender_code} is open again from {quarter} on.")


# --- one submission ---------------------------------------------------------------


@click.command("sign-off")
@click.argument("submission_id", type=SUBMISSION)
@click.option("--without-rows", type=click.IntRange(min=0), default=0, help="Rows set aside.")
@_role
def sign_off(submission_id: str, without_rows: int, role: str) -> None:
    """Sign off a submission as it was judged. Any change of data or rules makes it void.

    Rows set aside for errors are in no figure: say how many with --without-rows.

    \b
    adoption sign-off S000616-1a2b3c4d --role head_of_service
    """
    event = _decisions().sign_off(submission_id, role=role, rows_left_out=without_rows)
    click.echo(f"{submission_id} is signed off; seal {event['seal'][:16]}.")


@click.command()
@click.argument("submission_ids", nargs=-1, type=SUBMISSION)
@click.option("--quarter", type=QUARTER, help="Everything signed off for this quarter instead.")
@click.option("--nation", "nation_code", type=NATION, help="With --quarter: Wales or England.")
@_role
def accept(
    submission_ids: tuple[str, ...], quarter: Quarter | None, nation_code: str | None, role: str
) -> None:
    """Accept signed-off submissions, as the national team.

    \b
    adoption accept S000616-1a2b3c4d --role national_data_lead
    adoption accept --quarter 2020-21-Q4 --nation Wales --role national_data_lead
    """
    if bool(submission_ids) == bool(quarter and nation_code):
        raise click.UsageError("name SUBMISSION_IDS, or --quarter and --nation")
    decisions = _decisions()
    if quarter and nation_code:
        waiting = decisions.gaps(nation_code, quarter)
        found = [one.submission_id for one in waiting if one.state == "signed_off"]
        submission_ids = tuple(dict.fromkeys(one for one in found if one))
    for submission_id in submission_ids:
        decisions.accept(submission_id, role=role)
    click.echo(f"{len(submission_ids)} submissions accepted.")


@click.command()
@click.argument("submission_id", type=SUBMISSION)
@_role
@_because("Why it is taken out")
def withdraw(submission_id: str, role: str, reason: str) -> None:
    """Take a submission out; the accepted one before it comes back in force.

    \b
    adoption withdraw S000616-1a2b3c4d --role data_officer \\
        --because "Sent by mistake: a test of our new system"
    """
    from pipelines.lifecycle.decisions import book_of

    decisions = _decisions()
    decisions.withdraw(submission_id, role=role, reason=reason)
    book = book_of(Ledger(decisions.settings.ledger).events(), decisions.declarations)
    if submission_id not in book.withdrawn:
        click.echo(f"{submission_id} is withdrawn with the next revision: its quarter is locked.")
        return
    item = book.submissions[submission_id]
    now = book.in_force(item.sender_code or "", item.quarter or "")
    stands = f"{now.submission_id} is in force" if now else "nothing is in force"
    click.echo(f"{submission_id} is withdrawn; {stands}. Run `adoption build` for the figures.")


# --- a nation's quarter -----------------------------------------------------------


@click.command()
@click.argument("quarter", type=QUARTER)
@_nation
@click.option("--with-gaps", is_flag=True, help="Although returns are missing or not accepted.")
@_role
def lock(quarter: Quarter, nation_code: str, with_gaps: bool, role: str) -> None:
    """Close a nation's quarter: what comes later is judged, and held for a revision.

    \b
    adoption lock 2020-21-Q4 --nation Wales --role national_director
    """
    event = _decisions().lock(nation_code, quarter, role=role, with_gaps=with_gaps)
    gaps = event["not_accepted"]
    click.echo(f"{quarter} is locked for {nation_code}; {gaps} returns are not accepted.")


@click.command()
@click.argument("quarter", type=QUARTER)
@_nation
@_role
@_because("Why the lock was too early")
def unlock(quarter: Quarter, nation_code: str, role: str, reason: str) -> None:
    """Undo a lock under which nothing was published; what was held counts again.

    \b
    adoption unlock 2020-21-Q4 --nation Wales --role national_director \\
        --because "Two returns were still on their way"
    """
    _decisions().unlock(nation_code, quarter, role=role, reason=reason)
    click.echo(f"{quarter} is open again for {nation_code}. Run `adoption build`.")


@click.command()
@click.argument("quarter", type=QUARTER)
@_nation
@click.option(
    "--only",
    multiple=True,
    type=SUBMISSION,
    metavar="SUBMISSION_ID",
    help="Release only this; repeatable.",
)
@_role
@_because("Why the published figures change; it stands in the manifest")
def revise(quarter: Quarter, nation_code: str, only: Sequence[str], role: str, reason: str) -> None:
    """Begin the next revision of a published quarter: what was held counts from now on.

    \b
    adoption revise 2020-21-Q4 --nation Wales --role national_director \\
        --because "Late return of one authority"
    """
    event = _decisions().revise(nation_code, quarter, role=role, reason=reason, only=only)
    click.echo(
        f"{len(event['released'])} files released, {len(event['withdrawals'])} withdrawn. "
        f"Run `adoption build`, then `adoption publish {quarter}`."
    )


# --- proof ------------------------------------------------------------------------


@click.command()
@click.option("--expect", help="LENGTH:HASH that somebody wrote down earlier.")
@_json
def verify(expect: str | None, as_json: bool) -> None:
    """Prove that ledger, received files and exports are what they were. Ends with 1 if not.

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
    with working("Comparing what is kept twice"):
        found = prove(Settings.from_environment(), declared(), expected)
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
        sys.exit(1 if found.faults else 0)
    if found.head:
        click.echo(f"Ledger   {found.head.length} lines   {found.head.length}:{found.head.head}")
    click.echo(
        f"Compared {found.anchors} remembered heads, {found.files} received files, "
        f"{found.exports} export versions, {found.releases} releases"
    )
    for remark in found.remarks:
        click.echo(f"Remark   {remark}")
    for fault in found.faults:
        click.secho(f"Fault    {fault}", fg="red")
    click.echo("Nothing is wrong." if not found.faults else f"Faults: {len(found.faults)}")
    click.echo(LIMITS.en)
    sys.exit(1 if found.faults else 0)


@click.command()
@click.argument("sender_code", type=SENDER, metavar="SENDER")
@click.argument("quarter", type=QUARTER)
@_json
def history(sender_code: str, quarter: Quarter, as_json: bool) -> None:
    """Tell everything that happened to one sender's returns for a quarter, oldest first.

    \b
    adoption history Powys 2019-20-Q1
    """
    settings, declarations = Settings.from_environment(), declared()
    nation = declarations.places[sender_code].nation_code
    told = list(_history(Ledger(settings.ledger).events(), sender_code, nation, quarter))
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for line in told:
        click.echo(f"{line['at'] or '':16}  {line['what']}")
    click.echo(f"{len(told)} events for {sender_code}, {quarter}.")


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
