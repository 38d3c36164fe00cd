"""Prints seeds and kills at the end."""

import pytest
from chaos_network import SUMMARY


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Send a test's seed and kills along with its report: it may have run in another process."""
    if call.when == "call":
        item.user_properties += [("chaos", line) for line in SUMMARY]
        SUMMARY.clear()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, line in report.user_properties:
                if (name, report.when) == ("chaos", "call"):
                    terminalreporter.write_line(str(line))
