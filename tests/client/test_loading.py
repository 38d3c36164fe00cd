"""Which modules a command imports: what it needs, for hundreds of processes start on a machine.

What is imported is looked at, never a clock: that a command starts quickly follows from it.
"""

import importlib.util
import json
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest
from cybervein_client import Client
from cybervein_client.home import Home
from cybervein_command import app
from cybervein_command.app import build
from cybervein_command.listed import LISTED
from cybervein_protocol.errors import UnknownError
from cybervein_runtime.identity import new_identity, save_identity

ROOT = Path(__file__).parents[2]
LOADED = """
import sys
from cybervein_command.app import build
app = build(sys.argv[1:])
print(*(each.name for each in app.registered_commands + app.registered_groups))
print(*sys.modules)
"""
RUN = """
import atexit, sys
atexit.register(lambda: print("imported", *sys.modules, file=sys.stderr))
from cybervein_command import main
main()
"""
OF_NETWORK = {"aiohttp", "asyncio", "ssl", "cryptography", "http_message_signatures"}
OF_ROLES = {"fastapi", "uvicorn", "kopf", "kubernetes", "psutil", "yaml", "prometheus_client"}
OF_LEDGER = {"nacl", "msgspec", "dag_cbor", "multiformats", "cybervein_protocol.ledger"}


def loaded(*arguments: str) -> tuple[set[str], set[str]]:
    """Names of the commands that are there, and of all modules."""
    line = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    commands, modules = done.stdout.splitlines()
    return set(commands.split()), set(modules.split())


def imported(*arguments: str) -> tuple[str, set[str]]:
    """What a command that succeeds prints, and all modules it imports."""
    line = [sys.executable, "-c", RUN, *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    return done.stdout, set(done.stderr.rsplit("imported ", 1)[1].split())


def generator() -> ModuleType:
    place = ROOT / "scripts" / "commands_page.py"
    spec = importlib.util.spec_from_file_location("commands_page", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_commands_is_what_the_commands_say() -> None:
    written = generator()
    assert written.TABLE.read_text() == written.table(), "run scripts/commands_page.py"


def test_every_command_is_there_and_has_an_entry_point() -> None:
    added = build().registered_commands + build().registered_groups
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {each.name for each in added} == set(project["entry-points"]["cybervein.commands"])


def test_help_shows_every_command_and_imports_none() -> None:
    told, modules = imported("--help")
    words = " ".join(told.split())
    for name, (_, line) in LISTED.items():
        assert f"{name} {line}" in words
    assert not (OF_NETWORK | OF_ROLES | OF_LEDGER | {"rich", "sqlite3", "pydantic"}) & modules
    ours = {name for name in modules if name.startswith(("cybervein_client", "cybervein_miner"))}
    assert not ours


def test_a_list_of_no_files_needs_the_catalogue_alone(tmp_path: Path) -> None:
    save_identity(tmp_path / "identity.json", new_identity())
    _, modules = imported("--home", str(tmp_path), "ls")
    assert "sqlite3" in modules
    assert not (OF_NETWORK | OF_ROLES | OF_LEDGER | {"rich.markdown", "rich.progress"}) & modules
    _, modules = imported("--home", str(tmp_path), "--json", "ls")
    assert "rich" not in modules


def test_a_list_of_stored_files_asks_for_the_time_and_imports_no_client(
    home: Home, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"bytes")
    Client(home.directory).put(tmp_path / "file")
    line = ("--home", str(home.directory), "--json", "ls")
    first, modules = imported(*line)  # nobody has told when it ends: the ledger is asked
    assert "aiohttp" in modules
    again, modules = imported(*line)
    assert json.loads(again)[0]["ends_epoch"] == json.loads(first)[0]["ends_epoch"]
    assert not {"aiohttp", "asyncio", "rich", "cybervein_client.client"} & modules
    _, modules = imported("--home", str(home.directory), "ls")
    assert "rich.table" in modules
    assert not {"aiohttp", "asyncio", "rich.markdown", "rich.progress"} & modules


def test_the_client_imports_no_logging_and_draws_nothing() -> None:
    line = [sys.executable, "-c", "import sys, cybervein_client.client; print(*sys.modules)"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert not {"structlog", "rich", "pygments", "pydantic"} & set(done.stdout.split())


@pytest.mark.parametrize("command", ["mine", "sidecar", "drain", "supernode", "operator"])
def test_a_service_starts_without_the_client(command: str) -> None:
    assert not {"cybervein_client", "rich.markdown"} & loaded(command)[1]


def test_the_version_is_told_without_any_command() -> None:
    commands, modules = loaded("--version")
    assert not commands
    assert "aiohttp" not in modules


@pytest.mark.parametrize("line", ["--home somewhere put file", "--json put x", "put --help"])
def test_a_customers_command_imports_no_other_role(line: str) -> None:
    commands, modules = loaded(*line.split())
    assert commands == {"put"}
    assert not any(name.startswith(("cybervein_miner", "cybervein_operator")) for name in modules)


def test_a_sidecars_command_imports_no_miner() -> None:
    modules = loaded("sidecar")[1]
    assert not {"aiohttp", "psutil", "cybervein_miner.node"} & modules


@pytest.mark.parametrize("line", ["pur", "--help put", "-h", ""])
def test_where_no_command_of_ours_is_named_all_are_there_to_be_shown(line: str) -> None:
    commands, modules = loaded(*line.split())
    assert {"put", "mine", "doctor", "up"} <= commands
    assert "cybervein_command.transfer" not in modules


def test_a_command_of_another_package_is_found_by_its_entry_point(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = EntryPoint("theirs", "cybervein_command.network:status", "cybervein.commands")

    def entry_points(group: str, name: str) -> list[EntryPoint]:
        return [theirs] if (group, name) == (theirs.group, theirs.name) else []

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    assert [each.name for each in build(["theirs"]).registered_commands] == ["theirs"]


@pytest.mark.parametrize(
    ("command", "missing", "extra"),
    [
        ("mine", "cybervein_miner.cli.mine", None),
        ("mine", "psutil", "miner"),
        ("supernode", "uvloop", "supernode"),
        ("k8s", "yaml", "operator"),
        ("up", "fastapi", "miner,supernode"),
        ("put", "aiohttp", None),
    ],
)
def test_a_command_without_its_packages_says_what_to_install(
    command: str, missing: str, extra: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def import_module(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {missing!r} in {name}", name=missing)

    monkeypatch.setattr(app, "import_module", import_module)
    with pytest.raises((UnknownError, ModuleNotFoundError)) as told:
        build([command])
    assert isinstance(told.value, UnknownError) == (extra is not None)
    if extra is not None:
        assert f"{command} needs the package {missing}" in str(told.value)
        assert f"pip install 'cybervein[{extra}]'" in str(told.value)
