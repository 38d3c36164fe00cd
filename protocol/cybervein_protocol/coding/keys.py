"""The keys of a segment.

| key | derived from | seals or masks | known to |
|---|---|---|---|
| file key | random, 32 bytes | nothing itself | the owner |
| data key | file key ‖ salt | the segment's chunks | the owner |
| repair key | file key ‖ salt | nothing itself | the owner, and sealed the super nodes |
| mask key j | repair key ‖ j | shard j | whoever has the repair key |

The salt is 32 random bytes per segment and is stored in its node. Changed content takes a new salt,
so no key ever meets two contents and a counter can serve as the nonce.
"""

from blake3 import blake3

DATA_CONTEXT = "cybervein 2026-11 data key"
REPAIR_CONTEXT = "cybervein 2026-11 repair key"
MASK_CONTEXT = "cybervein 2026-11 shard mask"


def data_key(file_key: bytes, salt: bytes) -> bytes:
    """The AES-256-GCM key of a segment's chunks, 32 bytes."""
    return blake3(file_key + salt, derive_key_context=DATA_CONTEXT).digest()


def repair_key(file_key: bytes, salt: bytes) -> bytes:
    """All that rebuilding a segment's shards needs, 32 bytes; it opens no chunk."""
    return blake3(file_key + salt, derive_key_context=REPAIR_CONTEXT).digest()


def mask_key(repair_key: bytes, index: int) -> bytes:
    """The AES-256-CTR key that masks shard `index`, 32 bytes.

    Each shard has its own mask, so that k miners who pool their shards cannot make another's.
    """
    return blake3(repair_key + bytes([index]), derive_key_context=MASK_CONTEXT).digest()


def chunk_nonce(chunk: int, *, ends_file: bool) -> bytes:
    """u64le index of the chunk within its segment ‖ u32le 1 for the file's last chunk, else 0.

    The flag makes a file that was cut at a chunk's end fail to decrypt. Segments are kept in order
    by the file's node, whose CID commits to them.
    """
    return chunk.to_bytes(8, "little") + ends_file.to_bytes(4, "little")
