"""`/healthz` and `/readyz` for the kubelet, `/metrics` for Prometheus."""

from collections.abc import Callable

from aiohttp import web

from cybervein_operator.metrics import Metrics


async def serve(
    host: str,
    port: int,
    metrics: Metrics,
    trouble: Callable[[], str],
    ready: Callable[[], tuple[bool, str]],
) -> web.AppRunner:
    """Listen until the runner is cleaned up.

    `trouble` says why a restart would help, or ""; `ready` whether all that was asked for is
    looked after, and how it stands.
    """

    async def healthz(_: web.Request) -> web.Response:
        said = trouble()
        return web.Response(text=said or "ok", status=500 if said else 200)

    async def readyz(_: web.Request) -> web.Response:
        so, said = ready()
        return web.Response(text=said, status=200 if so else 503)

    async def page(_: web.Request) -> web.Response:
        return web.Response(body=metrics.page(), content_type="text/plain", charset="utf-8")

    app = web.Application()
    routes = {"/healthz": healthz, "/readyz": readyz, "/metrics": page}
    app.add_routes([web.get(path, answer) for path, answer in routes.items()])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
