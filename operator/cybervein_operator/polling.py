"""What a poll of a miner changes: its report in the world, and whoever must hear of it."""

import time
from collections.abc import Callable

from cybervein_protocol.errors import CyberVeinError

from cybervein_operator.metrics import Metrics
from cybervein_operator.miners.client import MinerClient
from cybervein_operator.miners.report import Poll, Report
from cybervein_operator.world import Key, Name, World, miner_key, pool_key

_POOL_DELAY_SECONDS = 1.0


class MinerPolls:
    """Asks one miner and notes what is new."""

    def __init__(
        self,
        world: World,
        miners: MinerClient,
        metrics: Metrics,
        add: Callable[[Key, float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world, self._miners, self._metrics = world, miners, metrics
        self._add, self._clock = add, clock

    async def poll(self, name: Name) -> bool:
        """Ask the miner; whether what its disks hold has changed, so that more is to come."""
        before, began = self._world.polls.get(name), self._clock()
        try:
            report: Report | None = await self._miners.status(*name)
            error = ""
        except CyberVeinError as failure:
            report, error = None, str(failure)
        self._metrics.polls.labels("answered" if report else "failed").inc()
        if report is not None:
            self._metrics.poll_seconds.observe(self._clock() - began)
        failures = 0 if report else (before.failures if before else 0) + 1
        kept = report or (before.report if before else None)
        after = Poll(self._clock(), kept, error, failures)
        self._world.polls[name] = after
        if before is None or _news(before, after):
            self._tell(name)
        return before is not None and before.report is not None and _moved(before.report, kept)

    def _tell(self, name: Name) -> None:
        pool, _, ordinal = name[1].rpartition("-")
        self._add(pool_key(name[0], pool), _POOL_DELAY_SECONDS)
        self._add(miner_key(name[0], pool, int(ordinal)), 0.0)


def _moved(before: Report, after: Report | None) -> bool:
    return after is not None and before.held() != after.held()


def _news(before: Poll, after: Poll) -> bool:
    """Whether anything differs that a decision or a status shows."""
    if before.report != after.report:
        return True
    return (before.failures > 1) != (after.failures > 1) or bool(before.error) != bool(after.error)
