"""What a process used, from /proc, and where figures go."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
OUT = "CYBERVEIN_BENCH_OUT"


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


def record(figures: dict[str, object]) -> None:
    """Print figures, and put them into the file that `make bench RACE=kubernetes` names."""
    print(json.dumps(figures, indent=1))
    if os.environ.get(OUT):
        file = Path(os.environ[OUT])
        known = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(known | figures, indent=1, sort_keys=True) + "\n")
