"""A node that somebody works on: its miners go together, and come back."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from cluster.kwok import Kwok
from cluster.rest import Object
from cybervein_operator.api import MinerPhase, MinerPool, parse
from cybervein_operator.judgement.maintenance import evictable
from cybervein_operator.judgement.miner import Facts, judge
from cybervein_operator.judgement.rollout import grants
from cybervein_operator.observed.facts import PodFacts
from operator_lab import Lab, condition


def budget_of(lab: Lab) -> int:
    found = lab.api.get("pdb", "home")
    assert found is not None
    return int(found["spec"]["maxUnavailable"])


@pytest.mark.kubernetes
def test_a_drain_of_a_node_with_two_miners_of_a_pool_ends_and_they_come_back(
    lab: Lab, kwok: Kwok
) -> None:
    (node,) = kwok.add_nodes(1)
    lab.join()
    # As with volumes that lie there: no other node takes these miners.
    lab.pool(replicas=2, scheduling={"nodeSelector": {"kubernetes.io/hostname": node}})
    lab.ready("home", 2)
    before = {each["metadata"]["uid"] for each in lab.api.list("pods")}
    assert budget_of(lab) == 1
    lab.kubectl("drain", node, "--delete-emptydir-data", "--force")
    found = lab.wait(
        "minerpool",
        "home",
        lambda pool: condition(pool, "Degraded") == ("True", "NodeCordoned"),
        "names the cordoned node",
    )
    assert f"kubectl uncordon {node}" in found["status"]["attention"][0]["message"]
    assert not before & {each["metadata"]["uid"] for each in lab.api.list("pods")}
    assert budget_of(lab) == 2
    lab.kubectl("uncordon", node)
    lab.ready("home", 2)

    def usual(found: Object) -> bool:
        return bool(found["spec"]["maxUnavailable"] == 1)

    lab.wait("pdb", "home", usual, "allows one again")


READY = PodFacts(ready=True, running=True, node="a", revision="r", reason="", message="")
DOWN = PodFacts(ready=False, running=False, node="", revision="r", reason="", message="")


def facts(ordinal: int, home: str, **known: Any) -> Facts:
    default: dict[str, Any] = {"exists": True, "pod": READY, "template": "t", "wish": "t"}
    return Facts(f"home-{ordinal}", ordinal, "", home=home, **(default | known))


def pool(**spec: Any) -> MinerPool:
    disks = [{"name": "a", "claimTemplate": {"size": "1Gi"}}]
    return parse(
        MinerPool,
        {
            "metadata": {"name": "home"},
            "spec": {"networkRef": {"name": "net"}, "disks": disks, "replicas": 4, **spec},
        },
    )


def on_two_nodes(**of_a: Any) -> list[Facts]:
    """Two miners on each of the nodes a and b."""
    return [facts(n, "a", **of_a) for n in (0, 1)] + [facts(n, "b") for n in (2, 3)]


def test_without_a_cordoned_node_the_budget_is_the_pools_own() -> None:
    assert evictable(pool(), on_two_nodes(), 1) == 1
    assert evictable(pool(rollout={"maxUnavailable": 3}), on_two_nodes(), 1) == 3


def test_the_miners_of_a_cordoned_node_may_all_go_as_one_failure_domain() -> None:
    assert evictable(pool(), on_two_nodes(cordoned=True), 1) == 2


def test_one_that_was_evicted_already_still_counts() -> None:
    miners = on_two_nodes(cordoned=True)
    miners[0] = facts(0, "a", cordoned=True, pod=None)
    assert evictable(pool(), miners, 1) == 2


def test_somebody_else_of_the_pool_who_is_down_forbids_it() -> None:
    miners = on_two_nodes(cordoned=True)
    miners[2] = facts(2, "b", pod=DOWN)
    assert evictable(pool(), miners, 1) == 1


def test_miners_that_are_domains_of_their_own_go_together_only_if_the_network_bears_it() -> None:
    own = pool(failureDomain="Miner")
    assert evictable(own, on_two_nodes(cordoned=True), 1) == 1
    assert evictable(own, on_two_nodes(cordoned=True), 2) == 2


def test_a_second_node_waits_for_the_first_unless_the_network_bears_both() -> None:
    miners = [facts(0, "a", cordoned=True), facts(1, "b", cordoned=True, pod=None)]
    miners += [facts(2, "b", cordoned=True)]
    assert evictable(pool(), miners, 1) == 2  # b was begun
    assert evictable(pool(), miners, 2) == 3
    assert evictable(pool(), miners, 0) == 1  # others are down in the network


def test_a_miner_that_leaves_is_nobodys_loss() -> None:
    miners = [facts(0, "a", cordoned=True), facts(1, "a", cordoned=True, pod=DOWN)]
    leaving = Facts("home-2", 2, "scaled", exists=True, home="b", pod=DOWN)
    assert evictable(pool(), [*miners, leaving], 1) == 2


def test_no_upgrade_stops_a_miner_that_its_cordoned_node_would_not_take_back() -> None:
    miners = [facts(0, "a", cordoned=True, wish="new"), facts(1, "b", wish="new")]
    assert grants(miners, max_unavailable=2, epoch=None, budget=2) == {"home-1"}


def test_an_evicted_miner_says_which_node_it_waits_for() -> None:
    unscheduled = msgspec.structs.replace(
        DOWN, reason="Unschedulable", message="1 node(s) were unschedulable",
        unscheduled=datetime.now(UTC),
    )  # fmt: skip
    verdict = judge(facts(0, "a", cordoned=True, pod=unscheduled, binding=True))
    assert (verdict.phase, verdict.reason) == (MinerPhase.PENDING, "NodeCordoned")
    assert "node a is cordoned" in verdict.message
    assert "1 node(s) were unschedulable" in verdict.message
