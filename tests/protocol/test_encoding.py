"""The canonical encoding: what goes out comes back, everything else is refused by name."""

from contextlib import suppress

import dag_cbor
import pytest
from cybervein_protocol.encoding import (
    U63,
    Bytes32,
    Record,
    data_cid,
    decode,
    decode_node,
    encode,
)
from cybervein_protocol.errors import CyberVeinError, LimitError, MalformedError
from hypothesis import given
from hypothesis import strategies as st
from multiformats import CID


class Sample(Record):
    link: CID
    root: Bytes32
    amounts: list[U63]
    note: str | None


roots = st.binary(min_size=32, max_size=32)
samples = st.builds(
    Sample,
    link=roots.map(data_cid),
    root=roots,
    amounts=st.lists(st.integers(0, 2**63 - 1), max_size=5),
    note=st.none() | st.text(max_size=20),
)


@given(samples)
def test_a_record_comes_back_equal(sample: Sample) -> None:
    assert decode(encode(sample), Sample, "sample", 10_000) == sample


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_or_canonical(data: bytes) -> None:
    try:
        node = decode_node(data, "noise", 200)
    except CyberVeinError:
        return
    assert dag_cbor.encode(node) == data


@given(samples, st.data())
def test_a_flipped_bit_never_gives_the_same_record(sample: Sample, data: st.DataObject) -> None:
    encoded = bytearray(encode(sample))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(CyberVeinError):
        assert decode(bytes(encoded), Sample, "sample", 10_000) != sample


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"root": b"short"}, "root"),
        ({"amounts": [-1]}, "amounts"),
        ({"amounts": [2**63]}, "amounts"),
        ({"link": 3}, "link"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_bad_field_is_named(change: dict[str, object], word: str) -> None:
    node = {"link": data_cid(b"\1" * 32), "root": b"\2" * 32, "amounts": [1], "note": None}
    with pytest.raises(MalformedError, match=word):
        decode(dag_cbor.encode({**node, **change}), Sample, "sample", 10_000)


def test_what_is_too_large_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(LimitError, match="11 bytes, at most 10"):
        decode_node(b"\xff" * 11, "thing", 10)


def test_a_longer_form_of_the_same_integer_is_refused() -> None:
    assert decode_node(b"\x01", "one", 10) == 1
    with pytest.raises(MalformedError):
        decode_node(b"\x18\x01", "one", 10)
