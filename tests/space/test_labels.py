"""Labels, rows, columns and seeds against recomputation from the text, byte by byte."""

from collections.abc import Callable

import pytest
from blake3 import blake3
from cybervein_protocol.errors import LimitError, MalformedError
from cybervein_protocol.space import Plot, PlotShape, make_plot, plot_id, plot_seed
from cybervein_protocol.space.graph import parents
from cybervein_protocol.space.labels import from_row, to_row
from cybervein_protocol.space.seed import lane_keys
from hypothesis import given
from hypothesis import strategies as st

KEY = bytes(range(32))


def test_the_seed_binds_key_index_and_shape() -> None:
    base = plot_seed(KEY, 5, 6, 3)
    material = KEY + (5).to_bytes(8, "little") + bytes((6, 3))
    assert base == blake3(material, derive_key_context="cybervein 2026-11 plot seed").digest()
    others = [(KEY[::-1], 5, 6, 3), (KEY, 6, 6, 3), (KEY, 5, 7, 3), (KEY, 5, 6, 4)]
    assert base not in {plot_seed(*other) for other in others}


def test_the_plot_id_binds_seed_and_both_roots() -> None:
    assert (
        plot_id(b"m" * 32, b"k" * 32, b"g" * 32)
        == blake3(b"m" * 32 + b"k" * 32 + b"g" * 32).digest()
    )


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: plot_seed(KEY[:31], 0, 6, 3), MalformedError),
        (lambda: plot_seed(KEY, -1, 6, 3), MalformedError),
        (lambda: plot_seed(KEY, 1 << 63, 6, 3), MalformedError),
        (lambda: PlotShape(3, 1), LimitError),
        (lambda: PlotShape(33, 1), LimitError),
        (lambda: PlotShape(6, 0), LimitError),
        (lambda: PlotShape(6, 65), LimitError),
    ],
)
def test_impossible_plots_are_refused(make: Callable[[], object], error: type[Exception]) -> None:
    with pytest.raises(error, match="expected"):
        make()


@given(st.binary(min_size=512, max_size=512))
def test_a_row_and_its_labels_are_the_same_bytes(row: bytes) -> None:
    labels = from_row(row)
    assert to_row(labels) == row
    assert labels[3][4:8] == row[64 + 12 : 64 + 16]  # word 1 of lane 3


def test_layers_are_made_in_place_in_row_order(shape: PlotShape, plot: Plot) -> None:
    """The text of the labelling, once more and written differently: one lane, bytes, a dict."""
    n, lane, mu = shape.rows, 9, plot_seed(KEY, 5, shape.b, shape.k)
    key = lane_keys(mu)[lane]

    def head(i: int, layer: int) -> bytes:
        return i.to_bytes(8, "little") + layer.to_bytes(4, "little") + b"\0" * 20

    memory = {i: blake3(head(i, 0), key=key).digest() for i in range(n)}
    for layer in range(1, shape.k + 1):
        for i in range(n):
            hasher = blake3(head(i, layer), key=key)
            for source in (i, *parents(i, shape.b), i - 1 if i else n - 1):
                hasher.update(memory[source])
            memory[i] = hasher.digest()
    for i in range(n):
        assert from_row(plot.rows[512 * i : 512 * i + 512])[lane] == memory[i]


def test_column_digests_chain_the_rows_of_all_layers(shape: PlotShape) -> None:
    seen: dict[int, list[bytes]] = {}
    plot = make_plot(
        plot_seed(KEY, 5, shape.b, shape.k),
        shape,
        lambda i, _layer, row: seen.setdefault(i, []).append(row),
    )
    for i, rows in seen.items():
        digest = bytes(32)
        for layer, row in enumerate(rows, start=1):
            head = i.to_bytes(8, "little") + layer.to_bytes(4, "little") + bytes(20)
            digest = blake3(head + digest + row).digest()
        assert plot.columns[32 * i : 32 * i + 32] == digest
    assert plot.kappa == blake3(plot.columns).digest()
    assert plot.gamma == blake3(plot.rows).digest()
