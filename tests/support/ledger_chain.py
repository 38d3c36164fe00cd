"""A whole chain in memory: people with keys, a super node, blocks; every step checked."""

from dataclasses import dataclass, field

from blake3 import blake3
from cybervein_protocol import vrf
from cybervein_protocol.encoding import cid_root, encode
from cybervein_protocol.ledger.accounts.fees import deal_escrow, size_kib
from cybervein_protocol.ledger.accounts.money import held_by
from cybervein_protocol.ledger.chain.block import (
    RULES,
    Block,
    BlockHeader,
    Rules,
    block_id,
    sign_block,
)
from cybervein_protocol.ledger.chain.border import parse_unit
from cybervein_protocol.ledger.chain.kinds import Issuer, issued_by
from cybervein_protocol.ledger.chain.machine import BlockResult, StateMachine
from cybervein_protocol.ledger.epochs.beacon import prove_beacon
from cybervein_protocol.ledger.epochs.closing import EpochClose
from cybervein_protocol.ledger.mining.bodies import MinerRegister, PlotBatch, PlotEntry, PlotVerdict
from cybervein_protocol.ledger.mining.measurements import (
    AuditEntry,
    AuditResult,
    BandwidthEntry,
    BandwidthResult,
    Outcome,
    SpaceEntry,
    SpaceResult,
)
from cybervein_protocol.ledger.state.overlay import MemoryStore
from cybervein_protocol.ledger.state.rows import (
    ACCOUNTS,
    DEALS,
    MINERS,
    SHARDS,
    DealRow,
    MinerRow,
    decode_row,
)
from cybervein_protocol.ledger.storage.bodies import DealCommit, DealOpen, ShardMoved
from cybervein_protocol.ledger.units.body import Body
from cybervein_protocol.ledger.units.events import Event
from cybervein_protocol.ledger.units.genesis import Allocation, Genesis, SuperNode, root_units
from cybervein_protocol.ledger.units.unit import ParsedUnit, make_paid_unit, make_unit
from cybervein_protocol.messages.deals import SegmentEntry, ShardEntry, sign_verification
from cybervein_protocol.messages.receipts import sign_receipt
from cybervein_protocol.messages.repair import RepairBox, encode_repair
from cybervein_protocol.presets import TEST, Preset
from cybervein_protocol.signing import KeyPair
from multiformats import CID

RICH = 10**15
ZERO = bytes(32)


def digest(text: str) -> bytes:
    return blake3(text.encode()).digest()


def keys(name: str) -> KeyPair:
    return KeyPair(digest(name))


def genesis_of(preset: Preset = TEST, rich: tuple[str, ...] = ("customer", "friend")) -> Genesis:
    return Genesis(
        v=1,
        chain="cybervein",
        created=1_700_000_000,
        preset=preset,
        super_nodes=[
            SuperNode(
                key=keys("super").public,
                vrf=vrf.public_key(digest("super vrf")),
                seal=digest("super seal"),
                url="http://super.example",
            )
        ],
        accounts=[Allocation(key=keys(name).public, balance=RICH) for name in rich],
        roots=[digest("left"), digest("right")],
    )


@dataclass
class Chain:
    """Names stand for key pairs; miner `m` pays out to `m payout`, and is its own domain.

    `rules` are those of the next block: a chain may come from an earlier release.
    """

    genesis: Genesis = field(default_factory=genesis_of)
    blocks: list[Block] = field(default_factory=list)
    units: dict[CID, bytes] = field(default_factory=dict)
    results: list[BlockResult] = field(default_factory=list)
    plots: dict[str, int] = field(default_factory=dict)
    rules: Rules = RULES

    def __post_init__(self) -> None:
        self.store = MemoryStore()
        self.machine = StateMachine(self.genesis, self.store)
        self.tips = root_units(self.genesis)

    @property
    def preset(self) -> Preset:
        return self.genesis.preset

    @property
    def epoch(self) -> int:
        return self.machine.head.epoch

    @property
    def events(self) -> list[Event]:
        return [event for result in self.results for event in result.events]

    def unit(self, who: str, body: Body, ahead: int = 0, fee: int = 0) -> ParsedUnit:
        """A well-made unit by `who`; `ahead` units of the same issuer come before it."""
        nonce = self.machine.next_nonce(keys(who).public) + ahead
        network, tips = self.machine.network, self.tips
        if body.kind in issued_by(Issuer.SUPER_NODE) | issued_by(Issuer.MINER):
            unit = make_unit(network, body, parents=tips, key=keys(who), nonce=nonce, fee=fee)
        else:
            unit = make_paid_unit(
                network, body, parents=tips, key=keys(who), nonce=nonce, preset=self.preset
            )
        return parse_unit(encode(unit), network, self.preset.unit_bytes_max)

    def block(self, *units: ParsedUnit) -> BlockResult:
        """Execute and commit one block, and keep it for replay."""
        head = self.machine.head
        header = BlockHeader(head.height + 1, head.epoch, self.rules)
        result = self.machine.finalize_block(header, units)
        assert self.machine.commit() == result.app_hash
        block = Block(
            v=header.v,
            network=self.machine.network,
            height=header.height,
            prev=block_id(self.blocks[-1]) if self.blocks else None,
            epoch=header.epoch,
            units=[unit.id for unit in units],
            voids=result.voids,
            app_hash=result.app_hash,
            proposer=keys("super").public,
            sig=bytes(64),
        )
        self.blocks.append(sign_block(block, keys("super")))
        self.units.update({unit.id: unit.raw for unit in units})
        self.results.append(result)
        self.tips = sorted({*self.tips, *(unit.id for unit in units)}, key=bytes)[-2:]
        return result

    def do(self, who: str, body: Body) -> ParsedUnit:
        """One unit in one block, which must succeed."""
        unit = self.unit(who, body)
        result = self.block(unit)
        assert not result.voids, result.reasons
        return unit

    def void(self, who: str, body: Body) -> tuple[str, str]:
        """(code, reason) of one unit in one block, which must be void."""
        result = self.block(self.unit(who, body))
        assert len(result.voids) == 1
        return result.voids[0].code, result.reasons[result.voids[0].unit]

    # What the tests ask

    def balance(self, name: str) -> int:
        row = self.machine.get(ACCOUNTS, keys(name).public)
        return row.balance if row else 0

    def miner(self, name: str) -> MinerRow:
        row = self.machine.get(MINERS, keys(name).public)
        assert row is not None
        return row

    def deal(self, unit: ParsedUnit) -> DealRow:
        row = self.machine.get(DEALS, cid_root(unit.id))
        assert row is not None
        return row

    def check_books(self) -> None:
        """Recount everything from all rows."""
        rows = [decode_row(key, data) for key, data in self.store.scan(b"")]
        parts = [held_by(row) for row in rows]
        supply = self.machine.supply
        assert supply.balanced
        assert sum(part.held for part in parts) == supply.held
        assert sum(part.escrowed for part in parts) == supply.escrowed
        assert sum(part.bonded for part in parts) == supply.bonded
        assert supply.escrowed >= 0
        held: dict[bytes, int] = {}
        for _, shard in self.machine.scan(SHARDS):
            if not shard.lost:
                held[shard.miner] = held.get(shard.miner, 0) + shard.kib
        for key, row in self.machine.scan(MINERS):
            assert row.held_kib == held.get(key, 0)

    # What happens on a network

    def close(self) -> BlockResult:
        proof = prove_beacon(digest("super vrf"), self.machine.head.beacon, self.epoch)
        unit = self.unit("super", EpochClose(epoch=self.epoch, vrf_proof=proof))
        result = self.block(unit)
        assert not result.voids, result.reasons
        return result

    def register(self, name: str, *, group: str | None = None) -> None:
        body = MinerRegister(
            vrf=vrf.public_key(digest(name + " vrf")),
            payout=keys(name + " payout").public,
            url=f"http://{name}.example",
            group=group or name,
            owner=name,
        )
        self.do(name, body)
        self.plots[name] = 0

    def batch(self, name: str, count: int, bond: int = 0) -> ParsedUnit:
        first = self.plots[name]
        self.plots[name] += count
        plots = [plot_entry(name, first + i) for i in range(count)]
        return self.do(name, PlotBatch(plots=plots, bond=bond))

    def verdict(self, batch: ParsedUnit, *, passed: bool = True, reason: str = "") -> None:
        body = PlotVerdict(
            batch=batch.id, epoch=self.epoch, passed=passed, reason=reason, evidence=ZERO
        )
        self.do("super", body)

    def miners(self, **plots: int) -> None:
        """Miners with active plots: two epochs later."""
        for name in plots:
            self.register(name)
        batches = [self.batch(name, count) for name, count in plots.items()]
        self.close()
        for batch in batches:
            self.verdict(batch)
        self.close()

    def measure(self, **plots: int) -> None:
        """A space result of this epoch, exact as long as there are few plots."""
        entries = [space_entry(name, count, self.preset) for name, count in plots.items()]
        self.do("super", SpaceResult(epoch=self.epoch, results=entries))

    def bandwidth(self, **speeds: int) -> None:
        entries = [
            BandwidthEntry(miner=keys(name).public, bytes_per_second=speed, evidence=ZERO)
            for name, speed in speeds.items()
        ]
        body = BandwidthResult(epoch=self.epoch, results=entries)
        self.do("super", body)

    def audit(self, **outcomes: Outcome) -> None:
        entries = [audit_entry(name, outcome) for name, outcome in outcomes.items()]
        self.do("super", AuditResult(epoch=self.epoch, results=entries))

    def open(
        self, *, size: int, shards: int, n: int, epochs: int = 4, extra: int = 0
    ) -> ParsedUnit:
        """A deal by `customer` for that many shards of `size` bytes."""
        escrow = deal_escrow(size_kib(size) * shards, epochs, self.preset) + extra
        body = DealOpen(
            size=size * shards, segments=shards // n, k=1, n=n, epochs=epochs, escrow=escrow
        )
        return self.do("customer", body)

    def segments(self, deal: CID, size: int, *names: str, count: int = 1) -> list[SegmentEntry]:
        return [
            SegmentEntry(
                salt=digest(f"salt {number}"),
                size=size,
                chunks=1,
                shards=[
                    self.shard(deal, number, index, name, size) for index, name in enumerate(names)
                ],
            )
            for number in range(count)
        ]

    def shard(self, deal: CID, segment: int, index: int, name: str, size: int) -> ShardEntry:
        root = digest(f"shard {segment} {index}")
        receipt = sign_receipt(
            keys(name),
            network=self.machine.network,
            deal=deal,
            segment=segment,
            index=index,
            root=root,
            size=size,
        )
        return ShardEntry(root=root, miner=keys(name).public, size=size, receipt=receipt.sig)

    def commit_body(self, deal: CID, segments: list[SegmentEntry]) -> DealCommit:
        return DealCommit(
            deal=deal,
            repair=encode_repair([RepairBox(super=keys("super").public, box=bytes(80))]),
            segments=segments,
            verification=sign_verification(keys("super"), deal, segments),
        )

    def store_deal(
        self, size: int, *names: str, count: int = 1, epochs: int = 4, extra: int = 0
    ) -> ParsedUnit:
        """A committed deal: `count` segments, one shard of `size` bytes at each named miner."""
        n = len(names)
        deal = self.open(size=size, shards=n * count, n=n, epochs=epochs, extra=extra)
        segments = self.segments(deal.id, size, *names, count=count)
        self.do("customer", self.commit_body(deal.id, segments))
        return deal

    def move(self, deal: ParsedUnit, index: int, source: str, to: str, *, size: int) -> ShardMoved:
        entry = self.shard(deal.id, 0, index, to, size)
        return ShardMoved(
            deal=deal.id,
            segment=0,
            index=index,
            from_=keys(source).public,
            to=keys(to).public,
            root=entry.root,
            receipt=entry.receipt,
        )


def plot_entry(name: str, index: int) -> PlotEntry:
    return PlotEntry(
        index=index, kappa=digest(f"{name} kappa {index}"), gamma=digest(f"{name} gamma {index}")
    )


def space_entry(name: str, plots: int, preset: Preset) -> SpaceEntry:
    return SpaceEntry(
        miner=keys(name).public,
        sent=min(plots, preset.answers_max),
        estimate=plots,
        smallest=bytes(8),
        vrf_proof=bytes(80),
        evidence=ZERO,
        miner_sig=bytes(64),
    )


def audit_entry(name: str, outcome: Outcome) -> AuditEntry:
    answered = outcome in {"passed", "wrong"}
    return AuditEntry(
        miner=keys(name).public,
        outcome=outcome,
        challenged=16,
        good={"passed": 16, "wrong": 9}.get(outcome, 0),
        holding=ZERO,
        evidence=ZERO,
        miner_sig=bytes(64) if answered else b"",
    )
