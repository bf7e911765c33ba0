"""What the rules cost, by polars and by Great Expectations, in one run.

    python benchmarks/rules.py [--rows 260000] [--polars-only]

Invents typed rows of children (seeded; a hundredth of them spoilt) of 175 senders and the same
children a quarter earlier, and checks them against all rules, those that compare with the last
return included. Prints CPU seconds beside the number of rules; the import of Great Expectations
is measured by itself. Machines differ: quote the ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from measuring import Row, show

from expectations.reference_data import ReferenceData
from expectations.suite import QuarterResult, validate_quarter
from pipelines.declarations import Declarations
from pipelines.intake.prior_period import NOTHING_SET_ASIDE, plain_keys, reference_data_of_file
from pipelines.quarters import Quarter
from pipelines.readers.casting import validated_frame
from pipelines.settings import SOURCES

NOW = Quarter(2025, 1)
SENDERS = 175
SPOILT = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=260_000)
    parser.add_argument("--polars-only", action="store_true")
    parser.add_argument("--json", action="store_true", help="print rows for the common table")
    options = parser.parse_args()
    declarations = Declarations(SOURCES)
    now, last = (invent(declarations, options.rows, quarter) for quarter in (NOW, NOW.plus(-1)))
    reference_data, joined = _timed(lambda: _all_senders(declarations, now, last))
    by_polars, seconds = _timed(lambda: _check(declarations, now, reference_data, "polars"))
    rows = [
        Row(f"{options.rows:,} rows typed, two quarters", 0, joined),
        _row("row rules, polars", options.rows, by_polars, seconds),
    ]
    if not options.polars_only:
        _, imported = _timed(_import_great_expectations)
        slow, seconds = _timed(
            lambda: _check(declarations, now, reference_data, "great_expectations")
        )
        if not slow.problems.equals(by_polars.problems):
            raise SystemExit("Great Expectations and polars name other problems")
        rows.append(Row("Great Expectations, import alone", 0, imported))
        rows.append(_row("row rules, Great Expectations", options.rows, slow, seconds))
    show(rows, rows[1].cpu, options.json)


def _check(
    declarations: Declarations, now: pl.DataFrame, reference_data: ReferenceData, engine: Any
) -> QuarterResult:
    return validate_quarter(
        "child", now, NOW, declarations, reference_data=reference_data, engine=engine
    )


def _row(name: str, count: int, result: QuarterResult, seconds: float) -> Row:
    note = f"{result.rules_run} rules, {count / seconds:,.0f} rows a CPU second"
    if result.crashes:
        note += f", {len(result.crashes)} crashed"
    return Row(f"{name}, {count:,} rows", 0, seconds, note=note)


def _all_senders(
    declarations: Declarations, now: pl.DataFrame, last: pl.DataFrame
) -> ReferenceData:
    """All senders at once, as in a collection, with keys in place of pseudonyms."""
    child = declarations.returns["child"]
    of_file = reference_data_of_file(declarations, NOW, "S0", {"child": now}, submission_id="S0")
    return ReferenceData(
        key_of=plain_keys,
        now=of_file.now,
        sent=now.select(
            "submission_id", "sender_code", pl.lit("child").alias("return_name")
        ).unique(maintain_order=True),
        prior={"child": validated_frame(last, child, plain_keys, NOTHING_SET_ASIDE)},
        prior_senders={"child": frozenset(last["sender_code"].unique())},
        knows_other_senders=True,
    )


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def _import_great_expectations() -> None:
    import great_expectations  # noqa: F401
    import pandas  # noqa: F401


# --- inventing ------------------------------------------------------------------------------


def invent(declarations: Declarations, rows: int, quarter: Quarter) -> pl.DataFrame:
    """The typed frame of a quarter's children: the same children, as far as they had come."""
    chance = np.random.default_rng(260_903)
    day = np.datetime64("2022-01-01")

    def after(start: np.ndarray, low: int, high: int) -> np.ndarray:
        return start + chance.integers(low, high, rows).astype("timedelta64[D]")

    entered = day + chance.integers(0, 1100, rows).astype("timedelta64[D]")
    steps: dict[str, np.ndarray] = {"entered_care_on": entered}
    steps["date_of_birth"] = entered - chance.integers(30, 1500, rows).astype("timedelta64[D]")
    steps["referred_on"] = after(entered, 5, 90)
    steps["should_be_placed_decision_on"] = after(steps["referred_on"], 20, 120)
    steps["placement_order_on"] = after(steps["should_be_placed_decision_on"], 10, 90)
    steps["matched_on"] = after(steps["placement_order_on"], 20, 400)
    steps["placed_on"] = after(steps["matched_on"], 5, 40)
    steps["adoption_order_on"] = after(steps["placed_on"], 100, 300)
    known = {
        name: pl.Series(name, values.astype("datetime64[D]")).cast(pl.Date)
        for name, values in steps.items()
    }
    sender = np.array([f"S{number}" for number in range(SENDERS)])[np.arange(rows) % SENDERS]
    codes: dict[str, Any] = {
        "sex": chance.choice(["male", "female"], rows),
        "ethnicity_group": chance.choice(["white", "mixed", "asian", "black"], rows),
        "is_disabled": chance.choice(["yes", "no"], rows, p=[0.1, 0.9]),
        "has_additional_needs": chance.choice(["yes", "no"], rows, p=[0.2, 0.8]),
        "early_permanence": np.full(rows, "none"),
        "siblings_placed_together": np.ones(rows, dtype=np.int64),
        "siblings_placed_apart": np.zeros(rows, dtype=np.int64),
    }
    frame = pl.DataFrame(
        {
            "submission_id": sender,
            "sender_code": sender,
            "child_reference": [f"C{number:07d}" for number in range(rows)],
            **{name: series for name, series in known.items()},
            **codes,
        }
    )
    last_day = quarter.last_day
    of_match = pl.col("matched_on").is_not_null()
    frame = frame.with_columns(
        pl.when(pl.col(name) <= last_day).then(pl.col(name)).alias(name)
        for name in known
        if name not in ("date_of_birth", "entered_care_on", "referred_on")
    ).with_columns(
        authority_to_place=pl.when(pl.col("placement_order_on").is_not_null()).then(
            pl.lit("placement_order")
        ),
        is_foster_carer_adoption=pl.when(of_match).then(pl.lit("no")),
        placement_source=pl.when(of_match).then(pl.lit("in_region")),
        placement_provider=pl.when(of_match).then(pl.lit("PR1")),
    )
    return _spoilt(_typed(frame, declarations, quarter), chance, last_day)


def _typed(frame: pl.DataFrame, declarations: Declarations, quarter: Quarter) -> pl.DataFrame:
    kinds = {"string": pl.String, "date": pl.Date, "integer": pl.Int64}
    declared = declarations.returns["child"]
    return frame.select(
        "submission_id",
        "sender_code",
        pl.lit(quarter.label).alias("quarter"),
        pl.lit(declared.sheet.en).alias("sheet"),
        (pl.int_range(pl.len(), dtype=pl.Int64) // SENDERS + 5).alias("sheet_row"),
        *(
            (pl.col(each.name) if each.name in frame.columns else pl.lit(None)).cast(
                kinds[each.type]
            ).alias(each.name)
            for each in declared.fields
        ),
        *(
            pl.lit(True).alias(f"readable__{each.name}")
            for each in declared.fields
            if each.type != "string" or each.code_list
        ),
    )  # fmt: skip


def _spoilt(frame: pl.DataFrame, chance: np.random.Generator, last_day: date) -> pl.DataFrame:
    """A hundredth of the rows in each of several columns: blank, or dated on the last day."""
    names = ("sex", "entered_care_on", "should_be_placed_decision_on", "matched_on", "placed_on")
    changes = []
    for name in names:
        hit = pl.Series(chance.random(frame.height) < SPOILT / len(names))
        moved = pl.lit(last_day) if name.endswith("_on") else pl.lit(None, pl.String)
        changes.append(pl.when(hit).then(moved).otherwise(pl.col(name)).alias(name))
    return frame.with_columns(changes)


if __name__ == "__main__":
    main()
