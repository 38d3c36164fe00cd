"""Lets the tests here share `super_lab` and `fake_miner`, and gives them a running super node."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from super_lab import Lab, Process


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A super node inside this process, its epochs driven by the test."""
    made = Lab(tmp_path)
    made.begin()
    yield made
    await made.end()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A super node as its own process, over HTTP, for all tests of a module."""
    made = Process(tmp_path_factory.mktemp("supernode"))
    made.found(epoch_seconds=3600)
    made.start()
    yield made
    made.stop()
