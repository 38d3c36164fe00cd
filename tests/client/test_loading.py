"""Which modules a command imports: what it needs, for hundreds of processes start on a machine."""

import subprocess
import sys

import pytest
import typer
from cybervein_command.app import OWN, build

LOADED = """
import sys
from cybervein_command.app import build
names = {each.name or each.callback.__name__ for each in build(sys.argv[1:]).registered_commands}
print(*sorted(names))
print(*sys.modules)
"""


def loaded(*arguments: str) -> tuple[set[str], set[str]]:
    """Names of the commands that are there, and of all modules."""
    line = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    commands, modules = done.stdout.splitlines()
    return set(commands.split()), set(modules.split())


def test_the_table_of_own_commands_is_what_the_modules_add() -> None:
    app = build()
    told = [name for names in OWN.values() for name in names if name != "wallet"]
    found = [each.name for each in app.registered_commands]
    assert found[: len(told)] == told
    assert any(isinstance(each.typer_instance, typer.Typer) for each in app.registered_groups)


@pytest.mark.parametrize("command", ["mine", "sidecar", "drain", "supernode", "operator"])
def test_a_service_starts_without_the_client(command: str) -> None:
    assert "cybervein_client.client" not in loaded(command)[1]


def test_the_version_is_told_without_any_command() -> None:
    commands, modules = loaded("--version")
    assert not commands
    assert "aiohttp" not in modules


def test_a_customers_command_imports_no_plug_in() -> None:
    commands, modules = loaded("--home", "somewhere", "put", "file")
    assert commands == {"put", "get", "cat"}
    assert not any(name.startswith(("cybervein_miner", "cybervein_operator")) for name in modules)


def test_for_a_command_that_nobody_has_all_are_there_to_be_suggested() -> None:
    commands, _ = loaded("pur")
    assert {"put", "mine", "doctor", "up"} <= commands
