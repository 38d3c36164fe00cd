"""A new network: a super node's identity, the genesis, and the file by which others join."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from cybervein_protocol import vrf
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import LOST_LEDGER, ConflictError, MalformedError, StorageError
from cybervein_protocol.ledger.units.genesis import Allocation, Genesis, SuperNode, check_genesis
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset, preset
from cybervein_protocol.signing import address, parse_address
from cybervein_runtime.addresses import check_published_url
from cybervein_runtime.identity import (
    Identity,
    load_identity,
    load_or_create_identity,
    save_identity,
)
from cybervein_runtime.network_file import NetworkFile, load_network, save_network
from cybervein_runtime.trust import context_of
from msgspec.structs import replace
from nacl.public import PrivateKey

from cybervein_supernode.node.home import SuperNodeHome

_DIGITS_MAX = 19
DEFAULT_URL = "http://127.0.0.1:7700"


def found(  # noqa: PLR0913 -- what a network is founded with
    home: SuperNodeHome,
    numbers: Preset,
    *,
    url: str,
    funds: Sequence[Allocation] = (),
    now: int,
    ca: str = "",
) -> NetworkFile:
    """Write identity and `network.json`. Raises ConflictError if there is a network already.

    `ca` is the PEM of the authority behind the URL's certificate, where it is a private one.
    """
    if home.network.exists():
        raise ConflictError(
            f"{home.network} exists: this directory has a network already; run it, or choose "
            "another --data"
        )
    check_published_url(url)
    if ca:
        context_of(ca)
    identity = load_or_create_identity(home.identity)
    genesis = Genesis(
        v=1,
        chain="cybervein",
        created=now,
        preset=numbers,
        super_nodes=[super_node(identity, url)],
        accounts=list(funds),
        roots=[secrets.token_bytes(32), secrets.token_bytes(32)],
    )
    check_genesis(genesis)
    save_network(home.network, genesis, ((url, identity.keys.public),), ca)
    return load_network(home.network)


def founded(home: SuperNodeHome, numbers: Preset, url: str) -> NetworkFile | None:
    """The network that is there already, if it is the one that is asked for.

    Raises ConflictError where preset, epoch length or URL are others: they cannot be changed.
    """
    if not home.network.exists():
        return None
    file = load_network(home.network)
    there = file.genesis.preset
    asked = (numbers.name, numbers.epoch_seconds, url.rstrip("/"))
    found_there = (there.name, there.epoch_seconds, file.url)
    if asked != found_there:
        raise ConflictError(
            f"{home.network} is a network of preset {there.name}, epochs of "
            f"{there.epoch_seconds} s at {file.url}; asked for is {numbers.name}, "
            f"{numbers.epoch_seconds} s at {url}. These cannot be changed: ask for what is there, "
            "or choose another --data"
        )
    return file


def guard(home: SuperNodeHome, identity: Path | None, pinned: Path | None) -> None:
    """Keep a directory to the key and the network that are kept outside of it, where they are.

    `identity` is a copy of the key, taken in where the directory has none; `pinned` the network
    file of what was founded already: then there must be its ledger, and nothing is founded anew.
    Raises StorageError where there is none, ConflictError for another network.
    """
    if pinned is not None and pinned.exists():
        _require_ledger(home, load_network(pinned))
    if identity is not None and identity.exists() and not home.identity.exists():
        take_identity(home, identity)  # an earlier release may have founded with a key of its own


def _require_ledger(home: SuperNodeHome, pinned: NetworkFile) -> None:
    network = cid_text(pinned.network)
    if not (home.network.exists() and home.ledger.exists()):
        raise StorageError(
            f"{LOST_LEDGER}: {home.directory} has no ledger of network {network}, which was "
            "founded already; no other is founded. Restore it from a backup (supernode restore; on "
            "Kubernetes spec.recovery), or give back its volume"
        )
    there = load_network(home.network)
    if there.network != pinned.network:
        raise ConflictError(
            f"{home.network} is of network {cid_text(there.network)}, expected {network}; give "
            "back its own volume, or restore a backup into an empty one"
        )


def take_identity(home: SuperNodeHome, source: Path) -> None:
    """The key of `source` is the directory's. Raises ConflictError if it has another."""
    given = load_identity(source)
    if not home.identity.exists():
        save_identity(home.identity, given)
    there = load_identity(home.identity)
    if there.keys.public != given.keys.public:
        raise ConflictError(
            f"{home.identity} is the key of {address(there.keys.public)}, {source} that of "
            f"{address(given.keys.public)}; keep the one that is in the network's genesis"
        )


def super_node(identity: Identity, url: str) -> SuperNode:
    """The public half of an identity, as a genesis lists it."""
    return SuperNode(
        key=identity.keys.public,
        vrf=vrf.public_key(identity.vrf_seed),
        seal=bytes(PrivateKey(identity.seal_seed).public_key),
        url=url,
    )


def numbers_of(name: str, epoch_seconds: int | None) -> Preset:
    """A preset, its epoch stretched or shortened if asked (the proof deadline in proportion)."""
    numbers = preset(name)
    if epoch_seconds is None:
        return numbers
    share = numbers.proof_deadline_seconds / numbers.epoch_seconds
    deadline = max(1, round(epoch_seconds * share))
    if deadline >= epoch_seconds:
        raise MalformedError(f"--epoch-seconds {epoch_seconds}: expected at least 2")
    return replace(numbers, epoch_seconds=epoch_seconds, proof_deadline_seconds=deadline)


def parse_fund(text: str) -> Allocation:
    """`ADDRESS=VEINS`. Raises MalformedError."""
    name, _, amount = text.partition("=")
    if not amount.isdecimal() or len(amount) > _DIGITS_MAX or int(amount) >= 1 << 63:
        raise MalformedError(f"{text[:80]!r}: expected ADDRESS=VEINS")
    return Allocation(key=parse_address(name), balance=Veins(int(amount)))
