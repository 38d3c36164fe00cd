"""Which modules a command imports: what it needs, for hundreds of processes start on a machine."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from cybervein_command.app import build

LOADED = """
import sys
from cybervein_command.app import build
app = build(sys.argv[1:])
print(*(each.name for each in app.registered_commands + app.registered_groups))
print(*sys.modules)
"""


def loaded(*arguments: str) -> tuple[set[str], set[str]]:
    """Names of the commands that are there, and of all modules."""
    line = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    commands, modules = done.stdout.splitlines()
    return set(commands.split()), set(modules.split())


def test_every_command_is_there_and_names_its_entry_point() -> None:
    added = build().registered_commands + build().registered_groups
    assert {each.name for each in added} == entry_points(group="cybervein.commands").names


@pytest.mark.parametrize("command", ["mine", "sidecar", "drain", "supernode", "operator"])
def test_a_service_starts_without_the_client(command: str) -> None:
    assert "cybervein_client.client" not in loaded(command)[1]


def test_the_version_is_told_without_any_command() -> None:
    commands, modules = loaded("--version")
    assert not commands
    assert "aiohttp" not in modules


def test_a_customers_command_imports_no_other_role() -> None:
    commands, modules = loaded("--home", "somewhere", "put", "file")
    assert commands == {"put"}
    assert not any(name.startswith(("cybervein_miner", "cybervein_operator")) for name in modules)


def test_a_sidecars_command_imports_no_miner() -> None:
    modules = loaded("sidecar")[1]
    assert not {"aiohttp", "psutil", "cybervein_miner.node"} & modules


def test_for_a_command_that_nobody_has_all_are_there_to_be_suggested() -> None:
    commands, _ = loaded("pur")
    assert {"put", "mine", "doctor", "up"} <= commands
