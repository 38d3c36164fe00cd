"""The documentation is whole: links lead somewhere, commands and settings are explained."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for pattern in ("*.md", "docs/**/*.md") for path in ROOT.glob(pattern))
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_to_a_file(page: Path) -> None:
    prose = re.sub(r"`[^`]*`", "", page.read_text())
    targets = [link for link in LINK.findall(prose) if "://" not in link]
    missing = [link for link in targets if not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_name_no_machine_of_ours(page: Path) -> None:
    text = page.read_text()
    assert not re.search(r"(?<![\w.])/(?:root|home|work|tmp)/", text)


CELL_CHARS_MAX = 200
STUMBLES = re.compile(
    r"\b(let alone|alike|trying on|by itself|of one hand|go(es)? on|for ever|checked how|of then|"
    r"puts? up with|of one's own|an own)\b"
)
PACKAGES = ("protocol", "runtime", "supernode", "miner", "client", "command", "up", "operator")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_reader_stumbles_over_no_long_cell_and_no_odd_word(page: Path) -> None:
    rows = [line for line in page.read_text().splitlines() if line.startswith("|")]
    cells = [cell.strip() for row in rows for cell in re.split(r"(?<!\\)\|", row)]
    assert not [cell for cell in cells if len(cell) > CELL_CHARS_MAX]
    assert not [line for line in page.read_text().splitlines() if STUMBLES.search(line)]


@pytest.mark.parametrize("package", PACKAGES)
def test_help_errors_and_log_lines_have_no_odd_word(package: str) -> None:
    lines = [
        f"{path.name}: {line}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for line in path.read_text().splitlines()
    ]
    assert len(lines) > 500
    assert not [line for line in lines if STUMBLES.search(line)]


def test_every_decision_has_context_decision_and_consequence() -> None:
    for page in sorted((ROOT / "docs" / "adr").glob("*.md")):
        text = page.read_text()
        for part in ("**Context.**", "**Decision.**", "**Consequence.**"):
            assert part in text, f"{page.name} lacks {part}"


def test_decisions_have_numbers_of_their_own() -> None:
    numbers = [page.name[:4] for page in (ROOT / "docs" / "adr").glob("*.md")]
    assert len(set(numbers)) == len(numbers)
    assert all(number.isdigit() for number in numbers)


def test_every_promise_of_the_milestone_has_a_state() -> None:
    rows = re.findall(r"^\| (?!promise|---)(.+?) \| (\w+) \|", status_page(), re.MULTILINE)
    assert len(rows) > 40
    assert {state for _, state in rows} <= {"done", "partly", "open"}


def status_page() -> str:
    return (ROOT / "docs" / "status.md").read_text()


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    spec = importlib.util.spec_from_file_location("pages", ROOT / "scripts" / "commands_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text() == module.page(), "run scripts/commands_page.py"
    assert "| |" not in module.page(), "a flag without a word of help"
