"""Who may come in: signatures, orders, and how many at once."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from cybervein_protocol.errors import (
    ExpiredError,
    ForbiddenError,
    LimitError,
    MalformedError,
    ReplayError,
    SignatureError,
    UnavailableError,
)
from cybervein_protocol.http_signature import ORDER_HEADER
from cybervein_protocol.messages import Order, Verb, check_order, order_from_header
from cybervein_protocol.names import PublicKey
from cybervein_protocol.signing import address
from cybervein_runtime.http_server import Authenticator
from cybervein_runtime.openapi import Errors
from cybervein_runtime.parameters import whole_number
from fastapi import Request
from multiformats import CID

UPLOADS_MAX: Final = 64
DOWNLOADS_MAX: Final = 128
AUDITS_MAX: Final = 4
SIGNED: Final[Errors] = (
    SignatureError,
    ForbiddenError,
    ExpiredError,
    ReplayError,
    UnavailableError,
)
"""How a signed request may be refused at the door, whatever it asks for."""
WITH_BODY: Final[Errors] = (*SIGNED, MalformedError, LimitError)
ORDERED: Final[Errors] = WITH_BODY
"""The same with an order: its header is malformed or too long as a body is."""


class Gate:
    """At most `most` at once; the next is told to come again, not queued without bound."""

    def __init__(self, what: str, most: int) -> None:
        self._what, self._most, self.inside = what, most, 0

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Raises UnavailableError when full."""
        if self.inside >= self._most:
            raise UnavailableError(f"{self._most} {self._what} are running already; try again soon")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1


@dataclass(kw_only=True, eq=False)
class Door:
    """Checks requests against this miner's identity, network and epoch.

    `epoch` gives the current epoch as far as this miner knows, `super_nodes` the pinned keys,
    `closed` whether nothing new is taken; `controller` may do from anywhere what the miner's own
    key may do from this machine.
    """

    network: CID
    miner: PublicKey
    super_nodes: frozenset[bytes]
    epoch: Callable[[], int]
    authenticator: Authenticator
    closed: Callable[[], bool]
    controller: PublicKey | None = None
    uploads: Gate = field(default_factory=lambda: Gate("uploads", UPLOADS_MAX))
    downloads: Gate = field(default_factory=lambda: Gate("downloads", DOWNLOADS_MAX))
    audits: Gate = field(default_factory=lambda: Gate("audits", AUDITS_MAX))

    def ordered(
        self, request: Request, verb: Verb, root: bytes, owners: Collection[bytes] = ()
    ) -> Order:
        """The valid order of a signed request; `owners` may issue it beside super nodes.

        A super node that puts a rebuilt shard back signs the request itself under an order whose
        bearer is the deal's owner: so the owner stays the owner.
        """
        signer = self.authenticator.authenticate(request, None)
        text = request.headers.get(ORDER_HEADER)
        if text is None:
            raise ForbiddenError(f"{request.url.path}: no CyberVein-Order; ask for one first")
        order = order_from_header(text)
        issuers = self.super_nodes | set(owners)
        repairs = verb == "PUT" and signer == order.issuer and signer in self.super_nodes
        bearer = order.bearer if repairs else signer
        check_order(
            order,
            network=self.network,
            miner=self.miner,
            bearer=bearer,
            verb=verb,
            root=root,
            epoch=self.epoch(),
            issuers=issuers,
        )
        return order

    def super_node(self, request: Request, body: bytes) -> PublicKey:
        """The super node that signed. Raises ForbiddenError for anyone else."""
        signer = self.authenticator.authenticate(request, body)
        if signer not in self.super_nodes:
            raise ForbiddenError(f"{request.url.path}: {address(signer)} is not a super node here")
        return signer

    def control(self, request: Request, body: bytes) -> None:
        """Raise unless the control key signed, or, from this machine, this miner's own key.

        The control key rules many miners: its request names the one it is meant for in the signed
        query, and is taken only by the process that ran when it was signed. So a request that was
        overheard is of no use elsewhere, nor after a restart, which forgets the used nonces.
        """
        signer = self.authenticator.authenticate(request, body, fresh=self.controller is not None)
        if signer == self.controller:
            meant = request.query_params.get("miner", "")
            if meant != address(self.miner):
                raise ForbiddenError(
                    f"{request.url.path}: the control key's request is for {meant or 'nobody'}, "
                    f"this is {address(self.miner)}; send ?miner={address(self.miner)}"
                )
            return
        host = request.client.host if request.client else ""
        if signer != self.miner:
            raise ForbiddenError(
                f"{request.url.path}: {address(signer)} may not control this miner; sign with the "
                "miner's own key, or name your key when the miner starts (--control)"
            )
        if host not in {"127.0.0.1", "::1", ""}:
            raise ForbiddenError(
                f"{request.url.path}: the miner's own key is accepted only from this machine, "
                f"not from {host}"
            )


def number_of(request: Request, name: str, most: int) -> int:
    """A whole number in the query, 0 to `most`. Raises MalformedError."""
    text = request.query_params.get(name, "")
    return whole_number(text, f"{request.url.path}: {name}", most)
