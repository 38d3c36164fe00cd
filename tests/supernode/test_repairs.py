"""Repair against real sockets: rebuilt at the same index in a free domain, or given up."""

from collections.abc import AsyncIterator

import pytest
from cybervein_protocol.encoding import cid_root
from cybervein_protocol.errors import ConflictError
from cybervein_protocol.ledger.state.rows import shard_id
from cybervein_supernode.audit.auditor import Auditor
from cybervein_supernode.desk.notebook import Loss
from cybervein_supernode.repair import repairer as repairer_module
from fake_miner import FakeMiner
from stored_deal import Stored, register, store
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


def lose(lab: Lab, stored: Stored, index: int, miner: FakeMiner, reason: str = "audit") -> None:
    identity = shard_id(cid_root(stored.deal), 0, index)
    epoch = lab.node.epochs.open_epoch()
    lab.desk.notebook.add_loss(Loss(identity, miner.key.public, reason, epoch))


async def repair(lab: Lab) -> None:
    await lab.node.repairer._look(lab.node.epochs.open_epoch())


def name_of(miners: list[FakeMiner], key: bytes) -> str:
    return next(miner.name for miner in miners if miner.key.public == key)


async def test_a_lost_shard_is_rebuilt_byte_for_byte_in_a_free_domain(
    lab: Lab, world: World
) -> None:
    miners, stored = world
    root, data = stored.shards[1]
    del miners[1].shards[root]
    lose(lab, stored, 1, miners[1])
    await repair(lab)
    holder = name_of(miners, lab.holders(stored.deal)[1])
    assert holder in {"miner-4", "miner-5"}
    assert next(m for m in miners if m.name == holder).shards[root] == data
    assert lab.desk.notebook.losses() == []


async def test_helpers_with_wrong_bytes_are_caught_and_others_are_used(
    lab: Lab, world: World
) -> None:
    miners, stored = world
    miners[0].misbehave = "wrong bytes"
    lose(lab, stored, 1, miners[1])
    await repair(lab)
    holder = next(m for m in miners if m.key.public == lab.holders(stored.deal)[1])
    assert holder.shards[stored.shards[1][0]] == stored.shards[1][1]


async def test_a_miner_that_refuses_or_lies_gets_nothing_and_the_next_try_succeeds(
    lab: Lab, world: World
) -> None:
    miners, stored = world
    miners[4].misbehave, miners[5].misbehave = "refuses", "receipt of another shard"
    lose(lab, stored, 1, miners[1])
    await repair(lab)
    assert name_of(miners, lab.holders(stored.deal)[1]) == "miner-1"
    assert len(lab.desk.notebook.losses()) == 1
    miners[4].misbehave = miners[5].misbehave = ""
    await lab.close_epoch()
    await repair(lab)
    assert name_of(miners, lab.holders(stored.deal)[1]) in {"miner-4", "miner-5"}


async def test_too_few_helpers_say_so_and_after_some_epochs_payment_stops(
    lab: Lab, world: World
) -> None:
    miners, stored = world
    for index in (0, 1, 2):
        miners[index].misbehave = "wrong bytes"
        lose(lab, stored, index, miners[index])
    for _ in range(repairer_module.GIVE_UP_EPOCHS):
        await repair(lab)
        assert len(lab.holders(stored.deal)) == 4
        await lab.close_epoch()
    await repair(lab)
    assert set(lab.holders(stored.deal)) == {3}
    assert lab.desk.view.deal(cid_root(stored.deal)).lost == 3
    lab.desk.notebook.drop_loss(shard_id(cid_root(stored.deal), 0, 2))
    miners[0].misbehave = miners[1].misbehave = miners[2].misbehave = ""
    shard = lab.desk.view.shards_of_deal(cid_root(stored.deal))[0]
    with pytest.raises(ConflictError, match="only 1 of the 2"):
        await lab.node.repairer._rebuilder.rebuild(shard)


async def test_silence_within_the_grace_moves_nothing_and_beyond_it_everything(
    lab: Lab, world: World
) -> None:
    miners, stored = world
    await audit(lab)
    await lab.close_epoch()
    miners[2].misbehave = "no audit"
    for epochs_silent in range(1, lab.desk.preset.grace_epochs + 2):
        await audit(lab)
        await repair(lab)
        moved = lab.holders(stored.deal)[2] != miners[2].key.public
        assert moved == (epochs_silent > lab.desk.preset.grace_epochs)
        await lab.close_epoch()
    assert [i for i, key in lab.holders(stored.deal).items() if key == miners[2].key.public] == []


async def test_a_silent_miner_that_is_back_in_time_keeps_its_shards(lab: Lab, world: World) -> None:
    miners, stored = world
    lose(lab, stored, 2, miners[2], reason="silent beyond grace")
    lab.desk.notebook.mark_seen(miners[2].key.public, lab.node.epochs.open_epoch())
    await repair(lab)
    assert lab.holders(stored.deal)[2] == miners[2].key.public
    assert lab.desk.notebook.losses() == []


async def test_repairs_that_wait_survive_a_restart(lab: Lab, world: World) -> None:
    miners, stored = world
    lose(lab, stored, 1, miners[1])
    await lab.end()
    lab.begin()
    await lab.node.roster.refresh()
    await repair(lab)
    assert lab.holders(stored.deal)[1] != miners[1].key.public


async def audit(lab: Lab) -> None:
    await Auditor(lab.desk, lab.node.roster._miners).run(lab.timeline())
