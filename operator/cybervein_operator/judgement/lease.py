"""Who may act in a namespace: one operator, the holder of its Lease.

As in client-go: no two machines compare their clocks. Each operator notes, by a clock of its own,
when it last saw the record change; a record that has not changed for the holder's own duration is
free. The holder stops acting before that: after two thirds of the duration without a renewal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """Seconds, all of them parts of the duration that the record tells others."""

    duration: int

    @property
    def deadline(self) -> float:
        """Without a renewal for so long, the holder stops acting."""
        return self.duration * 2 / 3

    @property
    def renewal(self) -> float:
        """Between two renewals."""
        return self.duration / 3

    @property
    def look(self) -> float:
        """Between two looks of those who wait."""
        return self.duration / 6


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """What the Lease says. Times are the holder's, and only compared for being equal."""

    holder: str = ""
    duration: int = 0
    renewed: str = ""
    transitions: int = 0


@dataclass(frozen=True, slots=True)
class LeaseSighting:
    """A record, and since when it is seen unchanged (own seconds)."""

    record: LeaseRecord
    since: float


def record_of(lease: Mapping[str, Any]) -> LeaseRecord:
    """The record in a Lease as the API server sends it."""
    spec = lease.get("spec") or {}
    return LeaseRecord(
        holder=str(spec.get("holderIdentity") or ""),
        duration=int(spec.get("leaseDurationSeconds") or 0),
        renewed=str(spec.get("renewTime") or ""),
        transitions=int(spec.get("leaseTransitions") or 0),
    )


def sighted(before: LeaseSighting | None, record: LeaseRecord, now: float) -> LeaseSighting:
    """What is seen now: an unchanged record keeps its age."""
    if before is not None and before.record == record:
        return before
    return LeaseSighting(record, now)


def free(seen: LeaseSighting | None, me: str, now: float) -> bool:
    """Whether `me` may take it: nobody's, its own (an earlier process of the pod), or expired.

    A Lease that is gone counts as the last record of it: its holder may not have noticed.
    """
    if seen is None or seen.record.holder in {"", me}:
        return True
    return now - seen.since > seen.record.duration


def taken(seen: LeaseSighting | None, me: str, times: LeaseTimes, now: str) -> dict[str, Any]:
    """The spec with which `me` takes or renews it; `now` is a time as Kubernetes writes it."""
    spec: dict[str, Any] = {
        "holderIdentity": me,
        "leaseDurationSeconds": times.duration,
        "renewTime": now,
    }
    if seen is None or seen.record.holder != me:
        before = seen.record.transitions if seen else -1
        spec |= {"acquireTime": now, "leaseTransitions": before + 1}
    return spec


def release_of(holder: str) -> str:
    """NAMESPACE/RELEASE of an identity NAMESPACE/RELEASE/POD: replicas have it in common."""
    return holder.rpartition("/")[0]
