"""Units that cost nothing are limited per address: the ledger's limit is per key, keys are free.

Whoever comes from loopback is exempt where the super node itself is published on loopback (one
machine with many miners); behind a proxy nobody is. An operator may exempt networks of its own,
such as its cluster's pods, which may share addresses.
"""

import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from cybervein_protocol.encoding import decode
from cybervein_protocol.errors import MalformedError, RateError
from cybervein_protocol.ledger.chain.kinds import Issuer, issued_by
from cybervein_protocol.ledger.mining.bodies import MinerRegister
from cybervein_protocol.ledger.units.unit import Unit, required_fee
from cybervein_protocol.presets import Preset
from cybervein_runtime.addresses import is_loopback

from cybervein_supernode.api.limits import Buckets

REGISTRATIONS_BURST, REGISTRATION_SECONDS = 20.0, 60.0
FREE_UNITS_BURST, FREE_UNIT_SECONDS = 500.0, 2.0


Network = IPv4Network | IPv6Network


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks in CIDR notation. Raises MalformedError."""
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise MalformedError(f"{error}; expected for instance 10.42.0.0/16") from error


class FreeUnits:
    """The one place where registrations and fee-free units are counted by address."""

    def __init__(
        self,
        preset: Preset,
        *,
        exempt_loopback: bool,
        exempt: Sequence[Network] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._preset = preset
        self._exempt_loopback, self._exempt = exempt_loopback, exempt
        self._new = Buckets(monotonic, 1 / REGISTRATION_SECONDS, REGISTRATIONS_BURST)
        self._free = Buckets(monotonic, 1 / FREE_UNIT_SECONDS, FREE_UNITS_BURST)

    def check(self, address: str, raw: bytes) -> None:
        """Count a unit that its sender does not pay for. Raises RateError or MalformedError."""
        if (self._exempt_loopback and is_loopback(address)) or self._exempted(address):
            return
        unit = decode(raw, Unit, "unit", self._preset.unit_bytes_max)
        if unit.kind not in issued_by(Issuer.MINER):
            return
        if unit.kind == MinerRegister.kind and not self._new.take(address):
            raise RateError(
                f"more than {REGISTRATIONS_BURST:.0f} registrations from {address}; try again in "
                f"{REGISTRATION_SECONDS:.0f} s"
            )
        if unit.fee < required_fee(len(raw), self._preset) and not self._free.take(address):
            raise RateError(
                f"more than {FREE_UNITS_BURST:.0f} units without a fee from {address}; pay the "
                f"fee, or try again in {FREE_UNIT_SECONDS:.0f} s"
            )

    def _exempted(self, address: str) -> bool:
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._exempt)
