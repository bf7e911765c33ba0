"""Pages in headless Chromium, as far as a test can see them: what axe finds in them."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parent / "data" / "axe-core"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
# WCAG 2.2 A and AA, and what axe calls best practice.
_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_RUN = """
addEventListener("load", () => axe.run(document, {runOnly: {type: "tag", values: TAGS}}).then(
  found => {
    const told = {
      rules: found.passes.length,
      violations: found.violations.map(one => [one.id, one.nodes.map(node => node.html)]),
    };
    document.body.innerHTML = "<pre id=found></pre>";
    document.getElementById("found").textContent = JSON.stringify(told);
  }
));
"""


def chromium() -> str:
    """The browser's path; without one the test is skipped, or fails where CI should have it."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        missing = "no Chromium: install the system's package chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return found  # type: ignore[return-value]


def axe_script() -> str:
    script = gzip.decompress((AXE / "axe.min.js.gz").read_bytes())
    digest = hashlib.sha256(script).hexdigest()
    assert digest in (AXE / "README.md").read_text(encoding="utf-8")
    return script.decode("utf-8")


def looked_at(page: str, width: int, folder: Path) -> dict[str, Any]:
    """What axe finds in a page shown ``width`` pixels wide (Chromium's least is 500).

    ``rules`` is how many it passed, ``violations`` are pairs of a rule and the elements at fault.
    """
    browser = chromium()
    scripts = "".join(
        "<script>" + script.replace("</script", "<\\/script") + "</script>"
        for script in (axe_script(), _RUN.replace("TAGS", json.dumps(_TAGS)))
    )
    copy = folder / "page.html"
    copy.write_text(page.replace("</body>", f"{scripts}</body>"), encoding="utf-8")
    run = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-sync"),
            *("--disable-component-update", f"--user-data-dir={folder / 'profile'}"),
            *(f"--window-size={width},1000", "--virtual-time-budget=30000", "--dump-dom"),
            copy.as_uri(),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    told = re.search(r'<pre id="found">(.*?)</pre>', run.stdout, re.DOTALL)
    assert told is not None, f"axe said nothing: {run.stderr[-500:]}"
    return json.loads(html.unescape(told[1]))
