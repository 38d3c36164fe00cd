"""GET and DELETE of shards: whole, in slices, under orders, from damaged disks."""

import asyncio
import json
import random
import secrets
from contextlib import suppress
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_miner.plot.inventory import plot_path
from cybervein_miner.plot.policy import Wish
from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.encoding import encode, to_map
from cybervein_protocol.errors import (
    CyberVeinError,
    ForbiddenError,
    LimitError,
    MalformedError,
    UnavailableError,
    UnknownError,
)
from cybervein_protocol.messages import (
    AuditRequest,
    Order,
    decode_audit_answer,
    order_from_header,
    verify_audit_answer,
)
from cybervein_protocol.messages.audits import AuditItem
from cybervein_protocol.signing import KeyPair
from cybervein_protocol.tree import verify_slice
from cybervein_runtime.http_client import SignedClient, sign_headers
from documents import made
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from miner_world import Running, World, serving, settings_of, shard_bytes
from structlog.testing import capture_logs


def code_of(answer: tuple[int, bytes]) -> tuple[int, str]:
    return answer[0], json.loads(answer[1])["error"]


async def stored(miner: Running, size: int = 300_000, seed: int = 0) -> tuple[bytes, bytes]:
    data = shard_bytes(size, seed)
    assert (await miner.put(data))[0] == 201
    return blake3(data).digest(), data


def file_of(miner: Running, root: bytes) -> Path:
    return miner.node.basis.rack.disks[0].folder("shards") / root.hex()[:2] / root.hex()


@pytest.mark.parametrize("size", [1, 1024, 16385, 300_000, 6_000_000])
async def test_a_whole_shard_comes_back(miner: Running, size: int) -> None:
    root, data = await stored(miner, size)
    assert await miner.get(root) == (200, data)


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, 1), (0, 1024), (1023, 2), (16_384, 16_384), (299_999, 1), (0, 300_000)],
)
async def test_a_slice_proves_its_range(miner: Running, offset: int, length: int) -> None:
    root, data = await stored(miner)
    status, body = await miner.get(root, f"?offset={offset}&length={length}")
    assert status == 200
    assert verify_slice(body, root, offset, length, len(data)) == data[offset : offset + length]


async def test_an_order_serves_its_bytes_and_no_more(miner: Running) -> None:
    root, data = await stored(miner, 1000)
    order = miner.world.order(miner.key, "GET", root, max_bytes=2500)
    assert (await miner.get(root, order=order))[0] == 200
    assert (await miner.get(root, "?offset=0&length=1000", order))[0] == 200
    assert code_of(await miner.get(root, order=order)) == (409, "replay")
    assert (await miner.get(root, "?offset=0&length=500", order))[0] == 200
    assert code_of(await miner.get(root, "?offset=0&length=1", order)) == (409, "replay")
    assert len(data) == 1000


async def test_a_reader_that_goes_away_gets_its_bytes_back(miner: Running) -> None:
    root, _ = await stored(miner, 40_000_000)
    order = miner.world.order(miner.key, "GET", root, max_bytes=40_000_000)

    url = f"{miner.url}/v1/shards/{root.hex()}"
    headers = sign_headers(miner.world.bearer, "GET", url, body=None, order=encode(order))
    answer = await miner.http.get(url, headers=headers)
    await answer.content.readexactly(1000)
    answer.close()
    while miner.node.basis.tally.download_failures == 0:
        await asyncio.sleep(0.01)
    while miner.node.basis.orders.used(order):
        await asyncio.sleep(0.01)
    assert (await miner.get(root, order=order))[0] == 200


BAD_ORDERS = {
    "another network": ({"network": None}, 403, "forbidden"),
    "another miner": ({"miner": b"\x07" * 32}, 403, "forbidden"),
    "another verb": ({"verb": "PUT"}, 403, "forbidden"),
    "another root": ({"root": b"\x07" * 32}, 403, "forbidden"),
    "another bearer": ({"bearer": b"\x07" * 32}, 403, "forbidden"),
    "another issuer": ({"key": KeyPair(b"\x07" * 32)}, 403, "forbidden"),
}


@pytest.mark.parametrize("name", BAD_ORDERS)
async def test_an_order_for_something_else_is_refused(miner: Running, name: str) -> None:
    root, _ = await stored(miner)
    changes, status, code = BAD_ORDERS[name]
    if "network" in changes:
        changes = {"network": miner.world.deal}
    order = miner.world.order(**({"miner": miner.key, "verb": "GET", "root": root} | changes))
    assert code_of(await miner.get(root, order=order)) == (status, code)


async def test_an_expired_order_is_refused(miner: Running) -> None:
    root, _ = await stored(miner)

    order = miner.world.order(miner.key, "GET", root, not_after_epoch=4)
    miner.node.basis.sight.view = made(NetworkDocument, epoch=4, beacon="00" * 32)
    assert (await miner.get(root, order=order))[0] == 200
    miner.node.basis.sight.view = made(NetworkDocument, epoch=5, beacon="00" * 32)
    assert code_of(await miner.get(root, order=order)) == (410, "expired")


async def test_a_changed_order_is_refused(miner: Running) -> None:
    root, _ = await stored(miner)
    order = miner.world.order(miner.key, "GET", root)
    forged = Order(
        **{f: getattr(order, f) for f in order.__struct_fields__} | {"max_bytes": 1 << 40}
    )
    assert code_of(await miner.get(root, order=forged)) == (401, "signature")


async def test_a_request_without_order_or_signature_is_refused(miner: Running) -> None:
    root, _ = await stored(miner)
    assert (await miner.call("GET", f"/v1/shards/{root.hex()}"))[0] == 403
    async with miner.http.get(f"{miner.url}/v1/shards/{root.hex()}") as answer:
        assert answer.status == 401


async def test_a_replayed_request_is_refused(miner: Running) -> None:
    root, _ = await stored(miner)

    url = f"{miner.url}/v1/shards/{root.hex()}"
    order = encode(miner.world.order(miner.key, "GET", root))
    headers = sign_headers(miner.world.bearer, "GET", url, body=None, order=order)
    async with miner.http.get(url, headers=headers) as first:
        assert first.status == 200
        await first.read()
    async with miner.http.get(url, headers=headers) as second:
        assert (second.status, (await second.json())["error"]) == (409, "replay")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(header=st.text(alphabet="ABCabc012-_=", max_size=200))
def test_no_order_header_breaks_the_parser(header: str) -> None:

    with pytest.raises(CyberVeinError):
        order_from_header(header)


@pytest.mark.parametrize("path", ["zz", "00" * 31, "AA" * 32, "00" * 33])
async def test_a_malformed_root_is_refused(miner: Running, path: str) -> None:
    order = miner.world.order(miner.key, "GET", bytes(32))
    assert code_of(await miner.call("GET", f"/v1/shards/{path}", order=order)) == (400, "malformed")


@pytest.mark.parametrize(
    "query",
    [
        "?offset=0",
        "?offset=x&length=1",
        "?offset=400000&length=1",
        "?offset=0&length=999999999",
        "?offset=-1&length=1",
    ],
)
async def test_a_malformed_range_is_refused(miner: Running, query: str) -> None:
    root, _ = await stored(miner)
    assert code_of(await miner.get(root, query)) == (400, "malformed")


async def test_an_owner_reads_and_deletes_its_own_and_nobody_elses(miner: Running) -> None:
    root, data = await stored(miner)
    other, _ = await stored(miner, seed=1)
    owner = miner.world.bearer
    mine = miner.world.order(miner.key, "GET", root, key=owner)
    assert await miner.get(root, order=mine) == (200, data)
    stranger = KeyPair(secrets.token_bytes(32))
    theirs = miner.world.order(miner.key, "DELETE", root, key=stranger)
    assert code_of(await miner.call("DELETE", f"/v1/shards/{root.hex()}", order=theirs))[0] == 403
    elsewhere = miner.world.order(
        miner.key, "DELETE", root, key=owner, deal=miner.world.network.network
    )
    assert (
        code_of(await miner.call("DELETE", f"/v1/shards/{root.hex()}", order=elsewhere))[0] == 403
    )
    delete = miner.world.order(miner.key, "DELETE", root, key=owner)
    assert await miner.call("DELETE", f"/v1/shards/{root.hex()}", order=delete) == (204, b"")
    assert code_of(await miner.get(root)) == (404, "unknown")
    assert (await miner.get(other))[0] == 200


async def test_a_deleted_shard_waits_in_the_trash_and_can_be_stored_again(miner: Running) -> None:
    root, data = await stored(miner)
    order = miner.world.order(miner.key, "DELETE", root)
    assert (await miner.call("DELETE", f"/v1/shards/{root.hex()}", order=order))[0] == 204
    trash = miner.node.basis.rack.disks[0].folder("trash") / root.hex()
    assert trash.read_bytes() == data
    assert miner.node.trash.purge() == 0
    assert (await miner.put(data))[0] == 201
    assert not trash.exists()
    assert (
        await miner.call(
            "DELETE", f"/v1/shards/{root.hex()}", order=miner.world.order(miner.key, "DELETE", root)
        )
    )[0] == 204
    miner.node.trash.grace_seconds = -10
    assert miner.node.trash.purge() == 1
    assert not trash.exists()
    assert miner.node.basis.store.index.find(root) is None


async def audit(miner: Running, *items: tuple[bytes, int], key: KeyPair | None = None) -> object:
    request = AuditRequest(
        v=1,
        epoch=7,
        holding=b"\x05" * 32,
        items=[AuditItem(root=root, chunk=chunk) for root, chunk in items],
    )
    client = SignedClient(key or miner.world.super_key, miner.http)
    answer = await client.request("POST", f"{miner.url}/v1/audit", body=encode(request))
    return decode_audit_answer(answer.body)


async def test_an_audit_is_answered_with_signed_slices(miner: Running) -> None:
    root, data = await stored(miner)
    small, tiny = await stored(miner, 1, 3)
    answer = await audit(miner, (root, 0), (root, 292), (small, 0))
    verify_audit_answer(answer)
    assert (answer.miner, answer.epoch, answer.holding) == (miner.key, 7, b"\x05" * 32)
    last = answer.answers[1]
    assert verify_slice(last.slice, root, 292 * 1024, 1024, len(data)) == data[292 * 1024 :]
    assert verify_slice(answer.answers[2].slice, small, 0, 1024) == tiny


async def test_an_audit_admits_what_is_not_there(miner: Running) -> None:
    answer = await audit(miner, (bytes(32), 0))
    assert answer.answers[0].slice is None


async def test_only_a_super_node_may_audit(miner: Running) -> None:

    with pytest.raises(ForbiddenError):
        await audit(miner, key=miner.world.bearer)


async def test_an_audit_of_a_rotten_chunk_admits_loss_and_takes_the_shard_out(
    miner: Running,
) -> None:
    root, data = await stored(miner)
    flipped = bytearray(data)
    flipped[100_000] ^= 0x10
    file_of(miner, root).write_bytes(bytes(flipped))
    answer = await audit(miner, (root, 97))
    assert answer.answers[0].slice is None
    assert miner.node.basis.store.index.totals().bad == 1
    assert code_of(await miner.get(root)) == (404, "unknown")
    assert (await miner.put(data))[0] == 201
    assert await miner.get(root) == (200, data)


def damaged_outboard(miner: Running, root: bytes, damage: str) -> tuple[Path, bytes]:
    """The outboard's file, which is damaged now, and what it held."""
    path = file_of(miner, root)
    beside = path.with_name(path.name + ".obao")
    whole = beside.read_bytes()
    beside.unlink()
    if damage == "unreadable":
        beside.symlink_to("/proc/self/mem")  # a file whose every read is an I/O error
    elif damage != "missing":
        beside.write_bytes(bytes(len(whole)) if damage == "flipped" else whole[:-5])
    return beside, whole


damages = pytest.mark.parametrize("damage", ["flipped", "truncated", "missing", "unreadable"])


@damages
async def test_a_damaged_outboard_costs_nothing(miner: Running, damage: str) -> None:
    root, data = await stored(miner)
    beside, whole = damaged_outboard(miner, root, damage)
    answer = await audit(miner, (root, 200))
    assert verify_slice(answer.answers[0].slice, root, 200 * 1024, 1024) == data[204_800:205_824]
    assert beside.read_bytes() == whole
    assert miner.node.board.document().counters["outboards_mended"] == 1
    assert miner.node.basis.rack.disks[0].io_errors == 0


@damages
async def test_a_slice_of_a_shard_with_a_damaged_outboard_is_whole(
    miner: Running, damage: str
) -> None:
    root, data = await stored(miner)
    beside, whole = damaged_outboard(miner, root, damage)
    status, sent = await miner.get(root, "?offset=2048&length=5000")
    assert status == 200
    assert verify_slice(sent, root, 2048, 5000) == data[2048:7048]
    assert beside.read_bytes() == whole


async def test_a_slice_of_rotten_bytes_is_not_sent(miner: Running) -> None:
    root, data = await stored(miner)
    file_of(miner, root).write_bytes(bytes([data[0] ^ 1]) + data[1:])
    assert code_of(await miner.get(root, "?offset=0&length=1000")) == (422, "proof")
    assert code_of(await miner.get(root)) == (404, "unknown")


@damages
async def test_scrubbing_mends_an_outboard(miner: Running, damage: str) -> None:
    root, _ = await stored(miner)
    beside, whole = damaged_outboard(miner, root, damage)
    miner.node.basis.journal.write_now(lambda db: db.execute("UPDATE shard SET scrubbed = 0"))
    with capture_logs() as logs:
        while not miner.node.basis.tally.outboards_mended:
            await asyncio.to_thread(miner.node.scrubber.step)
    assert beside.read_bytes() == whole
    was = "lost" if damage == "missing" else "damaged"
    told = {"event": "outboard is made again", "log_level": "warning", "file": str(beside)}
    assert [e for e in logs if e["event"] == told["event"]] == [told | {"was": was}]
    assert miner.node.scrubber.found_bad == 0


async def test_an_outboard_that_a_small_shard_does_not_have_is_removed(miner: Running) -> None:
    root, data = await stored(miner, 1000)
    path = file_of(miner, root)
    beside = path.with_name(path.name + ".obao")
    beside.write_bytes(b"junk")
    status, sent = await miner.get(root, "?offset=0&length=1000")
    assert (status, verify_slice(sent, root, 0, 1000)) == (200, data)
    assert not beside.exists()


@pytest.mark.parametrize("damage", ["flipped", "truncated", "swapped", "gone"])
async def test_scrubbing_finds_damage_first(miner: Running, damage: str) -> None:
    root, data = await stored(miner)
    other, theirs = await stored(miner, seed=9)
    path = file_of(miner, root)
    if damage == "gone":
        path.unlink()
    else:
        changed = {
            "flipped": data[:-1] + bytes([data[-1] ^ 1]),
            "truncated": data[:-1],
            "swapped": theirs,
        }[damage]
        path.write_bytes(changed)
    scrubber = miner.node.scrubber
    miner.node.basis.journal.write_now(lambda db: db.execute("UPDATE shard SET scrubbed = 0"))
    while not scrubber.found_bad:
        await asyncio.to_thread(scrubber.step)
    totals = miner.node.basis.store.index.totals()
    assert (totals.bad, totals.lost) == ((0, 1) if damage == "gone" else (1, 0))
    assert (await miner.get(other))[0] == 200
    assert code_of(await miner.get(root)) == (404, "unknown")
    with pytest.raises(UnknownError):
        miner.node.basis.store.reader.held(root)


async def test_an_epoch_that_was_seen_is_not_forgotten_by_a_restart(
    world: World, tmp_path: Path
) -> None:
    options = settings_of(world, tmp_path, tmp_path / "disk")
    async with serving(world, options) as before:
        root, _ = await stored(before)
        order = world.order(before.key, "GET", root, not_after_epoch=4)
        assert (await before.get(root, order=order))[0] == 200
        with suppress(UnavailableError):  # its super node is away
            await before.node.watch.begun(made(NetworkDocument, epoch=5, beacon="00" * 32))
    async with serving(world, options) as after:
        assert code_of(await after.get(root, order=order)) == (410, "expired")


async def test_a_restart_does_not_forget_what_an_order_used(world: World, tmp_path: Path) -> None:
    options = settings_of(world, tmp_path, tmp_path / "disk")
    async with serving(world, options) as before:
        root, _ = await stored(before, 1000)
        order = world.order(before.key, "GET", root, max_bytes=1500)
        assert (await before.get(root, order=order))[0] == 200
    async with serving(world, options) as after:
        assert code_of(await after.get(root, order=order)) == (409, "replay")


async def test_an_oversized_audit_is_refused(miner: Running) -> None:
    client = SignedClient(miner.world.super_key, miner.http)
    with pytest.raises(LimitError):
        await client.request("POST", f"{miner.url}/v1/audit", body=bytes(600_000))
    items = [AuditItem(root=bytes(32), chunk=0)] * 4097
    request = to_map(AuditRequest(v=1, epoch=1, holding=bytes(32), items=items))
    with pytest.raises((MalformedError, LimitError)):
        await client.request("POST", f"{miner.url}/v1/audit", body=encode(request))


async def test_a_super_node_reads_ranges_of_plots_and_nobody_else(
    world: World, tmp_path: Path
) -> None:
    options = settings_of(world, tmp_path, tmp_path / "disk", wish=Wish(plots=1))
    async with serving(world, options) as miner:
        while not (rows := miner.node.basis.inventory.rows()):
            await asyncio.sleep(0.02)
        gamma, size = rows[0].gamma, miner.node.basis.inventory.shape.plot_bytes
        data = plot_path(miner.node.basis.rack.disks[0], rows[0].number).read_bytes()
        order = world.order(miner.key, "READ", gamma, bearer=world.super_key.public)
        path = f"/v1/plots/{gamma.hex()}?offset=100000&length=65536"
        status, body = await miner.call("GET", path, order=order, key=world.super_key)
        assert status == 200
        assert verify_slice(body, gamma, 100_000, 65_536, size) == data[100_000:165_536]
        wrong = world.order(miner.key, "GET", gamma, bearer=world.super_key.public)
        assert (await miner.call("GET", path, order=wrong, key=world.super_key))[0] == 403
        assert (await miner.call("GET", path, order=order))[0] == 403, "the bearer is another"
        nowhere = world.order(miner.key, "READ", bytes(32), bearer=world.super_key.public)
        unknown = f"/v1/plots/{bytes(32).hex()}?offset=0&length=10"
        assert (await miner.call("GET", unknown, order=nowhere, key=world.super_key))[0] == 404


async def test_random_uploads_and_reads_at_once_stay_whole(miner: Running) -> None:
    rng = random.Random(20_261_121)
    shards = [shard_bytes(rng.choice([10, 70_000, 1_200_000, 4_000_000]), n) for n in range(48)]
    turn = asyncio.Semaphore(12)

    async def roundtrip(data: bytes) -> None:
        async with turn:
            assert (await miner.put(data))[0] == 201
            root = blake3(data).digest()
            assert await miner.get(root) == (200, data)
            body = (await miner.get(root, f"?offset=0&length={len(data)}"))[1]
            assert verify_slice(body, root, 0, len(data)) == data

    await asyncio.gather(*(roundtrip(data) for data in shards))
