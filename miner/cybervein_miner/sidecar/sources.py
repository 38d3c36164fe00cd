"""The three sources of a scrape, asked at once, each with its own time limit.

A source that fails is absent from the page and `cybervein_up` says so; the page itself never fails.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import psutil
import structlog
from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.document import Document
from cybervein_protocol.api.miner.status import STATUS_BYTES_MAX, StatusDocument
from cybervein_protocol.errors import CyberVeinError
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.super_node import SuperNodeReader
from cybervein_runtime.trust import Trust

from cybervein_miner.sidecar.metric import HOST, MINER, SUPER_NODE

TIMEOUT_SECONDS: Final = 3.0
_MBIT_BYTES: Final = 125_000
_UNREAL: Final = ("lo", "veth", "cali", "cni", "flannel", "docker")
_UNREAL_DISKS: Final = ("loop", "ram", "zram")
_log = structlog.get_logger()
Plain = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """What a source said, None where it failed, the seconds it took, and why it failed."""

    document: Plain | None
    seconds: float
    error: str = ""


class Sources:
    """Asks the miner, the super node and this machine.

    `miner` says where the miner is, anew for each scrape: its next start may be on another port.
    """

    def __init__(self, miner: Callable[[], str], super_node: str, trust: Trust) -> None:
        self._miner = miner
        self._http = SignedClient(trust=trust)
        self._super_node = SuperNodeReader(super_node, self._http)
        self._who: tuple[str, str] | None = None
        self._silent: set[str] = set()

    async def close(self) -> None:
        """Close the HTTP session."""
        await self._http.close()

    async def ask(self) -> dict[str, SourceAnswer]:
        """Answers by source. The super node is asked about the miner of an earlier answer too."""
        miner = await _timed(self._told)
        super_node, host = await asyncio.gather(_timed(self._ledger), _timed(_host))
        answers = {MINER: miner, SUPER_NODE: super_node, HOST: host}
        self._tell(answers)
        return answers

    def _tell(self, answers: Mapping[str, SourceAnswer]) -> None:
        """One event when a source falls silent and one when it answers again, not one a scrape."""
        for name, answer in answers.items():
            if answer.error and name not in self._silent:
                _log.warning("source does not answer", source=name, error=answer.error)
            elif not answer.error and name in self._silent:
                _log.info("source answers again", source=name)
        self._silent = {name for name, answer in answers.items() if answer.error}

    async def miner(self) -> StatusDocument:
        """`GET /v1/status` of the miner. Raises CyberVeinError."""
        url = f"{self._miner().rstrip('/')}/v1/status"
        answer = await self._http.request(
            "GET",
            url,
            timeout_seconds=TIMEOUT_SECONDS,
            max_response_bytes=STATUS_BYTES_MAX,
        )
        return decode_document(answer.body, StatusDocument, url, STATUS_BYTES_MAX)

    async def _told(self) -> Plain:
        status = await self.miner()
        self._who = (status.address, status.payout)
        return plain(status)

    async def _ledger(self) -> Plain:
        """The network, this miner on the ledger, and the account it is paid to."""
        network = await self._super_node.network()
        if self._who is None:
            return {"network": plain(network)}
        address, payout = self._who
        miner = await self._super_node.miner(address)
        payout = payout if miner is None else miner.payout
        account = await self._super_node.account(payout) if payout else None
        return {"network": plain(network), "miner": plain(miner), "payout": plain(account)}


def plain(document: Document | None) -> Plain:
    """What the registry's paths lead through; empty where there is no document."""
    return {} if document is None else msgspec.to_builtins(document)


async def _timed(ask: Callable[[], Awaitable[Plain]]) -> SourceAnswer:
    started = time.monotonic()
    try:
        document = await asyncio.wait_for(ask(), TIMEOUT_SECONDS)
    except (CyberVeinError, TimeoutError, OSError, ValueError) as error:
        reason = str(error)[:400] or "no answer in time"
        return SourceAnswer(None, time.monotonic() - started, reason)
    return SourceAnswer(document, time.monotonic() - started)


async def _host() -> Plain:
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
