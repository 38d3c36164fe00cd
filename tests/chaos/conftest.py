"""Lets the tests here share `chaos_network`, and prints seeds and kills at the end."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    from chaos_network import SUMMARY  # noqa: PLC0415 -- its folder is on the path only now

    for line in SUMMARY:
        terminalreporter.write_line(line)
