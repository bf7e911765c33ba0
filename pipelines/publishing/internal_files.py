"""The exports room: for each quarter numbered, immutable versions of the internal files.

A version stands for its figures and the submissions they rest on. When both are those of the
latest version no new one is made, whatever else has come since: a refused or repeated delivery,
another wording in the pack, a newer program. The manifest's lists of returns that are not in are
therefore those of the day the version was made.

These files are not disclosure controlled and each says that it is internal; what may be published
is a release (:mod:`pipelines.publishing.releases`).
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from pipelines.declarations import Declarations
from pipelines.files import (
    changed_files,
    latest_version,
    make_folder,
    put_folder_into_place,
    write_checksums,
    write_csv,
    write_json,
)
from pipelines.lifecycle.publication import note_for_manifest, refuse_changed_figures
from pipelines.pack.nation_quarter import holds_samples
from pipelines.pack.pages import write_national_packs
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.warehouse.published import open_warehouse
from pipelines.warehouse.reconciliation import refuse_unless_reconciled

if TYPE_CHECKING:
    import duckdb

FIGURES = "indicators.csv"
MANIFEST = "manifest.json"

INDICATOR_COLUMNS = """
    f.indicator_id, i.title_en, i.title_cy, f.place_code, p.name_en as place_name_en,
    p.name_cy as place_name_cy, p.kind as place_kind, p.nation_code, f.quarter, f.window_name,
    f.breakdown, f.breakdown_value, f.numerator, f.denominator, f.value, i.unit,
    f.benchmark, f.benchmark_met, f.returns_expected, f.returns_accepted,
    f.quarters_in_window, f.quarters_covered, f.is_complete, f.definition_status,
    f.has_break_in_window, f.has_break_since_previous, broken.break_ids
"""


class ExportError(Exception):
    """The quarter cannot be exported; the message says why."""


@dataclass(frozen=True)
class Export:
    """One version of a quarter's files."""

    quarter: Quarter
    version: int
    folder: Path
    figures: int
    is_new: bool

    @property
    def pack(self) -> Path:
        """A nation's pack in English: that of Wales where it is in."""
        return max(self.folder.glob("pack-*-en.html"))


def export_quarter(settings: Settings, declarations: Declarations, quarter: Quarter) -> Export:
    """Write the quarter's files as a new version, unless the latest one says the same.

    Raises ExportError when the warehouse holds nothing for the quarter, and when a file of the
    latest version is not as it was published; WarehouseError when rows of a return are lacking.
    """
    home = settings.exports / quarter.label
    latest = latest_version(home)
    # A changed file is an accident or worse; a new version beside it would hide that.
    _refuse_changed_files(home, latest)
    staging = home / ".part"
    with open_warehouse(settings) as connection:
        # Figures whose rows do not add up to the returns they rest on are not written at all.
        refuse_unless_reconciled(connection)
        figures = _indicators(connection, quarter)
        if figures.is_empty():
            known = connection.execute("select max(quarter) from marts.dim_quarter").fetchone()
            raise ExportError(
                f"the warehouse holds no figures for {quarter}; its last quarter is "
                f"{known[0] if known else 'not known'}: take the returns in and build first"
            )
        is_synthetic = holds_samples(connection)
        submissions = _in_force(connection, quarter, max(figures["quarters_in_window"].to_list()))
        not_in = _not_in(connection, quarter)
        breaks = _breaks(connection, quarter)
        figures = _labelled(figures, declarations, is_synthetic)
        shutil.rmtree(staging, ignore_errors=True)
        make_folder(staging)
        write_national_packs(staging, connection, declarations, quarter)
    write_csv(figures, staging / FIGURES)
    figures.write_parquet(
        staging / "indicators.parquet", metadata=_file_metadata(figures, quarter, is_synthetic)
    )
    refuse_changed_figures(settings, declarations, quarter, home, figures)
    write_json(
        staging / MANIFEST,
        note_for_manifest(settings, declarations, quarter)
        | {
            "quarter": quarter.label,
            "label": {
                policy.nation_code: {"en": policy.export_label.en, "cy": policy.export_label.cy}
                for policy in declarations.policies.values()
            },
            "is_synthetic": is_synthetic,
            "figures": figures.height,
            "definition_status": dict(
                sorted(figures.group_by("definition_status").len().iter_rows())
            ),
            "breaks_in_series": breaks,
            "submissions": submissions,
            "returns_not_in": not_in,
        },
    )
    write_checksums(staging)
    return _keep(home, staging, latest, quarter, figures.height)


def _refuse_changed_files(home: Path, version: int) -> None:
    changed = changed_files(home / str(version)) if version else []
    if changed:
        raise ExportError(
            f"{home / str(version)} is not as it was published ({', '.join(changed)} changed or "
            "missing). A published version never changes: put it back from a copy, then publish "
            "again"
        )


def _indicators(connection: duckdb.DuckDBPyConnection, quarter: Quarter) -> pl.DataFrame:
    return connection.sql(
        f"select {INDICATOR_COLUMNS} from marts.fct_indicator f"  # noqa: S608 - a constant
        " join marts.dim_indicator i using (indicator_id) join marts.dim_place p using (place_code)"
        " left join (select indicator_id, place_code, quarter, window_name, membership_basis,"
        " string_agg(break_id, ' ' order by break_id) as break_ids from marts.fct_indicator_break"
        " group by all) as broken"
        " using (indicator_id, place_code, quarter, window_name, membership_basis)"
        " where f.quarter = $quarter and f.membership_basis = 'at_the_time'"
        " order by indicator_id, place_code, window_name, breakdown, breakdown_value",
        params={"quarter": quarter.label},
    ).pl()


def _labelled(
    figures: pl.DataFrame, declarations: Declarations, is_synthetic: bool
) -> pl.DataFrame:
    """With what every row has to say of itself, because rows are copied out of files."""
    labels = {nation: policy.export_label.en for nation, policy in declarations.policies.items()}
    unlabelled = set(figures["nation_code"]) - set(labels)
    if unlabelled:
        raise ExportError(f"no policy labels the exports of {', '.join(sorted(unlabelled))}")
    return figures.with_columns(
        label=pl.col("nation_code").replace_strict(labels, return_dtype=pl.String),
        is_synthetic=pl.lit(is_synthetic),
    )


def _file_metadata(figures: pl.DataFrame, quarter: Quarter, is_synthetic: bool) -> dict[str, str]:
    """Key-value metadata of the Parquet file, where every value is text."""
    return {
        "quarter": quarter.label,
        "label": "; ".join(figures["label"].unique().sort()),
        "is_synthetic": "true" if is_synthetic else "false",
    }


def _in_force(
    connection: duckdb.DuckDBPyConnection, quarter: Quarter, quarters_in_window: int
) -> list[dict[str, object]]:
    """What the figures rest on: submissions in force in the quarters of the longest window.

    Labels of quarters sort as text.
    """
    in_force = connection.execute(
        """
        select submission_id, sender_code, quarter, version, received_at, sha256, status
        from marts.fct_submission
        where is_in_force and quarter between ? and ?
        order by quarter, sender_code, submission_id
        """,
        [quarter.plus(1 - quarters_in_window).label, quarter.label],
    )
    names = [column[0] for column in in_force.description]
    submissions = [dict(zip(names, row, strict=True)) for row in in_force.fetchall()]
    return [
        submission | {"received_at": f"{submission['received_at'].isoformat()}Z"}
        for submission in submissions
    ]


def _not_in(
    connection: duckdb.DuckDBPyConnection, quarter: Quarter
) -> dict[str, list[dict[str, object]]]:
    """Returns due for the quarter that are in no figure: refused, missing, or not validated yet.

    A refused one comes with the reason its sender was given for the newest refused file.
    """
    not_in = connection.execute(
        """
        select returned.status, returned.sender_code, returned.return_name,
               max(refused.refusal_sentence_en)
        from marts.fct_return returned
        left join marts.fct_submission refused
            on returned.sender_code = refused.sender_code and returned.quarter = refused.quarter
            and refused.status = 'refused' and refused.received_at = returned.last_refused_at
        where returned.quarter = ? and returned.is_due
            and returned.status in ('refused', 'missing', 'received', 'held')
        group by returned.status, returned.sender_code, returned.return_name
        order by returned.sender_code, returned.return_name
        """,
        [quarter.label],
    ).fetchall()
    lists: dict[str, list[dict[str, object]]] = {"refused": [], "missing": [], "received": []}
    for status, sender_code, return_name, why in not_in:
        entry = {"sender_code": sender_code, "return_name": return_name}
        kept = entry | {"why": why} if status == "refused" else entry
        lists.setdefault(status, []).append(kept)
    return lists


def _breaks(connection: duckdb.DuckDBPyConnection, quarter: Quarter) -> list[dict[str, object]]:
    """What the codes in ``break_ids`` mean, in both languages."""
    breaks = connection.execute(
        """
        select distinct break_id, kind, since, status, source, title_en, title_cy,
            explanation_en, explanation_cy
        from marts.dim_break_in_series
        where break_id in (
            select break_id from marts.fct_indicator_break
            where quarter = ? and membership_basis = 'at_the_time'
        )
        order by since, break_id
        """,
        [quarter.label],
    ).fetchall()
    texts = ("title", "explanation")
    return [
        {"break_id": break_id, "kind": kind, "since": since, "status": status, "source": source}
        | {
            name: {"en": english, "cy": welsh}
            for name, (english, welsh) in zip(texts, (words[:2], words[2:]), strict=True)
        }
        for break_id, kind, since, status, source, *words in breaks
    ]


def _keep(home: Path, staging: Path, latest: int, quarter: Quarter, figures: int) -> Export:
    if latest and _says_the_same(home / str(latest), staging):
        shutil.rmtree(staging)
        return Export(quarter, latest, home / str(latest), figures, is_new=False)
    version = latest + 1
    put_folder_into_place(staging, home / str(version))
    return Export(quarter, version, home / str(version), figures, is_new=True)


def _says_the_same(published: Path, staged: Path) -> bool:
    """Whether both hold the same figures, resting on the same submissions."""
    if (published / FIGURES).read_bytes() != (staged / FIGURES).read_bytes():
        return False
    before, now = (
        json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["submissions"]
        for folder in (published, staged)
    )
    return before == now
