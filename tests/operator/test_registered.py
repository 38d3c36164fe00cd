"""The ledger beside the spec: a pool's condition `Registered`, and what it refuses afterwards."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cluster.api import ApiError
from cluster.rest import Object
from cybervein_operator.api import MinerPool, parse
from cybervein_operator.control import identity_document
from cybervein_operator.desired import miner as desired
from cybervein_protocol.signing import KeyPair, address
from operator_lab import Lab, condition
from responder import FakeSuperNode
from waiting import until

pytestmark = pytest.mark.kubernetes
WALLET = address(KeyPair(b"w" * 32).public)


def option(lab: Lab, name: str, miner: str = "home-0") -> str:
    """What the miner's command is told."""
    found = lab.api.get("statefulset", miner)
    assert found is not None
    args = found["spec"]["template"]["spec"]["containers"][0]["args"]
    return str(args[args.index(name) + 1])


def register(lab: Lab, node: FakeSuperNode, miner: str = "home-0") -> dict[str, Any]:
    """Play that the ledger has what the miner was told: the miner says so, and the listing."""
    played = lab.responder.miner(lab.namespace, miner)
    pod = lab.api.get("pod", f"{miner}-0")
    assert pod is not None
    played.ledger = {
        "url": option(lab, "--url", miner),
        "payout": played.address,
        "group": pod["spec"]["nodeName"],
        "owner": option(lab, "--owner", miner),
    }
    claim = lab.api.get("pvc", f"{miner}-state")
    assert claim is not None
    key = claim["metadata"]["annotations"]["cybervein.io/address"]
    node.miners.append(played.ledger | {"address": key})
    node.epoch = played.epoch = played.proved = 6  # the listing is read again
    return played.ledger


def says(lab: Lab, status: str, reason: str, pool: str = "home") -> Object:
    def met(found: Object) -> bool:
        seen = found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]
        return seen and condition(found, "Registered") == (status, reason)

    return lab.wait("minerpool", pool, met, f"says {reason}")


def message(found: Object) -> str:
    [one] = [each for each in found["status"]["conditions"] if each["type"] == "Registered"]
    assert one["observedGeneration"] == found["metadata"]["generation"]
    return str(one["message"])


def refused(lab: Lab, why: str, **spec: Any) -> None:
    with pytest.raises(ApiError) as error:
        lab.pool(**spec)
    assert why in str(error.value)


def test_wish_and_ledger_are_compared_until_they_are_one(lab: Lab) -> None:
    node = lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    assert "home-0" in message(says(lab, "False", "NotRegistered"))
    has = register(lab, node)
    found = says(lab, "True", "AsAsked")
    assert found["status"]["registered"] == {
        "miners": 1,
        "owner": has["owner"],
        "group": has["group"],
        "failureDomain": "Node",
    }
    assert has["owner"].startswith("cv"), "no stranger has the control key's address"
    until(lambda: "Registered" in lab.events("home"), "the event")
    _follows_a_payout_account(lab, has)
    _keeps_what_no_unit_changes(lab, has)


def _follows_a_payout_account(lab: Lab, has: dict[str, Any]) -> None:
    before = has["payout"]
    lab.pool(replicas=1, payout=WALLET)

    def behind(found: Object) -> bool:
        status = found["status"]
        attention = [each["reason"] for each in status.get("attention", [])]
        return attention == ["LedgerDiffers"] and status["updatedReplicas"] == 0

    found = lab.wait("minerpool", "home", behind, "names the miner whose payout is another")
    assert option(lab, "--payout") == WALLET, "its pod was started with it"
    assert f"payout: the ledger has {before}, the spec asks for {WALLET}" in message(found)
    assert condition(found, "Registered") == ("False", "LedgerDiffers")
    assert condition(found, "Ready")[0] == "False"
    lab.responder.miner(lab.namespace, "home-0").ledger = has | {"payout": WALLET}
    says(lab, "True", "AsAsked")
    found = lab.ready("home", 1)
    assert found["status"]["updatedReplicas"] == 1
    until(lambda: "LedgerDiffers" in lab.events("home"), "the event")


def _keeps_what_no_unit_changes(lab: Lab, has: dict[str, Any]) -> None:
    kept = {"replicas": 1, "payout": WALLET}
    refused(
        lab, "owner cannot change: the ledger keeps that of the registration", owner="b", **kept
    )
    refused(lab, "group and failureDomain cannot change", failureDomain="Miner", **kept)
    lab.pool(owner=has["owner"], **kept)
    lab.kubectl("scale", "minerpool", "home", "--replicas=0")
    lab.api.wait_gone("statefulset", "home-0")
    refused(lab, "owner cannot change", owner="b", replicas=0, payout=WALLET)
    lab.api.delete("minerpool", "home")
    lab.pool(owner="b", **kept)
    found = says(lab, "False", "RegisteredOtherwise")
    assert f"owner: the ledger has {has['owner']}, the spec asks for b" in message(found)
    lab.pool(owner=has["owner"], **kept)
    says(lab, "True", "AsAsked")


@pytest.fixture
def before(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """An operator that does not run yet."""
    lab = make_lab()
    lab.prepare()
    yield lab
    lab.process.kill()


def as_0_2_0_left_it(lab: Lab, name: str) -> None:
    """The key and the claims of miner 0: no claim says an owner."""
    disk = {"name": "a", "claimTemplate": {"size": "1Gi"}}
    body = {"networkRef": {"name": "net"}, "disks": [disk]}
    meta = {"name": name, "namespace": lab.namespace, "uid": "gone"}
    pool = parse(MinerPool, {"metadata": meta, "spec": body})
    identity, key = identity_document()
    for each in (desired.identity(pool, 0, identity), *desired.claims(pool, 0)):
        each["metadata"]["annotations"] = {"cybervein.io/address": key}
        lab.api.apply(each)


def test_journals_of_0_2_0_keep_the_namespace_as_their_owner(before: Lab) -> None:
    lab = before
    as_0_2_0_left_it(lab, "home")
    lab.join()
    lab.pool(replicas=2)
    lab.pool("new", replicas=1)
    lab.start()
    lab.ready("home", 2)
    lab.ready("new", 1)
    for miner in ("home-0", "home-1", "new-0"):
        assert option(lab, "--owner", miner) == lab.namespace
    found = lab.api.get("pvc", "new-0-state")
    assert found is not None
    assert found["metadata"]["annotations"]["cybervein.io/owner"] == lab.namespace
