"""The page says what the command says, to this computer alone; looked at in a real browser.

Returns are invented and synthetic."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import openpyxl
import pytest

from pipelines.text.catalogue import Language
from pipelines.verdict import check_page
from pipelines.verdict.check import check_files
from pipelines.verdict.report import ValidationReport
from pipelines.verdict.report_lines import report_lines
from tests.browser import looked_at
from tests.live_browser import open_page
from tests.unit.returns_made import DECLARATIONS, child, children, workbook
from tests.unit.verdict.test_check import protected

pytest.importorskip("uvicorn")

# A file given by its bytes, as if a person had chosen it.
_CHOOSE = """{{
const bytes = Uint8Array.from(atob({content}), letter => letter.charCodeAt(0));
const chosen = new DataTransfer();
chosen.items.add(new File([bytes], {name}));
document.getElementById("file").files = chosen.files;
document.getElementById("go").click();
}}"""


@pytest.fixture(scope="module")
def address() -> Generator[str]:
    addresses: list[str] = []
    server = threading.Thread(
        target=check_page.serve, args=(DECLARATIONS, addresses.append), daemon=True
    )
    server.start()
    until = time.monotonic() + 30
    while True:
        try:
            urlopen(addresses[0], timeout=5).close()
            break
        except (IndexError, OSError):
            assert time.monotonic() < until
            time.sleep(0.1)
    yield addresses[0]


def choose(path: Path) -> str:
    content = base64.b64encode(path.read_bytes()).decode()
    return _CHOOSE.format(content=json.dumps(content), name=json.dumps(path.name))


def said_by_the_command(path: Path, language: Language) -> list[str]:
    [found] = check_files([path], DECLARATIONS, datetime.now(UTC))
    report = ValidationReport(
        found.submission, found.problems, DECLARATIONS, language, found.details
    )
    return [line.text for line in report_lines(report) if line.text]


def test_the_page_in_a_browser(address: str, tmp_path: Path) -> None:
    wrong = [*children(3), child("REF-9", sex="gibberish"), child("<b>REF</b>", matched_on="soon")]
    damaged = workbook(tmp_path / "damaged.xlsx", wrong)
    hostile = tmp_path / "hostile.xlsx"
    hostile.write_bytes(b"PK\x03\x04" + b"<!DOCTYPE x [<!ENTITY a 'b'>]>" * 100)
    shut = protected(workbook(tmp_path / "a.xlsx", children(3)), "gair-cyfrin")
    lines = "[...document.querySelectorAll('#answer p, #answer h2')].map(e => e.textContent)"
    is_there = "document.querySelector('#answer .status') !== null"
    with open_page(tmp_path) as page:
        for language in ("en", "cy"):
            page.go(f"{address}?language={language}")
            page.evaluate(choose(damaged))
            page.wait_for(is_there)
            said = page.evaluate(lines)
            assert said[:-1] == said_by_the_command(damaged, language)
            after = page.evaluate("document.documentElement.outerHTML")
            (folder := tmp_path / language).mkdir()
            found = looked_at(str(after), 900, folder)
            assert found["rules"] > 15 and found["violations"] == []
        with urlopen(page.evaluate("document.getElementById('marked').href")) as copy:
            (tmp_path / "marked.xlsx").write_bytes(copy.read())
        assert openpyxl.load_workbook(tmp_path / "marked.xlsx").sheetnames[0] == "Cover"
        page.go(address)
        page.evaluate(choose(hostile))
        page.wait_for(is_there)
        assert page.evaluate(lines) == said_by_the_command(hostile, "en")
        page.evaluate(choose(shut))
        page.wait_for("!document.getElementById('asks').hidden")
        page.evaluate("document.getElementById('password').value = 'gair-cyfrin'")
        page.evaluate("document.getElementById('go').click()")
        page.wait_for(f"{is_there} && document.getElementById('asks').hidden")
        assert "accepted" in page.evaluate(lines)[0]
        errors = [e for e in page.events if e["method"] == "Log.entryAdded"]
        assert [e["params"]["entry"]["text"] for e in errors if "favicon" not in str(e)] == []


def status_of(address: str, body: bytes | None = None, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urlopen(Request(address, body, named), timeout=20) as answer:
            return answer.status
    except HTTPError as error:
        return error.code


def test_the_page_is_for_this_computer_alone(address: str) -> None:
    root = address[: address.index("/", 8) + 1]
    assert address.startswith("http://127.0.0.1:")
    assert status_of(address) == 200
    assert status_of(root) == status_of(f"{root}guessed/") == 404
    assert status_of(address, Host="evil.example") == 400
    with urlopen(address) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"name": 1, "file": ""}', "application/json", 400),
        (b'{"name": "a", "file": "not base 64!"}', "application/json", 400),
        (b'{"name": "a", "file": "", "password": 1}', "application/json", 400),
        (b'{"name": "../../a", "file": ""}', "application/json", 200),
    ],
)
def test_what_the_page_does_not_send_is_turned_away(
    address: str, body: bytes, content_type: str, status: int
) -> None:
    assert status_of(f"{address}check", body, Content_Type=content_type) == status
    assert status_of(f"{address}marked/unknown.xlsx") == 404
