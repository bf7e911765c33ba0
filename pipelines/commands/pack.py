"""``adoption pack``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.commands.arguments import PLACE, QUARTER
from pipelines.commands.declared import declared
from pipelines.commands.terminal import progress
from pipelines.settings import Settings
from pipelines.warehouse.published import open_warehouse


class PlaceOrQuarter(click.ParamType):
    """Text; after a place Tab offers quarters as well."""

    name = "text"

    def shell_complete(self, ctx, param, incomplete):
        return [
            *PLACE.shell_complete(ctx, param, incomplete),
            *QUARTER.shell_complete(ctx, param, incomplete),
        ]


PLACE_OR_QUARTER = PlaceOrQuarter()


@click.command()
@click.argument("what", nargs=-1, metavar="[PLACE] QUARTER", type=PLACE_OR_QUARTER)
@click.option(
    "--nation", type=PLACE, help="Every place of a nation, such as Wales, instead of PLACE."
)
@click.option(
    "--release",
    "released",
    help="Publishable packs of a release, such as NAS/2020-21-Q4/1; give no QUARTER.",
)
@click.option(
    "--language",
    type=click.Choice(["en", "cy", "both"]),
    default="both",
    show_default=True,
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the pages; default: packs beside the quarter's exports.",
)
def pack(
    what: tuple[str, ...],
    nation: str | None,
    released: str | None,
    language: str,
    out: Path | None,
) -> None:
    """Write the performance pack of a PLACE for a QUARTER: a page to show, print or send on.

    PLACE is a code or a name, in English or Welsh: a nation, a region or agency, an authority.
    The page holds everything it needs and opens in any browser. It is the internal edition: not
    disclosure controlled. With --release it is the publishable edition of a released version, of
    one PLACE or of all.

    \b
    adoption pack Cardiff 2020-21-Q4
    adoption pack "Ynys Môn" 2020-21-Q4 --language cy --out board-papers
    adoption pack --nation Wales 2020-21-Q4
    adoption pack Cardiff --release NAS/2020-21-Q4/1
    """
    if released is not None:
        if nation:
            raise click.UsageError("a release has its own nation: leave out --nation")
        _of_a_release(what, released, language, out)
        return
    from pipelines.pack.pages import places_with_a_pack, read_nation_quarter, write_packs
    from pipelines.pack.places import PackError, find_place
    from pipelines.text.catalogue import LANGUAGES

    if not what:
        raise click.UsageError("give a PLACE and a QUARTER")
    *named, last = what
    try:
        quarter = QUARTER.convert(last, None, None)
    except click.BadParameter as error:
        raise click.BadParameter(f"{error.message}; it comes last", param_hint="QUARTER") from error
    if len(named) > 1:
        raise click.UsageError(f"one place at a time: put {' '.join(named)!r} in quotation marks")
    if bool(named) == bool(nation):
        raise click.UsageError("give either a PLACE before the quarter, or --nation")
    settings, declarations = Settings.from_environment(), declared()
    folder = out or settings.exports / quarter.label / "packs"
    languages = [each for each in LANGUAGES if language in (each, "both")]
    with open_warehouse(settings) as connection:
        try:
            place = find_place(connection, nation or named[0])
        except PackError as error:
            hint = "--nation" if nation else "PLACE"
            raise click.BadParameter(str(error), param_hint=hint) from error
        if nation and place.kind != "nation":
            raise click.BadParameter(f"{place.name.en} is not a nation", param_hint="--nation")
        data = read_nation_quarter(connection, declarations, place.nation_code, quarter)
        if not nation:
            written = write_packs(folder, data, declarations, [place], languages)
        else:
            places = places_with_a_pack(data) or [place]
            with progress(f"Packs of {place.name.en}, {quarter}") as report:
                written = write_packs(folder, data, declarations, places, languages, report)
    _tell(written, folder)
    click.echo("Internal edition, not disclosure controlled: do not share.")


def _of_a_release(what: tuple[str, ...], released: str, language: str, out: Path | None) -> None:
    from pipelines.pack.places import PackError
    from pipelines.pack.released_packs import copy_released_packs
    from pipelines.release.versions import find
    from pipelines.text.catalogue import LANGUAGES

    if len(what) > 1:
        raise click.UsageError(
            f"--release takes one PLACE and no QUARTER, not {' '.join(what)!r}; put a name of "
            "several words in quotation marks"
        )
    settings, declarations = Settings.from_environment(), declared()
    version = find(settings, released)
    name = f"packs-{version.body}-{version.quarter}-v{version.version}".lower()
    # Apart from the internal packs, whose files have the same names.
    folder = out or settings.exports / version.quarter.label / name
    languages = [spoken for spoken in LANGUAGES if language in (spoken, "both")]
    place = what[0] if what else None
    try:
        written = copy_released_packs(settings, declarations, version, place, languages, folder)
    except PackError as error:
        raise click.BadParameter(str(error), param_hint="PLACE") from error
    _tell(written, folder)
    click.echo(f"Publishable edition of {version.name}, disclosure controlled.")


def _tell(written: list[Path], folder: Path) -> None:
    if len(written) > 2:
        click.echo(f"{len(written)} packs in {folder}")
        return
    for path in written:
        click.echo(f"Pack  {path}")
