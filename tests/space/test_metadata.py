"""The signed note beside a plot: it comes back whole, and any change is refused."""

import msgspec
import pytest
from cybervein_protocol.encoding import decode_node, encode
from cybervein_protocol.errors import CyberVeinError, LimitError, MalformedError, ProofError
from cybervein_protocol.signing import KeyPair, sign_record
from cybervein_protocol.space import PlotClaim, decode_metadata, describe_plot
from cybervein_protocol.space.metadata import METADATA_CONTEXT
from hypothesis import given
from hypothesis import strategies as st

KEY = KeyPair(b"\x05" * 32)
CLAIM = PlotClaim(index=5, b=6, k=3, kappa=b"k" * 32, gamma=b"g" * 32)
META = describe_plot(KEY, CLAIM)


def test_metadata_comes_back_with_its_claim() -> None:
    assert decode_metadata(encode(META)) == META
    assert META.claim == CLAIM
    assert META.plot_id == CLAIM.plot_id(KEY.public)


@given(st.data())
def test_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    encoded = bytearray(encode(META))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CyberVeinError):
        decode_metadata(bytes(encoded))


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(CyberVeinError):
        decode_metadata(data)


@pytest.mark.parametrize(
    ("change", "text"),
    [({"mu": bytes(32)}, "mu 0000"), ({"plot_id": bytes(32)}, "plot_id 0000")],
)
def test_a_well_signed_contradiction_is_refused(change: dict[str, bytes], text: str) -> None:
    wrong = sign_record(METADATA_CONTEXT, msgspec.structs.replace(META, **change), KEY)
    with pytest.raises(ProofError, match=text):
        decode_metadata(encode(wrong))


def test_other_versions_unknown_fields_and_oversize_are_refused() -> None:
    node = decode_node(encode(META), "note", 1024)
    for wrong in ({**node, "v": 2}, {**node, "extra": 1}, {**node, "b": 256}):
        with pytest.raises(MalformedError, match="plot metadata"):
            decode_metadata(encode(wrong))
    with pytest.raises(LimitError, match="at most 1024"):
        decode_metadata(bytes(1025))
