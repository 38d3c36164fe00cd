"""What every duty works with: the ledger to read, the engine to write, and places to remember."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from cybervein_protocol.names import PublicKey
from cybervein_protocol.presets import Preset
from cybervein_runtime.identity import Identity

from cybervein_supernode.chain.view import LedgerView
from cybervein_supernode.clock.time_source import TimeSource
from cybervein_supernode.desk.events import EventHub
from cybervein_supernode.desk.notebook import Notebook
from cybervein_supernode.desk.tally import DutyTally
from cybervein_supernode.engine.port import Engine
from cybervein_supernode.verify.evidence import EvidenceStore

JUDGE_THREADS = 2
T = TypeVar("T")


def _judges() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(JUDGE_THREADS, thread_name_prefix="judge")


@dataclass(frozen=True, slots=True)
class Desk:
    """One super node's common tools."""

    identity: Identity
    view: LedgerView
    engine: Engine
    evidence: EvidenceStore
    notebook: Notebook
    hub: EventHub
    tally: DutyTally
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
