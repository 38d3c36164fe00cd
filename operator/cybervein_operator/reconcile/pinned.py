"""A network's file once it is read: what miners and the operator take from it."""

from dataclasses import dataclass

from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.signing import address
from cybervein_runtime.network_file import parse_network

from cybervein_operator.api import Network
from cybervein_operator.judgement.miner import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """What the pinned file says; `mark` is the ConfigMap's fingerprint it was read at."""

    cid: str
    url: str
    address: str
    authority: str
    epoch_seconds: int
    preset: str
    document: str
    mark: str = ""


def parse(text: str, what: str, mark: str) -> Pinned | Trouble:
    """A network file, checked as miners check it."""
    try:
        file = parse_network(text.encode(), what)
    except CyberVeinError as error:
        return Trouble("NetworkFileInvalid", str(error))
    url, key = file.super_nodes[0]
    return Pinned(
        cid=cid_text(file.network),
        url=url,
        address=address(key),
        authority=file.ca,
        epoch_seconds=file.genesis.preset.epoch_seconds,
        preset=file.genesis.preset.name,
        document=text,
        mark=mark,
    )


def other_preset(network: Network, file: Pinned) -> Trouble | None:
    """A network that is joined has the preset that its spec expects, or this."""
    wanted, join = network.spec.preset, network.spec.join
    if join is None or wanted is None or file.preset == wanted:
        return None
    return Trouble(
        "PresetDiffers",
        f"the file in ConfigMap {join.config_map} is of preset {file.preset}, expected {wanted} "
        "(spec.preset); put the file of the network that you mean into it, or create a Network "
        f"of another name with preset {file.preset}",
    )
