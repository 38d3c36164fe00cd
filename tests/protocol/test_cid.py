"""CIDs: of our two kinds, equal to those of the reference library, in one text form."""

from contextlib import suppress

import pytest
from cybervein_protocol.cid import (
    CID_BYTES,
    cid_of_bytes,
    cid_root,
    cid_text,
    data_cid,
    digest_cid,
    node_cid,
    parse_cid,
)
from cybervein_protocol.errors import CyberVeinError, MalformedError
from hypothesis import given
from hypothesis import strategies as st
from multiformats import CID, multihash

digests = st.binary(min_size=32, max_size=32)
codecs = st.sampled_from(["raw", "dag-cbor"])


@given(digests, codecs)
def test_a_cid_is_the_one_of_the_reference_library(digest: bytes, codec: str) -> None:
    reference = CID("base32", 1, codec, multihash.get("blake3").wrap(digest))
    ours = (data_cid if codec == "raw" else digest_cid)(digest)
    assert ours == reference
    assert hash(ours) == hash(reference)
    assert repr(ours) == repr(reference)
    assert bytes(ours) == bytes(reference)
    assert cid_text(ours) == str(reference) == str(ours)
    assert CID.decode(cid_text(ours)) == ours


@given(digests, codecs)
def test_bytes_and_text_come_back(digest: bytes, codec: str) -> None:
    cid = (data_cid if codec == "raw" else digest_cid)(digest)
    assert cid_of_bytes(bytes(cid), "cid") == cid
    assert parse_cid(cid_text(cid), "cid") == cid
    assert cid_root(cid) == digest


@given(st.binary(max_size=50))
def test_a_node_is_named_by_its_hash(data: bytes) -> None:
    cid = node_cid(data)
    assert cid_text(cid).startswith("b")
    assert len(bytes(cid)) == CID_BYTES


@given(st.binary(max_size=40) | digests.map(lambda digest: b"\1\x71\x1e\x20" + digest))
def test_other_bytes_are_refused(data: bytes) -> None:
    ours = len(data) == CID_BYTES and data[:4] in {b"\1\x71\x1e\x20", b"\1\x55\x1e\x20"}
    if ours:
        assert bytes(cid_of_bytes(data, "cid")) == data
    else:
        with pytest.raises(MalformedError, match="is not a CID"):
            cid_of_bytes(data, "cid")


@given(st.text(max_size=70) | st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=58, max_size=59))
def test_other_text_is_refused(text: str) -> None:
    with suppress(CyberVeinError):
        assert cid_text(parse_cid(text, "cid")) == text


@given(digests, st.sampled_from(["base16", "base32upper", "base58btc", "base64url"]))
def test_other_text_forms_of_a_cid_are_refused(digest: bytes, base: str) -> None:
    with pytest.raises(MalformedError, match="is not a CID"):
        parse_cid(data_cid(digest).encode(base), "cid")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "b",
        "bafy",
        "Qm",
        "🙂",
        "z" * 60,
        "b" * 10_000,
        "QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR",
        "bafkreidon73zkcrwdb5iafqtijxildoonbwnpv7dyd6ef3qdgads2jc4su",
    ],
)
def test_text_that_is_no_cid_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="is not a CID"):
        parse_cid(text, "cid")


def test_a_cid_of_another_hash_has_no_root() -> None:
    foreign = CID.decode("bafkreidon73zkcrwdb5iafqtijxildoonbwnpv7dyd6ef3qdgads2jc4su")
    with pytest.raises(MalformedError, match="sha2-256"):
        cid_root(foreign)
