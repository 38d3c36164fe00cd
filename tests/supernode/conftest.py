"""A running super node, inside the test or as a process."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from super_lab import Lab, RealSuperNode


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A super node inside this process, its epochs driven by the test."""
    made = Lab(tmp_path)
    made.begin()
    yield made
    await made.end()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSuperNode]:
    """A super node as its own process, over HTTP, for all tests of a module."""
    backup = ("--backup", tmp_path_factory.mktemp("backup"))
    made = RealSuperNode(tmp_path_factory.mktemp("supernode"), *backup)
    made.found(epoch_seconds=3600)
    made.start()
    yield made
    made.stop()
