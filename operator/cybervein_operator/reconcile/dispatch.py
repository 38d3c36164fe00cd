"""`reconcile(key)`: one entrance for every kind of work."""

import time

from cybervein_operator.reconcile.miner import MinerWork
from cybervein_operator.reconcile.network import NetworkWork
from cybervein_operator.reconcile.pool import PoolWork
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.world import Key


class Dispatch:
    """Networks, pools and miners."""

    def __init__(self, tools: Tools) -> None:
        self._metrics = tools.metrics
        self._networks, self._pools = NetworkWork(tools), PoolWork(tools)
        self._miners = MinerWork(tools)

    async def close(self) -> None:
        """Close connections."""
        await self._networks.close()

    async def reconcile(self, key: Key) -> float | None:
        """Make one thing so; returns in how many seconds to look again."""
        began = time.monotonic()
        work = {
            "network": self._networks.reconcile,
            "pool": self._pools.reconcile,
            "miner": self._miners.reconcile,
        }[key.what]
        again = await work(key)
        self._metrics.reconciles.labels(key.what, "done").inc()
        self._metrics.reconcile_seconds.labels(key.what).observe(time.monotonic() - began)
        return again
