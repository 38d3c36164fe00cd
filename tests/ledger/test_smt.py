"""The tree over the rows: its root is a function of the rows, its proofs hold, nothing leaks."""

import pytest
from blake3 import blake3
from cybervein_protocol.errors import ProofError, StorageError
from cybervein_protocol.ledger.state import smt
from hypothesis import given
from hypothesis import strategies as st

KEYS = st.integers(0, 40).map(lambda number: b"row/%d" % number)
BATCH = st.dictionaries(KEYS, st.none() | st.binary(max_size=8), max_size=12)
BATCHES = st.lists(BATCH, max_size=8)
Rows = dict[bytes, bytes]
Batch = dict[bytes, bytes | None]


def naive_root(rows: Rows) -> bytes:
    """The definition, top down over all leaves, with no storage and no history."""
    leaves = {blake3(key).digest(): blake3(row).digest() for key, row in rows.items()}

    def subtree(keys: list[bytes], depth: int) -> bytes:
        if not keys:
            return bytes(32)
        if len(keys) == 1:
            return blake3(b"\x00" + keys[0] + leaves[keys[0]]).digest()
        bits = [format(int.from_bytes(key, "big"), "0256b")[depth] for key in keys]
        left = [key for key, bit in zip(keys, bits, strict=True) if bit == "0"]
        right = [key for key, bit in zip(keys, bits, strict=True) if bit == "1"]
        return blake3(b"\x01" + subtree(left, depth + 1) + subtree(right, depth + 1)).digest()

    return subtree(sorted(leaves), 0)


def apply(model: Rows, batch: Batch) -> None:
    for key, row in batch.items():
        if row is None:
            model.pop(key, None)
        else:
            model[key] = row


def grow(
    batches: list[Batch],
) -> tuple[bytes, dict[bytes, bytes], dict[bytes, bytes]]:
    """(root, stored nodes, rows) after the batches."""
    root = smt.EMPTY
    nodes: Rows = {}
    model: Rows = {}
    for batch in batches:
        change = smt.update(root, batch, nodes.get)
        apply(nodes, change.nodes())
        apply(model, batch)
        root = change.root
    return root, nodes, model


@given(BATCHES)
def test_the_root_follows_a_plain_dict(batches: list[Batch]) -> None:
    root, _, model = grow(batches)
    assert root == naive_root(model)
    assert root == smt.root_of(model.items())


@given(BATCHES)
def test_only_reachable_nodes_are_kept(batches: list[Batch]) -> None:
    root, nodes, model = grow(batches)
    assert set(nodes) == set(smt.update(smt.EMPTY, dict(model), lambda _: None).nodes())
    assert (root in nodes) == bool(model)


@given(BATCHES, KEYS, st.binary(max_size=8))
def test_presence_and_absence_are_proved(batches: list[Batch], key: bytes, wrong: bytes) -> None:
    root, nodes, model = grow(batches)
    proof = smt.prove(root, key, nodes.get)
    smt.verify(root, key, model.get(key), proof)
    lies = [row for row in (wrong, None) if row != model.get(key)]
    for lie in lies:
        with pytest.raises(ProofError):
            smt.verify(root, key, lie, proof)


def test_a_proof_of_another_row_is_refused() -> None:
    root, nodes, _ = grow([{b"a": b"1", b"b": b"2", b"c": b"3"}])
    with pytest.raises(ProofError, match="leads to root"):
        smt.verify(root, b"b", b"1", smt.prove(root, b"a", nodes.get))


def test_the_row_itself_is_no_proof_of_its_absence() -> None:
    root, nodes, _ = grow([{b"a": b"1"}])
    forged = smt.MembershipProof(siblings=[], other=nodes[root])
    with pytest.raises(ProofError, match="absence proof"):
        smt.verify(root, b"a", None, forged)


def test_one_change_among_many_touches_one_path() -> None:
    rows: Batch = {b"row/%d" % i: b"x" for i in range(4096)}
    root, nodes, _ = grow([rows])
    change = smt.update(root, {b"row/7": b"y"}, nodes.get)
    assert len(change.added) < 30
    assert len(change.added) == len(change.removed)


def test_a_damaged_node_is_named() -> None:
    root, nodes, _ = grow([{b"a": b"1", b"b": b"2"}])
    nodes[root] = b"\x01" + bytes(64)
    with pytest.raises(StorageError, match="missing or damaged; replay the chain"):
        smt.update(root, {b"a": b"2"}, nodes.get)
