"""`make test`: sets up what the asked stages need, runs them one after the other, tells times.

What is missing on the machine is told in one list before anything runs. Every stage runs even if
an earlier one failed, so that one run shows everything that is broken; how to run a failed one
again alone, with its seed, is printed at the end. The last line is `N passed, N failed`: pytest's
and cargo's tests, and each check without tests of its own (lint, locks) as one.

Standard library only: it runs on the system's Python before anything of the project exists.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import outcome
import preflight
import stages
from outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from stages import Stage

RESULTS = Path(".test-results")
SCRIPTS = Path(__file__).parent


def step(name: str, act: Callable[[], bool]) -> Outcome:
    """One step of the set-up, timed."""
    began = time.monotonic()
    ok = act()
    seconds = time.monotonic() - began
    return Outcome(name, 0, 0 if ok else 1, seconds, stages.COLD_SETUP[name])


def succeeds(*command: str | Path) -> bool:
    """Run a program of the set-up, whose output is shown."""
    return subprocess.run(command, check=False).returncode == 0


def set_up(asked: tuple[Stage, ...]) -> list[Outcome]:
    """Needs of the machine, the environment, the programs of Kubernetes; ends where one fails."""
    steps: dict[str, Callable[[], bool]] = {
        "needs": lambda: preflight.provide(stages.needs(asked), may_install=True),
        "environment": lambda: succeeds(SCRIPTS / "bootstrap.sh"),
    }
    if any(stage.on_kubernetes for stage in asked):
        build = SCRIPTS / "kubernetes" / "build.py"
        steps["programs"] = lambda: succeeds(sys.executable, build)
    done: list[Outcome] = []
    for name, act in steps.items():
        done.append(step(name, act))
        if not done[-1].ok:
            break
    return done


def run(stage: Stage) -> Outcome:
    """Run `make stage-NAME`, showing its output while keeping it for the counts."""
    print(f"\n=== stage {stage.name} ===", flush=True)
    report = RESULTS / f"{stage.name}.xml"
    report.unlink(missing_ok=True)
    began, lines = time.monotonic(), []
    command = ["make", "--no-print-directory", f"stage-{stage.name}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    ok = process.returncode == 0
    passed, failed = outcome.counts(report, "".join(lines), ok=ok)
    return Outcome(stage.name, passed, failed, time.monotonic() - began, stage.budget_seconds)


def tell(done: list[Outcome], seed: str) -> int:
    """Print the table, what took too long, how to run failed stages again, and the counts."""
    names = {stage.name for stage in stages.STAGES}
    failed = [each.name for each in done if each.name in names and not each.ok]
    lines = [outcome.table(done), *outcome.over_budget(done)]
    lines += [f"again, alone: make test STAGES={name} SEED={seed}" for name in failed]
    print("\n" + "\n".join(lines) + "\n")
    counts = [sum(each.passed for each in done), sum(each.failed for each in done)]
    print(f"{counts[0]} passed, {counts[1]} failed")
    return 1 if counts[1] else 0


def main(names: list[str]) -> int:
    """Set up, run the stages, tell what came of it."""
    try:
        asked = stages.chosen(names)
    except ValueError as unknown:
        print(f"error: {unknown}", file=sys.stderr)
        return 2
    RESULTS.mkdir(exist_ok=True)
    seed = os.environ["SEED"] = os.environ.get("SEED") or str(secrets.randbelow(1 << 32))
    print(f"seed {seed}", flush=True)
    done = set_up(asked)
    if all(each.ok for each in done):
        done += [run(stage) for stage in asked]
    return tell(done, seed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
