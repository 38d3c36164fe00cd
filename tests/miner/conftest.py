"""A miner on a network of its own, and small filesystems to try it on."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cybervein_miner.duty import upkeep
from miner_world import Mount, Running, World, new_world, serving, settings_of
from plot_farm import Farm
from services import Service


@pytest.fixture(autouse=True)
def _no_process_outlives_its_test() -> Iterator[None]:
    before = len(Service.started)
    yield
    while len(Service.started) > before:
        Service.started.pop().kill()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return new_world(tmp_path)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The upkeep of a miner in this process looks only when the test has it look.

    Its own round, every ten seconds, would come between two lines of a slow test.
    """
    monkeypatch.setattr(upkeep, "UPKEEP_SECONDS", 3600.0)


@pytest.fixture
async def miner(world: World, tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(world, settings_of(world, tmp_path, tmp_path / "disk")) as running:
        yield running


@pytest.fixture
async def farm(tmp_path: Path) -> Farm:
    (tmp_path / "d").mkdir()
    farm = Farm(tmp_path, tmp_path / "d")
    await farm.fill()
    farm.activate()
    return farm


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mount small filesystems: tmpfs by size, or ext4 in a file; unmounted afterwards."""
    mounted: list[Path] = []

    def new(size: str, name: str = "mnt", *, ext4: bool = False) -> Path:
        path = tmp_path / name
        path.mkdir(exist_ok=True)
        if ext4:
            image = tmp_path / f"{name}.img"
            if not image.exists():
                _run("truncate", "-s", size, str(image))
                _run("mkfs.ext4", "-q", "-m", "0", str(image))
            _run("mount", "-o", "loop", str(image), str(path))
        else:
            _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path))
        mounted.append(path)
        return path

    yield new
    for path in reversed(mounted):
        subprocess.run(["umount", "-l", str(path)], check=False, capture_output=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
