"""What the embedded network looks like at one moment, as its own HTTP interfaces tell it."""

from dataclasses import dataclass, field

OUTCOMES = ("passed", "wrong", "timeout", "verifier")
SUPPLY_SIDES = ("genesis", "minted", "held", "escrowed", "bonded", "burnt")


@dataclass(frozen=True, slots=True)
class MinerState:
    """One miner; amounts are veins, `bandwidth` bytes per second, `space_bytes` as measured."""

    name: str
    address: str
    url: str
    metrics_url: str
    running: bool
    registered: bool = False
    online: bool = False
    plots: int = 0
    plots_active: int = 0
    plotting: int = 0
    plot_bytes: int = 0
    shards: int = 0
    stored_bytes: int = 0
    space_bytes: int = 0
    bandwidth: int = 0
    rewards: int = 0
    proofs: int = 0
    proofs_missed: int = 0
    proofs_refused: int = 0
    problem: str = ""
    audits: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The network: epoch, seconds to its end, engine height, supply and every miner."""

    epoch: int
    seconds_left: int
    height: int
    app_hash: str
    supply: dict[str, int]
    miners: tuple[MinerState, ...]

    @property
    def supply_holds(self) -> bool:
        """Genesis + minted = held + escrowed + bonded + burnt."""
        genesis, minted, *sides = (self.supply[name] for name in SUPPLY_SIDES)
        return genesis + minted == sum(sides)

    def audits(self) -> dict[str, int]:
        """Audits of all miners by outcome."""
        return {name: sum(m.audits.get(name, 0) for m in self.miners) for name in OUTCOMES}
