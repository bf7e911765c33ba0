"""What it costs to have the Dagster UI open, in one run.

    python benchmarks/ui.py [--data FOLDER] [--times 2]

Starts ``adoption ui`` on a free port and waits until a person could work with it: the web server
answers, and it has loaded every asset of the code. Then it lets the daemon settle and adds up the
memory of all processes started. Without ``--data`` it uses an empty temporary folder. Prints the
seconds until ready, the CPU seconds of the whole tree until then, and the memory by process.
The target is 25 s and 750 MB on 2 cores.

Memory is the resident set that `ps` reports, so pages that processes share count once for each:
the true sum is smaller, and printed as well on Linux. Not for Windows, which has no `ps`.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from measuring import Row, show

from pipelines.ui.door import TOKEN_VARIABLE, cookie_name

TOKEN = secrets.token_urlsafe(32)
READY_WITHIN_SECONDS = 25.0
AT_MOST_MB = 750.0
GIVE_UP_AFTER_SECONDS = 180.0
SETTLE_SECONDS = 15.0

LOADED = """
{ repositoriesOrError {
    __typename
    ... on RepositoryConnection { nodes { assetNodes { id } } }
    ... on PythonError { message }
} }
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--data", type=Path, help="data folder; default: an empty one")
    arguments.add_argument("--json", action="store_true", help="print rows for the common table")
    arguments.add_argument("--times", type=int, default=2, help="how often; the first warms disks")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="adoption-ui-") as folder:
        data = (chosen.data or Path(folder) / "data").resolve()
        environment = {
            **os.environ,
            TOKEN_VARIABLE: TOKEN,
            "ADOPTION_DATA": str(data),
            "ADOPTION_KEY_FILE": os.environ.get("ADOPTION_KEY_FILE", str(Path(folder) / "key")),
        }
        command = [sys.executable, "-m", "pipelines.cli"]
        subprocess.run([*command, "prepare"], env=environment, check=True)
        rows = [_measure(command, environment, chosen.json) for _ in range(chosen.times)]
        if chosen.json:
            show(rows, 1.0, as_json=True)


def _measure(command: list[str], environment: dict[str, str], is_quiet: bool) -> Row:
    port = _free_port()
    started = time.perf_counter()
    with running([*command, "ui", "--port", str(port)], environment) as process:
        answers = _wait(lambda: _get(port, "/server_info"), started, process)
        assets = _wait(lambda: _assets(port), started, process)
        ready = time.perf_counter() - started
        cpu = sum(item.cpu for item in tree(process.pid))
        time.sleep(SETTLE_SECONDS)
        processes = tree(process.pid)
    total = sum(item.mb for item in processes)
    row = Row("UI ready", ready, cpu, total, f"{len(processes)} processes, memory of all")
    if is_quiet:
        return row
    version = json.loads(answers)["dagster_version"]
    print(f"Dagster {version}, {assets} assets: ready after {ready:.1f} s wall, {cpu:.1f} s CPU")
    for item in sorted(processes, key=lambda item: -item.mb):
        print(f"  {item.mb:6.0f} MB  {item.command}")
    shared_once = sum(_proportional(item.pid) for item in processes)
    remark = f" ({shared_once:.0f} MB with shared pages counted once)" if shared_once else ""
    print(f"  {total:6.0f} MB  all {len(processes)} processes{remark}")
    for unit, value, limit in (
        ("seconds until ready", ready, READY_WITHIN_SECONDS),
        ("MB", total, AT_MOST_MB),
    ):
        if value > limit:
            print(f"  over the target: {value:.0f} {unit}, at most {limit:.0f}")
    return row


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Generator[subprocess.Popen[bytes]]:
    """A program with all it starts, ended as Ctrl-C ends it; what is left then is killed."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield process
        except BaseException:
            output.seek(0)
            sys.stderr.write(output.read().decode("utf-8", "replace")[-4000:])
            raise
        finally:
            left = [item.pid for item in tree(process.pid)]
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                for pid in left:
                    _kill(pid)
                process.wait()


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


class Process:
    """One line of `ps`: identifier, its parent's, resident MB, CPU seconds, what it is."""

    def __init__(self, line: str) -> None:
        pid, parent, kilobytes, spent, command = line.split(None, 4)
        self.pid, self.parent = int(pid), int(parent)
        self.mb = int(kilobytes) * 1024 / 1e6
        self.cpu = _seconds(spent)
        self.command = _shortened(command)


def tree(root: int) -> list[Process]:
    """``root`` and everything it started, directly or not."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,rss=,time=,command="],
        capture_output=True,
        text=True,
        check=True,
    )
    processes = [Process(line) for line in listed.stdout.splitlines()]
    family = {root}
    for _ in processes:  # as often as there can be generations
        family |= {item.pid for item in processes if item.parent in family}
    return [item for item in processes if item.pid in family]


def _proportional(pid: int) -> float:
    """MB of a process, each page divided by the number of processes that share it; Linux only."""
    try:
        usage = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    (kilobytes,) = (line.split()[1] for line in usage.splitlines() if line.startswith("Pss:"))
    return int(kilobytes) * 1024 / 1e6


def _seconds(spent: str) -> float:
    """Of `[[days-]hours:]minutes:seconds`."""
    days, _, rest = spent.rpartition("-")
    total = float(days or 0) * 86400
    for place, part in enumerate(reversed(rest.split(":"))):
        total += float(part) * 60**place
    return total


def _shortened(command: str) -> str:
    words = command.split()
    return " ".join(Path(word).name if "/" in word else word for word in words)[:100]


def _wait(ask, started: float, process: subprocess.Popen[bytes]):
    while time.perf_counter() - started < GIVE_UP_AFTER_SECONDS:
        if process.poll() is not None:
            raise SystemExit("the program ended before it was ready")
        try:
            answer = ask()
        except (OSError, urllib.error.URLError):
            answer = None
        if answer:
            return answer
        time.sleep(0.2)
    raise SystemExit(f"not ready after {GIVE_UP_AFTER_SECONDS:.0f} s")


def _get(port: int, path: str) -> bytes:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=_own_page(port))
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def _own_page(port: int) -> dict[str, str]:
    """What a page of this server sends after the login."""
    return {"Origin": f"http://127.0.0.1:{port}", "Cookie": f"{cookie_name(port)}={TOKEN}"}


def _assets(port: int) -> int:
    """How many assets the web server knows; 0 while the code is loading."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": LOADED}).encode(),
        headers={"Content-Type": "application/json", **_own_page(port)},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        loaded = json.load(answer)["data"]["repositoriesOrError"]
    if loaded["__typename"] != "RepositoryConnection":
        raise SystemExit(f"the code cannot be loaded: {loaded.get('message', loaded)}")
    return sum(len(node["assetNodes"]) for node in loaded["nodes"])


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


if __name__ == "__main__":
    main()
