"""Pure and small parts: plans, budgets, races, ranges, sources."""

import asyncio
import io
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from cybervein_client.catalogue import Catalogue, CatalogueDeal, DealState, FileRow, FileState
from cybervein_client.download.race import first_k
from cybervein_client.lasting.ends import EndWatch
from cybervein_client.lasting.keeper import FileKeeper, KeptFile
from cybervein_client.ledger import live_domains
from cybervein_client.lifetimes import Life
from cybervein_client.upload import FileSource, StreamSource
from cybervein_client.upload.budget import ByteBudget
from cybervein_client.upload.deals import FileDeals
from cybervein_client.upload.plan import (
    DealPlan,
    kib_of,
    plan_deal,
    segments_per_deal,
)
from cybervein_client.upload.shards import UploadFailures
from cybervein_command.ranges import parse_range
from cybervein_protocol.api.super_node.miners import ListedMiner
from cybervein_protocol.coding import SEGMENT_PLAIN, segment_count
from cybervein_protocol.encoding import cid_text, encode, node_cid
from cybervein_protocol.errors import (
    ConflictError,
    CyberVeinError,
    ExpiredError,
    MalformedError,
    ReplayError,
    StorageError,
    UnavailableError,
)
from cybervein_protocol.ledger.accounts.fees import deal_escrow
from cybervein_protocol.ledger.storage.bodies import DealCommit
from cybervein_protocol.ledger.units.unit import make_paid_unit
from cybervein_protocol.messages import (
    RepairBox,
    SegmentEntry,
    ShardEntry,
    Verification,
    encode_repair,
)
from cybervein_protocol.presets import MAIN, TEST
from cybervein_protocol.signing import KeyPair
from documents import made
from hypothesis import given
from hypothesis import strategies as st


@given(
    size=st.integers(0, 50 * SEGMENT_PLAIN),
    k=st.integers(1, 8),
    extra=st.integers(1, 8),
    most=st.integers(1, 64),
)
def test_deals_cover_every_segment_once_and_escrow_every_shard(
    size: int, k: int, extra: int, most: int
) -> None:
    plans: list[DealPlan] = []
    first = 0
    while first < segment_count(size):
        plans.append(plan_deal(len(plans), first, plaintext=size, k=k, n=k + extra, most=most))
        first += plans[-1].segments
    assert first == segment_count(size)
    assert all(plan.segments <= most for plan in plans)
    assert all(a.first + a.segments == b.first for a, b in pairwise(plans))
    sealed = size + 16 * max(1, -(-size // 65520))
    assert sum(plan.size for plan in plans) >= sealed * (k + extra) // k
    assert all(plan.escrow(2, TEST) == deal_escrow(plan.shard_kib, 2, TEST) for plan in plans)


@pytest.mark.parametrize("n", [3, 6, 21, 100, 255])
def test_the_commit_of_a_full_deal_fits_into_a_unit(n: int) -> None:
    number = segments_per_deal(n, MAIN, super_nodes=3)
    entry = ShardEntry(root=b"r" * 32, miner=b"m" * 32, size=SEGMENT_PLAIN, receipt=b"s" * 64)
    segment = SegmentEntry(salt=b"s" * 32, size=SEGMENT_PLAIN, chunks=256, shards=[entry] * n)
    boxes = [RepairBox(super=b"s" * 32, box=bytes(48 + 32 * number)) for _ in range(3)]
    body = DealCommit(
        deal=node_cid(b"deal"),
        repair=encode_repair(boxes),
        segments=[segment] * number,
        verification=Verification(id=b"i" * 32, super=b"s" * 32, sig=b"s" * 64),
    )
    parents = [node_cid(bytes([i])) for i in range(8)]
    unit = make_paid_unit(
        node_cid(b"network"),
        body,
        parents=parents,
        key=KeyPair(b"k" * 32),
        nonce=1 << 40,
        preset=MAIN,
    )
    assert len(encode(unit)) <= MAIN.unit_bytes_max


def test_the_escrow_follows_the_wire_format() -> None:
    assert kib_of([0, 1, 1024, 1025]) == 0 + 1 + 1 + 2
    assert deal_escrow(100, 7, TEST) == 100 * 7 * 10 + 100 * 10


async def test_a_budget_lets_nobody_in_before_there_is_room() -> None:
    budget = ByteBudget(10)
    await budget.take(6)
    second = asyncio.create_task(budget.take(6))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not second.done()
    await budget.give(6)
    await second
    await budget.give(6)
    await budget.take(1000)  # larger than the budget: goes alone


class Shards:
    """Shards by index: bytes, an error, or never."""

    def __init__(self, given: dict[int, bytes | Exception | None]) -> None:
        self.given = given
        self.asked: list[int] = []

    async def fetch(self, index: int) -> bytes:
        self.asked.append(index)
        found = self.given[index]
        if found is None:
            await asyncio.Event().wait()
        if isinstance(found, Exception):
            raise found
        assert isinstance(found, bytes)
        return found


async def test_a_race_asks_for_k_and_no_more_when_all_is_well() -> None:
    shards = Shards({i: bytes([i]) for i in range(6)})
    assert await first_k(2, range(6), shards.fetch) == {0: b"\x00", 1: b"\x01"}
    assert shards.asked == [0, 1]


async def test_a_failed_shard_is_replaced_at_once_and_a_hanging_one_overtaken() -> None:
    shards = Shards({0: UnavailableError("down"), 1: None, 2: b"c", 3: b"d"})
    assert await first_k(2, range(4), shards.fetch) == {2: b"c", 3: b"d"}
    assert shards.asked == [0, 1, 2, 3]


async def test_a_race_that_cannot_be_won_returns_what_it_has() -> None:
    shards = Shards({0: UnavailableError("down"), 1: b"b", 2: UnavailableError("down")})
    assert await first_k(2, range(3), shards.fetch) == {1: b"b"}


async def test_a_program_error_is_not_taken_for_a_failing_miner() -> None:
    with pytest.raises(ZeroDivisionError):
        await first_k(1, [0], Shards({0: ZeroDivisionError()}).fetch)


def test_an_order_that_ran_out_is_not_the_miners_fault() -> None:
    failures = UploadFailures()
    failures.note(b"\x01" * 32, ExpiredError("late"))
    assert failures.by_miner == {}
    failures.note(b"\x01" * 32, UnavailableError("down"))
    [told] = failures.explain(UnavailableError("no miner")).__notes__
    assert "down" in told


@pytest.mark.parametrize(
    ("text", "expected"), [("0-0", (0, 1)), ("5-9", (5, 10)), ("5:9", (5, 10)), ("7-", (7, None))]
)
def test_ranges_name_first_and_last_byte(text: str, expected: tuple[int, int | None]) -> None:
    assert parse_range(text) == expected


@pytest.mark.parametrize("text", ["", "-", "-5", "5", "9-5", "a-b", "1-2-3"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_range(text)


@given(size=st.integers(0, 50), step=st.integers(1, 9))
def test_a_stream_is_cut_like_a_file_of_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, size: int, step: int
) -> None:
    data = bytes(range(size))
    path = tmp_path_factory.mktemp("source") / "file"
    path.write_bytes(data)
    file, stream = FileSource(path), StreamSource(io.BytesIO(data))
    cuts = [(p.number, p.size, p.last) for p in file.pieces(step)]
    assert cuts == [(p.number, p.size, p.last) for p in stream.pieces(step)]
    assert [last for _, _, last in cuts] == [False] * (len(cuts) - 1) + [True]
    assert b"".join(file.read(piece, step) for piece in file.pieces(step)) == data
    file.close()


def test_a_file_that_shrinks_while_it_is_read_is_noticed(noise: Callable[[int], Path]) -> None:
    path = noise(100)
    source = FileSource(path)
    [piece] = source.pieces(1000)
    path.write_bytes(b"short")
    with pytest.raises(ConflictError, match="ends at byte 5"):
        source.read(piece, 1000)
    source.close()


def test_domains_are_counted_among_the_miners_that_answer() -> None:
    rows = [
        {"address": "a", "group": "g", "owner": "o", "online": True},
        {"address": "b", "group": "g", "owner": "o", "online": True},
        {"address": "c", "group": "", "owner": "", "online": True},
        {"address": "d", "group": "h", "owner": "o", "online": False},
    ]
    assert live_domains([made(ListedMiner, **row) for row in rows]) == 2


async def test_the_keeping_service_outlives_a_full_disk() -> None:
    keeper = object.__new__(FileKeeper)
    keeper._renewer = SimpleNamespace(epoch_seconds=0.0)  # type: ignore[assignment]
    keeper._home = SimpleNamespace(require_writable=str)  # type: ignore[assignment]
    passes: list[int] = []

    async def once() -> list[KeptFile]:
        passes.append(1)
        if len(passes) == 1:
            raise StorageError("the catalogue's disk is full")
        return []

    class EndError(Exception):
        pass

    def tell(_: list[KeptFile]) -> None:
        raise EndError

    said: list[str] = []
    keeper.once = once  # type: ignore[method-assign]
    with pytest.raises(EndError):
        await keeper.run(tell, lambda error: said.append(str(error)))
    assert said == ["the catalogue's disk is full"]


@pytest.mark.parametrize(
    ("refusal", "known", "kept"),
    [
        (ConflictError("void"), None, []),
        (ReplayError("its nonce is used"), None, []),
        (MalformedError("a proxy's page"), "open", ["open"]),
        (StorageError("its disk is full"), "open", ["opening"]),
        (UnavailableError("away"), None, ["opening"]),
    ],
)
async def test_a_deal_that_may_be_in_a_block_is_forgotten_only_where_the_ledger_has_none(
    tmp_path: Path, refusal: CyberVeinError, known: str | None, kept: list[str]
) -> None:
    class Ledger:
        async def settle(self, *_: object) -> None:
            raise refusal

        async def deal(self, _: str) -> object:
            return None if known is None else SimpleNamespace(state=known)

    file = FileRow("f", "f", "f", 1, 1, bytes(32), 2, 3, 9, FileState.UPLOADING, None, 0)
    deal = CatalogueDeal(
        file="f", ordinal=0, first=0, segments=1, cid=cid_text(node_cid(b"deal")),
        open_unit=b"unit", commit_unit=None, escrow=1, state=DealState.OPENING,
    )  # fmt: skip
    with closing(Catalogue(tmp_path / "catalogue.sqlite")) as catalogue:
        catalogue.add_file(file)
        catalogue.add_deal(deal)
        deals = FileDeals(
            catalogue=catalogue, supernode=Ledger(), units=Ledger(),  # type: ignore[arg-type]
            key=KeyPair(b"k" * 32), genesis=None, file=file,  # type: ignore[arg-type]
        )  # fmt: skip
        with suppress(UnavailableError, StorageError):
            await deals.resume()
        assert [each.state.value for each in catalogue.deals("f")] == kept


async def test_lives_are_estimated_where_the_super_node_goes_between_two_questions(
    tmp_path: Path,
) -> None:
    class Ledger:
        async def network(self) -> object:
            return SimpleNamespace(epoch=7, now=100.0, epoch_ends=110.0)

        async def deal(self, _: str) -> object:
            raise UnavailableError("it was stopped")

    with closing(Catalogue(tmp_path / "catalogue.sqlite")) as catalogue:
        for name in ("a", "b"):
            file = FileRow(name, name, name, 1, 1, bytes(32), 2, 3, 9, FileState.STORED, name, 0)
            catalogue.add_file(file)
            deal = CatalogueDeal(
                file=name, ordinal=0, first=0, segments=1, cid=name, open_unit=b"unit",
                commit_unit=None, escrow=1, state=DealState.ACTIVE,
            )  # fmt: skip
            catalogue.add_deal(deal)
            [end] = catalogue.deal_ends(name)
            catalogue.set_deal_end(replace(end, expires=9, kib=4))
        watch = EndWatch(catalogue, Ledger(), 10)  # type: ignore[arg-type]
        lives = await watch.look(catalogue.files())
    assert watch.estimated
    assert [(life.file.name, life.life, life.expires, life.kib) for life in lives] == [
        ("a", Life.EXPIRING, 9, 4),
        ("b", Life.EXPIRING, 9, 4),
    ]
