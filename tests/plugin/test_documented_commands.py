"""The commands that the documentation shows exist, with the options it gives them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from cybervein_operator.plugin.command import k8s
from waiting import DEADLINE_SECONDS

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


def without(*packages: str) -> str:
    """Code after which these packages cannot be imported."""
    return "import sys; " + " ".join(f"sys.modules[{name!r}] = None;" for name in packages)


def test_a_client_without_the_operators_extra_has_the_plugin() -> None:
    names = "answers api_server bundle command disks drains ledgers looking overview "
    names += "redaction refusals tables waiting where"
    modules = ", ".join(f"cybervein_operator.plugin.{name}" for name in names.split())
    code = without("kopf", "prometheus_client", "kubernetes", "yaml") + f"import {modules}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=DEADLINE_SECONDS)


def test_without_the_package_it_says_what_to_install() -> None:
    code = without("kubernetes") + "from cybervein_operator.plugin import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", code, "status", "--kubeconfig", "nowhere"],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    assert run.returncode == 1
    assert "pip install 'cybervein[operator]'" in run.stderr
    assert run.stderr.count("\n") == 1


def test_the_command_line_is_there_before_what_it_needs() -> None:
    code = "import sys, cybervein_operator.plugin; "
    code += "assert not {'aiohttp', 'kopf', 'kubernetes'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=DEADLINE_SECONDS)
