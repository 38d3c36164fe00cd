"""The scripted run's report: figures for people and machines, and the list of what held."""

from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec
from cybervein_protocol.amounts import coins
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset

from cybervein_up.child import Child
from cybervein_up.facts import Machine, MissedProof, MovedShard, release
from cybervein_up.snapshot import SUPPLY_SIDES, MinerState, Snapshot
from cybervein_up.watch import Holding, Proofs

_NOTHING = Veins(0)
CHUNK_BYTES = 65_520  # plaintext of one chunk


@dataclass(frozen=True, slots=True)
class ReportCheck:
    """One sentence that held, or did not."""

    what: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """The plaintext bytes [start, stop) of a segment, and how many shards rebuild it."""

    start: int
    stop: int
    k: int


@dataclass(slots=True)
class RunReport:
    """Filled in as the run goes; `ok` is the exit code's reason."""

    file_bytes: int
    machine: Machine | None = None
    preset: Preset | None = None
    checks: list[ReportCheck] = field(default_factory=list)
    deals: list[str] = field(default_factory=list)
    code: str = ""
    segment_bytes: int = 0
    deal_segments: int = 0
    price: Veins = _NOTHING
    epochs_paid: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each part took, by its name."""
    killed: str = ""
    kept_for_all: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    moved: list[MovedShard] = field(default_factory=list)
    missed: list[MissedProof] = field(default_factory=list)
    repair_seconds: float = 0.0
    proofs: Proofs = field(default_factory=Proofs)
    final: Snapshot | None = None

    @property
    def ok(self) -> bool:
        """Everything that was checked held, and something was."""
        return bool(self.checks) and all(check.ok for check in self.checks)

    def check(self, what: str, *, ok: bool, detail: str = "") -> None:
        """Write down whether a sentence held."""
        self.checks.append(ReportCheck(what, ok, detail))

    def stored(self, put: dict[str, Any], seconds: float) -> None:
        """What `put` said."""
        self.deals = [str(deal) for deal in put["deals"]]
        self.code = str(put["code"])
        self.price, self.epochs_paid = Veins(int(put["price"])), int(put["epochs"])
        self.seconds["put"] = seconds

    def fetched(self, seconds: float) -> None:
        """How long `get` took."""
        self.seconds["get"] = seconds

    def network(self, snapshot: Snapshot, proofs: Proofs, crashed: list[Child]) -> None:
        """Judge the network at the end of its epochs."""
        self.final, self.proofs = snapshot, proofs
        names = ", ".join(child.name for child in crashed)
        self.check("no process crashed", ok=not crashed, detail=names)
        self.check("the supply adds up", ok=snapshot.supply_holds, detail=_equation(snapshot))
        alive = [miner for miner in snapshot.miners if miner.running]
        self.check("every living miner proved space", ok=all(m.proofs for m in alive))
        self.check("every living miner was paid", ok=all(m.rewards for m in alive))

    @property
    def k(self) -> int:
        """How many shards rebuild a segment."""
        return int(self.code.split("/")[0])

    @property
    def miners(self) -> tuple[MinerState, ...]:
        """As they were after the last epoch."""
        return self.final.miners if self.final is not None else ()

    def segment(self, holding: Holding) -> Segment:
        """Where the plaintext of a shard's segment lies in the file."""
        number = self.deals.index(holding.deal) * self.deal_segments + holding.segment
        start = number * self.segment_bytes
        stop = min(start + self.segment_bytes, self.file_bytes)
        return Segment(start, stop, self.k)

    def _cost(self) -> dict[str, Any]:
        """What `put` paid, for how many epochs."""
        decimals = 0 if self.preset is None else self.preset.coin_decimals
        return {
            "veins": self.price,
            "coins": coins(self.price, decimals),
            "epochs": self.epochs_paid,
        }

    def document(self) -> dict[str, Any]:
        """The JSON report."""
        final, miners = self.final, self.miners
        return {
            "ok": self.ok,
            "version": release(),
            "machine": None if self.machine is None else asdict(self.machine),
            "preset": None if self.preset is None else msgspec.to_builtins(self.preset),
            "cost": self._cost(),
            "seconds": {what: round(took, 3) for what, took in self.seconds.items()},
            "checks": [asdict(check) for check in self.checks],
            "file_bytes": self.file_bytes,
            "code": self.code,
            "deals": self.deals,
            "epoch": final.epoch if final is not None else None,
            "plots": sum(m.plots_active for m in miners),
            "plot_bytes": sum(m.plot_bytes for m in miners),
            "stored_bytes": sum(m.stored_bytes for m in miners),
            "proofs": {"accepted": self.proofs.accepted, "missed": self.proofs.missed},
            "missed": [asdict(each) for each in self.missed],
            "audits": final.audits() if final is not None else {},
            "killed": self.killed,
            "kept_for_all": self.kept_for_all,
            "kept": self.kept,
            "shards_rebuilt": len(self.moved),
            "moved": [asdict(each) for each in self.moved],
            "repair_seconds": round(self.repair_seconds, 3),
            "rewards": {m.name: m.rewards for m in miners},
            "supply": final.supply if final is not None else {},
            "supply_holds": final is not None and final.supply_holds,
            "put_bytes_per_second": _rate(self.file_bytes, self.seconds.get("put", 0.0)),
            "get_bytes_per_second": _rate(self.file_bytes, self.seconds.get("get", 0.0)),
        }


def _equation(snapshot: Snapshot) -> str:
    """The supply in words: both sides, in veins."""
    genesis, minted, *sides = SUPPLY_SIDES
    of = snapshot.supply
    right = " + ".join(f"{side} {of[side]}" for side in sides)
    return f"{genesis} {of[genesis]} + {minted} {of[minted]} = {right} veins"


def _rate(size: int, seconds: float) -> int:
    return int(size / seconds) if seconds > 0 else 0
