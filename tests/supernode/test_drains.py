"""Draining against real sockets: shards are copied away, or rebuilt, and nobody loses one."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from cybervein_protocol.encoding import cid_root
from cybervein_protocol.errors import ConflictError
from cybervein_protocol.ledger.mining.bodies import MinerDrain
from cybervein_protocol.ledger.state.rows import shard_id
from cybervein_protocol.messages import OrderRequest, ShardPlan
from cybervein_supernode.chain.view import Shard
from cybervein_supernode.desk.notebook import Grant, Loss
from fake_miner import FakeMiner
from stored_deal import Stored, open_and_upload, register, store
from super_lab import Lab

World = tuple[list[FakeMiner], Stored]


@pytest.fixture
async def world(lab: Lab) -> AsyncIterator[World]:
    """A 2/4 segment over the first four of six miners."""
    miners = [FakeMiner(lab.desk.view.network, f"miner-{i}") for i in range(6)]
    await register(lab, miners)
    yield miners, await store(lab, miners[:4], k=2)
    for miner in miners:
        await miner.stop()


async def drain(lab: Lab, miner: FakeMiner, *, draining: bool = True) -> None:
    done = await lab.send(miner.key, MinerDrain(draining=draining), free=True)
    assert done.status == "final", done


def holder(lab: Lab, world: World, index: int) -> str:
    miners, stored = world
    key = lab.holders(stored.deal)[index]
    return next(miner.name for miner in miners if miner.key.public == key)


def told(lab: Lab, miner: FakeMiner) -> dict[str, object]:
    """The drain part of `GET /v1/miners/{address}`."""
    row = lab.desk.view.miner(miner.key.public)
    held = row.held_shards if row.drains else None
    return msgspec.to_builtins(lab.node.mover.outlook(miner.key.public, held))


async def test_a_draining_miner_s_shard_is_copied_from_it_byte_for_byte(
    lab: Lab, world: World
) -> None:
    miners, stored = world
    for helper in (miners[0], miners[2], miners[3]):
        helper.misbehave = "silence"  # a rebuild could not succeed: this is a copy
    await drain(lab, miners[1])
    assert told(lab, miners[1]) == {"remaining": 1, "blocked_by": ""}
    assert await lab.node.mover.look() == 1
    assert holder(lab, world, 1) in {"miner-4", "miner-5"}
    new = next(m for m in miners if m.key.public == lab.holders(stored.deal)[1])
    assert new.shards[stored.shards[1][0]] == stored.shards[1][1]
    assert told(lab, miners[1]) == {"remaining": 0, "blocked_by": ""}
    assert lab.desk.view.miner(miners[1].key.public).held_shards == 0


@pytest.mark.parametrize("trouble", ["wrong bytes", "offline", "gone"])
async def test_a_miner_that_does_not_give_its_shard_has_it_rebuilt(
    lab: Lab, world: World, trouble: str
) -> None:
    miners, stored = world
    await drain(lab, miners[1])
    if trouble == "offline":
        await miners[1].stop()
        await lab.node.roster.refresh()
    elif trouble == "gone":
        miners[1].shards.clear()
    else:
        miners[1].misbehave = trouble
    assert await lab.node.mover.look() == 1
    new = next(m for m in miners if m.key.public == lab.holders(stored.deal)[1])
    assert new.shards[stored.shards[1][0]] == stored.shards[1][1]


async def test_nothing_new_is_placed_at_a_draining_miner(lab: Lab, world: World) -> None:
    miners, _ = world
    await drain(lab, miners[4])
    miners[5].draining = True  # it says so itself, the ledger does not have it yet
    await lab.node.roster.refresh()
    deal = await lab.open_deal(1000, 1, 4)
    plans = [ShardPlan(segment=0, index=i, root=bytes([i]) * 32, size=1000) for i in range(4)]
    request = OrderRequest(v=1, shards=plans, avoid=[])
    granted = await lab.node.placement.grant(deal, request)
    chosen = {grant.order.miner for grant in granted.orders}
    assert chosen == {miner.key.public for miner in miners[:4]}


async def test_orders_of_an_open_deal_keep_their_miner_until_its_commit_or_its_end(
    lab: Lab, world: World
) -> None:
    def promised(miner: FakeMiner) -> int:
        return lab.node.departures.promised(miner.key.public)

    miners, _ = world
    first, second = await ordered(lab, miners[:4]), await ordered(lab, miners[:4])
    assert [promised(each) for each in miners] == [2, 2, 2, 2, 0, 0]
    await drain(lab, miners[1])
    assert promised(miners[1]) == 2
    await lab.end()
    lab.begin()  # orders that were given survive
    assert promised(miners[1]) == 2
    held = lab.desk.view.miner(miners[1].key.public).held_shards
    await lab.commit_deal(first[0].deal, first[0].segment, first[1])
    assert promised(miners[1]) == 1
    assert lab.desk.view.miner(miners[1].key.public).held_shards == held + 1
    opened = lab.desk.view.head().epoch
    while lab.desk.view.head().epoch < opened + lab.desk.preset.deal_open_epochs:
        await lab.close_epoch()
    assert lab.desk.view.deal(cid_root(second[0].deal)).state == "ended"
    assert promised(miners[1]) == 0


async def ordered(lab: Lab, miners: list[FakeMiner]) -> tuple[Stored, bytes]:
    """An open deal with a shard at each of these miners, by orders for exactly them."""
    opened = await open_and_upload(lab, miners, k=2)
    grants = [
        Grant(0, index, entry.miner, entry.size)
        for index, entry in enumerate(opened[0].segment.shards)
    ]
    epoch = lab.desk.view.head().epoch
    lab.desk.notebook.add_grants(cid_root(opened[0].deal), epoch, grants)
    return opened


async def test_without_a_free_domain_the_reason_is_told_and_a_new_miner_ends_it(
    lab: Lab, world: World
) -> None:
    miners, _ = world
    for miner in (miners[4], miners[5]):
        await drain(lab, miner)
    await drain(lab, miners[1])
    assert await lab.node.mover.look() == 0
    assert holder(lab, world, 1) == "miner-1"
    document = told(lab, miners[1])
    assert document["remaining"] == 1
    assert "cannot place 1 shards" in str(document["blocked_by"])
    fresh = FakeMiner(lab.desk.view.network, "miner-6")
    await register(lab, [fresh])
    miners.append(fresh)
    lab.node.mover._retry = 0
    await until_moved(lab)
    assert holder(lab, world, 1) == "miner-6"
    assert told(lab, miners[1]) == {"remaining": 0, "blocked_by": ""}


async def until_moved(lab: Lab) -> None:
    async with asyncio.timeout(300):
        while not await lab.node.mover.look():
            await asyncio.sleep(0.05)


async def test_a_cancelled_drain_moves_nothing_more_not_even_what_was_copied(
    lab: Lab, world: World
) -> None:
    miners, stored = world
    await drain(lab, miners[1])
    shard = shard_at(lab, stored, 1)

    def cancelled_now() -> bool:
        return False

    with pytest.raises(ConflictError, match="nothing is changed"):
        await lab.node.mover._rebuilder.relocate(shard, cancelled_now)
    await drain(lab, miners[1], draining=False)
    assert await lab.node.mover.look() == 0
    assert holder(lab, world, 1) == "miner-1"
    assert told(lab, miners[1]) == {"remaining": 0, "blocked_by": ""}


def shard_at(lab: Lab, stored: Stored, index: int) -> Shard:
    shards = lab.desk.view.shards_of_deal(cid_root(stored.deal))
    return next(shard for shard in shards if shard.index == index)


async def test_a_drain_goes_on_after_a_restart_of_the_super_node(lab: Lab, world: World) -> None:
    miners, _ = world
    await drain(lab, miners[0])
    await drain(lab, miners[1])
    await lab.end()
    lab.begin()
    await lab.node.roster.refresh()
    assert await lab.node.mover.look() == 2
    assert {holder(lab, world, 0), holder(lab, world, 1)} == {"miner-4", "miner-5"}


async def test_two_that_drain_at_once_never_share_a_domain_afterwards(
    lab: Lab, world: World
) -> None:
    miners, stored = world
    for miner in (miners[0], miners[1]):
        await drain(lab, miner)
    while await lab.node.mover.look():
        continue
    assert len(set(lab.holders(stored.deal).values())) == 4


async def test_a_miner_is_relieved_of_the_shards_it_names_and_of_no_others(
    lab: Lab, world: World
) -> None:
    miners, stored = world
    key, root = miners[2].key.public, stored.shards[2][0]
    foreign = stored.shards[0][0]
    lab.node.departures.release(key, [root, foreign, bytes(32)])
    await lab.end()
    lab.begin()  # what was asked for survives
    await lab.node.roster.refresh()
    assert await lab.node.mover.look() == 1
    assert holder(lab, world, 2) in {"miner-4", "miner-5"}
    assert holder(lab, world, 0) == "miner-0"
    assert lab.desk.notebook.releases() == {}


async def test_an_empty_request_takes_all_back(lab: Lab, world: World) -> None:
    miners, stored = world
    lab.node.departures.release(miners[2].key.public, [stored.shards[2][0]])
    lab.node.departures.release(miners[2].key.public, [])
    assert await lab.node.mover.look() == 0
    assert holder(lab, world, 2) == "miner-2"


async def test_repair_and_drain_of_one_shard_end_with_one_holder(lab: Lab, world: World) -> None:
    miners, stored = world
    await drain(lab, miners[1])
    shard = shard_at(lab, stored, 1)
    identity = shard_id(shard.deal, 0, 1)
    lab.desk.notebook.add_loss(Loss(identity, miners[1].key.public, "audit", 0))
    await asyncio.gather(lab.node.mover.look(), lab.node.repairer._look(0))
    assert holder(lab, world, 1) in {"miner-4", "miner-5"}
    await lab.node.repairer._look(1)
    assert lab.desk.notebook.losses() == []
