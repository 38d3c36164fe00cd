"""What a process used, from /proc."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Seconds of CPU, MiB of memory now and at the most, at a monotonic moment."""

    cpu_seconds: float
    resident_mib: float
    peak_mib: float
    at: float


def usage(pid: int) -> Usage:
    """Of one running process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    now, peak = (int(status[each].split()[0]) / 1024 for each in ("VmRSS", "VmHWM"))
    return Usage((int(fields[11]) + int(fields[12])) / _TICK, now, peak, time.monotonic())
