"""Runs the stages of `make test` one after the other, tells times, and sums up the test counts.

Every stage runs even if an earlier one failed, so one run shows everything that is broken. The
last line is `N passed, N failed`: pytest's and cargo's tests, and each check without tests of its
own (lint, audit) as one.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

RESULTS = Path(".test-results")
CARGO_LINE = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What one stage did: counts of tests, seconds, and whether its command succeeded."""

    stage: str
    passed: int
    failed: int
    seconds: float
    ok: bool


def junit_counts(report: Path) -> tuple[int, int]:
    """Passed and failed tests of a JUnit file; a skipped test counts as failed: nothing hides."""
    suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 our own file
    total = sum(int(suite.get("tests", 0)) for suite in suites)
    bad = sum(int(suite.get(kind, 0)) for suite in suites for kind in ("failures", "errors"))
    skipped = sum(int(suite.get("skipped", 0)) for suite in suites)
    return total - bad - skipped, bad + skipped


def counts(stage: str, output: str, *, ok: bool) -> tuple[int, int]:
    """Counts of a stage from its JUnit file, from cargo's lines, or its exit code as one check."""
    report = RESULTS / f"{stage}.xml"
    if report.exists():
        return junit_counts(report)
    lines = CARGO_LINE.findall(output)
    if lines:
        return sum(int(passed) for passed, _ in lines), sum(int(failed) for _, failed in lines)
    return (1, 0) if ok else (0, 1)


def run(stage: str) -> Outcome:
    """Run `make stage-NAME`, showing its output while keeping it for the counts."""
    print(f"\n=== stage {stage} ===", flush=True)
    (RESULTS / f"{stage}.xml").unlink(missing_ok=True)
    began, lines = time.monotonic(), []
    command = ["make", "--no-print-directory", f"stage-{stage}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    ok = process.returncode == 0
    passed, failed = counts(stage, "".join(lines), ok=ok)
    if ok and (passed == 0 or failed > 0):
        ok, failed = False, max(failed, 1)
    return Outcome(stage, passed, max(failed, 0 if ok else 1), time.monotonic() - began, ok)


def main(stages: list[str]) -> int:
    """Run all stages, print their table and the closing counts."""
    RESULTS.mkdir(exist_ok=True)
    outcomes = [run(stage) for stage in stages]
    print(f"\n{'stage':<10}{'passed':>8}{'failed':>8}{'seconds':>9}")
    for outcome in outcomes:
        verdict = "" if outcome.ok else "  FAILED"
        numbers = f"{outcome.passed:>8}{outcome.failed:>8}{outcome.seconds:>9.0f}"
        print(f"{outcome.stage:<10}{numbers}{verdict}")
    passed, failed = sum(o.passed for o in outcomes), sum(o.failed for o in outcomes)
    print(f"\n{passed} passed, {failed} failed")
    return 0 if all(outcome.ok for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
