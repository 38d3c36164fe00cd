"""What went wrong during a read and was repaired from other shards: miners are named."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from cybervein_protocol.errors import CyberVeinError, ProofError
from cybervein_protocol.signing import address

from cybervein_client.transport import ShardAt


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFailure:
    """One shard that could not be used. `wrong` means bytes that do not verify."""

    segment: int
    index: int
    miner: bytes
    root: bytes
    wrong: bool
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
                reason=reason,
            )
        )
        self.by_miner[shard.miner] += 1

    def text(self) -> str:
        """The failing miners in one line each reason once."""
        return "; ".join(dict.fromkeys(failure.reason for failure in self.failures))
