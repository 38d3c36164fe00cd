"""The operator drains real miners of a real super node; only the kubelet is played."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cluster.kwok import Kwok
from cluster.running import Cluster
from cybervein_client import AsyncClient
from cybervein_client.home import Home
from cybervein_client.upload import FileSource
from cybervein_protocol.placement import Code
from cybervein_runtime.files import write_atomic
from cybervein_runtime.identity import save_identity
from operator_lab import API, ROOT, Lab
from ports import free_ports, listens
from process import Process
from real_network import RealNetwork
from responder import Responder
from services import Command, get_json
from waiting import until

pytestmark = pytest.mark.kubernetes
ENFORCE = "pod-security.kubernetes.io/enforce"
MINERS = 5
SIZE = 300_000


@dataclass
class Mine:
    """Real miners for the pods that kwok plays: each with its own Secret's keys."""

    lab: Lab
    network: RealNetwork
    directory: Path
    base: int
    processes: dict[int, Process]

    def start(self, ordinal: int) -> None:
        home = self.directory / f"home-{ordinal}"
        (home / "a").mkdir(parents=True, exist_ok=True)
        secret = self.lab.api.get("secret", f"home-{ordinal}-identity")
        assert secret is not None
        keys = home / "identity.json"
        keys.touch(mode=0o600)
        keys.write_bytes(base64.b64decode(secret["data"]["identity.json"]))
        line = (
            *("mine", "--network", self.network.network_file, "--identity", keys),
            *("--data", home / "data", "--disk", home / "a", "--plots", "1"),
            *("--group", f"group-{ordinal}", "--owner", f"owner-{ordinal}"),
            *("--port", str(self.base * 10 + ordinal), "--control", self.control(ordinal)),
        )
        process = Command(f"miner-{ordinal}", line, self.directory)
        process.start()
        self.processes[ordinal] = process

    def pool(self, **spec: object) -> None:
        """With the addresses that the miners really have."""
        where = {"type": "HostPort", "host": "127.0.0.1", "port": self.base * 10}
        self.lab.pool(replicas=MINERS, address=where, **spec)

    def control(self, ordinal: int) -> str:
        """The key that the operator's StatefulSet names."""
        found = self.lab.api.get("statefulset", f"home-{ordinal}")
        assert found is not None
        arguments = found["spec"]["template"]["spec"]["containers"][0]["args"]
        return str(arguments[arguments.index("--control") + 1])

    def status(self, ordinal: int) -> Any:
        return get_json(f"http://127.0.0.1:{self.base * 10 + ordinal}/v1/status")


def free_base() -> int:
    """A number whose tenfold begins ten free ports; the ordinal is the last digit."""
    for port in free_ports(50):
        base = port // 10
        if not any(listens(base * 10 + each) for each in range(10)):
            return base
    raise AssertionError("no ten free ports in a row")


@pytest.fixture
def network(tmp_path: Path) -> Iterator[RealNetwork]:
    made = RealNetwork(tmp_path / "network", 0)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def mine(  # noqa: PLR0913, PLR0917 -- what an operator needs around it
    cluster: Cluster,
    kwok: Kwok,
    storage_class: str,
    namespace: str,
    network: RealNetwork,
    tmp_path: Path,
) -> Iterator[Mine]:
    del storage_class
    cluster.kubectl.apply_file(ROOT / "manifests" / "crds")
    for each in ("networks", "minerpools", "minerdisks"):
        cluster.api.wait(
            "crd", f"{each}.cybervein.io", lambda crd: crd["status"].get("conditions"), "is there"
        )
    kwok.add_nodes(2)
    base = free_base()
    options = (
        *("--miner-url", f"http://127.0.0.1:{base}{{ordinal}}"),
        *("--supernode-url", network.supernode.url),
    )
    lab = Lab(cluster, namespace, tmp_path, Responder(), options=options)
    with lab.running():
        made = Mine(lab, network, tmp_path, base, {})
        yield made
        for process in made.processes.values():
            process.kill()


def found_pool(mine: Mine) -> None:
    lab = mine.lab
    text = mine.network.network_file.read_text()
    lab.api.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "net-file"},
            "data": {"network.json": text},
        },
        {
            "apiVersion": API,
            "kind": "Network",
            "metadata": {"name": "net"},
            "spec": {"join": {"configMap": "net-file"}},
        },
    )
    allowed = ("cybervein.io/host-access=allowed", f"{ENFORCE}=privileged")
    lab.cluster.kubectl("label", "--overwrite", "namespace", lab.namespace, *allowed)
    mine.pool()
    for ordinal in range(MINERS):
        lab.wait("statefulset", f"home-{ordinal}", lambda _: True, "is there")
        mine.start(ordinal)
    mine.network.wait_online(MINERS)


def wallet_home(network: RealNetwork, path: Path) -> Home:
    """The funded wallet's home."""
    home = Home(path)
    save_identity(home.identity_path, network.wallet)
    write_atomic(home.network_path, network.network_file.read_bytes(), mode=0o644)
    return home


async def test_scaling_down_moves_real_shards_and_every_byte_stays_readable(
    mine: Mine, tmp_path: Path
) -> None:
    found_pool(mine)
    lab = mine.lab
    lab.ready("home", MINERS)
    content = bytes(range(256)) * (SIZE // 256)
    source = tmp_path / "file.bin"
    source.write_bytes(content)
    async with AsyncClient(wallet_home(mine.network, tmp_path / "wallet")) as client:
        await client.put(FileSource(source), "held", code=Code(2, 3))
        rows = {row["address"]: row for row in mine.network.get("/miners")["miners"]}
        holder = max(
            ordinal
            for ordinal in range(MINERS)
            if rows[mine.status(ordinal)["address"]]["held_shards"]
        )
        address = mine.status(holder)["address"]
        mine.pool(drain=[f"home-{holder}"])
        until(
            lambda: lab.api.get("statefulset", f"home-{holder}") is None,
            "the miner is drained and stopped",
            every_seconds=0.5,
            diagnose=lambda: json.dumps(mine.status(holder)["drain"]) + lab.process.tail(),
        )
        assert mine.status(holder)["drained"] is True
        row = mine.network.get(f"/miners/{address}")
        assert (row["draining"], row["held_shards"]) == (True, 0)
        mine.processes[holder].kill()
        data = b"".join([part async for part in client.stream("held")])
        assert data == content
    mine.pool()
    lab.wait("statefulset", f"home-{holder}", lambda _: True, "is there again")
    mine.start(holder)
    until(
        lambda: not mine.network.get(f"/miners/{address}")["draining"],
        "it takes part again, under the same key",
        every_seconds=0.5,
        diagnose=lab.process.tail,
    )
    assert lab.api.get("pvc", f"home-{holder}-a") is not None
