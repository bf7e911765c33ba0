"""What the main job costs, compared with the floor, in one run.

    python benchmarks/main_job.py

Runs in a temporary folder: the sample run from generator to pack; one more return taken in and
the warehouse rebuilt; and the floor, the same national headline counts by plain DuckDB SQL on the
validated Parquet. Prints wall and CPU seconds and peak memory of the largest process. Machines
differ: quote the ratios.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from datetime import date
from pathlib import Path

from measuring import measure

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


def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    with tempfile.TemporaryDirectory(prefix="adoption-benchmark-") as folder:
        home = Path(folder)
        environment = {
            **os.environ,
            "ADOPTION_DATA": str(home / "data"),
            "ADOPTION_KEY_FILE": str(home / "keys" / "key"),
        }
        program = [sys.executable, "-m", "pipelines.cli"]
        measure([*program, "prepare"], environment)
        rows = [("sample run, all quarters", measure([*program, "sample-run"], environment))]
        one_more = home / "one-more.xlsx"
        _write_one_more(one_more)
        taken = measure([*program, "take-in", "--build", str(one_more)], environment)
        rows.append(("one more return, and rebuilt", taken))
        floor = measure([sys.executable, "-c", FLOOR, str(home / "data")], environment)
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


if __name__ == "__main__":
    main()
