"""``adoption hand-out``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.settings import Settings


@click.command("hand-out")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def hand_out(folder: Path) -> None:
    """Write a copy of the warehouse for an analyst to FOLDER, without pseudonymous rows.

    In it: warehouse.duckdb, the same tables as Parquet for R, Excel and Power BI, a catalogue of
    every column, a README in English and in Welsh, checksums. Figures are not disclosure
    controlled: it is for internal use only. FOLDER must be new or empty.

    \b
    adoption hand-out ../for-the-analyst
    """
    from pipelines import handing_out

    written = handing_out.hand_out(Settings.from_environment(), folder)
    files = [path for path in written.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    click.echo(f"Wrote {written}   {len(files)} files, {size:,.0f} MB")
    click.echo(handing_out.NOTICE["en"])
