"""``adoption release``, ``releases`` and ``compare``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.arguments import BODY, NEW_FILE, QUARTER, ROLE, force_option
from pipelines.commands.declared import declared
from pipelines.commands.options import wait_for_others_option
from pipelines.commands.terminal import cannot_write, show
from pipelines.exclusive import exclusive
from pipelines.quarters import Quarter
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.declarations import Declarations
    from pipelines.release.versions import Version

_MOST_LINES = 40
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@click.argument("body", type=BODY)
@click.argument("quarter", type=QUARTER)
@click.option("--role", type=ROLE, help="Your role, as declared in sources/policies.")
@click.option(
    "--because", "reason", help="Why figures change; from version 2 on. Do not name a child."
)
@click.option("--as-of", help="Make again the version that was the latest at this time (UTC).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="With --as-of: an empty folder to write it to.",
)
@wait_for_others_option
def release(
    body: str,
    quarter: Quarter,
    role: str | None,
    reason: str | None,
    as_of: str | None,
    out: Path | None,
    wait_for_others: float,
) -> None:
    """Release a locked QUARTER of a BODY: files it may publish, disclosure controlled.

    BODY is NAS for Wales, DFE for England. The warehouse is built first. Small numbers are
    suppressed, and so are the numbers that would reveal them; a release is written only if its
    audit passes. Unchanged figures make no new version.

    With --as-of nothing is released: an earlier version is made again from the returns, and
    compared. The exit code is 1 if a byte differs.

    \b
    adoption release NAS 2020-21-Q4 --role national_director
    adoption release NAS 2020-21-Q4 --as-of 2021-06-01T12:00 --out again
    """
    settings, declarations = Settings.from_environment(), declared()
    if as_of is not None:
        if role or reason or out is None:
            raise click.UsageError("--as-of needs --out, and takes neither --role nor --because")
        _again(settings, declarations, body, quarter, as_of, out, wait_for_others)
        return
    if role is None or out is not None:
        raise click.UsageError("give your role: --role" if role is None else "--out needs --as-of")
    from pipelines.commands import run
    from pipelines.publishing.releases import policy_of, refuse_before_work
    from pipelines.release.versions import folder_of, versions_of

    refuse_before_work(settings, declarations, body, quarter, role=role, reason=reason)
    policy = policy_of(declarations, body)
    before = len(versions_of(settings, policy.body, quarter))
    # One turn for both: what is released is what was built.
    with exclusive(settings.writer_lock, "releasing", wait_for_others, click.echo):
        run.build(settings, click.echo)
        run.release(settings, policy.body, quarter, role, reason, click.echo)
    version = versions_of(settings, policy.body, quarter)[-1]
    if version.version == before:
        click.echo(f"Nothing has changed since {version.name}: no new version.")
    click.echo(f"Release  {version.name}   {folder_of(settings, version)}")


def _again(
    settings: Settings,
    declarations: Declarations,
    body: str,
    quarter: Quarter,
    as_of: str,
    out: Path,
    wait_for_others: float,
) -> None:
    from datetime import UTC

    from pipelines.commands import run
    from pipelines.publishing.releases import make_again, policy_of
    from pipelines.release.versions import versions_of
    from pipelines.warehouse.published import open_warehouse_as_of

    try:
        moment = datetime.fromisoformat(as_of)
    except ValueError as error:
        raise click.BadParameter(
            f"{as_of!r} is not a date or time such as 2021-06-01 or 2021-06-01T12:00",
            param_hint="--as-of",
        ) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    policy = policy_of(declarations, body)
    known = versions_of(settings, policy.body, quarter)
    then = [version for version in known if datetime.fromisoformat(version.at) <= moment]
    if not then:
        raise click.BadParameter(
            f"no version of {policy.body}/{quarter} had been released by then", param_hint="--as-of"
        )
    version = then[-1]
    run.build(settings, click.echo, version.as_of, wait_for_others)
    with open_warehouse_as_of(settings, datetime.fromisoformat(version.as_of)) as connection:
        differ = make_again(settings, declarations, connection, version, out, click.echo)
    if not differ:
        click.echo(f"{version.name} made again, identical to the byte: {out}")
        return
    click.echo(f"{version.name} in {out} differs in {', '.join(differ)}")
    click.echo(
        "Different code, declarations or received files give different bytes: provenance.json says "
        "which ones it was made with."
    )
    sys.exit(1)


@click.command()
@_json
def releases(as_json: bool) -> None:
    """List the releases: when, by whom and why, and how many figures changed.

    \b
    adoption releases
    """
    from rich import box
    from rich.table import Table

    from pipelines.release.versions import versions

    known = versions(Settings.from_environment())
    if as_json:
        click.echo(
            json.dumps([_as_json(version) for version in known], indent=2, ensure_ascii=False)
        )
        return
    if not known:
        click.echo("Nothing has been released yet: see `adoption release --help`.")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Release", no_wrap=True)
    table.add_column("When (UTC)", no_wrap=True)
    for heading in ("Figures", "Changed"):
        table.add_column(heading, justify="right")
    for heading in ("By", "Why"):
        table.add_column(heading)
    for version in known:
        when = version.at[:16].replace("T", " ")
        changed = f"{version.changed:,}" if version.version > 1 else ""
        table.add_row(
            version.name, when, f"{version.figures:,}", changed, version.role, version.reason or ""
        )
    show(table)


def _as_json(version: Version) -> dict[str, object]:
    return asdict(version) | {"quarter": version.quarter.label, "name": version.name}


@click.command("compare")
@click.argument("before")
@click.argument("after")
@click.option("--out", type=NEW_FILE, help="Write all changes to this CSV file.")
@force_option
@_json
def compare_releases(before: str, after: str, out: Path | None, as_json: bool) -> None:
    """List what changed between two releases, each given by its name or folder.

    \b
    adoption compare NAS/2020-21-Q4/1 NAS/2020-21-Q4/2
    """
    from pipelines.files import write_table
    from pipelines.release.compare import CHANGES, compare, figures_of_folder

    settings = Settings.from_environment()
    folders = [_folder(settings, name) for name in (before, after)]
    changes = compare(*(figures_of_folder(folder) for folder in folders))
    counts = dict(changes.group_by("change").len().iter_rows())
    if out is not None:
        try:
            write_table(changes, out)
        except OSError as error:
            raise cannot_write(out, error) from error
    if as_json:
        summary = {"counts": counts, "changes": changes.to_dicts()}
        click.echo(json.dumps(summary, indent=2, ensure_ascii=False))
        return
    for row in changes.head(_MOST_LINES).iter_rows(named=True):
        part = "" if row["breakdown"] == "total" else f", {row['breakdown_value']}"
        click.echo(
            f"{row['indicator_id']} {row['component']}, {row['place_code']}, {row['quarter']} "
            f"{row['window_name']}{part}: {row['before'] or '–'} → {row['after'] or '–'} "
            f"({row['change']})"
        )
    if changes.height > _MOST_LINES:
        click.echo(f"… and {changes.height - _MOST_LINES:,} more; --out FILE lists them all.")
    summary = ", ".join(f"{counts[name]:,} {name}" for name in CHANGES if name in counts)
    click.echo(summary or "Nothing differs.")


def _folder(settings: Settings, name: str) -> Path:
    from pipelines.release.versions import find, folder_of

    folder = Path(name)
    return folder if folder.is_dir() else folder_of(settings, find(settings, name))
