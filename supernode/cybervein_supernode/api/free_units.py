"""Units that cost nothing are limited per address: the ledger's limit is per key, keys are free.

Whoever comes from loopback is exempt where the super node itself is published on loopback (one
machine with many miners); behind a proxy nobody is.
"""

import time
from collections.abc import Callable

from cybervein_protocol.encoding import decode
from cybervein_protocol.errors import RateError
from cybervein_protocol.ledger.bodies import MINER_KINDS
from cybervein_protocol.ledger.unit import Unit, required_fee
from cybervein_protocol.presets import Preset
from cybervein_runtime.addresses import is_loopback

from cybervein_supernode.api.limits import Buckets

REGISTRATIONS_BURST, REGISTRATION_SECONDS = 20.0, 60.0
FREE_UNITS_BURST, FREE_UNIT_SECONDS = 500.0, 2.0


class FreeUnits:
    """The one place where registrations and fee-free units are counted by address."""

    def __init__(
        self,
        preset: Preset,
        *,
        exempt_loopback: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._preset = preset
        self._exempt_loopback = exempt_loopback
        self._new = Buckets(monotonic, 1 / REGISTRATION_SECONDS, REGISTRATIONS_BURST)
        self._free = Buckets(monotonic, 1 / FREE_UNIT_SECONDS, FREE_UNITS_BURST)

    def check(self, address: str, raw: bytes) -> None:
        """Count a unit that its sender does not pay for. Raises RateError or MalformedError."""
        if self._exempt_loopback and is_loopback(address):
            return
        unit = decode(raw, Unit, "unit", self._preset.unit_bytes_max)
        if unit.kind not in MINER_KINDS:
            return
        if unit.kind == "miner.register" and not self._new.take(address):
            raise RateError(
                f"more than {REGISTRATIONS_BURST:.0f} registrations from {address}; try again in "
                f"{REGISTRATION_SECONDS:.0f} s"
            )
        if unit.fee < required_fee(len(raw), self._preset) and not self._free.take(address):
            raise RateError(
                f"more than {FREE_UNITS_BURST:.0f} units without a fee from {address}; pay the "
                f"fee, or try again in {FREE_UNIT_SECONDS:.0f} s"
            )
