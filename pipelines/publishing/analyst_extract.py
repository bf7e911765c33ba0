"""The analyst extract: a copy of the warehouse, without pseudonymous rows, in a folder outside.

Nothing here opens the restricted file.
"""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.files import CHECKSUMS, put_folder_into_place, write_checksums, write_csv
from pipelines.settings import Settings
from pipelines.text.catalogue import LANGUAGES, Language, translations
from pipelines.warehouse.parquet import PARQUET, internal_notice, public_tables, write_parquet

if TYPE_CHECKING:
    pass

PAGE = "warehouse.html"
# A sheet of Excel has 1,048,576 rows, the first for headings. The Parquet connector's own page does
# not list Excel among the products that have it.
ROWS_OF_A_SHEET = 1_048_575


class AnalystExtractError(Exception):
    """No extract can be written; the message says why and what to do."""


def write_extract(
    settings: Settings, folder: Path, with_csv: bool = False, with_page: bool = False
) -> Path:
    """Fill the new ``folder`` with the warehouse, Parquet, catalogue, READMEs and checksums.

    ``with_csv`` adds the tables that fit on a sheet as CSV, ``with_page`` the dictionary, for which
    the dbt project must have been parsed. All or nothing: it is filled beside and renamed. Raises
    AnalystExtractError, DictionaryError, OSError.
    """
    from pipelines.publishing.dictionary import write_dictionary

    folder = folder.resolve()
    if not settings.warehouse.exists():
        raise AnalystExtractError(f"{settings.warehouse} does not exist yet: run `adoption build`")
    if folder.is_relative_to(settings.data.resolve()):
        raise AnalystExtractError(
            f"{folder} is inside the data folder: name one outside {settings.data}"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AnalystExtractError(f"{folder} is there already: name a new folder, or empty it")
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
        put_folder_into_place(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _describe(warehouse: Path, folder: Path, with_csv: bool, with_page: bool) -> None:
    """The catalogue and the two READMEs, once it is sure that no column is about one child."""
    import duckdb

    with duckdb.connect(str(warehouse), read_only=True) as connection:
        restricted = connection.execute(
            "select table_name || '.' || column_name from duckdb_columns() where not internal "
            "and (column_name like '%pseudonym%' or column_name = 'birth_month') order by all"
        ).fetchall()
        if restricted:
            names = ", ".join(name for (name,) in restricted)
            raise AnalystExtractError(f"{warehouse.name} has columns of single children: {names}")
        catalogue = connection.execute(
            "select table_name, column_name, kind, description from marts.catalogue "
            "where database_name = 'warehouse' order by table_name, position"
        ).pl()
        content = connection.execute(
            "select min(quarter), max(quarter), max(received_at), bool_or(is_synthetic) "
            "from marts.fct_submission where is_in_force"
        ).fetchone()
    write_csv(catalogue, folder / "catalogue.csv")
    first, last, received, is_synthetic = content or (None, None, None, None)
    for language in LANGUAGES:
        text = _readme(
            language,
            first=first or "–",
            last=last or "–",
            received=f"{received:%Y-%m-%d %H:%M}" if received else "–",
            is_synthetic=bool(is_synthetic),
            with_csv=with_csv,
            with_page=with_page,
        )
        path = folder / f"README-{language}.txt"
        path.write_text(text, encoding="utf-8", newline="\n")


def _readme(
    language: Language,
    *,
    first: str,
    last: str,
    received: str,
    is_synthetic: bool,
    with_csv: bool,
    with_page: bool,
) -> str:
    """What is in the folder and how to read its figures, in lines of at most 100 characters."""
    _ = translations(language).gettext
    about = [internal_notice(language)]
    if is_synthetic:
        about.append(_("Synthetic sample data: no real child or household."))
    about.append(
        _("Quarters {first} to {last}; the newest return in it came on {received} (UTC).").format(
            first=first, last=last, received=received
        )
    )
    files = {
        "warehouse.duckdb": _("every public table, to be opened read-only with DuckDB 1.5"),
        "parquet/": _("the same tables, one file each, for R, Python and Power BI"),
    }
    if with_csv:
        files["csv/"] = _("the same tables for Excel, those that fit on a sheet")
    if with_page:
        files[PAGE] = _("every table, its SQL and what it is made from, for a browser")
    files["catalogue.csv"] = _("what every table and column holds")
    files[CHECKSUMS] = _("checksums: sha256sum --check SHA256SUMS")
    view = _(
        "The view rpt_indicator_breakdown is in warehouse.duckdb only. In Parquet its rows are "
        "fct_indicator_part, and the labels are in dim_breakdown, dim_indicator and dim_place."
    )
    advice = _(
        "Figures are unrounded and small numbers are not suppressed. Choose one window_name and "
        "one membership_basis, look at returns_accepted of returns_expected, and never add up or "
        "average the rows of places or windows."
    )
    return "\n".join(
        [
            _("Adoption returns: the warehouse without pseudonymous rows"),
            "",
            *about,
            "",
            *(f"  {name:<18} {purpose}" for name, purpose in files.items()),
            "",
            *textwrap.wrap(view, 100),
            "",
            *textwrap.wrap(advice, 100),
            "",
        ]
    )


def _write_csv_files(warehouse: Path, folder: Path) -> None:
    import duckdb

    folder.mkdir()
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for table, _ in public_tables(connection):
            frame = connection.table(f"marts.{table}").pl()
            if frame.height <= ROWS_OF_A_SHEET:
                write_csv(frame, folder / f"{table}.csv")
