"""A segment's way from plaintext to masked shards, and back.

Encode, chunk by chunk: seal with AES-256-GCM, cut into k leaves, add n - k parity leaves; shard j
is leaf j of all chunks, masked with AES-256-CTR from counter 0; its root is its BLAKE3. Decode
undoes it for any run of chunks from any k shards. Rebuild works on whole shards and without the
data key, for the code is the same at every byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cybervein_protocol.coding import reed_solomon
from cybervein_protocol.coding.errors import CodingError, DamagedChunkError
from cybervein_protocol.coding.keys import chunk_nonce, data_key, mask_key, repair_key
from cybervein_protocol.coding.layout import TAG, SegmentShape

AES_BLOCK = 16


@dataclass(frozen=True, slots=True)
class SegmentSecret:
    """What unlocks one segment: the file's key and the segment's salt, 32 bytes each."""

    file_key: bytes
    salt: bytes


def encode(
    plaintext: bytes, secret: SegmentSecret, shape: SegmentShape
) -> list[tuple[bytes, bytes]]:
    """See `cybervein_protocol.coding.encode_segment`."""
    aead = AESGCM(data_key(secret.file_key, secret.salt))
    shards = [bytearray() for _ in range(shape.n)]
    for chunk in range(shape.chunks):
        start, stop = shape.plain_range(chunk, chunk + 1)
        nonce = chunk_nonce(chunk, ends_file=shape.ends_file(chunk))
        sealed = aead.encrypt(nonce, plaintext[start:stop], None)
        leaves = _cut(sealed, shape.k)
        for shard, leaf in zip(shards, reed_solomon.encode(shape.k, shape.n, leaves), strict=True):
            shard.extend(leaf)
    key = repair_key(secret.file_key, secret.salt)
    masked = [mask(key, index, bytes(shard)) for index, shard in enumerate(shards)]
    return [(blake3(shard).digest(), shard) for shard in masked]


def _cut(sealed: bytes, k: int) -> list[bytes]:
    """K equal leaves, the last padded with zeros."""
    width = -(-len(sealed) // k)
    padded = sealed.ljust(width * k, b"\0")
    return [padded[i * width : (i + 1) * width] for i in range(k)]


def decode(
    pieces: Mapping[int, bytes],
    secret: SegmentSecret,
    shape: SegmentShape,
    chunks: tuple[int, int],
) -> bytes:
    """See `cybervein_protocol.coding.decode_stripes`."""
    first, stop = chunks
    if not 0 <= first < stop <= shape.chunks:
        raise CodingError(
            f"chunks {first} to {stop}: expected a non-empty range within {shape.chunks} chunks"
        )
    base, end = shape.leaves(first, stop)
    key = repair_key(secret.file_key, secret.salt)
    chosen = reed_solomon.choose(shape.k, shape.n, pieces)
    for index in chosen:
        if len(pieces[index]) != end - base:
            raise CodingError(
                f"piece of a shard has {len(pieces[index])} bytes, expected {end - base}"
            )
    shares = {index: mask(key, index, pieces[index], base) for index in chosen}
    stripes = reed_solomon.decode(shape.k, shape.n, shares)
    return b"".join(_open(stripes, secret, shape, chunk, base) for chunk in range(first, stop))


def _open(
    data: list[bytes], secret: SegmentSecret, shape: SegmentShape, chunk: int, base: int
) -> bytes:
    """One chunk's plaintext out of the k data shards, whose bytes begin at `base`."""
    low, high = shape.leaf_range(chunk)
    start, stop = shape.plain_range(chunk, chunk + 1)
    sealed = b"".join(shard[low - base : high - base] for shard in data)[: stop - start + TAG]
    nonce = chunk_nonce(chunk, ends_file=shape.ends_file(chunk))
    try:
        return AESGCM(data_key(secret.file_key, secret.salt)).decrypt(nonce, sealed, None)
    except InvalidTag as error:
        raise DamagedChunkError(
            f"chunk {chunk} does not verify: a shard is damaged, or the key is not this file's"
        ) from error


def rebuild(repair_key: bytes, shards: Mapping[int, bytes], k: int, n: int, target: int) -> bytes:
    """See `cybervein_protocol.coding.rebuild_shard`."""
    chosen = reed_solomon.choose(k, n, shards)
    shares = {index: mask(repair_key, index, shards[index]) for index in chosen}
    return mask(repair_key, target, reed_solomon.reconstruct(k, n, shares, target))


def mask(repair_key: bytes, index: int, data: bytes, offset: int = 0) -> bytes:
    """Mask or unmask the bytes of shard `index` from `offset` on (AES-256-CTR, big-endian)."""
    block, skipped = divmod(offset, AES_BLOCK)
    counter = block.to_bytes(AES_BLOCK, "big")
    cipher = Cipher(algorithms.AES(mask_key(repair_key, index)), modes.CTR(counter))
    stream = cipher.encryptor()
    stream.update(bytes(skipped))
    return stream.update(data)
