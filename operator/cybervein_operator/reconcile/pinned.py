"""A network's file once it is read: what miners and the operator take from it."""

from dataclasses import dataclass

from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.signing import address
from cybervein_runtime.network_file import parse_network

from cybervein_operator.judgement.miner import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """What the pinned file says; `mark` is the ConfigMap's fingerprint it was read at."""

    cid: str
    url: str
    address: str
    authority: str
    epoch_seconds: int
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
        document=text,
        mark=mark,
    )
