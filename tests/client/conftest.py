"""One real network for all of the client's tests; each test has a home of its own."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_client import AsyncClient
from cybervein_client.home import Home
from cybervein_runtime.files import write_atomic
from cybervein_runtime.identity import save_identity
from real_network import RealNetwork

MINERS = 8
PIECE = 1 << 20


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNetwork]:
    network = RealNetwork(tmp_path_factory.mktemp("network"), MINERS)
    try:
        network.start()
        yield network
    finally:
        network.stop()


@pytest.fixture
def network(running: RealNetwork) -> Iterator[RealNetwork]:
    """The network, every process of it running again after the test."""
    yield running
    for process in (running.supernode, *running.miners):
        process.revive()
    running.wait_online(MINERS)


@pytest.fixture
def home(network: RealNetwork, tmp_path: Path) -> Home:
    """A home with the funded wallet and an empty catalogue."""
    made = Home(tmp_path / "home")
    save_identity(made.identity_path, network.wallet)
    write_atomic(made.network_path, network.network_file.read_bytes(), mode=0o644)
    return made


@pytest.fixture
async def client(home: Home) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(home) as opened:
        yield opened


@pytest.fixture
def noise(tmp_path: Path) -> Callable[[int, int], Path]:
    """`noise(size, seed)`: a file of reproducible bytes."""

    def make(size: int, seed: int = 0) -> Path:
        path = tmp_path / f"noise-{size}-{seed}"
        stream = blake3(seed.to_bytes(8, "little"))
        with path.open("wb") as file:  # in pieces: children inherit what this process has in memory
            for start in range(0, size, PIECE):
                file.write(stream.digest(length=min(PIECE, size - start), seek=start))
        return path

    return make
