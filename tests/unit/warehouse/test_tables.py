"""``sources/`` and the ledger as tables: the columns dbt was promised, and no more than asked."""

from __future__ import annotations

import os
import shutil
import time
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.declarations import Declarations
from pipelines.intake.problems import PROBLEM_SCHEMA
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES, Settings
from pipelines.warehouse.tables import validated_schema, write_tables

COLUMNS = {
    "declarations/quarters": (
        "quarter financial_year quarter_number quarter_index first_day last_day"
    ),
    "declarations/places": (
        "place_code name_en name_cy kind nation_code gss_code since until status source note"
    ),
    "declarations/memberships": "member_code parent_code role since until status source note",
    "declarations/returns_due": "sender_code return_name quarter",
    "declarations/indicators": (
        "indicator_id is_headline title_en title_cy definition_en definition_cy subject numerator "
        "denominator numerator_within_denominator timing clock_start clock_stop unit direction "
        "rounding definition_status status_note_en status_note_cy sources reviewed_on since until "
        "multiplier"
    ),
    "declarations/measures": (
        "measure subject caption_en caption_cy timing part_of event needs_placement_order fields"
    ),
    "declarations/declared_columns": "table_name position column_name data_type description",
    "declarations/indicator_nations": "indicator_id nation_code",
    "declarations/indicator_windows": "indicator_id window_name",
    "declarations/benchmarks": "indicator_id benchmark since until nation_code status source",
    "declarations/indicators_not_computed": (
        "indicator_id nation_code title_en title_cy reason_en reason_cy definition_status source "
        "reviewed_on"
    ),
    "declarations/breaks_in_series": (
        "break_id kind since title_en title_cy explanation_en explanation_cy status source "
        "indicator_id place_code"
    ),
    "declarations/code_lists": "code_list code label_en label_cy",
    "declarations/fields_expected": "return_name field column_name expected_with",
    "declarations/rules": "code return_name field severity sentence_en sentence_cy source",
    "declarations/build": "as_of last_delivery verdicts",
    "submissions": (
        "submission_id delivery_number received_at sha256 sender_code quarter version "
        "declared_version status refusal_code refusal_sentence_en is_late is_synthetic "
        "signed_off_by_role signed_off_on rule_set_hash "
        "state is_held is_withdrawn withdrawn_at released_in_revision"
    ),
    "submission_returns": (
        "submission_id return_name is_nil rows_read rows_accepted rows_quarantined errors queries"
    ),
}
TYPES = {
    "delivery_number": pl.Int64,
    "version": pl.Int64,
    "received_at": pl.Datetime("us"),
    "as_of": pl.Datetime("us"),
    "is_late": pl.Boolean,
    "signed_off_on": pl.Date,
    "reviewed_on": pl.Date,
    "since": None,  # a day of a place, a quarter's label of an indicator
    "first_day": pl.Date,
    "quarter_index": pl.Int64,
    "multiplier": pl.Float64,
    "benchmark": pl.Float64,
    "rows_read": pl.Int64,
    "is_nil": pl.Boolean,
    "needs_placement_order": pl.Boolean,
    "position": pl.Int64,
}


def tell(settings: Settings, number: int, quarter: str | None, status: str, **more: Any) -> None:
    """Enter a delivery and its verdict in the ledger."""
    submission_id = f"S{number:06d}-x"
    Ledger(settings.ledger).append(
        {
            "event": "received",
            "submission_id": submission_id,
            "delivery_number": number,
            "sha256": f"{number:064x}",
            "extension": ".xlsx",
            "name": "return.xlsx",
            "received_at": "2025-07-15T09:30:00+00:00",
            "sender_code": "W06000001",
            "quarter": quarter,
            "signed_off_on": "2025-07-14",
            "is_synthetic": True,
        }
        | more
    )
    if status != "received":
        counts = {"is_nil": False, "rows_read": 3, "rows_accepted": 2, "rows_quarantined": 1}
        Ledger(settings.ledger).append(
            {
                "event": "judged",
                "submission_id": submission_id,
                "status": status,
                "returns": {"child": counts | {"errors": 1, "queries": 0}},
            }
        )


def table(settings: Settings, name: str) -> pl.DataFrame:
    return pl.read_parquet(settings.validated / f"{name}.parquet")


@pytest.fixture
def written(settings: Settings, declarations: Declarations) -> Settings:
    tell(settings, 1, "2019-20-Q1", "accepted with errors quarantined")
    tell(settings, 2, "2019-20-Q3", "refused")
    tell(settings, 3, None, "refused", sender_code=None, signed_off_on=None)
    write_tables(settings, declarations)
    return settings


@pytest.mark.parametrize("name", COLUMNS)
def test_a_table_has_the_columns_it_was_promised_with(written: Settings, name: str) -> None:
    found = table(written, name)
    assert " ".join(found.columns) == COLUMNS[name]
    assert pl.Null not in found.schema.values()
    for column, expected in TYPES.items():
        if expected is not None and column in found.columns:
            assert found.schema[column] == expected, column


def test_the_empty_tables_that_a_build_without_returns_reads_have_every_column(
    written: Settings, declarations: Declarations
) -> None:
    for name, declared in declarations.returns.items():
        found = table(written, f"{name}/none/none")
        assert (found.height, dict(found.schema)) == (0, validated_schema(declared))
    assert dict(table(written, "problems/none/none").schema) == PROBLEM_SCHEMA


def test_no_validated_column_is_a_reference_or_a_day_of_birth(declarations: Declarations) -> None:
    for declared in declarations.returns.values():
        names = validated_schema(declared)
        assert not [name for name in names if "reference" in name or name == "date_of_birth"]
    child = validated_schema(declarations.returns["child"])
    assert list(child)[:7] == [
        *("submission_id", "sender_code", "quarter", "sheet_row", "row_status"),
        *("child_pseudonym", "birth_month"),
    ]
    assert (child["birth_month"], child["siblings_placed_together"]) == (pl.Date, pl.Int64)


def test_the_number_of_rows_of_every_table_is_told(
    settings: Settings, declarations: Declarations
) -> None:
    tell(settings, 1, "2019-20-Q1", "accepted")
    rows = write_tables(settings, declarations)
    on_disk = {
        path.relative_to(settings.validated).with_suffix("").as_posix(): pl.read_parquet(
            path
        ).height
        for path in settings.validated.rglob("*.parquet")
    }
    assert rows == on_disk
    assert rows["declarations/places"] == len(declarations.places)
    assert rows["declarations/indicators"] == len(declarations.indicators)


def test_quarters_run_without_a_gap_from_the_first_collected_to_the_last_accepted(
    written: Settings,
) -> None:
    quarters = table(written, "declarations/quarters")
    assert quarters["quarter"].to_list() == [
        *("2018-19-Q1", "2018-19-Q2", "2018-19-Q3", "2018-19-Q4", "2019-20-Q1")
    ]  # the refused return of 2019-20-Q3 adds none
    assert quarters["quarter_index"].diff().drop_nulls().unique().to_list() == [1]
    last = quarters.row(-1, named=True)
    assert (last["first_day"], last["last_day"]) == (date(2019, 4, 1), date(2019, 6, 30))
    assert (last["financial_year"], last["quarter_number"]) == ("2019-20", 1)


def test_quarters_reach_back_to_an_earlier_accepted_return(
    settings: Settings, declarations: Declarations
) -> None:
    tell(settings, 1, "2017-18-Q3", "accepted")
    write_tables(settings, declarations)
    found = table(settings, "declarations/quarters")["quarter"]
    assert found.to_list() == ["2017-18-Q3"]


def test_an_installation_without_a_return_has_one_quarter_and_no_submission(
    settings: Settings, declarations: Declarations
) -> None:
    write_tables(settings, declarations)
    assert table(settings, "declarations/quarters")["quarter"].to_list() == ["2018-19-Q1"]
    assert table(settings, "submissions").height == 0


def test_what_is_due_is_told_for_every_quarter_it_is_due(
    settings: Settings, declarations: Declarations
) -> None:
    tell(settings, 1, "2021-22-Q1", "accepted")
    write_tables(settings, declarations)
    due = table(settings, "declarations/returns_due")
    mine = due.filter(sender_code="TOGETHER4CHILDREN", return_name="adopter")["quarter"]
    assert mine.to_list() == ["2020-21-Q3", "2020-21-Q4", "2021-22-Q1"]
    ended = due.filter(sender_code="E06000022", return_name="adopter")["quarter"]
    assert ended.to_list() == ["2018-19-Q1", "2018-19-Q2", "2018-19-Q3", "2018-19-Q4"]
    for sender, name, quarter in due.sample(50, seed=1).rows():
        assert name in declarations.due_from(sender, Quarter.parse(quarter))
    assert due.is_unique().all()


def test_a_break_is_told_for_each_indicator_and_place_it_concerns(
    written: Settings, declarations: Declarations
) -> None:
    breaks = table(written, "declarations/breaks_in_series")
    assert breaks.height == sum(
        len(declared.indicator_ids) * len(declared.place_codes)
        for declared in declarations.breaks_in_series
    )
    assert breaks.select("break_id", "indicator_id", "place_code").is_unique().all()
    moved = breaks.filter(break_id="HEREFORDSHIRE_2023")
    assert moved.select("indicator_id", "place_code", "since").rows() == [
        ("*", "ACE", "2023-24-Q3"),
        ("*", "WEST_MERCIA", "2023-24-Q3"),
    ]


def test_a_submission_is_told_as_the_ledger_has_it(written: Settings) -> None:
    first, second, third = table(written, "submissions").rows(named=True)
    assert (first["status"], first["version"]) == ("accepted with errors quarantined", 1)
    assert first["received_at"] == datetime(2025, 7, 15, 9, 30)
    assert (first["signed_off_on"], first["is_synthetic"]) == (date(2025, 7, 14), True)
    assert (second["status"], second["is_late"]) == ("refused", False)
    assert [third[name] for name in ("sender_code", "quarter", "version", "signed_off_on")] == [
        None
    ] * 4
    (counts, *_) = table(written, "submission_returns").rows(named=True)
    assert counts == {
        "submission_id": "S000001-x",
        "return_name": "child",
        "is_nil": False,
        "rows_read": 3,
        "rows_accepted": 2,
        "rows_quarantined": 1,
        "errors": 1,
        "queries": 0,
    }


def test_a_delivery_is_told_in_utc_whatever_zone_it_was_noted_in(
    settings: Settings, declarations: Declarations
) -> None:
    tell(settings, 1, "2019-20-Q1", "received", received_at="2025-07-15T10:30:00+01:00")
    write_tables(settings, declarations)
    assert table(settings, "submissions")["received_at"].item() == datetime(2025, 7, 15, 9, 30)


# --- as of ----------------------------------------------------------------------------------


def as_of(settings: Settings) -> datetime | None:
    return table(settings, "declarations/build")["as_of"].item()


def test_a_build_without_a_limit_says_so(written: Settings) -> None:
    assert as_of(written) is None
    assert table(written, "declarations/build").height == 1


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2025, 7, 15, 12, 0, tzinfo=UTC),
        datetime(2025, 7, 15, 13, 0, tzinfo=timezone(timedelta(hours=1))),
        datetime(2025, 7, 15, 12, 0),
    ],
    ids=["utc", "with a zone", "without a zone"],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "America/New_York"])
def test_as_of_is_the_same_moment_on_every_machine(
    settings: Settings,
    declarations: Declarations,
    monkeypatch: pytest.MonkeyPatch,
    zone: str,
    moment: datetime,
) -> None:
    if not hasattr(time, "tzset"):
        pytest.skip("Windows takes its zone from elsewhere")
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        write_tables(settings, declarations, moment)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert as_of(settings) == datetime(2025, 7, 15, 12, 0)


def test_every_delivery_stays_in_the_table_and_the_build_leaves_out_the_later_ones(
    settings: Settings, declarations: Declarations
) -> None:
    tell(settings, 1, "2019-20-Q1", "accepted")
    write_tables(settings, declarations, datetime(2025, 7, 1, tzinfo=UTC))
    assert table(settings, "submissions").height == 1
    assert as_of(settings) == datetime(2025, 7, 1)


def test_tables_written_twice_are_the_same_bytes(
    settings: Settings, declarations: Declarations
) -> None:
    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in settings.validated.rglob("*.parquet")}

    tell(settings, 1, "2019-20-Q1", "accepted")
    write_tables(settings, declarations)
    first = content()
    write_tables(settings, Declarations(declarations.folder))
    assert content() == first
    assert not list(settings.data.rglob(f"*{os.extsep}part"))


def test_rules_of_every_quarter_that_anybody_sent_are_listed_refused_or_not(
    settings: Settings, tmp_path: Path
) -> None:
    """A field asked for in one later quarter only, in which nothing was accepted yet."""
    folder = tmp_path / "sources"
    shutil.copytree(SOURCES, folder)
    path = folder / "returns" / "support.yaml"
    text = path.read_text(encoding="utf-8")
    name = "- name: contact_exchanges\n"
    assert text.count(name) == 1
    only = "  since: 2019-20-Q2\n  until: 2019-20-Q2\n"
    path.write_text(text.replace(name, name + only), encoding="utf-8")
    changed = Declarations(folder)
    listed = {}
    for number, quarter in enumerate(("2019-20-Q1", "2019-20-Q2", "2019-20-Q3"), start=1):
        tell(settings, number, quarter, "accepted" if number == 3 else "refused")
        write_tables(settings, changed)
        rules = table(settings, "declarations/rules").filter(pl.col("field") == "contact_exchanges")
        listed[quarter] = set(rules["code"])
    assert listed["2019-20-Q1"] == set()
    assert listed["2019-20-Q2"] == listed["2019-20-Q3"] == {"REQUIRED", "NUMBER", "RANGE"}


def test_no_rule_is_listed_twice(written: Settings) -> None:
    rules = table(written, "declarations/rules")
    assert rules.height > 200
    assert rules.select("code", "return_name", "field", "severity").is_duplicated().sum() == 0
    assert rules.null_count().sum_horizontal().item() == 0
