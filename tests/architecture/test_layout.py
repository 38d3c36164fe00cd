"""The shape of the repository that other tests cannot see."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("protocol", "runtime", "miner", "supernode", "client", "command", "up", "operator")


def test_operator_folder_is_no_package_so_that_the_standard_library_keeps_its_operator() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_collections_can_be_imported_from_the_repository_root() -> None:
    # An `operator/__init__.py` would break this on interpreters that import it from disk.
    subprocess.run([sys.executable, "-c", "import collections, operator"], cwd=ROOT, check=True)


def test_import_layers_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_two_classes_have_one_name() -> None:
    """A reader who meets a name knows what it is, whichever package it comes from."""
    homes: dict[str, list[str]] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).glob("cybervein_*/**/*.py")):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    homes.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_only_commands_take_more_than_five_values_by_their_order() -> None:
    """Ruff counts; a command is excused, as its parameters are flags and typer passes them."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            source = path.read_text()
            assert "PLR0917" not in source or "import typer" in source, path


IMPURE = {"asyncio", "os", "pathlib", "random", "secrets", "socket", "threading", "time"}
SWITCH = "native.py"  # reads one environment variable: which code runs, never what it computes


def protocol_modules() -> list[Path]:
    folder = ROOT / "protocol" / "cybervein_protocol"
    return [path for path in sorted(folder.rglob("*.py")) if path.name != SWITCH]


@pytest.mark.parametrize("path", protocol_modules(), ids=lambda path: path.stem)
def test_protocol_module_imports_neither_clock_nor_input_nor_randomness(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    assert not imported & IMPURE


@pytest.mark.parametrize("path", protocol_modules(), ids=lambda path: path.stem)
def test_protocol_module_asks_no_calendar_for_the_time(path: Path) -> None:
    attributes = {
        n.attr for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)
    }
    assert not attributes & {"now", "utcnow", "today"}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_typed(package: str) -> None:
    assert (ROOT / package / f"cybervein_{package}" / "py.typed").exists()


def test_the_tree_is_the_one_of_the_architecture_page() -> None:
    listed = subprocess.run(
        ["git", "ls-tree", "-d", "--name-only", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    block = (ROOT / "ARCHITECTURE.md").read_text().split("```")[1]
    told = {line.split("/", maxsplit=1)[0] for line in block.splitlines() if "/" in line[:14]}
    assert told == {name for name in listed if not name.startswith(".")}
