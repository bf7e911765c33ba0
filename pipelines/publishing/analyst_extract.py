"""Handing the warehouse on: Parquet beside it, and a folder for an analyst outside the rooms.

Nothing here opens the restricted file: what is handed out has no pseudonymous rows.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.files import sync_folder, write_checksums
from pipelines.settings import Settings
from pipelines.warehouse.parquet import NOTICE, PARQUET, public_tables, write_parquet

if TYPE_CHECKING:
    pass

SYNTHETIC = {
    "en": "Synthetic sample data: no real child or household.",
    "cy": "Data sampl synthetig: dim plentyn nac aelwyd go iawn.",
}
CSV_TOLD = {
    "en": "  csv/               the same tables for Excel, those that fit on a sheet\n",
    "cy": "  csv/               yr un tablau ar gyfer Excel, y rhai sy'n ffitio ar ddalen\n",
}
PAGE = "warehouse.html"
PAGE_TOLD = {
    "en": "  warehouse.html     every table, its SQL and what it is made from, for a browser\n",
    "cy": "  warehouse.html     pob tabl, ei SQL ac o beth y'i gwnaed, ar gyfer porwr\n",
}
# A sheet of Excel has 1,048,576 rows, the first for headings. The Parquet connector's own page does
# not list Excel among the products that have it.
ROWS_OF_A_SHEET = 1_048_575
README = {
    "en": """\
Adoption returns: the warehouse without pseudonymous rows

{notice}
{synthetic}
Quarters {first} to {last}; the last return in it came on {received} (UTC).

  warehouse.duckdb   every public table, to be opened read-only with DuckDB 1.5
  parquet/           the same tables, one file each, for R, Python and Power BI
{csv}{page}  catalogue.csv      what every table and column holds
  SHA256SUMS         checksums: sha256sum --check SHA256SUMS

The view rpt_indicator_breakdown is in warehouse.duckdb only: in Parquet its rows are
fct_indicator_part, its words dim_breakdown, dim_indicator and dim_place.

Figures are unrounded and small numbers are as they are. Say which window_name and which
membership_basis you mean, look at returns_accepted of returns_expected, and never add up or
average the rows of places or windows.
""",
    "cy": """\
Ffurflenni mabwysiadu: y warws heb resi ffugenwol

{notice}
{synthetic}
Chwarteri {first} i {last}; daeth y ffurflen ddiwethaf ynddo ar {received} (UTC).

  warehouse.duckdb   pob tabl cyhoeddus, i'w agor yn ddarllen yn unig gyda DuckDB 1.5
  parquet/           yr un tablau, un ffeil yr un, ar gyfer R, Python a Power BI
{csv}{page}  catalogue.csv      beth sydd ym mhob tabl a cholofn
  SHA256SUMS         symiau gwirio: sha256sum --check SHA256SUMS

Yn warehouse.duckdb yn unig y mae'r wedd rpt_indicator_breakdown: yn Parquet ei rhesi yw
fct_indicator_part, a'i geiriau dim_breakdown, dim_indicator a dim_place.

Nid yw'r ffigurau wedi'u talgrynnu ac mae niferoedd bach fel y maent. Dywedwch pa window_name a
pha membership_basis a olygwch, edrychwch ar returns_accepted o returns_expected, a pheidiwch byth
ag adio na chymryd cyfartaledd rhesi lleoedd neu ffenestri.
""",
}


class HandOutError(Exception):
    """The warehouse cannot be handed out; the message says why and what to do."""


def hand_out(
    settings: Settings, folder: Path, with_csv: bool = False, with_page: bool = False
) -> Path:
    """Fill the new ``folder`` with the warehouse, Parquet, catalogue, READMEs and checksums.

    ``with_csv`` adds the tables that fit on a sheet as CSV, ``with_page`` the dictionary, for which
    the dbt project must have been parsed. All or nothing: it is filled beside and renamed. Raises
    HandOutError, DictionaryError, OSError.
    """
    from pipelines.publishing.dictionary import write_dictionary

    folder = folder.resolve()
    if not settings.warehouse.exists():
        raise HandOutError(f"{settings.warehouse} does not exist yet: run `adoption build`")
    if folder.is_relative_to(settings.data.resolve()):
        raise HandOutError(f"{folder} is inside the data folder: name one outside {settings.data}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise HandOutError(f"{folder} is there already: name a new folder, or empty it")
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        copied = part / settings.warehouse.name
        # Parquet is made from the copy: a build may publish another warehouse meanwhile.
        shutil.copyfile(settings.warehouse, copied)
        write_parquet(copied, part / PARQUET)
        _describe(copied, part, with_csv, with_page)
        if with_csv:
            _write_csv_files(copied, part / "csv")
        if with_page:
            write_dictionary(settings, part / PAGE)
        write_checksums(part)
        if folder.exists():
            folder.rmdir()
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    sync_folder(folder.parent)
    return folder


def _describe(warehouse: Path, folder: Path, with_csv: bool, with_page: bool) -> None:
    """The catalogue and the two READMEs, once it is sure that no column is about one child."""
    import duckdb

    from pipelines.files import write_csv

    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(
            "select table_name || '.' || column_name from duckdb_columns() where not internal "
            "and (column_name like '%pseudonym%' or column_name = 'birth_month') order by all"
        ).fetchall()
        if found:
            names = ", ".join(name for (name,) in found)
            raise HandOutError(f"{warehouse.name} has columns of single children: {names}")
        catalogue = connection.execute(
            "select table_name, column_name, kind, description from marts.catalogue "
            "where database_name = 'warehouse' order by table_name, position"
        ).pl()
        first, last, received, synthetic = connection.execute(
            "select min(quarter), max(quarter), max(received_at), bool_or(is_synthetic) "
            "from marts.fct_submission where is_in_force"
        ).fetchone()
    write_csv(catalogue, folder / "catalogue.csv")
    for language, text in README.items():
        told = text.format(
            notice=NOTICE[language],
            synthetic=SYNTHETIC[language] if synthetic else "",
            csv=CSV_TOLD[language] if with_csv else "",
            page=PAGE_TOLD[language] if with_page else "",
            first=first or "–",
            last=last or "–",
            received=f"{received:%Y-%m-%d %H:%M}" if received else "–",
        ).replace("\n\n\n", "\n\n")
        path = folder / f"README-{language}.txt"
        path.write_text(told, encoding="utf-8", newline="\n")


def _write_csv_files(warehouse: Path, folder: Path) -> None:
    import duckdb

    from pipelines.files import write_csv

    folder.mkdir()
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for table, _ in public_tables(connection):
            frame = connection.table(f"marts.{table}").pl()
            if frame.height <= ROWS_OF_A_SHEET:
                write_csv(frame, folder / f"{table}.csv")
