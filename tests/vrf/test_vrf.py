"""ECVRF is the RFC's, and nothing but the right proof verifies."""

import pytest
from cybervein_protocol import vrf
from cybervein_protocol.errors import MalformedError, ProofError
from hypothesis import given, settings
from hypothesis import strategies as st

# RFC 9381 Appendix B.3, examples 16, 17 and 18: secret key, public key, alpha, pi, beta.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f"
            "26f8a57ccaed74ee1b190bed1f479d9727d2d0f9b005a6e456a35d4fb0daab12"
            "68a1b0db10836d9826a528ca76567805"
        ),
        (
            "90cf1df3b703cce59e2a35b925d411164068269d7b2d29f3301c03dd757876ff"
            "66b71dda49d2de59d03450451af026798e8f81cd2e333de5cdf4f3e140fdd8ae"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed593"
            "3bf0864a62558b3ed7f2fea45c92a465301b3bbf5e3e54ddf2d935be3b67926d"
            "a3ef39226bbc355bdc9850112c8f4b02"
        ),
        (
            "eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb"
            "5e33821bc613efb94db5e5b54c70a848a0bef4553a41befc57663b56373a5031"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "9bc0f79119cc5604bf02d23b4caede71393cedfbb191434dd016d30177ccbf80"
            "96bb474e53895c362d8628ee9f9ea3c0e52c7a5c691b6c18c9979866568add7a"
            "2d41b00b05081ed0f58ee5e31b3a970e"
        ),
        (
            "645427e5d00c62a23fb703732fa5d892940935942101e456ecca7bb217c61c45"
            "2118fec1219202a0edcf038bb6373241578be7217ba85a2687f7a0310b2df19f"
        ),
    ),
]
SEED = bytes(range(32))


@pytest.mark.parametrize("vector", VECTORS, ids=["example 16", "example 17", "example 18"])
def test_the_rfc_s_vectors(vector: tuple[str, str, str, str, str]) -> None:
    seed, public, alpha, proof, beta = (bytes.fromhex(part) for part in vector)
    assert vrf.public_key(seed) == public
    assert vrf.prove(seed, alpha) == proof
    assert vrf.verify(public, alpha, proof) == beta
    assert vrf.output(proof) == beta


@settings(max_examples=10, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), alpha=st.binary(max_size=80))
def test_what_is_proved_verifies(seed: bytes, alpha: bytes) -> None:
    proof = vrf.prove(seed, alpha)
    assert vrf.verify(vrf.public_key(seed), alpha, proof) == vrf.output(proof)


@settings(max_examples=20, deadline=None)
@given(bit=st.integers(0, 80 * 8 - 1))
def test_a_flipped_bit_anywhere_is_refused(bit: int) -> None:
    proof = bytearray(vrf.prove(SEED, b"alpha"))
    proof[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ProofError):
        vrf.verify(vrf.public_key(SEED), b"alpha", bytes(proof))


def test_another_input_or_key_is_refused() -> None:
    proof = vrf.prove(SEED, b"alpha")
    with pytest.raises(ProofError, match="does not verify"):
        vrf.verify(vrf.public_key(SEED), b"beta", proof)
    with pytest.raises(ProofError, match="does not verify"):
        vrf.verify(vrf.public_key(bytes(32)), b"alpha", proof)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param((1).to_bytes(32, "little"), id="the neutral point"),
        pytest.param(bytes(32), id="order four"),
        pytest.param((2**255 - 20).to_bytes(32, "little"), id="order two"),
        pytest.param(b"\xff" * 32, id="not canonical"),
        pytest.param((2).to_bytes(32, "little"), id="no point"),
    ],
)
def test_a_weak_key_is_refused(key: bytes) -> None:
    with pytest.raises(ProofError, match="no curve point of large order"):
        vrf.verify(key, b"alpha", vrf.prove(SEED, b"alpha"))


def test_a_scalar_that_is_not_reduced_is_refused() -> None:
    proof = vrf.prove(SEED, b"alpha")
    order = 2**252 + 27742317777372353535851937790883648493
    longer = int.from_bytes(proof[48:], "little") + order
    with pytest.raises(ProofError, match="out of range"):
        vrf.verify(vrf.public_key(SEED), b"alpha", proof[:48] + longer.to_bytes(32, "little"))


def test_wrong_sizes_are_named() -> None:
    proof = vrf.prove(SEED, b"alpha")
    with pytest.raises(MalformedError, match="79 bytes, expected 80"):
        vrf.verify(vrf.public_key(SEED), b"alpha", proof[:-1])
    with pytest.raises(MalformedError, match="31 bytes, expected 32"):
        vrf.verify(bytes(31), b"alpha", proof)
    with pytest.raises(MalformedError, match="33 bytes, expected 32"):
        vrf.prove(bytes(33), b"alpha")
