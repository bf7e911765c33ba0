"""What protection and audit of a release cost, compared with writing its tables as they are.

    python benchmarks/disclosure.py --warehouse FILE [--body NAS] [--quarter 2020-21-Q4 ...]
    python benchmarks/disclosure.py --authorities 153

The first releases quarters of a published warehouse one after the other, each knowing what those
before published. The second makes up one measure in 153 authorities, 33 agencies and England, by
ten age bands times sex, in one quarter. Machines differ: quote the ratios.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.declarations import Declarations
from pipelines.declarations.disclosure import Rules, SubsetRelations
from pipelines.disclosure.cells import (
    CELL_SCHEMA,
    RATIO_SCHEMA,
    TOTAL,
    Relations,
    ReleaseCells,
    cells_of,
    window_relations,
)
from pipelines.disclosure.proof import proved
from pipelines.disclosure.protection import as_known
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES

AGENCIES, BANDS = 33, 10
EVER = {"first": 0, "last": 10**6}


def timed(name: str, work, floor: float | None = None):
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    ratio = f"{wall / floor:10.0f}" if floor else ""
    print(f"{name:<28}{wall:9.2f} s{cpu:9.2f} s of processor{ratio}", flush=True)
    return result, wall


def release(made: ReleaseCells, rules: Rules, known: pl.DataFrame | None, threads: int):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.csv"
        _, floor = timed("written unprotected", lambda: made.cells.write_csv(path))
    found, _ = timed(
        "protection and audit", lambda: proved(made, rules, known, threads, print), floor
    )
    print({**found.protected.report, **found.audit.figures, "passed": found.audit.passed})
    return found.protected


def from_warehouse(path: Path, body: str, quarters: list[Quarter], threads: int) -> None:
    """One release after the other, each knowing all before."""
    import duckdb

    declarations = Declarations(SOURCES)
    policy = declarations.disclosure_policy_of(body)
    known: pl.DataFrame | None = None
    for number, quarter in enumerate(quarters):
        rules = policy.rules_for(quarter)
        with duckdb.connect(str(path), read_only=True) as connection:
            made = cells_of(
                connection, policy.nation_code, quarter, declarations.subset_relations, known
            )
        print(f"{quarter}: {made.cells.height:,} cells")
        protected = release(made, rules, known, threads)
        published = as_known(made.cells, protected, rules, f"{number:012}")
        known = published if known is None else pl.concat([known, published])


def made_up(authorities: int) -> ReleaseCells:
    """Children placed, by age band and sex, in authorities of agencies of England."""
    lot = np.random.default_rng(153)
    quarter = Quarter(2025, 1)
    parts = [f"{band}_{sex}" for band in range(BANDS) for sex in ("boys", "girls")]
    agency = np.arange(authorities) % AGENCIES
    counts = lot.poisson(lot.gamma(1.0, 3.0, (authorities, 1)), (authorities, len(parts)))
    rows = []
    places = [(f"a{n:03}", [n]) for n in range(authorities)]
    places += [(f"g{n:02}", np.flatnonzero(agency == n).tolist()) for n in range(AGENCIES)]
    places += [("england", list(range(authorities)))]
    for place, members in places:
        inside = counts[members].sum(axis=0)
        where = ("children_placed", place)
        rows.append((*where, TOTAL, TOTAL, "quarter", quarter.label, int(inside.sum())))
        rows += [
            (*where, "age_by_sex", part, "quarter", quarter.label, int(number))
            for part, number in zip(parts, inside, strict=True)
        ]
    members = [(f"g{agency[n]:02}", f"a{n:03}") for n in range(authorities)]
    members += [("england", f"g{n:02}") for n in range(AGENCIES)]
    relations = Relations(
        measures=pl.DataFrame(
            {
                "measure": ["children_placed"],
                "subject": ["child"],
                "is_stock": [False],
                "contributors": pl.Series([None], dtype=pl.String),
            }
        ),
        places=pl.DataFrame(members, schema=["parent", "member"], orient="row").select(
            pl.lit("child").alias("subject"),
            "parent",
            pl.lit("senders").alias("scheme"),
            "member",
            *(pl.lit(edge, pl.Int64).alias(name) for name, edge in EVER.items()),
        ),
        lives=pl.DataFrame(
            schema={"subject": pl.String, "place": pl.String, "first": pl.Int64, "last": pl.Int64}
        ),
        breakdowns=pl.DataFrame({"part": parts}).select(
            pl.lit("child").alias("subject"), pl.lit("age_by_sex").alias("breakdown"), "part"
        ),
        windows=window_relations(["quarter"], [quarter]),
        kinds=pl.DataFrame(
            [(place, "nation" if place == "england" else "authority") for place, _ in places],
            schema=["place", "kind"],
            orient="row",
        ),
        subset_relations=SubsetRelations(),
    )
    cells = pl.DataFrame(rows, schema=CELL_SCHEMA, orient="row")
    return ReleaseCells(cells, relations, pl.DataFrame(schema=RATIO_SCHEMA))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--warehouse", type=Path)
    parser.add_argument("--body", default="NAS")
    parser.add_argument("--quarter", nargs="+", default=["2020-21-Q4"])
    parser.add_argument("--authorities", type=int, default=153)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    if chosen.warehouse is not None:
        quarters = [Quarter.parse(label) for label in chosen.quarter]
        from_warehouse(chosen.warehouse, chosen.body, quarters, chosen.threads)
        print(f"memory at most {most_memory():,.0f} MiB")
        return
    made = made_up(chosen.authorities)
    print(f"{len(made.cells)} cells, {chosen.authorities} authorities")
    rules = Declarations(SOURCES).disclosure_policy_of("DFE").rules_for(Quarter(2025, 1))
    rules = rules.model_copy(update={"tiers": ()})
    release(made, rules, None, chosen.threads)
    print(f"memory at most {most_memory():,.0f} MiB")


def most_memory() -> float:
    """MiB this process held at most; Linux and macOS."""
    import resource

    divisor = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / divisor


if __name__ == "__main__":
    main()
