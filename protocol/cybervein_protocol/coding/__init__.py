"""Erasure coding and encryption: a file's plaintext to masked shards, and back.

| module | what it specifies |
|---|---|
| `layout` | segments, chunks, stripes, leaves: where every byte lies, and what a range needs |
| `field`, `reed_solomon` | the code of the `zfec` package, k of n over GF(2^8) |
| `keys` | the keys of a segment, nonces and masks |
| `segment` | encode, decode, rebuild |

The functions here run the native code where there is some, else the specification; the bytes are
the same. `bytes` are handed to native code as they are; other buffers are copied once.
"""

from collections.abc import Mapping, Sequence

from cybervein_protocol.coding import reed_solomon as _rs
from cybervein_protocol.coding import segment as _segment
from cybervein_protocol.coding.errors import CodingError, DamagedChunkError
from cybervein_protocol.coding.keys import data_key, repair_key
from cybervein_protocol.coding.layout import (
    CHUNK_PLAIN,
    SEGMENT_CHUNKS,
    SEGMENT_PLAIN,
    STRIPE,
    TAG,
    SegmentShape,
    SegmentStripes,
    segment_count,
    segment_shape,
    stripes_for_range,
)
from cybervein_protocol.coding.segment import SegmentSecret
from cybervein_protocol.native import native

__all__ = [
    "CHUNK_PLAIN",
    "SEGMENT_CHUNKS",
    "SEGMENT_PLAIN",
    "STRIPE",
    "TAG",
    "CodingError",
    "DamagedChunkError",
    "SegmentSecret",
    "SegmentShape",
    "SegmentStripes",
    "data_key",
    "decode_segment",
    "decode_stripes",
    "encode_segment",
    "rebuild_shard",
    "repair_key",
    "rs_decode",
    "rs_encode",
    "rs_reconstruct",
    "segment_count",
    "segment_shape",
    "stripes_for_range",
]


def rs_encode(k: int, n: int, blocks: Sequence[bytes]) -> list[bytes]:
    """All n shares of k equally long blocks: the blocks themselves, then n - k parity shares.

    Raises:
        CodingError: k and n are no code, or the blocks do not fit it.
    """
    fast = native()
    if fast is None:
        return _rs.encode(k, n, blocks)
    try:
        return [*blocks, *fast.rs_parity(k, n, blocks)]
    except ValueError as error:
        raise CodingError(str(error)) from error


def rs_reconstruct(k: int, n: int, shares: Mapping[int, bytes], index: int) -> bytes:
    """The share `index` out of any k others (the k lowest of those given are used).

    Raises:
        CodingError: too few shares, unknown indices, or shares of different lengths.
    """
    fast = native()
    if fast is None:
        return _rs.reconstruct(k, n, shares, index)
    try:
        share: bytes = fast.rs_reconstruct(k, n, dict(shares), [index])[0]
    except ValueError as error:
        raise CodingError(str(error)) from error
    return share


def rs_decode(k: int, n: int, shares: Mapping[int, bytes]) -> list[bytes]:
    """The k data blocks out of any k shares.

    Raises:
        CodingError: too few shares, unknown indices, or shares of different lengths.
    """
    fast = native()
    if fast is None:
        return _rs.decode(k, n, shares)
    missing = [index for index in range(k) if index not in shares]
    try:
        made = dict(zip(missing, fast.rs_reconstruct(k, n, dict(shares), missing), strict=True))
    except ValueError as error:
        raise CodingError(str(error)) from error
    return [shares[index] if index in shares else made[index] for index in range(k)]


def encode_segment(
    plaintext: bytes, secret: SegmentSecret, shape: SegmentShape, *, threads: int = 1
) -> list[tuple[bytes, bytes]]:
    """The n pairs (32-byte root, masked shard of `shape.shard_size` bytes) of a segment.

    Args:
        plaintext: `shape.size` bytes.
        secret: the file's key and this segment's salt, which must be new for new content.
        shape: size, code and place of the segment.
        threads: how many threads native code may use.

    Raises:
        CodingError: the plaintext is not of this shape.
    """
    if len(plaintext) != shape.size:
        raise CodingError(f"segment has {len(plaintext)} bytes, its shape has {shape.size}")
    fast = native()
    if fast is None:
        return _segment.encode(plaintext, secret, shape)
    try:
        pairs: list[tuple[bytes, bytes]] = fast.encode_segment(
            plaintext, secret.file_key, secret.salt, shape.last, shape.k, shape.n, threads
        )
    except ValueError as error:
        raise CodingError(str(error)) from error
    return pairs


def decode_stripes(
    pieces: Mapping[int, bytes],
    secret: SegmentSecret,
    shape: SegmentShape,
    chunks: tuple[int, int],
    *,
    threads: int = 1,
) -> bytes:
    """The plaintext of chunks `[chunks[0], chunks[1])` of a segment.

    Args:
        pieces: by shard index, the masked bytes `shape.leaves(*chunks)` of at least k shards; the
            k lowest indices are used, data shards cost no arithmetic.
        secret: the file's key and this segment's salt.
        shape: size, code and place of the segment.
        chunks: first chunk and the one after the last.
        threads: how many threads native code may use.

    Raises:
        DamagedChunkError: a chunk's tag does not verify.
        CodingError: too few pieces, pieces of other lengths, or chunks that are not there.
    """
    fast = native()
    if fast is None:
        return _segment.decode(pieces, secret, shape, chunks)
    code = (shape.size, shape.last, shape.k, shape.n)
    keys = (secret.file_key, secret.salt)
    try:
        plaintext: bytes = fast.decode_stripes(dict(pieces), *keys, *code, *chunks, threads)
    except fast.DamagedChunkError as error:
        raise DamagedChunkError(str(error)) from error
    except (ValueError, OverflowError) as error:
        raise CodingError(str(error)) from error
    return plaintext


def decode_segment(
    shards: Mapping[int, bytes], secret: SegmentSecret, shape: SegmentShape, *, threads: int = 1
) -> bytes:
    """The whole plaintext of a segment from any k whole masked shards; errors as above."""
    return decode_stripes(shards, secret, shape, (0, shape.chunks), threads=threads)


def rebuild_shard(
    repair_key: bytes, shards: Mapping[int, bytes], k: int, n: int, target: int
) -> bytes:
    """The masked shard `target` out of any k masked shards of its segment; no plaintext is made.

    The caller compares the result's BLAKE3 with the shard's root.

    Raises:
        CodingError: too few shards, unknown indices, or shares of different lengths.
    """
    fast = native()
    if fast is None:
        return _segment.rebuild(repair_key, shards, k, n, target)
    try:
        shard: bytes = fast.rebuild_shard(repair_key, dict(shards), k, n, target)
    except ValueError as error:
        raise CodingError(str(error)) from error
    return shard
