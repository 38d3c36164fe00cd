"""The DAG: nodes by CID, index levels, damage."""

from collections.abc import Sequence

import pytest
from cybervein_protocol import dag
from cybervein_protocol.encoding import cid_root, encode, node_cid
from cybervein_protocol.errors import LimitError, MalformedError
from hypothesis import given
from hypothesis import strategies as st
from multiformats import CID

ROOTS = [bytes([i]) * 32 for i in range(6)]


def segment(salt: int, *, last: bool = False, roots: Sequence[bytes] = ROOTS) -> tuple[CID, bytes]:
    node = dag.segment_node(
        salt=salt.to_bytes(32, "little"), size=65520, chunks=1, k=2, last=last, roots=roots
    )
    data = encode(node)
    return node_cid(data), data


def build(count: int) -> tuple[CID, dag.Nodes, list[CID]]:
    """A file's nodes; one shard in each segment, as the walk reads a link in milliseconds."""
    made = dict(segment(i, last=i == count - 1, roots=ROOTS[:1]) for i in range(count))
    root, nodes = dag.file_nodes(size=count * 65520, k=2, n=6, segments=list(made))
    return root, nodes | made, list(made)


@pytest.mark.parametrize("count", [0, 1, 2, 4096, 4097])
def test_a_file_is_walked_in_order_through_as_many_index_levels_as_needed(count: int) -> None:
    root, nodes, expected = build(count)
    assert [cid for cid, _ in dag.walk_segments(root, nodes.__getitem__)] == expected
    assert len(nodes) == count + 1 + (2 if count > dag.LINKS_MAX else 0)


def test_a_segment_links_its_shards_by_their_blake3_roots() -> None:
    cid, data = segment(0, last=True)
    root, nodes = dag.file_nodes(size=65520, k=2, n=6, segments=[cid])
    [(_, node)] = dag.walk_segments(root, (nodes | {cid: data}).__getitem__)
    assert [cid_root(cid) for cid in node.shards] == ROOTS
    assert (node.k, node.n, node.last) == (2, 6, True)


@given(position=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_a_damaged_node_is_never_returned(position: int, flip: int) -> None:
    cid, data = segment(1)
    damaged = bytearray(data)
    damaged[position % len(data)] ^= flip
    with pytest.raises(MalformedError):
        dag.decode_dag_node(bytes(damaged), cid)


@pytest.mark.parametrize("node", [{"type": "other"}, [1], {"type": "file", "v": 2}])
def test_a_node_of_another_kind_is_refused(node: object) -> None:
    data = encode(node)
    with pytest.raises(MalformedError):
        dag.decode_dag_node(data, node_cid(data))


def test_a_file_cannot_contain_a_file() -> None:
    inner, nodes = dag.file_nodes(size=0, k=2, n=6, segments=[])
    outer, more = dag.file_nodes(size=0, k=2, n=6, segments=[inner])
    with pytest.raises(MalformedError, match="file inside a file"):
        list(dag.walk_segments(outer, (nodes | more).__getitem__))


def test_index_nodes_nested_without_end_are_refused() -> None:
    cid, data = segment(0)
    nodes = {cid: data}
    for _ in range(6):
        data = encode(dag.IndexNode(v=1, type="index", nodes=[cid]))
        cid = node_cid(data)
        nodes[cid] = data
    root, more = dag.file_nodes(size=1, k=2, n=6, segments=[cid])
    with pytest.raises(LimitError):
        list(dag.walk_segments(root, (nodes | more).__getitem__))
