"""A page in headless Chromium that a test steers while it is open: go, evaluate, look."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

from tests.browser import chromium

_SECONDS = 60.0


class Page:
    """One tab, over Chromium's own protocol. ``events`` are what it reported so far."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=_SECONDS))
            if message.get("id") == self._number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            self.events.append(message)

    def go(self, address: str) -> None:
        """Open an address as if it had been typed, and wait until its document is there."""
        self.call("Page.navigate", url=address)
        self.wait_for("document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        until = time.monotonic() + _SECONDS
        while not self.evaluate(expression):
            assert time.monotonic() < until, f"{expression}: {self.evaluate(_TEXT)[:2000]}"
            time.sleep(0.2)

    def picture(self) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])


_TEXT = "document.body ? document.body.innerText : ''"


@contextmanager
def open_page(folder: Path, options: Sequence[str] = ()) -> Generator[Page]:
    """A tab of a fresh browser, whose profile is made in ``folder``."""
    profile = folder / "profile"
    browser = subprocess.Popen(
        [
            *(chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-sync"),
            *("--disable-component-update", "--window-size=1400,1000"),
            *("--remote-debugging-port=0", f"--user-data-dir={profile}"),
            *options,
            "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with connect(_tab(profile), proxy=None, max_size=None) as socket:
            yield Page(socket)
    finally:
        browser.terminate()
        browser.wait(20)


def _tab(profile: Path) -> str:
    """The address of the one tab, as soon as the browser has written its port down."""
    until = time.monotonic() + _SECONDS
    while True:
        try:
            port = (profile / "DevToolsActivePort").read_text(encoding="ascii").split()[0]
            with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
                tabs = [tab for tab in json.load(answer) if tab["type"] == "page"]
            return tabs[0]["webSocketDebuggerUrl"]
        except (OSError, LookupError):
            assert time.monotonic() < until, "Chromium does not start"
            time.sleep(0.1)
