"""The bandwidth tests of an epoch, after the proof deadline, at moments nobody announces.

Miners behind one uplink are measured at the same moment, each keeping its own result, so that they
share what they really have. Groups take turns, longest unmeasured first, as far as the epoch's time
goes: that, the reads' number and size and the seconds per test cap the traffic.
"""

import asyncio
import secrets
from collections import defaultdict
from dataclasses import dataclass

import structlog
from cybervein_protocol.api.super_node.events import BandwidthEvent
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.ledger.mining.contribution import plot_bytes
from cybervein_protocol.ledger.mining.measurements import BandwidthEntry, BandwidthResult
from cybervein_protocol.ledger.state.rows import MinerRow
from cybervein_protocol.messages import Order, Verb
from cybervein_protocol.signing import address
from cybervein_protocol.tree import verify_slice

from cybervein_supernode.bandwidth.speed import Read, bytes_per_second
from cybervein_supernode.clock.timeline import Timeline
from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.peers.miner_client import MinerPeer, Peer
from cybervein_supernode.placement.domains import network_group

_log = structlog.get_logger()
STREAMS = 4
"""Reads of one miner side by side: one alone would measure the distance, not the line."""
ENTRIES_PER_UNIT = 4096
END_SHARE = 0.8
"""Share of the time after the deadline in which tests may begin."""

Member = tuple[bytes, MinerRow]


@dataclass(frozen=True, slots=True)
class Target:
    """Something the miner must hold: its root, size, path and the verb to read it."""

    root: bytes
    size: int
    path: str
    verb: Verb


class Meter:
    """Runs once an epoch."""

    def __init__(self, desk: Desk, miners: MinerPeer) -> None:
        self._desk = desk
        self._miners = miners
        self._failure: dict[bytes, str] = {}

    async def run(self, timeline: Timeline) -> None:
        """Measure groups one after another until the time is used up."""
        await self._wait_for_tests(timeline)
        found: list[BandwidthEntry] = []
        for group in self._groups(timeline.epoch):
            if self._left(timeline) <= 0 or len(found) >= ENTRIES_PER_UNIT:
                break
            entries = await asyncio.gather(*(self._measure(timeline, *one) for one in group))
            found += [entry for entry in entries if entry is not None]
        if found:
            body = BandwidthResult(epoch=timeline.epoch, results=found[:ENTRIES_PER_UNIT])
            await self._desk.engine.issue(body)
            self._told(timeline.epoch, found)

    def _left(self, timeline: Timeline) -> float:
        """Seconds in which a test may still begin and end before the epoch does."""
        last = timeline.ends - self._desk.preset.bandwidth_test_seconds_max * 0.5
        begin = timeline.deadline + END_SHARE * (timeline.ends - timeline.deadline)
        return min(last, begin) - self._desk.time.monotonic()

    async def _wait_for_tests(self, timeline: Timeline) -> None:
        """Past the deadline, when disks are not busy proving, plus a random moment."""
        now = self._desk.time.monotonic()
        spread = 0.2 * (timeline.ends - timeline.deadline)
        late = secrets.randbelow(1000) / 1000 * spread
        await self._desk.time.sleep(max(0.0, timeline.deadline - now) + late)

    def _groups(self, epoch: int) -> list[list[Member]]:
        """Miners with something to read, by uplink, longest unmeasured first."""
        declared = self._desk.preset.declared_domains
        groups: dict[str, list[Member]] = defaultdict(list)
        for key, row in self._desk.view.miners():
            if (row.plots_active or row.held_shards) and row.bandwidth_epoch != epoch + 1:
                groups[network_group(row, declared=declared)].append((key, row))
        return sorted(groups.values(), key=lambda group: min(r.bandwidth_epoch for _, r in group))

    async def _measure(
        self, timeline: Timeline, key: bytes, row: MinerRow
    ) -> BandwidthEntry | None:
        """One miner's test; None where the error is ours. A miner that refuses has 0."""
        try:
            targets = await self._desk.judge(lambda: self._targets(key))
            if not targets:
                return None
            reads, elapsed = await self._read_all(Peer(key, row.url), targets)
            rate = bytes_per_second(reads, elapsed)
            if why := self._failure.pop(key, ""):
                _log.info("bandwidth reads failed", miner=address(key), good=len(reads), why=why)
            record = encode({"v": 1, "miner": key, "epoch": timeline.epoch} | _record(reads))
            evidence = await self._desk.judge(
                lambda: self._desk.evidence.keep(timeline.epoch, record)
            )
        except Exception:  # noqa: BLE001 -- logged; our own fault is no measurement
            _log.exception("bandwidth test failed here", miner=address(key))
            return None
        return BandwidthEntry(miner=key, bytes_per_second=rate, evidence=evidence)

    def _targets(self, key: bytes) -> list[Target]:
        """What the miner must hold: active plots and shards."""
        size = plot_bytes(self._desk.preset)
        plots = [
            Target(plot.gamma, size, f"/v1/plots/{plot.gamma.hex()}", "READ")
            for plot in self._desk.view.plots_of(key)
        ]
        shards = [
            Target(s.row.root, s.row.size, f"/v1/shards/{s.row.root.hex()}", "GET")
            for s in self._desk.view.shards_of_miner(key)
            if s.row.size >= self._desk.preset.bandwidth_read_bytes
        ]
        return plots + shards

    async def _read_all(self, peer: Peer, targets: list[Target]) -> tuple[list[Read], float]:
        """Verified reads, and how long the whole test took."""
        preset, time = self._desk.preset, self._desk.time
        left = iter(range(preset.bandwidth_reads_max))
        began = time.monotonic()
        ends = began + preset.bandwidth_test_seconds_max
        reads: list[Read] = []

        async def stream() -> None:
            for _ in left:
                if (seconds := ends - time.monotonic()) <= 0:
                    return
                done = await self._read_one(peer, secrets.choice(targets), seconds)
                if not done:
                    return
                reads.append(Read(time.monotonic() - began, done))

        await asyncio.gather(*(stream() for _ in range(STREAMS)))
        return reads, time.monotonic() - began

    async def _read_one(self, peer: Peer, target: Target, seconds: float) -> int:
        """Bytes of one random range that arrived in time and verified, else 0."""
        length = min(self._desk.preset.bandwidth_read_bytes, target.size)
        offset = secrets.randbelow(target.size - length + 1)
        try:
            order = await self._desk.judge(lambda: self._order(peer, target, length))
            encoded = await self._miners.read_slice(
                peer,
                target.path,
                order=order,
                offset=offset,
                length=length,
                timeout_seconds=seconds,
            )
            await self._desk.judge(
                lambda: verify_slice(encoded, target.root, offset, length, target.size)
            )
        except CyberVeinError as error:
            self._failure[peer.key] = str(error)[:200]
            return 0
        self._desk.tally.add("bandwidth_bytes", amount=length)
        return length

    def _order(self, peer: Peer, target: Target, length: int) -> Order:
        epoch = self._desk.view.head().epoch
        return self._miners.order(
            peer, target.verb, target.root, max_bytes=length, not_after_epoch=epoch + 1
        )

    def _told(self, epoch: int, entries: list[BandwidthEntry]) -> None:
        for entry in entries:
            self._desk.tally.add("bandwidth_tests")
            rate = entry.bytes_per_second
            miner = address(entry.miner)
            self._desk.hub.publish(BandwidthEvent(miner=miner, epoch=epoch, bytes_per_second=rate))


def _record(reads: list[Read]) -> dict[str, object]:
    """The evidence of a test: milliseconds and bytes of each read."""
    return {"reads": [[int(read.at_seconds * 1000), read.bytes] for read in reads]}
