"""Where a network stands, and the file by which one joins it."""

from typing import Literal

from msgspec import UNSET, UnsetType

from cybervein_protocol.api.document import Document
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset


class SuperNodeAddress(Document):
    """Where a super node is, and its key."""

    url: str
    address: str


class SupplyDocument(Document):
    """The supply equation's terms; `balanced` says whether it holds."""

    genesis: Veins
    minted: Veins
    held: Veins
    escrowed: Veins
    bonded: Veins
    burnt: Veins
    balanced: bool


class NetworkDocument(Document):
    """Answer to `GET /v1/network`: the open epoch, its beacon and moments, and the chain's head."""

    now: float
    epoch_began: float
    proof_deadline: float
    epoch_ends: float
    network: str
    preset: Preset
    super_nodes: list[SuperNodeAddress]
    epoch: int
    beacon: str
    height: int
    app_hash: str
    tips: list[str]
    supply: SupplyDocument


class NetworkFileDocument(Document):
    """`network.json`: `genesis` is base64url of its encoding, `ca` a private authority's PEM."""

    v: Literal[1]
    network: str
    genesis: str
    super_nodes: list[SuperNodeAddress]
    ca: str | UnsetType | None = UNSET
