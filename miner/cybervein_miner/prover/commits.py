"""Answers to commit audits: replay the drawn plots of a batch and open what was drawn.

Whatever else happens, a batch is answered with the beacon of the epoch after its registration, and
its proofs are made one plot at a time: replay takes the memory of a plot in the making.
"""

import asyncio
import threading
from dataclasses import dataclass, field

import structlog
from cybervein_protocol.api.super_node.miners import BatchDocument
from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.encoding import cid_root, parse_cid
from cybervein_protocol.errors import ConflictError, CyberVeinError, UnavailableError
from cybervein_protocol.messages import CommitResponse, sign_commit_response
from cybervein_protocol.presets import Preset
from cybervein_protocol.signing import KeyPair
from cybervein_protocol.space import (
    PlotClaim,
    draw_commit_challenges,
    encode_commit_proof,
    prove_commit,
)
from multiformats import CID

from cybervein_miner.chain.super_node import MinersSuperNode, beacon_of
from cybervein_miner.plot.batches import Batch, Batches
from cybervein_miner.plot.making import StoppedError
from cybervein_miner.record.tally import Tally

_log = structlog.get_logger()


@dataclass(kw_only=True, eq=False)
class CommitProver:
    """Answers the commit audits of this miner's batches."""

    network: CID
    key: KeyPair
    preset: Preset
    batches: Batches
    super_node: MinersSuperNode
    tally: Tally
    _stop: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Abandon a replay; the batch is answered after the next start."""
        self._stop.set()

    async def answer(self, view: BatchDocument, now: NetworkDocument) -> None:
        """Replay and post; a super node that is away is asked again in the next round."""
        drawn_in = view.registered + 1
        if now.epoch < drawn_in:
            return
        beacon = (
            beacon_of(now.beacon)
            if now.epoch == drawn_in
            else await self.super_node.beacon(drawn_in)
        )
        batch = self.batches.batch(cid_root(parse_cid(view.batch, "batch")))
        try:
            response = await asyncio.to_thread(self.respond, batch, drawn_in, beacon)
            judged = await self.super_node.send_commit_response(response)
        except (StoppedError, UnavailableError):
            return
        except ConflictError as error:
            _log.info("commit response was not needed", batch=view.batch, error=str(error))
            return
        except CyberVeinError as error:
            self._refused(view, str(error))
            return
        if judged.accepted:
            self.tally.commits_accepted += 1
        else:
            self._refused(view, judged.reason)

    def _refused(self, view: BatchDocument, reason: str) -> None:
        self.tally.commits_refused += 1
        _log.error("commit response was refused", batch=view.batch, reason=reason)

    def respond(self, batch: Batch, epoch: int, beacon: bytes) -> CommitResponse:
        """The signed response (blocks: tens of seconds for each plot of `main`)."""
        preset = self.preset
        claims = [self._claim(entry.index, entry.kappa, entry.gamma) for entry in batch.plots]
        drawn = draw_commit_challenges(
            beacon,
            cid_root(batch.id),
            [claim.plot_id(self.key.public) for claim in claims],
            max_plots=preset.commit_plots_drawn,
            q=preset.commit_rows_drawn,
            n=1 << preset.plot_rows_log2,
        )
        proofs = [
            encode_commit_proof(prove_commit(self.key.public, claims[at], rows, self._watch))
            for at, rows in drawn
        ]
        return sign_commit_response(
            self.key, network=self.network, batch=batch.id, epoch=epoch, proofs=proofs
        )

    def _claim(self, index: int, kappa: bytes, gamma: bytes) -> PlotClaim:
        b, k = self.preset.plot_rows_log2, self.preset.plot_layers
        return PlotClaim(index=index, b=b, k=k, kappa=kappa, gamma=gamma)

    def _watch(self, _done: int, _total: int) -> None:
        if self._stop.is_set():
            raise StoppedError
