"""Epochs by virtual time: the proof window, restarts, wall clocks that jump, steps that fail."""

import asyncio

from cybervein_protocol.errors import UnavailableError
from cybervein_protocol.presets import LOCAL
from cybervein_supernode.clock.driver import EpochDriver, EpochDuty, Step
from cybervein_supernode.clock.epoch_clock import EpochClock
from cybervein_supernode.clock.timeline import Timeline, begin, resume


class VirtualTime:
    """Monotonic time moves only by sleeping; the wall clock is somebody's to move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.offset = 1_800_000_000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now + self.offset

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now += seconds


class Ledger:
    """Epochs that close when told to; stops the driver after some."""

    def __init__(self, time: VirtualTime, epochs: int, *, failures: int = 0) -> None:
        self.time, self.last, self.failures = time, epochs, failures
        self.epoch, self.issued = 0, False
        self.closed_at: list[float] = []

    def open_epoch(self) -> int:
        return self.epoch

    def results_issued(self, epoch: int) -> bool:
        return self.issued and epoch == self.epoch

    async def close_epoch(self, epoch: int) -> None:
        assert epoch == self.epoch
        if self.failures:
            self.failures -= 1
            raise UnavailableError("disk is full")
        self.closed_at.append(self.time.now)
        self.epoch += 1
        if self.epoch == self.last:
            raise asyncio.CancelledError


async def nothing(timeline: Timeline) -> None:
    del timeline


async def drive(
    time: VirtualTime, ledger: Ledger, *duties: Step, after: Step = nothing
) -> EpochClock:
    issued = ledger.results_issued(ledger.open_epoch())
    clock = EpochClock(LOCAL, time, ledger.open_epoch(), results_issued=issued)
    named = [EpochDuty(duty.__qualname__, duty) for duty in duties]
    driver = EpochDriver(clock, ledger, after, named)
    await asyncio.gather(driver.run(), return_exceptions=True)
    return clock


def test_a_proof_is_in_time_until_the_deadline() -> None:
    timeline = begin(LOCAL, 3, 100.0)
    assert timeline.open_for_proofs(100.0)
    assert timeline.open_for_proofs(105.999)
    assert not timeline.open_for_proofs(106.0)
    assert timeline.ends == 120.0


def test_a_restart_before_the_results_gives_a_whole_proof_window_again() -> None:
    assert resume(LOCAL, 3, 500.0, results_issued=False) == begin(LOCAL, 3, 500.0)


def test_a_restart_after_the_results_only_lives_the_rest_of_the_epoch() -> None:
    timeline = resume(LOCAL, 3, 500.0, results_issued=True)
    assert not timeline.open_for_proofs(500.0)
    assert timeline.ends == 514.0


async def test_every_epoch_has_its_length_and_its_results_come_before_its_end() -> None:
    time = VirtualTime()
    ledger = Ledger(time, epochs=3)
    results: list[tuple[int, float]] = []

    async def after_deadline(timeline: Timeline) -> None:
        results.append((timeline.epoch, time.now))

    await drive(time, ledger, after=after_deadline)
    assert [round(at - 1000) for at in ledger.closed_at] == [20, 40, 60]
    assert [(epoch, round(at - 1000)) for epoch, at in results] == [(0, 6), (1, 26), (2, 46)]


async def test_a_wall_clock_that_jumps_moves_what_is_printed_and_no_epoch() -> None:
    time = VirtualTime()
    ledger = Ledger(time, epochs=3)

    async def jump(timeline: Timeline) -> None:
        time.offset += (-1) ** timeline.epoch * 86_400

    clock = await drive(time, ledger, jump)
    assert [round(at - 1000) for at in ledger.closed_at] == [20, 40, 60]
    printed = clock.wall_of(clock.timeline.ends)
    assert round(printed - clock.timeline.ends - time.offset, 6) == 0


async def test_a_step_that_fails_is_tried_until_it_works_and_no_epoch_is_lost() -> None:
    time = VirtualTime()
    ledger = Ledger(time, epochs=2, failures=5)
    await drive(time, ledger)
    assert len(ledger.closed_at) == 2
    assert 20 < ledger.closed_at[0] - 1000 < 25


async def test_a_duty_that_fails_or_hangs_does_not_hold_the_epoch_up() -> None:
    time = VirtualTime()
    ledger = Ledger(time, epochs=2)
    cancelled: list[int] = []

    async def broken(timeline: Timeline) -> None:
        raise RuntimeError(f"bug in epoch {timeline.epoch}")

    async def hanging(timeline: Timeline) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(timeline.epoch)

    await drive(time, ledger, broken, hanging)
    assert [round(at - 1000) for at in ledger.closed_at] == [20, 40]
    assert cancelled == [0, 1]
