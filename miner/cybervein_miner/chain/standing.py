"""How this miner stands with the ledger, as it last heard; the ledger's loop writes it."""

from dataclasses import dataclass

from cybervein_protocol.api.super_node.miners import FullMinerDocument


@dataclass(slots=True)
class Standing:
    """`problem` is why the last round failed; counts are None until the ledger was heard.

    `unknown`: the ledger was asked and does not know this miner.
    """

    url: str = ""
    payout: str = ""
    group: str = ""
    owner: str = ""
    registered: bool = False
    unknown: bool = False
    problem: str = ""
    draining: bool = False
    held_shards: int | None = None
    plots_live: int | None = None
    remaining: int | None = None
    promised: int | None = None
    blocked_by: str = ""
    last_proof_epoch: int | None = None

    def see(self, view: FullMinerDocument | None) -> None:
        """Take over what the ledger says of this miner."""
        self.registered, self.unknown = view is not None, view is None
        self.problem = ""
        if view is None:
            self.draining, self.blocked_by = False, ""
            self.held_shards = self.plots_live = self.remaining = self.promised = 0
            return
        self.draining, self.held_shards = view.draining, view.held_shards
        self.plots_live = view.plots
        self.remaining, self.blocked_by = view.drain.remaining, view.drain.blocked_by
        self.promised = view.drain.promised or 0
        self.last_proof_epoch = view.last_proof_epoch
