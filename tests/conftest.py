"""Fixtures for every test that asks for them, and which tests stay together on one worker."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from codes import MODES, mode
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling

# A shell that runs tests in the background ignores Ctrl-C for them; the programs they start
# are interrupted all the same.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Hypothesis counts what collecting garbage takes. In a program that is forked from a test, Ctrl-C
# would get lost in that callback.
os.register_at_fork(after_in_child=gc.callbacks.clear)

pytest_plugins = ("cluster.plugin", "oci.plugin")

settings.register_profile("busy", deadline=None)  # a busy machine is not slow code
settings.load_profile("busy")


@pytest.fixture(params=MODES)
def native_mode(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs the test twice: by the specification alone and with native code."""
    with mode(request.param):
        yield request.param


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With one marker as `-m`, files that never name it are not imported: seconds of a stage."""
    marker = config.option.markexpr
    if not marker.isidentifier() or collection_path.suffix != ".py":
        return None
    return f"pytest.mark.{marker}" not in collection_path.read_text() or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs both codes on its own."""
    for item in items:
        if "native_mode" in getattr(item, "fixturenames", ()):
            item.add_marker("both_codes")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """`--dist loadfile` keeps folders that share a fixture on one worker too."""
    return FolderScheduling(config, log) if config.getoption("dist") == "loadfile" else None


class FolderScheduling(LoadFileScheduling):
    """A worker gets a file at a time, and all files that use one network of `FOLDERS` at once.

    xdist's own groups (`loadgroup`) do nothing under pytest 9.2: it keeps a test's id elsewhere.
    """

    FOLDERS: ClassVar = {"tests/client": {"test_drains.py"}}
    """Folders whose tests share a network, without the files that have one of their own."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        folder, _, name = file.rpartition("/")
        return folder if name not in self.FOLDERS.get(folder, {name}) else file
