"""Canonical DAG-CBOR: the specification and native code take and refuse the same bytes."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dag_cbor
import pytest
from codes import MODES, mode
from cybervein_protocol.canonical import DEPTH_MAX, decode_node, encode_node
from cybervein_protocol.cid import data_cid, node_cid
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import MalformedError
from hypothesis import given, settings
from hypothesis import strategies as st
from multiformats import CID

HERE = Path(__file__).parent
CASES = json.loads((HERE / "canonical_vectors.json").read_text())["cases"]


def outcome(call: Callable[[], object]) -> object:
    """The value, or the class of the refusal; nothing else may be raised."""
    try:
        return call()
    except MalformedError as error:
        return type(error)


def outcomes(call: Callable[[], object]) -> list[object]:
    """What both make of it. As text: True is not 1 and 0.0 is not -0.0."""
    results = []
    for name in MODES:
        with mode(name):
            results.append(repr(outcome(call)))
    return results


digests = st.binary(min_size=32, max_size=32)
links = digests.map(data_cid) | digests.map(node_cid)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.binary(max_size=300)
    | links
)
nodes = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=20,
)


def test_regenerating_the_vectors_changes_nothing() -> None:
    code = "import generate_canonical_vectors as g, sys; sys.stdout.write(g.vectors())"
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code]
    made = subprocess.run(command, cwd=HERE, env=env, capture_output=True, text=True, check=True)
    assert made.stdout == (HERE / "canonical_vectors.json").read_text()


@pytest.mark.both_codes
@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_both_give_the_committed_vectors(case: dict[str, str | None], name: str) -> None:
    data = bytes.fromhex(str(case["hex"]))
    with mode(name):
        if case["value"] is None:
            with pytest.raises(MalformedError, match="case: not DAG-CBOR"):
                decode_node(data, "case")
        else:
            value = decode_node(data, "case")
            assert repr(value) == case["value"]
            assert encode_node(value) == data


@pytest.mark.both_codes
@given(nodes)
def test_a_value_has_one_encoding_in_both_and_comes_back(node: object) -> None:
    encoded = dag_cbor.encode(node)  # type: ignore[arg-type]
    for name in MODES:
        with mode(name):
            assert encode_node(node) == encoded
            assert decode_node(encoded, "node") == node


@pytest.mark.both_codes
@settings(max_examples=400)
@given(nodes, st.data())
def test_damaged_encodings_end_the_same_in_both(node: object, data: st.DataObject) -> None:
    encoded = bytearray(encode(node))
    at = data.draw(st.integers(0, len(encoded) - 1))
    match data.draw(st.sampled_from(["flip", "cut", "insert", "lengthen", "double"])):
        case "flip":
            encoded[at] ^= 1 << data.draw(st.integers(0, 7))
        case "cut":
            del encoded[at:]
        case "insert":
            encoded.insert(at, data.draw(st.integers(0, 255)))
        case "lengthen":  # the head at that place, if it is one, in a wider form
            encoded[at : at + 1] = bytes((encoded[at] & 0xE0 | 24, encoded[at] & 0x1F))
        case _:
            encoded[at:at] = encoded[at:]
    specified, fast = outcomes(lambda: decode_node(bytes(encoded), "node"))
    assert specified == fast


@pytest.mark.both_codes
@settings(max_examples=400)
@given(st.binary(max_size=60))
def test_arbitrary_bytes_end_the_same_in_both(data: bytes) -> None:
    specified, fast = outcomes(lambda: decode_node(data, "noise"))
    assert specified == fast


@pytest.mark.both_codes
@given(st.binary(max_size=45))
def test_arbitrary_links_end_the_same_in_both(cid: bytes) -> None:
    encoded = b"\xd8\x2a\x58" + bytes((len(cid) + 1,)) + b"\0" + cid
    specified, fast = outcomes(lambda: decode_node(encoded, "link"))
    assert specified == fast


unencodable = st.sampled_from(
    [
        2**64,
        -(2**64) - 1,
        math.nan,
        -math.inf,
        object(),
        (1,),
        {1: 2},
        {b"a": 2},
        "\ud800",
        {"\ud800": 1},
        bytearray(b"a"),
        CID.decode("QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR"),
    ]
)


@pytest.mark.both_codes
@given(unencodable, st.integers(0, 3))
def test_what_has_no_encoding_is_refused_by_both(value: object, depth: int) -> None:
    for _ in range(depth):
        value = [value]
    assert outcomes(lambda: encode_node(value)) == [repr(MalformedError)] * 2


@pytest.mark.both_codes
@pytest.mark.parametrize("name", MODES)
def test_depth_has_the_same_limit_both_ways(name: str) -> None:
    node: object = 0
    for _ in range(DEPTH_MAX):
        node = {"a": node}
    with mode(name):
        assert decode_node(encode_node(node), "deep") == node
        with pytest.raises(MalformedError, match="too deep, at most 32"):
            encode_node([node])
        with pytest.raises(MalformedError, match="deep"):
            decode_node(b"\x81" + dag_cbor.encode(node), "deep")  # type: ignore[arg-type]
        with pytest.raises(MalformedError):
            decode_node(b"\x81" * 1_000_000, "abyss")


@pytest.mark.both_codes
def test_native_errors_name_the_thing_the_byte_and_the_defect() -> None:
    with mode("require"), pytest.raises(MalformedError) as refused:
        decode_node(b"\xa2\x61b\x01\x61a\x02", "unit")
    expected = "unit: not DAG-CBOR in its canonical form (byte 4: map keys repeat"
    assert str(refused.value).startswith(expected)
