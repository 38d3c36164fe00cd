"""The miner's JSON is what its OpenAPI document says, in every state that a test brings about."""

import asyncio
import json
from pathlib import Path
from typing import TypeVar

import aiohttp
import msgspec
import pytest
from cybervein_protocol.api.miner.disks import DiskDocument, RemovedDocument, WipedDocument
from cybervein_protocol.api.miner.drain import DrainDocument
from cybervein_protocol.api.miner.status import StatusDocument
from cybervein_protocol.api.probes import ProbeDocument, ProbeFailure
from miner_world import Running, World, serving, settings_of, shard_bytes

T = TypeVar("T")
WIRE = Path(__file__).parents[2] / "docs" / "wire.md"


def exactly(answer: object, kind: type[T]) -> T:
    """The answer as its document, which knows every field of it."""
    document = msgspec.convert(answer, kind, strict=True)
    assert msgspec.to_builtins(document) == answer
    return document


async def test_the_status_and_every_control_answer_have_their_documents(
    world: World, tmp_path: Path
) -> None:
    settings = settings_of(world, tmp_path, tmp_path / "a", tmp_path / "b")
    async with serving(world, settings) as miner:
        owner = miner.owner()

        async def call(method: str, path: str, body: object = None) -> object:
            raw = None if body is None else json.dumps(body).encode()
            return (await owner.request(method, f"{miner.url}/v1{path}", body=raw)).json()

        await miner.put(shard_bytes(1000))
        status = exactly(await call("GET", "/status"), StatusDocument)
        assert [disk.state for disk in status.disks] == ["ready", "ready"]
        listed = exactly(await call("GET", "/disks"), list[DiskDocument])
        gone = await call("DELETE", f"/disks/{listed[0].id}")
        assert exactly(gone, RemovedDocument).leaving in {True, False}
        async with asyncio.timeout(300):
            while not miner.node.basis.rack.disks[0].drained:
                await asyncio.sleep(0.02)
        wipe = await call("POST", f"/disks/{listed[0].id}/wipe", {"v": 1, "confirm": listed[0].id})
        assert exactly(wipe, WipedDocument).path == listed[0].path
        added = await call("POST", "/disks", {"path": listed[0].path})
        assert exactly(added, DiskDocument).state == "ready"
        drained = await call("POST", "/drain", {"v": 1, "draining": True})
        assert exactly(drained, DrainDocument).draining
        status = exactly(await call("GET", "/status"), StatusDocument)
        assert (status.draining, status.drained, status.free_bytes) == (True, False, 0)


@pytest.mark.parametrize("probe", ["startupz", "readyz", "healthz"])
async def test_probes_have_their_documents_true_or_false(miner: Running, probe: str) -> None:
    async with miner.http.get(f"{miner.url}/{probe}") as answer:
        kind = ProbeDocument if answer.status == 200 else ProbeFailure
        document = await answer.json()
        assert msgspec.to_builtins(msgspec.convert(document, kind, strict=True)) == document


async def test_the_openapi_document_names_every_route_and_refers_to_nothing_absent(
    miner: Running,
) -> None:
    async with miner.http.get(f"{miner.url}/openapi.json") as answer:
        document = await answer.json()
    schemas = document["components"]["schemas"]
    text = json.dumps(document)
    for part in text.split('"$ref": "#/components/schemas/')[1:]:
        assert part.split('"')[0] in schemas
    ok = document["paths"]["/v1/status"]["get"]["responses"]["200"]["content"]
    assert ok["application/json"]["schema"] == {"$ref": "#/components/schemas/StatusDocument"}
    assert schemas["DiskBody"]["additionalProperties"] is False
    wire = WIRE.read_text()
    section = wire[wire.index("## 5.") : wire.index("## 6.")]
    for path in document["paths"]:
        assert path.replace("{disk_id}", "{id}") in section, path


async def test_every_path_refuses_a_method_it_has_not_with_the_error_document(
    miner: Running,
) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{miner.url}/openapi.json") as answer:
            paths = (await answer.json())["paths"]
        for method, path, status in [
            ("GET", "/v1/nowhere", 404),
            *(("TRACE", path.replace("{", "").replace("}", ""), 405) for path in paths),
        ]:
            async with http.request(method, miner.url + path) as answer:
                document = await answer.json()
            assert (answer.status, set(document)) == (status, {"error", "message"}), path
            assert ("allow" in answer.headers) == (status == 405), path
    assert len(paths) > 8
