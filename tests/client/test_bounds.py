"""What must not grow: memory with the file, nonces with concurrent commands."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from cybervein_client.home import Home
from cybervein_protocol.coding import SEGMENT_PLAIN
from services import command

MEMORY_MIB_MAX = 256


MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def peak_mib(home: Home, *arguments: str) -> float:
    """Peak resident memory of one command; a small parent starts it, for it inherits its peak."""
    measured = command("--home", str(home.directory), *arguments)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *measured], stdout=subprocess.PIPE, check=True
    )
    return int(done.stdout) / 1024


def test_memory_stays_bounded_for_a_file_far_larger_than_it(
    home: Home, noise: Callable[..., Path], tmp_path: Path
) -> None:
    source = noise(24 * SEGMENT_PLAIN)
    copy = tmp_path / "copy"
    assert peak_mib(home, "put", str(source), "--name", "file", "--code", "2/6") < MEMORY_MIB_MAX
    assert peak_mib(home, "get", "file", "--out", str(copy)) < MEMORY_MIB_MAX
    assert copy.stat().st_size == source.stat().st_size


def test_several_commands_of_one_wallet_at_once_never_take_the_same_nonce(
    home: Home, noise: Callable[..., Path]
) -> None:
    running = [
        subprocess.Popen(
            command("--home", str(home.directory), "put", str(noise(1000 + i))),
            stdout=subprocess.DEVNULL,
        )
        for i in range(4)
    ]
    assert [process.wait() for process in running] == [0] * 4
