"""`cybervein up` as a child of the test: its JSON events, and a clean end."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services import command
from waiting import DEADLINE_SECONDS

Event = dict[str, Any]


class Up:
    """A running `cybervein up --json`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.children: dict[str, Event] = {}
        self.notes: list[str] = []

    def events(self) -> Iterator[Event]:
        """Events as they come, until `up` ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            if event["event"] == "started":
                self.children[event["name"]] = event
            if event["event"] == "note":
                self.notes.append(event["text"])
            yield event

    def wait_for(self, kind: str, text: str = "") -> Event:
        """The next event of a kind whose text begins so."""
        for event in self.events():
            if event["event"] == kind and str(event.get("text", "")).startswith(text):
                return event
        raise AssertionError(f"up ended with {self.process.wait()} before {kind} {text!r}")

    def url(self, name: str) -> str:
        return str(self.children[name]["url"])

    def interrupt(self) -> int:
        """Ctrl-C, then the exit code."""
        self.process.send_signal(signal.SIGINT)
        for _ in self.events():
            pass
        return self.process.wait()


@contextmanager
def up(data: Path, *flags: str, ready: bool = True) -> Iterator[Up]:
    """Start `cybervein up`; on the way out it is interrupted if it still runs."""
    line = command("--json", "up", "--data", data, *flags)
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        running = Up(process)
        try:
            if ready:
                running.wait_for("note", "ready after")
            yield running
        finally:
            if process.poll() is None:
                running.interrupt()


def cybervein(home: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """A `cybervein` command of the network's local customer."""
    line = command("--home", home, *arguments)
    return subprocess.run(line, capture_output=True, check=False, timeout=DEADLINE_SECONDS)


def alive(pid: int) -> bool:
    """Whether a process with that id runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
