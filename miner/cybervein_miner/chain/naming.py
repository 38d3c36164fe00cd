"""Naming this process to the super node, where it is not surely the only one under its key."""

from dataclasses import dataclass
from typing import Final

from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.signing import KeyPair

from cybervein_miner.chain.standing import Standing
from cybervein_miner.chain.super_node import MinersSuperNode

EACH_SECONDS: Final = 60.0


@dataclass(slots=True)
class SelfNaming:
    """Signs with the miner's key; a process that its URL leads to need not say anything."""

    super_node: MinersSuperNode
    key: KeyPair
    standing: Standing
    _told: float | None = None

    async def tell(self) -> None:
        """Once a minute while the URL does not lead here; what fails is told the next time."""
        now = self.standing.reach.clock.monotonic()
        if not self.standing.misled or (self._told is not None and now - self._told < EACH_SECONDS):
            return
        self._told = now
        try:
            await self.super_node.name_own(self.key, self.standing.twin.instance)
        except CyberVeinError:
            self._told = None
