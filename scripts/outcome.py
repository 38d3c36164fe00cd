"""What a stage of `make test` did: its counts, its seconds, and the table of all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from pathlib import Path

CARGO_LINE = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """Counts of tests, seconds spent and allowed, and whether the command succeeded.

    A step of the set-up that succeeds has no tests, one that fails counts as one failure.
    """

    name: str
    passed: int
    failed: int
    seconds: float
    budget_seconds: int

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return self.failed == 0


def junit_counts(report: Path) -> tuple[int, int]:
    """Passed and failed tests of a JUnit file; a skipped test counts as failed: nothing hides."""
    suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 our own file
    total = sum(int(suite.get("tests", 0)) for suite in suites)
    bad = sum(int(suite.get(kind, 0)) for suite in suites for kind in ("failures", "errors"))
    skipped = sum(int(suite.get("skipped", 0)) for suite in suites)
    return total - bad - skipped, bad + skipped


def counts(report: Path, output: str, *, ok: bool) -> tuple[int, int]:
    """Counts of a stage from its JUnit file, from cargo's lines, or its exit code as one check.

    A stage whose command failed has at least one failure, and so has one that checked nothing.
    """
    lines = CARGO_LINE.findall(output)
    if report.exists():
        passed, failed = junit_counts(report)
    elif lines:
        passed, failed = (sum(int(line[side]) for line in lines) for side in (0, 1))
    else:
        passed, failed = (1, 0) if ok else (0, 1)
    return passed, failed if ok and passed else max(failed, 1)


def table(outcomes: list[Outcome]) -> str:
    """One line for each step of the set-up and each stage."""
    rows = [f"{'stage':<14}{'passed':>8}{'failed':>8}{'seconds':>9}{'budget':>8}"]
    for each in outcomes:
        numbers = f"{each.passed:>8}{each.failed:>8}{each.seconds:>9.0f}{each.budget_seconds:>8}"
        rows.append(f"{each.name:<14}{numbers}{'' if each.ok else '  FAILED'}")
    total = sum(each.seconds for each in outcomes)
    allowed = sum(each.budget_seconds for each in outcomes)
    return "\n".join([*rows, f"{'all':<14}{'':>16}{total:>9.0f}{allowed:>8}"])


def over_budget(outcomes: list[Outcome]) -> list[str]:
    """What took longer than it should; told, never a failure: a machine may be busy."""
    return [
        f"over its budget: {each.name}, {each.seconds:.0f} s of {each.budget_seconds}"
        for each in outcomes
        if each.seconds > each.budget_seconds
    ]
