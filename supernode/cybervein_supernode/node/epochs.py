"""Closing an epoch: the beacon's proof, `epoch.close`, and what may be forgotten then."""

from cybervein_protocol.ledger.epochs.beacon import prove_beacon
from cybervein_protocol.ledger.epochs.closing import EpochClose

from cybervein_supernode.desk.desk import Desk


class OpenEpochs:
    """The ledger as the driver of epochs knows it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def open_epoch(self) -> int:
        """Index of the open epoch."""
        return self._desk.view.head().epoch

    async def close_epoch(self, epoch: int) -> None:
        """Issue `epoch.close` unless it is there already (a retry after a failure)."""
        desk = self._desk
        head = desk.view.head()
        if head.epoch != epoch:
            return
        seed = desk.identity.vrf_seed
        proof = await desk.judge(lambda: prove_beacon(seed, head.beacon, epoch))
        await desk.engine.issue(EpochClose(epoch=epoch, vrf_proof=proof))
        await desk.judge(lambda: desk.evidence.prune(epoch))
        desk.notebook.prune(epoch, desk.preset.deal_open_epochs)
