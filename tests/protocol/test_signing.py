"""Keys, strict signatures and addresses that catch typing mistakes."""

import pytest
from cybervein_protocol.encoding import Record
from cybervein_protocol.errors import MalformedError, SignatureError
from cybervein_protocol.signing import (
    KeyPair,
    address,
    parse_address,
    sign_record,
    verify,
    verify_record,
)
from hypothesis import given
from hypothesis import strategies as st

seeds = st.binary(min_size=32, max_size=32)
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


class Note(Record, kw_only=True):
    text: str
    sig: bytes = b""


@given(seeds, st.text(max_size=50))
def test_a_signed_record_verifies_under_its_context_only(seed: bytes, text: str) -> None:
    key = KeyPair(seed)
    note = sign_record("context a", Note(text=text), key)
    verify_record("context a", note, key.public, "note")
    with pytest.raises(SignatureError, match="note"):
        verify_record("context b", note, key.public, "note")


@given(seeds, st.integers(0, 63), st.integers(0, 7))
def test_a_flipped_bit_in_a_signature_is_refused(seed: bytes, place: int, bit: int) -> None:
    key = KeyPair(seed)
    signature = bytearray(key.sign(b"message"))
    signature[place] ^= 1 << bit
    with pytest.raises(SignatureError):
        verify(key.public, b"message", bytes(signature), "message")


def test_a_signature_with_s_above_the_group_order_is_refused() -> None:
    key = KeyPair(b"\7" * 32)
    signature = key.sign(b"message")
    scalar = int.from_bytes(signature[32:], "little") + GROUP_ORDER
    malleated = signature[:32] + scalar.to_bytes(32, "little")
    with pytest.raises(SignatureError):
        verify(key.public, b"message", malleated, "message")


@pytest.mark.parametrize("point", [b"\1" + bytes(31), bytes(32), b"\xec" + b"\xff" * 30 + b"\x7f"])
def test_a_small_order_key_verifies_nothing(point: bytes) -> None:
    with pytest.raises(SignatureError):
        verify(point, b"message", point + bytes(32), "message")


def test_a_key_pair_never_shows_its_seed() -> None:
    key = KeyPair(b"\5" * 32)
    assert key.seed.hex() not in repr(key)


@given(seeds)
def test_an_address_comes_back(seed: bytes) -> None:
    public = KeyPair(seed).public
    assert parse_address(address(public)) == public


@given(seeds, st.data())
def test_one_wrong_character_in_an_address_is_caught(seed: bytes, data: st.DataObject) -> None:
    text = address(KeyPair(seed).public)
    place = data.draw(st.integers(0, len(text) - 1))
    wrong = data.draw(
        st.sampled_from("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0 ")
    )
    if wrong != text[place]:
        with pytest.raises(MalformedError, match="address"):
            parse_address(text[:place] + wrong + text[place + 1 :])
