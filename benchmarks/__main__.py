"""What the program costs, in one run: every figure beside the import of its frameworks.

    python benchmarks                      everything but national size and backlog
    python benchmarks build check          only these parts
    python benchmarks --data FOLDER build  on a finished sample run, without making one
    python benchmarks --write              also writes docs/performance.md

Parts, with their target as a ratio to the floor: importing dagster, dagster-dbt, dbt, Great
Expectations, polars and duckdb once. Machines differ, and a machine with other work is slower by
itself: quote the ratios of one run. National size, backlog and disclosure control at full size are
programs of their own beside this one, as they take longer: national.py, backlog.py, disclosure.py.
Not on Windows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from measuring import Row, measure, row, show

from pipelines.quarters import Quarter
from pipelines.settings import CHECKOUT

QUARTER = Quarter(2020, 4)
CHILDREN = 500
HERE = Path(__file__).parent
PAGE = CHECKOUT / "docs" / "performance.md"
BEGIN, END = "<!-- made by benchmarks: begin -->", "<!-- made by benchmarks: end -->"
PROGRAM = [sys.executable, "-m", "pipelines.cli"]
FRAMEWORKS = (
    "import dagster, dagster_dbt, dbt.cli.main, great_expectations, polars, duckdb",
    "importing the frameworks",
)


@dataclass(frozen=True)
class Bench:
    """A finished sample run to work on, which a part may change: each gets what the last left."""

    home: Path
    environment: Mapping[str, str]


def sample(bench: Bench) -> Iterator[Row]:
    """The sample run, from the generator to files and pack: 52 senders, 12 quarters."""
    shutil.rmtree(bench.environment["ADOPTION_DATA"], ignore_errors=True)
    measure([*PROGRAM, "prepare"], bench.environment)
    yield row("sample run", measure([*PROGRAM, "sample-run"], bench.environment))


def build(bench: Bench) -> Iterator[Row]:
    """The warehouse built in full; one more return taken in and its figures published."""
    yield row("full build", measure([*PROGRAM, "build"], bench.environment))
    with tempfile.TemporaryDirectory(dir=bench.home) as folder:
        more = Path(folder) / "one-more.xlsx"
        _write("one_more", more)
        taken = measure([*PROGRAM, "take-in", "--build", str(more)], bench.environment)
    yield row("one more return, figures published", taken)


def check(bench: Bench) -> Iterator[Row]:
    """A check of a workbook of 500 children, cold: as a sender meets it."""
    with tempfile.TemporaryDirectory(dir=bench.home) as folder:
        home = Path(folder)
        _write("many", home / "now.xlsx")
        command = [*PROGRAM, "check", str(home / "now.xlsx")]
        marked = ["--out", str(home / "report.xlsx"), "--marked", str(home / "marked.xlsx")]
        for name, options in (
            ("quick check of 500 children", []),
            ("the same with report and marked copy", marked),
            ("full check by Great Expectations", ["--full"]),
        ):
            yield row(name, measure([*command, *options], bench.environment, (0, 1)))


def convert(bench: Bench) -> Iterator[Row]:
    """Yearly files of three years with 5,000 episodes, converted; and converted and checked."""
    with tempfile.TemporaryDirectory(dir=bench.home) as folder:
        years, made = Path(folder) / "years", Path(folder) / "made"
        _write("years", years)
        words = [str(years), "--sender", "E06000022"]
        note = "12 quarters"
        command = [*PROGRAM, "convert", *words, "--out", str(made)]
        yield row("three yearly files converted", measure(command, bench.environment), note)
        cost = measure([*PROGRAM, "check", *words], bench.environment, (0, 1))
        yield row("three yearly files converted, checked", cost, note)


def pack(bench: Bench) -> Iterator[Row]:
    """One performance pack in both languages, and those of every place of Wales."""
    for name, words in (
        ("one pack, both languages", ["Cardiff"]),
        ("all packs of Wales, both languages", ["--nation", "Wales"]),
    ):
        with tempfile.TemporaryDirectory(dir=bench.home) as folder:
            command = [*PROGRAM, "pack", *words, QUARTER.label, "--out", folder]
            cost = measure(command, bench.environment)
            yield row(name, cost, f"{len(list(Path(folder).iterdir()))} pages")


def rules(bench: Bench) -> Iterator[Row]:
    """The row rules on 26,000 and 260,000 rows, by polars and by Great Expectations."""
    for count in (26_000, 260_000):
        yield from _other("rules.py", bench, "--rows", str(count))


def ui(bench: Bench) -> Iterator[Row]:
    """The Dagster UI until a person can work with it."""
    yield from _other("ui.py", bench, "--data", bench.environment["ADOPTION_DATA"], "--times", "1")


PARTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "sample": sample,
    "build": build,
    "check": check,
    "convert": convert,
    "pack": pack,
    "rules": rules,
    "ui": ui,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS), metavar="PART")
    parser.add_argument("--data", type=Path, help="a finished sample run, copied before use")
    parser.add_argument("--key", type=Path, help="the pseudonym key of --data")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}: {', '.join(PARTS)}")
    if (options.data is None) != (options.key is None):
        parser.error("--data and --key belong together")
    with tempfile.TemporaryDirectory(prefix="adoption-benchmark-") as folder:
        home = Path(folder)
        environment = {
            **os.environ,
            "ADOPTION_DATA": str(home / "data"),
            "ADOPTION_KEY_FILE": str(options.key or home / "keys" / "key"),
        }
        chosen = [name for name in PARTS if not options.parts or name in options.parts]
        if options.data:
            shutil.copytree(options.data, home / "data")
            chosen = [name for name in chosen if name != "sample"]
        elif "sample" not in chosen:
            measure([*PROGRAM, "sample-run"], environment)
        statement, name = FRAMEWORKS
        floor = measure([sys.executable, "-c", statement])
        rows = [row(name, floor, "the floor")]
        for part in chosen:
            rows += PARTS[part](Bench(home, environment))
    show(rows, floor.cpu)
    if options.write:
        _write_page(rows, floor.cpu)


def _write(what: str, path: Path) -> None:
    """In a process of its own: a child's peak memory counts that of the parent it came from."""
    call = {
        "one_more": "write_one_more(path, quarter)",
        "many": f"write_many(path, quarter, {CHILDREN})",
        "years": "write_years(path)",
    }[what]
    code = (
        "import sys; from pathlib import Path; from pipelines.quarters import Quarter\n"
        "from invented import write_many, write_one_more, write_years\n"
        f"path, quarter = Path(sys.argv[1]), Quarter.parse({QUARTER.label!r}); {call}"
    )
    search = os.pathsep.join([str(HERE), str(CHECKOUT)])
    environment = {**os.environ, "PYTHONPATH": search}
    subprocess.run([sys.executable, "-c", code, str(path)], env=environment, check=True)


def _other(program: str, bench: Bench, *arguments: str) -> Iterator[Row]:
    answer = subprocess.run(
        [sys.executable, str(HERE / program), "--json", *arguments],
        env=dict(bench.environment),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    yield from (Row(**each) for each in json.loads(answer.stdout))


def _write_page(rows: list[Row], floor: float) -> None:
    """Put the table between the marks of the page; the rest of it is written by hand."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True
    ).stdout.strip()
    lines = [
        BEGIN,
        f"{datetime.now(UTC):%d %B %Y}, commit {commit or 'unknown'}, {os.cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}.",
        "",
        "| What | wall s | CPU s | CPU, ratio to the floor | peak MiB | |",
        "|---|---:|---:|---:|---:|---|",
        *(
            f"| {each.name} | {each.wall:.1f} | {each.cpu:.1f} | {each.cpu / floor:.1f} | "
            f"{f'{each.peak_mib:.0f}' if each.peak_mib else ''} | {each.note} |"
            for each in rows
        ),
        END,
    ]
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{chr(10).join(lines)}{after}", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
