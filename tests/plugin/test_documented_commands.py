"""The commands that the documentation shows exist, with the options it gives them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from cybervein_operator.plugin.command import k8s

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "charts/cybervein/templates/NOTES.txt"]
SHOWN = re.compile(r"(?:kubectl cybervein|cybervein k8s) ([^`|\n]+)")
TREE = typer.main.get_command(k8s)


def shown() -> list[str]:
    found = {line.strip() for page in PAGES for line in SHOWN.findall(page.read_text())}
    return sorted(line for line in found if re.match(r"[a-z]", line))


def test_the_documentation_shows_every_command() -> None:
    pages = " ".join(shown())
    hidden = {"probe"}  # for pods of the chart
    assert [name for name in TREE.commands if name not in hidden and name not in pages] == []


@pytest.mark.parametrize("line", shown())
def test_a_shown_command_exists_with_its_options(line: str) -> None:
    command, words = TREE, re.split(r"\s+", line.rstrip(".,;:)"))
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), f"{line}: no such command"
    known = {name for option in command.params for name in option.opts + option.secondary_opts}
    for word in words:
        if word.startswith("-"):
            assert word.split("=")[0] in known, f"{line}: {word}"


def test_a_client_without_the_operators_extra_has_the_plugin() -> None:
    blocked = "import sys; sys.modules['kopf'] = sys.modules['prometheus_client'] = None;"
    names = "bundle command disks drains kubectl ledgers overview redaction tables waiting"
    modules = ", ".join(f"cybervein_operator.plugin.{name}" for name in names.split())
    subprocess.run([sys.executable, "-c", f"{blocked} import {modules}"], check=True, timeout=60)
