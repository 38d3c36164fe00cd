"""Any history of a catalogue, reopened at any moment: what was recorded is there, keys first."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from cybervein_client.catalogue import (
    Catalogue,
    CatalogueDeal,
    DealState,
    FileRow,
    FileState,
    SegmentRow,
)
from cybervein_protocol.errors import ConflictError, UnknownError
from cybervein_protocol.messages import ShardEntry
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

NAMES = st.sampled_from(["a", "b", "c"])
SIZES = st.integers(0, 2**62)
SHARD = st.builds(
    ShardEntry,
    root=st.binary(min_size=32, max_size=32),
    miner=st.binary(min_size=32, max_size=32),
    size=SIZES,
    receipt=st.binary(min_size=64, max_size=64),
)


class CatalogueHistory(RuleBasedStateMachine):
    """The model: files by name, their deals and segments by number, their nodes."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.files: dict[str, FileRow] = {}
        self.deals: dict[tuple[str, int], CatalogueDeal] = {}
        self.segments: dict[tuple[str, int], SegmentRow] = {}
        self.nodes: dict[tuple[str, str], bytes] = {}
        self.made = 0
        self.open()

    def open(self) -> None:
        self.catalogue = Catalogue(self.folder / "catalogue.sqlite")

    @rule(name=NAMES, key=st.binary(min_size=32, max_size=32))
    def add(self, name: str, key: bytes) -> None:
        self.made += 1
        row = FileRow(
            id=f"file {self.made}",
            name=name,
            source="/a/file",
            size=None,
            mtime_ns=None,
            file_key=key,
            k=2,
            n=6,
            epochs=4,
            state=FileState.UPLOADING,
            cid=None,
            created=self.made,
        )
        if name in self.files:
            with pytest.raises(ConflictError):
                self.catalogue.add_file(row)
        else:
            self.catalogue.add_file(row)
            self.files[name] = row

    @rule(name=NAMES, ordinal=st.integers(0, 2), escrow=SIZES)
    def open_deal(self, name: str, ordinal: int, escrow: int) -> None:
        if file := self.files.get(name):
            row = CatalogueDeal(
                file=file.id,
                ordinal=ordinal,
                first=ordinal * 2,
                segments=2,
                cid=f"{file.id} deal {ordinal}",
                open_unit=b"open",
                commit_unit=None,
                escrow=escrow,
                state=DealState.OPENING,
            )
            self.catalogue.add_deal(row)
            self.deals[file.id, ordinal] = row

    @rule(name=NAMES, ordinal=st.integers(0, 2), state=st.sampled_from(sorted(DealState)))
    def move_deal(self, name: str, ordinal: int, state: DealState) -> None:
        row = self.deals.get((getattr(self.files.get(name), "id", ""), ordinal))
        if row and state is DealState.COMMITTING:
            self.catalogue.set_commit(row, b"commit")
            row = replace(row, commit_unit=b"commit")
        elif row:
            self.catalogue.set_deal_state(row, state)
        if row:
            self.deals[row.file, ordinal] = replace(row, state=state)

    @rule(name=NAMES, ordinal=st.integers(0, 2))
    def drop_deal(self, name: str, ordinal: int) -> None:
        """Its segments keep their salts and lose their receipts."""
        row = self.deals.pop((getattr(self.files.get(name), "id", ""), ordinal), None)
        if row:
            self.catalogue.drop_deal(row)
            for number in range(row.first, row.first + row.segments):
                if (row.file, number) in self.segments:
                    kept = replace(self.segments[row.file, number], shards=())
                    self.segments[row.file, number] = kept

    @rule(name=NAMES, number=st.integers(0, 5), size=SIZES, shards=st.lists(SHARD, max_size=3))
    def put_segment(self, name: str, number: int, size: int, shards: list[ShardEntry]) -> None:
        if file := self.files.get(name):
            row = SegmentRow(
                file=file.id,
                number=number,
                salt=bytes(32),
                size=size,
                chunks=1,
                last=number == 5,
                shards=tuple(shards),
            )
            self.catalogue.put_segment(row)
            self.segments[file.id, number] = row

    @rule(name=NAMES, size=SIZES, data=st.binary(max_size=20))
    def finish(self, name: str, size: int, data: bytes) -> None:
        if file := self.files.get(name):
            cid = f"cid of {file.id}"
            self.catalogue.finish_file(file.id, size, cid, {cid: data})
            self.files[name] = replace(file, size=size, cid=cid, state=FileState.STORED)
            self.nodes[file.id, cid] = data

    @rule(name=NAMES, epochs=st.integers(1, 99))
    def renew(self, name: str, epochs: int) -> None:
        if file := self.files.get(name):
            self.catalogue.set_epochs(file.id, epochs)
            self.catalogue.set_file_state(file.id, FileState.REMOVING)
            self.files[name] = replace(file, epochs=epochs, state=FileState.REMOVING)

    @rule(name=NAMES)
    def forget(self, name: str) -> None:
        if file := self.files.pop(name, None):
            self.catalogue.forget_file(file.id)
            for rows in (self.deals, self.segments, self.nodes):
                for key in [key for key in rows if key[0] == file.id]:
                    del rows[key]  # type: ignore[attr-defined]

    @rule()
    def reopen(self) -> None:
        self.catalogue.close()
        self.open()

    @rule()
    def restore(self) -> None:
        """From the image that a backup holds."""
        image = self.catalogue.snapshot()
        self.catalogue.close()
        for file in self.folder.iterdir():
            file.unlink()
        (self.folder / "catalogue.sqlite").write_bytes(image)
        self.open()

    @invariant()
    def the_catalogue_is_the_model(self) -> None:
        catalogue = self.catalogue
        assert {row.name: row for row in catalogue.files()} == self.files
        for name, file in self.files.items():
            assert catalogue.find(name) == catalogue.resolve(name) == file
            deals = [row for key, row in sorted(self.deals.items()) if key[0] == file.id]
            assert catalogue.deals(file.id) == deals
            segments = [row for key, row in sorted(self.segments.items()) if key[0] == file.id]
            assert catalogue.segments(file.id) == segments
        for (_, cid), data in self.nodes.items():
            assert catalogue.node(cid) == data
        for name in {"a", "b", "c"} - self.files.keys():
            with pytest.raises(UnknownError):
                catalogue.resolve(name)

    def teardown(self) -> None:
        self.catalogue.close()
        shutil.rmtree(self.folder)


TestAnyCatalogue = CatalogueHistory.TestCase
TestAnyCatalogue.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
