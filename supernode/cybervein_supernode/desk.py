"""What every duty works with: the ledger to read, the engine to write, and places to remember."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from cybervein_protocol.names import PublicKey
from cybervein_protocol.presets import Preset
from cybervein_runtime.identity import Identity

from cybervein_supernode.clock.time_source import TimeSource
from cybervein_supernode.engine.solo import SoloEngine
from cybervein_supernode.engine.view import LedgerView
from cybervein_supernode.events import EventHub
from cybervein_supernode.evidence import EvidenceStore
from cybervein_supernode.notebook import Notebook
from cybervein_supernode.tally import Tally

JUDGE_THREADS = 2
T = TypeVar("T")


def _judges() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(JUDGE_THREADS, thread_name_prefix="judge")


@dataclass(frozen=True, slots=True)
class Desk:
    """One super node's common tools."""

    identity: Identity
    view: LedgerView
    engine: SoloEngine
    evidence: EvidenceStore
    notebook: Notebook
    hub: EventHub
    tally: Tally
    time: TimeSource
    judges: ThreadPoolExecutor = field(default_factory=_judges)

    @property
    def preset(self) -> Preset:
        """The network's numbers."""
        return self.view.preset

    @property
    def public(self) -> PublicKey:
        """This super node's key."""
        return self.identity.keys.public

    async def judge(self, call: Callable[[], T]) -> T:
        """Run blocking or heavy work (verification, disk) off the event loop, two at a time."""
        return await asyncio.get_running_loop().run_in_executor(self.judges, call)
