"""What the warehouse costs at national size, compared with the floor, in one run.

    python benchmarks/national.py [--quarters 10 20 40] [--children 10000] [--select MODEL ...]

Invents returns of 175 authorities in Wales and England, of their regions and agencies and of
voluntary agencies, writes them straight into the validated room of a temporary folder, and runs
``dbt build`` with all data tests: every indicator, breakdown, window and place. The floor is
plain DuckDB SQL on the same files for the headline figures of children. The last
lines say how both grow with the number of quarters. Machines differ: quote the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
from measuring import CommandCost, measure, row, show

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter, quarters_between
from pipelines.settings import DBT_PROJECT, SOURCES, Settings
from pipelines.warehouse.tables import validated_schema, write_tables

WALES, ENGLAND = "W92000004", "E92000001"
FIRST = Quarter(2015, 1)
AUTHORITIES = {WALES: 22, ENGLAND: 153}
GROUPS = {WALES: ("region", 5), ENGLAND: ("regional_agency", 33)}
VOLUNTARY = {WALES: 2, ENGLAND: 20}
QUARTERS_ON_THE_BOOKS = 7  # of a child, on average
MISSING = 0.03  # of all returns

# The headline counts and means of children by authority, region and nation, for the quarter and
# for four quarters. Membership, coverage, breakdowns and every other window are left out.
FLOOR = """
import duckdb, sys
folder = sys.argv[1].replace("'", "''")
duckdb.execute("set threads = 2")
print(len(duckdb.sql(f'''
with q as (select * from '{folder}/validated/declarations/quarters.parquet'),
s as (
    select submission_id from '{folder}/validated/submissions.parquet'
    where status like 'accepted%'
    qualify row_number() over (partition by sender_code, quarter order by received_at desc) = 1
),
c as (
    select c.*, q.quarter_index, q.first_day, q.last_day
    from read_parquet('{folder}/validated/child/*/*.parquet') c
    join s using (submission_id) join q using (quarter)
    where row_status = 'accepted'
),
by_sender as (
    select sender_code, quarter_index,
        count(*) filter (referred_on between first_day and last_day) as referred,
        count(*) filter (should_be_placed_decision_on between first_day and last_day) as decided,
        count(*) filter (placement_order_on between first_day and last_day) as ordered,
        count(*) filter (matched_on between first_day and last_day) as matched,
        count(*) filter (matched_on between first_day and last_day
            and matched_on > should_be_placed_decision_on + interval 6 month) as over_six_months,
        count(*) filter (placed_on between first_day and last_day) as placed,
        sum(placed_on - entered_care_on) filter (placed_on between first_day and last_day) as days,
        count(*) filter (adoption_order_on between first_day and last_day) as adopted,
        sum(matched_on - placement_order_on)
            filter (adoption_order_on between first_day and last_day) as days_to_match,
        count(*) filter (placement_order_on <= last_day
            and (placed_on is null or placed_on > last_day)) as waiting
    from c group by all
),
tree as (
    select place_code as sender_code, place_code
    from '{folder}/validated/declarations/places.parquet'
    union all
    select place_code, nation_code from '{folder}/validated/declarations/places.parquet'
    union all
    select member_code, parent_code from '{folder}/validated/declarations/memberships.parquet'
    where until is null
),
by_place as (
    select place_code, quarter_index, sum(referred) as referred, sum(decided) as decided,
        sum(ordered) as ordered, sum(matched) as matched, sum(over_six_months) as over_six_months,
        sum(placed) as placed, sum(days) as days, sum(adopted) as adopted,
        sum(days_to_match) as days_to_match, sum(waiting) as waiting
    from by_sender join tree using (sender_code) group by all
)
select place_code, quarter_index, referred, decided, ordered, matched,
    100 * over_six_months / matched as percent, placed, days * 12 / 365.25 / placed as months,
    adopted, days_to_match / adopted as days, waiting,
    sum(matched) over year as matched_in_a_year, sum(placed) over year as placed_in_a_year,
    sum(days) over year * 12 / 365.25 / sum(placed) over year as months_in_a_year
from by_place
window year as (partition by place_code order by quarter_index range 3 preceding)
''').fetchall()))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quarters", type=int, nargs="+", default=[10, 20, 40])
    parser.add_argument("--children", type=int, default=10_000, help="in each quarter")
    parser.add_argument("--select", nargs="*", default=[], help="models, in dbt's own words")
    options = parser.parse_args()
    builds = {}
    for quarters in options.quarters:
        with tempfile.TemporaryDirectory(prefix="adoption-national-") as folder:
            builds[quarters] = _one_size(Path(folder), quarters, options.children, options.select)
    first, last = options.quarters[0], options.quarters[-1]
    if last > first:
        wall, cpu = (
            getattr(builds[last], name) / getattr(builds[first], name) for name in ("wall", "cpu")
        )
        print(f"{last / first:.1f} times the quarters: dbt build takes {wall:.1f} times the wall")
        print(f"seconds and {cpu:.1f} times the CPU seconds")


def _one_size(home: Path, quarters: int, children: int, select: list[str]) -> CommandCost:
    """Invent, measure and print; what the build cost."""
    started = time.perf_counter()
    children_rows = invent(home, quarters, children)
    invented = time.perf_counter() - started
    environment = os.environ | {"ADOPTION_DATA": home.as_posix()}
    floor = measure([sys.executable, "-c", FLOOR, home.as_posix()], environment)
    parse = measure(_dbt(home, "parse"), environment)
    selected = ["--select", *select, "--indirect-selection", "cautious"] if select else []
    build_command = _dbt(home, "build", "--exclude-resource-type", "unit_test", *selected)
    build = measure(build_command, environment)
    totals, parts, read = _figures(home)
    print(f"{quarters} quarters, {children_rows:,} rows of children (invented in {invented:.1f} s)")
    print(f"{totals:,} figures and {parts:,} parts of breakdowns; one quarter of them read back")
    print(f"with names and labels in {read:.1f} s")
    rows = [
        row("dbt parse, once", parse),
        row("dbt build", build),
        row("floor: plain DuckDB SQL", floor),
    ]
    show(rows, floor.cpu)
    for seconds, name in _slowest(home):
        print(f"    {name[:60]:60}{seconds:6.1f} s")
    print(flush=True)
    return build


# --- inventing -----------------------------------------------------------------------------


def invent(home: Path, quarters: int, children: int) -> int:
    """Write the validated room for ``quarters`` quarters; number of rows of children."""
    chance = np.random.default_rng(20_260_701)
    settings = Settings(data=home, key_file=home / "unused.key")
    declarations = Declarations(SOURCES)
    span = list(quarters_between(FIRST, FIRST.plus(quarters - 1)))
    write_tables(settings, declarations)
    places, memberships = _places()
    due = _due(places, span)
    submitted = _submissions(due, chance)
    _replace(settings, "declarations/quarters", _quarters(span))
    _replace(settings, "declarations/places", places)
    _replace(settings, "declarations/memberships", memberships)
    _replace(settings, "declarations/returns_due", due)
    _replace(settings, "submissions", submitted)
    rows = 0
    counted = []
    for name, frame in (
        ("child", _children(places, span, children, chance)),
        ("adopter", _households(due, span, children // 4, chance)),
        ("support", _support(due, chance)),
    ):
        schema = validated_schema(declarations.returns[name])
        received = frame.join(
            submitted.select("submission_id", "sender_code", "quarter"),
            on=["sender_code", "quarter"],
        )
        for (quarter,), part in received.group_by("quarter"):
            path = settings.validated / name / str(quarter) / "invented.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            _with_columns_of(part, schema).write_parquet(path)
        rows += received.height if name == "child" else 0
        counted.append(
            received.group_by("submission_id")
            .len("rows_read")
            .with_columns(return_name=pl.lit(name))
        )
    _replace(
        settings,
        "submission_returns",
        submitted.join(due, on=["sender_code", "quarter"])
        .join(pl.concat(counted), on=["submission_id", "return_name"], how="left")
        .select(
            "submission_id",
            "return_name",
            is_nil=pl.col("rows_read").is_null(),
            **{name: pl.lit(0) for name in ("rows_quarantined", "errors", "queries")},
            rows_read=pl.col("rows_read").fill_null(0),
            rows_accepted=pl.col("rows_read").fill_null(0),
        ),
    )
    return rows


def _with_columns_of(frame: pl.DataFrame, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    frame = frame.with_columns(
        sheet_row=pl.int_range(pl.len(), dtype=pl.Int64) + 2, row_status=pl.lit("accepted")
    )
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in schema.items()
    )


def _replace(settings: Settings, name: str, frame: pl.DataFrame) -> None:
    path = settings.validated / f"{name}.parquet"
    schema = pl.read_parquet_schema(path)
    frame.select(
        (pl.col(column) if column in frame.columns else pl.lit(None)).cast(kind).alias(column)
        for column, kind in schema.items()
    ).write_parquet(path)


def _quarters(span: list[Quarter]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "quarter": [q.label for q in span],
            "financial_year": [q.financial_year for q in span],
            "quarter_number": [q.number for q in span],
            "quarter_index": [q.index for q in span],
            "first_day": [q.first_day for q in span],
            "last_day": [q.last_day for q in span],
        }
    )


def _places() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Nations, groups, authorities, voluntary agencies; who belongs where. One authority in
    ten moves to the next group in the middle of the second year."""
    rows, members = [], []
    for nation, name in ((WALES, "Wales"), (ENGLAND, "England")):
        rows.append((nation, name, "nation", nation))
        kind, groups = GROUPS[nation]
        for number in range(groups):
            rows.append((f"{name.upper()}_GROUP_{number}", f"Group {number}", kind, nation))
        for number in range(VOLUNTARY[nation]):
            code = f"{name.upper()}_VOLUNTARY_{number}"
            rows.append((code, f"Voluntary {number}", "voluntary_agency", nation))
        for number in range(AUTHORITIES[nation]):
            code = f"{nation[0]}06{number:06}"
            rows.append((code, f"Authority {number}", "authority", nation))
            group, following = number % groups, (number + 1) % groups
            moved = datetime(2016, 8, 15).date() if number % 10 == 0 else None
            before = datetime(2016, 8, 14).date() if moved else None
            members.append((code, f"{name.upper()}_GROUP_{group}", "member", None, before))
            if moved:
                members.append((code, f"{name.upper()}_GROUP_{following}", "member", moved, None))
    places = pl.DataFrame(
        rows, schema=["place_code", "name_en", "kind", "nation_code"], orient="row"
    ).with_columns(name_cy=pl.col("name_en"), status=pl.lit("proposed"), source=pl.lit("invented"))
    memberships = pl.DataFrame(
        members,
        schema={
            "member_code": pl.String,
            "parent_code": pl.String,
            "role": pl.String,
            "since": pl.Date,
            "until": pl.Date,
        },
        orient="row",
    ).with_columns(status=pl.lit("proposed"), source=pl.lit("invented"))
    return places, memberships


def _due(places: pl.DataFrame, span: list[Quarter]) -> pl.DataFrame:
    returns = pl.DataFrame(
        [
            ("authority", "child"),
            ("region", "adopter"),
            ("regional_agency", "adopter"),
            ("voluntary_agency", "adopter"),
            ("region", "support"),
            ("regional_agency", "support"),
        ],
        schema=["kind", "return_name"],
        orient="row",
    )
    return (
        places.join(returns, on="kind")
        .join(pl.DataFrame({"quarter": [q.label for q in span]}), how="cross")
        .select("return_name", "quarter", sender_code="place_code")
    )


def _submissions(due: pl.DataFrame, chance: np.random.Generator) -> pl.DataFrame:
    sent = due.select("sender_code", "quarter").unique().sort("quarter", "sender_code")
    sent = sent.filter(pl.Series(chance.random(sent.height) >= MISSING))
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    return sent.with_columns(
        submission_id=pl.format("invented-{}", number),
        delivery_number=number,
        received_at=pl.lit(datetime(2026, 1, 1)),
        sha256=pl.format("{}", number),
        version=pl.lit(1),
        status=pl.lit("accepted"),
        is_late=pl.lit(False),
        is_synthetic=pl.lit(True),
    )


def _children(
    places: pl.DataFrame, span: list[Quarter], each_quarter: int, chance: np.random.Generator
) -> pl.DataFrame:
    """A row for each child and quarter on the books, with the dates known by its last day."""
    count = each_quarter * (len(span) + QUARTERS_ON_THE_BOOKS) // QUARTERS_ON_THE_BOOKS
    authorities = places.filter(pl.col("kind") == "authority")["place_code"].to_numpy()
    epoch = np.datetime64(span[0].first_day)
    days = (span[-1].last_day - span[0].first_day).days
    referred = chance.integers(-91 * QUARTERS_ON_THE_BOOKS, days, count)

    def after(earlier: np.ndarray, mean: int) -> np.ndarray:
        return earlier + chance.gamma(2.0, mean / 2, count).astype(int)

    decided = after(referred, 90)
    ordered = after(decided, 90)
    matched = after(ordered, 180)
    placed = after(matched, 30)
    adopted = after(placed, 260)
    ended = chance.random(count) < 0.15
    dates = {
        "entered_care_on": referred - chance.integers(10, 300, count),
        "referred_on": referred,
        "should_be_placed_decision_on": decided,
        "placement_order_on": ordered,
        "referred_to_register_on": after(ordered, 20),
        "matched_on": matched,
        "placed_on": placed,
        "adoption_order_on": adopted,
        "life_journey_materials_on": after(placed, 60),
    }

    def one_of(codes: Sequence[str | None], weights: list[float] | None = None) -> np.ndarray:
        return chance.choice(np.array(codes, dtype=object), count, p=weights)

    yes_no = ["yes", "no", "unknown"]
    child = pl.DataFrame(
        {name: epoch + np.asarray(value, dtype="timedelta64[D]") for name, value in dates.items()}
        | {
            "sender_code": authorities[chance.integers(0, len(authorities), count)],
            "child_pseudonym": np.char.mod("%032x", np.arange(count)),
            "birth_month": (epoch + (referred - chance.integers(0, 3_000, count)).astype(int))
            .astype("datetime64[M]")
            .astype("datetime64[D]"),
            "siblings_placed_together": chance.choice([1, 2, 3], count, p=[0.6, 0.3, 0.1]),
            "last_on": epoch + np.where(ended, decided + 200, adopted),
        }
    ).with_columns(
        sex=pl.Series(one_of(["female", "male", "unknown"], [0.48, 0.5, 0.02]).tolist()),
        ethnicity_group=pl.Series(
            one_of(
                ["white", "mixed", "asian", "black", "other", "not_stated", "unknown"],
                [0.76, 0.1, 0.03, 0.03, 0.02, 0.02, 0.04],
            ).tolist()
        ),
        is_disabled=pl.Series(one_of(yes_no, [0.05, 0.9, 0.05]).tolist()),
        has_additional_needs=pl.Series(one_of(yes_no, [0.3, 0.6, 0.1]).tolist()),
        authority_to_place=pl.lit("placement_order"),
        early_permanence=pl.Series(
            one_of(
                ["none", "fostering_for_adoption", "concurrent", "unknown"],
                [0.8, 0.12, 0.03, 0.05],
            ).tolist()
        ),
        placement_source=pl.Series(
            one_of(["in_region", "in_nation", "outside_nation"], [0.7, 0.2, 0.1]).tolist()
        ),
        placement_provider=pl.Series(one_of(["PR1", "PR2", "PR5"], [0.7, 0.2, 0.1]).tolist()),
        is_adopting_together_placement=pl.Series(one_of(yes_no, [0.05, 0.9, 0.05]).tolist()),
        family_finding_status=pl.Series(one_of(["active", "on_hold", "not_started"]).tolist()),
        plan_ended_on=pl.when(pl.Series(ended)).then(pl.col("last_on")),
    )
    panel = _on_the_books(child, span, "referred_on")
    known = [*dates, "plan_ended_on"]
    ends = pl.col("plan_ended_on")
    unplaced = pl.col("placed_on").is_null()
    return (
        panel.with_columns(
            pl.when(pl.col(name) <= pl.col("last_day"), ends.is_null() | (pl.col(name) <= ends))
            .then(pl.col(name))
            .alias(name)
            for name in known
        )
        .with_columns(
            pl.when(~unplaced).then(pl.col(name)).alias(name)
            for name in (
                "placement_source",
                "placement_provider",
                "is_adopting_together_placement",
            )
        )
        .with_columns(plan_ended_reason=pl.when(ends.is_not_null()).then(pl.lit("other")))
    )


def _on_the_books(frame: pl.DataFrame, span: list[Quarter], since: str) -> pl.DataFrame:
    """One row for each quarter between ``since`` and ``last_on``."""
    ends = pl.Series([q.last_day for q in span])
    first = np.searchsorted(ends.to_numpy(), frame[since].to_numpy())
    last = np.searchsorted(ends.to_numpy(), frame["last_on"].to_numpy())
    until = np.clip(last, None, len(span) - 1) + 1
    return (
        frame.with_columns(at=pl.int_ranges(pl.Series(first), pl.Series(until)))
        .explode("at")
        .filter(pl.col("at").is_not_null())
        .with_columns(
            quarter=pl.col("at").replace_strict(
                dict(enumerate(q.label for q in span)), return_dtype=pl.String
            ),
            last_day=pl.col("at").replace_strict(dict(enumerate(ends)), return_dtype=pl.Date),
        )
    )


def _households(
    due: pl.DataFrame, span: list[Quarter], each_quarter: int, chance: np.random.Generator
) -> pl.DataFrame:
    count = each_quarter * (len(span) + QUARTERS_ON_THE_BOOKS) // QUARTERS_ON_THE_BOOKS
    senders = due.filter(pl.col("return_name") == "adopter")["sender_code"].unique().sort()
    epoch = np.datetime64(span[0].first_day)
    days = (span[-1].last_day - span[0].first_day).days
    enquired = chance.integers(-91 * QUARTERS_ON_THE_BOOKS, days, count)
    day = enquired
    dates = {"enquired_on": enquired}
    for name, mean in (
        ("initial_meeting_on", 15),
        ("registered_on", 30),
        ("stage_one_started_on", 5),
        ("stage_one_completed_on", 70),
        ("stage_two_started_on", 20),
        ("approved_on", 130),
        ("matched_on", 200),
        ("placed_on", 30),
    ):
        day = day + chance.gamma(2.0, mean / 2, count).astype(int)
        dates[name] = day
    flags = (
        *("is_fast_track", "is_willing_sibling_group", "is_willing_aged_five_and_over"),
        *("is_willing_additional_needs", "is_willing_early_permanence"),
    )
    household = pl.DataFrame(
        {name: epoch + np.asarray(value, dtype="timedelta64[D]") for name, value in dates.items()}
        | {
            "sender_code": senders.to_numpy()[chance.integers(0, len(senders), count)],
            "household_pseudonym": np.char.mod("%032x", np.arange(count)),
            "adopters_in_household": chance.choice(["1", "2"], count, p=[0.2, 0.8]),
            "last_on": epoch + day,
        }
        | {flag: chance.choice(["yes", "no", "unknown"], count) for flag in flags}
    )
    return _on_the_books(household, span, "enquired_on").with_columns(
        pl.when(pl.col(name) <= pl.col("last_day")).then(pl.col(name)).alias(name) for name in dates
    )


def _support(due: pl.DataFrame, chance: np.random.Generator) -> pl.DataFrame:
    sent = due.filter(pl.col("return_name") == "support").select("sender_code", "quarter")
    counts = (
        *("support_requests", "support_assessments_started", "support_assessments_completed"),
        *("support_plans_agreed", "families_receiving_support", "birth_parents_offered_support"),
        *("birth_parents_taking_up_support", "contact_arrangements_active", "contact_exchanges"),
    )
    return sent.with_columns(
        pl.Series(name, chance.integers(0, 60, sent.height)) for name in counts
    )


# --- measuring -----------------------------------------------------------------------------


def _dbt(home: Path, command: str, *arguments: str) -> list[str]:
    (home / "build").mkdir(parents=True, exist_ok=True)
    folders = {
        "--project-dir": DBT_PROJECT,
        "--profiles-dir": DBT_PROJECT,
        "--target-path": home / "target",
        "--log-path": home / "logs",
    }
    places = [text for option, folder in folders.items() for text in (option, str(folder))]
    return [sys.executable, "-m", "dbt.cli.main", command, *arguments, *places]


def _figures(home: Path) -> tuple[int, int, float]:
    """Rows of totals and of parts, and the seconds to read the parts of one quarter back."""
    import duckdb

    with duckdb.connect(str(home / "build" / "warehouse.duckdb"), read_only=True) as connection:
        counted = [
            connection.execute(f"select count(*) from marts.{table}").fetchone()  # noqa: S608
            for table in ("fct_indicator", "fct_indicator_part")
        ]
        started = time.perf_counter()
        connection.execute(
            "select place_code, breakdown, breakdown_label_en, indicator_id, sum(value)"
            " from marts.rpt_indicator_breakdown"
            " where quarter = (select max(quarter) from marts.dim_quarter) group by all"
        ).fetchall()
    totals, parts = (row[0] if row else 0 for row in counted)
    return totals, parts, time.perf_counter() - started


def _slowest(home: Path) -> list[tuple[float, str]]:
    results = json.loads((home / "target" / "run_results.json").read_text(encoding="utf-8"))
    times = [(r["execution_time"], r["unique_id"].split(".")[2]) for r in results["results"]]
    return sorted(times, reverse=True)[:8]


if __name__ == "__main__":
    main()
