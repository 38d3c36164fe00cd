"""What the sidecar sends is what its OpenAPI document says, with and without a miner."""

import asyncio
from pathlib import Path

import aiohttp
from cybervein_miner.sidecar.app import build_app
from cybervein_runtime.serving import bind, serve, url_of
from http_contract import contract_of

NOBODY = "http://127.0.0.1:9"


async def test_every_route_is_as_documented(tmp_path: Path) -> None:
    sock, run_file = bind("127.0.0.1", 0), tmp_path / "run.json"
    task = asyncio.create_task(serve(build_app(lambda: NOBODY, NOBODY), sock, run_file))
    async with asyncio.timeout(300):
        while not run_file.exists():
            await asyncio.sleep(0.01)
    async with aiohttp.ClientSession() as http:
        contract = await contract_of(url_of(sock), http)
        for path, status in {"/healthz": 200, "/readyz": 503, "/startupz": 503}.items():
            assert (await contract.ask("GET", path)).status == status, path
        for accept in ("text/plain", "application/openmetrics-text; version=1.0.0"):
            page = await contract.ask("GET", "/metrics", headers={"Accept": accept})
            assert (page.status, page.media_type) == (200, accept.split(";", maxsplit=1)[0])
        assert (await contract.ask("GET", "/nowhere")).status == 404
        assert {path for _, path in contract.seen} == set(contract.paths)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
