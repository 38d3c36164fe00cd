"""Possession audits and bandwidth reads: a super node asks, signed slices answer.

A chunk whose disk is away is not answered with loss: the whole audit is then declined as
unavailable (no pay, no penalty), because the bytes may well be back tomorrow.
"""

from typing import Final

from cybervein_protocol.errors import ProofError, UnavailableError, UnknownError
from cybervein_protocol.messages import AuditAnswer, AuditItem, AuditSlice, sign_audit_answer
from cybervein_protocol.messages.audits import AuditRequest
from cybervein_protocol.signing import KeyPair
from multiformats import CID

from cybervein_miner.plot.inventory import Inventory
from cybervein_miner.record.tally import Tally
from cybervein_miner.record.tree_file import file_slice, read_outboard
from cybervein_miner.shard.index import ShardState
from cybervein_miner.shard.store import ShardStore

READ_BYTES_MAX: Final = 16 << 20


class Auditee:
    """Answers audits; the methods block and run in a thread."""

    def __init__(
        self, network: CID, key: KeyPair, store: ShardStore, inventory: Inventory, tally: Tally
    ) -> None:
        self._network, self._key, self._store = network, key, store
        self._inventory, self._tally = inventory, tally

    def answer(self, request: AuditRequest) -> AuditAnswer:
        """The signed answer, in the order of the questions. Raises UnavailableError."""
        answers = [self._item(item) for item in request.items]
        self._tally.audits += 1
        self._tally.audit_chunks += len(answers)
        self._tally.audit_chunks_lost += sum(answer.slice is None for answer in answers)
        return sign_audit_answer(
            self._key,
            network=self._network,
            epoch=request.epoch,
            holding=request.holding,
            answers=answers,
        )

    def _item(self, item: AuditItem) -> AuditSlice:
        row = self._store.index.find(item.root)
        data = None
        if row is not None and row.state is ShardState.HELD and item.chunk * 1024 <= row.size:
            self._require_disk(row.disk)
            try:
                data = self._store.reader.proven_slice(row, item.chunk)
            except (ProofError, UnknownError):
                data = None  # rotten or gone: the store has marked it
        return AuditSlice(root=item.root, chunk=item.chunk, slice=data)

    def _require_disk(self, disk_id: str) -> None:
        disk = self._store.rack.get(disk_id)
        if not disk.here():
            raise UnavailableError(f"disk {disk.path} is {disk.state.value}; audit again later")

    def read_plot(self, gamma: bytes, start: int, length: int) -> bytes:
        """A Bao slice of a plot. Raises UnknownError or StorageError."""
        row = self._inventory.find(gamma)
        if row is None:
            raise UnknownError(f"plot {gamma.hex()} is not here")
        disk, path = self._inventory.path(row)
        try:
            with disk.guard(f"read plot {row.number}"):
                data = file_slice(path, read_outboard(path), start, length)
        except FileNotFoundError as error:
            self._inventory.set_bad([row])
            raise UnknownError(
                f"plot {row.number} is lost: {path} is gone; it is retired and made again"
            ) from error
        self._tally.plot_reads += 1
        self._tally.plot_read_bytes += length
        return data
