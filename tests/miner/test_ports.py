"""A miner and its sidecar are found without being told where; a busy port is one line."""

import json
import socket
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer.main
from cybervein_command.app import build
from cybervein_miner.node.calling import called
from cybervein_miner.sidecar.announced import announced_url
from cybervein_miner.sidecar.awaited import expect_miner
from cybervein_protocol.errors import CyberVeinError, UnavailableError
from miner_world import World
from ports import free_ports
from process import Process
from services import Service, command, get_json, miner, run
from waiting import until

NOBODY = "http://127.0.0.1:1"


@contextmanager
def taken() -> Iterator[str]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


def mine_on(port: str, world: World, folder: Path) -> tuple[str, ...]:
    (folder / "disk").mkdir(exist_ok=True)
    where = ("--network", str(world.file), "--data", str(folder / "data"))
    return ("mine", *where, "--disk", str(folder / "disk"), "--port", port)


def test_ports_are_fixed_unless_one_is_given() -> None:
    tree = typer.main.get_command(build())
    commands = tree.commands  # type: ignore[attr-defined]
    ports = {
        name: parameter.default
        for name in ("mine", "sidecar")
        for parameter in commands[name].params
        if parameter.name == "port"
    }
    assert ports == {"mine": 7070, "sidecar": 7071}


def test_a_miner_on_a_busy_port_says_so_in_one_line(world: World, tmp_path: Path) -> None:
    with taken() as port:
        done = run(*mine_on(port, world, tmp_path))
    assert done.returncode == 4
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: cannot listen on 127.0.0.1:{port} (Address already in use)")
    assert "--port" in line
    assert not (tmp_path / "data" / "run.json").exists()


@pytest.mark.parametrize("option", ["--url", "--supernode"])
def test_a_mistyped_url_is_refused_before_it_reaches_the_ledger(
    world: World, tmp_path: Path, option: str
) -> None:
    done = run(*mine_on("0", world, tmp_path), option, "192.168.1.20:7070")
    assert done.returncode == 2
    assert "'192.168.1.20:7070': expected http:// or https://" in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_sidecar_refuses_what_is_no_url_of_a_miner() -> None:
    done = run("sidecar", "--miner", "pc:7070", "--supernode", NOBODY, "--port", "0")
    assert done.returncode == 2
    assert "'pc:7070': expected http:// or https://" in done.stderr


@pytest.mark.parametrize("alone", [True, False])
def test_a_sidecar_on_a_busy_port_says_so_in_one_line(tmp_path: Path, *, alone: bool) -> None:
    with taken() as port:
        line = ("sidecar", "--miner", NOBODY, "--supernode", NOBODY, "--port", port)
        if alone:  # as a process of its own, which imports no command
            process = Process("sidecar", tuple(command(*line)), tmp_path)
            process.start()
            until(lambda: not process.alive, "it ends")
            said = process.log.read_text()
        else:
            said = run(*line).stderr
    [one] = said.splitlines()
    assert one.startswith(f"error: cannot listen on 127.0.0.1:{port} (Address already in use)")


def test_a_sidecar_finds_the_miner_of_a_data_directory(world: World, tmp_path: Path) -> None:
    worker = miner(tmp_path, world.file, "--plots", "0", "--host", "0.0.0.0")  # noqa: S104 -- found on this machine's own
    worker.start()
    data = tmp_path / "data"
    line = ("sidecar", "--data", data, "--network", world.file)
    beside = Service(data / "sidecar.json", *line)
    beside.start()
    until(lambda: readiness(beside) == 200, "it to be ready")
    assert worker.status()["url"] == announced_url(data), "the address that faces the super node"
    assert announced_url(data) == worker.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104


def test_a_sidecar_follows_its_miner_to_another_port(world: World, tmp_path: Path) -> None:
    worker = miner(tmp_path, world.file, "--plots", "0")
    worker.start()
    data = tmp_path / "data"
    line = ("sidecar", "--data", data, "--network", world.file)
    beside = Service(data / "sidecar.json", *line)
    beside.start()
    assert f"metrics={beside.url}/metrics" in beside.log.read_text(), "it says where it listens"
    worker.stop()
    [worker.port] = free_ports(1)
    worker.start()
    until(lambda: readiness(beside) == 200, "it to be ready")


def test_a_sidecar_that_is_started_before_its_miner_waits_for_it(
    world: World, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    beside = Service(data / "sidecar.json", "sidecar", "--data", data, "--network", world.file)
    beside.launch()
    said = "waiting for the miner"
    until(lambda: said in beside.log.read_text(), "the word", diagnose=beside.tail)
    worker = miner(tmp_path, world.file, "--plots", "0")
    worker.start()
    beside.wait_ready()
    until(lambda: readiness(beside) == 200, "it to be ready")
    beside.stop()
    worker.stop()
    beside.start()  # a miner's directory: however long its miner takes
    assert readiness(beside) == 503
    worker.start()
    until(lambda: readiness(beside) == 200, "it to be ready")


def readiness(service: Service) -> int:
    try:
        get_json(f"{service.url}/readyz")
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def test_without_a_miner_there_the_next_step_is_said(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    options = ("sidecar", "--data", tmp_path, "--supernode", NOBODY, "--port", "0")
    done = run(*options)
    refusal = f"no miner runs on {tmp_path}; start it with cybervein mine --data {tmp_path}"
    assert (done.returncode, done.stderr) == (4, f"error: {refusal}\n")
    done = run("--json", *options)
    assert (done.returncode, json.loads(done.stdout)["message"]) == (4, refusal)
    done = run("sidecar", "--data", tmp_path / "photo.jpg", "--supernode", NOBODY)
    assert (done.returncode, "photo.jpg" in done.stderr) == (6, True)
    done = run("sidecar", "--supernode", NOBODY)
    assert "give --data of a miner on this machine, or --miner URL" in done.stderr


@pytest.mark.parametrize("name", ["none", "empty"])
def test_a_directory_that_no_miner_makes_is_waited_for_with_an_end(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnavailableError, match=f"no miner runs on .*/{name}; start it"):
        expect_miner(tmp_path / name, patience_seconds=0)


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"pid": 1}), '"\\ud800"'])
def test_a_damaged_run_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(CyberVeinError, match="does not say where a miner listens"):
        announced_url(tmp_path)


def test_two_miners_of_one_machine_run_side_by_side_on_ports_of_their_own(
    world: World, tmp_path: Path
) -> None:
    both = [miner(tmp_path / name, world.file, "--plots", "0") for name in ("a", "b")]
    for worker, port in zip(both, free_ports(2), strict=True):
        worker.port = port
        worker.start()
    assert [worker.status()["url"] for worker in both] == [worker.url for worker in both]


@pytest.mark.parametrize(
    ("listening", "super_node", "expected"),
    [
        ("http://127.0.0.1:7070", "https://127.0.0.1:1", "http://127.0.0.1:7070"),
        ("http://0.0.0.0:7070", "http://127.0.0.1:1", "http://127.0.0.1:7070"),
        ("http://[::]:7070", "https://localhost", "http://127.0.0.1:7070"),
        ("http://0.0.0.0:7070", "https://no.such.name.invalid", "http://0.0.0.0:7070"),
    ],
)
def test_without_a_url_a_miner_is_called_by_the_address_that_faces_the_super_node(
    listening: str, super_node: str, expected: str
) -> None:
    assert called(listening, super_node).replace("[::1]", "127.0.0.1") == expected
