"""The main job on all sample quarters: what a newcomer's first command does."""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.files import changed_files
from pipelines.lifecycle.ledger import Ledger
from pipelines.warehouse.published import open_restricted, open_warehouse
from tests.conftest import Sample


@pytest.fixture(scope="module")
def warehouse(sample: Sample):
    with open_warehouse(sample.settings) as connection:
        yield connection


def _figure(warehouse, indicator_id: str, place: str, quarter: str, window: str):
    return warehouse.execute(
        "select numerator, denominator, value_rounded, is_complete from marts.fct_indicator"
        " where indicator_id = ? and place_code = ? and quarter = ? and window_name = ?"
        " and membership_basis = 'at_the_time'",
        [indicator_id, place, quarter, window],
    ).fetchone()


def test_vale_valleys_and_cardiff_matched_98_children_79_of_them_after_six_months(warehouse):
    """Vale of Glamorgan Cabinet, 12 April 2021: 98 matched in 2019-20, 79 over six months."""
    year = ("VVC", "2019-20-Q4", "year_to_date")
    assert _figure(warehouse, "W05", *year) == (98, None, 98, True)
    assert _figure(warehouse, "W11A", *year) == (79, None, 79, True)
    assert _figure(warehouse, "W11A_PERCENT", *year) == (79, 98, 80.6, True)


def test_adopting_together_had_over_thirty_referred_and_eight_placed(warehouse):
    three_years = ("VVC", "2020-21-Q4", "rolling_12")
    assert _figure(warehouse, "AT_REFERRED", *three_years)[0] > 30
    assert _figure(warehouse, "AT_PLACED", *three_years)[0] == 8


@pytest.mark.parametrize(
    ("quarter", "placed"), [("2018-19-Q4", 67), ("2019-20-Q4", 79), ("2020-21-Q4", 69)]
)
def test_western_bay_placed_the_published_number_of_children(warehouse, quarter, placed):
    """Bridgend democratic services, mgAi ID=13058."""
    assert _figure(warehouse, "W06", "WBAS", quarter, "year_to_date")[0] == placed


@pytest.mark.parametrize(
    "place",
    [
        *("W92000004", "NWAS", "AMWW", "WBAS", "VVC", "SEWAS"),
        *("ST_DAVIDS", "BARNARDOS_CYMRU", "ADOPTION_WEST", "AIM", "ACE", "WEST_MERCIA"),
        *("TOGETHER4CHILDREN", "E92000001", "E06000019", "E06000051", "E06000020"),
    ],
)
def test_every_organisation_served_has_figures(warehouse, place):
    counted = warehouse.execute(
        "select count(*) from marts.fct_indicator where place_code = ? and value > 0", [place]
    ).fetchone()
    assert counted[0] > 0


def test_every_welsh_authority_has_figures(warehouse):
    found = warehouse.execute(
        "select count(distinct place_code) from marts.fct_indicator"
        " join marts.dim_place using (place_code)"
        " where kind = 'authority' and nation_code = 'W92000004' and indicator_id = 'W06'"
    ).fetchone()
    assert found == (22,)


def test_regions_add_up_to_wales(warehouse):
    rows = warehouse.execute(
        """
        select f.indicator_id, f.quarter, f.window_name,
               sum(f.numerator) filter (p.kind = 'region') as of_regions,
               max(f.numerator) filter (p.kind = 'nation') as of_wales
        from marts.fct_indicator f join marts.dim_place p using (place_code)
        join marts.dim_indicator i using (indicator_id)
        where p.nation_code = 'W92000004' and i.subject = 'child'
            and f.membership_basis = 'at_the_time'
        group by all
        """
    ).fetchall()
    assert len(rows) > 500
    assert [row for row in rows if row[3] != row[4]] == []


def test_a_refused_resubmission_leaves_the_earlier_return_in_force(sample, warehouse):
    submissions = Ledger(sample.settings.ledger).submissions()
    refused = [
        s
        for s in submissions
        if s.status == "refused"
        and s.version
        and any(
            o.is_accepted
            and (o.sender_code, o.quarter) == (s.sender_code, s.quarter)
            and o.delivery_number < s.delivery_number
            for o in submissions
        )
        and not any(
            o.is_accepted
            and (o.sender_code, o.quarter) == (s.sender_code, s.quarter)
            and o.delivery_number > s.delivery_number
            for o in submissions
        )
    ]
    assert refused, "the sample has a resubmission that is refused and never corrected"
    for submission in refused:
        in_force = warehouse.execute(
            "select status, submission_id from marts.fct_return"
            " where sender_code = ? and quarter = ? and return_name = 'child'",
            [submission.sender_code, submission.quarter],
        ).fetchone()
        assert in_force[0] == "accepted"
        assert in_force[1] != submission.submission_id


def test_the_mess_of_real_life_is_told_apart(sample, warehouse):
    statuses = {
        row[0] for row in warehouse.execute("select status from marts.fct_return").fetchall()
    }
    assert {"accepted", "nil", "missing"} <= statuses
    assert warehouse.execute("select count(*) from marts.fct_return where is_late").fetchone()[0]
    submitted = {item.status for item in Ledger(sample.settings.ledger).submissions()}
    assert submitted == {
        "accepted",
        "accepted with queries",
        "accepted with errors quarantined",
        "refused",
        "duplicate",
    }


def test_a_missing_return_is_not_counted_as_nought(warehouse):
    place, quarter = warehouse.execute(
        "select sender_code, quarter from marts.fct_return"
        " where status = 'missing' and return_name = 'child'"
    ).fetchone()
    numerator, _, value, is_complete = _figure(warehouse, "W06", place, quarter, "quarter") or (
        _figure(warehouse, "G8", place, quarter, "quarter")
    )
    assert (numerator, value, is_complete) == (None, None, False)


def test_the_run_ends_by_saying_what_a_newcomer_asks(sample):
    told = re.sub(r"\s+", " ", sample.printed)
    for words in (
        "Refused, with reasons",
        "Wales, 2020-21-Q4",
        "England, 2020-21-Q4",
        "adoption ui",
    ):
        assert words in told
    for path in (sample.settings.warehouse, sample.settings.exports / "2020-21-Q4" / "1"):
        assert str(path) in told
        assert path.exists()
    assert "synthetic" in told


def test_the_export_is_whole_and_says_it_is_internal_and_synthetic(sample):
    folder = sample.settings.exports / "2020-21-Q4" / "1"
    assert changed_files(folder) == []
    manifest = (folder / "manifest.json").read_text(encoding="utf-8")
    assert "Not disclosure controlled" in manifest
    assert '"is_synthetic": true' in manifest
    csv = pl.read_csv(folder / "indicators.csv", infer_schema=False)
    parquet = pl.read_parquet(folder / "indicators.parquet")
    assert csv.height == parquet.height > 1000
    for language, words in (("en", "Synthetic sample data"), ("cy", "Data sampl synthetig")):
        for nation in ("wales", "england"):
            page = (folder / f"pack-{nation}-{language}.html").read_text(encoding="utf-8")
            assert words in page


@pytest.mark.skipif(os.name == "nt", reason="Windows has no owner-only mode bits")
def test_nobody_else_can_read_what_the_run_leaves(sample):
    open_to_others = [
        path for path in sample.settings.data.rglob("*") if path.stat().st_mode & 0o077
    ]
    assert open_to_others == []
    assert sample.settings.key_file.stat().st_mode & 0o077 == 0


def test_no_reference_of_a_child_or_household_leaves_the_raw_room(sample):
    """Every reference sent is looked for in everything else the run wrote, databases unpacked."""
    references = _references(sample.settings.raw)
    assert len(references) > 3000
    written = [
        path
        for path in sample.settings.data.rglob("*")
        if path.is_file() and "landing" not in path.parts and "raw" not in path.parts
    ]
    assert {path.suffix for path in written} >= {".parquet", ".duckdb", ".html", ".db"}
    for path in [*written, sample.settings.ledger]:
        leaked = references & _words(path)
        assert not leaked, f"{len(leaked)} references in {path.relative_to(sample.settings.data)}"
    assert not references & set(re.findall(r"[^\s│]+", sample.printed))


def test_dates_of_birth_become_months(sample):
    with open_restricted(sample.settings) as connection:
        days = connection.execute(
            "select distinct extract(day from birth_month) from read_parquet(?)",
            [str(sample.settings.validated / "child" / "*" / "*.parquet")],
        ).fetchall()
    assert [day for day in days if day[0] is not None] == [(1,)]


def _references(raw: Path) -> set[str]:
    found: set[str] = set()
    for name in ("child", "adopter"):
        frame = pl.read_parquet(raw / name / "*" / "*.parquet")
        for column in frame.columns:
            if column.endswith("_reference"):
                found |= set(frame[column].drop_nulls().str.strip_chars().to_list())
    return {reference for reference in found if len(reference) >= 4}


def _words(path: Path) -> set[str]:
    """Every text a file holds, compressed and packed formats opened."""
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path)
        return {
            value
            for column in frame.select(pl.col(pl.String)).columns
            for value in frame[column].drop_nulls().unique().to_list()
        }
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            columns = connection.execute(
                "select schema_name, table_name, column_name from duckdb_columns()"
                " where not internal and data_type = 'VARCHAR'"
            ).fetchall()
            return {
                row[0]
                for schema, table, column in columns
                for row in connection.execute(
                    f'select distinct "{column}" from "{schema}"."{table}"'  # noqa: S608
                    f' where "{column}" is not null'
                ).fetchall()
            }
    content = path.read_bytes()
    if content.startswith(b"SQLite format 3"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            text = " ".join(connection.iterdump())
    else:
        text = content.decode("utf-8", errors="replace")
    return set(re.findall(r"[\w/.\-]+", text))
