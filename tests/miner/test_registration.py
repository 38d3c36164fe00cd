"""What a pool's spec asks of the ledger, and what a real miner makes of it there."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from cybervein_miner.chain.units import UnitWriter, ensure_registered
from cybervein_operator.api import MinerPool, parse
from cybervein_operator.desired import miner as desired
from cybervein_operator.desired.facts import MinerFacts, MinerServiceFacts, NetworkFacts
from cybervein_operator.desired.miner_pod import arguments
from cybervein_operator.judgement.conditions import ConditionAnswer
from cybervein_operator.judgement.miner import Facts
from cybervein_operator.judgement.registered import registered
from cybervein_operator.miners.client import MinerClient
from cybervein_operator.miners.report import Poll
from cybervein_operator.miners.super_node import TrustedSuperNode
from cybervein_operator.reconcile.registrations import LedgerWord, registration
from cybervein_operator.world import NetworkView
from cybervein_protocol.api.super_node.miners import FullMinerDocument
from cybervein_protocol.errors import FundsError
from cybervein_protocol.ledger.mining.bodies import MinerRegister
from cybervein_protocol.ledger.units.body import Body
from cybervein_protocol.signing import KeyPair, address
from documents import made
from ports import free_ports
from services import Service, get_json, miner, super_node
from waiting import until

FIRST, SECOND = (address(KeyPair(bytes([digit]) * 32).public) for digit in (0x41, 0x42))
NETWORK = NetworkFacts("net", "https://unused:7700", "net-network")
DECLARED = ("--url", "--payout", "--group", "--owner")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = super_node(tmp_path_factory.mktemp("network") / "sn", 2)
    running.start()
    yield running
    running.kill()


def asked(port: int, **spec: Any) -> MinerPool:
    """A pool of one, at a port of this machine."""
    by_node = {"type": "NodePort", "host": spec.pop("host", "127.0.0.1"), "port": port}
    disk = {"name": "a", "claimTemplate": {"size": "1Gi"}}
    body = {"networkRef": {"name": "net"}, "disks": [disk], "address": by_node, "group": "rack"}
    return parse(MinerPool, {"metadata": {"name": "home", "namespace": "x"}, "spec": body | spec})


def facts(pool: MinerPool) -> MinerFacts:
    url = desired.url(pool, 0, MinerServiceFacts())
    assert url is not None
    return MinerFacts(NETWORK, "cybervein:1", "cvCONTROL", url, owner="cvCONTROL")


def options(pool: MinerPool) -> list[str]:
    """Of the command in the pod: what goes to the ledger."""
    line = arguments(pool, 0, facts(pool), [])
    return [text for each in DECLARED for text in line[line.index(each) :][:2]]


async def heard(node: Service, worker: Service) -> tuple[LedgerWord, LedgerWord]:
    """The super node's listing alone, and the miner's own word as well."""
    own = str(worker.status()["address"])
    listing, miners = TrustedSuperNode(node.url), MinerClient(worker.url, KeyPair(b"k" * 32))
    try:
        standings = await listing.miners_by_address()
        poll = Poll(0.0, await miners.status("x", "home-0"))
    finally:
        await listing.close()
        await miners.close()
    view = NetworkView(NETWORK, "bafy", 2, epoch=1, standings=standings)
    nobody = NetworkView(NETWORK, "bafy", 2, epoch=1)
    return LedgerWord(None, view, own), LedgerWord(poll, nobody, own)


def said(node: Service, worker: Service, pool: MinerPool) -> list[ConditionAnswer]:
    """The pool's condition, by either word."""
    seen = [
        registration(pool, 0, facts(pool), word, "") for word in asyncio.run(heard(node, worker))
    ]
    return [
        registered(pool, [Facts("home-0", 0, "", exists=True, registration=each)]) for each in seen
    ]


def as_asked(node: Service, worker: Service, pool: MinerPool) -> bool:
    return all(each.reason == "AsAsked" for each in said(node, worker, pool))


def nonce(node: Service, worker: Service) -> int:
    """How many units the miner has on the ledger."""
    return int(get_json(f"{node.url}/v1/accounts/{worker.status()['address']}")["nonce"])


def epoch(node: Service) -> int:
    return int(get_json(f"{node.url}/v1/network")["epoch"])


def test_a_changed_spec_reaches_the_ledger_by_one_unit_and_is_told_until_then(
    tmp_path: Path, node: Service
) -> None:
    [port] = free_ports(1)
    before, after = asked(port, payout=FIRST), asked(port, payout=SECOND, host="localhost")
    worker = miner(tmp_path, node.run_file.with_name("network.json"), "--plots", "0")
    worker.port = port
    worker.start(*options(before))
    until(lambda: as_asked(node, worker, before), "the registration")
    units = nonce(node, worker)
    for answer in said(node, worker, after):
        assert (answer.reason, answer.so) == ("LedgerDiffers", False)
        for side in (f"http://127.0.0.1:{port}", f"http://localhost:{port}", FIRST, SECOND):
            assert side in answer.message
    worker.stop()
    worker.start(*options(after))
    until(lambda: as_asked(node, worker, after), "the new address and payout account")
    assert nonce(node, worker) == units + 1
    seen = epoch(node)
    until(lambda: epoch(node) > seen + 1, "an epoch to pass")
    assert nonce(node, worker) == units + 1, "what is so is not said again"
    worker.stop()
    node.stop()
    worker.start(*options(before))  # nobody listens yet
    node.start()
    until(lambda: as_asked(node, worker, before), "the old address, told later")
    other = asked(port, payout=FIRST, owner="acme", group="cage")
    for answer in said(node, worker, other):
        assert (answer.reason, answer.so) == ("RegisteredOtherwise", False)
        assert "owner: the ledger has cvCONTROL, the spec asks for acme" in answer.message
        assert "group: the ledger has rack, the spec asks for cage" in answer.message


class NoFreeUnits:
    """Refuses every unit for its fee, and counts them."""

    written: int = 0

    async def write(self, body: Body) -> None:
        self.written += 1
        raise FundsError(f"{body.kind}: fee of 0 veins, 200 bytes need 7; pay that")


async def test_an_update_that_is_not_free_any_more_says_when_it_will_be() -> None:
    key = KeyPair(bytes([0x41]) * 32).public
    wish = MinerRegister(vrf=b"v" * 32, payout=key, url="http://b", group="", owner="")
    same = made(FullMinerDocument, url="http://b", payout=FIRST)
    units = NoFreeUnits()
    writer, nobody = cast("UnitWriter", units), cast("Any", None)
    assert await ensure_registered(nobody, writer, wish, same) is same
    assert units.written == 0
    with pytest.raises(FundsError, match=r"fee of 0 veins.*until the next one makes it free"):
        await ensure_registered(nobody, writer, wish, made(FullMinerDocument, url="http://a"))
