"""Possession audits and bandwidth reads: a super node asks, signed slices answer.

A chunk whose disk is away is not answered with loss: the whole audit is then declined as
unavailable (no pay, no penalty), because the bytes may well be back tomorrow. The same goes for a
disk that does not answer in time: disks are read side by side, and none is waited for without end.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from cybervein_protocol.errors import ProofError, UnavailableError, UnknownError
from cybervein_protocol.messages import AuditAnswer, AuditItem, AuditSlice, sign_audit_answer
from cybervein_protocol.messages.audits import AuditRequest
from cybervein_protocol.signing import KeyPair
from cybervein_protocol.tree import OutboardError
from multiformats import CID

from cybervein_miner.disk.threads import side_by_side
from cybervein_miner.plot.inventory import Inventory
from cybervein_miner.record.tally import Tally
from cybervein_miner.record.tree_file import file_slice, read_outboard
from cybervein_miner.shard.index import ShardState
from cybervein_miner.shard.store import ShardStore

READ_BYTES_MAX: Final = 16 << 20
ANSWER_SECONDS_MAX: Final = 20.0
"""Super nodes wait 30 s for an audit; the rest is for what else it takes."""


class Auditee:
    """Answers audits; the methods block and run in a thread."""

    def __init__(
        self, network: CID, key: KeyPair, store: ShardStore, inventory: Inventory, tally: Tally
    ) -> None:
        self._network, self._key, self._store = network, key, store
        self._inventory, self._tally = inventory, tally

    def answer(self, request: AuditRequest) -> AuditAnswer:
        """The signed answer, in the order of the questions. Raises UnavailableError."""
        answers = self._items(request.items)
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

    def _items(self, items: Sequence[AuditItem]) -> list[AuditSlice]:
        """The answers in order, each disk's in a thread of its own."""
        by_disk: dict[str, list[int]] = {}
        for at, item in enumerate(items):
            row = self._store.index.find(item.root)
            by_disk.setdefault("" if row is None else row.disk, []).append(at)
        work = {
            disk: partial(lambda places: [self._item(items[at]) for at in places], places)
            for disk, places in by_disk.items()
        }
        answers: dict[int, AuditSlice] = {}
        for disk, done in side_by_side(work, ANSWER_SECONDS_MAX, "audit").items():
            if not done.done():
                path = self._store.rack.get(disk).path
                raise UnavailableError(f"disk {path} answers too late; audit again later")
            answers |= zip(by_disk[disk], done.result(), strict=True)
        return [answers[at] for at in range(len(items))]

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
            raise UnavailableError(f"disk {disk.path}: {disk.refusal()}; audit again later")

    def read_plot(self, gamma: bytes, start: int, length: int) -> bytes:
        """A Bao slice of a plot. Raises UnknownError or StorageError."""
        row = self._inventory.find(gamma)
        if row is None:
            raise UnknownError(f"plot {gamma.hex()} is not here")
        disk, path = self._inventory.path(row)
        try:
            with disk.guard(f"read plot {row.number}", file=path):
                data = file_slice(path, read_outboard(path), start, length)
        except FileNotFoundError as error:
            self._inventory.set_bad([row])
            raise UnknownError(
                f"plot {row.number} is lost: {path} is gone; it is retired and made again"
            ) from error
        except OutboardError:
            self._inventory.doubted.add(row.number)
            raise
        self._tally.plot_reads += 1
        self._tally.plot_read_bytes += length
        return data
