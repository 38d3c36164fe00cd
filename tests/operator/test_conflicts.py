"""Two pools that want one thing: the older keeps it; within one second, who has miners already."""

import pytest
from cybervein_operator.api import MinerPool, parse
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.observed.facts import Seen, SetFacts
from cybervein_operator.reconcile.access import conflict
from cybervein_operator.world import World

SECOND = "2026-11-30T00:00:00Z"


def pool(name: str, uid: str) -> MinerPool:
    """One that names a claim which another names, too."""
    spec = {"networkRef": {"name": "net"}, "disks": [{"name": "a", "existingClaims": ["one"]}]}
    meta = {"name": name, "namespace": "vein", "uid": uid}
    return parse(MinerPool, {"metadata": meta, "spec": spec})


def world(*pools: MinerPool, created: dict[str, str] | None = None) -> World:
    """A world with these pools, all of one second unless they say otherwise."""
    names = {(each.metadata.namespace, each.metadata.name): each for each in pools}
    return World(pools=names, created={p.metadata.uid: SECOND for p in pools} | (created or {}))


def give_miner(to: World, of: MinerPool) -> None:
    """A StatefulSet of the pool is seen."""
    name = of.metadata.name
    facts = SetFacts(template="", revision="", settled=True)
    seen = Seen(
        uid="s",
        version="1",
        fingerprint="",
        pool=name,
        miner=f"{name}-0",
        network="net",
        deleting=False,
        facts=facts,
    )
    to.store.put(ClusterKind.STATEFUL_SET, (of.metadata.namespace, f"{name}-0"), seen)


@pytest.mark.parametrize("uids", [("1", "2"), ("2", "1")])
def test_of_one_second_the_one_with_miners_keeps_the_claim(uids: tuple[str, str]) -> None:
    mining, late = pool("mining", uids[0]), pool("late", uids[1])
    both = world(mining, late)
    give_miner(both, mining)
    assert conflict(both, mining) == ""
    assert conflict(both, late).startswith("claim one belongs to the older MinerPool mining")


@pytest.mark.parametrize("uids", [("1", "2"), ("2", "1")])
def test_of_one_second_and_without_miners_one_of_the_two_is_refused(uids: tuple[str, str]) -> None:
    pools = pool("a", uids[0]), pool("b", uids[1])
    said = [conflict(world(*pools), each) for each in pools]
    assert sorted(map(bool, said)) == [False, True]


@pytest.mark.parametrize("uids", [("1", "2"), ("2", "1")])
def test_of_one_second_and_both_with_miners_one_of_the_two_is_refused(
    uids: tuple[str, str],
) -> None:
    pools = pool("a", uids[0]), pool("b", uids[1])
    both = world(*pools)
    for each in pools:
        give_miner(both, each)
    assert sorted(bool(conflict(both, each)) for each in pools) == [False, True]


def test_miners_of_a_younger_pool_take_nothing_from_an_older_one() -> None:
    old, young = pool("old", "2"), pool("young", "1")
    both = world(old, young, created={"1": "2026-11-30T00:00:01Z"})
    give_miner(both, young)
    assert conflict(both, old) == ""
    assert conflict(both, young).startswith("claim one belongs to the older MinerPool old")
