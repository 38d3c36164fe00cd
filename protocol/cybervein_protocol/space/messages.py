"""What travels: the claim of a plot, the answer to an epoch's challenge, the proof of a labelling.

| record        | field   | bytes        | meaning                                              |
|---------------|---------|--------------|------------------------------------------------------|
| PlotClaim     | index   | int          | the miner's number of the plot                       |
|               | b, k    | int          | shape: 2^b rows, k layers                            |
|               | kappa   | 32           | column root                                          |
|               | gamma   | 32           | space root = BLAKE3 of the plot file                 |
| SpaceAnswer   | plot_id | 32           | which plot answers                                   |
|               | x       | 8            | quality, big-endian so that bytes sort like numbers  |
|               | slice   | <= 4 KiB     | Bao slice of the challenged row under gamma          |
| ColumnOpening | node    | int          | row index of the column                              |
|               | column  | 512 k        | its rows of layers 1 to k                            |
|               | slice   | <= 4 KiB     | Bao slice of its digest under kappa                  |
| RowOpening    | row     | int          | challenged row                                       |
|               | slice   | <= 4 KiB     | Bao slice of the row under gamma                     |
| CommitProof   | plot_id | 32           | which plot                                           |
|               | columns | list         | ascending by node, each node once                    |
|               | rows    | list         | ascending by row                                     |
"""

from typing import Annotated

import msgspec

from cybervein_protocol.encoding import U8, U32, U63, Bytes32, Record, U64Bytes, decode, encode
from cybervein_protocol.space.seed import plot_id, plot_seed
from cybervein_protocol.space.shape import DEGREE, K_MAX, ROW_BYTES, PlotShape

SLICE_BYTES_MAX = 4096
"""Length header, two chunks of 1 KiB and 31 parents of 64 bytes at most (b = 32)."""
ANSWER_BYTES_MAX = SLICE_BYTES_MAX + 256
_COLUMNS_PER_ROW = DEGREE + 2
_OPENING_OVERHEAD = 128

Slice = Annotated[bytes, msgspec.Meta(max_length=SLICE_BYTES_MAX)]
Column = Annotated[bytes, msgspec.Meta(min_length=ROW_BYTES, max_length=ROW_BYTES * K_MAX)]


class PlotClaim(Record):
    """A registered plot; together with the miner's public key it fixes mu and the plot id."""

    index: U63
    b: U8
    k: U8
    kappa: Bytes32
    gamma: Bytes32

    @property
    def shape(self) -> PlotShape:
        """The plot's shape. Raises LimitError."""
        return PlotShape(self.b, self.k)

    def seed(self, miner_public_key: bytes) -> bytes:
        """Mu under that miner's key."""
        return plot_seed(miner_public_key, self.index, self.b, self.k)

    def plot_id(self, miner_public_key: bytes) -> bytes:
        """The plot's identifier under that miner's key."""
        return plot_id(self.seed(miner_public_key), self.kappa, self.gamma)


class SpaceAnswer(Record):
    """One plot's answer to an epoch's challenge."""

    plot_id: Bytes32
    x: U64Bytes
    slice: Slice

    @property
    def quality(self) -> int:
        """The claimed quality as an integer."""
        return int.from_bytes(self.x, "big")


class ColumnOpening(Record):
    """One node's column, opened under kappa."""

    node: U32
    column: Column
    slice: Slice


class RowOpening(Record):
    """One challenged row, opened under gamma."""

    row: U32
    slice: Slice


class CommitProof(Record):
    """All openings that prove the drawn rows of one plot (Algorithm 2)."""

    plot_id: Bytes32
    columns: list[ColumnOpening]
    rows: list[RowOpening]


def commit_proof_bytes_max(shape: PlotShape, q: int) -> int:
    """No honest proof of q rows is longer."""
    column = shape.column_bytes + SLICE_BYTES_MAX + _OPENING_OVERHEAD
    return q * (_COLUMNS_PER_ROW * column + SLICE_BYTES_MAX + _OPENING_OVERHEAD) + 1024


def encode_answer(answer: SpaceAnswer) -> bytes:
    """Canonical DAG-CBOR."""
    return encode(answer)


def decode_answer(data: bytes) -> SpaceAnswer:
    """Raises MalformedError or LimitError."""
    return decode(data, SpaceAnswer, "space answer", ANSWER_BYTES_MAX)


def encode_commit_proof(proof: CommitProof) -> bytes:
    """Canonical DAG-CBOR."""
    return encode(proof)


def decode_commit_proof(data: bytes, shape: PlotShape, q: int) -> CommitProof:
    """Raises MalformedError or LimitError."""
    return decode(data, CommitProof, "commit proof", commit_proof_bytes_max(shape, q))
