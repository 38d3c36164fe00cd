"""kopf's part: the three kinds and the canary, by `on.event` handlers that only note and enqueue.

No handler here changes an object, so kopf writes nothing: no finalizers, no annotations, no status.
"""

import asyncio
import signal
from collections.abc import Iterator, Sequence
from logging import Filter, LogRecord, getLogger
from typing import Any, Final

import kopf

from cybervein_operator.api import GROUP, VERSION
from cybervein_operator.canary import NAME as CANARY
from cybervein_operator.canary import Canary
from cybervein_operator.cluster.login import Login
from cybervein_operator.notes import ResourceNotes

_BACKOFFS: Final = (1, 1, 2, 3, 5, 8, 13, 21)


class _Told(Filter):
    """kopf says each refusal of a watch at each try; it is told once, with the way out (tenure)."""

    def filter(self, record: LogRecord) -> bool:
        """Whether the line is written."""
        return "APIForbiddenError" not in record.getMessage()


class _ForEver:
    """Delays between tries while the API server is away: growing, and without end."""

    def __iter__(self) -> Iterator[float]:
        yield from _BACKOFFS
        while True:
            yield 30.0


def configure(settings: kopf.OperatorSettings) -> None:
    """The settings that matter.

    kopf does not look for kinds and namespaces that come and go: that takes rights over the whole
    cluster, and where it may not, it asks without end (`cluster.relist` does what is needed).
    """
    getLogger("kopf._cogs.clients.watching").addFilter(_Told())
    settings.watching.inactivity_timeout = 70
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 330
    settings.networking.request_timeout = 60
    settings.networking.error_backoffs = _ForEver()
    settings.queueing.worker_limit = 32
    settings.queueing.idle_timeout = 1.0
    settings.execution.max_workers = 2
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.watching.label_selectors["v1", "configmaps"] = f"{Canary.LABEL}={CANARY}"
    settings.scanning.disabled = True
    settings.persistence.finalizer = f"{GROUP}/never"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP)


def registry(resources: ResourceNotes, canary: Canary, login: Login) -> kopf.OperatorRegistry:
    """Kopf's handlers."""
    made = kopf.OperatorRegistry()

    @kopf.on.login(registry=made)
    async def log_in(**_: object) -> kopf.ConnectionInfo:
        return await login.for_kopf()

    for plural, note in (
        ("networks", resources.network),
        ("minerpools", resources.pool),
        ("minerdisks", resources.disk),
    ):
        _on_event(made, plural, note)

    @kopf.on.event("", "v1", "configmaps", registry=made, labels={canary.LABEL: CANARY})
    async def saw_canary(body: kopf.Body, **_: object) -> None:
        canary.seen(dict(body.get("data") or {}))

    return made


def _on_event(made: kopf.OperatorRegistry, plural: str, note: Any) -> None:  # noqa: ANN401 -- see Resources
    @kopf.on.event(GROUP, VERSION, plural, registry=made, id=plural)
    async def saw(event: kopf.RawEvent, **_: object) -> None:
        note(event["object"], gone=event["type"] == "DELETED")


async def watch(made: kopf.OperatorRegistry, namespaces: Sequence[str], stop: asyncio.Event) -> str:
    """Run kopf until it is cancelled, or ends: then why, or "".

    A kind that does not exist ends it, and every task of the loop that has begun since. It takes
    the signals over; they are taken back, so that it ends last, after the work.
    """
    settings, ready = kopf.OperatorSettings(), asyncio.Event()
    signals = asyncio.create_task(_signals(ready, stop))
    configure(settings)
    try:
        await kopf.operator(
            registry=made,
            settings=settings,
            clusterwide=not namespaces,
            namespaces=namespaces,
            standalone=True,
            ready_flag=ready,
        )
    except Exception as error:  # noqa: BLE001 -- whatever ends it ends this process
        return str(error)[:300] or type(error).__name__
    finally:
        signals.cancel()
    return ""


async def _signals(ready: asyncio.Event, stop: asyncio.Event) -> None:
    """Once kopf is ready, signals stop the work first, and give its Leases back."""
    await ready.wait()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
