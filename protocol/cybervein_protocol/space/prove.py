"""Proof of space (Algorithm 3): answer an epoch's challenge with one row, and check the answer.

A miner reads one row of each plot (`row_quality`) and proves only the smallest (`prove_space`): one
chunk group of 16 KiB and the outboard's path.
"""

from collections.abc import Callable

from cybervein_protocol.errors import ProofError
from cybervein_protocol.native import native
from cybervein_protocol.space.challenges import challenge, quality
from cybervein_protocol.space.messages import SpaceAnswer
from cybervein_protocol.space.openings import Commitment
from cybervein_protocol.space.shape import ROW_BYTES
from cybervein_protocol.tree import slice_of

ReadAt = Callable[[int, int], bytes]
"""(offset, length) -> bytes of the plot file."""


def row_quality(beacon: bytes, plot_id: bytes, b: int, read_at: ReadAt) -> int:
    """The quality of a plot this epoch: one read of 512 bytes."""
    s, row = challenge(beacon, plot_id, 1 << b)
    return quality(s, read_at(row * ROW_BYTES, ROW_BYTES))


def prove_space(
    beacon: bytes, plot_id: bytes, b: int, read_at: ReadAt, outboard: bytes
) -> SpaceAnswer:
    """The answer of one plot, with its slice."""
    _, row = challenge(beacon, plot_id, 1 << b)
    encoded = slice_of(read_at, ROW_BYTES << b, outboard, row * ROW_BYTES, ROW_BYTES)
    x = row_quality(beacon, plot_id, b, read_at)
    return SpaceAnswer(plot_id=plot_id, x=x.to_bytes(8, "big"), slice=encoded)


def verify_space_answer(
    beacon: bytes, plot_id: bytes, gamma: bytes, b: int, answer: SpaceAnswer
) -> int:
    """The proven quality x of a plot. Raises ProofError naming what differs."""
    if answer.plot_id != plot_id:
        raise ProofError(
            f"space answer: for plot {answer.plot_id.hex()[:16]}…, expected {plot_id.hex()[:16]}…"
        )
    x = _proven_quality(beacon, plot_id, gamma, b, answer.slice)
    if answer.quality != x:
        raise ProofError(f"space answer: claims quality {answer.quality}, the row gives {x}")
    return x


def _proven_quality(beacon: bytes, plot_id: bytes, gamma: bytes, b: int, encoded: bytes) -> int:
    """The quality of the row that the slice opens; in native code where it is there."""
    module = native()
    if module is not None:
        try:
            return int(module.open_quality(beacon, plot_id, gamma, b, encoded))
        except ValueError as error:
            raise ProofError(str(error)) from error
    s, row = challenge(beacon, plot_id, 1 << b)
    data = Commitment.of_rows(gamma, b).open(row, encoded, f"space answer, row {row}")
    return quality(s, data)
