"""Repair keys of a deal, sealed to every super node, so that shards can be rebuilt blindly.

`deal.commit.repair` is the encoding of a list of boxes, one per super node. A box is a libsodium
sealed box (X25519, ephemeral sender) over the concatenated 32-byte repair keys of the deal's
segments, in order. Sealing draws randomness and so is the client's; opening is deterministic.
"""

from typing import Annotated, Final

import msgspec
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from cybervein_protocol.encoding import Bytes32, Record, decode, encode
from cybervein_protocol.errors import MalformedError, UnknownError
from cybervein_protocol.messages.fields import SEGMENTS_MAX

REPAIR_BYTES_MAX: Final = 1024 * 1024
_SEAL_OVERHEAD_BYTES: Final = 48
_KEY_BYTES: Final = 32


class RepairBox(Record):
    """The repair keys, sealed to super node `super` (named by its signing key)."""

    super: Bytes32
    box: Annotated[
        bytes,
        msgspec.Meta(
            min_length=_SEAL_OVERHEAD_BYTES,
            max_length=_SEAL_OVERHEAD_BYTES + _KEY_BYTES * SEGMENTS_MAX,
        ),
    ]


def encode_repair(boxes: list[RepairBox]) -> bytes:
    """The `repair` field of `deal.commit`."""
    return encode(boxes)


def decode_repair(data: bytes) -> list[RepairBox]:
    """The boxes in a `repair` field. Raises MalformedError or LimitError."""
    return decode(data, list[RepairBox], "repair keys", REPAIR_BYTES_MAX)


def open_repair_keys(
    data: bytes, super_node: bytes, seal_seed: bytes, segments: int
) -> list[bytes]:
    """The repair key of each segment, for super node `super_node` with X25519 secret `seal_seed`.

    Raises UnknownError if no box is for it, MalformedError if its box does not open or does not
    hold `segments` keys.
    """
    mine = [box for box in decode_repair(data) if box.super == super_node]
    if not mine:
        raise UnknownError(
            f"repair keys: no box for super node {super_node.hex()[:16]}; another one must repair"
        )
    try:
        keys = SealedBox(PrivateKey(seal_seed)).decrypt(mine[0].box)
    except CryptoError as error:
        raise MalformedError(
            "repair keys: the box does not open; the owner must seal it again"
        ) from error
    if len(keys) != _KEY_BYTES * segments:
        raise MalformedError(
            f"repair keys: {len(keys)} bytes, expected {_KEY_BYTES} for each of {segments} segments"
        )
    return [keys[i : i + _KEY_BYTES] for i in range(0, len(keys), _KEY_BYTES)]
