"""The open epoch's moments: one value that the driver moves on and everybody else reads."""

from dataclasses import dataclass

from cybervein_protocol.presets import Preset

from cybervein_supernode.clock.time_source import TimeSource
from cybervein_supernode.clock.timeline import Timeline, begin, resume


@dataclass(frozen=True, slots=True)
class EpochMoments:
    """The open epoch in unix seconds of this machine's clock."""

    now: float
    epoch_began: float
    proof_deadline: float
    epoch_ends: float


class EpochClock:
    """Where the open epoch stands; `results_issued` tells a restart from a beginning."""

    def __init__(
        self, preset: Preset, time: TimeSource, epoch: int, *, results_issued: bool
    ) -> None:
        self._preset = preset
        self._time = time
        self.timeline: Timeline = resume(
            preset, epoch, time.monotonic(), results_issued=results_issued
        )

    def begin(self, epoch: int) -> None:
        """The beacon of `epoch` is known now."""
        self.timeline = begin(self._preset, epoch, self._time.monotonic())

    def in_time(self) -> bool:
        """Whether a space proof of the open epoch that arrives now counts."""
        return self.timeline.open_for_proofs(self._time.monotonic())

    async def until(self, moment: float) -> None:
        """Wait for a monotonic moment."""
        await self._time.sleep(max(0.0, moment - self._time.monotonic()))

    async def pause(self, seconds: float) -> None:
        """Wait that many seconds."""
        await self._time.sleep(seconds)

    def wall_of(self, moment: float) -> float:
        """Unix seconds, as this machine's clock stands now, of a monotonic moment."""
        return self._time.wall() + (moment - self._time.monotonic())

    def moments(self) -> EpochMoments:
        """The open epoch's moments."""
        timeline = self.timeline
        return EpochMoments(
            now=self._time.wall(),
            epoch_began=self.wall_of(timeline.began),
            proof_deadline=self.wall_of(timeline.deadline),
            epoch_ends=self.wall_of(timeline.ends),
        )
