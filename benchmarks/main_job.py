"""What the main job costs, beside the floor, in one run.

    python benchmarks/main_job.py

Runs in a temporary folder: the sample run from generator to pack; one more return taken in and
the warehouse rebuilt; and the floor, the same national headline counts by plain DuckDB SQL on the
validated Parquet. Prints wall and CPU seconds and peak memory of the largest process. Machines
differ: quote the ratios.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.samples.population import population
from pipelines.settings import SOURCES
from pipelines.templates.workbook import write_return

QUARTER = "2020-21-Q4"
SENDER = "W06000015"  # Cardiff

FLOOR = """
import duckdb, sys
folder = sys.argv[1].replace("'", "''")
print(duckdb.sql(f'''
with q as (select * from '{folder}/validated/declarations/quarters.parquet'),
s as (
    select submission_id from '{folder}/validated/submissions.parquet'
    where status like 'accepted%'
    qualify row_number() over (partition by sender_code, quarter order by received_at desc) = 1
),
c as (
    select c.*, q.first_day, q.last_day,
           case when c.sender_code like 'W%' then 'Wales' else 'England' end as nation
    from read_parquet('{folder}/validated/child/*/*.parquet', union_by_name = true) c
    join s using (submission_id) join q using (quarter)
    where row_status = 'accepted'
)
select nation, quarter,
    count(*) filter (referred_on between first_day and last_day) as referred,
    count(*) filter (matched_on between first_day and last_day) as matched,
    count(*) filter (matched_on between first_day and last_day
        and matched_on > should_be_placed_decision_on + interval 6 month) as over_six_months,
    count(*) filter (placed_on between first_day and last_day) as placed,
    count(*) filter (adoption_order_on between first_day and last_day) as adopted,
    avg(placed_on - entered_care_on) filter (placed_on between first_day and last_day) as days
from c group by all order by 1, 2
''').fetchall()[-1])
"""


@dataclass(frozen=True)
class Cost:
    wall: float
    cpu: float
    peak_mib: float


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="adoption-benchmark-") as folder:
        home = Path(folder)
        environment = {
            **os.environ,
            "ADOPTION_DATA": str(home / "data"),
            "ADOPTION_KEY_FILE": str(home / "keys" / "key"),
        }
        program = [sys.executable, "-m", "pipelines.cli"]
        _measure([*program, "prepare"], environment)
        rows = [("sample run, all quarters", _measure([*program, "sample-run"], environment))]
        one_more = home / "one-more.xlsx"
        _write_one_more(one_more)
        taken = _measure([*program, "take-in", "--build", str(one_more)], environment)
        rows.append(("one more return, and rebuilt", taken))
        floor = _measure([sys.executable, "-c", FLOOR, str(home / "data")], environment)
        rows.append(("floor: plain DuckDB SQL", floor))
        print(f"{'':32}{'wall s':>9}{'CPU s':>9}{'peak MiB':>10}{'CPU / floor':>13}")
        for name, cost in rows:
            print(
                f"{name:32}{cost.wall:9.1f}{cost.cpu:9.1f}{cost.peak_mib:10.0f}"
                f"{cost.cpu / floor.cpu:13.1f}"
            )


def _write_one_more(path: Path) -> None:
    """A second version of one authority's latest return, with one child less."""
    declarations = Declarations(SOURCES)
    quarter = Quarter.parse(QUARTER)
    rows = dict(population(declarations, quarter, quarter).rows(SENDER, quarter))
    rows["child"] = rows["child"][:-1]
    cover = {
        "sender_code": SENDER,
        "quarter": QUARTER,
        "version": 2,
        "signed_off_by_role": "Synthetic benchmark",
        "signed_off_on": date(2021, 5, 20),
        "is_synthetic": "yes",
    }
    write_return(path, declarations, quarter, cover, rows)


def _measure(command: list[str], environment: dict[str, str]) -> Cost:
    """Run to the end; CPU of the whole tree, and the peak memory of its largest process."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        if os.waitstatus_to_exitcode(status):
            output.seek(0)
            raise SystemExit(f"{' '.join(command)}\n{output.read()}")
    mib = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / mib)


if __name__ == "__main__":
    main()
