"""Small data folders for dbt: invented returns in the shape of the validated room, and a build.

Every place, sender and child here is invented.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter, quarters_between
from pipelines.settings import DBT_PROJECT, SOURCES, Settings
from pipelines.warehouse.tables import validated_schema, write_tables
from tests.made_once import made_once

WALES, ENGLAND = "W92000004", "E92000001"
FIRST_DELIVERY = datetime(2018, 8, 1, 9, 0)

Rows = Iterable[Mapping[str, Any]]


@dataclass
class InventedReturns:
    """Returns of invented senders, written as Parquet under ``folder`` and built by dbt."""

    folder: Path
    declarations: Declarations = field(default_factory=lambda: Declarations(SOURCES))
    places: list[dict[str, Any]] = field(default_factory=list)
    memberships: list[dict[str, Any]] = field(default_factory=list)
    due: list[dict[str, Any]] = field(default_factory=list)
    submissions: list[dict[str, Any]] = field(default_factory=list)
    submission_returns: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {"child": [], "adopter": [], "support": []}
    )

    @property
    def settings(self) -> Settings:
        return Settings(data=self.folder, key_file=self.folder / "unused.key")

    def place(self, code: str, kind: str = "authority", nation: str = WALES) -> None:
        self.places.append(
            {
                "place_code": code,
                "name_en": f"{code} (invented)",
                "name_cy": f"{code} (dychmygol)",
                "kind": kind,
                "nation_code": nation,
                "status": "proposed",
                "source": "invented for a test",
            }
        )

    def member(
        self, member: str, parent: str, since: Any = None, until: Any = None, role: str = "member"
    ) -> None:
        self.memberships.append(
            {
                "member_code": member,
                "parent_code": parent,
                "role": role,
                "since": since,
                "until": until,
                "status": "proposed",
                "source": "invented for a test",
            }
        )

    def owes(self, sender: str, return_name: str, *quarters: str) -> None:
        self.due += [
            {"sender_code": sender, "return_name": return_name, "quarter": quarter}
            for quarter in quarters
        ]

    def submit(
        self, sender: str, quarter: str, status: str = "accepted", **returns: Rows | None
    ) -> str:
        """One delivery; ``None`` for a return is a tick of nil. Later calls arrive later."""
        number = len(self.submissions) + 1
        submission_id = f"invented-{number}"
        self.submissions.append(
            {
                "submission_id": submission_id,
                "delivery_number": number,
                "received_at": FIRST_DELIVERY + timedelta(days=number),
                "sha256": f"{number:064x}",
                "sender_code": sender,
                "quarter": quarter,
                "version": number,
                "declared_version": 1,
                "status": status,
                "is_late": False,
                "is_synthetic": True,
            }
        )
        for name, rows in returns.items():
            listed = list(rows or ())
            aside = sum(row.get("row_status") == "quarantined" for row in listed)
            self.submission_returns.append(
                {
                    "submission_id": submission_id,
                    "return_name": name,
                    "is_nil": rows is None,
                    "rows_read": len(listed),
                    "rows_accepted": len(listed) - aside,
                    "rows_quarantined": aside,
                    "errors": 0,
                    "queries": 0,
                }
            )
            self.rows[name] += [
                {
                    "submission_id": submission_id,
                    "sender_code": sender,
                    "quarter": quarter,
                    "sheet_row": position + 2,
                    "row_status": "accepted",
                    "child_pseudonym": f"child {number}-{position}",
                    "household_pseudonym": f"household {number}-{position}",
                }
                | dict(row)
                for position, row in enumerate(listed)
            ]
        return submission_id

    def write(self, last: str, as_of: datetime | None = None) -> None:
        """Write every table dbt reads; the declared quarters run to ``last``."""
        write_tables(self.settings, self.declarations, as_of)
        quarters = list(quarters_between(Quarter(2018, 1), Quarter.parse(last)))
        self._replace(
            "declarations/quarters",
            [
                {
                    "quarter": quarter.label,
                    "financial_year": quarter.financial_year,
                    "quarter_number": quarter.number,
                    "quarter_index": quarter.index,
                    "first_day": quarter.first_day,
                    "last_day": quarter.last_day,
                }
                for quarter in quarters
            ],
        )
        nations = [
            {
                "place_code": code,
                "name_en": name,
                "name_cy": name,
                "kind": "nation",
                "nation_code": code,
                "status": "sourced",
                "source": "ONS",
            }
            for code, name in ((WALES, "Wales"), (ENGLAND, "England"))
        ]
        self._replace("declarations/places", nations + self.places)
        self._replace("declarations/memberships", self.memberships)
        self._replace("declarations/returns_due", self.due)
        self._replace("submissions", self.submissions)
        self._replace("submission_returns", self.submission_returns)
        for name, rows in self.rows.items():
            schema = validated_schema(self.declarations.returns[name])
            known = [{key: row.get(key) for key in schema} for row in rows]
            path = self.settings.validated / name / "invented" / "batch.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pl.DataFrame(known, schema=schema, orient="row").write_parquet(path)

    def declare(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Put other rows into a table of declarations, after ``write``."""
        self._replace(f"declarations/{name}", rows)

    def _replace(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Put other rows into a table that ``write_tables`` made, keeping its columns."""
        path = self.settings.validated / f"{name}.parquet"
        schema = pl.read_parquet_schema(path)
        known = [{key: row.get(key) for key in schema} for row in rows]
        pl.DataFrame(known, schema=schema, orient="row").write_parquet(path)

    def dbt(self, command: str, *arguments: str) -> str:
        """Run dbt as a child process, everything it writes under ``folder``; its output."""
        self.settings.build.mkdir(parents=True, exist_ok=True)
        finished = subprocess.run(
            [
                sys.executable,
                "-m",
                "dbt.cli.main",
                command,
                *arguments,
                "--project-dir",
                str(DBT_PROJECT),
                "--profiles-dir",
                str(DBT_PROJECT),
                "--target-path",
                str(self.folder / "target"),
                "--log-path",
                str(self.folder / "logs"),
            ],
            env=os.environ | {"ADOPTION_DATA": self.folder.as_posix()},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if finished.returncode != 0:
            pytest.fail(f"dbt {command} failed:\n{finished.stdout}\n{finished.stderr}")
        return finished.stdout

    def copy_to(self, folder: Path) -> InventedReturns:
        """What was built, in another place, to be changed there."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("target", "logs"))
        return InventedReturns(folder, self.declarations)

    def query(self, sql: str, *values: Any, database: str = "warehouse") -> list[dict[str, Any]]:
        path = self.settings.build / f"{database}.duckdb"
        with duckdb.connect(str(path), read_only=True) as connection:
            found = connection.execute(sql, list(values))
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> InventedReturns:
    """Every worked example of ``sources/indicators`` at a sender of its own, and a region where
    returns are corrected, refused, nil and missing: built once, as building costs most. Tests only
    read it; ``copy_to`` gives one to be changed."""
    folder = made_once(tmp_path_factory, "warehouse", _worked_examples)
    return InventedReturns(folder, Declarations(folder / "sources"))


def _worked_examples(folder: Path) -> None:
    sources = folder / "sources"
    shutil.copytree(SOURCES, sources)
    _one_more_indicator(sources / "indicators")
    invented = InventedReturns(folder, Declarations(sources))
    _every_worked_example(invented)
    _a_region_with_troubles(invented)
    last = max(i.example.quarter for i in invented.declarations.indicators.values())
    invented.write(last.label)
    invented.dbt("build", "--exclude-resource-type", "unit_test")


def _one_more_indicator(folder: Path) -> None:
    """What a colleague would add: one file, naming a measure that no indicator uses yet."""
    known = (folder / "W16.yaml").read_text(encoding="utf-8")
    added = known.replace("id: W16", "id: ADDED").replace(
        "numerator: households_approved", "numerator: households_waiting_for_match"
    )
    added = added.replace("timing: flow", "timing: stock")
    (folder / "ADDED.yaml").write_text(added, encoding="utf-8")


def _every_worked_example(invented: InventedReturns) -> None:
    kinds = {"child": "authority", "adopter": "voluntary_agency", "support": "region"}
    for indicator in invented.declarations.indicators.values():
        sender = f"EXAMPLE_{indicator.id}"
        invented.place(sender, kinds[indicator.subject], indicator.nations[0])
        quarter = indicator.example.quarter.label
        invented.owes(sender, indicator.subject, quarter)
        invented.submit(sender, quarter, **{indicator.subject: indicator.example.rows})


def _a_region_with_troubles(invented: InventedReturns) -> None:
    """CORRECTS sends twice and once in vain, REPORTS_NONE ticks nil, SILENT sends nothing."""
    first, second = "2020-21-Q1", "2020-21-Q2"
    invented.place("TROUBLED", "region")
    for sender in ("CORRECTS", "REPORTS_NONE", "SILENT"):
        invented.place(sender)
        invented.member(sender, "TROUBLED")
        invented.owes(sender, "child", first, second)
    matched, set_aside = {"matched_on": date(2020, 5, 1)}, {"row_status": "quarantined"}
    invented.submit("CORRECTS", first, child=[matched, matched, matched])
    invented.submit("CORRECTS", first, child=[matched, matched, matched | set_aside])
    invented.submit("CORRECTS", first, status="refused", child=[matched] * 5)
    invented.submit("REPORTS_NONE", first, child=None)
    invented.submit("CORRECTS", second, child=[{"matched_on": date(2020, 7, 1)}])
    invented.submit("REPORTS_NONE", second, child=None)
    invented.submit("SILENT", second, child=[])


@pytest.fixture(scope="session")
def country(tmp_path_factory: pytest.TempPathFactory) -> InventedReturns:
    """Real bodies that gained and lost members, and invented ones with every role: built once."""
    from tests.warehouse.country import small_country

    return InventedReturns(made_once(tmp_path_factory, "country", small_country))
