"""A super node loses its volume; the network goes on from a backup. Real processes and files."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from services import Service, get_json, miner, run, super_node
from waiting import until

VAULT = "vault"


@dataclass
class Net:
    """A super node that takes snapshots, and one miner."""

    place: Path
    node: Service
    miner: Service

    @property
    def data(self) -> Path:
        return self.place / "node"

    @property
    def network_file(self) -> Path:
        return self.place / "network.json"

    def snapshots(self) -> list[dict[str, Any]]:
        listed = run("--json", "supernode", "snapshots", self.place / VAULT)
        found: list[dict[str, Any]] = json.loads(listed.stdout)["snapshots"]
        return found

    def lose(self) -> None:
        """The process and its volume are gone."""
        self.node.kill()
        shutil.rmtree(self.data)

    def restore(self, *options: object) -> dict[str, Any]:
        done = run(
            *("--json", "supernode", "restore", self.place / VAULT, "--data", self.data),
            *("--network", self.network_file, "--identity", self.place / "key.json", *options),
        )
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def accepted(self) -> int:
        """Proofs of the miner that were accepted since it started."""
        return int(self.miner.status()["proofs"]["accepted"])

    def proves_again(self) -> None:
        before = self.accepted()
        until(lambda: self.accepted() > before, "a proof is accepted", diagnose=self.miner.tail)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    place = tmp_path_factory.mktemp("restored")
    node = super_node(place / "node", 2)
    node.start("--backup", place / VAULT, "--backup-seconds", "1", "--backup-keep", "1000")
    shutil.copy(place / "node" / "network.json", place / "network.json")
    shutil.copy(place / "node" / "identity.json", place / "key.json")
    made = Net(place, node, miner(place / "miner", place / "network.json", "--plots", "1"))
    until(
        lambda: get_json(f"{node.url}/v1/backup")["last"], "there is a snapshot", diagnose=node.tail
    )
    made.miner.start()
    until(lambda: made.accepted() > 0, "the miner proves", diagnose=made.miner.tail)
    yield made
    made.miner.stop()
    node.stop()


def test_an_empty_volume_founds_nothing_and_says_how_to_restore(net: Net, tmp_path: Path) -> None:
    found = run(
        *("supernode", "init", "--if-absent", "--data", tmp_path / "new", "--preset", "test"),
        *("--pinned", net.network_file, "--identity", net.place / "key.json"),
    )
    assert found.returncode == 6, found.stderr
    assert "ledger lost" in found.stderr
    assert "supernode restore" in found.stderr
    assert not (tmp_path / "new").exists()


def test_the_newest_snapshot_brings_the_network_back_and_the_miner_goes_on(net: Net) -> None:
    net.lose()
    newest = net.snapshots()[-1]
    said = net.restore()
    assert said["name"] == newest["name"]
    again = run(
        "--json", "supernode", "restore", net.place / VAULT, "--data", net.data, "--if-absent"
    )
    assert json.loads(again.stdout)["restored"] is False
    net.node.start()
    told = get_json(f"{net.node.url}/v1/backup")
    assert (told["restored"]["height"], told["last"]) == (newest["height"], None)
    assert get_json(f"{net.node.url}/v1/network")["height"] >= newest["height"]
    net.proves_again()


def test_a_snapshot_from_before_the_miner_was_known_has_it_register_its_plots_again(
    net: Net,
) -> None:
    first = net.snapshots()[0]
    net.lose()
    net.restore("--snapshot", first["name"])
    net.node.start()
    address = net.miner.status()["address"]

    def counts() -> bool:
        miners = get_json(f"{net.node.url}/v1/miners")["miners"]
        return any(each["address"] == address and each["plots_active"] for each in miners)

    until(counts, "its plot counts again", diagnose=net.miner.tail)
    net.proves_again()
    net.node.stop()
    verified = run("--json", "chain", "verify", "--data", net.data)
    assert verified.returncode == 0, verified.stderr
