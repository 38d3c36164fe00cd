"""The sidecar's errors are the document that every server sends."""

import asyncio
from pathlib import Path

import aiohttp
from cybervein_miner.sidecar.app import build_app
from cybervein_runtime.serving import bind, serve, url_of

NOBODY = "http://127.0.0.1:9"


async def test_every_path_refuses_a_method_it_has_not_with_the_error_document(
    tmp_path: Path,
) -> None:
    sock = bind("127.0.0.1", 0)
    url, run_file = url_of(sock), tmp_path / "run.json"
    task = asyncio.create_task(serve(build_app(lambda: NOBODY, NOBODY), sock, run_file))
    async with asyncio.timeout(60):
        while not run_file.exists():
            await asyncio.sleep(0.01)
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{url}/openapi.json") as answer:
            paths = (await answer.json())["paths"]
        for method, path, status in [
            ("GET", "/v1/nowhere", 404),
            *(("TRACE", path.replace("{", "").replace("}", ""), 405) for path in paths),
        ]:
            async with http.request(method, url + path) as answer:
                document = await answer.json()
            assert (answer.status, set(document)) == (status, {"error", "message"}), path
            assert ("allow" in answer.headers) == (status == 405), path
    assert len(paths) > 3
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
