"""Field types and limits that several messages share."""

from typing import Annotated, Literal

import msgspec

Version = Literal[1]
"""Every message is version 1; another number is refused, never guessed."""

VrfProof = Annotated[bytes, msgspec.Meta(min_length=80, max_length=80)]
"""ECVRF-EDWARDS25519-SHA512-TAI proof (RFC 9381 section 5.5)."""

SHARDS_MAX = 255
"""Shards of one segment: the index is one byte and Reed-Solomon works over GF(2^8)."""

SEGMENTS_MAX = 4096
"""Segments in one message; `Preset.deal_segments_max` is lower."""
