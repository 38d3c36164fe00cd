"""Beacons: 32 bytes per epoch that nobody knew before it began.

beacon_0     = derive_key("cybervein 2026-11 genesis beacon", network CID bytes)
beacon_{i+1} = BLAKE3(beta),  beta = ECVRF output of beacon_i ‖ u64le i+1 under a super node's key

A VRF has one output per key and input, so the super node cannot choose among beacons; it can only
withhold one (with a single super node that stops the chain, and everybody sees it).
"""

from typing import Final

from blake3 import blake3
from multiformats import CID

from cybervein_protocol import vrf
from cybervein_protocol.names import Beacon

_CONTEXT: Final = "cybervein 2026-11 genesis beacon"


def genesis_beacon(network: CID) -> Beacon:
    """The beacon of epoch 0."""
    return Beacon(blake3(bytes(network), derive_key_context=_CONTEXT).digest())


def beacon_input(beacon: bytes, epoch: int) -> bytes:
    """What a super node proves in `epoch` to set the beacon of the next one."""
    return beacon + (epoch + 1).to_bytes(8, "little")


def prove_beacon(vrf_seed: bytes, beacon: bytes, epoch: int) -> bytes:
    """The `vrf_proof` of `epoch.close`."""
    return vrf.prove(vrf_seed, beacon_input(beacon, epoch))


def next_beacon(vrf_key: bytes, beacon: bytes, epoch: int, proof: bytes) -> Beacon:
    """The beacon of `epoch + 1`. Raises ProofError for a proof that does not verify."""
    return Beacon(blake3(vrf.verify(vrf_key, beacon_input(beacon, epoch), proof)).digest())
