"""`/healthz` for the kubelet and `/metrics` for Prometheus."""

from collections.abc import Callable

from aiohttp import web

from cybervein_operator.metrics import Metrics


async def serve(
    host: str, port: int, metrics: Metrics, trouble: Callable[[], str]
) -> web.AppRunner:
    """Listen until the runner is cleaned up. `trouble` says why a restart would help, or ""."""

    async def healthz(_: web.Request) -> web.Response:
        said = trouble()
        return web.Response(text=said or "ok", status=500 if said else 200)

    async def page(_: web.Request) -> web.Response:
        return web.Response(body=metrics.page(), content_type="text/plain", charset="utf-8")

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/metrics", page)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
