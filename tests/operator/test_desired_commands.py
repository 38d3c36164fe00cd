"""What pods are told to run is what the `cybervein` command understands."""

from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from cybervein_command.app import build

GOLDENS = Path(__file__).parent / "goldens"


def containers() -> dict[str, list[str]]:
    """Arguments of every container of the golden objects."""
    found: dict[str, list[str]] = {}
    for page in sorted(GOLDENS.iterdir()):
        for each in yaml.safe_load_all(page.read_text()):
            if each["kind"] == "StatefulSet":
                pod = each["spec"]["template"]["spec"]
                for container in pod["containers"] + pod.get("initContainers", []):
                    found[f"{page.stem}: {container['name']}"] = container["args"]
    return found


@pytest.mark.parametrize("name", containers())
def test_the_command_takes_the_arguments_of(name: str) -> None:
    command: Any = typer.main.get_command(build())
    rest = list(containers()[name])
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    context = command.make_context("cybervein", rest)  # refuses what it does not know
    assert not context.args


def test_a_miner_reads_back_what_its_pool_says() -> None:
    command: Any = typer.main.get_command(build())
    args = containers()["rack-1: miner"]
    given = command.commands["mine"].make_context("cybervein", args[1:]).params
    assert given["plots"] == 40
    assert given["fill"] is None, "a number of plots stands in the place of a share"
    assert given["floor"] == 10 << 30
    assert given["bandwidth"] == 100 << 20
    assert given["plot_threads"] == 4
    assert given["group"] == "rack-7"
    assert given["owner"] == "acme"
    assert [str(each) for each in given["disk"]] == [
        "/var/lib/cybervein/disks/bay1",
        "/var/lib/cybervein/disks/bay2",
        "/var/lib/cybervein/disks/old",
    ]
    assert given["log_json"] is True
