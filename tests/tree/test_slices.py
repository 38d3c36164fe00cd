"""A slice proves its bytes and nothing else: any damage ends in an error that says what and where.

That slices are byte for byte those of the public `bao` crate is tested in Rust (native/tree/tests).
"""

import pytest
from blake3 import blake3
from cybervein_protocol.tree import (
    CHUNK,
    GROUP,
    OutboardError,
    SliceError,
    root_and_outboard,
    size_of_slice,
    slice_of,
    verify_slice,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

EITHER = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
EDGES = [edge + step for edge in (CHUNK, GROUP, 2 * GROUP) for step in (-1, 0, 1)]
SIZES = st.sampled_from([0, 1, *EDGES]) | st.integers(0, 2 * GROUP + 3 * CHUNK)
PLACES = st.sampled_from([0, 1, *EDGES, 2**64 - 1]) | st.integers(0, 3 * GROUP)


def content(size: int) -> bytes:
    return bytes(i % 251 for i in range(size))


def sliced(data: bytes, start: int, length: int) -> tuple[bytes, bytes]:
    """The slice of a range, and the root."""
    root, outboard = root_and_outboard(data)
    made = slice_of(lambda at, n: data[at : at + n], len(data), outboard, start, length)
    return made, root


@EITHER
@given(size=SIZES, start=PLACES, length=PLACES)
@example(size=0, start=0, length=0)
@example(size=GROUP + 1, start=GROUP, length=1)
@example(size=3 * CHUNK, start=2**64 - 1, length=2**64 - 1)
def test_a_slice_proves_exactly_the_range_within_the_content(
    native_mode: str, size: int, start: int, length: int
) -> None:
    data = content(size)
    made, root = sliced(data, start, length)
    assert verify_slice(made, root, start, length, size) == data[start : start + length]
    assert len(made) == size_of_slice(size, start, length), native_mode


@EITHER
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_refused(native_mode: str, place: float, bit: int) -> None:
    made, root = sliced(content(GROUP + 5 * CHUNK + 17), 9000, 12_000)
    bad = bytearray(made)
    bad[int(place * len(bad))] ^= 1 << bit
    with pytest.raises(SliceError):
        verify_slice(bytes(bad), root, 9000, 12_000, GROUP + 5 * CHUNK + 17)
    assert native_mode


def test_errors_say_what_is_wrong_and_where(native_mode: str) -> None:
    size = GROUP + 3 * CHUNK
    made, root = sliced(content(size), 5 * CHUNK, 1)
    cases = {
        "truncated: 7 bytes, at least 8": made[:7],
        "truncated": made[:-1],
        "trailing bytes": made + b"\0",
        "content of 5 bytes, expected 19456 bytes": (5).to_bytes(8, "little") + made[8:],
        "parent at byte 8 ": made[:8] + b"\xff" + made[9:],
        "parent at byte 72 ": made[:72] + b"\xff" + made[73:],
        "chunk 5 ": made[:-1] + b"\xff",
    }
    for reason, bad in cases.items():
        with pytest.raises(SliceError, match=reason):
            verify_slice(bad, root, 5 * CHUNK, 1, size)
    with pytest.raises(SliceError, match="parent at byte 8 "):
        verify_slice(made, blake3(b"another").digest(), 5 * CHUNK, 1, size)
    assert native_mode


def test_a_slice_of_another_range_is_refused(native_mode: str) -> None:
    made, root = sliced(content(2 * GROUP), 0, CHUNK)
    with pytest.raises(SliceError):
        verify_slice(made, root, CHUNK, CHUNK, 2 * GROUP)
    assert native_mode


def test_the_last_chunk_proves_the_size(native_mode: str) -> None:
    """A header that claims more content than there is cannot pass once the end is asked for."""
    size = 2 * CHUNK + 10
    made, root = sliced(content(size), size, 1)
    assert verify_slice(made, root, size, 1) == b""
    lie = (size - 5).to_bytes(8, "little") + made[8:]
    with pytest.raises(SliceError):
        verify_slice(lie, root, size, 1)
    assert native_mode


@EITHER
@given(junk=st.binary(max_size=400), start=PLACES, length=PLACES)
@example(junk=b"\xff" * 300, start=0, length=2**64 - 1)
def test_junk_is_refused_without_harm(
    native_mode: str, junk: bytes, start: int, length: int
) -> None:
    with pytest.raises(SliceError):
        verify_slice(junk, bytes(32), start, length)
    assert native_mode


def test_ranges_beyond_any_content_are_cut_and_negative_ones_refused(native_mode: str) -> None:
    made, root = sliced(b"abc", 2**80, 2**90)
    assert verify_slice(made, root, 2**80, 2**90) == b""
    for start, length in ((-1, 1), (0, -1)):
        with pytest.raises(SliceError, match="0 or more"):
            sliced(b"abc", start, length)
        with pytest.raises(SliceError, match="0 or more"):
            verify_slice(made, root, start, length)
    assert native_mode


def test_an_outboard_of_other_data_is_refused(native_mode: str) -> None:
    data = content(3 * GROUP)
    _, outboard = root_and_outboard(data)
    with pytest.raises(OutboardError, match="64 bytes, expected 128"):
        slice_of(lambda at, n: data[at : at + n], len(data), outboard[:64], 0, 1)
    assert native_mode
