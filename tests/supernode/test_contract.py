"""Every answer of the super node is what its OpenAPI document says: status, type, and document."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
import msgspec
import pytest
import uvicorn
from cybervein_protocol.api.super_node.events import EVENTS
from cybervein_protocol.encoding import cid_text, encode, node_cid
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.units.genesis import root_units
from cybervein_protocol.ledger.units.unit import make_paid_unit, make_unit
from cybervein_protocol.messages import (
    InstanceNotice,
    OrderRequest,
    ReleaseRequest,
    ShardPlan,
    VerifyRequest,
)
from cybervein_protocol.messages.deals import ORDER_REQUEST_BYTES_MAX, VERIFY_REQUEST_BYTES_MAX
from cybervein_protocol.messages.proofs import COMMIT_RESPONSE_BYTES_MAX, SPACE_PROOF_BYTES_MAX
from cybervein_protocol.messages.release import RELEASE_REQUEST_BYTES_MAX
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.http_client import sign_headers
from cybervein_runtime.serving import bind, url_of
from cybervein_supernode.api import app as app_module
from cybervein_supernode.api import live_routes
from cybervein_supernode.api.limits import PROBES, Buckets
from fake_miner import FakeMiner
from http_contract import Contract, contract_of
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from stored_deal import Stored, open_and_upload, register, store
from super_lab import WALLET, Lab

World = tuple[list[FakeMiner], Stored]
STRANGER = KeyPair(b"x" * 32)
NOWHERE = "0" * 64
ABSENT = cid_text(node_cid(b"absent"))
Server = Callable[[], AbstractAsyncContextManager[Contract]]


@pytest.fixture
async def world(lab: Lab) -> AsyncIterator[World]:
    """A 2/4 segment over the first four of six miners, and one closed epoch."""
    miners = [FakeMiner(lab.desk.view.network, f"miner-{i}") for i in range(6)]
    await register(lab, miners)
    stored = await store(lab, miners[:4], k=2)
    await lab.close_epoch()
    yield miners, stored
    for miner in miners:
        await miner.stop()


@asynccontextmanager
async def served(lab: Lab) -> AsyncIterator[Contract]:
    """The super node's HTTP interface on a real socket."""
    sock = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app_module.create_app(lab.node), log_level="critical"))
    task = asyncio.create_task(server._serve(sockets=[sock]))
    while not server.started:
        await asyncio.sleep(0)
    async with aiohttp.ClientSession() as http:
        yield await contract_of(url_of(sock), http)
    server.should_exit = True
    await task


@pytest.fixture
async def contract(lab: Lab) -> AsyncIterator[Contract]:
    async with served(lab) as made:
        yield made


def transfer(lab: Lab) -> bytes:
    """A good unit of the wallet."""
    body, nonce = Transfer(to=b"t" * 32, amount=1, memo=""), lab.account(WALLET)
    parents = lab.desk.engine.parents()
    preset = lab.desk.preset
    return encode(
        make_paid_unit(
            lab.desk.view.network, body, parents=parents, key=WALLET, nonce=nonce, preset=preset
        )
    )


async def signed(
    contract: Contract, path: str, body: bytes, key: KeyPair = WALLET
) -> tuple[int, dict[str, str]]:
    headers = sign_headers(key, "POST", contract.url + path, body=body)
    return (await contract.ask("POST", path, body, headers)).status, headers


async def test_every_read_is_as_documented(lab: Lab, world: World, contract: Contract) -> None:
    miners, stored = world
    unit = await contract.ask("POST", "/v1/units?wait=final", transfer(lab))
    assert (unit.status, unit.json()["status"]) == (202, "final")
    deal, root = cid_text(stored.deal), stored.shards[0][0].hex()
    kept = lab.desk.evidence.keep(0, b"evidence").hex()
    here = {
        "/v1/network", "/v1/network.json", "/v1/backup", "/v1/export", "/metrics", *PROBES,
        f"/v1/accounts/{address(WALLET.public)}", f"/v1/accounts/{address(STRANGER.public)}",
        f"/v1/units/{unit.json()['id']}", f"/v1/units/{unit.json()['id']}/raw",
        f"/v1/miners/{address(miners[0].key.public)}/plots",
        f"/v1/miners/{address(miners[0].key.public)}/shards?limit=1",
        "/v1/blocks", "/v1/blocks?from=1&limit=1",
        "/v1/blocks/1", "/v1/blocks/1/raw", "/v1/epochs", "/v1/epochs/0",
        "/v1/miners", "/v1/miners?limit=2", f"/v1/miners/{address(miners[0].key.public)}",
        "/v1/deals", f"/v1/deals?owner={address(WALLET.public)}", f"/v1/deals/{deal}",
        f"/v1/deals/{deal}/shards", f"/v1/shards/{root}", f"/v1/evidence/{kept}", "/v1/events",
    }  # fmt: skip
    for path in sorted(here):
        assert (await contract.ask("GET", path)).status == 200, path
    reads = {path for method, path in contract.operations if method == "GET"}
    assert {path for (method, path), seen in contract.seen.items() if 200 in seen} == reads


async def test_metrics_come_in_the_format_that_is_asked_for(contract: Contract) -> None:
    plain = await contract.ask("GET", "/metrics", headers={"Accept": "text/plain"})
    asked = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
    page = await contract.ask("GET", "/metrics", headers={"Accept": asked})
    assert (plain.media_type, page.media_type) == ("text/plain", "application/openmetrics-text")
    families = {family.name for family in text_string_to_metric_families(page.body.decode())}
    assert {"cybervein_supernode_height", "cybervein_supernode_blocks"} <= families
    assert page.body.endswith(b"# EOF\n")


async def test_every_read_that_fails_is_as_documented(lab: Lab, contract: Contract) -> None:
    assert lab
    cases = {
        "/v1/accounts/nobody": 400, "/v1/units/nonsense": 400, f"/v1/units/{ABSENT}": 404,
        "/v1/blocks?limit=0": 400, "/v1/blocks/x": 400, "/v1/blocks/99": 404,
        "/v1/blocks/x/raw": 400, "/v1/blocks/99/raw": 404, "/v1/epochs?from=x": 400,
        "/v1/epochs/x": 400, "/v1/epochs/99": 404, "/v1/miners?limit=0": 400,
        "/v1/miners?after=x": 400, "/v1/miners/x": 400, "/v1/deals?owner=x": 400,
        f"/v1/miners/{address(STRANGER.public)}": 404, "/v1/deals?limit=0": 400,
        "/v1/deals/x": 400, f"/v1/deals/{ABSENT}": 404, "/v1/deals/x/shards": 400,
        f"/v1/deals/{ABSENT}/shards": 404, "/v1/shards/x": 400, f"/v1/shards/{NOWHERE}": 404,
        "/v1/evidence/x": 400, f"/v1/evidence/{NOWHERE}": 404, "/v1/events?after=x": 400,
        "/v1/nowhere": 404, "/v1/blocks/9223372036854775807": 404, "/v1/blocks/-1": 400,
        "/v1/blocks/9223372036854775808": 400, "/v1/blocks/9223372036854775808/raw": 400,
        "/v1/epochs/18446744073709551616": 400, f"/v1/epochs/{'9' * 5000}": 400,
        "/v1/blocks?from=9223372036854775808": 400, "/v1/blocks?from=1&from=2": 400,
        "/v1/events?after=9223372036854775808": 400, "/v1/blocks/%C2%B2": 400,
        "/v1/accounts/%00": 400, "/v1/accounts/%FF": 400, "/v1/blocks?limit=%FF": 400,
        f"/v1/units/{ABSENT}/raw": 404, "/v1/units/x/raw": 400,
        f"/v1/miners/{address(STRANGER.public)}/plots": 404, "/v1/miners/x/plots": 400,
        f"/v1/miners/{address(STRANGER.public)}/shards": 404, "/v1/miners/x/shards?after=x": 400,
    }  # fmt: skip
    for path, status in cases.items():
        assert (await contract.ask("GET", path)).status == status, path


@pytest.mark.parametrize("last", ["²", "x", "-1", "1.0", "9" * 5000, str(1 << 63)])
async def test_a_last_event_that_is_no_number_is_refused_as_documented(
    contract: Contract, last: str
) -> None:
    sent = await contract.ask("GET", "/v1/events", headers={"Last-Event-ID": last})
    assert (sent.status, sent.json()["error"]) == (400, "malformed")


async def test_every_unit_is_answered_as_documented(lab: Lab, contract: Contract) -> None:
    view, roots = lab.desk.view, root_units(lab.genesis)
    nonce, body = lab.account(WALLET), Transfer(to=b"t" * 32, amount=1, memo="")
    good = transfer(lab)

    def unit(network: object = view.network, key: KeyPair = WALLET, at: int = nonce) -> bytes:
        return encode(
            make_paid_unit(network, body, parents=roots, key=key, nonce=at, preset=view.preset)
        )  # type: ignore[arg-type]

    free = encode(make_unit(view.network, body, parents=roots, key=WALLET, nonce=nonce, fee=0))
    cases = [
        (b"\xff", 400), (good[:-7], 400), (bytes(view.preset.unit_bytes_max + 1), 413),
        (good[:-1] + bytes([good[-1] ^ 1]), 401), (unit(network=node_cid(b"other")), 403),
        (unit(key=STRANGER, at=0), 402), (unit(at=10_000), 409), (free, 402),
        (good, 202), (good, 409),
    ]  # fmt: skip
    for raw, status in cases:
        assert (await contract.ask("POST", "/v1/units", raw)).status == status, raw[:40]
    assert (await contract.ask("POST", "/v1/units?wait=maybe", good)).status == 400


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/v1/space-proofs", SPACE_PROOF_BYTES_MAX),
        ("/v1/commit-responses", COMMIT_RESPONSE_BYTES_MAX),
        (f"/v1/deals/{ABSENT}/orders", ORDER_REQUEST_BYTES_MAX),
        (f"/v1/deals/{ABSENT}/verify", VERIFY_REQUEST_BYTES_MAX),
        (f"/v1/miners/{address(STRANGER.public)}/release", RELEASE_REQUEST_BYTES_MAX),
    ],
)
async def test_every_body_that_is_too_large_or_no_record_is_answered_as_documented(
    contract: Contract, path: str, most: int
) -> None:
    huge = {"content-length": str(most + 1)}
    assert (await contract.ask("POST", path, bytes(most + 1), huge)).status == 413
    if "proofs" in path or "responses" in path:
        assert (await contract.ask("POST", path, b"\xff")).status == 400
    else:
        assert (await contract.ask("POST", path, b"\xff")).status == 401
        status, headers = await signed(contract, path, b"\xff")
        assert status == 400
        assert (await contract.ask("POST", path, b"\xff", headers)).status == 409


async def test_orders_and_verification_are_answered_as_documented(
    lab: Lab, world: World, contract: Contract
) -> None:
    miners, committed = world
    opened, _ = await open_and_upload(lab, miners[:4], k=2)
    plans = [
        ShardPlan(segment=0, index=i, root=root, size=len(data))
        for i, (root, data) in enumerate(opened.shards)
    ]
    orders = encode(OrderRequest(v=1, shards=plans, avoid=[]))
    verify = encode(VerifyRequest(v=1, segments=[opened.segment]))
    for what, body in (("orders", orders), ("verify", verify)):
        path = f"/v1/deals/{cid_text(opened.deal)}/{what}"
        assert (await signed(contract, path, body))[0] == 200
        assert (await signed(contract, path, body, STRANGER))[0] == 403
        assert (await signed(contract, f"/v1/deals/{ABSENT}/{what}", body))[0] == 404
        assert (await signed(contract, f"/v1/deals/x/{what}", body))[0] == 400
        over = f"/v1/deals/{cid_text(committed.deal)}/{what}"
        assert (await signed(contract, over, body))[0] == 409
    miners[0].shards.clear()
    path = f"/v1/deals/{cid_text(opened.deal)}/verify"
    assert (await signed(contract, path, verify))[0] == 422


async def test_requests_for_relief_are_answered_as_documented(
    world: World, contract: Contract
) -> None:
    miners, stored = world
    key = miners[0].key
    path = f"/v1/miners/{address(key.public)}/release"
    body = encode(ReleaseRequest(v=1, shards=[stored.shards[0][0]]))
    assert (await signed(contract, path, body, key))[0] == 200
    assert (await signed(contract, path, body))[0] == 403
    assert (await signed(contract, "/v1/miners/x/release", body))[0] == 400


async def test_a_process_that_names_itself_is_answered_as_documented(
    world: World, contract: Contract
) -> None:
    key = world[0][0].key
    path = f"/v1/miners/{address(key.public)}/instance"
    body = encode(InstanceNotice(v=1, instance="a"))
    assert (await signed(contract, path, body, key))[0] == 200
    assert (await signed(contract, path, body))[0] == 403
    assert (await signed(contract, path, b"", key))[0] == 400


async def test_a_method_that_a_path_has_not_is_refused_as_documented(contract: Contract) -> None:
    for method, path in contract.operations:
        sent = await contract.ask("TRACE", path.replace("{", "").replace("}", ""))
        assert (sent.status, sent.headers["allow"]) == (405, method), path


async def test_whoever_asks_too_often_is_told_so_everywhere_but_at_the_probes(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lab.node.roster.refresh()
    limits = Buckets(lambda: 0.0, burst=2)  # the document is read, and one more
    monkeypatch.setattr(app_module, "Buckets", lambda: limits)
    async with served(lab) as contract:
        await contract.ask("GET", "/v1/network")
        for method, path in contract.operations:
            sent = await contract.ask(method, path)
            if path in PROBES:
                assert sent.status == 200
            else:
                assert (sent.status, sent.json()["error"]) == (429, "rate"), path
                assert sent.headers["retry-after"] == "1"


async def test_what_nobody_foresaw_is_answered_as_documented(
    lab: Lab, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(lab.desk.view, "head", broken)
    sent = await contract.ask("GET", "/v1/network")
    assert (sent.status, sent.json()["error"]) == (500, "unavailable")
    assert "on fire" not in sent.json()["message"]


async def test_what_is_away_for_a_while_is_answered_as_documented(
    lab: Lab, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_routes, "LISTENERS_MAX", 0)
    assert (await contract.ask("GET", "/v1/events")).status == 503
    monkeypatch.setattr(lab.desk.engine, "failing", "no space left")
    sent = await contract.ask("GET", "/readyz")
    assert "miners are being asked for the first time" in sent.json()["reasons"]
    await lab.node.roster.refresh()
    sent = await contract.ask("GET", "/readyz")
    assert (sent.status, sent.json()["reasons"]) == (503, ["blocks are not written: no space left"])


async def test_every_event_is_of_its_documented_kind(
    lab: Lab, world: World, contract: Contract
) -> None:
    assert world
    names = set()
    async with contract.http.get(f"{contract.url}/v1/events?after=0") as stream:
        await lab.send(WALLET, Transfer(to=b"t" * 32, amount=1, memo="the last"))
        async for name, data in events_of(stream):
            document = msgspec.json.decode(data, type=EVENTS[name], strict=True)
            assert msgspec.to_builtins(document) == json.loads(data)
            names.add(name)
            if document.name == "block" and json.loads(data)["kinds"] == ["transfer"]:
                break
    assert {"block", "epoch", "deal", "miner"} <= names <= set(EVENTS)
    [described] = contract.paths["/v1/events"]["get"]["responses"]["200"]["content"].values()
    told = {each["properties"]["event"]["const"] for each in described["itemSchema"]["oneOf"]}
    assert told == set(EVENTS)


async def events_of(stream: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, bytes]]:
    """Name and data of each event."""
    fields: dict[bytes, bytes] = {}
    async for line in stream.content:
        name, _, value = line.strip().partition(b": ")
        fields[name] = value
        if not name and b"data" in fields:
            yield fields[b"event"].decode(), fields[b"data"]
            fields = {}
