"""The exports room: for each quarter numbered, immutable versions of what the bodies receive.

Until disclosure control exists every file says that it is internal.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.declarations import Declarations
from pipelines.files import replace_durably, sync_folder
from pipelines.pack import write_pack
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.warehouse import open_warehouse

CHECKSUMS = "SHA256SUMS"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

INDICATOR_COLUMNS = """
    f.indicator_id, i.title_en, i.title_cy, f.place_code, p.name_en as place_name_en,
    p.name_cy as place_name_cy, p.kind as place_kind, p.nation_code, f.quarter, f.window_name,
    f.breakdown, f.breakdown_value, f.numerator, f.denominator, f.value, i.unit,
    f.benchmark, f.benchmark_met, f.returns_expected, f.returns_accepted,
    f.quarters_in_window, f.quarters_covered, f.is_complete, f.definition_status
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
        return self.folder / "pack-en.html"


def export_quarter(settings: Settings, declarations: Declarations, quarter: Quarter) -> Export:
    """Write the quarter's files as a new version, unless they equal the latest one.

    Raises ExportError when the warehouse holds nothing for the quarter.
    """
    home = settings.exports / quarter.label
    staging = home / ".part"
    with open_warehouse(settings) as connection:
        figures = _indicators(connection, quarter)
        if figures.is_empty():
            known = connection.execute("select max(quarter) from marts.dim_quarter").fetchone()
            raise ExportError(
                f"the warehouse holds no figures for {quarter}; its last quarter is "
                f"{known[0] if known else 'not known'}: take the returns in and build first"
            )
        submissions = connection.sql(
            "select * from marts.fct_submission where quarter = $quarter order by submission_id",
            params={"quarter": quarter.label},
        ).pl()
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        write_pack(staging, connection, declarations, quarter)
    write_csv(figures, staging / "indicators.csv")
    figures.write_parquet(staging / "indicators.parquet")
    _write_json(
        staging / "manifest.json",
        {
            "quarter": quarter.label,
            "label": {
                policy.nation_code: {"en": policy.export_label.en, "cy": policy.export_label.cy}
                for policy in declarations.policies.values()
            },
            "is_synthetic": bool(submissions.filter("is_in_force")["is_synthetic"].any()),
            "figures": figures.height,
            "definition_status": dict(
                sorted(figures.group_by("definition_status").len().iter_rows())
            ),
            "submissions": [
                {
                    "submission_id": row["submission_id"],
                    "sender_code": row["sender_code"],
                    "version": row["version"],
                    "received_at": row["received_at"].isoformat() + "Z",
                    "sha256": row["sha256"],
                    "status": row["status"],
                    "why": row["refusal_sentence_en"],
                }
                for row in submissions.iter_rows(named=True)
            ],
        },
    )
    _write_checksums(staging)
    return _keep(home, staging, quarter, figures.height)


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """UTF-8 CSV in which no text cell can become a formula of a spreadsheet (CWE-1236)."""
    text = [name for name, kind in frame.schema.items() if kind == pl.String]
    frame.with_columns(
        pl.when(pl.col(text).str.strip_chars(" ").str.slice(0, 1).is_in(FORMULA_STARTS))
        .then(pl.lit("'") + pl.col(text))
        .otherwise(pl.col(text))
        .name.keep()
    ).write_csv(path)


def checksums_agree(folder: Path) -> bool:
    """Whether every file is as it was when the version was written."""
    listed = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    return all(
        (folder / name).is_file() and _sha256(folder / name) == digest
        for digest, name in (line.split("  ", 1) for line in listed)
    )


def _indicators(connection, quarter: Quarter) -> pl.DataFrame:
    return connection.sql(
        f"select {INDICATOR_COLUMNS} from marts.fct_indicator f"  # noqa: S608 - a constant
        " join marts.dim_indicator i using (indicator_id) join marts.dim_place p using (place_code)"
        " where f.quarter = $quarter and f.membership_basis = 'at_the_time'"
        " order by indicator_id, place_code, window_name, breakdown, breakdown_value",
        params={"quarter": quarter.label},
    ).pl()


def _keep(home: Path, staging: Path, quarter: Quarter, figures: int) -> Export:
    versions = sorted(int(path.name) for path in home.iterdir() if path.name.isdigit())
    if versions:
        latest = home / str(versions[-1])
        if (latest / CHECKSUMS).read_bytes() == (staging / CHECKSUMS).read_bytes():
            shutil.rmtree(staging)
            return Export(quarter, versions[-1], latest, figures, is_new=False)
    version = versions[-1] + 1 if versions else 1
    for path in sorted(staging.iterdir()):
        replace_durably(path, path)
    os.replace(staging, home / str(version))
    sync_folder(home)
    return Export(quarter, version, home / str(version), figures, is_new=True)


def _write_json(path: Path, content: object) -> None:
    path.write_text(
        json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
    )


def _write_checksums(folder: Path) -> None:
    lines = [f"{_sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
