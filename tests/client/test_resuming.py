"""A put that continues an earlier one stores what the source has: never a mixture."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cybervein_client import AsyncClient
from cybervein_client.catalogue import (
    Catalogue,
    CatalogueDeal,
    DealState,
    FileState,
    SegmentRow,
)
from cybervein_client.home import Home
from cybervein_client.ledger.fees import small_fees
from cybervein_client.upload import FileSource, Offer, StreamSource
from cybervein_client.upload.deals import FileDeals
from cybervein_client.upload.shards import SegmentJob, ShardUploader
from cybervein_protocol.cid import digest_cid
from cybervein_protocol.coding import SEGMENT_PLAIN
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import ConflictError, FundsError, ProofError, UnavailableError
from cybervein_protocol.messages import ShardEntry
from cybervein_protocol.placement import Code
from cybervein_protocol.presets import TEST
from cybervein_protocol.signing import address
from real_network import RealNetwork
from services import run

Noise = Callable[..., Path]
SEGMENTS = 3
CODE = Code(2, 3)


@pytest.fixture
def source(noise: Noise) -> Path:
    return noise(SEGMENTS * SEGMENT_PLAIN + 77)


class Act:
    """Progress that does something once, when the first segment is acknowledged."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act: Callable[[], None] | None = act

    def __call__(self, _: int) -> None:
        act, self._act = self._act, None
        if act is not None:
            act()


def stop() -> None:
    raise UnavailableError("stopped here")


async def begin(client: AsyncClient, source: Path) -> None:
    """A put that ends with the first segment acknowledged; the last one never gets that far."""
    upload = ShardUploader.upload

    async def but_the_last(uploader: ShardUploader, job: SegmentJob) -> tuple[ShardEntry, ...]:
        if job.segment == SEGMENTS:
            await asyncio.Event().wait()
        return await upload(uploader, job)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ShardUploader, "upload", but_the_last)
        with pytest.raises(UnavailableError, match="stopped here"):
            await client.put(FileSource(source), "file", code=CODE, progress=Act(stop))
    file = client.catalogue.resolve("file")
    assert any(row.shards for row in client.catalogue.segments(file.id))


def rewrite(path: Path, start: int) -> None:
    """Other bytes of the same number behind the mtime of before, as some programs leave them."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"other bytes")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


async def content(client: AsyncClient, name: str = "file") -> bytes:
    return b"".join([data async for data in client.stream(name)])


async def test_bytes_that_were_sent_and_changed_behind_an_equal_mtime_begin_anew(
    client: AsyncClient, source: Path
) -> None:
    await begin(client, source)
    begun = client.catalogue.resolve("file")
    sent = next(row.number for row in client.catalogue.segments(begun.id) if row.shards)
    rewrite(source, sent * SEGMENT_PLAIN + 5)
    notes: list[str] = []
    row = await client.put(FileSource(source), "file", note=notes.append)
    [note] = notes
    assert "has other bytes than when its upload began, the put begins anew" in note
    assert row.id != begun.id
    assert await content(client) == source.read_bytes()


async def test_what_was_not_sent_yet_may_change_and_a_touched_file_is_continued(
    client: AsyncClient, source: Path
) -> None:
    await begin(client, source)
    begun = client.catalogue.resolve("file")
    rows = {row.number: row for row in client.catalogue.segments(begun.id) if row.shards}
    unsent = next(number for number in range(SEGMENTS + 1) if number not in rows)
    rewrite(source, unsent * SEGMENT_PLAIN)
    source.touch()
    notes: list[str] = []
    row = await client.put(FileSource(source), "file", note=notes.append)
    assert (notes, row.id) == ([], begun.id)
    after = {row.number: row for row in client.catalogue.segments(begun.id)}
    assert all(after[number] == row for number, row in rows.items())
    assert await content(client) == source.read_bytes()


async def test_a_file_of_another_size_begins_anew(client: AsyncClient, source: Path) -> None:
    await begin(client, source)
    source.write_bytes(b"short")
    notes: list[str] = []
    await client.put(FileSource(source), "file", note=notes.append)
    assert "has 5 bytes" in notes[0]
    assert await content(client) == b"short"


async def test_a_file_written_to_while_it_is_stored_is_not_called_stored(
    client: AsyncClient, source: Path
) -> None:
    act = Act(lambda: rewrite(source, 5))
    with pytest.raises(ConflictError, match="changed since its upload began; put it again"):
        await client.put(FileSource(source), "file", code=CODE, progress=act)
    await client.put(FileSource(source), "file")
    assert await content(client) == source.read_bytes()


async def test_a_file_written_to_while_a_lost_shard_is_sent_anew_is_not_called_stored(
    client: AsyncClient, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = FileDeals.commit

    async def refused(*_: object) -> None:
        monkeypatch.setattr(FileDeals, "commit", commit)
        rewrite(source, 5)
        rewrite(source, SEGMENT_PLAIN + 5)
        raise ProofError("a shard is not there")

    async def lost(_: object, __: object, row: SegmentRow) -> bool:
        return row.number == 0

    monkeypatch.setattr(FileDeals, "commit", refused)
    monkeypatch.setattr(ShardUploader, "lost", lost)
    with pytest.raises(ConflictError, match="changed since its upload began; put it again"):
        await client.put(FileSource(source), "file", code=CODE)
    await client.put(FileSource(source), "file")
    assert await content(client) == source.read_bytes()


async def test_a_file_renamed_and_touched_while_it_is_stored_is_stored(
    client: AsyncClient, source: Path
) -> None:
    def disturb() -> None:
        source.chmod(0o600)
        source.touch()
        source.rename(source.with_name("renamed"))

    row = await client.put(FileSource(source), "file", code=CODE, progress=Act(disturb))
    assert row.state is FileState.STORED
    assert await content(client) == source.with_name("renamed").read_bytes()


async def test_a_stored_file_is_known_by_its_bytes_not_by_its_mtime(
    client: AsyncClient, noise: Noise
) -> None:
    source = noise(5000)
    stored = await client.put(FileSource(source), "file")
    source.touch()
    assert await client.put(FileSource(source), "file") == client.catalogue.resolve("file")
    assert client.catalogue.resolve("file").cid == stored.cid
    rewrite(source, 7)
    with pytest.raises(ConflictError, match=r"is stored, and .* has other bytes now"):
        await client.put(FileSource(source), "file")
    with pytest.raises(ConflictError, match=f"is stored as {stored.k}/{stored.n}, not 1/2"):
        await client.put(FileSource(source), "file", code=Code(1, 2))


async def test_a_stream_that_differs_from_the_earlier_one_is_given_up_and_then_stored(
    client: AsyncClient, source: Path
) -> None:
    with pytest.raises(UnavailableError, match="stopped here"):
        await client.put(StreamSource(source.open("rb")), "file", code=CODE, progress=Act(stop))
    begun = client.catalogue.resolve("file")
    sent = next(row.number for row in client.catalogue.segments(begun.id) if row.shards)
    rewrite(source, sent * SEGMENT_PLAIN + 5)
    notes: list[str] = []
    with pytest.raises(ConflictError, match="put it again, which begins anew"):
        await client.put(StreamSource(source.open("rb")), "file", note=notes.append)
    assert "the stream has other bytes than the earlier one" in notes[0]
    await client.put(StreamSource(source.open("rb")), "file", code=CODE)
    assert await content(client) == source.read_bytes()


async def test_another_code_after_a_failed_attempt_is_the_one_that_is_used(
    client: AsyncClient, source: Path
) -> None:
    await begin(client, source)
    notes: list[str] = []
    row = await client.put(FileSource(source), "file", code=Code(2, 4), note=notes.append)
    assert "--code 2/4 instead of 2/3, the put begins anew" in notes[0]
    assert (row.k, row.n) == (2, 4)


def test_a_code_that_cannot_be_placed_is_refused_before_a_price_and_leaves_nothing(
    home: Home, network: RealNetwork, noise: Noise
) -> None:
    wallet = f"/accounts/{address(network.wallet.keys.public)}"
    before = network.get(wallet)["nonce"]
    line = ("--home", home.directory, "put", str(noise(5000)), "--name", "file", "--code")
    failed = run(*line, "9/10")
    assert failed.returncode == 1
    [said] = failed.stderr.splitlines()
    assert said.startswith("error: cannot store as 9/10: 8 failure domains are live")
    assert "choose a smaller --code" in said
    assert "no file is stored yet" in run("--home", home.directory, "ls").stdout
    assert network.get(wallet)["nonce"] == before


async def test_a_put_that_is_not_agreed_to_leaves_the_earlier_attempt_as_it_was(
    client: AsyncClient, source: Path
) -> None:
    await begin(client, source)
    before = client.catalogue.resolve("file")
    deals, nonce = client.catalogue.deals(before.id), (await client.account()).nonce

    def no(*_: object) -> None:
        stop()

    for code, epochs in ((CODE, 70), (Code(2, 4), None)):
        with pytest.raises(UnavailableError, match="stopped here"):
            await client.put(FileSource(source), "file", code=code, epochs=epochs, offered=no)
    with pytest.raises(FundsError, match="nothing was paid"):
        await client.put(FileSource(source), "file", code=Code(1, 8), epochs=10_000)
    assert client.catalogue.resolve("file") == before
    assert client.catalogue.deals(before.id) == deals
    assert (await client.account()).nonce == nonce


async def escrowed(client: AsyncClient) -> int:
    """What the deals of `file` have escrowed so far, by the ledger."""
    deals = client.catalogue.deals(client.catalogue.resolve("file").id)
    said = [await client.supernode.deal(deal.cid) for deal in deals]
    return sum(each.escrow for each in said if each is not None)


@pytest.mark.parametrize("epochs", [None, 300], ids=["as before", "for longer"])
async def test_a_continued_put_takes_what_it_shows(
    client: AsyncClient, source: Path, epochs: int | None
) -> None:
    await begin(client, source)
    before, offers = await escrowed(client), list[Offer]()
    file = await client.put(
        FileSource(source), "file", epochs=epochs, offered=lambda offer, _: offers.append(offer)
    )
    [price] = [offer.price for offer in offers]
    assert price is not None
    taken = await escrowed(client) - before
    # Fees are shown as what they are at most, and an epoch less is bought for each that passes.
    assert 0 < price - taken <= small_fees(20, TEST) + price // 10
    assert file.epochs == (epochs or 100)


async def test_a_deal_that_never_reached_the_ledger_is_removed_without_a_fee(
    client: AsyncClient, source: Path
) -> None:
    before = await client.account()
    await begin(client, source)
    file = client.catalogue.resolve("file")
    for deal in client.catalogue.deals(file.id):
        client.catalogue.drop_deal(deal)
    lost = CatalogueDeal(
        file=file.id,
        ordinal=0,
        first=0,
        segments=1,
        cid=cid_text(digest_cid(b"\7" * 32)),
        open_unit=b"never sent",
        commit_unit=None,
        escrow=1,
        state=DealState.OPENING,
    )
    client.catalogue.add_deal(lost)
    asked = await client.account()
    assert (await client.remove("file")).refunded == 0
    assert (await client.account()).nonce == asked.nonce
    assert asked.nonce >= before.nonce


def test_a_removal_that_was_interrupted_is_finished_by_the_next_put(
    home: Home, noise: Noise
) -> None:
    line = ("--home", home.directory, "put", str(noise(5000)), "--name", "file")
    assert run(*line).returncode == 0
    catalogue = Catalogue(home.catalogue_path)
    first = catalogue.resolve("file")
    catalogue.set_file_state(first.id, FileState.REMOVING)
    catalogue.close()
    again = run(*line)
    assert again.returncode == 0, again.stderr
    assert "its removal, which was interrupted, is finished first" in " ".join(again.stderr.split())
    catalogue = Catalogue(home.catalogue_path)
    assert catalogue.resolve("file").id != first.id
    catalogue.close()


async def test_a_removal_that_was_interrupted_tells_what_came_back_before(
    client: AsyncClient, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.put(FileSource(noise(900_000)), "file", code=CODE)
    [deal] = client.catalogue.deals(client.catalogue.resolve("file").id)
    with monkeypatch.context() as patched:
        patched.setattr(client.catalogue, "forget_file", lambda _: stop())
        with pytest.raises(UnavailableError, match="stopped here"):
            await client.remove("file")
    ended = await client.supernode.deal(deal.cid)
    assert ended is not None
    assert (await client.remove("file")).refunded == ended.refunded > 0
