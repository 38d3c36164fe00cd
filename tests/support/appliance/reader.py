"""Runs in the customer's pod: while a flag file exists, reads the file again and again.

Uses the image's own `cybervein` and the standard library alone. One JSON line for each read on
standard output: number, whether every byte was right, seconds, and what was wrong.
"""

import json
import shutil
import subprocess
import time
from pathlib import Path

HOME = Path("/home/customer")
ORIGINAL, COPY = HOME / "original", HOME / "copy"
READING, BUSY = HOME / "reading", HOME / "busy"
PAUSE_SECONDS = 2.0  # a read computes for a second: the node has other work too


def prepare() -> None:
    """Wallet and network file, as a person would copy them into a home."""
    shutil.copyfile("/etc/customer/identity.json", HOME / "identity.json")
    (HOME / "identity.json").chmod(0o600)
    shutil.copyfile("/etc/network/network.json", HOME / "network.json")
    (HOME / "prepared").touch()


def read() -> str:
    """Get the file and compare it; what is wrong, or nothing."""
    COPY.unlink(missing_ok=True)
    run = subprocess.run(
        ["cybervein", "get", "file", "--out", str(COPY)],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        return f"exit code {run.returncode}: {run.stderr[-1500:]}"
    return "" if COPY.read_bytes() == ORIGINAL.read_bytes() else "other bytes"


def main() -> None:
    """Read until the pod is deleted."""
    prepare()
    number = 0
    while True:
        BUSY.touch()  # before the look: who takes READING away waits until this is gone
        if READING.exists():
            number += 1
            began = time.time()
            wrong = read()
            line = {"read": number, "at": began, "seconds": time.time() - began, "wrong": wrong}
            print(json.dumps(line), flush=True)
        BUSY.unlink()
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
