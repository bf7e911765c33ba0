"""The warehouse for analysts: ``adoption extract``, ``dictionary``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.commands.arguments import NEW_FILE, force_option
from pipelines.commands.terminal import working
from pipelines.settings import Settings


@click.command("extract")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--csv", "with_csv", is_flag=True, help="Add the tables as CSV files, for Excel.")
@click.option(
    "--dictionary",
    "--docs",
    "with_page",
    is_flag=True,
    help="Add the page of `adoption dictionary`.",
)
def extract(folder: Path, with_csv: bool, with_page: bool) -> None:
    """Write a copy of the warehouse for an analyst to FOLDER, without pseudonymous rows.

    It holds warehouse.duckdb, the same tables as Parquet files for R, Python and Power BI, a
    catalogue of every column, a README in English and in Welsh, and checksums. Figures are not
    disclosure controlled: it is for internal use only. FOLDER must be new or empty.

    \b
    adoption extract ../for-the-analyst
    adoption extract ../for-the-analyst --csv --dictionary
    """
    from pipelines.commands import run
    from pipelines.publishing.analyst_extract import write_extract
    from pipelines.warehouse.parquet import internal_notice

    settings = Settings.from_environment()
    with working("Writing the tables"):
        if with_page:
            run.prepare()
        written = write_extract(settings, folder, with_csv, with_page)
    files = [path for path in written.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    click.echo(f"Wrote {written}   {len(files)} files, {size:,.0f} MB")
    click.echo(internal_notice("en"))


@click.command()
@click.argument("target", type=NEW_FILE)
@force_option
def dictionary(target: Path) -> None:
    """Write the data dictionary of the warehouse to TARGET: one page that works offline.

    It lists every table and column with its meaning, the SQL behind it and a diagram of its
    sources. Types and sizes are those of the published warehouse, if there is one. Takes about ten
    seconds.

    \b
    adoption dictionary warehouse.html
    """
    from pipelines.commands import run
    from pipelines.publishing.dictionary import write_dictionary

    if target.suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter("the file name must end in .html", param_hint="TARGET")
    settings = Settings.from_environment()
    with working("Writing the data dictionary"):
        run.prepare()
        write_dictionary(settings, target)
    click.echo(f"Wrote {target}")
