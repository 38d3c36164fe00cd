"""The vocabulary: distinct types for values that would otherwise all be `int` or `bytes`."""

from typing import NewType

Veins = NewType("Veins", int)
"""Money in its smallest unit; `Preset.coin_decimals` says how many digits of it make a coin.

Arithmetic gives a plain int, so that each result says anew that it is money.
"""

PublicKey = NewType("PublicKey", bytes)
"""Ed25519 public key, 32 bytes: an account, a miner, a super node or a bearer."""

Beacon = NewType("Beacon", bytes)
"""32 bytes that nobody knew before its epoch began."""

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
