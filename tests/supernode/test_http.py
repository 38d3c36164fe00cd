"""The HTTP interface over real sockets: units good and bad, reads, live events, limits, page."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from cybervein_protocol.encoding import cid_text, encode, node_cid
from cybervein_protocol.errors import UnknownError
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.epochs.closing import EpochClose
from cybervein_protocol.ledger.units.genesis import root_units
from cybervein_protocol.ledger.units.unit import make_paid_unit, make_unit
from cybervein_protocol.messages import OrderRequest, ShardPlan
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.http_client import SignedClient, sign_headers
from cybervein_runtime.network_file import parse_network
from cybervein_supernode.api.limits import BURST, RATE_PER_SECOND, Buckets
from msgspec.structs import replace
from super_lab import FUNDS, WALLET, RealSuperNode, transfer_of

STRANGER = KeyPair(b"x" * 32)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def post(http: aiohttp.ClientSession, url: str, body: bytes) -> tuple[int, dict]:
    async with http.post(url, data=body) as answer:
        return answer.status, await answer.json()


async def get(http: aiohttp.ClientSession, url: str) -> dict:
    async with http.get(url) as answer:
        return await answer.json()


async def next_nonce(http: aiohttp.ClientSession, process: RealSuperNode) -> int:
    return (await get(http, f"{process.url}/v1/accounts/{address(WALLET.public)}"))["nonce"]


async def test_bad_units_are_refused_with_a_readable_reason_and_change_nothing(
    process: RealSuperNode, http: aiohttp.ClientSession
) -> None:
    nonce = await next_nonce(http, process)
    good = transfer_of(process, nonce)
    roots, preset = root_units(process.genesis), process.genesis.preset
    body = Transfer(to=b"t" * 32, amount=1, memo="")

    def unit(**changes: object) -> bytes:
        made = make_paid_unit(
            process.network, body, parents=roots, key=WALLET, nonce=nonce, preset=preset
        )
        return encode(replace(made, **changes))

    foreign = node_cid(b"another network")
    close = EpochClose(epoch=0, vrf_proof=bytes(80))
    unsigned_super = make_unit(
        process.network, close, parents=roots, key=WALLET, nonce=nonce, fee=0
    )
    unknown = make_paid_unit(
        process.network, body, parents=[foreign, roots[0]], key=WALLET, nonce=nonce, preset=preset
    )
    poor = make_paid_unit(
        process.network, body, parents=roots, key=STRANGER, nonce=0, preset=preset
    )
    free = make_unit(process.network, body, parents=roots, key=WALLET, nonce=nonce, fee=0)
    cases = {
        b"": (400, "malformed"),
        b"\xff\x00 not a unit": (400, "malformed"),
        good[:-7]: (400, "malformed"),
        good + b"\x00": (400, "malformed"),
        bytes(preset.unit_bytes_max + 1): (413, "limit"),
        unit(nonce=nonce + 1): (401, "signature"),
        unit(sig=bytes(64)): (401, "signature"),
        unit(kind="no.such"): (404, "unknown"),
        unit(network=foreign): (403, "forbidden"),
        transfer_of(process, nonce=1_000_000): (409, "conflict"),
        encode(unsigned_super): (403, "forbidden"),
        encode(unknown): (404, "unknown"),
        encode(poor): (402, "funds"),
        encode(free): (402, "funds"),
    }
    before = await get(http, f"{process.url}/v1/network")
    for raw, (status, code) in cases.items():
        got, document = await post(http, f"{process.url}/v1/units", raw)
        assert (got, document["error"]) == (status, code), document
        assert len(document["message"]) > 15
    after = await get(http, f"{process.url}/v1/network")
    assert (after["height"], after["app_hash"]) == (before["height"], before["app_hash"])


async def test_a_unit_becomes_final_once_and_its_replay_is_refused(
    process: RealSuperNode, http: aiohttp.ClientSession
) -> None:
    nonce = await next_nonce(http, process)
    raw = transfer_of(process, nonce)
    status, done = await post(http, f"{process.url}/v1/units?wait=final", raw)
    assert (status, done["status"], done["id"]) == (202, "final", cid_text(node_cid(raw)))
    status, again = await post(http, f"{process.url}/v1/units", raw)
    assert (status, again["error"]) == (409, "replay")
    assert f"block {done['height']}" in again["message"]
    account = await get(http, f"{process.url}/v1/accounts/{address(WALLET.public)}")
    assert account["nonce"] == nonce + 1
    assert account["balance"] < FUNDS
    unit = await get(http, f"{process.url}/v1/units/{done['id']}")
    assert (unit["status"], unit["kind"], unit["height"]) == ("final", "transfer", done["height"])
    block = await get(http, f"{process.url}/v1/blocks/{done['height']}")
    assert block["units"] == [done["id"]]


async def test_killed_between_units_it_has_all_it_acknowledged(
    process: RealSuperNode, http: aiohttp.ClientSession
) -> None:
    acknowledged: list[str] = []
    nonce = await next_nonce(http, process)
    for _ in range(3):
        sent = [
            asyncio.create_task(
                post(http, f"{process.url}/v1/units", transfer_of(process, nonce + i))
            )
            for i in range(20)
        ]
        done, late = await asyncio.wait(sent, return_when="FIRST_COMPLETED")
        process.kill()
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        acknowledged += [task.result()[1]["id"] for task in done if not task.exception()]
        process.start()
        for unit in acknowledged:
            assert (await get(http, f"{process.url}/v1/units/{unit}"))["status"] == "final"
        nonce = await next_nonce(http, process)
    assert acknowledged
    network = await get(http, f"{process.url}/v1/network")
    verified = process.verify()
    assert (verified["height"], verified["app_hash"]) == (network["height"], network["app_hash"])


async def test_two_processes_never_run_on_one_chain(process: RealSuperNode) -> None:
    second = RealSuperNode(process.home.directory)
    second.home = process.home
    run_file = process.home.run_file.read_bytes()
    with pytest.raises(AssertionError, match="another super node is running on this data"):
        second.start()
    process.home.run_file.write_bytes(run_file)  # `start` removed it to see it come


async def test_an_export_replays_and_a_damaged_one_does_not(
    process: RealSuperNode, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    first = await next_nonce(http, process)
    for nonce in range(first, first + 3):
        await post(http, f"{process.url}/v1/units", transfer_of(process, nonce))
    async with http.get(f"{process.url}/v1/export") as answer:
        data = await answer.read()
    path = tmp_path / "chain.car"
    path.write_bytes(data)
    whole = process.cli("chain", "verify", "--export", str(path))
    assert whole == process.verify()
    assert whole["units"] >= 3
    for damaged in (data[:-5], data[:200] + bytes([data[200] ^ 1]) + data[201:], data[:-400]):
        path.write_bytes(damaged)
        with pytest.raises(AssertionError, match="error"):
            process.cli("chain", "verify", "--export", str(path))


async def test_the_network_file_pins_the_super_node(
    process: RealSuperNode, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{process.url}/v1/network.json") as answer:
        file = parse_network(await answer.read(), "network.json")
    assert file.network == process.network
    assert file.super_nodes == ((process.url, process.identity.keys.public),)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/units/nonsense", 400, "malformed"),
        ("/v1/units/bafyr4iaz2hpx3bqafwwgqw6zqa3zkqyy4lyodvvoo4dwmbkx7gbkmpvoma", 404, "unknown"),
        ("/v1/blocks/99999", 404, "unknown"),
        ("/v1/blocks/notanumber", 400, "malformed"),
        ("/v1/blocks?limit=100000", 400, "malformed"),
        ("/v1/epochs/77", 404, "unknown"),
        ("/v1/miners/cv1111", 400, "malformed"),
        (f"/v1/miners/{address(STRANGER.public)}", 404, "unknown"),
        ("/v1/shards/zz", 400, "malformed"),
        ("/v1/shards/" + "0" * 64, 404, "unknown"),
        ("/v1/evidence/" + "0" * 64, 404, "unknown"),
    ],
)
async def test_bad_reads_are_readable_errors(
    process: RealSuperNode, http: aiohttp.ClientSession, path: str, status: int, code: str
) -> None:
    async with http.get(process.url + path) as answer:
        document = await answer.json()
        assert (answer.status, document["error"]) == (status, code), document


async def test_orders_need_the_owners_signature_fresh_and_once(
    process: RealSuperNode, http: aiohttp.ClientSession
) -> None:
    deal = cid_text(node_cid(b"no such deal"))
    url = f"{process.url}/v1/deals/{deal}/orders"
    plan = ShardPlan(segment=0, index=0, root=bytes(32), size=1)
    body = encode(OrderRequest(v=1, shards=[plan], avoid=[]))
    assert (await post(http, url, body))[1]["error"] == "signature"
    headers = sign_headers(WALLET, "POST", url, body=body)
    for expected in ("unknown", "replay"):
        async with http.post(url, data=body, headers=headers) as answer:
            assert (await answer.json())["error"] == expected
    headers = sign_headers(WALLET, "POST", url, body=body)
    async with http.post(url, data=body + b"x", headers=headers) as answer:
        assert (await answer.json())["error"] == "signature"


async def test_events_are_live_and_the_recent_past_can_be_asked_for(
    process: RealSuperNode, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{process.url}/v1/events") as live:
        raw = transfer_of(process, await next_nonce(http, process))
        await post(http, f"{process.url}/v1/units", raw)
        event = await read_event(live)
        assert event["event"] == "block"
        assert json.loads(event["data"])["kinds"] == ["transfer"]
    before = int(event["id"]) - 1
    async with http.get(f"{process.url}/v1/events?after={before}") as again:
        assert await read_event(again) == event


async def read_event(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """The next event's fields."""
    fields: dict[str, str] = {}
    async for line in answer.content:
        name, _, value = line.decode().strip().partition(": ")
        if not name and fields:
            return fields
        if value:
            fields[name] = value
    raise AssertionError("the stream ended")


async def test_health_openapi_and_metrics_answer(
    process: RealSuperNode, http: aiohttp.ClientSession
) -> None:
    assert (await get(http, f"{process.url}/healthz"))["status"] == "ok"
    assert (await get(http, f"{process.url}/readyz"))["status"] == "ok"
    paths = (await get(http, f"{process.url}/openapi.json"))["paths"]
    wire = (Path(__file__).parents[2] / "docs/wire.md").read_text()
    section = wire[wire.index("## 6.") : wire.index("## 7.")]
    named = set(re.findall(r"`(?:POST )?(/v1/[a-z.-]+)", section))
    assert named <= {re.sub(r"/\{.*", "", path) for path in paths} | set(paths)
    async with http.get(f"{process.url}/metrics") as answer:
        text = await answer.text()
    assert "cybervein_supernode_supply_balanced 1.0" in text


async def test_every_metric_is_documented_and_nothing_else_is(
    process: RealSuperNode, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{process.url}/metrics") as answer:
        text = await answer.text()
    served = set(re.findall(r"^# TYPE (cybervein_\w+)", text, re.MULTILINE))
    docs = (Path(__file__).parents[2] / "docs/supernode.md").read_text()
    documented = set(re.findall(r"`(cybervein_supernode_\w+)", docs))
    assert served == documented


async def test_the_page_needs_nothing_from_elsewhere(
    process: RealSuperNode, http: aiohttp.ClientSession
) -> None:
    async with http.get(process.url + "/") as answer:
        page = await answer.text()
        assert "default-src 'self'" in answer.headers["content-security-policy"]
    seen = {"/"}
    todo = re.findall(r'(?:src|href)="(/explorer/[^"]+)"', page)
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        async with http.get(process.url + path) as answer:
            assert answer.status == 200, path
            text = await answer.text()
        outside = set(re.findall(r"https?://[^\s\"'`)]+", text))
        assert outside <= {"http://www.w3.org/2000/svg"}, path
        todo += [f"/explorer/{name}" for name in re.findall(r'from "\./([^"]+)"', text)]
    assert len(seen) > 8


def test_a_loop_that_ran_wild_is_slowed_down_and_others_are_not() -> None:
    now = [0.0]
    buckets = Buckets(lambda: now[0])
    assert all(buckets.take("a") for _ in range(int(BURST)))
    assert not buckets.take("a")
    assert buckets.take("b")
    now[0] += 2 / RATE_PER_SECOND
    assert buckets.take("a")


async def test_the_signed_client_reads_the_error_class_back(process: RealSuperNode) -> None:
    async with SignedClient(WALLET) as client:
        with pytest.raises(UnknownError, match="not known"):
            await client.get_json(f"{process.url}/v1/blocks/4711")


async def test_every_path_refuses_a_method_it_has_not_with_the_error_document(
    process: RealSuperNode,
) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{process.url}/openapi.json") as answer:
            paths = (await answer.json())["paths"]
        for method, path, status in [
            ("GET", "/v1/nowhere", 404),
            *(("TRACE", path.replace("{", "").replace("}", ""), 405) for path in paths),
        ]:
            async with http.request(method, process.url + path) as answer:
                document = await answer.json()
            assert (answer.status, set(document)) == (status, {"error", "message"}), path
            assert ("allow" in answer.headers) == (status == 405), path
    assert len(paths) > 15
