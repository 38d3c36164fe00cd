"""One epoch's space proof: read a row of every active plot, prove the smallest qualities.

Disks read side by side, a thread each; plots of a disk one after the other (a seek each). A slice
is verified before it is sent: a rotten plot drops out here and is made again, instead of spoiling
the whole proof.

No disk is waited for beyond its share of the time until the proof must go. What is there then is
sent, and the late disk is named; while its read has not come back, later epochs ask it nothing. The
ledger counts what was sent: fewer answers, or the smallest of fewer plots, lower the estimate by
the share of the plots that were left out, and by nothing else.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from cybervein_protocol import vrf
from cybervein_protocol.messages import SpaceProof, sign_space_proof
from cybervein_protocol.space import SpaceAnswer, encode_answer
from cybervein_runtime.identity import Identity
from multiformats import CID

from cybervein_miner.disk.late import LateWatch
from cybervein_miner.disk.threads import Lanes, seconds_until
from cybervein_miner.plot.inventory import Inventory, OwnPlot, PlotState
from cybervein_miner.prover.reading import DiskReading, PlotReader, Quality

SECONDS_MAX: Final = 60.0
_ROWS_SHARE: Final = 0.6  # of the time: then no further row is read
_GRACE_SHARE: Final = 0.7  # a read that is under way then has until here
_SLICES_SHARE: Final = 0.5  # of what is left, for one round of slices: another disk may replace one


@dataclass(frozen=True, slots=True)
class Challenge:
    """What an epoch asks: its index and beacon, and how many answers are sent at most (m).

    `seconds` is how long reading may take, so that the proof goes before its deadline.
    """

    epoch: int
    beacon: bytes
    answers_max: int
    seconds: float = SECONDS_MAX


class SpaceProver:
    """Proves this miner's space; `prove` blocks and runs in a thread."""

    def __init__(
        self,
        network: CID,
        identity: Identity,
        inventory: Inventory,
        late: LateWatch | None = None,
    ) -> None:
        self._network, self._identity, self._inventory = network, identity, inventory
        self._late = late or LateWatch(inventory.rack)
        self._lanes = Lanes("prove")

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
        began = time.monotonic()
        readings = self._read_rows(asked, began)
        self._name_late(readings, asked.epoch)
        there = [each for disk, each in readings.items() if not self._lanes.busy(disk)]
        found = sorted((q for each in there for q in each.found), key=lambda q: q[0])
        return self._smallest(found, asked, began + asked.seconds)

    def _read_rows(self, asked: Challenge, began: float) -> Mapping[str, DiskReading]:
        """By disk, what was read in time."""
        by_disk: dict[str, list[OwnPlot]] = {}
        for row in self.counting(asked.epoch):
            by_disk.setdefault(row.disk, []).append(row)
        readings = {disk: DiskReading(rows) for disk, rows in by_disk.items()}
        reader = PlotReader(self._inventory, asked.beacon)
        until = began + asked.seconds * _ROWS_SHARE
        work = {
            disk: partial(reader.qualities, reading, until) for disk, reading in readings.items()
        }
        self._lanes.run(work, asked.seconds * _GRACE_SHARE)
        return readings

    def _name_late(self, readings: Mapping[str, DiskReading], epoch: int) -> None:
        for disk in self._inventory.rack.disks:
            reading = readings.get(disk.id)
            disk.late = (
                f"{reading.left} of {len(reading.rows)} plots were not read in time for the proof "
                f"of epoch {epoch}"
                if reading is not None and reading.left
                else ""
            )
        self._late.look()

    def _smallest(
        self, found: Sequence[Quality], asked: Challenge, until: float
    ) -> list[SpaceAnswer]:
        """The m smallest that verify in time; a plot that does not is passed over."""
        reader = PlotReader(self._inventory, asked.beacon)
        answers: list[SpaceAnswer] = []
        at = 0
        while at < len(found) and len(answers) < asked.answers_max and seconds_until(until):
            more = found[at : at + asked.answers_max - len(answers)]
            at += len(more)
            answers += self._slices(reader, more, seconds_until(until) * _SLICES_SHARE)
        return sorted(answers, key=lambda answer: answer.x)

    def _slices(
        self, reader: PlotReader, found: Sequence[Quality], seconds: float
    ) -> list[SpaceAnswer]:
        """Slices of these plots, disks side by side."""
        until = time.monotonic() + seconds
        by_disk: dict[str, list[Quality]] = {}
        for each in found:
            by_disk.setdefault(each[1].disk, []).append(each)
        parts: dict[str, list[SpaceAnswer]] = {disk: [] for disk in by_disk}
        work = {
            disk: partial(reader.answers, rows, parts[disk], until)
            for disk, rows in by_disk.items()
        }
        self._lanes.run(work, seconds)
        return [answer for part in parts.values() for answer in tuple(part)]
