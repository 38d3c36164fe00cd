"""Receipts of a segment under way: kept whatever ends its upload, written once where it is fast."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from cybervein_client.catalogue import Catalogue, FileRow, FileState, Sealed
from cybervein_client.upload import receipts
from cybervein_client.upload.receipts import SegmentJournal
from cybervein_protocol.errors import StorageError
from cybervein_protocol.messages import ShardEntry

DEAL = "bafy-deal"
SEALED = Sealed(7, b"s" * 32, (b"0" * 32, b"1" * 32, b"2" * 32))
ENTRIES = {
    index: ShardEntry(root=root, miner=b"m" * 32, size=4096, receipt=b"r" * 64)
    for index, root in enumerate(SEALED.roots)
}
FILE = FileRow(
    id="f",
    name="file",
    source="/a/file",
    size=1,
    mtime_ns=1,
    file_key=b"k" * 32,
    k=1,
    n=3,
    epochs=1,
    state=FileState.UPLOADING,
    cid=None,
    created=1,
)


class PowerCutError(Exception):
    """What ends an upload."""


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    made = Catalogue(tmp_path / "catalogue.sqlite")
    made.add_file(FILE)
    yield made
    made.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The moment to write never comes."""
    monkeypatch.setattr(receipts, "PAUSE_SECONDS", 1e6)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has always come."""
    monkeypatch.setattr(receipts, "PAUSE_SECONDS", 0.0)


def journal_of(catalogue: Catalogue, sealed: Sealed = SEALED) -> SegmentJournal:
    return SegmentJournal(catalogue=catalogue, file=FILE.id, deal=DEAL, sealed=sealed)


@pytest.mark.usefixtures("patient")
async def test_a_segment_that_is_done_at_once_leaves_its_own_entry_only(
    catalogue: Catalogue,
) -> None:
    async with journal_of(catalogue) as journal:
        for index, entry in ENTRIES.items():
            journal.keep(index, entry)
            await asyncio.sleep(0)
    assert catalogue.sealed(FILE.id, 7) is None
    assert catalogue.receipts(FILE.id, 7, DEAL) == {}


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("came", [0, 1, 3])
async def test_an_upload_that_ends_in_an_error_leaves_all_that_came(
    catalogue: Catalogue, came: int
) -> None:
    async def upload() -> None:
        async with journal_of(catalogue) as journal:
            for index in range(came):
                journal.keep(index, ENTRIES[index])
                await asyncio.sleep(0)
            raise PowerCutError

    with pytest.raises(PowerCutError):
        await upload()
    assert catalogue.sealed(FILE.id, 7) == SEALED
    assert catalogue.receipts(FILE.id, 7, DEAL) == {i: ENTRIES[i] for i in range(came)}


@pytest.mark.usefixtures("patient")
async def test_so_does_one_that_is_cancelled(catalogue: Catalogue) -> None:
    began = asyncio.Event()

    async def upload() -> None:
        async with journal_of(catalogue) as journal:
            journal.keep(1, ENTRIES[1])
            began.set()
            await asyncio.Event().wait()

    uploading = asyncio.create_task(upload())
    await began.wait()
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    assert catalogue.receipts(FILE.id, 7, DEAL) == {1: ENTRIES[1]}


@pytest.mark.usefixtures("eager")
async def test_on_a_slow_line_each_receipt_is_there_before_the_next_comes(
    catalogue: Catalogue,
) -> None:
    async with journal_of(catalogue) as journal:
        for index, entry in ENTRIES.items():
            journal.keep(index, entry)
            while index not in catalogue.receipts(FILE.id, 7, DEAL):
                await asyncio.sleep(0.005)
        assert catalogue.sealed(FILE.id, 7) == SEALED


@pytest.mark.usefixtures("eager")
async def test_receipts_that_cannot_be_written_end_the_upload(catalogue: Catalogue) -> None:
    catalogue.forget_file(FILE.id)  # what belongs to it has no place any more

    async def upload() -> None:
        async with journal_of(catalogue) as journal:
            while True:
                journal.keep(0, ENTRIES[0])
                await asyncio.sleep(0.005)

    with pytest.raises(StorageError, match="nothing was changed"):
        await upload()


def test_receipts_count_for_the_salt_they_came_under(catalogue: Catalogue) -> None:
    catalogue.put_receipts(FILE.id, SEALED, DEAL, {0: ENTRIES[0]})
    catalogue.put_receipts(FILE.id, SEALED, DEAL, {1: ENTRIES[1]})
    assert catalogue.receipts(FILE.id, 7, DEAL) == {0: ENTRIES[0], 1: ENTRIES[1]}
    anew = Sealed(7, b"t" * 32, SEALED.roots[::-1])
    catalogue.put_receipts(FILE.id, anew, DEAL, {2: ENTRIES[0]})
    assert catalogue.receipts(FILE.id, 7, DEAL) == {2: ENTRIES[0]}
    assert catalogue.sealed(FILE.id, 7) == anew
