"""The content DAG: file node, index nodes, segment nodes, raw shards (docs/wire.md 4).

Nodes are immutable and linked by CID. Who holds a shard is a ledger row, so a repair moves the row
and never changes a CID. Lists above `LINKS_MAX` go through index nodes, as many levels as needed.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from multiformats import CID

from cybervein_protocol.encoding import (
    U8,
    U32,
    U63,
    Bytes32,
    Record,
    data_cid,
    decode_node,
    encode,
    from_map,
    node_cid,
)
from cybervein_protocol.errors import LimitError, MalformedError

LINKS_MAX: Final = 4096
NODE_BYTES_MAX: Final = 512 * 1024
_DEPTH_MAX: Final = 4

Links = Annotated[list[CID], msgspec.Meta(max_length=LINKS_MAX)]
Nodes = dict[CID, bytes]
"""Encoded nodes by CID."""


class FileNode(Record):
    """A file: its size in bytes, its code (k of n), and its segments or index nodes, in order."""

    v: Literal[1]
    type: Literal["file"]
    size: U63
    k: U8
    n: U8
    segments: Links


class SegmentNode(Record):
    """A segment: salt of its keys, plaintext bytes, chunks, code, and the shards' raw CIDs."""

    v: Literal[1]
    type: Literal["segment"]
    salt: Bytes32
    size: U63
    chunks: U32
    k: U8
    n: U8
    last: bool
    shards: Annotated[list[CID], msgspec.Meta(min_length=1, max_length=255)]


class IndexNode(Record):
    """A level of indirection for files of more than `LINKS_MAX` segments."""

    v: Literal[1]
    type: Literal["index"]
    nodes: Links


Node = FileNode | SegmentNode | IndexNode
_KINDS: Final[dict[str, type[FileNode | SegmentNode | IndexNode]]] = {
    "file": FileNode,
    "segment": SegmentNode,
    "index": IndexNode,
}


def segment_node(  # noqa: PLR0913 -- a node's fields, by name
    *, salt: bytes, size: int, chunks: int, k: int, last: bool, roots: Sequence[bytes]
) -> SegmentNode:
    """The node of a segment whose masked shards have these BLAKE3 roots, index 0..n-1."""
    return SegmentNode(
        v=1,
        type="segment",
        salt=salt,
        size=size,
        chunks=chunks,
        k=k,
        n=len(roots),
        last=last,
        shards=[data_cid(root) for root in roots],
    )


def file_nodes(*, size: int, k: int, n: int, segments: Sequence[CID]) -> tuple[CID, Nodes]:
    """CID of the file and the encoded file and index nodes (segment nodes are the caller's)."""
    nodes: Nodes = {}
    links = list(segments)
    while len(links) > LINKS_MAX:
        groups = (links[i : i + LINKS_MAX] for i in range(0, len(links), LINKS_MAX))
        links = [_add(nodes, IndexNode(v=1, type="index", nodes=group)) for group in groups]
    root = _add(nodes, FileNode(v=1, type="file", size=size, k=k, n=n, segments=links))
    return root, nodes


def _add(nodes: Nodes, node: Node) -> CID:
    data = encode(node)
    cid = node_cid(data)
    nodes[cid] = data
    return cid


def decode_dag_node(data: bytes, cid: CID) -> Node:
    """The node whose encoding is `data`, checked against its CID.

    Raises MalformedError (bytes of another CID, unknown type, bad field) or LimitError.
    """
    actual = node_cid(data)
    if actual != cid:
        raise MalformedError(f"node {cid}: the bytes hash to {actual}; fetch it again")
    node: Any = decode_node(data, f"node {cid}", NODE_BYTES_MAX)
    named = node.get("type") if isinstance(node, dict) else None
    kind = _KINDS.get(named) if isinstance(named, str) else None
    if kind is None:
        raise MalformedError(f"node {cid}: expected type {', '.join(_KINDS)}")
    return from_map(node, kind, f"node {cid}")


def walk_segments(root: CID, fetch: Callable[[CID], bytes]) -> Iterator[tuple[CID, SegmentNode]]:
    """The segment nodes of a file in order; `fetch` gives a node's encoding by CID."""
    node = decode_dag_node(fetch(root), root)
    if not isinstance(node, FileNode):
        raise MalformedError(f"node {root}: expected a file, got {node.type}")
    yield from _walk(node.segments, fetch, _DEPTH_MAX)


def _walk(
    links: list[CID], fetch: Callable[[CID], bytes], depth: int
) -> Iterator[tuple[CID, SegmentNode]]:
    if depth == 0:
        raise LimitError(f"index nodes are nested deeper than {_DEPTH_MAX}; refuse this file")
    for cid in links:
        node = decode_dag_node(fetch(cid), cid)
        if isinstance(node, SegmentNode):
            yield cid, node
        elif isinstance(node, IndexNode):
            yield from _walk(node.nodes, fetch, depth - 1)
        else:
            raise MalformedError(f"node {cid}: a file inside a file; expected a segment or index")
