"""IPLD nodes as canonical DAG-CBOR: one value, one encoding.

The specification below is the `dag-cbor` library and what it leaves open: bytes must be those that
their value encodes to, lists and maps nest at most `DEPTH_MAX` deep, links are CIDs of our two
kinds (see `cid`). Native code takes and refuses the same bytes, in one pass.
"""

from typing import Any

import dag_cbor
from multiformats import CID

from cybervein_protocol.cid import cid_of_bytes
from cybervein_protocol.errors import MalformedError
from cybervein_protocol.native import native

DEPTH_MAX = 32
"""Lists and maps inside each other; our deepest record has 6."""


def encode_node(node: object) -> bytes:
    """Canonical DAG-CBOR of a node. Raises MalformedError where there is none."""
    try:
        if (fast := native()) is None:
            return dag_cbor.encode(_bounded(node, 0))
        encoded: bytes = fast.encode_node(node, CID)
    except Exception as error:  # the library raises many classes
        raise MalformedError(f"{type(node).__name__} has no DAG-CBOR encoding ({error})") from error
    return encoded


def decode_node(data: bytes, what: str) -> Any:  # noqa: ANN401 -- an IPLD node: map, list, scalar
    """The node of canonical DAG-CBOR bytes. Raises MalformedError."""
    try:
        if (fast := native()) is None:
            return _decode(data)
        return fast.decode_node(data, _link)
    except Exception as error:  # the library raises many classes on hostile input
        raise MalformedError(f"{what}: not DAG-CBOR in its canonical form ({error})") from error


def _decode(data: bytes) -> object:
    node = _bounded(dag_cbor.decode(data), 0)
    if dag_cbor.encode(node) != data:
        raise ValueError("the same value has another, canonical encoding")
    return node


def _link(data: bytes) -> CID:
    return cid_of_bytes(data, "link")


def _bounded(node: Any, depth: int) -> Any:  # noqa: ANN401 -- an IPLD node
    """The node, if its depth and links are what we accept."""
    if isinstance(node, CID):
        return _link(bytes(node))
    if not isinstance(node, dict | list):
        return node
    if depth == DEPTH_MAX:
        raise ValueError(f"lists and maps nest too deep, at most {DEPTH_MAX} are accepted")
    if isinstance(node, dict):
        return {key: _bounded(value, depth + 1) for key, value in node.items()}
    return [_bounded(item, depth + 1) for item in node]
