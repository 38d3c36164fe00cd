"""The vocabulary: distinct types for values that would otherwise all be `int` or `bytes`."""

from typing import NewType

Vein = NewType("Vein", int)
"""Money: the smallest indivisible amount; `Preset.coin_decimals` veins digits make one coin."""

Epoch = NewType("Epoch", int)
"""Index of an epoch, 0 at genesis."""

Height = NewType("Height", int)
"""Index of an engine block, 0 at genesis."""

PublicKey = NewType("PublicKey", bytes)
"""Ed25519 public key, 32 bytes: an account, a miner, a super node or a bearer."""

Root = NewType("Root", bytes)
"""BLAKE3 hash, 32 bytes, of some bytes: a shard, a plot, a column file, an evidence."""

Beacon = NewType("Beacon", bytes)
"""32 bytes that nobody knew before its epoch began."""

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
