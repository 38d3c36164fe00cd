"""Lets the tests here share `chaos_network`, and prints seeds and kills at the end."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Send a test's seed and kills along with its report: it may have run in another process."""
    from chaos_network import SUMMARY  # noqa: PLC0415 -- its folder is on the path only now

    if call.when == "call":
        item.user_properties += [("chaos", line) for line in SUMMARY]
        SUMMARY.clear()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, line in report.user_properties:
                if (name, report.when) == ("chaos", "call"):
                    terminalreporter.write_line(str(line))
