"""Orders and the verification step: domains, sizes, retries, and shards that are not there."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from cybervein_protocol.errors import ConflictError, LimitError, ProofError, SignatureError
from cybervein_protocol.ledger.mining.bodies import MinerUpdate
from cybervein_protocol.ledger.state.rows import MinerRow
from cybervein_protocol.messages import (
    OrderGrants,
    OrderRequest,
    ShardPlan,
    check_order,
    verify_verification,
)
from cybervein_supernode.placement import roster as roster_module
from cybervein_supernode.placement.domains import failure_domain, network_group
from fake_miner import FakeMiner
from msgspec.structs import replace
from stored_deal import open_and_upload, register
from super_lab import WALLET, Lab
from waiting import until


@pytest.fixture
async def miners(lab: Lab) -> AsyncIterator[list[FakeMiner]]:
    made = [FakeMiner(lab.desk.view.network, f"miner-{i}") for i in range(5)]
    await register(lab, made)
    yield made
    for miner in made:
        await miner.stop()


def plans(indices: range, size: int = 1000, segment: int = 0) -> list[ShardPlan]:
    return [ShardPlan(segment=segment, index=i, root=bytes([i]) * 32, size=size) for i in indices]


async def ask(lab: Lab, deal: object, shards: list[ShardPlan], *avoid: FakeMiner) -> OrderGrants:
    request = OrderRequest(v=1, shards=shards, avoid=[miner.key.public for miner in avoid])
    return await lab.node.placement.grant(deal, request)  # type: ignore[arg-type]


async def test_every_shard_gets_a_domain_of_its_own_and_a_valid_order(
    lab: Lab, miners: list[FakeMiner]
) -> None:
    deal = await lab.open_deal(1000, 2, 4)
    grants = (await ask(lab, deal, plans(range(4)))).orders
    assert len({grant.order.miner for grant in grants}) == 4
    urls = {miner.key.public: miner.url for miner in miners}
    for grant in grants:
        assert grant.url == urls[grant.order.miner]
        check_order(
            grant.order,
            network=lab.desk.view.network,
            miner=grant.order.miner,
            bearer=WALLET.public,
            verb="PUT",
            root=bytes([grant.index]) * 32,
            epoch=0,
            issuers=[lab.desk.public],
        )
        assert (grant.order.max_bytes, grant.order.deal) == (1000, deal)


async def test_a_failed_shard_goes_to_a_domain_that_the_segment_does_not_use_even_after_a_restart(
    lab: Lab, miners: list[FakeMiner]
) -> None:
    deal = await lab.open_deal(1000, 2, 4)
    first = (await ask(lab, deal, plans(range(4)))).orders
    await lab.end()
    lab.begin()
    await lab.node.roster.refresh()
    failed = next(m for m in miners if m.key.public == first[2].order.miner)
    [again] = (await ask(lab, deal, plans(range(2, 3)), failed)).orders
    assert again.order.miner not in {grant.order.miner for grant in first}


async def test_a_shard_kept_by_a_miner_that_went_keeps_its_domain_taken(
    lab: Lab, miners: list[FakeMiner]
) -> None:
    deal = await lab.open_deal(1000, 2, 4)
    first = (await ask(lab, deal, plans(range(4)))).orders
    by_key = {miner.key.public: miner for miner in miners}
    keeper, failed = by_key[first[0].order.miner], by_key[first[2].order.miner]
    [spare] = by_key.keys() - {grant.order.miner for grant in first}
    twin = FakeMiner(lab.desk.view.network, "twin")
    await twin.start()
    await lab.register(twin.key, twin.url, keeper.name)
    keeper.draining = True
    await lab.node.roster.refresh()
    with pytest.raises(ConflictError):
        await ask(lab, deal, plans(range(2, 3)), failed, by_key[spare])
    await twin.stop()


async def test_what_cannot_be_placed_is_refused_with_the_reason(
    lab: Lab, miners: list[FakeMiner]
) -> None:
    deal = await lab.open_deal(1000, 2, 6)
    with pytest.raises(ConflictError, match="5 failure domains are live"):
        await ask(lab, deal, plans(range(6)))
    with pytest.raises(LimitError, match="opened for 6000"):
        await ask(lab, deal, plans(range(4), size=2000))
    with pytest.raises(LimitError, match="1 segments of 6"):
        await ask(lab, deal, plans(range(1), segment=1))
    with pytest.raises(ConflictError, match="asked for twice"):
        await ask(lab, deal, plans(range(2)) + plans(range(1)))
    assert miners


async def test_a_miner_that_is_gone_or_answers_as_another_or_nonsense_gets_no_shards(
    lab: Lab, miners: list[FakeMiner]
) -> None:
    await miners[0].stop()
    miners[1].misbehave = "another's status"
    miners[2].misbehave = "a malformed status"
    await lab.node.roster.refresh()
    assert len(lab.node.roster.candidates()) == 2
    assert "does not answer" in lab.node.roster.seen(miners[0].key.public).error
    assert "two miners share a URL" in lab.node.roster.seen(miners[1].key.public).error
    assert "expected StatusDocument" in lab.node.roster.seen(miners[2].key.public).error


async def test_promised_bytes_are_not_promised_again(lab: Lab, miners: list[FakeMiner]) -> None:
    free = {each.miner: each.free_bytes for each in lab.node.roster.candidates()}
    deal = await lab.open_deal(1_000_000, 2, 4)
    grants = (await ask(lab, deal, plans(range(4), size=1_000_000))).orders
    taken = {grant.order.miner for grant in grants}
    for each in lab.node.roster.candidates():
        assert free[each.miner] - each.free_bytes == 1_000_000 * (each.miner in taken)
    assert miners


async def test_a_deal_whose_shards_are_all_there_is_verified(
    lab: Lab, miners: list[FakeMiner]
) -> None:
    stored, repair_key = await open_and_upload(lab, miners[:4], k=2)
    answer = await lab.node.deals.verify(stored.deal, [stored.segment])
    verify_verification(answer.verification, stored.deal, [stored.segment])
    await lab.commit_deal(stored.deal, stored.segment, repair_key)
    with pytest.raises(ConflictError, match="is active"):
        await lab.node.deals.verify(stored.deal, [stored.segment])


@pytest.mark.parametrize("how", ["wrong bytes", "admitted loss", "no audit", "old answer"])
async def test_a_deal_with_a_shard_that_is_not_proven_is_not_verified_and_the_shard_is_named(
    lab: Lab, miners: list[FakeMiner], how: str
) -> None:
    stored, _ = await open_and_upload(lab, miners[:4], k=2)
    miners[2].misbehave = how
    if how == "old answer":
        miners[2].misbehave = "another's signature"
    with pytest.raises(ProofError, match="1 shards are not proven: shard 0/2 at cv"):
        await lab.node.deals.verify(stored.deal, [stored.segment])


async def test_a_forged_receipt_is_refused(lab: Lab, miners: list[FakeMiner]) -> None:
    stored, _ = await open_and_upload(lab, miners[:4], k=2)
    shards = list(stored.segment.shards)
    shards[0] = replace(shards[0], receipt=shards[1].receipt)
    with pytest.raises(SignatureError, match="receipt"):
        await lab.node.deals.verify(stored.deal, [replace(stored.segment, shards=shards)])


def row(url: str, group: str = "g", owner: str = "o") -> MinerRow:
    return MinerRow(
        vrf=bytes(32), payout=bytes(32), url=url, group=group, owner=owner, registered=0
    )


@pytest.mark.parametrize(
    ("url", "group"),
    [
        ("http://203.0.113.77:9000", "203.0.113.0/24"),
        ("http://[2001:db8:1:2::5]:9000", "2001:db8:1::/48"),
        ("http://miner.example.net:9000", "miner.example.net"),
    ],
)
def test_where_domains_are_not_declared_they_follow_from_the_address(url: str, group: str) -> None:
    assert network_group(row(url), declared=False) == group
    assert network_group(row(url), declared=True) == "g"
    assert failure_domain(row(url), declared=False) == f"{group}/o"


async def test_a_miner_that_registers_or_moves_is_asked_at_once_and_not_in_the_next_round(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster = lab.node.roster
    monkeypatch.setattr(roster, "_interval", 3600.0)
    running = asyncio.create_task(roster.run())
    homes = [FakeMiner(lab.desk.view.network, "miner") for _ in range(2)]
    key = homes[0].key
    try:
        await asyncio.to_thread(until, lambda: roster.looked, "the first round is over")
        assert roster.candidates() == []
        for home in homes:
            await home.start()
        await lab.register(key, homes[0].url, "group")
        await asyncio.to_thread(until, lambda: roster.online(key.public), "it is online")
        assert [each.miner for each in roster.candidates()] == [key.public]
        await lab.send(key, MinerUpdate(payout=key.public, url=homes[1].url), free=True)
        moved = f"it is seen at {homes[1].url}"
        await asyncio.to_thread(until, lambda: roster.seen(key.public).url == homes[1].url, moved)
        assert roster.online(key.public)
    finally:
        running.cancel()
        for home in homes:
            await home.stop()


async def test_miners_that_do_not_answer_do_not_keep_a_super_node_from_being_ready(
    lab: Lab, miners: list[FakeMiner], monkeypatch: pytest.MonkeyPatch
) -> None:
    roster = lab.node.roster
    del miners
    roster.looked = False
    never = asyncio.Event()

    async def silent(_: object) -> None:
        await never.wait()

    monkeypatch.setattr(roster_module, "FIRST_ROUND_SECONDS_MAX", 0.01)
    monkeypatch.setattr(roster._miners, "status", silent)
    running = asyncio.create_task(roster.run())
    await asyncio.to_thread(until, lambda: roster.looked, "it has waited long enough")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
