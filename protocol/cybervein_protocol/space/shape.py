"""The shape of a plot: how many rows, how many layers, and what bytes follow from that.

A plot is one space unit of n = 2^b rows. A row is 16 labels of 32 bytes, which is 512 bytes, one
disk sector. The labels of a row stand in 16 lanes that share the graph but not the key.
"""

from dataclasses import dataclass

from cybervein_protocol.errors import LimitError

LANES = 16
LABEL_BYTES = 32
ROW_BYTES = LANES * LABEL_BYTES
DIGEST_BYTES = 32
DEGREE = 7
"""Parents of a row in the layer below, besides the row itself and its chain neighbour."""

B_MIN, B_MAX = 4, 32
K_MIN, K_MAX = 1, 64


@dataclass(frozen=True, slots=True)
class PlotShape:
    """b = log2 of the rows, k = layers above layer 0. Raises LimitError out of bounds."""

    b: int
    k: int

    def __post_init__(self) -> None:
        if not B_MIN <= self.b <= B_MAX:
            raise LimitError(f"plot shape: b = {self.b}, expected {B_MIN} to {B_MAX}")
        if not K_MIN <= self.k <= K_MAX:
            raise LimitError(f"plot shape: k = {self.k}, expected {K_MIN} to {K_MAX}")

    @property
    def rows(self) -> int:
        """N, the number of rows."""
        return 1 << self.b

    @property
    def plot_bytes(self) -> int:
        """Size of the plot file."""
        return ROW_BYTES << self.b

    @property
    def column_bytes(self) -> int:
        """Size of one opened column: a node's rows of layers 1 to k."""
        return ROW_BYTES * self.k
