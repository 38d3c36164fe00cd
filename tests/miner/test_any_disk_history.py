"""Any history of disks pulled, swapped, rotted, asked to leave and put back, restarts included."""

import re
import shutil
import tempfile
from pathlib import Path

import pytest
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.marker import create_marker, marker_path
from cybervein_miner.disk.rack import Rack
from cybervein_miner.record.journal import Journal
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.errors import CyberVeinError, ForbiddenError, StorageError
from cybervein_protocol.signing import KeyPair
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

KEY, OTHER = KeyPair(b"\1" * 32), KeyPair(b"\2" * 32)
NAMES = ["a", "b", "c"]
WHICH = st.sampled_from(NAMES)


class DiskHistory(RuleBasedStateMachine):
    """The model: what lies at each path, and what was last asked of the disk that belongs there."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp()).resolve()
        for name in NAMES:
            (self.folder / name).mkdir()
        self.there = dict.fromkeys(NAMES, "own")
        self.asked = dict.fromkeys(NAMES, "stay")
        self.ids: dict[str, str] = {}
        self.start()
        self.ids = {disk.path.name: disk.id for disk in self.rack.disks}

    def start(self) -> None:
        self.journal = Journal(self.folder / "miner.sqlite")
        self.rack = Rack(KEY, self.journal, floor=0)
        self.rack.open([] if self.ids else [self.folder / name for name in NAMES])

    def disk(self, name: str) -> Disk:
        return self.rack.get(self.ids[name])

    def replace(self, name: str, state: str) -> None:
        """Another thing at the path; what lay there is kept aside if it was the disk itself."""
        path, aside = self.folder / name, self.folder / f".{name}"
        if self.there[name] in {"own", "rotten"}:
            path.rename(aside)
        else:
            shutil.rmtree(path, ignore_errors=True)
        self.there[name] = state

    @rule(name=WHICH)
    def pull(self, name: str) -> None:
        self.replace(name, "absent")

    @rule(name=WHICH)
    def unmount(self, name: str) -> None:
        self.replace(name, "empty")
        (self.folder / name).mkdir()

    @rule(name=WHICH)
    def swap(self, name: str) -> None:
        self.replace(name, "foreign")
        (self.folder / name).mkdir()
        create_marker(self.folder / name, OTHER, 1)

    @rule(name=WHICH)
    def put_back(self, name: str) -> None:
        if self.there[name] not in {"own", "rotten"}:
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / f".{name}").rename(self.folder / name)
            rotten = b"rot" in marker_path(self.folder / name).read_bytes()
            self.there[name] = "rotten" if rotten else "own"

    @rule(name=WHICH)
    def rot(self, name: str) -> None:
        if self.there[name] == "own":
            marker = marker_path(self.folder / name)
            marker.write_bytes(marker.read_bytes() + b"rot")
            self.there[name] = "rotten"

    @rule(name=WHICH)
    def mend(self, name: str) -> None:
        if self.there[name] == "rotten":
            marker = marker_path(self.folder / name)
            marker.write_bytes(marker.read_bytes().removesuffix(b"rot"))
            self.there[name] = "own"

    @rule(name=WHICH)
    def ask_to_leave(self, name: str) -> None:
        self.rack.leave(self.disk(name))
        if self.asked[name] == "stay":
            self.asked[name] = "leave"

    @rule(name=WHICH)
    def nobody_needs_it(self, name: str) -> None:
        self.rack.give_up(self.disk(name))
        self.asked[name] = "drained"

    @rule(name=WHICH)
    def add(self, name: str) -> None:
        """Once more at its path: it is taken back if it is there, else refused by name.

        A drained one that was pulled is not called back: another may take its place.
        """
        path = self.folder / name
        pulled = self.asked[name] == "drained" and self.there[name] not in {"own", "rotten"}
        if pulled and self.there[name] == "empty":
            self.ids[name] = self.rack.add(path).id
            shutil.rmtree(self.folder / f".{name}")
            self.there[name], self.asked[name] = "own", "stay"
            return
        if self.there[name] == "own":
            assert self.rack.add(path) is self.disk(name)
        else:
            with pytest.raises(CyberVeinError, match=re.escape(str(path))):
                self.rack.add(path)
        if not pulled:
            self.asked[name] = "stay"

    @rule(path=WHICH)
    def add_a_strangers_disk(self, path: str) -> None:
        """Whoever's disk it is, it is not claimed."""
        strange = self.folder / f"strange-{path}"
        strange.mkdir(exist_ok=True)
        create_marker(strange, OTHER, 1)
        before = marker_path(strange).read_bytes()
        with pytest.raises(ForbiddenError):
            self.rack.add(strange)
        assert marker_path(strange).read_bytes() == before

    @rule()
    def restart(self) -> None:
        self.journal.close()
        self.start()

    @invariant()
    def each_disk_is_what_lies_there_and_was_asked(self) -> None:
        self.rack.look()
        for name in NAMES:
            state, disk = self.expected(name), self.disk(name)
            assert disk.state is state
            assert disk.readable == (self.there[name] == "own")
            assert disk.placeable == (self.there[name] == "own" and self.asked[name] == "stay")
            assert disk.available() == 0 or disk.readable

    def expected(self, name: str) -> DiskState:
        if self.asked[name] == "drained":
            return DiskState.DRAINED
        states = {
            "own": DiskState.READY,
            "rotten": DiskState.QUARANTINED,
            "foreign": DiskState.FOREIGN,
        }
        return states.get(self.there[name], DiskState.MISSING)

    @invariant()
    def something_new_goes_only_where_it_may(self) -> None:
        good = {n for n in NAMES if self.there[n] == "own" and self.asked[n] == "stay"}
        if good:
            assert self.rack.choose(1).path.name in good
            return
        with pytest.raises(StorageError) as refused:
            self.rack.choose(1)
        assert all(str(self.folder / name) in str(refused.value) for name in NAMES)

    def teardown(self) -> None:
        self.journal.close()
        shutil.rmtree(self.folder)


TestAnyDiskHistory = DiskHistory.TestCase
TestAnyDiskHistory.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
