"""Looks at the running network through its HTTP interfaces and parses what it sees, once, here."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.signing import address
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.identity import load_identity

from cybervein_up.child import Child
from cybervein_up.network import EmbeddedNetwork
from cybervein_up.snapshot import OUTCOMES, SUPPLY_SIDES, MinerState, Snapshot

_QUICK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Holding:
    """Where one shard is: deal CID, segment of the deal, index, root (hex), miner's address."""

    deal: str
    segment: int
    index: int
    root: str
    miner: str


@dataclass(frozen=True, slots=True)
class Proofs:
    """Space proofs that the ledger took, and those that it waited for in vain."""

    accepted: int = 0
    missed: int = 0


class Watch:
    """Asks super node and miners; unsigned, so it sees what anybody may see."""

    def __init__(self, network: EmbeddedNetwork, http: SignedClient) -> None:
        self._network, self._http = network, http
        self._addresses: dict[int, str] = {}
        self.preset: dict[str, int] = {}

    async def snapshot(self) -> Snapshot:
        """The network now; a miner that does not answer shows what the ledger knows of it."""
        chain = await self._get("/v1/network")
        self.preset = chain["preset"]
        rows = (await self._get("/v1/miners"))["miners"]
        known = {str(row["address"]): row for row in rows}
        states = (self._miner(number, known) for number in sorted(self._network.miners))
        miners = await asyncio.gather(*states)
        return Snapshot(
            epoch=int(chain["epoch"]),
            seconds_left=max(0, int(chain["epoch_ends"] - time.time())),
            height=int(chain["height"]),
            app_hash=str(chain["app_hash"]),
            supply={name: int(chain["supply"][name]) for name in SUPPLY_SIDES},
            miners=tuple(miners),
        )

    async def numbers(self) -> dict[str, int]:
        """Miner numbers by address."""
        return {self._address(number): number for number in self._network.miners}

    async def holdings(self, deals: list[str]) -> list[Holding]:
        """Where every shard of these deals is now."""
        rows = [(deal, await self._get(f"/v1/deals/{deal}/shards")) for deal in deals]
        return [
            Holding(deal, int(s["segment"]), int(s["index"]), str(s["root"]), str(s["miner"]))
            for deal, shards in rows
            for s in shards["shards"]
        ]

    async def proofs(self, epochs: range) -> Proofs:
        """Proofs of these closed epochs; a miner owes one for each epoch after its first."""
        accepted, missed, began = 0, 0, set[str]()
        for epoch in epochs:
            for entry in (await self._get(f"/v1/epochs/{epoch}"))["contributions"]:
                if entry["estimate"]:
                    began.add(entry["miner"])
                    accepted += 1
                elif entry["miner"] in began:
                    missed += 1
        return Proofs(accepted, missed)

    async def _miner(self, number: int, known: dict[str, dict[str, Any]]) -> MinerState:
        child = self._network.miners[number]
        row = known.get(self._address(number), {})
        status = await self._status(child)
        return _state(child, self._metrics_url(number), self._address(number), row, status)

    async def _status(self, child: Child) -> dict[str, Any]:
        """The miner's own word, empty while it does not answer."""
        if not child.running:
            return {}
        try:
            status: dict[str, Any] = await self._http.get_json(
                f"{child.url}/v1/status", timeout_seconds=_QUICK_SECONDS
            )
        except CyberVeinError:
            return {}
        return status

    def _address(self, number: int) -> str:
        if number not in self._addresses:
            path = self._network.layout.miner(number) / "data" / "identity.json"
            self._addresses[number] = address(load_identity(path).keys.public)
        return self._addresses[number]

    def _metrics_url(self, number: int) -> str:
        sidecar = self._network.sidecars.get(number)
        return f"{sidecar.url}/metrics" if sidecar is not None and sidecar.url else ""

    async def _get(self, path: str) -> Any:  # noqa: ANN401 -- JSON
        return await self._http.get_json(self._network.url + path)


def _state(
    child: Child, metrics_url: str, own: str, row: dict[str, Any], status: dict[str, Any]
) -> MinerState:
    """Join what the ledger and the miner say."""
    audits = row.get("audits", {})
    return MinerState(
        name=child.name,
        address=own,
        url=child.url,
        metrics_url=metrics_url,
        running=child.running,
        registered=bool(row),
        plots=int(status.get("plots", 0)),
        plots_active=int(row.get("plots_active", 0)),
        plotting=int(status.get("plotting", 0)),
        plot_bytes=int(status.get("plot_bytes", 0)),
        shards=int(status.get("shards", 0)),
        stored_bytes=int(status.get("shard_bytes", 0)),
        space_bytes=int(row.get("space_bytes", 0)),
        bandwidth=int(row.get("bytes_per_second", 0)),
        rewards=int(row.get("rewards", 0)),
        proofs=int(row.get("proofs", 0)),
        audits={name: int(audits.get(name, 0)) for name in OUTCOMES},
    )
