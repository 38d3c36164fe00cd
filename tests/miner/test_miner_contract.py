"""What a miner sends is what its OpenAPI document says: status, content type, and document."""

import json
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_miner.api.shards import SLICE_TYPE
from cybervein_protocol.encoding import encode
from cybervein_protocol.messages import Verb
from cybervein_runtime.http_client import DAG_CBOR, sign_headers
from http_contract import JSON, contract_of
from miner_world import Running, World, serving, settings_of, shard_bytes

ROOT = "0" * 64


async def test_public_reads_are_as_documented(miner: Running) -> None:
    contract = await contract_of(miner.url, miner.http)
    for path in ("/v1/status", "/startupz", "/readyz", "/healthz"):
        assert (await contract.ask("GET", path)).status in {200, 503}, path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", f"/v1/shards/{ROOT}"), ("GET", f"/v1/shards/{ROOT}"),
        ("DELETE", f"/v1/shards/{ROOT}"), ("GET", "/v1/shards/short"),
        ("POST", "/v1/audit"), ("GET", f"/v1/plots/{ROOT}"), ("POST", "/v1/drain"),
        ("GET", "/v1/disks"), ("POST", "/v1/disks"), ("DELETE", "/v1/disks/x"),
        ("POST", "/v1/disks/x/wipe"),
    ],
)  # fmt: skip
async def test_an_unsigned_request_is_refused_as_documented(
    miner: Running, method: str, path: str
) -> None:
    contract = await contract_of(miner.url, miner.http)
    assert (await contract.ask(method, path)).status in {400, 401}
    big = await contract.ask(method, path, b"x" * 9000)
    assert big.status in {400, 401, 413}


async def test_control_routes_are_as_documented(world: World, tmp_path: Path) -> None:
    settings = settings_of(world, tmp_path, tmp_path / "a", tmp_path / "b")
    async with serving(world, settings) as miner:
        contract = await contract_of(miner.url, miner.http)
        await miner.put(shard_bytes(1000))

        async def status(method: str, path: str, body: object = None) -> int:
            raw = b"" if body is None else json.dumps(body).encode()
            headers = sign_headers(
                miner.node.basis.identity.keys, method, miner.url + path, body=raw
            )
            return (await contract.ask(method, path, raw, headers)).status

        assert await status("GET", "/v1/disks") == 200
        assert await status("POST", "/v1/disks", {"path": ""}) == 400
        assert await status("POST", "/v1/disks", {"path": "/x", "more": 1}) == 400
        loop = tmp_path / "loop"
        loop.symlink_to(loop)
        for path, code in {
            "/nul\0": 400, "relative": 400, "/" + "x" * 5000: 400, "/" + "x" * 300: 507,
            "/" + "x/" * 2000: 507, str(loop): 507, f"{loop}/a": 507, "/dev/null/a": 507,
        }.items():  # fmt: skip
            assert await status("POST", "/v1/disks", {"path": path}) == code, path
        assert await status("DELETE", "/v1/disks/none") == 404
        assert await status("DELETE", "/v1/disks/none?force=perhaps") == 400
        disk = miner.node.basis.rack.disks[0].id
        assert await status("POST", f"/v1/disks/{disk}/wipe", {"v": 1, "confirm": disk}) == 409
        assert await status("POST", "/v1/drain", {"v": 1, "draining": True}) == 200
        assert await status("POST", "/v1/drain", {"v": 2, "draining": True}) == 400
        assert await status("DELETE", f"/v1/disks/{disk}") == 200


async def test_shards_are_stored_read_and_given_up_as_documented(miner: Running) -> None:
    contract, data = await contract_of(miner.url, miner.http), shard_bytes(5000)
    root = blake3(data).digest()

    async def ask(verb: Verb, query: str = "", body: bytes | None = None) -> tuple[int, str]:
        raw, path = encode(miner.world.order(miner.key, verb, root)), f"/v1/shards/{root.hex()}"
        url = f"{miner.url}{path}{query}"
        headers = sign_headers(miner.world.bearer, verb, url, body=None, order=raw)
        sent = await contract.ask(verb, path + query, body, headers)
        return sent.status, sent.media_type

    assert await ask("PUT", "?segment=x&index=1", data) == (400, JSON)
    assert await ask("PUT", "?segment=3&index=1", data) == (201, DAG_CBOR)
    assert await ask("GET") == (200, "application/octet-stream")
    assert await ask("GET", "?offset=0&length=1024") == (200, SLICE_TYPE)
    assert await ask("GET", "?offset=0") == (400, JSON)
    assert (await ask("DELETE"))[0] == 204
    assert await ask("GET") == (404, JSON)
