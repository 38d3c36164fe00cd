"""The three sources of a scrape, asked at once, each with its own time limit.

A source that fails is absent from the page and `cybervein_up` says so; the page itself never fails.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import psutil
import structlog
from cybervein_runtime.trust import Trust

from cybervein_miner.sidecar.metric import HOST, MINER, SUPER_NODE

TIMEOUT_SECONDS: Final = 3.0
ANSWER_BYTES_MAX: Final = 8 << 20
_MBIT_BYTES: Final = 125_000
_UNREAL: Final = ("lo", "veth", "cali", "cni", "flannel", "docker")
_UNREAL_DISKS: Final = ("loop", "ram", "zram")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """What a source said, None where it failed, and the seconds it took."""

    document: Mapping[str, Any] | None
    seconds: float


class Sources:
    """Asks the miner, the super node and this machine."""

    def __init__(self, miner: str, super_node: str, trust: Trust) -> None:
        self._miner, self._super_node = miner.rstrip("/"), super_node.rstrip("/")
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None
        self._who: tuple[str, str] | None = None

    async def open(self) -> None:
        """Open the HTTP session inside the running loop."""
        limit = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        self._session = aiohttp.ClientSession(timeout=limit)

    async def close(self) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()

    async def ask(self) -> dict[str, SourceAnswer]:
        """Answers by source. The super node is asked about the miner of an earlier answer too."""
        miner = await _timed(MINER, self.miner)
        if miner.document is not None:
            self._who = (str(miner.document["address"]), str(miner.document["payout"]))
        super_node, host = await asyncio.gather(
            _timed(SUPER_NODE, self.super_node), _timed(HOST, _host)
        )
        return {MINER: miner, SUPER_NODE: super_node, HOST: host}

    async def miner(self) -> Mapping[str, Any]:
        """`GET /v1/status` of the miner."""
        return await self._get(f"{self._miner}/v1/status")

    async def super_node(self) -> Mapping[str, Any]:
        """The network, this miner on the ledger, and the account it is paid to."""
        base = f"{self._super_node}/v1"
        network = await self._get(f"{base}/network")
        if self._who is None:
            return {"network": network}
        address, payout = self._who
        miner = await self._get(f"{base}/miners/{address}?epochs=0", absent_is_empty=True)
        account = await self._get(f"{base}/accounts/{payout}", absent_is_empty=True)
        return {"network": network, "miner": miner, "payout": account}

    async def _get(self, url: str, *, absent_is_empty: bool = False) -> Mapping[str, Any]:
        if self._session is None:
            raise ConnectionError("the sidecar is not open")
        async with self._session.get(url, ssl=self._trust.of(url)) as answer:
            if answer.status == 404 and absent_is_empty:  # noqa: PLR2004 -- not found
                return {}
            answer.raise_for_status()
            if (answer.content_length or 0) > ANSWER_BYTES_MAX:
                raise ValueError(f"{url} answers {answer.content_length} bytes")
            document = await answer.json(content_type=None)
        if not isinstance(document, Mapping):
            raise TypeError(f"{url} answers no JSON object")
        return document


async def _timed(name: str, ask: Callable[[], Awaitable[Mapping[str, Any]]]) -> SourceAnswer:
    started = time.monotonic()
    try:
        document = await asyncio.wait_for(ask(), TIMEOUT_SECONDS)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, TypeError, KeyError) as error:
        _log.warning("source does not answer", source=name, error=repr(error))
        return SourceAnswer(None, time.monotonic() - started)
    return SourceAnswer(document, time.monotonic() - started)


async def _host() -> Mapping[str, Any]:
    return {"nics": _nics(), "disks": _disks()}


def _nics() -> list[dict[str, Any]]:
    links = psutil.net_if_stats()
    counters = psutil.net_io_counters(pernic=True)
    return [
        {
            "interface": name,
            "received_bytes": each.bytes_recv,
            "sent_bytes": each.bytes_sent,
            "errors": each.errin + each.errout + each.dropin + each.dropout,
            "speed_bytes_per_second": _speed(links[name].speed) if name in links else None,
        }
        for name, each in counters.items()
        if not name.startswith(_UNREAL)
    ]


def _speed(megabits: int) -> int | None:
    """Virtual interfaces do not know their speed: 0 or 65535."""
    return megabits * _MBIT_BYTES if 0 < megabits < 65535 else None  # noqa: PLR2004 -- "unknown"


def _disks() -> list[dict[str, Any]]:
    counters = psutil.disk_io_counters(perdisk=True) or {}
    return [
        {
            "device": name,
            "read_bytes": each.read_bytes,
            "written_bytes": each.write_bytes,
            "busy_seconds": getattr(each, "busy_time", 0) / 1000,
        }
        for name, each in counters.items()
        if not name.startswith(_UNREAL_DISKS)
    ]
