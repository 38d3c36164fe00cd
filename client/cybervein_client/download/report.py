"""What went wrong during a read and was repaired from other shards: miners are named."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from cybervein_protocol.errors import CyberVeinError, ProofError, UnavailableError
from cybervein_protocol.signing import address

from cybervein_client.transport import ShardAt


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFailure:
    """One shard that could not be used: its miner was `away`, sent `wrong` bytes, or refused."""

    segment: int
    index: int
    miner: bytes
    root: bytes
    wrong: bool
    away: bool
    reason: str

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "segment": self.segment,
            "index": self.index,
            "miner": address(self.miner),
            "root": self.root.hex(),
            "wrong": self.wrong,
            "reason": self.reason,
        }


@dataclass(slots=True)
class ReadReport:
    """All failures of one read, and which miners to try last from now on."""

    failures: list[ReadFailure] = field(default_factory=list)
    by_miner: Counter[bytes] = field(default_factory=Counter)

    def note(self, segment: int, index: int, shard: ShardAt, error: CyberVeinError) -> None:
        """Remember a failed shard."""
        wrong = isinstance(error, ProofError)
        name, reason = address(shard.miner), str(error)
        if name not in reason:
            reason = f"miner {name}: {reason}"
        self.failures.append(
            ReadFailure(
                segment=segment,
                index=index,
                miner=shard.miner,
                root=shard.root,
                wrong=wrong,
                away=isinstance(error, UnavailableError),
                reason=reason,
            )
        )
        self.by_miner[shard.miner] += 1

    def note_slow(self, shard: ShardAt) -> None:
        """Its miner fell behind the others: no failure, but it is asked last from now on."""
        self.by_miner[shard.miner] += 1

    def reasons(self) -> list[str]:
        """What each failing miner said or did, once."""
        return list(dict.fromkeys(failure.reason for failure in self.failures))

    def counted(self, segment: int, holders: Collection[bytes]) -> str:
        """How many of a segment's holders failed, and how; the last failure of each counts."""
        last = {each.miner: each for each in self.failures if each.segment == segment}
        failed = [each for miner, each in last.items() if miner in holders]
        away, wrong = sum(each.away for each in failed), sum(each.wrong for each in failed)
        counts = {"gave wrong bytes": wrong, "refused": len(failed) - away - wrong}
        others = "".join(f", {count} {how}" for how, count in counts.items() if count)
        return f"{away} of {len(holders)} holders are away{others}"
