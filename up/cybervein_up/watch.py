"""Looks at the running network through its HTTP interfaces and parses what it sees, once, here."""

import asyncio
from dataclasses import dataclass, replace

from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.miner.status import STATUS_BYTES_MAX, StatusDocument
from cybervein_protocol.api.super_node.miners import ListedMiner
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.presets import Preset
from cybervein_protocol.signing import address
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.identity import load_identity
from cybervein_runtime.super_node import SuperNodeReader

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
    without: tuple[tuple[int, str], ...] = ()
    """Epoch and miner of each missed one."""


class Watch:
    """Asks super node and miners; unsigned, so it sees what anybody may see."""

    def __init__(self, network: EmbeddedNetwork, http: SignedClient) -> None:
        self._network, self._http = network, http
        self._addresses: dict[int, str] = {}
        self._preset: Preset | None = None

    @property
    def _super_node(self) -> SuperNodeReader:
        return SuperNodeReader(self._network.url, self._http)

    @property
    def preset(self) -> Preset:
        """The network's numbers, from the first snapshot on."""
        if self._preset is None:
            raise CyberVeinError("the network was not looked at yet; take a snapshot first")
        return self._preset

    async def snapshot(self) -> Snapshot:
        """The network now; a miner that does not answer shows what the ledger knows of it."""
        chain = await self._super_node.network()
        self._preset = chain.preset
        known = {each.address: each for each in await self._super_node.miners()}
        states = (self._miner(number, known) for number in sorted(self._network.miners))
        miners = await asyncio.gather(*states)
        return Snapshot(
            epoch=chain.epoch,
            seconds_left=max(0, int(chain.epoch_ends - chain.now)),
            height=chain.height,
            app_hash=chain.app_hash,
            supply={name: getattr(chain.supply, name) for name in SUPPLY_SIDES},
            miners=tuple(miners),
        )

    async def numbers(self) -> dict[str, int]:
        """Miner numbers by address."""
        return {self._address(number): number for number in self._network.miners}

    async def holdings(self, deals: list[str]) -> list[Holding]:
        """Where every shard of these deals is now."""
        found = [await self._super_node.shards(deal) for deal in deals]
        return [
            Holding(each.deal, each.segment, each.index, each.root, str(each.miner))
            for shards in found
            for each in shards
        ]

    async def proofs(self, epochs: range) -> Proofs:
        """Proofs of these closed epochs; a miner owes one for each epoch after its first."""
        accepted, without, began = 0, list[tuple[int, str]](), set[str]()
        for epoch in epochs:
            for entry in (await self._super_node.epoch(epoch)).contributions:
                if entry.estimate:
                    began.add(entry.miner)
                    accepted += 1
                elif entry.miner in began:
                    without.append((epoch, entry.miner))
        return Proofs(accepted, len(without), tuple(without))

    async def _miner(self, number: int, known: dict[str, ListedMiner]) -> MinerState:
        child = self._network.miners[number]
        row = known.get(self._address(number))
        status = await self._status(child)
        return _state(child, self._metrics_url(number), self._address(number), row, status)

    async def _status(self, child: Child) -> StatusDocument | None:
        """The miner's own word, None while it does not answer."""
        if not child.running:
            return None
        url = f"{child.url}/v1/status"
        try:
            answer = await self._http.request(
                "GET", url, timeout_seconds=_QUICK_SECONDS, max_response_bytes=STATUS_BYTES_MAX
            )
            return decode_document(answer.body, StatusDocument, url, STATUS_BYTES_MAX)
        except CyberVeinError:
            return None

    def _address(self, number: int) -> str:
        if number not in self._addresses:
            path = self._network.layout.miner(number) / "data" / "identity.json"
            self._addresses[number] = address(load_identity(path).keys.public)
        return self._addresses[number]

    def _metrics_url(self, number: int) -> str:
        sidecar = self._network.sidecars.get(number)
        return f"{sidecar.url}/metrics" if sidecar is not None and sidecar.url else ""


def _state(
    child: Child, metrics_url: str, own: str, row: ListedMiner | None, status: StatusDocument | None
) -> MinerState:
    """Join what the ledger and the miner say."""
    alone = MinerState(
        name=child.name,
        address=own,
        url=child.url,
        metrics_url=metrics_url,
        running=child.running,
        audits=dict.fromkeys(OUTCOMES, 0),
    )
    told = alone if status is None else _with_own_word(alone, status)
    return told if row is None else _with_ledger(told, row)


def _with_own_word(state: MinerState, status: StatusDocument) -> MinerState:
    return replace(
        state,
        plots=status.plots,
        proofs_missed=status.proofs.missed,
        proofs_refused=status.proofs.refused,
        problem=status.problem,
        plotting=status.plotting,
        plot_bytes=status.plot_bytes,
        shards=status.shards,
        stored_bytes=status.shard_bytes,
    )


def _with_ledger(state: MinerState, row: ListedMiner) -> MinerState:
    return replace(
        state,
        registered=True,
        online=row.online,
        plots_active=row.plots_active,
        space_bytes=row.space_bytes,
        bandwidth=row.bytes_per_second,
        rewards=row.rewards,
        proofs=row.proofs,
        audits={name: getattr(row.audits, name) for name in OUTCOMES},
    )
