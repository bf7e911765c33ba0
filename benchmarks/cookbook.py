"""Every query of the SQL cookbook on one warehouse: seconds each, best of three.

    python benchmarks/cookbook.py           the published warehouse
    python benchmarks/cookbook.py FOLDER    warehouse.duckdb and restricted.duckdb of a folder

Each query runs on a connection of its own, as for somebody who asks one question; the time to
open it is included. Limit: one second. Ends with 1 when a query takes longer or cannot be run.
Machines differ: quote the machine.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

import duckdb

from pipelines.settings import CHECKOUT, Settings

LIMIT = 1.0  # seconds
TIMES = 3
QUERIES = re.compile(r"```sql\n(.*?)```", flags=re.DOTALL)


def main() -> int:
    settings = Settings.from_environment()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=settings.marts)
    folder = parser.parse_args().folder
    warehouse, restricted = folder / "warehouse.duckdb", folder / "restricted.duckdb"
    if not warehouse.exists():
        print(f"{warehouse} does not exist", file=sys.stderr)
        return 2
    page = (CHECKOUT / "docs" / "sql-cookbook.md").read_text(encoding="utf-8")
    slowest, failed, left_out = 0.0, 0, 0
    print(f"{warehouse}, {warehouse.stat().st_size / 1e6:,.0f} MB")
    print(f"{'first s':>8}  {'best s':>8}  {'rows':>6}  query")
    for title, query in _queries(page):
        if "restricted." in query and not restricted.exists():
            left_out += 1
            continue
        try:
            measured = [_seconds(warehouse, restricted, query) for _ in range(TIMES)]
        except duckdb.Error as error:
            failed += 1
            print(f"{'FAILED':>8}  {title}: {error}")
            continue
        first, best = measured[0][0], min(seconds for seconds, _ in measured)
        slowest = max(slowest, first)
        mark = "" if first <= LIMIT else "   OVER THE LIMIT"
        print(f"{first:8.3f}  {best:8.3f}  {measured[0][1]:6,}  {title}{mark}")
    print(f"slowest {slowest:.3f} s of {LIMIT:.0f} s allowed; {failed} failed; {left_out} left out")
    return int(failed > 0 or slowest > LIMIT)


def _queries(page: str) -> list[tuple[str, str]]:
    """Each query with the sentence before it."""
    queries = []
    for match in QUERIES.finditer(page):
        before = page[: match.start()].strip().rsplit("\n\n", 1)[-1]
        queries.append((" ".join(before.split())[:78], match[1]))
    return queries


def _seconds(warehouse: Path, restricted: Path, query: str) -> tuple[float, int]:
    """Wall seconds from opening the file to the last row, and how many rows there were."""
    started = time.perf_counter()
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        if "restricted." in query:
            path = str(restricted).replace("'", "''")
            connection.execute(f"attach '{path}' as restricted (read_only)")
        rows = connection.execute(query).fetchall()
    return time.perf_counter() - started, len(rows)


if __name__ == "__main__":
    sys.exit(main())
