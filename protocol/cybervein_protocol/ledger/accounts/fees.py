"""What storage costs: the one place that prices a shard, for the ledger and for who pays.

A shard is paid for in whole KiB. A deal escrows storage for its epochs and, once, the bandwidth of
its upload; a renewal escrows storage alone (docs/wire.md section 2).
"""

from cybervein_protocol.names import KIB, Veins
from cybervein_protocol.presets import Preset


def commission(amount: Veins, preset: Preset) -> Veins:
    """The part of a storage fee that is burnt."""
    return Veins(amount * preset.commission_per_mille // 1000)


def size_kib(size_bytes: int) -> int:
    """KiB that a shard of that size is paid for."""
    return -(-size_bytes // KIB)


def storage_fee(kib: int, epochs: int, preset: Preset) -> Veins:
    """Veins for holding that many KiB for that many epochs."""
    return Veins(kib * epochs * preset.price_veins_per_kib_epoch)


def ingress_fee(kib: int, preset: Preset) -> Veins:
    """Veins for uploading that many KiB: the bandwidth part of the upload fee."""
    return Veins(kib * preset.ingress_veins_per_kib)


def deal_escrow(kib: int, epochs: int, preset: Preset) -> Veins:
    """Veins that a deal must escrow: `kib` is the sum over shards, each rounded up."""
    return Veins(storage_fee(kib, epochs, preset) + ingress_fee(kib, preset))
