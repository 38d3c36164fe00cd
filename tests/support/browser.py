"""Headless Chromium over the W3C WebDriver protocol, which is plain HTTP and JSON."""

import base64
import json
import re
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from waiting import DEADLINE_SECONDS, until

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1600",
)


class Browser:
    """One browser session."""

    def __init__(self, driver: str, profile: Path) -> None:
        self._driver = driver
        options = {"args": [*FLAGS, f"--user-data-dir={profile}"], "binary": "/usr/bin/chromium"}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self._call("POST", "/session", capabilities={"alwaysMatch": wanted})
        self._session = f"/session/{answer['sessionId']}"

    def _call(self, method: str, path: str, **body: object) -> Any:
        data = json.dumps(body).encode() if method == "POST" else None
        request = urllib.request.Request(self._driver + path, data=data, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310 -- loopback
            return json.loads(answer.read())["value"]

    def open(self, url: str) -> None:
        self._call("POST", f"{self._session}/url", url=url)

    def run(self, script: str, *arguments: object) -> Any:
        """The value that a script returns in the page."""
        path = f"{self._session}/execute/sync"
        return self._call("POST", path, script=script, args=list(arguments))

    def text(self, selector: str) -> str:
        """What a person reads there, empty if nothing is there."""
        script = "return document.querySelector(arguments[0])?.innerText ?? ''"
        return str(self.run(script, selector))

    def count(self, selector: str) -> int:
        return int(self.run("return document.querySelectorAll(arguments[0]).length", selector))

    def click(self, selector: str) -> None:
        self.run("document.querySelector(arguments[0]).click()", selector)

    def search(self, text: str) -> None:
        """Type into the search field and press enter."""
        script = (
            "const form = document.querySelector('#search');"
            "form.elements.q.value = arguments[0]; form.requestSubmit();"
        )
        self.run(script, text)

    def until(self, what: Callable[[], object]) -> None:
        """Wait until something holds in the page."""
        until(what, "what a person waits for is on the page", diagnose=lambda: self.text("body"))

    def errors(self) -> list[str]:
        """Errors that the page wrote to the console."""
        entries = self._call("POST", f"{self._session}/se/log", type="browser")
        return [str(entry["message"]) for entry in entries if entry["level"] == "SEVERE"]

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._call("GET", f"{self._session}/screenshot")))

    def close(self) -> None:
        self._call("DELETE", self._session)


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile, gone afterwards."""
    with subprocess.Popen(
        ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as driver:
        try:
            assert driver.stdout is not None
            lines = iter(driver.stdout)
            port = next(
                m[1] for line in lines if (m := re.search(r"successfully on port (\d+)", line))
            )
            browser = Browser(f"http://127.0.0.1:{port}", profile)
            yield browser
            browser.close()
        finally:
            driver.terminate()
