"""CIDs, of the two kinds that CyberVein has, and their one text form.

A CID is CIDv1 with blake3-256 and codec `dag-cbor` (nodes, units) or `raw` (data): 36 bytes, of
which four are constant. Others are refused, so what is accepted does not depend on a library's
table of codecs. `multiformats` gives the type; its constructor checks every argument for 0.1 ms,
which these functions did already, so they skip it.

| bytes | meaning                          |
|-------|----------------------------------|
| 0     | 01: version                      |
| 1     | codec: 71 dag-cbor, 55 raw       |
| 2..3  | 1e 20: blake3, 32 bytes          |
| 4..35 | digest                           |
"""

from base64 import b32decode, b32encode
from typing import Final

from blake3 import blake3
from multiformats import CID, multibase, multicodec, multihash

from cybervein_protocol.errors import MalformedError

CID_BYTES: Final = 36
_RAW, _NODE = 0x55, 0x71
_BLAKE3_256: Final = b"\x1e\x20"
_BASE = multibase.get("base32")
_CODECS = {code: multicodec.get(code=code) for code in (_RAW, _NODE)}
_HASH = multihash.get("blake3")


def cid_of_bytes(data: bytes, what: str) -> CID:
    """The CID of its 36 bytes. Raises MalformedError for any other."""
    if len(data) != CID_BYTES or data[0] != 1 or data[1] not in _CODECS or data[2:4] != _BLAKE3_256:
        raise MalformedError(
            f"{what}: {data[:CID_BYTES].hex()!r} ({len(data)} bytes) is not a CID:"
            " expected version 1, dag-cbor or raw, a 32-byte blake3"
        )
    return CID._new_instance(CID, _BASE, 1, _CODECS[data[1]], _HASH, data[2:])  # noqa: SLF001 -- checked above


def node_cid(data: bytes) -> CID:
    """CIDv1, dag-cbor, blake3-256 of an encoded node."""
    return cid_of_bytes(bytes((1, _NODE)) + _BLAKE3_256 + blake3(data).digest(), "node")


def digest_cid(digest: bytes) -> CID:
    """The CID of a node (unit, batch, deal) whose BLAKE3 digest is known."""
    return cid_of_bytes(bytes((1, _NODE)) + _BLAKE3_256 + digest, "node")


def data_cid(root: bytes) -> CID:
    """CIDv1, raw, blake3-256 of data whose BLAKE3 root is known."""
    return cid_of_bytes(bytes((1, _RAW)) + _BLAKE3_256 + root, "data")


def parse_cid(text: str, what: str) -> CID:
    """A CID from its text form. Raises MalformedError."""
    try:
        data = b32decode(text[1:].upper() + "=" * (-len(text[1:]) % 8))
        cid = cid_of_bytes(data, what)
    except (ValueError, MalformedError) as error:
        raise MalformedError(f"{what}: {text[:80]!r} is not a CID") from error
    if cid_text(cid) != text:
        raise MalformedError(f"{what}: {text[:80]!r} is not a CID in its one text form, b32 lower")
    return cid


def cid_root(cid: CID) -> bytes:
    """The 32-byte BLAKE3 digest inside a CID. Raises MalformedError for another hash."""
    multihash_bytes = cid.digest
    if multihash_bytes[:2] != _BLAKE3_256 or len(multihash_bytes) != 34:  # noqa: PLR2004 -- bytes
        raise MalformedError(f"CID {cid} uses {cid.hashfun.name}; expected a 32-byte blake3")
    return multihash_bytes[2:]


def cid_text(cid: CID) -> str:
    """The one text form of a CID: multibase base32 (`b…`), as in URLs and JSON."""
    return "b" + b32encode(bytes(cid)).decode().rstrip("=").lower()
