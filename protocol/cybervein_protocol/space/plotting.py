"""Making a plot: the labelling of the whole graph, layer by layer, in place.

Parents are read as memory stands: a parent below i gives its label of this layer, one above i, or
i itself, that of the layer before. That is the localization of the expander, and it means that
memory for one layer is enough.

This is the specification: it does about a hundred rows a second and layer. Real plots are made by
the native plotter, whose bytes are the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

from blake3 import blake3

from cybervein_protocol.space.columns import EMPTY_DIGEST, extend_digest
from cybervein_protocol.space.graph import chain_parent, parents
from cybervein_protocol.space.labels import Labels, first_labels, next_labels, to_row
from cybervein_protocol.space.seed import lane_keys
from cybervein_protocol.space.shape import PlotShape

Observer = Callable[[int, int, bytes], None]
"""Called with (i, layer, row bytes) for each row of layers 1 to k, in order."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A finished labelling: the plot file's bytes and the column file's."""

    rows: bytes
    columns: bytes

    @property
    def gamma(self) -> bytes:
        """The space root."""
        return blake3(self.rows).digest()

    @property
    def kappa(self) -> bytes:
        """The column root."""
        return blake3(self.columns).digest()


def _ignore(_i: int, _layer: int, _row: bytes) -> None:
    """The observer of a plot that nobody opens."""


def make_plot(mu: bytes, shape: PlotShape, observe: Observer = _ignore) -> Plot:
    """Label the graph of `shape` under the seed mu, calling `observe` for each row made."""
    keys = lane_keys(mu)
    memory = [first_labels(keys, i) for i in range(shape.rows)]
    digests = [EMPTY_DIGEST] * shape.rows
    for layer in range(1, shape.k + 1):
        for i in range(shape.rows):
            memory[i] = next_labels(keys, i, layer, _inputs(memory, i, shape.b))
            row = to_row(memory[i])
            digests[i] = extend_digest(digests[i], i, layer, row)
            observe(i, layer, row)
    return Plot(b"".join(map(to_row, memory)), b"".join(digests))


def _inputs(memory: list[Labels], i: int, b: int) -> list[Labels]:
    """The nine rows that row i is hashed from, as memory stands."""
    return [memory[i], *(memory[p] for p in parents(i, b)), memory[chain_parent(i, b)]]
