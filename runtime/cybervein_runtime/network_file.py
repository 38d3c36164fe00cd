"""`network.json`: what joins a process to one network, with everything pinned by one CID."""

import base64
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.super_node.network import NetworkFileDocument, SuperNodeAddress
from cybervein_protocol.encoding import cid_text, decode, encode
from cybervein_protocol.errors import MalformedError
from cybervein_protocol.ledger.units.genesis import Genesis, network_id
from cybervein_protocol.names import PublicKey
from cybervein_protocol.signing import address, parse_address
from msgspec import UNSET
from multiformats import CID

from cybervein_runtime.files import read_limited, write_atomic
from cybervein_runtime.trust import Trust, context_of

_FILE_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A network's CID, its genesis, where its super nodes are, and who vouches for their TLS."""

    network: CID
    genesis: Genesis
    super_nodes: tuple[tuple[str, PublicKey], ...]
    ca: str = ""

    @property
    def url(self) -> str:
        """The first super node's base URL."""
        return self.super_nodes[0][0]

    @property
    def trust(self) -> Trust:
        """What requests of a member of this network believe."""
        return Trust(self.ca, [url for url, _ in self.super_nodes])


def to_json(
    genesis: Genesis, super_nodes: tuple[tuple[str, PublicKey], ...], ca: str = ""
) -> bytes:
    """The file's bytes; `ca` is the PEM of a private authority."""
    encoded = base64.urlsafe_b64encode(encode(genesis)).rstrip(b"=").decode()
    document = NetworkFileDocument(
        v=1,
        network=cid_text(network_id(genesis)),
        genesis=encoded,
        super_nodes=[SuperNodeAddress(url=url, address=address(key)) for url, key in super_nodes],
        ca=ca or UNSET,
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def save_network(
    path: Path, genesis: Genesis, super_nodes: tuple[tuple[str, PublicKey], ...], ca: str = ""
) -> None:
    """Write `network.json`; it holds no secret."""
    write_atomic(path, to_json(genesis, super_nodes, ca), mode=0o644)


def load_network(path: Path) -> NetworkFile:
    """The network of a file. Raises MalformedError when genesis or keys are not the pinned ones."""
    return parse_network(read_limited(path, _FILE_BYTES_MAX), str(path))


def parse_network(data: bytes, what: str) -> NetworkFile:
    """Like `load_network`, of the file's bytes; `what` names them in errors."""
    try:
        document = decode_document(data, NetworkFileDocument, what, _FILE_BYTES_MAX)
        text = document.genesis
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        nodes = tuple(
            (node.url.rstrip("/"), parse_address(node.address)) for node in document.super_nodes
        )
    except (ValueError, MalformedError) as error:
        raise MalformedError(f"{what} is not a network file; get a fresh network.json") from error
    genesis = decode(raw, Genesis, f"{what}: genesis", _FILE_BYTES_MAX)
    network = network_id(genesis)
    if cid_text(network) != document.network:
        raise MalformedError(
            f"{what}: genesis is {cid_text(network)}, the file says {document.network}"
        )
    pinned = {node.key for node in genesis.super_nodes}
    if not nodes or any(key not in pinned for _, key in nodes):
        raise MalformedError(f"{what}: a super node's key is not in the genesis; do not trust it")
    ca = document.ca or ""
    if ca:
        context_of(ca)
    return NetworkFile(network, genesis, nodes, ca)
