"""The scripted run's report: figures for people and machines, and the list of what held."""

from dataclasses import asdict, dataclass, field
from typing import Any

from cybervein_up.child import Child
from cybervein_up.snapshot import Snapshot
from cybervein_up.watch import Holding, Proofs

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
    checks: list[ReportCheck] = field(default_factory=list)
    deals: list[str] = field(default_factory=list)
    code: str = ""
    segment_bytes: int = 0
    deal_segments: int = 0
    put_seconds: float = 0.0
    get_seconds: float = 0.0
    killed: str = ""
    kept: list[str] = field(default_factory=list)
    shards_rebuilt: int = 0
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
        self.put_seconds = seconds

    def fetched(self, seconds: float) -> None:
        """How long `get` took."""
        self.get_seconds = seconds

    def network(self, snapshot: Snapshot, proofs: Proofs, crashed: list[Child]) -> None:
        """Judge the network at the end of its epochs."""
        self.final, self.proofs = snapshot, proofs
        names = ", ".join(child.name for child in crashed)
        self.check("no process crashed", ok=not crashed, detail=names)
        self.check("the supply adds up", ok=snapshot.supply_holds, detail=str(snapshot.supply))
        alive = [miner for miner in snapshot.miners if miner.running]
        self.check("every living miner proved space", ok=all(m.proofs for m in alive))
        self.check("every living miner was paid", ok=all(m.rewards for m in alive))

    def segment(self, holding: Holding) -> Segment:
        """Where the plaintext of a shard's segment lies in the file."""
        number = self.deals.index(holding.deal) * self.deal_segments + holding.segment
        start = number * self.segment_bytes
        stop = min(start + self.segment_bytes, self.file_bytes)
        return Segment(start, stop, int(self.code.split("/")[0]))

    def document(self) -> dict[str, Any]:
        """The JSON report."""
        final = self.final
        miners = final.miners if final is not None else ()
        return {
            "ok": self.ok,
            "checks": [asdict(check) for check in self.checks],
            "file_bytes": self.file_bytes,
            "code": self.code,
            "deals": self.deals,
            "epoch": final.epoch if final is not None else None,
            "plots": sum(m.plots_active for m in miners),
            "plot_bytes": sum(m.plot_bytes for m in miners),
            "stored_bytes": sum(m.stored_bytes for m in miners),
            "proofs": asdict(self.proofs),
            "audits": final.audits() if final is not None else {},
            "killed": self.killed,
            "kept": self.kept,
            "shards_rebuilt": self.shards_rebuilt,
            "repair_seconds": round(self.repair_seconds, 3),
            "rewards": {m.name: m.rewards for m in miners},
            "supply": final.supply if final is not None else {},
            "supply_holds": final is not None and final.supply_holds,
            "put_bytes_per_second": _rate(self.file_bytes, self.put_seconds),
            "get_bytes_per_second": _rate(self.file_bytes, self.get_seconds),
        }


def _rate(size: int, seconds: float) -> int:
    return int(size / seconds) if seconds > 0 else 0
