"""One epoch's space proof: read a row of every active plot, prove the smallest qualities.

Disks read side by side, one thread each; plots of a disk one after the other (a seek each). A slice
is verified before it is sent: a rotten plot drops out here and is made again, instead of spoiling
the whole proof.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import structlog
from cybervein_protocol import vrf
from cybervein_protocol.errors import CyberVeinError, ProofError
from cybervein_protocol.messages import SpaceProof, sign_space_proof
from cybervein_protocol.space import (
    ROW_BYTES,
    SpaceAnswer,
    challenge,
    encode_answer,
    quality,
    verify_space_answer,
)
from cybervein_runtime.identity import Identity
from multiformats import CID

from cybervein_miner.disk.disk import Disk
from cybervein_miner.plot.inventory import Inventory, OwnPlot, PlotState
from cybervein_miner.record.tree_file import file_slice, read_outboard

_log = structlog.get_logger()
Quality = tuple[int, OwnPlot]


@dataclass(frozen=True, slots=True)
class Challenge:
    """What an epoch asks: its index and beacon, and how many answers are sent at most (m)."""

    epoch: int
    beacon: bytes
    answers_max: int


class SpaceProver:
    """Proves this miner's space; `prove` blocks and runs in a thread."""

    def __init__(self, network: CID, identity: Identity, inventory: Inventory) -> None:
        self._network, self._identity, self._inventory = network, identity, inventory

    def prove(self, asked: Challenge) -> SpaceProof | None:
        """The signed proof, None without any plot that counts."""
        answers = self._answers(asked)
        if not answers:
            return None
        return sign_space_proof(
            self._identity.keys,
            network=self._network,
            epoch=asked.epoch,
            vrf_proof=vrf.prove(self._identity.vrf_seed, asked.beacon),
            answers=[encode_answer(answer) for answer in answers],
        )

    def counting(self, epoch: int) -> list[OwnPlot]:
        """Plots that count in an epoch."""
        rows = self._inventory.rows(PlotState.ACTIVE)
        return [row for row in rows if row.since_epoch <= epoch]

    def _answers(self, asked: Challenge) -> list[SpaceAnswer]:
        by_disk: dict[str, list[OwnPlot]] = {}
        for row in self.counting(asked.epoch):
            by_disk.setdefault(row.disk, []).append(row)
        if not by_disk:
            return []
        with ThreadPoolExecutor(min(32, len(by_disk)), "prove") as threads:
            parts = threads.map(lambda rows: self._qualities(rows, asked.beacon), by_disk.values())
            found = sorted((q for part in parts for q in part), key=lambda q: q[0])
        return self._smallest(found, asked)

    def _smallest(self, found: Sequence[Quality], asked: Challenge) -> list[SpaceAnswer]:
        """The m smallest that verify; a plot that does not is passed over."""
        answers: list[SpaceAnswer] = []
        for x, row in found:
            if len(answers) == asked.answers_max:
                break
            answer = self._answer(x, row, asked.beacon)
            if answer is not None:
                answers.append(answer)
        return answers

    def _qualities(self, rows: Sequence[OwnPlot], beacon: bytes) -> list[Quality]:
        """One read of 512 bytes for each plot of a disk."""
        found = []
        for row in rows:
            x = self._quality(row, beacon)
            if x is not None:
                found.append((x, row))
        return found

    def _quality(self, row: OwnPlot, beacon: bytes) -> int | None:
        s, place = challenge(beacon, row.plot_id, self._inventory.shape.rows)
        try:
            disk, path = self._inventory.path(row)
            with disk.guard(f"prove plot {row.number}"):
                return quality(s, _read_row(path, place))
        except (FileNotFoundError, ProofError) as error:
            self._bad(row, error)
        except CyberVeinError:
            pass  # its disk is away or errs, which is one event of the disk; it counts again later
        return None

    def _answer(self, x: int, row: OwnPlot, beacon: bytes) -> SpaceAnswer | None:
        shape = self._inventory.shape
        _, place = challenge(beacon, row.plot_id, shape.rows)
        try:
            disk, path = self._inventory.path(row)
            encoded = self._slice(disk, path, row, place)
            answer = SpaceAnswer(plot_id=row.plot_id, x=x.to_bytes(8, "big"), slice=encoded)
            verify_space_answer(beacon, row.plot_id, row.gamma, shape.b, answer)
        except (FileNotFoundError, ProofError) as error:
            self._bad(row, error)
            return None
        except CyberVeinError:
            return None
        return answer

    @staticmethod
    def _slice(disk: Disk, path: Path, row: OwnPlot, place: int) -> bytes:
        with disk.guard(f"prove plot {row.number}"):
            return file_slice(path, read_outboard(path), place * ROW_BYTES, ROW_BYTES)

    def _bad(self, row: OwnPlot, error: Exception) -> None:
        _log.error("plot is bad and will be made again", plot=row.number, error=str(error))
        self._inventory.set_bad([row])


def _read_row(path: Path, place: int) -> bytes:
    handle = os.open(path, os.O_RDONLY)
    try:
        data = os.pread(handle, ROW_BYTES, place * ROW_BYTES)
    finally:
        os.close(handle)
    if len(data) != ROW_BYTES:
        raise ProofError(f"{path}: {len(data)} bytes at row {place}, expected {ROW_BYTES}")
    return data
