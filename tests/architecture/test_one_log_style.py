"""One way to log: `_log`, a constant sentence in lower case, and values by name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("protocol", "runtime", "supernode", "miner", "client", "command", "up", "operator")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def calls_of(path: Path) -> Iterator[tuple[ast.Call, str, str]]:
    """(call, receiver, method) of every call of a name's method."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, ast.unparse(node.func.value), node.func.attr


def test_somebody_logs() -> None:
    found = [path for path in MODULES if any(name == "_log" for _, name, _ in calls_of(path))]
    assert len(found) > 20


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_logs_as_all_do(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    if "get_logger(" in source:
        assert "\n_log = structlog.get_logger()\n" in source
    assert "logging.getLogger" not in source
    for call, receiver, method in calls_of(path):
        assert not (receiver in {"log", "logger", "logging"} and method in LEVELS), path
        if receiver == "_log":
            assert method in LEVELS
            [event] = call.args
            assert isinstance(event, ast.Constant | ast.IfExp), ast.unparse(call)
            for text in (event,) if isinstance(event, ast.Constant) else (event.body, event.orelse):
                assert isinstance(text, ast.Constant), ast.unparse(call)
                assert re.fullmatch(r"[a-z].*[^.]", str(text.value)), ast.unparse(call)
