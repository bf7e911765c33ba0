"""What performance packs cost: one authority's, a nation's own, and those of all its places.

    python benchmarks/pack.py [DATA]

DATA is a data folder with a published warehouse, such as a sample run leaves; without it a sample
run is made first, in a temporary folder. Prints wall and CPU seconds, peak memory and size of each
call as a user makes it, starting the program included. Limits: 5 s for one place, 120 s for all of
Wales in both languages; they are met or not in wall seconds of a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import measure

QUARTER = "2020-21-Q4"
CALLS = (
    ("Cardiff, one language", ("Cardiff", QUARTER, "--language", "en"), 5),
    ("Cardiff, both", ("Cardiff", QUARTER), 5),
    ("Wales itself, both", ("Wales", QUARTER), 5),
    ("every place of Wales, both", ("--nation", "Wales", QUARTER), 120),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", nargs="?", help="data folder with a published warehouse")
    data = parser.parse_args().data
    with tempfile.TemporaryDirectory(prefix="adoption-benchmark-") as folder:
        home = Path(folder)
        environment = {
            **os.environ,
            "ADOPTION_DATA": data or str(home / "data"),
            "ADOPTION_KEY_FILE": str(home / "keys" / "key"),
        }
        program = [sys.executable, "-m", "pipelines.cli"]
        if data is None:
            subprocess.run([*program, "sample-run"], env=environment, check=True)
        print(
            f"{'':28}{'wall s':>8}{'CPU s':>8}{'peak MiB':>10}{'pages':>7}{'MB':>7}{'limit s':>9}"
        )
        for number, (name, words, limit) in enumerate(CALLS):
            out = home / str(number)
            cost = measure([*program, "pack", *words, "--out", str(out)], environment)
            sizes = [path.stat().st_size for path in out.iterdir()]
            print(
                f"{name:28}{cost.wall:8.1f}{cost.cpu:8.1f}{cost.peak_mib:10.0f}{len(sizes):7}"
                f"{sum(sizes) / 1e6:7.1f}{limit:9}"
            )


if __name__ == "__main__":
    main()
